//! From paths to logs that can be read: capture files, the data directory of an operator, stopped or running, or a folder
//! with segments of an archive.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use ramen_events::{
    Operator,
    capture::Reader,
    disk::SledLog,
    log::{self, History, Owner},
};
use tempfile::TempDir;

use crate::{
    archive::{self, Archived},
    live,
};

/// What is wrong with the command line, as opposed to the files that it names.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// A log, wherever it is kept.
pub struct Log {
    /// Where it is.
    pub path: PathBuf,
    /// Whose it is.
    pub owner: Owner,
    /// Its records.
    pub history: Box<dyn History>,
    /// What is wrong with the part that can't be shown; `None` when all is there.
    pub wrong: Option<String>,
    /// The copy that is read, if the log itself can't be; removed with the log.
    _copy: Option<TempDir>,
}

impl Log {
    /// Opens one. With `salvage`, a damaged capture is read as far as it is provable.
    ///
    /// # Errors
    /// When there is nothing at `path` that can be trusted, with what a person can do.
    pub fn open(path: &Path, salvage: bool) -> Result<Self> {
        if path.is_dir() { Self::directory(path, salvage) } else { Self::capture(path, salvage) }
    }

    /// As [`Log::open`], for whoever reads only part of it: of a capture, the chain is checked where it is read.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open_part(path: &Path, salvage: bool) -> Result<Self> {
        if !path.is_dir()
            && let Ok(reader) = Reader::open_quickly(path)
            && let Some(owner) = reader.header().owner.clone().filter(|_| reader.header().records() > 0)
        {
            return Ok(Self { path: path.to_owned(), owner, history: Box::new(reader), wrong: None, _copy: None });
        }
        // What is wrong with it is told as always.
        Self::open(path, salvage)
    }

    fn directory(path: &Path, salvage: bool) -> Result<Self> {
        if !path.join("store").exists()
            && let Some(Archived { segments, owner, wrong, unpacked }) = archive::open(path, salvage)?
        {
            let history = Box::new(segments);
            return Ok(Self { path: path.to_owned(), owner, history, wrong, _copy: Some(unpacked) });
        }
        let told = |err: log::Error| {
            let context = format!("{}: {}", path.display(), err.remedy());
            anyhow::Error::new(err).context(context)
        };
        let (log, copy) = match SledLog::open_for_reading(path) {
            Ok(log) => (log, None),
            Err(err) if is_not_ours(&err) => {
                let (log, copy) = live::open_copy(path)?;
                (log, Some(copy))
            }
            Err(err) => return Err(told(err)),
        };
        let first = log.scan(log.base().seq.next()).next().transpose().map_err(told)?;
        let (first, _) = first.ok_or_else(|| empty(path))?;
        let owner = Owner { operator: first.origin.operator, cluster: first.origin.cluster };
        Ok(Self { path: path.to_owned(), owner, history: Box::new(log), wrong: None, _copy: copy })
    }

    fn capture(path: &Path, salvage: bool) -> Result<Self> {
        let told = |err: ramen_events::capture::Error, more: &str| {
            let remedy = format!("{}{more}", err.remedy());
            // What the file is called stands in front, unless the error names it itself.
            anyhow!("{}: {:#}; {remedy}", path.display(), anyhow::Error::new(err))
        };
        let (reader, wrong) = Reader::salvage(path).map_err(|err| told(err, ""))?;
        let wrong = match wrong {
            None => None,
            Some(err) if salvage => Some(format!("{:#}", anyhow::Error::new(err))),
            Some(err) => {
                let intact = reader.header().records();
                let more = format!("; --salvage shows the {intact} records before that, which are intact");
                return Err(told(err, if intact > 0 { &more } else { "" }));
            }
        };
        let owner = reader.header().owner.clone().filter(|_| reader.header().records() > 0);
        let owner = owner.ok_or_else(|| empty(path))?;
        Ok(Self { path: path.to_owned(), owner, history: Box::new(reader), wrong, _copy: None })
    }

    /// One that is at hand.
    pub fn of(path: PathBuf, owner: Owner, history: Box<dyn History>) -> Self {
        Self { path, owner, history, wrong: None, _copy: None }
    }

    /// How many records it has.
    pub fn records(&self) -> u64 {
        self.history.head().seq.0.saturating_sub(self.history.base().seq.0)
    }

    /// The name of the cluster: what records are told apart by.
    pub fn name(&self) -> &str {
        self.owner.cluster.as_str()
    }

    /// Tells on stderr what is not proven.
    pub fn warn(&self) {
        let path = self.path.display();
        if let Some(wrong) = &self.wrong {
            let head = self.history.head();
            eprintln!("ramen-replay: {path}: {wrong}; intact is what came up to record {} ({})", head.seq, head.stamp);
            eprintln!("ramen-replay: {path}: what came after that is not known, nor how much it was");
        }
    }

    /// Whether it is the hub's.
    pub fn is_hub(&self) -> bool {
        self.owner.operator == Operator::Hub
    }
}

/// Whether the log is in use, or may not be written to: then a copy is read, and the log itself is left alone.
fn is_not_ours(err: &log::Error) -> bool {
    match err {
        log::Error::Locked { .. } => true,
        log::Error::File { err, .. } => {
            matches!(err.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
        }
        _ => false,
    }
}

fn empty(path: &Path) -> anyhow::Error {
    anyhow!("{}: the log holds no records; capture it after the operator has started", path.display())
}

/// Opens several logs of one installation, the hub's first. What is missing in them goes to stderr.
///
/// # Errors
/// When one can't be opened, or two are of the same operator.
pub fn open_all(paths: &[PathBuf], salvage: bool) -> Result<Vec<Log>> {
    // The chain is checked where records are read, which is all the way.
    let mut logs = paths.iter().map(|path| Log::open_part(path, salvage)).collect::<Result<Vec<_>>>()?;
    logs.sort_by(|a, b| a.owner.cmp(&b.owner));
    for pair in logs.windows(2) {
        if let [a, b] = pair
            && a.owner == b.owner
        {
            let (one, other, owner) = (a.path.display(), b.path.display(), &a.owner);
            let message = format!("{one} and {other} are both logs of {owner}: give one of each (`diff` compares two)");
            return Err(Usage(message).into());
        }
    }
    logs.iter().for_each(Log::warn);
    Ok(logs)
}
