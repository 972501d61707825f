//! The batches that share one write and one sync.

use std::{
    io,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    vec,
};

use sled::Batch;

use crate::{
    Seq,
    disk::{
        blobs, keys,
        marker::Mark,
        parts,
        reader::HASH,
        writer::{Job, Reply, Target},
    },
    log::{Error, Head, Stored, number},
};

/// A group takes no more batches once it has this many bytes: sled holds them all in memory.
const ENOUGH: usize = 8 << 20;

/// Who waits for a group, and for what.
#[derive(Debug)]
pub(super) enum Waiting {
    Append { range: Range<Seq>, reply: Arc<Reply<Range<Seq>>> },
    Snapshot { reply: Arc<Reply<()>> },
}

impl Waiting {
    pub fn confirm(self) {
        match self {
            Self::Append { range, reply } => reply.give(Ok(range)),
            Self::Snapshot { reply } => reply.give(Ok(())),
        }
    }

    pub fn fail(self, err: Error) {
        match self {
            Self::Append { reply, .. } => reply.give(Err(err)),
            Self::Snapshot { reply } => reply.give(Err(err)),
        }
    }
}

/// Why a group is not known to be durable.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the store failed: {0}")]
    Store(sled::Error),
    #[error("the store panicked: {0}")]
    Panic(String),
    #[error("the sync up to record {seq} failed: {err}")]
    Sync { seq: Seq, err: io::Error },
}

impl Failure {
    /// The error for one of those who waited.
    pub fn error(&self) -> Error {
        match self {
            Self::Store(err) => Error::Store { doing: "append to the log", err: err.clone() },
            Self::Panic(_) => Error::Poisoned { reason: self.to_string() },
            Self::Sync { seq, err } => Error::Sync { seq: *seq, err: io::Error::new(err.kind(), err.to_string()) },
        }
    }
}

/// Batches that are written together: all of them become durable, or none.
#[derive(Debug)]
pub(super) struct Group {
    /// All that is appended: atomic.
    batch: Batch,
    /// Each atomic by itself.
    snapshots: Vec<Batch>,
    before: Head,
    head: Head,
    pub waiting: Vec<Waiting>,
}

impl Group {
    /// Numbers as many of the batches as fit. One that cannot be numbered is refused by itself.
    pub fn gather(head: Head, jobs: &mut vec::IntoIter<Job>) -> Self {
        let waiting = Vec::with_capacity(jobs.len());
        let mut group = Self { batch: Batch::default(), snapshots: Vec::new(), before: head, head, waiting };
        let mut bytes = 0;
        while bytes < ENOUGH
            && let Some(job) = jobs.next()
        {
            match job {
                Job::Append { expected_first, entries, blobs, reply } => {
                    match number(group.head, expected_first, entries) {
                        Err(err) => reply.give(Err(err)),
                        Ok(numbered) => {
                            bytes += numbered.records.iter().map(|stored| stored.bytes.len()).sum::<usize>();
                            bytes += blobs.iter().map(blobs::Packed::len).sum::<usize>();
                            numbered.records.iter().for_each(|stored| put(&mut group.batch, stored));
                            blobs.iter().for_each(|blob| blobs::put(&mut group.batch, blob, numbered.first));
                            group.head = numbered.head;
                            let range = numbered.first..numbered.head.seq.next();
                            group.waiting.push(Waiting::Append { range, reply });
                        }
                    }
                }
                Job::Snapshot { batch, reply } => {
                    group.snapshots.push(batch);
                    bytes = ENOUGH; // a snapshot may be large: those behind it go with the next group
                    group.waiting.push(Waiting::Snapshot { reply });
                }
            }
        }
        group
    }

    /// Makes the group durable; tells where the log ends then.
    pub fn write(&mut self, target: &Target) -> Result<Head, Failure> {
        if self.waiting.is_empty() {
            return Ok(self.before);
        }
        let batches = [std::mem::take(&mut self.batch)].into_iter().chain(std::mem::take(&mut self.snapshots));
        // sled panics in places where it should return an error; whoever waits must hear of that as well.
        let applied = catch_unwind(AssertUnwindSafe(|| {
            batches.into_iter().try_for_each(|batch| target.db.apply_batch(batch))?;
            target.db.flush()
        }));
        match applied {
            Ok(Ok(_)) => {}
            Ok(Err(err)) => return Err(Failure::Store(err)),
            Err(panic) => return Err(Failure::Panic(panic_text(&panic))),
        }
        let sync_failed = |err| Failure::Sync { seq: self.head.seq, err };
        (target.sync)().map_err(sync_failed)?;
        let mark = Mark { seq: self.head.seq, hash: self.head.hash, epoch: target.epoch };
        target.marker.write(mark).map_err(sync_failed)?;
        Ok(self.head)
    }
}

fn put(batch: &mut Batch, stored: &Stored) {
    let mut value = Vec::with_capacity(HASH + stored.bytes.len());
    value.extend_from_slice(&stored.hash.0);
    value.extend_from_slice(&stored.bytes);
    parts::put(batch, &keys::record(stored.seq), &value);
}

/// What a panic said.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}
