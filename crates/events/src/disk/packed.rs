//! Compressed bytes with their length, so that unpacking is bounded.

use std::io::Read;

/// zstd at its default level: PVs and states are text, and shrink five to ten times.
const LEVEL: i32 = 3;

/// Packs bytes: their length (8 bytes, little endian), then zstd.
pub(crate) fn pack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = (bytes.len() as u64).to_le_bytes().to_vec();
    packed.extend(zstd::bulk::compress(bytes, LEVEL)?);
    Ok(packed)
}

/// Unpacks what [`pack`] made; `None` for anything else, and for more than `limit` bytes. Memory grows with what is
/// unpacked, not with what the length claims.
pub(crate) fn unpack(packed: &[u8], limit: usize) -> Option<Vec<u8>> {
    let (length, rest) = packed.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok().filter(|length| *length <= limit)?;
    let mut bytes = Vec::new();
    let decoder = zstd::stream::read::Decoder::with_buffer(rest).ok()?;
    decoder.take(length as u64 + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() == length).then_some(bytes)
}
