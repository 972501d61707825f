//! What the reading commands take: logs of one installation.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::{merge::Merged, open};

/// Logs of one installation
#[derive(Clone, Debug, Args)]
pub struct Input {
    /// Capture files, or data directories of stopped operators: of the hub, of managed clusters, or of all of them
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,

    /// Of damaged captures, read what is provably intact
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
    /// When one can't be read.
    pub fn read(&self) -> Result<Merged> {
        let merged = Merged::read(open::open_all(&self.logs, self.salvage)?)?;
        for clock in merged.clocks() {
            eprintln!("ramen-replay: {clock}");
        }
        for log in merged.strangers() {
            let name = log.name();
            eprintln!(
                "ramen-replay: {name} knows no command of this hub's log: is it of the same installation and time?"
            );
        }
        Ok(merged)
    }
}
