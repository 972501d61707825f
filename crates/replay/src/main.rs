//! `ramen-replay`: opens captured logs.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use ramen_replay::{Arguments, program, run};

/// Folding a log makes and drops millions of small values.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    program::main::<Arguments>("ramen-replay", run)
}
