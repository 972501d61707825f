//! Saved states.
//!
//! Value: BLAKE3 of everything that follows, the hash of the last record folded in, then the packed state.

use sled::{Batch, Tree};

use crate::{
    BlobId, ChainHash, Seq,
    disk::{keys, packed, parts},
    log::{Error, SNAPSHOTS_KEPT, Snapshot, SnapshotName},
};

/// The largest state, before compression.
const MAX_STATE: usize = 1 << 30;

fn failed(err: sled::Error) -> Error {
    Error::Store { doing: "read snapshots", err }
}

/// A snapshot that is ready to be stored, together with the removal of those that it makes superfluous.
pub(super) fn pack(tree: &Tree, seq: Seq, decider: u32, hash: ChainHash, state: &[u8]) -> Result<Batch, Error> {
    let too_large = || Error::SnapshotTooLarge { bytes: state.len() };
    let packed = packed::pack(state).map_err(|_| too_large())?;
    if state.len() > MAX_STATE || packed.len() + 64 > parts::MAX {
        return Err(too_large());
    }
    let mut content = hash.0.to_vec();
    content.extend(packed);
    let mut value = BlobId::of(&content).0.to_vec();
    value.extend(content);

    let name = SnapshotName { seq, decider };
    let mut names = list(tree)?;
    names.retain(|old| old.decider == decider && *old != name);
    let mut batch = Batch::default();
    for old in names.iter().rev().skip(SNAPSHOTS_KEPT - 1) {
        parts::remove(tree, &mut batch, &keys::snapshot(*old)).map_err(failed)?;
    }
    parts::remove(tree, &mut batch, &keys::snapshot(name)).map_err(failed)?;
    parts::put(&mut batch, &keys::snapshot(name), &value);
    Ok(batch)
}

/// The snapshots held, oldest first.
pub(super) fn list(tree: &Tree) -> Result<Vec<SnapshotName>, Error> {
    let mut names: Vec<SnapshotName> = Vec::new();
    for key in tree.scan_prefix([keys::SNAPSHOT]).keys() {
        let key = key.map_err(failed)?;
        if let Some(name) = keys::snapshot_name(&key).filter(|name| names.last() != Some(name)) {
            names.push(name);
        }
    }
    Ok(names)
}

/// One snapshot; `None` when it is absent or damaged.
pub(super) fn get(tree: &Tree, name: SnapshotName) -> Result<Option<Snapshot>, Error> {
    Ok(parts::get(tree, &keys::snapshot(name)).map_err(failed)?.and_then(|value| unpack(name, &value)))
}

fn unpack(name: SnapshotName, value: &[u8]) -> Option<Snapshot> {
    let (digest, content) = value.split_first_chunk::<32>()?;
    if BlobId::of(content).0 != *digest {
        return None;
    }
    let (hash, packed) = content.split_first_chunk::<32>()?;
    let bytes = packed::unpack(packed, MAX_STATE)?;
    Some(Snapshot { seq: name.seq, hash: ChainHash(*hash), decider: name.decider, bytes })
}
