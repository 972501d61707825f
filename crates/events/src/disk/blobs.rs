//! Objects by content: BLAKE3 of the bytes names them, zstd keeps them small.
//!
//! Value: number of the record that the blob came with (8 bytes, little endian), then the packed bytes.

use sled::{Batch, Tree};

use crate::{
    BlobId, Seq,
    disk::{keys, packed, parts},
    log::{self, Error, MAX_BLOB},
};

fn failed(err: sled::Error) -> Error {
    Error::Store { doing: "read blobs", err }
}

/// A blob that is ready to be stored.
#[derive(Debug)]
pub(super) struct Packed {
    id: BlobId,
    bytes: Vec<u8>,
}

impl Packed {
    /// Its size as it is stored.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// Packs those blobs that the store does not have yet.
pub(super) fn pack(tree: &Tree, blobs: Vec<Vec<u8>>) -> Result<Vec<Packed>, Error> {
    let mut new = Vec::with_capacity(blobs.len());
    for (id, blob) in log::Batch::named_blobs(blobs)? {
        if parts::first(tree, &keys::blob(id)).map_err(failed)?.is_none() {
            let bytes = packed::pack(&blob).map_err(|_| Error::BlobTooLarge { bytes: blob.len() })?;
            new.push(Packed { id, bytes });
        }
    }
    Ok(new)
}

/// Adds a blob that comes with record `seq`.
pub(super) fn put(batch: &mut Batch, blob: &Packed, seq: Seq) {
    let mut value = seq.0.to_le_bytes().to_vec();
    value.extend_from_slice(&blob.bytes);
    parts::put(batch, &keys::blob(blob.id), &value);
}

/// Reads a blob and checks it against its name.
pub(super) fn get(tree: &Tree, id: BlobId) -> Result<Option<Vec<u8>>, Error> {
    let Some(value) = parts::get(tree, &keys::blob(id)).map_err(failed)? else { return Ok(None) };
    let blob = value.get(8..).and_then(|packed| packed::unpack(packed, MAX_BLOB));
    blob.filter(|blob| BlobId::of(blob) == id).map(Some).ok_or(Error::DamagedBlob { id })
}

/// The blobs and the records that they came with.
pub(super) fn list(tree: &Tree) -> Result<Vec<(BlobId, Seq)>, Error> {
    let mut blobs: Vec<(BlobId, Seq)> = Vec::new();
    for entry in tree.scan_prefix([keys::BLOB]) {
        let (key, value) = entry.map_err(failed)?;
        let Some(id) = keys::blob_id(&key) else { continue };
        if blobs.last().is_some_and(|(last, _)| *last == id) {
            continue;
        }
        let seq = value.first_chunk::<8>().map_or(Seq(0), |seq| Seq(u64::from_le_bytes(*seq)));
        blobs.push((id, seq));
    }
    Ok(blobs)
}
