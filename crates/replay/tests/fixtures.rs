//! `ramen-replay test`: captures become fixtures; and all fixtures of the project are as expected.
#![allow(clippy::expect_used, reason = "helpers of a test may fail it")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use ramen_events::{
    Payload, Record, Seq,
    capture::{self, Reader},
    log::{Batch, EventLog, History, MemoryLog},
};
use serde_json::Value;
use support::{complaint, fixture, root};

fn test(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ramen-replay"))
        .current_dir(root().join("replay-fixtures/v1"))
        .env_remove("COLUMNS")
        .arg("test")
        .args(arguments)
        .output()
        .expect("ramen-replay starts")
}

/// Makes a fixture in `folder`, and checks that it is as expected; tells what is expected of it, and its capture.
fn made(folder: &Path, log: &str, arguments: &[&str]) -> (Value, PathBuf) {
    let out = folder.to_str().expect("a path");
    // However slow the machine is: what is left must not depend on it.
    let output = test(&[&[log, "--name", "made", "--within", "1h", "--out", out], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let expected = folder.join("made.expected.json");
    let checked = test(&["--check", expected.to_str().expect("a path")]);
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stdout));
    let text = fs::read_to_string(expected).expect("it was written");
    (serde_json::from_str(&text).expect("JSON"), folder.join("made.ramenlog"))
}

fn records(file: &Path) -> Vec<Record> {
    let capture = Reader::open(file).expect("a whole capture");
    capture.scan(Seq(1)).map(|record| record.expect("a record").0).collect()
}

/// The fixtures of incidents, in `replay-fixtures/` itself.
#[test]
fn every_fixture_is_as_expected() {
    let files = fs::read_dir(root().join("replay-fixtures")).expect("recorded logs are there");
    let files = files.map(|entry| entry.expect("a folder can be read").path());
    let is_fixture = |path: &PathBuf| path.to_string_lossy().ends_with(".expected.json");
    let files: Vec<String> = files.filter(is_fixture).map(|path| path.display().to_string()).collect();
    assert!(!files.is_empty(), "no fixtures");
    let arguments: Vec<&str> = ["--check"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let output = test(&arguments);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}{}", complaint(&output));
    assert_eq!(text.matches("as expected  ").count(), files.len(), "{text}");
}

#[test]
fn what_is_not_needed_goes_and_the_rest_still_leads_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (expected, capture) = made(folder.path(), "story-hub.ramenlog", &["--until", "23:46:15", "--drpc", "app-000"]);
    let stands = &expected["stands"]["drpc/ns-2/ns-1"];
    assert_eq!((&stands["step"], &stands["on"]), (&"Cleaning Up".into(), &"cluster-1".into()), "{expected}");
    let records = records(&capture);
    assert!(records.len() < 40, "of 221 records {} are left", records.len());
    assert_eq!(expected["records"], records.len());
}

/// Nothing that names something in the recordings is left in any fixture made of them.
#[test]
fn no_name_is_left() {
    for (log, until) in [("story-hub", "230"), ("story-c2", "100"), ("chaos-5-c1", "225")] {
        let folder = tempfile::tempdir().expect("a folder");
        let (expected, capture) = made(folder.path(), &format!("{log}.ramenlog"), &["--until", until]);
        let names = ["app-00", "data-0", "data-1", "s3-c", "127.0.0.1", "localhost", "csi-vol"];
        let mut texts: Vec<String> =
            records(&capture).iter().map(|r| serde_json::to_string(r).expect("JSON")).collect();
        texts.push(expected.to_string());
        let reader = Reader::open(&capture).expect("a capture");
        for (id, _) in reader.blobs().expect("blobs") {
            let blob = reader.blob(id).expect("a blob").expect("it is held");
            texts.push(String::from_utf8_lossy(&blob).into_owned());
        }
        for text in &texts {
            for name in names {
                assert!(!text.contains(name), "{log}: {name} is left in {text}");
            }
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            assert!(!words.any(|word| word == "c1" || word == "c2"), "{log}: a cluster is left in {text}");
        }
    }
}

#[test]
fn names_that_are_to_be_kept_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let (expected, _) =
        made(folder.path(), "story-hub.ramenlog", &["--until", "230", "--keep", "app-*", "--keep", "apps"]);
    assert!(expected["stands"]["drpc/apps/app-000"].is_object(), "{expected}");
}

#[test]
fn a_condition_that_holds_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let condition = "drpc/app-000.position.step == \"Cleaning Up\" and drpc/app-000.position.waits.on == c1";
    let (expected, capture) = made(folder.path(), "story-hub.ramenlog", &["--holds", condition]);
    let renamed = "drpc/ns-1.position.step == \"Cleaning Up\" and drpc/ns-1.position.waits.on == cluster-1";
    assert_eq!(expected["holds"]["condition"], renamed, "{expected}");
    let from = expected["holds"]["from"].as_u64().expect("a record");
    let moved = records(&capture).into_iter().find(|record| record.seq == Seq(from));
    assert!(
        matches!(moved.map(|record| record.payload), Some(Payload::Moved(position)) if position.step == "Cleaning Up")
    );
}

