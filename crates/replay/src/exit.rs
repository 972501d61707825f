//! Exit codes, the same for all commands.

use std::process::ExitCode;

/// How a command ended. The codes are part of the command line's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: all is well.
    Good,
    /// 1: the log is intact, but deciding again gives something else, or what was looked for is not in it, or not all of it
    /// could be had.
    Diverged,
    /// 2: a file is damaged, truncated, or not a log.
    Unreadable,
    /// 3: the simulated world does not tell the story of the log, so what comes of it there proves nothing.
    NotRetold,
    /// 64: the command line is wrong.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Diverged => 1,
            Exit::Unreadable => 2,
            Exit::NotRetold => 3,
            Exit::Usage => 64,
        })
    }
}
