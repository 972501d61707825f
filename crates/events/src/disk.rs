//! The log on disk, in a sled database.
//!
//! ```text
//!   data directory
//!   ├── lock     held while the log is open
//!   ├── head     the last acknowledged record: tells a lost tail from one that never was
//!   └── store/   sled: records, blobs, snapshots, and what the log knows of itself
//! ```
//!
//! The layout below `store/` is described in `docs/log-format.md`.

mod blobs;
mod directory;
mod group;
mod keys;
mod marker;
mod open;
pub(crate) mod packed;
mod parts;
mod reader;
mod recover;
mod snapshots;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    ops::Range,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    BlobId, Epoch, Seq,
    log::{Batch, Error, EventLog, Head, History, Snapshot, SnapshotName, StoredIter},
};

pub use crate::log::Owner;
pub use open::{Check, Options, Recovered};

use directory::Lock;
use writer::Writer;

/// A log on disk.
///
/// ```
/// use ramen_events::{ClusterName, Operator, disk::{Options, SledLog}, log::{EventLog, History, Owner}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dir = tempfile::tempdir()?;
/// let owner = Owner { operator: Operator::Hub, cluster: ClusterName::from("hub") };
/// let log = SledLog::open(dir.path(), &Options::new(owner))?;
/// assert_eq!(log.epoch().0, 1);
/// assert_eq!(log.head().seq.0, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SledLog {
    /// Absent when the log is open for reading. Declared first: the writer ends before what it writes to is closed.
    writer: Option<Writer>,
    tree: sled::Db,
    head: Arc<Mutex<Head>>,
    recovered: Recovered,
    dir: PathBuf,
    _lock: Lock,
}

impl SledLog {
    /// What was found when the log was opened.
    pub fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// Where the log is.
    pub fn dir(&self) -> &std::path::Path {
        &self.dir
    }

    /// Bytes on disk.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn size_on_disk(&self) -> Result<u64, Error> {
        self.tree.size_on_disk().map_err(|err| Error::Store { doing: "measure the log", err })
    }

    fn writer(&self) -> Result<&Writer, Error> {
        self.writer.as_ref().ok_or(Error::ReadOnly)
    }
}

impl History for SledLog {
    fn base(&self) -> Head {
        Head::default()
    }

    fn head(&self) -> Head {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stored(&self, from: Seq) -> StoredIter<'_> {
        match reader::Records::new(&self.tree, from, self.head().seq) {
            Ok(records) => Box::new(records),
            Err(err) => Box::new(std::iter::once(Err(err))),
        }
    }

    fn blob(&self, id: BlobId) -> Result<Option<Vec<u8>>, Error> {
        blobs::get(&self.tree, id)
    }

    fn blobs(&self) -> Result<Vec<(BlobId, Seq)>, Error> {
        blobs::list(&self.tree)
    }

    fn snapshots(&self) -> Result<Vec<SnapshotName>, Error> {
        snapshots::list(&self.tree)
    }

    fn snapshot(&self, name: SnapshotName) -> Result<Option<Snapshot>, Error> {
        snapshots::get(&self.tree, name)
    }
}

impl EventLog for SledLog {
    fn epoch(&self) -> Epoch {
        self.recovered.epoch
    }

    fn append(&self, batch: Batch) -> Result<Range<Seq>, Error> {
        let blobs = blobs::pack(&self.tree, batch.blobs)?;
        self.writer()?.append(batch.expected_first, batch.records, blobs)
    }

    fn save_snapshot(&self, seq: Seq, decider: u32, bytes: &[u8]) -> Result<(), Error> {
        let writer = self.writer()?;
        let head = self.head();
        if seq > head.seq {
            return Err(Error::NoSuchRecord { seq });
        }
        let hash = reader::hash_of(&self.tree, seq)?.ok_or(Error::NoSuchRecord { seq })?;
        writer.save_snapshot(snapshots::pack(&self.tree, seq, decider, hash, bytes)?)
    }
}
