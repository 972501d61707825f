//! Keys of the store. Numbers are big-endian, so that keys sort as numbers do; the last two bytes number the parts of a
//! value.

use crate::{BlobId, Seq, log::SnapshotName};

/// Records: `r`, number, part.
pub(super) const RECORD: u8 = b'r';
/// Blobs: `b`, id, part.
pub(super) const BLOB: u8 = b'b';
/// Snapshots: `s`, number of the last record, decider version, part.
pub(super) const SNAPSHOT: u8 = b's';

/// What the log knows of itself: format version.
pub(super) const FORMAT: &[u8] = b"mformat";
/// What the log knows of itself: whose it is.
pub(super) const OWNER: &[u8] = b"mowner";
/// What the log knows of itself: the epoch gained last.
pub(super) const EPOCH: &[u8] = b"mepoch";

/// The key of a record, without part.
pub(super) fn record(seq: Seq) -> [u8; 9] {
    let mut key = [RECORD; 9];
    key[1..].copy_from_slice(&seq.0.to_be_bytes());
    key
}

/// The number in a record's key.
pub(super) fn record_seq(key: &[u8]) -> Option<Seq> {
    let number = key.strip_prefix(&[RECORD])?.get(..8)?;
    Some(Seq(u64::from_be_bytes(number.try_into().ok()?)))
}

/// The key of a blob, without part.
pub(super) fn blob(id: BlobId) -> [u8; 33] {
    let mut key = [BLOB; 33];
    key[1..].copy_from_slice(&id.0);
    key
}

/// The id in a blob's key.
pub(super) fn blob_id(key: &[u8]) -> Option<BlobId> {
    let id = key.strip_prefix(&[BLOB])?.get(..32)?;
    Some(BlobId(id.try_into().ok()?))
}

/// The key of a snapshot, without part.
pub(super) fn snapshot(name: SnapshotName) -> [u8; 13] {
    let mut key = [SNAPSHOT; 13];
    key[1..9].copy_from_slice(&name.seq.0.to_be_bytes());
    key[9..].copy_from_slice(&name.decider.to_be_bytes());
    key
}

/// The name in a snapshot's key.
pub(super) fn snapshot_name(key: &[u8]) -> Option<SnapshotName> {
    let rest = key.strip_prefix(&[SNAPSHOT])?;
    let seq = Seq(u64::from_be_bytes(rest.get(..8)?.try_into().ok()?));
    let decider = u32::from_be_bytes(rest.get(8..12)?.try_into().ok()?);
    Some(SnapshotName { seq, decider })
}
