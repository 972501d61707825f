//! Files that nobody wrote on purpose, and files that somebody did: no panic, no more memory than the file is worth, and
//! never another record than was written.
//!
//! Runs a little of it by default; `PROPTEST_CASES=100000 cargo test --release -p ramen-replay --test fuzz` runs more.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::{
    fs,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use peak_alloc::PeakAlloc;
use proptest::{prelude::*, sample::Index};
use ramen_events::{
    Record, Seq,
    capture::{self, Reader},
    log::History,
    stored,
};
use ramen_projector::{World, hub::Hub, spoke::Spoke};
use ramen_replay::Verifier;
use support::{
    fixture,
    forge::{frames, sealed, with_states},
};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What is allocated is counted for the whole process: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

const MIB: usize = 1 << 20;

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The most bytes that were allocated at a time beyond what was before, while `work` was done.
fn most<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let done = work();
    (done, MEMORY.peak_usage().saturating_sub(before))
}

/// A slice of a recorded log as bytes: header, snapshot, blobs, records, trailer.
fn slice() -> Vec<u8> {
    let reader = Reader::open(&fixture("story-c1")).expect("a capture");
    let mut bytes = Vec::new();
    let state = (2, vec![7; 5_000]);
    capture::write_slice(&reader, Seq(120), Seq(200), state, &mut bytes).expect("a slice");
    bytes
}

fn record_bytes() -> Vec<Vec<u8>> {
    let of = |name: &str| {
        let reader = Reader::open(&fixture(name)).expect("a capture");
        let all: Vec<Vec<u8>> = reader.stored(Seq(1)).map(|stored| stored.expect("a whole capture").bytes).collect();
        all
    };
    ["story-hub", "story-c1"].into_iter().flat_map(of).collect()
}

/// A change of bytes.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Set(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Copy(Index, Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), 0_u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        // Lengths and tags are where decoders stumble: the ends of their ranges.
        (any::<Index>(), prop_oneof![Just(0_u8), 250..=255_u8, any::<u8>()])
            .prop_map(|(at, byte)| Change::Set(at, byte)),
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), 1_usize..64).prop_map(|(at, length)| Change::Remove(at, length)),
        (any::<Index>(), prop::collection::vec(any::<u8>(), 1..64)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<Index>(), any::<Index>(), 1_usize..256).prop_map(|(from, to, length)| Change::Copy(from, to, length)),
    ]
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec(change(), 1..6)
}

fn apply(bytes: &mut Vec<u8>, changes: &[Change]) {
    for change in changes {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        match change {
            Change::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Change::Set(at, byte) => bytes[at.index(length)] = *byte,
            Change::Cut(at) => bytes.truncate(at.index(length)),
            Change::Remove(at, count) => {
                let at = at.index(length);
                bytes.drain(at..(at + count).min(length));
            }
            Change::Insert(at, more) => {
                let at = at.index(length);
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Copy(from, to, count) => {
                let (from, to) = (from.index(length), to.index(length));
                let part = bytes[from..(from + count).min(length)].to_vec();
                bytes.splice(to..to, part);
            }
        }
    }
}

/// Opens a file with these bytes and reads all that it lets be read. Tells the head, if it could be opened, and how much
/// memory that took.
fn read(folder: &Path, bytes: &[u8]) -> (Option<(Seq, String, bool)>, usize) {
    let path = folder.join("fuzzed.ramenlog");
    fs::write(&path, bytes).expect("a file can be written");
    most(|| {
        let (reader, wrong) = Reader::salvage(&path).ok()?;
        for record in reader.scan(Seq(1)) {
            if record.is_err() {
                break;
            }
        }
        for (id, _) in reader.blobs().expect("an index in memory") {
            drop(reader.blob(id));
        }
        for name in reader.snapshots().expect("an index in memory") {
            drop(reader.snapshot(name));
        }
        let head = reader.head();
        Some((head.seq, head.hash.to_string(), wrong.is_none()))
    })
}

/// Some of it each time; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { ProptestConfig { cases: 64, ..config } }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_bytes_are_no_record_or_one_that_can_be_written_again(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _alone = alone();
        decode(&[&[1][..], &bytes].concat())?;
        decode(&bytes)?;
    }

    #[test]
    fn changed_records_are_refused_or_can_be_written_again(which in any::<Index>(), other in any::<Index>(), at in any::<Index>(), changes in changes()) {
        let _alone = alone();
        let all = record_bytes();
        let mut bytes = which.get(&all).clone();
        apply(&mut bytes, &changes);
        decode(&bytes)?;
        // The start of one record and the end of another.
        let (one, two) = (which.get(&all), other.get(&all));
        decode(&[&one[..at.index(one.len())], &two[at.index(two.len())..]].concat())?;
    }

    #[test]
    fn a_changed_capture_shows_nothing_that_was_not_written(changes in changes(), along in any::<bool>()) {
        let _alone = alone();
        let whole = if along { with_states(&slice(), &[130, 160, 199], |_| vec![7; 5_000]) } else { slice() };
        let mut bytes = whole.clone();
        apply(&mut bytes, &changes);
        let folder = tempfile::tempdir().expect("a folder");
        let (found, memory) = read(folder.path(), &bytes);
        prop_assert!(memory < 4 * MIB, "{memory} bytes");
        if let Some((head, hash, sound)) = found {
            prop_assert_eq!(sound, bytes == whole, "what was changed is called whole");
            let real = Reader::open(&fixture("story-c1")).expect("a capture");
            let mut of_real = real.stored(head);
            prop_assert_eq!(of_real.next().expect("such a record").expect("a whole capture").hash.to_string(), hash);
        }
    }

    #[test]
    fn random_files_are_no_captures(bytes in prop::collection::vec(any::<u8>(), 0..4_000), magic in any::<bool>()) {
        let _alone = alone();
        let folder = tempfile::tempdir().expect("a folder");
        let bytes = if magic { [&b"RAMENLOG\x02\0\0\0"[..], &bytes].concat() } else { bytes };
        let (found, memory) = read(folder.path(), &bytes);
        prop_assert!(found.is_none());
        prop_assert!(memory < MIB, "{memory} bytes");
    }

    /// All checks of the file are right; what they check is not what a capture holds.
    #[test]
    fn a_forged_capture_neither_breaks_nor_fills_the_memory(
        edits in prop::collection::vec((any::<Index>(), changes()), 0..3),
        moves in prop::collection::vec((any::<Index>(), any::<Index>()), 0..3),
        kinds in prop::collection::vec((any::<Index>(), any::<Index>()), 0..2),
        along in any::<bool>(),
    ) {
        let _alone = alone();
        let whole = if along { with_states(&slice(), &[130, 160, 199], |_| vec![7; 5_000]) } else { slice() };
        let start: [u8; 12] = whole[..12].try_into().expect("twelve bytes");
        let mut frames = frames(&whole);
        prop_assert_eq!(sealed(&start, &frames), whole, "the forger knows the format");
        for (at, changes) in &edits {
            let at = at.index(frames.len());
            apply(&mut frames[at].1, changes);
        }
        for (from, to) in &moves {
            let frame = from.get(&frames).clone();
            let to = to.index(frames.len());
            frames.insert(to, frame);
        }
        for (from, to) in &kinds {
            let kind = from.get(&frames).0;
            let to = to.index(frames.len());
            frames[to].0 = kind;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let (_, memory) = read(folder.path(), &sealed(&start, &frames));
        prop_assert!(memory < 40 * MIB, "{memory} bytes");
        let path = folder.path().join("fuzzed.ramenlog");
        let (_, memory) = most(|| Reader::open_quickly(&path).map(|reader| reader.scan(Seq(150)).take_while(Result::is_ok).count()));
        prop_assert!(memory < 40 * MIB, "{memory} bytes when opened quickly");
    }

    /// Whatever decodes can be folded and decided on.
    #[test]
    fn records_that_nobody_would_write_are_folded_and_compared(edits in prop::collection::vec((any::<Index>(), changes()), 1..4)) {
        let _alone = alone();
        for name in ["story-hub", "story-c1"] {
            let reader = Reader::open(&fixture(name)).expect("a capture");
            let mut all: Vec<Vec<u8>> = reader.stored(Seq(1)).map(|stored| stored.expect("a whole capture").bytes).collect();
            for (at, changes) in &edits {
                let at = at.index(all.len());
                apply(&mut all[at], changes);
            }
            let records: Vec<Record> = all.iter().filter_map(|bytes| stored::decode(bytes).ok()).collect();
            if name == "story-hub" {
                follow(Verifier::new(World::<Hub>::default()), &records);
            } else {
                follow(Verifier::new(World::<Spoke>::default()), &records);
            }
        }
    }
}

