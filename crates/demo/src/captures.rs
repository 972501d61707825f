//! Exports the operators' event logs as capture files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ramen_events::{capture, disk::SledLog, log::History};

/// Writes `<cluster>.ramenlog` for each data folder into `out`. An operator that never started has no log.
///
/// # Errors
/// When a log can't be read or a file can't be written.
pub fn export(folders: &[(String, PathBuf)], out: &Path) -> Result<()> {
    for (cluster, data) in folders.iter().filter(|(_, data)| data.exists()) {
        let log = SledLog::open_for_reading(data).with_context(|| format!("could not open the log of {cluster}"))?;
        let file = out.join(format!("{cluster}.ramenlog"));
        capture::write_file(&log, log.base().seq.next(), log.head().seq, &file)
            .with_context(|| format!("could not capture the log of {cluster}"))?;
    }
    Ok(())
}
