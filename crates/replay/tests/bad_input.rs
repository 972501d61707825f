//! Files that are damaged, cut off, or something else: what the reading commands say.
#![allow(clippy::expect_used, reason = "helpers of a test may fail it")]

mod support;

use std::{fs, path::Path, process::Output};

use ramen_events::{
    Seq,
    capture::{self, Reader},
    log::{Batch, EventLog, History, MemoryLog},
};
use support::{complaint, fixture, replay};

/// All reading commands, for one file.
fn commands(file: &Path) -> [String; 6] {
    let file = file.display();
    [
        format!("show {file}"),
        format!("timeline {file}"),
        format!("state {file}"),
        format!("diff {file} {file}"),
        format!("why app-000 {file}"),
        format!("audit {file}"),
    ]
}

fn refused(contents: &[u8], word: &str) -> Vec<Output> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bad.ramenlog");
    fs::write(&file, contents).expect("a file can be written");
    let refused = |command: String| {
        let output = replay(&command);
        let said = complaint(&output);
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        assert!(said.contains(word) && said.contains("bad.ramenlog"), "{command}: no {word:?} in: {said}");
        assert_eq!(said.lines().count(), 1, "{command}: one line says it: {said}");
        assert!(output.stdout.is_empty(), "{command}: nothing is shown of it");
        output
    };
    commands(&file).into_iter().map(refused).collect()
}

#[test]
fn each_kind_of_bad_file_has_words_of_its_own() {
    let whole = fs::read(fixture("story-hub")).expect("a recorded log");
    refused(b"", "not a capture file");
    refused(b"apiVersion: v1\nkind: List\n", "not a capture file");
    refused(&whole[..10], "cut off in its header");
    let mut newer = whole.clone();
    newer[8] = 7;
    refused(&newer, "has format 7");
    // There is no format before 1.
    let mut older = whole.clone();
    older[8] = 0;
    refused(&older, "damaged in its header");
    let cut = refused(&whole[..whole.len() / 2], "cut off in record");
    assert!(complaint(&cut[0]).contains("--salvage shows the"), "{}", complaint(&cut[0]));
    let mut flipped = whole.clone();
    flipped[whole.len() * 3 / 4] ^= 4;
    refused(&flipped, "damaged in record");
}

#[test]
fn what_is_intact_is_shown_on_request_with_what_is_not_proven() {
    let whole = fs::read(fixture("story-hub")).expect("a recorded log");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cut.ramenlog");
    fs::write(&file, &whole[..whole.len() * 3 / 4]).expect("a file can be written");
    for command in commands(&file) {
        let output = replay(&format!("{command} --salvage"));
        let said = complaint(&output);
        assert_eq!(output.status.code(), Some(0), "{command}: {said}");
        assert!(said.contains("cut off in record") && said.contains("is not known"), "{command}: {said}");
        assert!(!output.stdout.is_empty(), "{command}: shows something");
    }
    let all = replay(&format!("show {}", fixture("story-hub").display()));
    let some = replay(&format!("show {} --salvage --kind Observed", file.display()));
    let all = String::from_utf8_lossy(&all.stdout).into_owned();
    for line in String::from_utf8_lossy(&some.stdout).lines().skip(2) {
        let record = line.split_whitespace().nth(1).expect("a record");
        assert!(all.contains(record), "{record} is none of the whole log");
    }
}

#[test]
fn what_is_intact_becomes_a_capture_of_its_own() {
    let whole = fs::read(fixture("story-c1")).expect("a recorded log");
    let folder = tempfile::tempdir().expect("a folder");
    let (file, intact) = (folder.path().join("cut.ramenlog"), folder.path().join("intact.ramenlog"));
    fs::write(&file, &whole[..whole.len() * 3 / 4]).expect("a file can be written");
    let command = format!("capture {} {}", file.display(), intact.display());
    let output = replay(&command);
    assert_eq!(output.status.code(), Some(2), "{}", complaint(&output));
    assert!(complaint(&output).contains("--salvage") && !intact.exists(), "{}", complaint(&output));
    let output = replay(&format!("{command} --salvage"));
    assert!(complaint(&output).contains("is not known"), "{}", complaint(&output));
    assert!(support::said(&format!("verify {}", intact.display())).starts_with("same"));
}

