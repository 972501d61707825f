//! Compressed bytes with their length, so that unpacking is bounded.

/// zstd at its default level: PVs and states are text, and shrink five to ten times.
const LEVEL: i32 = 3;

/// Packs bytes: their length (8 bytes, little endian), then zstd.
pub(crate) fn pack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = (bytes.len() as u64).to_le_bytes().to_vec();
    packed.extend(zstd::bulk::compress(bytes, LEVEL)?);
    Ok(packed)
}

/// Unpacks what [`pack`] made; `None` for anything else, and for more than `limit` bytes.
pub(crate) fn unpack(packed: &[u8], limit: usize) -> Option<Vec<u8>> {
    let (length, rest) = packed.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok().filter(|length| *length <= limit)?;
    let bytes = zstd::bulk::decompress(rest, length).ok()?;
    (bytes.len() == length).then_some(bytes)
}
