//! A log in memory, with an unsynced tail to lose: what simulations and tests run on.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    BlobId, ChainHash, Epoch, Seq,
    log::{Batch, Damage, Error, EventLog, Head, History, Snapshot, SnapshotName, Stored, StoredIter, number},
};

/// What stays when a [`MemoryLog`] is closed or its process "crashes": the disk, so to speak. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    records: Vec<Stored>,
    /// The head after each batch that is not synced yet, oldest first. Empty when all is durable.
    unsynced: Vec<Unsynced>,
    synced: Head,
    head: Head,
    blobs: BTreeMap<BlobId, (Seq, Arc<[u8]>)>,
    snapshots: BTreeMap<SnapshotName, Snapshot>,
    epoch: Epoch,
    lazy: bool,
    sync_fails: bool,
    poisoned: bool,
}

#[derive(Debug)]
struct Unsynced {
    head: Head,
    blobs: Vec<BlobId>,
}

impl Disk {
    fn sync(&mut self) -> Result<(), Error> {
        if self.sync_fails {
            self.poisoned = true;
            return Err(Error::Sync { seq: self.head.seq, err: std::io::Error::other("the disk was told to fail") });
        }
        self.unsynced.clear();
        self.synced = self.head;
        Ok(())
    }

    /// Where readers see the log end: a lazy disk pretends that all is durable.
    fn visible(&self) -> Head {
        if self.lazy { self.head } else { self.synced }
    }

    fn cut_to(&mut self, batches: usize) {
        for lost in self.unsynced.drain(batches.min(self.unsynced.len())..) {
            for id in lost.blobs {
                self.blobs.remove(&id);
            }
        }
        self.head = self.unsynced.last().map_or(self.synced, |batch| batch.head);
        self.unsynced.clear();
        self.synced = self.head;
        let head = self.head.seq;
        self.records.truncate(usize::try_from(head.0).unwrap_or(usize::MAX));
        self.snapshots.retain(|name, _| name.seq <= head);
    }
}

impl MemoryStore {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on appends return before they are durable, until [`MemoryStore::sync`] or a later eager append: a tail
    /// to lose builds up. Readers see it.
    pub fn set_lazy(&self, lazy: bool) {
        self.lock().lazy = lazy;
    }

    /// From now on each sync fails, as on a full or broken volume.
    pub fn set_sync_fails(&self, fails: bool) {
        self.lock().sync_fails = fails;
    }

    /// Makes all durable.
    ///
    /// # Errors
    /// [`Error::Sync`] when it was told to.
    pub fn sync(&self) -> Result<(), Error> {
        self.lock().sync()
    }

    /// How many batches a crash could lose.
    pub fn unsynced_batches(&self) -> usize {
        self.lock().unsynced.len()
    }

    /// The process dies, or the machine does: of the batches that were not synced, only the first `surviving` made it
    /// to the disk. Logs that are open on it are over; open a new one.
    pub fn crash(&self, surviving: usize) {
        let mut disk = self.lock();
        disk.cut_to(surviving);
        disk.epoch = Epoch(disk.epoch.0 + 1);
        disk.poisoned = false;
    }

    /// Changes the stored bytes of a record behind the log's back.
    pub fn tamper(&self, seq: Seq, change: impl FnOnce(&mut Stored)) {
        let mut disk = self.lock();
        if let Some(stored) = index_of(seq).and_then(|index| disk.records.get_mut(index)) {
            change(stored);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Record `seq` is at this place of the list.
fn index_of(seq: Seq) -> Option<usize> {
    usize::try_from(seq.0.checked_sub(1)?).ok()
}

/// A log in memory.
#[derive(Debug)]
pub struct MemoryLog {
    store: MemoryStore,
    epoch: Epoch,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::open(&MemoryStore::new())
    }
}

impl MemoryLog {
    /// Opens what is in `store`, under a new epoch, and makes it durable. A log that is open on it already is over.
    pub fn open(store: &MemoryStore) -> Self {
        let mut disk = store.lock();
        disk.cut_to(usize::MAX);
        disk.epoch = Epoch(disk.epoch.0 + 1);
        disk.poisoned = false;
        let epoch = disk.epoch;
        drop(disk);
        Self { store: store.clone(), epoch }
    }

    fn writable(&self) -> Result<MutexGuard<'_, Disk>, Error> {
        let disk = self.store.lock();
        if disk.epoch != self.epoch {
            return Err(Error::Fenced { own: self.epoch, by: disk.epoch });
        }
        if disk.poisoned {
            return Err(Error::Poisoned { reason: "an earlier sync failed".to_owned() });
        }
        Ok(disk)
    }
}

impl History for MemoryLog {
    fn base(&self) -> Head {
        Head::default()
    }

