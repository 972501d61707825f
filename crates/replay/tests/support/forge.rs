//! Captures that no program wrote: their checks are right, their contents are not.

use std::path::{Path, PathBuf};

use ramen_events::{
    ChainHash, Record,
    capture::{self, Header, Reader},
    disk::{Options, SledLog},
    log::{Batch, EventLog as _, History as _},
};
use ramen_projector::DECIDER_VERSION;

/// The frames of a capture: kind and contents.
pub fn frames(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut rest = &bytes[12..bytes.len() - 32];
    let mut frames = Vec::new();
    while let [kind, a, b, c, d, _, _, _, _, after @ ..] = rest {
        let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        frames.push((*kind, after[..length].to_vec()));
        rest = &after[length + 16..];
    }
    frames
}

/// A capture of frames whose checks are all right, as somebody would make who wants to be believed.
pub fn sealed(start: &[u8; 12], frames: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let over = |last: &[u8; 32], parts: &[&[u8]]| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(last);
        for part in parts {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    };
    let mut bytes = start.to_vec();
    let mut last = over(&[0; 32], &[start]);
    for (kind, contents) in frames {
        let [a, b, c, d] = (contents.len() as u32).to_le_bytes();
        let lead = [*kind, a, b, c, d];
        bytes.extend_from_slice(&lead);
        bytes.extend_from_slice(&over(&last, &[&lead])[..4]);
        bytes.extend_from_slice(contents);
        last = over(&last, &[&lead, contents]);
        bytes.extend_from_slice(&last[..16]);
    }
    let digest = *blake3::hash(&bytes).as_bytes();
    bytes.extend_from_slice(&digest);
    bytes
}

/// A capture with states after these records, as `state` gives them.
pub fn with_states(capture: &[u8], after: &[u64], mut state: impl FnMut(u64) -> Vec<u8>) -> Vec<u8> {
    let frames = frames(capture);
    let header = decoded(&frames[0].1);
    let mut start: [u8; 12] = capture[..12].try_into().expect("twelve bytes");
    start[8] = 2;
    let (mut seq, mut hash, mut all) = (header.first.0 - 1, header.before, Vec::new());
    for (kind, contents) in frames {
        if kind == b'R' {
            (seq, hash) = (seq + 1, hash.then(&contents));
        }
        let record = kind == b'R';
        all.push((kind, contents));
        if record && after.contains(&seq) {
            all.push((b'M', milestone(hash, &state(seq))));
        }
    }
    sealed(&start, &all)
}

/// The contents of a state's frame, after the record with this hash.
fn milestone(hash: ChainHash, state: &[u8]) -> Vec<u8> {
    let mut contents = DECIDER_VERSION.to_le_bytes().to_vec();
    contents.extend_from_slice(&hash.0);
    contents.extend_from_slice(&(state.len() as u64).to_le_bytes());
    contents.extend(zstd::bulk::compress(state, 3).expect("it is packed"));
    contents
}

fn decoded(contents: &[u8]) -> Header {
    bincode::decode_from_slice(contents, bincode::config::standard()).expect("a header").0
}

/// A capture of the same records as `file`, but for what `change` does to them.
pub fn altered(file: &Path, folder: &Path, mut change: impl FnMut(&mut Record)) -> PathBuf {
    let capture = Reader::open(file).expect("a recorded log");
    let owner = capture.header().owner.clone().expect("it has an owner");
    let log = SledLog::open(&folder.join("log"), &Options::new(owner)).expect("a fresh log");
    let records = capture.scan(capture.base().seq.next()).map(|record| {
        let (mut record, _) = record.expect("a recorded log is whole");
        change(&mut record);
        record
    });
    log.append(Batch::of_records(records.collect(), Vec::new())).expect("records can be appended");
    let altered = folder.join("altered.ramenlog");
    capture::write_file(&log, log.base().seq.next(), log.head().seq, &altered).expect("a capture can be written");
    altered
}
