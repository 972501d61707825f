//! A log whose process dies right after a command became durable, before anybody acted on it.

use std::ops::Range;

use ramen_events::{
    BlobId, Epoch, Payload, Seq,
    log::{Batch, Entry, Error, EventLog, Head, History, MemoryLog, Snapshot, SnapshotName, StoredIter},
};

pub struct DyingLog(pub MemoryLog);

impl History for DyingLog {
    fn base(&self) -> Head {
        self.0.base()
    }

    fn head(&self) -> Head {
        self.0.head()
    }

    fn stored(&self, from: Seq) -> StoredIter<'_> {
        self.0.stored(from)
    }

    fn blob(&self, id: BlobId) -> Result<Option<Vec<u8>>, Error> {
        self.0.blob(id)
    }

    fn blobs(&self) -> Result<Vec<(BlobId, Seq)>, Error> {
        self.0.blobs()
    }

    fn snapshots(&self) -> Result<Vec<SnapshotName>, Error> {
        self.0.snapshots()
    }

    fn snapshot(&self, name: SnapshotName) -> Result<Option<Snapshot>, Error> {
        self.0.snapshot(name)
    }
}

impl EventLog for DyingLog {
    fn epoch(&self) -> Epoch {
        self.0.epoch()
    }

    fn append(&self, batch: Batch) -> Result<Range<Seq>, Error> {
        let commands = batch
            .records
            .iter()
            .any(|entry| matches!(entry, Entry::Record(record) if matches!(record.payload, Payload::Commanded { .. })));
        let appended = self.0.append(batch)?;
        if commands { Err(Error::Poisoned { reason: "the process died".to_owned() }) } else { Ok(appended) }
    }

    fn save_snapshot(&self, seq: Seq, decider: u32, bytes: &[u8]) -> Result<(), Error> {
        self.0.save_snapshot(seq, decider, bytes)
    }
}
