//! What the programs of this crate have in common: arguments in, exit code out.

use std::{io, process::ExitCode};

use anyhow::Result;
use clap::Parser;

use crate::{Exit, Usage};

/// Runs a program: reads its arguments, and tells on stderr, in the name of `name`, what went wrong.
pub fn main<A: Parser>(name: &str, run: impl FnOnce(&A, &mut dyn io::Write) -> Result<Exit>) -> ExitCode {
    // clap's own exit code for wrong usage is 2, which means "damaged" here.
    let arguments = match A::try_parse() {
        Ok(arguments) => arguments,
        Err(err) => {
            // Whoever reads no help, or no complaint, still asked what they asked.
            let _ = err.print();
            return if err.use_stderr() { Exit::Usage.into() } else { Exit::Good.into() };
        }
    };
    // Takes colours off where stdout is no terminal.
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let result = run(&arguments, &mut out).and_then(|exit| Ok(io::Write::flush(&mut out).map(|()| exit)?));
    match result {
        Ok(exit) => exit.into(),
        Err(err) if is_closed_pipe(&err) => Exit::Good.into(),
        Err(err) => {
            eprintln!("{name}: {err:#}");
            if err.is::<Usage>() { Exit::Usage.into() } else { Exit::Unreadable.into() }
        }
    }
}

/// Whoever read our output has seen enough.
fn is_closed_pipe(err: &anyhow::Error) -> bool {
    err.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}
