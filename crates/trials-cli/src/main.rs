//! `ramen-sim`: the operators in a simulated world.

mod cmd;
mod streams;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser;
use mimalloc::MiMalloc;

use crate::{
    cmd::{Arguments, Exit, run},
    streams::{Patient, complain},
};

/// A trial makes and drops millions of small values, on each core its own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // clap's own exit code for wrong usage is 2, which means "unreadable" here.
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(err) => {
            // Whoever reads no help, or no complaint, still asked what they asked.
            let _ = err.print();
            return if err.use_stderr() { Exit::Usage.into() } else { Exit::Good.into() };
        }
    };
    let mut out = Patient::new("standard output", io::stdout().lock());
    match run(&arguments, &mut out).and_then(|exit| Ok(out.flush().map(|()| exit)?)) {
        Ok(exit) => exit.into(),
        Err(err) => {
            complain(format_args!("{err:#}"));
            Exit::Unreadable.into()
        }
    }
}
