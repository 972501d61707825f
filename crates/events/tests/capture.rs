//! Capture files: what goes in comes out, and no flipped bit goes unnoticed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test helpers")]

mod support;

use std::{fs, os::unix::fs::FileExt, path::PathBuf};

use ramen_events::{
    BlobId, ChainHash, Epoch, Operator, Payload, Seq,
    capture::{self, Place, Reader},
    log::{self, Batch, EventLog, History, MemoryLog, SnapshotName},
};
use rstest::rstest;
use support::{owner, record, records};
use tempfile::TempDir;

/// A log whose first record tells the version of its deciders, with two blobs and a snapshot.
fn log() -> MemoryLog {
    let log = MemoryLog::default();
    let mut first = record(1);
    first.payload = Payload::Started { operator: Operator::Hub, epoch: Epoch(1), decider: 4 };
    log.append(Batch::of_records(vec![first], vec![b"early blob".to_vec()])).unwrap();
    log.append(Batch::of_records(records(2, 6), Vec::new())).unwrap();
    let mut restart = record(7);
    restart.payload = Payload::Started { operator: Operator::Hub, epoch: Epoch(2), decider: 5 };
    log.append(Batch::of_records(vec![restart], vec![b"late blob".to_vec()])).unwrap();
    log.append(Batch::of_records(records(8, 9), Vec::new())).unwrap();
    log.save_snapshot(Seq(5), 4, b"the state at 5").unwrap();
    log
}

struct File {
    dir: TempDir,
}

impl File {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("some.ramenlog")
    }

    fn holding(bytes: &[u8]) -> Self {
        let file = Self::new();
        fs::write(file.path(), bytes).unwrap();
        file
    }
}

fn captured(log: &dyn History, from: u64, to: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    capture::write(log, Seq(from), Seq(to), &mut bytes).unwrap();
    bytes
}

#[test]
fn a_whole_log_comes_back_from_its_capture() {
    let (log, file) = (log(), File::new());
    capture::write_file(&log, Seq(1), Seq(9), &file.path()).unwrap();
    let capture = Reader::open(&file.path()).unwrap();

    let header = capture.header();
    assert_eq!((header.first, header.last, header.records()), (Seq(1), Seq(9), 9));
    assert_eq!((header.owner.clone(), header.deciders.as_slice()), (Some(owner()), [4, 5].as_slice()));
    assert_eq!(capture.head(), log.head());
    let read = |history: &dyn History| history.scan(Seq(1)).map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(read(&capture), read(&log));
    assert_eq!(capture.scan(Seq(7)).count(), 3);
    assert_eq!(capture.blob(BlobId::of(b"late blob")).unwrap().unwrap(), b"late blob");
    assert_eq!(capture.blobs().unwrap(), log.blobs().unwrap());
    assert_eq!(capture.latest_snapshot(4).unwrap(), log.latest_snapshot(4).unwrap());
    assert_eq!(captured(&capture, 1, 9), captured(&log, 1, 9), "a capture of a capture is the same file");
    assert_eq!(fs::read_dir(file.dir.path()).unwrap().count(), 1, "nothing else is left behind");
}

#[test]
fn a_part_of_a_log_keeps_its_place_in_the_chain() {
    let log = log();
    let file = File::holding(&captured(&log, 6, 8));
    let capture = Reader::open(&file.path()).unwrap();
    assert_eq!(capture.base().seq, Seq(5));
    assert_eq!(capture.scan(Seq(1)).map(|entry| entry.unwrap().0.seq.0).collect::<Vec<_>>(), [6, 7, 8]);
    assert_eq!(capture.head().hash, log.stored(Seq(8)).next().unwrap().unwrap().hash);
    assert_eq!(capture.header().snapshot, Some(SnapshotName { seq: Seq(5), decider: 4 }));
    assert_eq!(capture.latest_snapshot(4).unwrap().unwrap().bytes, b"the state at 5");
    assert_eq!(capture.header().deciders, [4, 5], "the one at work before, and the one that took over");
}

#[test]
fn what_came_later_is_left_out() {
    let file = File::holding(&captured(&log(), 1, 4));
    let capture = Reader::open(&file.path()).unwrap();
    assert_eq!(capture.header().deciders, [4]);
    assert_eq!(capture.header().snapshot, None);
    assert_eq!(capture.blobs().unwrap(), [(BlobId::of(b"early blob"), Seq(1))]);
}

#[test]
fn an_empty_log_can_be_captured() {
    let file = File::holding(&captured(&MemoryLog::default(), 1, 0));
    let capture = Reader::open(&file.path()).unwrap();
    assert_eq!((capture.header().records(), capture.head().hash), (0, ChainHash::GENESIS));
    assert_eq!(capture.scan(Seq(1)).count(), 0);
}

#[test]
fn many_records_are_found_from_anywhere() {
    let log = MemoryLog::default();
    log.append(Batch::of_records(records(1, 3000), Vec::new())).unwrap();
    let file = File::holding(&captured(&log, 2, 2999));
    let capture = Reader::open(&file.path()).unwrap();
    for from in [2, 3, 1023, 1024, 1025, 1026, 2047, 2048, 2049, 2999] {
        let read: Vec<_> = capture.scan(Seq(from)).map(|entry| entry.unwrap().0).collect();
        assert_eq!(read, records(from, 2999), "from {from}");
    }
    assert_eq!(capture.verify().unwrap().records, 2998);
}

