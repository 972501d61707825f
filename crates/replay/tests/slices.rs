//! Captures of parts of logs, and of logs that are in use.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use ramen_events::{
    Payload, Record, Seq,
    capture::Reader,
    disk::{Options, SledLog},
    log::{Batch, EventLog, History},
};
use support::{complaint, fixture, replay, said};

fn records(name: &str) -> Vec<Record> {
    let capture = Reader::open(&fixture(name)).expect("a capture");
    capture.scan(Seq(1)).map(|record| record.expect("a whole capture").0).collect()
}

/// Takes a slice of a recorded log, and hands back the reader of it.
fn slice(name: &str, folder: &Path, options: &str) -> (Reader, String) {
    let file = folder.join(format!("{name}.ramenlog"));
    said(&format!("capture {name}.ramenlog {} {options}", file.display()));
    (Reader::open(&file).expect("a slice is a whole capture"), file.display().to_string())
}

#[test]
fn a_slice_from_any_record_on_is_decided_again_like_the_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["story-hub", "story-c1", "chaos-5-c2"] {
        let all = records(name);
        let whole = Reader::open(&fixture(name)).expect("a capture");
        for from in (2..all.len() as u64).step_by(23) {
            let (reader, file) = slice(name, folder.path(), &format!("--from {from}"));
            let first = reader.header().first;
            assert!(first <= Seq(from) && from - first.0 < 20, "{name}: {first} for {from}");
            assert!(all.get(first.0 as usize - 1).is_some_and(|record| record.payload.is_input()), "{name}: {first}");
            assert_eq!(reader.head().hash, whole.head().hash, "{name}: the chain ends as that of the whole log");
            let verdict = said(&format!("verify {file}"));
            assert!(verdict.starts_with("same"), "{name} from {from}: {verdict}");
        }
    }
}

#[test]
fn a_slice_of_an_application_holds_all_that_concerns_it_and_says_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let (hub, file) = slice("chaos-5-hub", folder.path(), "--drpc apps/app-001 --since 23:46:45");
    let whole = records("chaos-5-hub");
    assert!(hub.header().records() < whole.len() as u64);
    let concerned =
        whole.iter().filter(|record| record.aggregate.as_ref().is_some_and(|a| a.to_string() == "drpc/apps/app-001"));
    let since = hub.header().before_stamp;
    for record in concerned.filter(|record| record.stamp > since) {
        assert!(record.seq <= hub.header().last, "{} is missing", record.seq);
    }
    let at = hub.header().first.0 + 20;
    let of_slice = said(&format!("state {file} --at {at}"));
    assert_eq!(of_slice, said(&format!("state chaos-5-hub.ramenlog --at {at}")), "the state is that of the whole log");
    let (_, c2) = slice("chaos-5-c2", folder.path(), "--drpc apps/app-001 --since 23:46:45");
    assert!(said(&format!("verify {c2}")).starts_with("same"));
    let audit = said(&format!("audit {file} {c2} --drpc apps/app-001"));
    assert!(audit.contains("failover from c1 to c2") && audit.contains("records 1 to "), "{audit}");
}

#[test]
fn any_flipped_bit_of_a_slice_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, file) = slice("story-c1", folder.path(), "--from 100 --to 140");
    let whole = fs::read(&file).expect("the slice");
    for place in (0..whole.len() * 8).step_by(whole.len() * 8 / 61) {
        let mut bytes = whole.clone();
        bytes[place / 8] ^= 1 << (place % 8);
        fs::write(&file, bytes).expect("a file can be written");
        assert_eq!(replay(&format!("verify {file}")).status.code(), Some(2), "bit {place}");
    }
}

#[test]
fn slices_of_what_is_not_there_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("none.ramenlog");
    for options in
        ["--from 900", "--to 0", "--from 20 --to 10", "--drpc apps/nobody", "--since 23:59", "--drpc app-000"]
    {
        let output = replay(&format!("capture story-hub.ramenlog {} {options}", file.display()));
        assert_eq!(output.status.code(), Some(64), "{options}: {}", complaint(&output));
        assert!(!file.exists(), "{options}");
    }
    let (_, part) = slice("story-hub", folder.path(), "--from 100");
    let output = replay(&format!("state {part} --at 50"));
    assert_eq!(output.status.code(), Some(64), "{}", complaint(&output));
}

/// A log that is open in this process, with the first records of a recorded one.
fn running(folder: &Path, count: usize) -> (SledLog, Vec<Record>) {
    let mut all = records("story-hub");
    let owner = Reader::open(&fixture("story-hub")).expect("a capture").header().owner.clone().expect("an owner");
    let log = SledLog::open(folder, &Options::new(owner)).expect("a fresh log");
    let rest = all.split_off(count);
    log.append(Batch::of_records(all, Vec::new())).expect("records can be appended");
    (log, rest)
}

fn listing(folder: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut all: Vec<_> = entries
        .map(|entry| (entry.path().display().to_string(), entry.metadata().map_or(0, |meta| meta.len())))
        .collect();
    all.sort();
    all
}

#[test]
fn a_log_in_use_is_captured_without_touching_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, rest) = running(folder.path(), 200);
    let before = listing(folder.path());
    let file = folder.path().with_extension("ramenlog");
    let told = said(&format!("capture {} {}", folder.path().display(), file.display()));
    assert!(told.contains("200 records"), "{told}");
    assert_eq!(Reader::open(&file).expect("a capture").head().hash, log.head().hash);
    assert_eq!(listing(folder.path()), before);
    log.append(Batch::of_records(rest, Vec::new())).expect("the log goes on");
    fs::remove_file(file).expect("it is there");
}

#[test]
fn new_records_are_shown_as_they_are_appended() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, rest) = running(folder.path(), 150);
    let mut child = Command::new(env!("CARGO_BIN_EXE_ramen-replay"))
        .args(["show", "--follow", "--interval", "0.05", "-o", "json", "--kind", "Moved"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ramen-replay starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut expect = |wanted: &mut dyn Iterator<Item = Seq>| {
        for seq in wanted {
            let line = lines.next().expect("it goes on").expect("a line");
            let line: serde_json::Value = serde_json::from_str(&line).expect("a line is JSON");
            assert_eq!(line["seq"].as_u64(), Some(seq.0));
        }
    };
    let is_moved = |record: &&Record| matches!(record.payload, Payload::Moved(_));
    let old = records("story-hub").into_iter().take(150).collect::<Vec<_>>();
    expect(&mut old.iter().filter(is_moved).map(|record| record.seq));
    // Whatever is appended while it reads shows with the next look.
    for part in rest.chunks(60) {
        log.append(Batch::of_records(part.to_vec(), Vec::new())).expect("the log goes on");
        expect(&mut part.iter().filter(is_moved).map(|record| record.seq));
    }
    child.kill().expect("it still runs");
    child.wait().expect("it ends");
}
