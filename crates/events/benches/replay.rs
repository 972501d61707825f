//! How fast a log is read back: events per second of scan, decode and fold on one core, and the time from a closed log
//! to its state by a snapshot and 10,000 events.
//!
//! Beside the log, in the same run: plain sled iterated without looking at the values, and a plain file of
//! length-prefixed records, decoded.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark stops at the first failure; criterion's macros")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    hint::black_box,
    io::{BufReader, Read, Write},
    path::Path,
    time::Duration,
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ramen_events::{
    Aggregate, Controller, Payload, Position, Record, Seq,
    capture::{self, Reader},
    disk::{Check, Options, SledLog},
    log::{Batch, EventLog, History, Stored},
    stored,
};
use support::{options, record};

/// Records of the log that is read.
const RECORDS: u64 = 200_000;
/// Records after the snapshot.
const TAIL: u64 = 10_000;
/// Aggregates that the records are about.
const AGGREGATES: u64 = 200;
/// Bytes of the saved state: some hundred DRPCs.
const STATE: usize = 2 << 20;

/// A fold in the manner of the projector's: where each aggregate stands, and what is in flight.
#[derive(Default)]
struct State {
    positions: BTreeMap<Aggregate, Position>,
    finished: BTreeMap<(Aggregate, String), u64>,
    timers: u64,
    head: Seq,
}

impl State {
    fn apply(&mut self, record: Record) {
        self.head = record.seq;
        let Some(aggregate) = record.aggregate else { return };
        match record.payload {
            Payload::Moved(position) => {
                self.positions.insert(aggregate, position);
            }
            Payload::Finished { slot, .. } => *self.finished.entry((aggregate, slot)).or_default() += 1,
            _ => self.timers += 1,
        }
    }
}

fn nth(seq: u64) -> Record {
    let aggregate = Aggregate::new(Controller::Drpc, "applications", format!("application-{}", seq % AGGREGATES));
    Record { aggregate: Some(aggregate), ..record(seq) }
}

fn fold(log: &dyn History, from: Seq) -> State {
    let mut state = State::default();
    log.scan(from).for_each(|entry| state.apply(entry.unwrap().0));
    state
}

fn fill(dir: &Path) {
    let log = SledLog::open(dir, &options()).unwrap();
    for first in (1..=RECORDS).step_by(1000) {
        log.append(Batch::of_records((first..first + 1000).map(nth).collect(), Vec::new())).unwrap();
    }
    let state: Vec<u8> = (0_u64..).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes()).take(STATE).collect();
    log.save_snapshot(Seq(RECORDS - TAIL), 1, &state).unwrap();
}

fn replay(c: &mut Criterion) {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (logged, captured, plain) = (dir.path().join("log"), dir.path().join("it.ramenlog"), dir.path().join("plain"));
    fill(&logged);
    let log = SledLog::open_for_reading(&logged).unwrap();
    let records: Vec<Stored> = log.stored(Seq(1)).map(Result::unwrap).collect();
    capture::write_file(&log, Seq(1), Seq(RECORDS), &captured).unwrap();
    let mut file = File::create(&plain).unwrap();
    for stored in &records {
        file.write_all(&u32::try_from(stored.bytes.len()).unwrap().to_le_bytes()).unwrap();
        file.write_all(&stored.bytes).unwrap();
    }
    let bytes: usize = records.iter().map(|stored| stored.bytes.len()).sum();
    eprintln!("a record has {} bytes on average", bytes / records.len());

    let mut group = c.benchmark_group("replay");
    group.throughput(Throughput::Elements(RECORDS)).sample_size(10).measurement_time(Duration::from_secs(6));
    group.bench_function("decode and fold", |b| {
        b.iter(|| {
            let mut state = State::default();
            records.iter().for_each(|stored| state.apply(stored.record().unwrap()));
            state
        });
    });
    group.bench_function("log: scan, check the chain, decode and fold", |b| b.iter(|| fold(&log, Seq(1))));
    group.bench_function("log: scan, check the chain", |b| b.iter(|| log.stored(Seq(1)).map(Result::unwrap).count()));
    let reader = Reader::open(&captured).unwrap();
    group.bench_function("capture: read, check the chain, decode and fold", |b| b.iter(|| fold(&reader, Seq(1))));
    group.bench_function("capture: open, check every bit", |b| b.iter(|| Reader::open(&captured).unwrap()));
    drop(log);
    let db = sled::open(logged.join("store")).unwrap();
    group.bench_function("plain sled: iterate", |b| {
        b.iter(|| db.scan_prefix(b"r").map(|entry| black_box(entry.unwrap()).1.len()).sum::<usize>());
    });
    drop(db);
    group.bench_function("plain file: read, decode and fold", |b| {
        b.iter(|| {
            let mut input = BufReader::with_capacity(1 << 16, File::open(&plain).unwrap());
            let (mut state, mut length, mut bytes) = (State::default(), [0; 4], Vec::new());
            while input.read_exact(&mut length).is_ok() {
                bytes.resize(u32::from_le_bytes(length) as usize, 0);
                input.read_exact(&mut bytes).unwrap();
                state.apply(stored::decode(&bytes).unwrap());
            }
            state
        });
    });
    group.finish();

    let mut group = c.benchmark_group("recover");
    group.sample_size(10).measurement_time(Duration::from_secs(6));
    let quick = Options { check: Check::SinceSnapshot, ..options() };
    let recover = |options: &Options| {
        let log = SledLog::open(&logged, options).unwrap();
        let snapshot = log.latest_snapshot(1).unwrap().unwrap();
        let state = fold(&log, snapshot.seq.next());
        assert_eq!((snapshot.bytes.len(), state.head), (STATE, Seq(RECORDS)));
    };
    let size = fs::read_dir(logged.join("store")).unwrap().map(|file| file.unwrap().metadata().unwrap().len());
    eprintln!("the log of {RECORDS} records has {} MB on disk", size.sum::<u64>() >> 20);
    group.bench_function("open, read snapshot, fold 10,000 events", |b| b.iter(|| recover(&quick)));
    group.bench_function("open with all 200,000 checked, read snapshot, fold 10,000 events", |b| {
        b.iter(|| recover(&options()));
    });
    let log = SledLog::open(&logged, &quick).unwrap();
    group.bench_function("of an open log: read snapshot, fold 10,000 events", |b| {
        b.iter(|| (log.latest_snapshot(1).unwrap(), fold(&log, Seq(RECORDS - TAIL + 1))));
    });
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