#[rstest]
#[case::beyond_the_end(1, 10, 10)]
#[case::before_the_start(0, 3, 0)]
#[case::backwards(5, 3, 5)]
fn records_that_are_not_there_are_refused(#[case] from: u64, #[case] to: u64, #[case] missing: u64) {
    match capture::write(&log(), Seq(from), Seq(to), &mut Vec::new()) {
        Err(capture::Error::Log(log::Error::NoSuchRecord { seq })) => assert_eq!(seq, Seq(missing)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn any_flipped_bit_is_noticed() {
    let bytes = captured(&log(), 1, 9);
    let file = File::holding(&bytes);
    let open = fs::File::options().write(true).open(file.path()).unwrap();
    for bit in 0..bytes.len() * 8 {
        let byte = bytes[bit / 8];
        open.write_all_at(&[byte ^ (1 << (bit % 8))], (bit / 8) as u64).unwrap();
        match (Reader::open(&file.path()), bit / 8) {
            (Err(capture::Error::NotACapture), 0..8)
            | (Err(capture::Error::TooNew { .. } | capture::Error::Damaged { .. }), 8..12)
            | (Err(capture::Error::Damaged { .. }), 12..) => {}
            (other, byte) => panic!("bit {bit}, in byte {byte} of {}: {other:?}", bytes.len()),
        }
        open.write_all_at(&[byte], (bit / 8) as u64).unwrap();
    }
}

#[test]
fn damage_is_located() {
    let bytes = captured(&log(), 1, 9);
    let place_of = |text: &[u8]| {
        let mut flipped = bytes.clone();
        let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
        flipped[at] ^= 1;
        match Reader::open(&File::holding(&flipped).path()) {
            Err(capture::Error::Damaged { place }) => place,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(place_of(b"retry status 5"), Place::Record(Seq(5)));
    assert_eq!(
        place_of(&BlobId::of(b"late blob").0),
        Place::Blob(1 + u64::from(BlobId::of(b"late blob") > BlobId::of(b"early blob")))
    );
    assert_eq!(place_of(env!("CARGO_PKG_VERSION").as_bytes()), Place::Header);
}

#[test]
fn a_capture_that_did_not_arrive_whole_is_called_so() {
    let bytes = captured(&log(), 1, 9);
    let file = File::holding(&bytes);
    let open = fs::File::options().write(true).open(file.path()).unwrap();
    for length in (0..bytes.len()).rev() {
        open.set_len(length as u64).unwrap();
        match (Reader::open(&file.path()), length) {
            (Err(capture::Error::NotACapture), 0..8) | (Err(capture::Error::Truncated { .. }), 8..) => {}
            (other, _) => panic!("{length} of {} bytes: {other:?}", bytes.len()),
        }
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    let refused = Reader::open(&File::holding(&longer).path());
    assert!(matches!(refused, Err(capture::Error::Damaged { place: Place::Trailer })), "{refused:?}");
}

#[rstest]
#[case::text(b"apiVersion: v1\nkind: List\n")]
#[case::nothing(b"")]
fn other_files_are_no_captures(#[case] contents: &[u8]) {
    let refused = Reader::open(&File::holding(contents).path()).unwrap_err();
    assert!(matches!(refused, capture::Error::NotACapture), "{refused:?}");
}

#[test]
fn a_capture_of_the_future_is_called_so() {
    let mut bytes = captured(&log(), 1, 9);
    bytes[8] = 9;
    let refused = Reader::open(&File::holding(&bytes).path()).unwrap_err();
    assert!(matches!(refused, capture::Error::TooNew { found: 9, known: capture::VERSION }), "{refused:?}");
}

#[test]
fn what_comes_before_damage_can_be_salvaged() {
    let bytes = captured(&log(), 1, 9);
    let text = b"retry status 5";
    let mut flipped = bytes.clone();
    flipped[bytes.windows(text.len()).position(|window| window == text).unwrap()] ^= 1;
    let (capture, wrong) = Reader::salvage(&File::holding(&flipped).path()).unwrap();
    assert!(matches!(wrong, Some(capture::Error::Damaged { place: Place::Record(Seq(5)) })), "{wrong:?}");
    assert_eq!((capture.head().seq, capture.header().last), (Seq(4), Seq(4)));
    assert_eq!(capture.scan(Seq(1)).collect::<Result<Vec<_>, _>>().unwrap().len(), 4);

    let (capture, wrong) = Reader::salvage(&File::holding(&bytes[..bytes.len() - 1]).path()).unwrap();
    assert!(matches!(wrong, Some(capture::Error::Truncated { place: Place::Trailer })), "{wrong:?}");
    assert_eq!(capture.head().seq, Seq(9));
    let (_, wrong) = Reader::salvage(&File::holding(&bytes).path()).unwrap();
    assert!(wrong.is_none(), "{wrong:?}");
}

/// Opened quickly, a capture shows the same, and hides no damage.
#[test]
fn a_capture_that_is_opened_quickly_is_the_same() {
    let log = log();
    let (from, to) = (2, log.head().seq.0);
    let file = File::holding(&captured(&log, from, to));
    let (slow, quick) = (Reader::open(&file.path()).unwrap(), Reader::open_quickly(&file.path()).unwrap());
    assert_eq!((slow.base(), slow.head()), (quick.base(), quick.head()));
    let records = |reader: &Reader, from| reader.scan(Seq(from)).collect::<Result<Vec<_>, _>>().unwrap();
    for from in from..=to {
        assert_eq!(records(&slow, from), records(&quick, from), "from {from}");
    }
    assert_eq!(slow.blobs().unwrap(), quick.blobs().unwrap());
    let whole = captured(&log, from, to);
    for bit in (0..whole.len() * 8).step_by(7) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Reader::open_quickly(&File::holding(&bytes).path()).is_err(), "bit {bit}");
    }
}