/// Compares until something differs, and folds the rest.
fn follow<D: ramen_projector::Domain>(mut verifier: Verifier<D>, records: &[Record]) {
    let mut differs = false;
    for record in records {
        if differs {
            verifier.fold(record);
        } else {
            differs = verifier.next(record).is_err();
        }
    }
}

fn decode(bytes: &[u8]) -> Result<(), TestCaseError> {
    let (decoded, memory) = most(|| stored::decode(bytes));
    // Bytes may claim as much as the longest record has; its fields may take a little more in memory.
    prop_assert!(memory < 2 * stored::MAX_RECORD, "{memory} bytes of memory for {} bytes", bytes.len());
    if let Ok(record) = decoded {
        let again = stored::encode(&record).expect("no longer than what it came from");
        prop_assert_eq!(stored::decode(&again).expect("what was written"), record);
    }
    Ok(())
}

/// What a length claims costs nothing until it is there.
#[test]
fn a_snapshot_that_claims_a_gigabyte_is_refused_without_one() {
    let _alone = alone();
    let whole = slice();
    let start: [u8; 12] = whole[..12].try_into().expect("twelve bytes");
    let mut frames = frames(&whole);
    let snapshot = frames.iter_mut().find(|(kind, _)| *kind == b'S').expect("a slice has one");
    snapshot.1[32..40].copy_from_slice(&(1_u64 << 30).to_le_bytes());
    let folder = tempfile::tempdir().expect("a folder");
    let (found, memory) = read(folder.path(), &sealed(&start, &frames));
    assert!(found.is_none(), "it is damaged");
    assert!(memory < 4 * MIB, "{memory} bytes");
}

#[test]
fn a_state_along_the_way_that_claims_a_gigabyte_is_refused_without_one() {
    let _alone = alone();
    let whole = with_states(&slice(), &[150], |_| vec![7; 5_000]);
    let start: [u8; 12] = whole[..12].try_into().expect("twelve bytes");
    let mut frames = frames(&whole);
    let state = frames.iter_mut().find(|(kind, _)| *kind == b'M').expect("there is one");
    state.1[36..44].copy_from_slice(&(1_u64 << 30).to_le_bytes());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("forged.ramenlog");
    fs::write(&path, sealed(&start, &frames)).expect("a file can be written");
    let (state, memory) = most(|| {
        let reader = Reader::open(&path).expect("its records are whole");
        reader
            .snapshots()
            .expect("an index")
            .into_iter()
            .filter_map(|name| reader.snapshot(name).expect("read"))
            .count()
    });
    assert_eq!(state, 1, "the state before the first record is there, the other is none");
    assert!(memory < 4 * MIB, "{memory} bytes");
}
