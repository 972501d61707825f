//! What every log promises, on each log there is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test helpers")]

mod support;

use std::{sync::Arc, thread};

use ramen_events::{
    BlobId, ChainHash, Seq, Stamp, Time,
    disk::SledLog,
    log::{Batch, Error, EventLog, Found, MemoryLog, MemoryStore, find_bytes},
};
use rstest::rstest;
use support::{draft, options, record, records};
use tempfile::TempDir;

/// Where a log lives while it is closed.
enum Place {
    Memory(MemoryStore),
    Disk(TempDir),
}

fn memory() -> Place {
    Place::Memory(MemoryStore::new())
}

fn disk() -> Place {
    Place::Disk(tempfile::tempdir().unwrap())
}

impl Place {
    fn open(&self) -> Arc<dyn EventLog> {
        match self {
            Self::Memory(store) => Arc::new(MemoryLog::open(store)),
            Self::Disk(dir) => Arc::new(SledLog::open(dir.path(), &options()).unwrap()),
        }
    }
}

#[rstest]
fn records_come_back_numbered_and_chained(#[values(memory(), disk())] place: Place) {
    let log = place.open();
    assert_eq!(log.append(Batch::of_records(records(1, 3), Vec::new())).unwrap(), Seq(1)..Seq(4));
    assert_eq!(log.append(Batch::of_drafts([draft(4), draft(5)])).unwrap(), Seq(4)..Seq(6));

    let scanned: Vec<_> = log.scan(Seq(1)).map(Result::unwrap).collect();
    assert_eq!(scanned.iter().map(|(record, _)| record.clone()).collect::<Vec<_>>(), records(1, 5));
    let mut hash = ChainHash::GENESIS;
    for stored in log.stored(Seq(1)) {
        let stored = stored.unwrap();
        hash = hash.then(&stored.bytes);
        assert_eq!(stored.hash, hash);
    }
    assert_eq!((log.head().seq, log.head().hash, log.head().stamp), (Seq(5), hash, record(5).stamp));
    assert_eq!(log.scan(Seq(4)).map(|entry| entry.unwrap().0).collect::<Vec<_>>(), records(4, 5));
    assert_eq!(log.scan(Seq(6)).count(), 0);
    assert_eq!(log.scan(Seq(900)).count(), 0);
    assert_eq!(log.verify().unwrap().records, 5);
}

#[rstest]
fn everything_is_there_after_reopening_under_a_higher_epoch(#[values(memory(), disk())] place: Place) {
    let log = place.open();
    let first = log.epoch();
    let blob = b"a persistent volume ".repeat(1000);
    log.append(Batch::of_records(records(1, 40), vec![blob.clone()])).unwrap();
    log.save_snapshot(Seq(30), 7, b"the state at 30").unwrap();
    let head = log.head();
    drop(log);

    let log = place.open();
    assert!(log.epoch() > first);
    assert_eq!(log.head(), head);
    assert_eq!(log.scan(Seq(1)).map(|entry| entry.unwrap().0).collect::<Vec<_>>(), records(1, 40));
    assert_eq!(log.blob(BlobId::of(&blob)).unwrap(), Some(blob.clone()));
    assert_eq!(log.blobs().unwrap(), [(BlobId::of(&blob), Seq(1))]);
    let snapshot = log.latest_snapshot(7).unwrap().unwrap();
    assert_eq!((snapshot.seq, snapshot.bytes.as_slice()), (Seq(30), b"the state at 30".as_slice()));
    assert_eq!(log.append(Batch::of_records(records(41, 41), Vec::new())).unwrap(), Seq(41)..Seq(42));
}

#[rstest]
fn a_writer_that_numbers_its_own_records_must_be_right(#[values(memory(), disk())] place: Place) {
    let log = place.open();
    log.append(Batch::of_records(records(1, 2), Vec::new())).unwrap();

    let wrong_first = Batch { expected_first: Some(Seq(2)), ..Batch::of_drafts([draft(3)]) };
    let refused = log.append(wrong_first).unwrap_err();
    assert!(matches!(refused, Error::NotNext { given: Seq(2), next: Seq(3) }), "{refused:?}");
    let refused = log.append(Batch::of_records(records(2, 4), Vec::new())).unwrap_err();
    assert!(matches!(refused, Error::NotNext { given: Seq(2), next: Seq(3) }), "{refused:?}");
    let refused = log.append(Batch::of_records(vec![record(3), record(5)], Vec::new())).unwrap_err();
    assert!(matches!(refused, Error::NotNext { given: Seq(5), next: Seq(4) }), "{refused:?}");

    let mut early = record(3);
    early.stamp = Stamp { time: Time(5), count: 0 };
    let refused = log.append(Batch::of_records(vec![early], Vec::new())).unwrap_err();
    assert!(matches!(refused, Error::StampWentBack { seq: Seq(3), .. }), "{refused:?}");

    assert_eq!(log.head().seq, Seq(2), "nothing of a refused batch is kept");
    assert_eq!(log.append(Batch::of_records(records(3, 3), Vec::new())).unwrap(), Seq(3)..Seq(4));
}

