//! Records from the store, in order.

use sled::{IVec, Tree};

use crate::{
    ChainHash, Seq,
    disk::{keys, parts},
    log::{Damage, Error, Stored},
};

/// Bytes of the hash that stands before a record's own bytes.
pub(super) const HASH: usize = 32;

fn failed(err: sled::Error) -> Error {
    Error::Store { doing: "read records", err }
}

/// The value of a record, as the store has it: hash, then bytes.
#[derive(Debug)]
pub(super) struct Raw {
    pub seq: Seq,
    pub value: Vec<u8>,
}

impl Raw {
    /// The hash and the bytes; `None` when not even the hash is whole.
    pub fn split(&self) -> Option<(ChainHash, &[u8])> {
        let (hash, bytes) = self.value.split_first_chunk::<HASH>()?;
        Some((ChainHash(*hash), bytes))
    }

    /// The record, unchecked.
    pub fn stored(&self) -> Option<Stored> {
        self.split().map(|(hash, bytes)| Stored { seq: self.seq, bytes: bytes.to_vec(), hash })
    }
}

/// Whatever the store has under record keys, whole or not, from one number on.
pub(super) struct Raws {
    entries: sled::Iter,
    ahead: Option<(Seq, IVec)>,
}

impl Raws {
    pub fn new(tree: &Tree, from: Seq) -> Self {
        let end = parts::after(&[keys::RECORD]);
        Self { entries: tree.range(keys::record(from).to_vec()..end), ahead: None }
    }

    fn entry(&mut self) -> Option<Result<(Seq, IVec), Error>> {
        if let Some(ahead) = self.ahead.take() {
            return Some(Ok(ahead));
        }
        loop {
            match self.entries.next()? {
                Err(err) => return Some(Err(failed(err))),
                Ok((key, part)) => {
                    if let Some(seq) = keys::record_seq(&key) {
                        return Some(Ok((seq, part)));
                    }
                }
            }
        }
    }
}

impl Iterator for Raws {
    type Item = Result<Raw, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (seq, first) = match self.entry()? {
            Ok(entry) => entry,
            Err(err) => return Some(Err(err)),
        };
        let mut value = first.to_vec();
        loop {
            match self.entry() {
                None => break,
                Some(Err(err)) => return Some(Err(err)),
                Some(Ok((next, part))) if next == seq => value.extend_from_slice(&part),
                Some(Ok(other)) => {
                    self.ahead = Some(other);
                    break;
                }
            }
        }
        Some(Ok(Raw { seq, value }))
    }
}

/// Records from one number to another, each checked against the one before it.
pub(super) struct Records {
    raws: Raws,
    next: Seq,
    last: Seq,
    before: ChainHash,
    ended: bool,
}

impl Records {
    pub fn new(tree: &Tree, from: Seq, last: Seq) -> Result<Self, Error> {
        let from = from.max(Seq(1));
        let before = Seq(from.0 - 1);
        let hash = match hash_of(tree, before)? {
            Some(hash) => hash,
            None if from > last => ChainHash::GENESIS, // nothing will be read
            None => return Err(Error::Damaged { seq: before, damage: Damage::Missing }),
        };
        Ok(Self { raws: Raws::new(tree, from), next: from, last, before: hash, ended: from > last })
    }

    fn read(&mut self) -> Result<Stored, Error> {
        let seq = self.next;
        let damaged = |damage| Error::Damaged { seq, damage };
        let raw = self.raws.next().transpose()?.filter(|raw| raw.seq == seq).ok_or_else(|| damaged(Damage::Missing))?;
        let (hash, bytes) = raw.split().ok_or_else(|| damaged(Damage::Hash))?;
        if self.before.then(bytes) != hash {
            return Err(damaged(Damage::Hash));
        }
        self.before = hash;
        self.next = seq.next();
        self.ended = self.next > self.last;
        let mut bytes = raw.value;
        bytes.drain(..HASH);
        Ok(Stored { seq, bytes, hash })
    }
}

impl Iterator for Records {
    type Item = Result<Stored, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.read();
        self.ended |= record.is_err();
        Some(record)
    }
}

/// The hash stored with a record; that of "nothing" for number 0; `None` when there is no such record.
pub(super) fn hash_of(tree: &Tree, seq: Seq) -> Result<Option<ChainHash>, Error> {
    if seq == Seq(0) {
        return Ok(Some(ChainHash::GENESIS));
    }
    let part = parts::first(tree, &keys::record(seq)).map_err(failed)?;
    Ok(part.and_then(|part| part.first_chunk::<HASH>().map(|hash| ChainHash(*hash))))
}

/// One record, unchecked.
pub(super) fn raw(tree: &Tree, seq: Seq) -> Result<Option<Raw>, Error> {
    let value = parts::get(tree, &keys::record(seq)).map_err(failed)?;
    Ok(value.map(|value| Raw { seq, value }))
}
