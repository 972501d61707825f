//! The last acknowledged record, in a small file beside the store.
//!
//! It is written after each sync and is not synced itself. So it never runs ahead of what is durable, and a process
//! that is killed leaves it exact. If it knows of a record that the store does not have, acknowledged records were
//! lost; if it knows another hash, they were replaced.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
};

use crate::{
    BlobId, ChainHash, Epoch, Seq,
    disk::directory::{self, failed},
    log::Error,
};

const SIZE: usize = 64;
const CONTENT: usize = 48;

/// What the marker says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The last acknowledged record.
    pub seq: Seq,
    /// Its hash.
    pub hash: ChainHash,
    /// The epoch of whoever wrote the mark.
    pub epoch: Epoch,
}

impl Mark {
    fn encode(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&self.seq.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.epoch.0.to_le_bytes());
        bytes[16..CONTENT].copy_from_slice(&self.hash.0);
        let check = BlobId::of(&bytes[..CONTENT]);
        bytes[CONTENT..].copy_from_slice(&check.0[..SIZE - CONTENT]);
        bytes
    }

    fn decode(bytes: &[u8; SIZE]) -> Option<Self> {
        let (seq, rest) = bytes.split_first_chunk::<8>()?;
        let (epoch, rest) = rest.split_first_chunk::<8>()?;
        let hash = rest.first_chunk::<32>()?;
        let mark = Self {
            seq: Seq(u64::from_le_bytes(*seq)),
            hash: ChainHash(*hash),
            epoch: Epoch(u64::from_le_bytes(*epoch)),
        };
        (mark.encode() == *bytes).then_some(mark)
    }
}

/// The file.
#[derive(Debug)]
pub(super) struct Marker {
    file: File,
}

impl Marker {
    /// Opens the marker of the log in `dir` for writing.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let path = directory::head(dir);
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        Ok(Self { file: file.map_err(failed("open", &path))? })
    }

    /// Writes it; whether that ever reaches the disk does not matter.
    pub fn write(&self, mark: Mark) -> std::io::Result<()> {
        self.file.write_all_at(&mark.encode(), 0)
    }

    /// Makes it durable.
    pub fn sync(&self) -> std::io::Result<()> {
        self.file.sync_data()
    }
}

/// What the marker of the log in `dir` says; `None` when there is none or it is not whole.
pub(super) fn read(dir: &Path) -> Option<Mark> {
    let bytes = std::fs::read(directory::head(dir)).ok()?;
    Mark::decode(bytes.first_chunk::<SIZE>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_with_a_flipped_bit_is_no_mark() {
        let mark = Mark { seq: Seq(7), hash: ChainHash::GENESIS.then(b"x"), epoch: Epoch(3) };
        assert_eq!(Mark::decode(&mark.encode()), Some(mark));
        for bit in 0..SIZE * 8 {
            let mut bytes = mark.encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Mark::decode(&bytes), None, "bit {bit}");
        }
    }
}
