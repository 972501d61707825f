//! The commands of `ramen-sim`.

mod exhaustive;
mod play;
mod report;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs the operators in a simulated world, in virtual time, under faults, and checks what must always hold
#[derive(Parser)]
#[command(
    name = "ramen-sim",
    version,
    after_help = "Exit codes:\n   0  all rules held\n   1  a rule was broken\n   2  a file cannot be read or written\n  64  \
                  wrong usage"
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
    /// All rules held.
    Good,
    /// A rule was broken.
    Broken,
    /// A file cannot be read or written.
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