#[rstest]
fn concurrent_batches_stay_whole_and_in_their_writers_order(#[values(memory(), disk())] place: Place) {
    const WRITERS: u64 = 16;
    const BATCHES: u64 = 20;
    let log = place.open();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let log = &log;
            scope.spawn(move || {
                for n in 0..BATCHES {
                    let name = writer * 1000 + n * 3;
                    let range = log.append(Batch::of_drafts((0..3).map(|part| draft(name + part)))).unwrap();
                    assert_eq!(range.end.0 - range.start.0, 3);
                }
            });
        }
    });
    let records: Vec<_> = log.scan(Seq(1)).map(|entry| entry.unwrap().0).collect();
    assert_eq!(records.len() as u64, WRITERS * BATCHES * 3);
    assert!(records.windows(2).all(|pair| pair[0].stamp < pair[1].stamp));
    let mut last = [0; WRITERS as usize];
    for batch in records.chunks(3) {
        let names: Vec<u64> = batch
            .iter()
            .map(|record| match record.cause {
                ramen_events::Cause::Local(Seq(name)) => name,
                _ => panic!("not one of ours"),
            })
            .collect();
        assert_eq!(names, [names[0], names[0] + 1, names[0] + 2], "a batch is in one piece");
        let writer = usize::try_from(names[0] / 1000).unwrap();
        assert!(names[0] >= last[writer], "a writer's batches are in its order");
        last[writer] = names[0];
    }
}

#[rstest]
fn an_empty_batch_takes_no_number(#[values(memory(), disk())] place: Place) {
    let log = place.open();
    assert_eq!(log.append(Batch::default()).unwrap(), Seq(1)..Seq(1));
    assert_eq!(log.head().seq, Seq(0));
}

#[rstest]
fn of_each_deciders_snapshots_the_newest_two_are_kept(#[values(memory(), disk())] place: Place) {
    let log = place.open();
    log.append(Batch::of_records(records(1, 9), Vec::new())).unwrap();
    let large = b"0123456789abcdef".iter().copied().cycle().take(300_000).collect::<Vec<u8>>();
    for seq in [2, 4, 6] {
        log.save_snapshot(Seq(seq), 1, &large).unwrap();
    }
    log.save_snapshot(Seq(3), 2, b"of other deciders").unwrap();
    log.save_snapshot(Seq(6), 1, b"again").unwrap();

    let names: Vec<_> = log.snapshots().unwrap().into_iter().map(|name| (name.seq.0, name.decider)).collect();
    assert_eq!(names, [(3, 2), (4, 1), (6, 1)]);
    assert_eq!(log.latest_snapshot(1).unwrap().unwrap().bytes, b"again");
    assert_eq!(log.latest_snapshot(2).unwrap().unwrap().bytes, b"of other deciders");
    assert!(log.latest_snapshot(3).unwrap().is_none());
    let refused = log.save_snapshot(Seq(10), 1, b"of the future").unwrap_err();
    assert!(matches!(refused, Error::NoSuchRecord { seq: Seq(10) }), "{refused:?}");
}

#[rstest]
fn bytes_are_found_wherever_they_hide(#[values(memory(), disk())] place: Place) {
    let log = place.open();
    let blob = b"a text that compresses, and in it: blob-secret".repeat(50);
    log.append(Batch::of_records(records(1, 9), vec![blob.clone()])).unwrap();
    log.save_snapshot(Seq(9), 1, b"state-secret").unwrap();
    assert_eq!(find_bytes(&*log, b"retry status 5").unwrap(), Some(Found::Record(Seq(5))));
    assert_eq!(find_bytes(&*log, b"blob-secret").unwrap(), Some(Found::Blob(BlobId::of(&blob))));
    assert!(matches!(find_bytes(&*log, b"state-secret").unwrap(), Some(Found::Snapshot(_))));
    assert_eq!(find_bytes(&*log, b"nowhere").unwrap(), None);
}
