//! The command line: one file per command.

mod audit;
mod bisect;
mod capture;
mod diff;
mod show;
mod state;
mod step;
mod test;
mod timeline;
mod verify;
mod whatif;
mod why;

use std::io::Write;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::Exit;

pub use timeline::draw;

/// Opens captured logs of the operators: verifies, replays and explains them.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "ramen-replay",
    version,
    after_help = "Exit codes: 0 all is well; 1 a log is intact, but deciding again gives something else, or what was\n\
                  looked for is not in it; 2 a file is damaged, cut off, or not a log; 3 (whatif --go-on) the\n\
                  simulated world does not tell the story of the log; 64 wrong usage."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    Verify(verify::Arguments),
    Capture(capture::Arguments),
    Show(show::Arguments),
    Timeline(timeline::Arguments),
    State(state::Arguments),
    Step(step::Arguments),
    Diff(diff::Arguments),
    Why(why::Arguments),
    Audit(audit::Arguments),
    Whatif(whatif::Arguments),
    Bisect(bisect::Arguments),
    Test(test::Arguments),
}

/// Runs a command; what it finds goes to `out`.
///
/// # Errors
/// When a file can't be read or is damaged, or `out` can't be written.
pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    match &arguments.command {
        Command::Verify(arguments) => verify::run(arguments, out),
        Command::Capture(arguments) => capture::run(arguments, out),
        Command::Show(arguments) => show::run(arguments, out),
        Command::Timeline(arguments) => timeline::run(arguments, out),
        Command::State(arguments) => state::run(arguments, out),
        Command::Step(arguments) => step::run(arguments, out),
        Command::Diff(arguments) => diff::run(arguments, out),
        Command::Why(arguments) => why::run(arguments, out),
        Command::Audit(arguments) => audit::run(arguments, out),
        Command::Whatif(arguments) => whatif::run(arguments, out),
        Command::Bisect(arguments) => bisect::run(arguments, out),
        Command::Test(arguments) => test::run(arguments, out),
    }
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Table,
    /// For programs: one JSON value per line
    Json,
}
