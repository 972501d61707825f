//! Logs whose files were lost, cut or changed behind their back, and logs opened by the wrong process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test helpers")]

mod support;

use std::{fs, os::unix::fs::FileExt, path::Path, thread};

use ramen_events::{
    BlobId, ClusterName, Epoch, Operator, Record, Seq,
    disk::{Check, Options, SledLog},
    log::{Batch, Damage, Error, EventLog, History, Owner},
};
use rstest::rstest;
use support::{options, records};
use tempfile::TempDir;

/// A closed log with this many records.
fn closed_log(last: u64) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), 1, last);
    dir
}

fn append(dir: &Path, from: u64, to: u64) {
    let log = SledLog::open(dir, &options()).unwrap();
    log.append(Batch::of_records(records(from, to), vec![b"a volume".to_vec()])).unwrap();
}

fn read(log: &SledLog) -> Vec<Record> {
    log.scan(Seq(1)).map(|entry| entry.unwrap().0).collect()
}

/// sled's threads may hold the file a moment longer than the log was open.
fn open_store(dir: &Path) -> sled::Db {
    (0..100_000).find_map(|_| sled::open(dir.join("store")).ok()).expect("the store can be opened")
}

/// Works on the store of a closed log, behind the log's back.
fn in_store<T>(dir: &Path, work: impl FnOnce(&sled::Db) -> T) -> T {
    let db = open_store(dir);
    let result = work(&db);
    db.flush().unwrap();
    result
}

fn key(seq: u64) -> Vec<u8> {
    [b"r".as_slice(), &seq.to_be_bytes(), &[0, 0]].concat()
}

/// Flips one bit of a stored record.
fn flip(dir: &Path, seq: u64, bit: usize) {
    in_store(dir, |db| {
        let mut value = db.get(key(seq)).unwrap().unwrap().to_vec();
        value[bit / 8] ^= 1 << (bit % 8);
        db.insert(key(seq), value).unwrap();
    });
}

fn remove(dir: &Path, seqs: impl IntoIterator<Item = u64>) {
    in_store(dir, |db| seqs.into_iter().for_each(|seq| drop(db.remove(key(seq)).unwrap())));
}

#[rstest]
#[case::in_its_hash(3)]
#[case::in_its_bytes(300)]
fn a_torn_last_record_is_cut_off_and_reported_and_the_log_goes_on(#[case] bit: usize) {
    let dir = closed_log(9);
    flip(dir.path(), 9, bit);

    let reading = SledLog::open_for_reading(dir.path()).unwrap();
    assert_eq!((reading.recovered().cut, reading.recovered().lost), (1, 1), "reading reports it as well");
    assert_eq!(read(&reading), records(1, 8));
    drop(reading);
    let log = SledLog::open(dir.path(), &options()).unwrap();
    assert_eq!((log.recovered().cut, log.recovered().lost, log.recovered().checked), (1, 1, 8));
    assert_eq!(read(&log), records(1, 8));
    log.append(Batch::of_records(records(9, 12), Vec::new())).unwrap();
    drop(log);
    let log = SledLog::open(dir.path(), &options()).unwrap();
    assert_eq!((log.recovered().cut, log.recovered().lost), (0, 0));
    assert_eq!(read(&log), records(1, 12));
}

#[test]
fn a_lost_tail_is_reported() {
    let dir = closed_log(9);
    remove(dir.path(), [7, 8, 9]);
    for _ in 0..2 {
        let refused = SledLog::open(dir.path(), &Options { refuse_lost: true, ..options() });
        assert!(matches!(refused, Err(Error::Lost { records: 3, after: Seq(6) })), "again and again: {refused:?}");
    }
    let log = SledLog::open(dir.path(), &options()).unwrap();
    assert_eq!((log.recovered().cut, log.recovered().lost), (0, 3));
    assert_eq!(read(&log), records(1, 6));
}

#[test]
fn damage_further_inside_is_refused_and_nothing_is_changed() {
    for (seq, bit) in [(1, 0), (4, 300), (8, 7), (8, 300)] {
        let dir = closed_log(9);
        flip(dir.path(), seq, bit);
        for refused in
            [SledLog::open(dir.path(), &options()).unwrap_err(), SledLog::open_for_reading(dir.path()).unwrap_err()]
        {
            assert!(matches!(refused, Error::Damaged { seq: Seq(named), .. } if named == seq), "{refused:?}");
            assert_eq!(refused.to_string(), format!("record {seq} of the log is damaged"));
            assert!(refused.remedy().contains("evidence"));
        }
        flip(dir.path(), seq, bit);
        assert_eq!(read(&SledLog::open(dir.path(), &options()).unwrap()), records(1, 9));
    }
}

