//! What the reading commands take: logs of one installation.

use std::{
    fmt::Display,
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::{Result, bail};
use clap::Args;
use ramen_events::Record;

use crate::{
    live,
    merge::Merged,
    open::{self, Log},
};

/// Logs of one installation
#[derive(Clone, Debug, Args)]
pub struct Input {
    /// Capture files, data directories of operators, stopped or running, or folders with segments of an archive: of the hub,
    /// of managed clusters, or of all of them
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,

    /// Of damaged captures, read what is provably intact; show logs side by side that do not belong together
    #[arg(long)]
    salvage: bool,
}

impl Input {
    /// Of these logs.
    pub fn of(logs: Vec<PathBuf>, salvage: bool) -> Self {
        Self { logs, salvage }
    }

    /// Opens and merges the logs. What people should know of them goes to stderr.
    ///
    /// # Errors
    /// When one can't be read, or is of another installation; with `--salvage`, the latter is only told.
    pub fn read(&self) -> Result<Merged> {
        self.merge(self.open()?, &|_| true)
    }

    /// Opens the logs.
    ///
    /// # Errors
    /// When one can't be opened, or two are of the same operator.
    pub fn open(&self) -> Result<Vec<Log>> {
        open::open_all(&self.logs, self.salvage)
    }

    /// Merges the logs, and holds only those records that are wanted. What people should know of them goes to stderr.
    ///
    /// # Errors
    /// As [`Input::read`].
    pub fn merge(&self, logs: Vec<Log>, wanted: &(dyn Fn(&Record) -> bool + Sync)) -> Result<Merged> {
        let merged = Merged::read_some(logs, wanted)?;
        for clock in merged.clocks() {
            tell(clock);
        }
        for log in merged.strangers() {
            let name = log.name();
            let words = format!("{name} knows no command of this hub's log");
            // Of a hub's log that begins later, or was begun anew, that is no proof.
            if merged.is_whole_hub() && !self.salvage {
                bail!(
                    "{}: {words}: it is of another installation, or of another time; give logs that belong together \
                     (--salvage shows them side by side all the same)",
                    log.path.display()
                );
            }
            tell(format_args!("{words}: is it of the same installation and time?"));
        }
        Ok(merged)
    }

    /// Opens and merges the logs once more: what people should know of them was told before.
    ///
    /// # Errors
    /// When one can't be read.
    pub fn read_again(&self) -> Result<Merged> {
        Merged::read(self.open()?)
    }

    /// What changes when one of the logs has grown.
    pub fn marks(&self) -> Vec<Option<Vec<u8>>> {
        self.logs.iter().map(|path| live::mark(path)).collect()
    }
}

/// Tells people what they should know beside the output; where stderr cannot be written, there is nobody to tell.
fn tell(what: impl Display) {
    let _ = writeln!(io::stderr(), "ramen-replay: {what}");
}
