//! The log of a process that is still running: read from a copy of its directory.
//!
//! The running process holds the lock, and its store can't be opened twice. A copy is not made in one moment, so it may
//! show a state that never was. That is found out: all of its chain is checked when it is opened, and it has to reach at
//! least the record that had been acknowledged before the copy began. If it does not, it is copied again.

use std::{fs, io, path::Path};

use anyhow::{Context, Result};
use ramen_events::{disk::SledLog, log};
use tempfile::TempDir;

/// How often a copy is tried. Each try takes as long as the copy, in which a busy operator may rewrite the same part.
const TRIES: usize = 5;

/// Opens a copy of the log in `dir`; it is removed when the second value is dropped.
///
/// # Errors
/// When it can't be copied, or each copy was damaged: the log itself is, or it changes too fast.
pub fn open_copy(dir: &Path) -> Result<(SledLog, TempDir)> {
    let mut wrong = None;
    for _ in 0..TRIES {
        let copy = tempfile::Builder::new()
            .prefix("ramen-replay-")
            .tempdir()
            .context("could not make a directory for a copy of the log")?;
        let told = || format!("could not copy the log in {}; free some space, or set TMPDIR", dir.display());
        match copy_log(dir, copy.path()) {
            // Files of the store come and go while it runs.
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                wrong = Some(anyhow::Error::new(err).context(told()));
                continue;
            }
            Err(err) => return Err(err).with_context(told),
            Ok(()) => {}
        }
        match SledLog::open_for_reading(copy.path()) {
            Ok(log) if log.recovered().lost == 0 => return Ok((log, copy)),
            Ok(log) => {
                let lost = log.recovered().lost;
                wrong = Some(anyhow::anyhow!("the copy lacks {lost} records that the operator had acknowledged"));
            }
            Err(err @ (log::Error::Damaged { .. } | log::Error::Unreadable { .. } | log::Error::Store { .. })) => {
                wrong = Some(anyhow::Error::new(err));
            }
            Err(err) => return Err(err.into()),
        }
    }
    let wrong = wrong.unwrap_or_else(|| anyhow::anyhow!("it was never tried"));
    Err(wrong.context(format!(
        "{}: no copy of this log was whole, in {TRIES} tries; try again, or stop the operator first",
        dir.display()
    )))
}

/// Copies what is read of a log. What was acknowledged is copied first: the store, being copied later, holds at least that.
fn copy_log(from: &Path, to: &Path) -> io::Result<()> {
    match fs::copy(from.join("head"), to.join("head")) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
        _ => {}
    }
    copy_folder(&from.join("store"), &to.join("store"))
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// What changes when a log or a capture file has grown: cheap to look at.
pub fn mark(path: &Path) -> Option<Vec<u8>> {
    if path.is_dir() {
        return fs::read(path.join("head")).ok();
    }
    let meta = fs::metadata(path).ok()?;
    Some(format!("{} {:?}", meta.len(), meta.modified().ok()).into_bytes())
}