#[test]
fn a_record_that_is_missing_inside_is_damage() {
    let dir = closed_log(9);
    remove(dir.path(), [4, 5]);
    let refused = SledLog::open(dir.path(), &options()).unwrap_err();
    assert!(matches!(refused, Error::Damaged { seq: Seq(4), damage: Damage::Missing }), "{refused:?}");
}

#[test]
fn another_past_under_the_same_numbers_is_noticed() {
    let (dir, other) = (closed_log(9), tempfile::tempdir().unwrap());
    let log = SledLog::open(other.path(), &options()).unwrap();
    let mut forged = records(1, 9);
    forged[2].aggregate = None;
    log.append(Batch::of_records(forged, Vec::new())).unwrap();
    drop(log);
    fs::remove_dir_all(dir.path().join("store")).unwrap();
    fs::rename(other.path().join("store"), dir.path().join("store")).unwrap();
    let refused = SledLog::open(dir.path(), &options()).unwrap_err();
    assert!(matches!(refused, Error::Damaged { seq: Seq(9), damage: Damage::Replaced }), "{refused:?}");
}

#[test]
fn damage_before_the_newest_snapshot_shows_when_it_is_read() {
    let dir = closed_log(9);
    let log = SledLog::open(dir.path(), &options()).unwrap();
    log.save_snapshot(Seq(6), 1, b"the state at 6").unwrap();
    drop(log);
    flip(dir.path(), 3, 300);

    let quick = Options { check: Check::SinceSnapshot, ..options() };
    let log = SledLog::open(dir.path(), &quick).unwrap();
    assert_eq!(log.recovered().checked, 3);
    assert_eq!(log.latest_snapshot(1).unwrap().unwrap().bytes, b"the state at 6");
    assert_eq!(log.scan(Seq(7)).map(|entry| entry.unwrap().0).collect::<Vec<_>>(), records(7, 9));
    let all: Vec<_> = log.scan(Seq(1)).collect();
    assert_eq!(all.len(), 3, "two records and the damage");
    assert!(matches!(all[2], Err(Error::Damaged { seq: Seq(3), .. })));
    assert!(matches!(log.verify(), Err(Error::Damaged { seq: Seq(3), .. })));
}

#[test]
fn a_damaged_snapshot_gives_way_to_the_one_before_it() {
    let dir = closed_log(9);
    let log = SledLog::open(dir.path(), &options()).unwrap();
    log.save_snapshot(Seq(4), 1, b"the state at 4").unwrap();
    log.save_snapshot(Seq(8), 1, b"the state at 8").unwrap();
    drop(log);
    in_store(dir.path(), |db| {
        let (key, value) = db.scan_prefix(b"s").last().unwrap().unwrap();
        let mut value = value.to_vec();
        *value.last_mut().unwrap() ^= 1;
        db.insert(key, value).unwrap();
    });
    let log = SledLog::open(dir.path(), &options()).unwrap();
    assert_eq!(log.latest_snapshot(1).unwrap().unwrap().bytes, b"the state at 4");
}

#[test]
fn a_snapshot_ahead_of_a_lost_tail_is_not_used() {
    let dir = closed_log(9);
    let log = SledLog::open(dir.path(), &options()).unwrap();
    log.save_snapshot(Seq(4), 1, b"the state at 4").unwrap();
    log.save_snapshot(Seq(9), 1, b"the state at 9").unwrap();
    drop(log);
    remove(dir.path(), [8, 9]);
    let quick = Options { check: Check::SinceSnapshot, ..options() };
    let log = SledLog::open(dir.path(), &quick).unwrap();
    assert_eq!((log.recovered().lost, log.head().seq), (2, Seq(7)));
    assert_eq!(log.latest_snapshot(1).unwrap().unwrap().bytes, b"the state at 4");
    let mut others = records(8, 9);
    others[1].aggregate = None;
    log.append(Batch::of_records(others, Vec::new())).unwrap();
    assert_eq!(log.latest_snapshot(1).unwrap().unwrap().seq, Seq(4), "it is of a past that did not last");
}

#[test]
fn a_damaged_blob_is_not_handed_out() {
    let dir = closed_log(3);
    in_store(dir.path(), |db| {
        let (key, value) = db.scan_prefix(b"b").next().unwrap().unwrap();
        let mut value = value.to_vec();
        *value.last_mut().unwrap() ^= 1;
        db.insert(key, value).unwrap();
    });
    let log = SledLog::open(dir.path(), &options()).unwrap();
    let id = BlobId::of(b"a volume");
    assert!(matches!(log.blob(id), Err(Error::DamagedBlob { id: found }) if found == id));
}

