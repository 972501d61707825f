//! `capture`: an operator's log directory becomes one file.

use std::{io::Write, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use ramen_events::{capture, disk::SledLog, log::History};

use crate::Exit;

/// Exports the log directory of a stopped operator as a capture file
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// The operator's --data-dir
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// The capture file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs it.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    let log = SledLog::open_for_reading(&arguments.directory).map_err(|err| {
        let context = format!("could not open the log in {}: {}", arguments.directory.display(), err.remedy());
        anyhow::Error::new(err).context(context)
    })?;
    let header = capture::write_file(&log, log.base().seq.next(), log.head().seq, &arguments.file)
        .with_context(|| format!("could not write {}", arguments.file.display()))?;
    writeln!(out, "{}: {} records, {} blobs", arguments.file.display(), header.records(), header.blobs)?;
    Ok(Exit::Good)
}
