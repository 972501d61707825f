//! States among the records of a capture.

use crate::{
    ChainHash, Record, Seq,
    capture::{PLAIN, frame},
    disk::packed,
    log::{Snapshot, SnapshotName},
    stored,
};

/// Records from one milestone to the next, at least.
const RECORDS: u64 = 16_384;

/// Bytes of records from one milestone to the next, at least, for each byte of the milestone: what they add to a file is a
/// tenth of it at most.
const SHARE: u64 = 10;

/// The largest frame of a state.
pub(super) const MAX_SNAPSHOT: usize = 1 << 30;

/// Bytes before the packed state: version of the deciders (4, little endian), hash of the record (32).
pub(super) const LEAD: usize = 4 + 32;

/// Folds the records of a log into a state, and puts that into the form in which it is saved.
pub trait Fold {
    /// Version of the deciders whose state it is.
    fn decider(&self) -> u32;

    /// Takes the next record.
    fn apply(&mut self, record: &Record);

    /// The state after the records so far.
    fn state(&self) -> Vec<u8>;
}

/// When the next milestone is due: often enough to fold little, and seldom enough to stay small beside the records.
#[derive(Default)]
pub(super) struct Pace {
    records: u64,
    bytes: u64,
    last: u64,
}

impl Pace {
    /// A record of so many bytes was written.
    pub fn record(&mut self, bytes: usize) {
        self.records += 1;
        self.bytes += bytes as u64;
    }

    /// Whether enough came since the last milestone.
    pub fn is_due(&self) -> bool {
        self.records >= RECORDS && self.bytes >= SHARE.saturating_mul(self.last)
    }

    /// A milestone of so many bytes was written.
    pub fn milestone(&mut self, bytes: usize) {
        *self = Self { records: 0, bytes: 0, last: bytes as u64 };
    }
}

/// The contents of a milestone's frame.
pub(super) fn contents(decider: u32, hash: ChainHash, state: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut contents = decider.to_le_bytes().to_vec();
    contents.extend_from_slice(&hash.0);
    contents.extend(packed::pack(state)?);
    Ok(contents)
}

/// What a milestone's frame after record `seq` says before its state: whose it is, and the hash of that record.
pub(super) fn named(seq: Seq, contents: &[u8]) -> Option<(SnapshotName, ChainHash)> {
    let (decider, rest) = contents.split_first_chunk::<4>()?;
    let (hash, _) = rest.split_first_chunk::<32>()?;
    Some((SnapshotName { seq, decider: u32::from_le_bytes(*decider) }, ChainHash(*hash)))
}

/// The state in a milestone's frame after record `seq`, of no more than `limit` bytes.
pub(super) fn unpacked(seq: Seq, contents: &[u8], limit: usize) -> Option<Snapshot> {
    let (name, hash) = named(seq, contents)?;
    let bytes = packed::unpack(contents.get(LEAD..)?, limit)?;
    Some(Snapshot { seq, hash, decider: name.decider, bytes })
}

/// The frames that there are between blobs and trailer, with their longest contents.
pub(super) fn kinds(version: u32) -> &'static [(u8, usize)] {
    let all = &[(frame::RECORD, stored::MAX_RECORD), (frame::MILESTONE, MAX_SNAPSHOT)];
    if version == PLAIN { &all[..1] } else { all }
}