#[test]
fn bits_that_flip_in_the_stores_own_file_never_change_a_record_unnoticed() {
    let dir = closed_log(40);
    append(dir.path(), 41, 80);
    let store = dir.path().join("store/db");
    let intact = fs::read(&store).unwrap();
    let files = || fs::read_dir(dir.path().join("store")).unwrap().map(|file| file.unwrap().path());
    let snapshots: Vec<_> = files().filter(|path| path.to_string_lossy().contains("snap.")).collect();
    let snapshots: Vec<_> = snapshots.iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    let mark = fs::read(dir.path().join("head")).unwrap();
    let used = intact.iter().rposition(|byte| *byte != 0).unwrap();
    let mut chance = 7_u64;
    let (mut refused, mut shortened, mut whole) = (0, 0, 0);
    for _ in 0..60 {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (chance >> 20) as usize % used;
        let file = fs::File::options().write(true).open(&store).unwrap();
        file.write_all_at(&[intact[at] ^ (1 << (chance >> 60 & 7))], at as u64).unwrap();
        match SledLog::open(dir.path(), &options()) {
            Err(_) => refused += 1,
            Ok(log) => {
                let left = read(&log);
                assert_eq!(left, records(1, left.len() as u64), "what is there is the beginning of what was written");
                assert_eq!(log.recovered().lost, 80 - left.len() as u64, "and what is not there is told");
                if left.len() < 80 { shortened += 1 } else { whole += 1 }
            }
        }
        // Everything as it was before.
        files().filter(|path| path.to_string_lossy().contains("snap.")).for_each(|path| fs::remove_file(path).unwrap());
        snapshots.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
        fs::write(&store, &intact).unwrap();
        fs::write(dir.path().join("head"), &mark).unwrap();
    }
    assert!(refused + shortened > 0, "{refused} refused, {shortened} shortened, {whole} unharmed");
    assert_eq!(read(&SledLog::open(dir.path(), &options()).unwrap()), records(1, 80));
}

#[test]
fn a_log_is_open_in_one_process_at_a_time() {
    let dir = closed_log(1);
    let log = SledLog::open(dir.path(), &options()).unwrap();
    for refused in
        [SledLog::open(dir.path(), &options()).unwrap_err(), SledLog::open_for_reading(dir.path()).unwrap_err()]
    {
        match &refused {
            Error::Locked { holder, .. } => assert_eq!(*holder, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        assert!(refused.to_string().contains("is open in another process"));
    }
    drop(log);
    SledLog::open(dir.path(), &options()).unwrap();
}

#[test]
fn a_store_that_is_still_being_closed_is_waited_for() {
    let dir = closed_log(3);
    let store = open_store(dir.path());
    thread::scope(|scope| {
        let opening = scope.spawn(|| SledLog::open(dir.path(), &options()).map(|log| read(&log)));
        drop(store);
        assert_eq!(opening.join().unwrap().unwrap(), records(1, 3));
    });
}

#[test]
fn a_log_belongs_to_one_operator() {
    let dir = closed_log(1);
    let stranger = Owner { operator: Operator::Spoke, cluster: ClusterName::from("c1") };
    let refused = SledLog::open(dir.path(), &Options::new(stranger)).unwrap_err();
    assert!(refused.to_string().ends_with("belongs to the hub operator on hub, not to the operator of cluster c1"));
}

#[test]
fn a_log_of_the_future_is_left_alone() {
    let dir = closed_log(1);
    in_store(dir.path(), |db| drop(db.insert(b"mformat", &7_u32.to_le_bytes()).unwrap()));
    let refused = SledLog::open(dir.path(), &options()).unwrap_err();
    assert!(matches!(refused, Error::TooNew { found: 7, known: 1 }), "{refused:?}");
}

#[test]
fn opening_for_reading_leaves_no_trace() {
    let dir = closed_log(3);
    let log = SledLog::open_for_reading(dir.path()).unwrap();
    assert_eq!(read(&log), records(1, 3));
    let refused = log.append(Batch::of_records(records(4, 4), Vec::new())).unwrap_err();
    assert!(matches!(refused, Error::ReadOnly), "{refused:?}");
    assert!(matches!(log.save_snapshot(Seq(3), 1, b"state"), Err(Error::ReadOnly)));
    drop(log);
    assert_eq!(SledLog::open(dir.path(), &options()).unwrap().epoch(), Epoch(2));
}

#[test]
fn where_there_is_no_log_none_is_made_for_reading() {
    let dir = tempfile::tempdir().unwrap();
    let refused = SledLog::open_for_reading(dir.path()).unwrap_err();
    assert!(matches!(refused, Error::NoLog { .. }), "{refused:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn an_epoch_is_never_used_twice_even_if_the_store_forgets_it() {
    let dir = closed_log(1);
    append(dir.path(), 2, 2);
    in_store(dir.path(), |db| drop(db.remove(b"mepoch").unwrap()));
    assert_eq!(SledLog::open(dir.path(), &options()).unwrap().epoch(), Epoch(3));
}
