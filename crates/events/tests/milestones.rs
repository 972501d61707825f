//! States among the records of a capture: found where they are, no harm to records, and nothing that a file could lie with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test helpers")]

mod support;

use std::{fs, path::PathBuf};

use ramen_events::{
    Record, Seq,
    capture::{self, Fold, Place, Reader},
    log::{Batch, EventLog, History, MemoryLog, SnapshotName},
};
use rstest::rstest;
use support::records;
use tempfile::TempDir;

const DECIDER: u32 = 7;
const RECORDS: u64 = 40_000;

/// Its state is the number of the last record, and some bytes more.
struct Last {
    seq: Seq,
    more: usize,
}

impl Last {
    fn after(seq: u64) -> Self {
        Self { seq: Seq(seq), more: 100 }
    }
}

impl Fold for Last {
    fn decider(&self) -> u32 {
        DECIDER
    }

    fn apply(&mut self, record: &Record) {
        assert_eq!(record.seq, self.seq.next(), "each record, in order");
        self.seq = record.seq;
    }

    fn state(&self) -> Vec<u8> {
        // Something that zstd cannot shorten.
        let noise = (0..self.more / 32).flat_map(|n| *blake3::hash(&n.to_le_bytes()).as_bytes());
        self.seq.0.to_le_bytes().into_iter().chain(noise).collect()
    }
}

fn log() -> MemoryLog {
    let log = MemoryLog::default();
    log.append(Batch::of_records(records(1, RECORDS), Vec::new())).unwrap();
    log
}

fn captured(from: u64, fold: &mut Last) -> Vec<u8> {
    let mut bytes = Vec::new();
    capture::write_along(&log(), Seq(from), Seq(RECORDS), fold, &mut bytes).unwrap();
    bytes
}

fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.ramenlog");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn name(seq: u64) -> SnapshotName {
    SnapshotName { seq: Seq(seq), decider: DECIDER }
}

#[rstest]
#[case::wholly(Reader::open)]
#[case::quickly(Reader::open_quickly)]
fn states_stand_among_the_records(#[case] open: fn(&std::path::Path) -> Result<Reader, capture::Error>) {
    let log = log();
    let (_folder, path) = file(&captured(3, &mut Last::after(2)));
    let reader = open(&path).unwrap();
    let names = reader.snapshots().unwrap();
    assert_eq!(names, [2, 16_386, 32_770].map(name), "the state before the first record, and those along the way");
    for name in names {
        let snapshot = reader.snapshot(name).unwrap().expect("what is listed is there");
        assert_eq!(snapshot.bytes, Last { seq: name.seq, more: 100 }.state());
        assert_eq!(snapshot.hash, log.stored(name.seq).next().unwrap().unwrap().hash);
    }
    assert_eq!(reader.head(), log.head());
    for from in [3, 1_024, 16_384, 16_386, 16_387, 16_388, 32_769, 32_771, RECORDS] {
        let read: Vec<Record> = reader.scan(Seq(from)).map(|record| record.unwrap().0).collect();
        assert_eq!(read, records(from, RECORDS), "from {from}");
    }
}

#[test]
fn large_states_are_further_apart() {
    let (plain, large) = (captured(1, &mut Last::after(0)), captured(1, &mut Last { seq: Seq(0), more: 400_000 }));
    let (_folder, path) = file(&large);
    assert_eq!(Reader::open(&path).unwrap().snapshots().unwrap(), [name(16_384)]);
    assert!(large.len() < plain.len() + 410_000);
}

#[test]
fn what_has_no_states_is_written_as_ever() {
    let mut bytes = Vec::new();
    capture::write(&log(), Seq(1), Seq(RECORDS), &mut bytes).unwrap();
    assert_eq!(&bytes[8..12], 1_u32.to_le_bytes(), "format 1, for older readers");
    assert_eq!(&captured(1, &mut Last::after(0))[8..12], 2_u32.to_le_bytes());
}

#[test]
fn a_file_that_is_cut_off_keeps_the_states_before_that() {
    let bytes = captured(1, &mut Last::after(0));
    for end in [bytes.len() - 1, bytes.len() - 40, bytes.len() * 9 / 10, bytes.len() / 2] {
        let (_folder, path) = file(&bytes[..end]);
        assert!(matches!(Reader::open_quickly(&path), Err(capture::Error::Truncated { .. })), "{end}");
        let (reader, wrong) = Reader::salvage(&path).unwrap();
        assert!(matches!(wrong, Some(capture::Error::Truncated { .. })), "{end}: {wrong:?}");
        let intact = reader.head().seq.0;
        let read: Vec<Record> = reader.scan(Seq(1)).map(|record| record.unwrap().0).collect();
        assert_eq!(read, records(1, intact), "{end}");
        let names: Vec<_> = [16_384, 32_768].into_iter().filter(|seq| *seq <= intact).map(name).collect();
        assert_eq!(reader.snapshots().unwrap(), names, "{end}");
    }
}

/// Where the milestone is whose state is this.
fn place(bytes: &[u8], seq: u64) -> usize {
    let hash = log().stored(Seq(seq)).next().unwrap().unwrap().hash.0;
    bytes.windows(32).position(|window| window == hash).unwrap() - 4
}

#[test]
fn a_flipped_bit_in_a_state_is_found() {
    let whole = captured(1, &mut Last::after(0));
    let at = place(&whole, 16_384);
    for byte in (at - 9)..(at + 150) {
        let mut bytes = whole.clone();
        bytes[byte] ^= 4;
        let (_folder, path) = file(&bytes);
        let refused = Reader::open_quickly(&path).unwrap_err();
        assert!(
            matches!(refused, capture::Error::Damaged { place: Place::Record(Seq(16_385)) }),
            "byte {byte}: {refused:?}"
        );
    }
}
