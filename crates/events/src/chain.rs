//! The hash chain: each record's hash covers its bytes and the hash of the record before it.

use std::fmt;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::BlobId;

/// BLAKE3 hash of a record and of everything before it. Two logs with the same hash at the same position are the same
/// up to there.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct ChainHash(pub [u8; 32]);

impl ChainHash {
    /// What stands before the first record of a log.
    pub const GENESIS: Self = Self([0; 32]);

    /// The hash of the record with these stored `bytes`, which comes after the record with this hash.
    #[must_use]
    pub fn then(&self, bytes: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        hasher.update(bytes);
        Self(*hasher.finalize().as_bytes())
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        BlobId(self.0).fmt(f)
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainHash({self})")
    }
}

impl Serialize for ChainHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        BlobId(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ChainHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BlobId::deserialize(deserializer).map(|id| Self(id.0))
    }
}
