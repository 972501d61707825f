//! Values in parts.
//!
//! sled moves values above some size out into files that it never syncs. A leaf of the tree with several large values
//! is such a value. So no value here is larger than [`PART`], and what is larger is cut.

use sled::{IVec, Tree};

/// The largest value. A leaf has some twenty, and the limit for a page is 128 KiB.
pub(super) const PART: usize = 4096;

/// The longest value in parts.
pub(super) const MAX: usize = PART * (u16::MAX as usize);

/// Adds a value, in as many parts as it takes.
pub(super) fn put(batch: &mut sled::Batch, key: &[u8], value: &[u8]) {
    let mut part_key = [key, &[0, 0]].concat();
    if value.len() <= PART {
        batch.insert(part_key, value);
        return;
    }
    for (index, part) in (0_u16..).zip(value.chunks(PART)) {
        part_key.truncate(key.len());
        part_key.extend_from_slice(&index.to_be_bytes());
        batch.insert(part_key.as_slice(), part);
    }
}

/// Reads a value; `None` when it has no part. A value with missing parts comes as what is left of it: all values carry
/// digests.
pub(super) fn get(tree: &Tree, key: &[u8]) -> sled::Result<Option<Vec<u8>>> {
    let mut value: Option<Vec<u8>> = None;
    for part in tree.scan_prefix(key) {
        let (_, part) = part?;
        value.get_or_insert_default().extend_from_slice(&part);
    }
    Ok(value)
}

/// The first part of a value.
pub(super) fn first(tree: &Tree, key: &[u8]) -> sled::Result<Option<IVec>> {
    tree.scan_prefix(key).next().transpose().map(|entry| entry.map(|(_, part)| part))
}

/// Removes a value.
pub(super) fn remove(tree: &Tree, batch: &mut sled::Batch, key: &[u8]) -> sled::Result<()> {
    for part in tree.scan_prefix(key).keys() {
        batch.remove(part?);
    }
    Ok(())
}

/// The first key after all that start with `prefix`, which must not be all ones.
pub(super) fn after(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            break;
        }
    }
    end
}
