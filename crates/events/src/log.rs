//! The log's promises, whatever holds it.
//!
//! ```text
//!   Batch ──append──> number, encode, chain ──> durable ──> Range<Seq>
//!                                                  │
//!        History: stored, scan, blob, snapshot <───┘
//! ```
//!
//! What every [`EventLog`] keeps to:
//! - [`EventLog::append`] returns when the batch is durable, and a batch is there whole or not at all.
//! - Records are numbered without gaps; their stamps never go back; each one's hash covers all before it.
//! - Readers see durable records only.
//! - After a failed sync nothing is appended any more: a retried sync may claim what is not so.
//! - Each opening has an epoch of its own, higher than all before, durable before the first append.

mod error;
mod find;
mod memory;
mod number;
mod owner;

use std::ops::Range;

use bincode::{Decode, Encode};

use crate::{Aggregate, BlobId, Cause, ChainHash, Epoch, Origin, Payload, Record, Seq, Stamp, Time, stored};

pub use error::{Damage, Error};
pub use find::{Found, find_bytes};
pub use memory::{MemoryLog, MemoryStore};
pub(crate) use number::number;
pub use owner::Owner;

/// The longest blob, before compression.
pub const MAX_BLOB: usize = 64 << 20;

/// How many snapshots of one decider version are kept: one, and one more in case it turns out damaged.
pub(crate) const SNAPSHOTS_KEPT: usize = 2;

/// Where a log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Number of the last record; 0 when there is none.
    pub seq: Seq,
    /// Its hash; [`ChainHash::GENESIS`] when there is none.
    pub hash: ChainHash,
    /// Its stamp.
    pub stamp: Stamp,
}

/// A record that the log numbers and stamps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What the wall clock shows.
    pub time: Time,
    /// Who writes it.
    pub origin: Origin,
    /// What it is about.
    pub aggregate: Option<Aggregate>,
    /// What led to it.
    pub cause: Cause,
    /// What it says.
    pub payload: Payload,
}

/// One record of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Numbered and stamped by its writer: it has to be the next one.
    Record(Record),
    /// Numbered and stamped by the log.
    Draft(Draft),
}

impl From<Record> for Entry {
    fn from(record: Record) -> Self {
        Self::Record(record)
    }
}

impl From<Draft> for Entry {
    fn from(draft: Draft) -> Self {
        Self::Draft(draft)
    }
}

/// What is appended together: all of it is durable, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The number that the first record has to get, for a writer that numbers its own: one more than the log's head,
    /// else nothing is appended. `None` leaves that to the log.
    pub expected_first: Option<Seq>,
    /// The records.
    pub records: Vec<Entry>,
    /// Objects that the records name by hash. Those that are there already cost nothing.
    pub blobs: Vec<Vec<u8>>,
}

impl Batch {
    /// A batch of one writer's own records, which start where the log ends.
    pub fn of_records(records: Vec<Record>, blobs: Vec<Vec<u8>>) -> Self {
        let expected_first = records.first().map(|record| record.seq);
        Self { expected_first, records: records.into_iter().map(Entry::Record).collect(), blobs }
    }

    /// A batch of records that the log numbers.
    pub fn of_drafts(drafts: impl IntoIterator<Item = Draft>) -> Self {
        Self { expected_first: None, records: drafts.into_iter().map(Entry::Draft).collect(), blobs: Vec::new() }
    }
}

/// A record as it is kept: bytes that never change, whatever becomes of [`Record`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub seq: Seq,
    /// Its bytes; see [`stored`].
    pub bytes: Vec<u8>,
    /// Its hash.
    pub hash: ChainHash,
}

impl Stored {
    /// The record, checked to bear its own number.
    ///
    /// # Errors
    /// [`Error::Damaged`] or [`Error::TooNew`].
    pub fn record(&self) -> Result<Record, Error> {
        let record = stored::decode(&self.bytes).map_err(|err| Error::undecodable(self.seq, err))?;
        if record.seq == self.seq {
            Ok(record)
        } else {
            Err(Error::Damaged { seq: self.seq, damage: Damage::Misplaced { found: record.seq } })
        }
    }

    /// Whether its hash follows from the one before it.
    pub fn follows(&self, before: ChainHash) -> bool {
        before.then(&self.bytes) == self.hash
    }
}

/// Which snapshot: of which deciders' state, after which record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct SnapshotName {
    /// The last record folded into it.
    pub seq: Seq,
    /// Version of the deciders whose state it is.
    pub decider: u32,
}