/// A capture of the same records, but for the first decision that `change` changes.
fn altered(log: &str, folder: &Path, change: impl Fn(&mut Payload) -> bool) -> PathBuf {
    let mut all = records(&fixture(log));
    let changed = all.iter_mut().any(|record| change(&mut record.payload));
    assert!(changed, "there is something to change");
    let log = MemoryLog::default();
    log.append(Batch::of_records(all, Vec::new())).expect("records follow");
    let file = folder.join("altered.ramenlog");
    capture::write_file(&log, Seq(1), log.head().seq, &file).expect("a capture can be written");
    file
}

/// An operator that decided otherwise: what it did, and what is wanted, is all that stays.
#[test]
fn a_wrong_decision_stays_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = altered("story-hub", folder.path(), |payload| match payload {
        Payload::Moved(position) if position.step == "Cleaning Up" => {
            position.step = "Completed".to_owned();
            true
        }
        _ => false,
    });
    let (expected, capture) = made(folder.path(), wrong.to_str().expect("a path"), &[]);
    let diverges = &expected["diverges"];
    assert_eq!(diverges["record"], expected["records"], "it is the last record: {expected}");
    assert!(diverges["wanted"].as_str().is_some_and(|text| text.contains("Cleaning Up")), "{expected}");
    assert!(diverges["recorded"].as_str().is_some_and(|text| text.contains("Completed")), "{expected}");
    assert!(records(&capture).len() < 40, "of 350 records {} are left", records(&capture).len());
    let verified = support::replay(&format!("verify {}", capture.display()));
    assert_eq!(verified.status.code(), Some(1));
}

/// A decision that was never made: something else comes in its place.
#[test]
fn a_missing_decision_stays_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = records(&fixture("story-hub"));
    let missing =
        all.iter().rposition(|record| matches!(&record.payload, Payload::Moved(p) if p.step == "Cleaning Up"));
    let missing = missing.expect("there is one");
    let mut left = all;
    left.remove(missing);
    for (index, record) in left.iter_mut().enumerate().skip(missing) {
        record.seq = Seq(index as u64 + 1);
    }
    let log = MemoryLog::default();
    log.append(Batch::of_records(left, Vec::new())).expect("records follow");
    let file = folder.path().join("missing.ramenlog");
    capture::write_file(&log, Seq(1), log.head().seq, &file).expect("a capture can be written");
    let (expected, _) = made(folder.path(), file.to_str().expect("a path"), &[]);
    assert!(expected["diverges"]["wanted"].as_str().is_some_and(|text| text.contains("Cleaning Up")), "{expected}");
}

#[test]
fn a_fixture_that_is_not_as_expected_says_what_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    made(folder.path(), "story-hub.ramenlog", &["--until", "230"]);
    let file = folder.path().join("made.expected.json");
    let text = fs::read_to_string(&file).expect("it was written").replace("failover", "relocate");
    fs::write(&file, text).expect("it can be changed");
    let output = test(&["--check", file.to_str().expect("a path")]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("not as expected") && text.contains("− relocate") && text.contains("+ failover"), "{text}");
}

#[test]
fn wrong_usage_is_told_with_what_is_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("a path");
    made(folder.path(), "story-hub.ramenlog", &["--until", "230"]);
    for (arguments, word) in [
        (&["--name", "made"][..], "is there already"),
        (&["--name", "../x"], "lower-case letters"),
        (&["--name", "x", "--drpc", "nobody"], "there is drpc/apps/app-000"),
        (&["--name", "x", "--holds", "drpc/app-000.status.phase == Never"], "it never holds"),
        (&["--name", "x", "--holds", "drpc/app-000 =="], "column 16"),
        (&["--name", "x", "--within", "soon"], "is no duration"),
        (&[], "--name"),
    ] {
        let output = test(&[&["story-hub.ramenlog", "--out", out], arguments].concat());
        let said = complaint(&output);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: no {word:?} in: {said}");
    }
    let log = MemoryLog::default();
    log.append(Batch::of_records(records(&fixture("story-hub")), Vec::new())).expect("records follow");
    let slice = folder.path().join("slice.ramenlog");
    capture::write_file(&log, Seq(100), Seq(200), &slice).expect("a capture can be written");
    let output = test(&[slice.to_str().expect("a path"), "--name", "x", "--out", out]);
    let said = complaint(&output);
    assert!(output.status.code() == Some(64) && said.contains("begins with record 100"), "{said}");
    assert_eq!(test(&["nowhere.ramenlog", "--name", "x"]).status.code(), Some(2));
    assert_eq!(test(&["--check", "nowhere.expected.json"]).status.code(), Some(2));
}
