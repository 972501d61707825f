//! Durable appends per second, by 1, 16 and 256 writers that each wait for their own record.
//!
//! Beside the log, in the same run and on the same file system: plain sled (insert, then `flush`, which on Linux issues
//! no full fsync), sled with the fdatasync that it leaves out, a plain file (each writer writes, then calls fdatasync),
//! and a plain file with the log's own way of sharing syncs.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark stops at the first failure; criterion's macros")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    fs::File,
    io::Write,
    sync::{
        Barrier, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ramen_events::{
    disk::SledLog,
    log::{Batch, EventLog},
    stored,
};
use support::{draft, options, record};
use tempfile::TempDir;

/// A directory on a real disk: `/tmp` may be memory.
fn directory() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// How long `count` calls take when `writers` threads make them, each one after the other.
fn time(writers: u64, count: u64, call: impl Fn(u64) + Sync) -> Duration {
    let each = count.div_ceil(writers);
    let barrier = Barrier::new(usize::try_from(writers).unwrap() + 1);
    let (barrier, call) = (&barrier, &call);
    let took = thread::scope(|scope| {
        for writer in 0..writers {
            scope.spawn(move || {
                barrier.wait();
                (0..each).for_each(|n| call(writer * each + n));
                barrier.wait();
            });
        }
        barrier.wait();
        let start = Instant::now();
        barrier.wait();
        start.elapsed()
    });
    took.mul_f64(count as f64 / (each * writers) as f64)
}

/// A plain file whose writers share syncs: whoever finds nobody syncing writes and syncs for all who wait.
struct SharedFile {
    file: File,
    state: Mutex<Shared>,
    synced: Condvar,
}

#[derive(Default)]
struct Shared {
    waiting: Vec<u8>,
    taken: u64,
    durable: u64,
    busy: bool,
}

impl SharedFile {
    fn append(&self, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap();
        state.waiting.extend_from_slice(bytes);
        state.taken += 1;
        let mine = state.taken;
        while state.durable < mine {
            if state.busy {
                state = self.synced.wait(state).unwrap();
                continue;
            }
            state.busy = true;
            let (group, upto) = (std::mem::take(&mut state.waiting), state.taken);
            drop(state);
            (&self.file).write_all(&group).unwrap();
            self.file.sync_data().unwrap();
            state = self.state.lock().unwrap();
            state.busy = false;
            state.durable = upto;
            self.synced.notify_all();
        }
    }
}

fn append(c: &mut Criterion) {
    let bytes = stored::encode(&record(1)).unwrap();
    for writers in [1, 16, 256] {
        let mut group = c.benchmark_group(format!("append, {writers} writers"));
        group.throughput(Throughput::Elements(1)).sample_size(20);
        group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));

        let dir = directory();
        let log = SledLog::open(dir.path(), &options()).unwrap();
        group.bench_function(BenchmarkId::from_parameter("log"), |b| {
            b.iter_custom(|count| {
                time(writers, count, |n| {
                    log.append(Batch::of_drafts([draft(n)])).unwrap();
                })
            });
        });
        drop(log);

        let file = File::create(dir.path().join("plain")).unwrap();
        group.bench_function(BenchmarkId::from_parameter("plain file, write and fdatasync"), |b| {
            b.iter_custom(|count| {
                time(writers, count, |_| {
                    (&file).write_all(&bytes).unwrap();
                    file.sync_data().unwrap();
                })
            });
        });

        let file = File::create(dir.path().join("shared")).unwrap();
        let file = SharedFile { file, state: Mutex::default(), synced: Condvar::new() };
        group.bench_function(BenchmarkId::from_parameter("plain file, shared fdatasync"), |b| {
            b.iter_custom(|count| time(writers, count, |_| file.append(&bytes)));
        });

        for sync in [false, true] {
            let path = dir.path().join(format!("sled-{sync}"));
            let db = sled::Config::new().path(&path).open().unwrap();
            let file = File::open(path.join("db")).unwrap();
            let next = AtomicU64::new(0);
            let name = if sync { "sled, flush and fdatasync" } else { "sled, flush" };
            group.bench_function(BenchmarkId::from_parameter(name), |b| {
                b.iter_custom(|count| {
                    time(writers, count, |_| {
                        let key = next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                        db.insert(key, bytes.as_slice()).unwrap();
                        db.flush().unwrap();
                        if sync {
                            file.sync_data().unwrap();
                        }
                    })
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, append);
criterion_main!(benches);
