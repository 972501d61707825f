//! A process that writes is killed at any moment, again and again: what it was told is durable stays, what it was not
//! told is there whole or not at all, and the log goes on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test helpers")]

mod support;

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use ramen_events::{
    BlobId, Cause, Seq,
    disk::SledLog,
    log::{Batch, EventLog, History},
};
use support::{draft, options};

const DIR: &str = "RAMEN_EVENTS_CRASH_DIR";
const RUN: &str = "RAMEN_EVENTS_CRASH_RUN";
const WRITERS: u64 = 8;

/// The records of one batch name it: run, writer, count.
fn batch_name(run: u64, writer: u64, n: u64) -> u64 {
    (run * WRITERS + writer) * 1_000_000 + n
}

fn blob(name: u64) -> Vec<u8> {
    format!("the volume of batch {name}, ").repeat(300).into_bytes()
}

/// What is killed. Started by the test below, in a process of its own; does nothing otherwise.
#[test]
fn child_that_writes_until_it_is_killed() {
    let (Ok(dir), Ok(run)) = (env::var(DIR), env::var(RUN)) else { return };
    let run: u64 = run.parse().unwrap();
    let log = SledLog::open(Path::new(&dir), &options()).unwrap();
    say(&format!("opened {} {} {}", log.epoch(), log.recovered().cut, log.recovered().lost));
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let log = &log;
            scope.spawn(move || {
                for n in 0.. {
                    let name = batch_name(run, writer, n);
                    let size = 1 + n % 5;
                    let mut batch = Batch::of_drafts((0..size).map(|_| draft(name)));
                    if n % 7 == 0 {
                        batch.blobs.push(blob(name));
                    }
                    let range = log.append(batch).unwrap();
                    say(&format!("ack {name} {} {}", range.start, range.end));
                    if n % 50 == 49 {
                        log.save_snapshot(Seq(range.end.0 - 1), 1, &blob(name)).unwrap();
                    }
                }
            });
        }
    });
}

/// One line, at once, past the test harness's capturing.
fn say(line: &str) {
    std::io::stderr().lock().write_all(format!("{line} .\n").as_bytes()).unwrap();
}

fn start(dir: &Path, run: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "child_that_writes_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .env(RUN, run.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn nothing_acknowledged_is_lost_to_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut total = 0;
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    let mut last_head = 0;
    for run in 0..10 {
        // Batch -> the numbers it was told.
        let mut acknowledged: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let lines_to_live = 1 + (chance >> 33) % 400;
        let mut child = start(dir.path(), run);
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut note = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["opened", epoch, "0", "0", "."] => {
                    assert_eq!(epoch.parse(), Ok(2 * run + 1), "each opening has its epoch")
                }
                ["ack", name, start, end, "."] => {
                    acknowledged.insert(name.parse().unwrap(), (start.parse().unwrap(), end.parse().unwrap()));
                }
                _ => panic!("the child says: {line}"),
            }
        };
        let mut lines = lines.map(Result::unwrap);
        lines.by_ref().take(usize::try_from(lines_to_live).unwrap()).for_each(|line| note(&line));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it still said before it died counts as well, but for a last line that was cut off.
        for line in lines.filter(|line| line.ends_with(" .")) {
            note(&line);
        }

        let log = SledLog::open(dir.path(), &options()).unwrap();
        assert_eq!((log.recovered().cut, log.recovered().lost), (0, 0), "after run {run}");
        let mut batches: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for entry in log.scan(Seq(last_head + 1)) {
            let (record, _) = entry.unwrap();
            let Cause::Local(Seq(name)) = record.cause else { panic!("not one of ours") };
            batches.entry(name).or_default().push(record.seq.0);
        }
        for (name, seqs) in &batches {
            let n = name % 1_000_000;
            let first = seqs[0];
            assert_eq!(*seqs, (first..first + 1 + n % 5).collect::<Vec<_>>(), "batch {name} is whole");
            if n % 7 == 0 {
                assert_eq!(log.blob(BlobId::of(&blob(*name))).unwrap(), Some(blob(*name)), "with its blob");
            }
        }
        for (name, (start, end)) in &acknowledged {
            assert_eq!(batches.get(name).map(|seqs| (seqs[0], seqs[0] + seqs.len() as u64)), Some((*start, *end)));
        }
        for name in log.snapshots().unwrap() {
            assert!(log.snapshot(name).unwrap().is_some(), "a saved state is whole");
        }
        let head = log.head().seq.0;
        assert!(head > last_head, "run {run} added something");
        last_head = head;
        total += acknowledged.len();
    }
    assert!(total > 100, "{total} batches were acknowledged: the test saw too little");
    SledLog::open_for_reading(dir.path()).unwrap().verify().unwrap();
}