/// A capture of part of a log that was written without the state before it.
#[test]
fn a_capture_without_snapshot_says_what_cannot_be_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("part.ramenlog");
    let log = Reader::open(&fixture("story-hub")).expect("a capture");
    capture::write_file(&log, Seq(170), log.head().seq, &file).expect("a capture can be written");
    let file = file.display();
    for command in [format!("state {file}"), format!("why app-000 {file} --at 200"), format!("verify {file}")] {
        let output = replay(&command);
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &complaint(&output);
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        assert!(said.contains("starts after record 169 without a snapshot"), "{command}: {said}");
    }
    // What needs no state is shown.
    for command in [format!("show {file}"), format!("timeline {file}"), format!("audit {file}")] {
        let output = replay(&command);
        assert_eq!(output.status.code(), Some(0), "{command}: {}", complaint(&output));
        assert!(!output.stdout.is_empty(), "{command}");
    }
    assert!(support::said(&format!("audit {file}")).contains("records 1 to 169 are not in this file"));
}

#[test]
fn a_log_whose_objects_are_missing_is_not_called_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("poor.ramenlog");
    let log = Reader::open(&fixture("story-c1")).expect("a capture");
    let records = log.scan(Seq(1)).map(|record| record.expect("a whole capture").0).collect();
    let poor = MemoryLog::default();
    poor.append(Batch::of_records(records, Vec::new())).expect("records follow");
    capture::write_file(&poor, Seq(1), poor.head().seq, &file).expect("a capture can be written");
    let output = replay(&format!("verify {}", file.display()));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("which record") && said.contains("is not in it"), "{said}");
    assert!(support::said(&format!("show {}", file.display())).contains("c1#1"), "the records are shown");
}

#[test]
fn a_missing_file_is_named() {
    let output = replay("show nowhere.ramenlog");
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint(&output).contains("nowhere.ramenlog"), "{}", complaint(&output));
}

/// `verify` and `capture` are as strict as the reading commands, and say it in their own way.
#[test]
fn nothing_is_verified_or_copied_of_a_bad_file() {
    let whole = fs::read(fixture("story-hub")).expect("a recorded log");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bad.ramenlog");
    for (contents, word) in [
        (&b""[..], "not a capture file"),
        (b"apiVersion: v1\n", "not a capture file"),
        (&whole[..whole.len() / 2], "cut off in record"),
        (&flipped, "damaged in record"),
    ] {
        fs::write(&file, contents).expect("a file can be written");
        let copy = folder.path().join("copy.ramenlog");
        for command in [format!("verify {}", file.display()), format!("capture {} {}", file.display(), copy.display())]
        {
            let output = replay(&command);
            let said = String::from_utf8_lossy(&output.stdout).into_owned() + &complaint(&output);
            assert_eq!(output.status.code(), Some(2), "{command}: {said}");
            assert!(said.contains(word) && said.contains("bad.ramenlog"), "{command}: no {word:?} in {said}");
            assert!(!said.starts_with("same"), "{command}: {said}");
        }
        assert!(!copy.exists(), "nothing is left of a copy");
    }
}

#[test]
fn logs_of_two_installations_are_not_merged() {
    for command in ["show", "timeline", "audit", "why app-000"] {
        let mixed = format!("{command} story-hub.ramenlog chaos-5-c1.ramenlog");
        let output = replay(&mixed);
        let said = complaint(&output);
        assert_eq!(output.status.code(), Some(2), "{mixed}: {said}");
        assert!(said.contains("chaos-5-c1.ramenlog") && said.contains("another installation"), "{mixed}: {said}");
        assert!(output.stdout.is_empty(), "{mixed}: nothing is shown");
        let output = replay(&format!("{mixed} --salvage"));
        assert_eq!(output.status.code(), Some(0), "{mixed}: {}", complaint(&output));
        assert!(complaint(&output).contains("is it of the same installation"), "{mixed}: it is told all the same");
        assert!(!output.stdout.is_empty(), "{mixed}");
    }
    let output = replay("show story-hub.ramenlog chaos-5-hub.ramenlog");
    assert_eq!(output.status.code(), Some(64), "two logs of one operator");
    assert!(complaint(&output).contains("give one of each"), "{}", complaint(&output));
}