/// A projected state, as saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last record folded into it.
    pub seq: Seq,
    /// Hash of that record: a snapshot of another past is recognised by it.
    pub hash: ChainHash,
    /// Version of the deciders whose state it is.
    pub decider: u32,
    /// The state, in a form that only the projector knows.
    pub bytes: Vec<u8>,
}

/// Stored records in order. After an error it ends.
pub type StoredIter<'a> = Box<dyn Iterator<Item = Result<Stored, Error>> + Send + 'a>;

/// Records and their hashes in order. After an error it ends.
pub type RecordIter<'a> = Box<dyn Iterator<Item = Result<(Record, ChainHash), Error>> + Send + 'a>;

/// What can be read: a log, or a capture of one.
pub trait History: Send + Sync {
    /// What stands before the first record held: [`Head::default`], unless older records live elsewhere.
    fn base(&self) -> Head;

    /// The last durable record.
    fn head(&self) -> Head;

    /// Stored records from number `from` to the head that the log has now. Each one's hash is checked against the one
    /// before it.
    fn stored(&self, from: Seq) -> StoredIter<'_>;

    /// An object by its hash; `None` when it is not held.
    ///
    /// # Errors
    /// [`Error::DamagedBlob`], or when it cannot be read.
    fn blob(&self, id: BlobId) -> Result<Option<Vec<u8>>, Error>;

    /// The objects held, with the number of the record that each came with, by id.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn blobs(&self) -> Result<Vec<(BlobId, Seq)>, Error>;

    /// The snapshots held, oldest first.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn snapshots(&self) -> Result<Vec<SnapshotName>, Error>;

    /// One snapshot; `None` when it is not held or is damaged, since a state can always be folded anew.
    ///
    /// # Errors
    /// When it cannot be read.
    fn snapshot(&self, name: SnapshotName) -> Result<Option<Snapshot>, Error>;

    /// Records from number `from` to the head that the log has now, decoded; checked as [`History::stored`] does.
    fn scan(&self, from: Seq) -> RecordIter<'_> {
        let mut ended = false;
        Box::new(self.stored(from).map_while(move |stored| {
            if ended {
                return None;
            }
            let record = stored.and_then(|stored| Ok((stored.record()?, stored.hash)));
            ended = record.is_err();
            Some(record)
        }))
    }

    /// The newest usable snapshot of these deciders' state. Those that are damaged, ahead of the log, or of a past
    /// that the log does not have are passed over.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn latest_snapshot(&self, decider: u32) -> Result<Option<Snapshot>, Error> {
        let (base, head) = (self.base(), self.head());
        for name in self.snapshots()?.into_iter().rev() {
            if name.decider != decider || name.seq > head.seq || name.seq < base.seq {
                continue;
            }
            let Some(snapshot) = self.snapshot(name)? else { continue };
            let hash = if name.seq == base.seq {
                Some(base.hash)
            } else {
                self.stored(name.seq).next().transpose()?.map(|stored| stored.hash)
            };
            if hash == Some(snapshot.hash) {
                return Ok(Some(snapshot));
            }
        }
        Ok(None)
    }

    /// Reads everything: the chain, each record, each blob. Returns how many records and blobs there are.
    ///
    /// # Errors
    /// The first damage met.
    fn verify(&self) -> Result<Verified, Error> {
        let mut verified = Verified::default();
        for record in self.scan(self.base().seq.next()) {
            record?;
            verified.records += 1;
        }
        for (id, _) in self.blobs()? {
            self.blob(id)?;
            verified.blobs += 1;
        }
        Ok(verified)
    }
}

/// What [`History::verify`] looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Records whose bytes, number and hash are right.
    pub records: u64,
    /// Blobs whose bytes have the hash that names them.
    pub blobs: u64,
}

/// The durable, append-only log of one operator.
pub trait EventLog: History {
    /// The epoch of this opening.
    fn epoch(&self) -> Epoch;

    /// Appends a batch and blocks until it is durable; batches of concurrent callers share a sync. Returns the
    /// numbers given.
    ///
    /// # Errors
    /// [`Error::NotNext`], [`Error::StampWentBack`], [`Error::TooLarge`]: the batch is refused, the log goes on.
    /// Anything else: it is unknown whether the batch is durable, and the log takes no more.
    fn append(&self, batch: Batch) -> Result<Range<Seq>, Error>;

    /// Keeps the state that follows from the records up to `seq`. A snapshot that is not whole after a crash is as if
    /// it was never saved. Only the newest two of each decider version are kept.
    ///
    /// # Errors
    /// [`Error::NoSuchRecord`] when the log does not hold `seq`; else as [`EventLog::append`].
    fn save_snapshot(&self, seq: Seq, decider: u32, bytes: &[u8]) -> Result<(), Error>;
}
