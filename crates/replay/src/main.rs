//! `ramen-replay`: opens captured logs.

use std::process::ExitCode;

use ramen_replay::{Arguments, program, run};

fn main() -> ExitCode {
    program::main::<Arguments>("ramen-replay", run)
}