    fn head(&self) -> Head {
        self.store.lock().visible()
    }

    fn stored(&self, from: Seq) -> StoredIter<'_> {
        let from = from.max(Seq(1));
        let disk = self.store.lock();
        let end = disk.visible().seq;
        let before = Seq(from.0 - 1);
        let mut before = match index_of(before) {
            None => Some(ChainHash::GENESIS),
            Some(index) => disk.records.get(index).map(|stored| stored.hash),
        };
        drop(disk);
        let mut next = from;
        Box::new(std::iter::from_fn(move || {
            let last = before.take()?;
            if next > end {
                return None;
            }
            let stored = index_of(next).and_then(|index| self.store.lock().records.get(index).cloned());
            let seq = next;
            next = next.next();
            Some(match stored {
                None => Err(Error::Damaged { seq, damage: Damage::Missing }),
                Some(stored) if !stored.follows(last) => Err(Error::Damaged { seq, damage: Damage::Hash }),
                Some(stored) => {
                    before = Some(stored.hash);
                    Ok(stored)
                }
            })
        }))
    }

    fn blob(&self, id: BlobId) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.store.lock().blobs.get(&id).map(|(_, blob)| blob.to_vec()))
    }

    fn blobs(&self) -> Result<Vec<(BlobId, Seq)>, Error> {
        Ok(self.store.lock().blobs.iter().map(|(id, (seq, _))| (*id, *seq)).collect())
    }

    fn snapshots(&self) -> Result<Vec<SnapshotName>, Error> {
        Ok(self.store.lock().snapshots.keys().copied().collect())
    }

    fn snapshot(&self, name: SnapshotName) -> Result<Option<Snapshot>, Error> {
        Ok(self.store.lock().snapshots.get(&name).cloned())
    }
}

impl EventLog for MemoryLog {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn append(&self, batch: Batch) -> Result<Range<Seq>, Error> {
        let blobs = Batch::named_blobs(batch.blobs)?;
        let mut disk = self.writable()?;
        let numbered = number(disk.head, batch.expected_first, batch.records)?;
        let mut new_blobs = Vec::new();
        for (id, blob) in blobs {
            disk.blobs.entry(id).or_insert_with(|| {
                new_blobs.push(id);
                (numbered.first, blob.into())
            });
        }
        disk.records.extend(numbered.records);
        disk.head = numbered.head;
        disk.unsynced.push(Unsynced { head: numbered.head, blobs: new_blobs });
        if !disk.lazy {
            disk.sync()?;
        }
        Ok(numbered.first..numbered.head.seq.next())
    }

    fn save_snapshot(&self, seq: Seq, decider: u32, bytes: &[u8]) -> Result<(), Error> {
        let mut disk = self.writable()?;
        let hash = match index_of(seq) {
            None => ChainHash::GENESIS,
            Some(index) => disk.records.get(index).ok_or(Error::NoSuchRecord { seq })?.hash,
        };
        let snapshot = Snapshot { seq, hash, decider, bytes: bytes.to_vec() };
        disk.snapshots.insert(SnapshotName { seq, decider }, snapshot);
        let same: Vec<_> = disk.snapshots.keys().filter(|name| name.decider == decider).copied().collect();
        for old in same.iter().rev().skip(super::SNAPSHOTS_KEPT) {
            disk.snapshots.remove(old);
        }
        Ok(())
    }
}
