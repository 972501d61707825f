//! The commands of `ramen-sim`.

mod chosen;
mod exhaustive;
mod play;
mod report;
mod run;

use std::{ops::RangeInclusive, process::ExitCode};

use clap::{Parser, Subcommand, builder::RangedU64ValueParser};

/// Runs the operators in a simulated world, in virtual time, under faults, and checks what must always hold
#[derive(Parser)]
#[command(
    name = "ramen-sim",
    version,
    after_help = "Exit codes:\n   0  all went as expected, and all rules held\n   1  an expectation or a rule did not hold, \
                  or no trial reached a step (--need-coverage)\n   2  a file cannot be read, written or understood\n  64  wrong usage"
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Run),
    Exhaustive(exhaustive::Exhaustive),
    Play(play::Play),
}

/// How a command ended.
pub enum Exit {
    /// All went as expected, and all rules held.
    Good,
    /// An expectation or a rule did not hold.
    Broken,
    /// A file cannot be read, written or understood.
    Unreadable,
    /// The command line is wrong.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Broken => 1,
            Exit::Unreadable => 2,
            Exit::Usage => 64,
        })
    }
}

/// Does what was asked for; what people and programs want to read goes to `out`.
///
/// # Errors
/// When a file cannot be read or written.
pub fn run(arguments: &Arguments, out: &mut dyn std::io::Write) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Run(run) => run.run(out),
        Command::Exhaustive(exhaustive) => exhaustive.run(out),
        Command::Play(play) => play.run(out),
    }
}

/// As many trials at a time as there are cores.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Trials at a time that can be asked for: each is a thread with a world in memory.
const JOBS: RangeInclusive<u64> = 1..=1024;

/// How many trials may run at a time.
fn jobs() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(JOBS)
}

/// How many there are of something of which there has to be one.
fn some() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=1_000_000)
}
