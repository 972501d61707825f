//! Exports the operators' event logs as capture files, and sees to it that no credential is in what a run leaves.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use ramen_events::{
    capture,
    disk::SledLog,
    log::{History, find_bytes},
};

/// Writes `<cluster>.ramenlog` for each data folder into `out`. An operator that never started has no log.
///
/// # Errors
/// When a log can't be read, a file can't be written, or a secret of the stores is found in one of them.
pub fn export(folders: &[(String, PathBuf)], secrets: &[String], out: &Path) -> Result<()> {
    for (cluster, data) in folders.iter().filter(|(_, data)| data.exists()) {
        let log = SledLog::open_for_reading(data).with_context(|| format!("could not open the log of {cluster}"))?;
        for secret in secrets {
            if let Some(place) = find_bytes(&log, secret.as_bytes())? {
                bail!("a secret of a store is in the event log of {cluster}: {place:?}");
            }
        }
        let file = out.join(format!("{cluster}.ramenlog"));
        capture::write_file(&log, log.base().seq.next(), log.head().seq, &file)
            .with_context(|| format!("could not capture the log of {cluster}"))?;
    }
    for entry in fs::read_dir(out)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let text = fs::read_to_string(&path)?;
            if secrets.iter().any(|secret| text.contains(secret.as_str())) {
                bail!("a secret of a store is in {}", path.display());
            }
        }
    }
    Ok(())
}
