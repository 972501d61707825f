//! What simulations count on: a disk that loses what was not synced, and processes that die on it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test helpers")]

mod support;

use ramen_events::{
    BlobId, Seq,
    log::{Batch, Damage, Error, EventLog, History, MemoryLog, MemoryStore},
};
use rstest::rstest;
use support::{record, records};

fn batch(from: u64, to: u64, blob: &[u8]) -> Batch {
    Batch::of_records(records(from, to), vec![blob.to_vec()])
}

#[rstest]
#[case::nothing_of_it_reached_the_disk(0, 2)]
#[case::one_batch_did(1, 4)]
#[case::all_did(9, 5)]
fn a_crash_drops_whole_batches_of_the_unsynced_tail(#[case] surviving: usize, #[case] last: u64) {
    let store = MemoryStore::new();
    let log = MemoryLog::open(&store);
    log.append(batch(1, 2, b"early")).unwrap();
    store.set_lazy(true);
    log.append(batch(3, 4, b"middle")).unwrap();
    log.append(batch(5, 5, b"late")).unwrap();
    log.save_snapshot(Seq(5), 1, b"state").unwrap();
    assert_eq!((store.unsynced_batches(), log.head().seq), (2, Seq(5)), "the tail is seen while the process lives");

    store.crash(surviving);
    let died = log.append(batch(6, 6, b"too late")).unwrap_err();
    assert!(matches!(died, Error::Fenced { .. }), "{died:?}");
    let log = MemoryLog::open(&store);
    assert_eq!(log.head().seq, Seq(last));
    assert_eq!(log.scan(Seq(1)).map(|entry| entry.unwrap().0).collect::<Vec<_>>(), records(1, last));
    assert_eq!(log.blob(BlobId::of(b"middle")).unwrap().is_some(), last >= 4);
    assert_eq!(log.blob(BlobId::of(b"late")).unwrap().is_some(), last >= 5);
    assert_eq!(log.latest_snapshot(1).unwrap().is_some(), last >= 5);
    log.append(Batch::of_records(vec![record(last + 1)], Vec::new())).unwrap();
}

#[test]
fn what_was_synced_survives_and_later_openings_have_the_say() {
    let store = MemoryStore::new();
    let first = MemoryLog::open(&store);
    store.set_lazy(true);
    first.append(batch(1, 3, b"blob")).unwrap();
    store.sync().unwrap();
    store.crash(0);
    let second = MemoryLog::open(&store);
    assert_eq!(second.head().seq, Seq(3));
    assert!(second.epoch() > first.epoch());
    let third = MemoryLog::open(&store);
    let refused = second.append(batch(4, 4, b"blob")).unwrap_err();
    assert!(matches!(refused, Error::Fenced { own, by } if own == second.epoch() && by == third.epoch()));
}

#[test]
fn after_a_failed_sync_nothing_is_taken_until_it_is_opened_again() {
    let store = MemoryStore::new();
    let log = MemoryLog::open(&store);
    log.append(batch(1, 1, b"blob")).unwrap();
    store.set_sync_fails(true);
    let failed = log.append(batch(2, 2, b"blob")).unwrap_err();
    assert!(matches!(failed, Error::Sync { seq: Seq(2), .. }), "{failed:?}");
    store.set_sync_fails(false);
    let refused = log.append(batch(2, 2, b"blob")).unwrap_err();
    assert!(matches!(refused, Error::Poisoned { .. }), "{refused:?}");
    assert_eq!(log.head().seq, Seq(1), "what is not durable is not shown");
    store.crash(0);
    let log = MemoryLog::open(&store);
    assert_eq!(log.append(batch(2, 2, b"blob")).unwrap(), Seq(2)..Seq(3));
}

#[test]
fn a_changed_record_is_noticed() {
    let store = MemoryStore::new();
    let log = MemoryLog::open(&store);
    log.append(batch(1, 5, b"blob")).unwrap();
    store.tamper(Seq(3), |stored| stored.bytes[20] ^= 1);
    let read: Vec<_> = log.scan(Seq(1)).collect();
    assert_eq!(read.len(), 3);
    assert!(matches!(read[2], Err(Error::Damaged { seq: Seq(3), damage: Damage::Hash })));
}
