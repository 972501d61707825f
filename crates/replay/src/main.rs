//! `ramen-replay`: opens captured logs.

use std::{io, process::ExitCode};

use clap::Parser;
use mimalloc::MiMalloc;
use ramen_replay::{Arguments, Exit, Usage, run};

/// Folding a log makes and drops millions of small values.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // clap's own exit code for wrong usage is 2, which means "damaged" here.
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(err) => {
            let wrong = err.use_stderr();
            if err.print().is_err() || wrong {
                return Exit::Usage.into();
            }
            return Exit::Good.into();
        }
    };
    // Takes colours off where stdout is no terminal.
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let result = run(&arguments, &mut out).and_then(|exit| Ok(io::Write::flush(&mut out).map(|()| exit)?));
    match result {
        Ok(exit) => exit.into(),
        Err(err) if is_closed_pipe(&err) => Exit::Good.into(),
        Err(err) => {
            eprintln!("ramen-replay: {err:#}");
            if err.is::<Usage>() { Exit::Usage.into() } else { Exit::Unreadable.into() }
        }
    }
}

/// Whoever read our output has seen enough.
fn is_closed_pipe(err: &anyhow::Error) -> bool {
    err.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}
