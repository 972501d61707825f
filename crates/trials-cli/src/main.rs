//! `ramen-sim`: the operators in a simulated world.

mod cmd;

use std::{io, process::ExitCode};

use clap::Parser;
use mimalloc::MiMalloc;

use crate::cmd::{Arguments, Exit, run};

/// A trial makes and drops millions of small values, on each core its own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // clap's own exit code for wrong usage is 2, which means "unreadable" here.
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(err) => {
            let wrong = err.use_stderr();
            return if err.print().is_err() || wrong { Exit::Usage.into() } else { Exit::Good.into() };
        }
    };
    match run(&arguments, &mut io::stdout().lock()) {
        Ok(exit) => exit.into(),
        Err(err) if is_closed_pipe(&err) => Exit::Good.into(),
        Err(err) => {
            eprintln!("ramen-sim: {err:#}");
            Exit::Unreadable.into()
        }
    }
}

/// Whoever read our output has seen enough.
fn is_closed_pipe(err: &anyhow::Error) -> bool {
    err.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}
