//! The writer's order of doing things, and what the survey makes of damaged records. Whole logs are tested in `tests/`.

use std::{
    fs::File,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use crate::{
    Cause, ClusterName, Epoch, Operator, Payload, Record, Seq, Stamp, Time,
    disk::{
        directory,
        marker::{self, Mark, Marker},
        reader::{Raw, Raws},
        recover::{Survey, survey},
        writer::{Sync, Target, Writer},
    },
    log::{Entry, Error, Head, Owner, number},
};

fn record(seq: u64) -> Record {
    let owner = Owner { operator: Operator::Spoke, cluster: ClusterName::from("c1") };
    Record {
        seq: Seq(seq),
        stamp: Stamp { time: Time(1000 + seq), count: 0 },
        origin: owner.origin(Epoch(1)),
        aggregate: None,
        cause: Cause::Outside,
        payload: Payload::TimerFired { wanted: Time(seq), why: "to see".to_owned() },
    }
}

fn entries(from: u64, to: u64) -> Vec<Entry> {
    (from..=to).map(|seq| Entry::Record(record(seq))).collect()
}

/// A writer over a store of its own, with this way to sync.
struct Bench {
    writer: Writer,
    db: sled::Db,
    head: Arc<Mutex<Head>>,
    dir: tempfile::TempDir,
}

fn bench(sync: Sync) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    directory::create(dir.path()).unwrap();
    let db = sled::open(directory::store(dir.path())).unwrap();
    let head = Arc::new(Mutex::new(Head::default()));
    let marker = Marker::open(dir.path()).unwrap();
    let target = Target { db: db.clone(), sync, marker, epoch: Epoch(1), head: Arc::clone(&head) };
    Bench { writer: Writer::start(target).unwrap(), db, head, dir }
}

#[test]
fn nobody_is_told_before_the_sync_is_over_and_all_who_wait_share_the_next() {
    let (started, syncs) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let bench = bench(Box::new(move || {
        started.send(()).unwrap();
        released.lock().unwrap().recv().map_err(io::Error::other)
    }));
    let append = || bench.writer.append(None, entries(1, 1), Vec::new()).map(drop);
    thread::scope(|scope| {
        let first = scope.spawn(append);
        syncs.recv().unwrap();
        assert!(!first.is_finished());
        assert_eq!(bench.head.lock().unwrap().seq, Seq(0), "what is not durable is not shown");
        assert_eq!(marker::read(bench.dir.path()), None, "nor marked as acknowledged");
        let others: Vec<_> =
            (0..8).map(|_| scope.spawn(|| bench.writer.append(None, vec![draft()], Vec::new()).map(drop))).collect();
        while bench.writer.queued() < others.len() {
            thread::yield_now();
        }
        release.send(()).unwrap();
        first.join().unwrap().unwrap();
        syncs.recv().unwrap();
        release.send(()).unwrap();
        others.into_iter().for_each(|other| other.join().unwrap().unwrap());
    });
    assert!(syncs.try_recv().is_err(), "two syncs for nine appends");
    let head = *bench.head.lock().unwrap();
    assert_eq!(head.seq, Seq(9));
    let mark = Mark { seq: head.seq, hash: head.hash, epoch: Epoch(1) };
    assert_eq!(marker::read(bench.dir.path()), Some(mark));
}

fn draft() -> Entry {
    let Record { origin, aggregate, cause, payload, .. } = record(1);
    Entry::Draft(crate::log::Draft { time: Time(1), origin, aggregate, cause, payload })
}

#[test]
fn after_a_failed_sync_the_writer_takes_no_more() {
    let (fails, syncs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (failing, counted) = (Arc::clone(&fails), Arc::clone(&syncs));
    let bench = bench(Box::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        if failing.load(Ordering::SeqCst) { Err(io::Error::other("the disk is gone")) } else { Ok(()) }
    }));
    bench.writer.append(None, entries(1, 2), Vec::new()).unwrap();
    fails.store(true, Ordering::SeqCst);
    let failed = bench.writer.append(None, entries(3, 3), Vec::new()).unwrap_err();
    assert!(matches!(failed, Error::Sync { seq: Seq(3), .. }), "{failed:?}");
    fails.store(false, Ordering::SeqCst);
    let refused = bench.writer.append(None, entries(3, 3), Vec::new()).unwrap_err();
    assert!(matches!(refused, Error::Poisoned { .. }), "{refused:?}");
    assert_eq!(syncs.load(Ordering::SeqCst), 2, "a retried sync may claim what is not so");
    assert_eq!(bench.head.lock().unwrap().seq, Seq(2));
    assert_eq!(marker::read(bench.dir.path()).unwrap().seq, Seq(2));
}

