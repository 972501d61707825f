//! Searching a log for bytes that must not be in it.

use crate::{
    BlobId, Seq,
    log::{Error, History, SnapshotName},
};

/// Where bytes were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// In a record.
    Record(Seq),
    /// In a blob.
    Blob(BlobId),
    /// In a snapshot.
    Snapshot(SnapshotName),
}

/// Where `needle` first occurs in a log's records, blobs or snapshots. Tests use it to prove that a secret is nowhere.
/// An empty needle is nowhere.
///
/// # Errors
/// When the log cannot be read.
pub fn find_bytes(log: &dyn History, needle: &[u8]) -> Result<Option<Found>, Error> {
    if needle.is_empty() {
        return Ok(None);
    }
    for stored in log.stored(log.base().seq.next()) {
        let stored = stored?;
        if contains(&stored.bytes, needle) {
            return Ok(Some(Found::Record(stored.seq)));
        }
    }
    for (id, _) in log.blobs()? {
        if log.blob(id)?.is_some_and(|blob| contains(&blob, needle)) {
            return Ok(Some(Found::Blob(id)));
        }
    }
    for name in log.snapshots()? {
        if log.snapshot(name)?.is_some_and(|snapshot| contains(&snapshot.bytes, needle)) {
            return Ok(Some(Found::Snapshot(name)));
        }
    }
    Ok(None)
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}