#[test]
fn no_value_is_so_large_that_sled_moves_it_to_a_file_that_it_never_syncs() {
    let bench = bench(Box::new(|| Ok(())));
    let mut large = record(1);
    large.payload = Payload::TimerFired { wanted: Time(1), why: "0123456789".repeat(20_000) };
    let records: Vec<Record> = (1..40).map(|seq| Record { seq: Seq(seq), ..large.clone() }).collect();
    for record in &records {
        bench.writer.append(None, vec![Entry::Record(record.clone())], Vec::new()).unwrap();
    }
    let outside = directory::store(bench.dir.path()).join("blobs");
    assert_eq!(std::fs::read_dir(outside).unwrap().count(), 0);
    let survey = survey(Head::default(), Raws::new(&bench.db, Seq(1))).unwrap();
    assert_eq!((survey.head.seq, survey.torn.len()), (Seq(39), 0));
}

#[test]
fn the_file_that_is_synced_is_the_one_that_sled_writes() {
    let bench = bench(Box::new(|| Ok(())));
    let before = File::open(directory::store_file(bench.dir.path())).unwrap().metadata().unwrap().len();
    bench.writer.append(None, entries(1, 3000), Vec::new()).unwrap();
    let after = File::open(directory::store_file(bench.dir.path())).unwrap().metadata().unwrap().len();
    assert!(after > before);
}

/// The values of records 1 to `last`, as the store has them.
fn raws(last: u64) -> Vec<Raw> {
    let numbered = number(Head::default(), None, entries(1, last)).unwrap();
    let value = |hash: [u8; 32], bytes: Vec<u8>| [hash.to_vec(), bytes].concat();
    numbered
        .records
        .into_iter()
        .map(|stored| Raw { seq: stored.seq, value: value(stored.hash.0, stored.bytes) })
        .collect()
}

fn surveyed(raws: Vec<Raw>) -> Result<Survey, Error> {
    survey(Head::default(), raws.into_iter().map(Ok))
}

fn flip(raws: &mut [Raw], index: usize, bit: usize) {
    raws[index].value[bit / 8] ^= 1 << (bit % 8);
}

#[test]
fn a_flipped_bit_in_the_last_record_costs_that_record() {
    for bit in 0..raws(5)[4].value.len() * 8 {
        let mut raws = raws(5);
        flip(&mut raws, 4, bit);
        let survey = surveyed(raws).unwrap();
        assert_eq!((survey.head.seq, survey.torn.as_slice()), (Seq(4), [Seq(5)].as_slice()), "bit {bit}");
    }
}

#[test]
fn a_flipped_bit_further_inside_is_refused_with_the_records_number() {
    for index in 0..4 {
        for bit in 0..raws(5)[index].value.len() * 8 {
            let mut raws = raws(5);
            let damaged = raws[index].seq;
            flip(&mut raws, index, bit);
            let refused = surveyed(raws).unwrap_err();
            assert!(matches!(refused, Error::Damaged { seq, .. } if seq == damaged), "bit {bit}: {refused:?}");
        }
    }
}

#[test]
fn a_last_record_cut_short_anywhere_is_a_torn_tail() {
    for length in 0..raws(3)[2].value.len() {
        let mut raws = raws(3);
        raws[2].value.truncate(length);
        let survey = surveyed(raws).unwrap();
        assert_eq!((survey.head.seq, survey.torn.as_slice()), (Seq(2), [Seq(3)].as_slice()), "{length} bytes");
    }
}

#[test]
fn several_torn_records_at_the_end_are_one_tail() {
    let mut raws = raws(6);
    raws.remove(3);
    raws[3].value.truncate(40);
    raws[4].value.truncate(10);
    let survey = surveyed(raws).unwrap();
    assert_eq!((survey.head.seq, survey.torn.as_slice()), (Seq(3), [Seq(5), Seq(6)].as_slice()));
}

#[test]
fn a_hole_before_whole_records_is_damage() {
    for hole in 0..5 {
        let mut raws = raws(6);
        let missing = raws.remove(hole).seq;
        let refused = surveyed(raws).unwrap_err();
        assert!(matches!(refused, Error::Damaged { seq, .. } if seq == missing), "{refused:?}");
    }
}

#[test]
fn an_intact_record_of_the_future_is_never_cut_off() {
    let mut raws = raws(3);
    let (before, _) = raws[1].split().unwrap();
    let mut bytes = raws[2].split().unwrap().1.to_vec();
    bytes[0] = 9;
    raws[2].value = [before.then(&bytes).0.to_vec(), bytes].concat();
    let refused = surveyed(raws).unwrap_err();
    assert!(matches!(refused, Error::TooNew { found: 9, .. }), "{refused:?}");
}
