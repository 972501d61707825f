//! `--anchors`: a log that was cut off, rewritten or exchanged is found out although its own chain is whole.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use ramen_events::{
    Payload, Record, Seq, Time,
    anchor::{ANNOTATION, Anchor, LogId},
    capture::{self, Reader},
    log::{Batch, EventLog, History, MemoryLog},
};
use rstest::rstest;
use serde_json::{Value, json};
use support::{complaint, fixture, replay};

/// What was anchored of a recorded log at a record.
fn anchor(name: &str, seq: u64) -> Anchor {
    let log = Reader::open(&fixture(name)).expect("a capture");
    let stored = log.stored(Seq(seq)).next().expect("a record").expect("a whole capture");
    Anchor {
        owner: log.header().owner.clone().expect("an owner"),
        log: LogId::of(&log).expect("it is read").expect("it begins with record 1"),
        seq: Seq(seq),
        hash: stored.hash,
        time: stored.record().expect("a record").stamp.time,
    }
}

/// Anchors as they lie in an archive.
fn anchors(folder: &Path, which: &[(&str, u64)]) -> PathBuf {
    let place = folder.join("anchors");
    fs::create_dir_all(&place).expect("a folder");
    for (name, seq) in which {
        let anchor = anchor(name, *seq);
        let text = serde_json::to_string(&anchor).expect("JSON");
        fs::write(place.join(capture::segment::anchor_name(&anchor)), text).expect("a file can be written");
    }
    place
}

/// A recorded log, cut off after a record, with some of its records changed and its chain made whole again.
fn forged(folder: &Path, name: &str, last: u64, mut change: impl FnMut(&mut Record)) -> PathBuf {
    let reader = Reader::open(&fixture(name)).expect("a capture");
    let records = reader.scan(Seq(1)).map(|record| record.expect("a whole capture").0);
    let records = records.take_while(|record| record.seq <= Seq(last)).map(|mut record| {
        change(&mut record);
        record
    });
    let log = MemoryLog::default();
    log.append(Batch::of_records(records.collect(), Vec::new())).expect("records follow");
    let path = folder.join("forged.ramenlog");
    capture::write_file(&log, Seq(1), log.head().seq, &path).expect("a capture can be written");
    path
}

/// Moves a record's time by a millisecond, which changes no decision.
fn shift(record: &mut Record, seq: u64) {
    if record.seq == Seq(seq) {
        record.stamp.count += 1;
    }
}

/// Ends with the exit code, and tells what `verify` said.
fn verified(log: &Path, anchors: &Path) -> (Option<i32>, String) {
    let output = replay(&format!("verify {} --anchors {}", log.display(), anchors.display()));
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &complaint(&output);
    (output.status.code(), said)
}

#[test]
fn an_honest_log_is_accepted_up_to_its_last_anchor() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = anchors(folder.path(), &[("story-hub", 100), ("story-hub", 340), ("story-c1", 252)]);
    let (code, said) = verified(&fixture("story-hub"), &place);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("anchored up to record 340") && said.contains("the 10 after that are not anchored"),
        "{said}"
    );
    let (code, said) = verified(&fixture("story-c1"), &place);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("anchored up to its end, record 252"), "{said}");
}

#[rstest]
#[case::rewritten_from_the_start(350, Some(1), &["another log", "rewritten from its first record on", "nothing of it is proven"])]
#[case::rewritten_in_the_middle(350, Some(200), &["rewritten: record 340", "up to record 100", "from record 101 on nothing is proven"])]
#[case::cut_off(300, None, &["cut off: it ends with record 300", "40 records are missing", "from record 101 on nothing"])]
#[case::cut_off_before_all_anchors(50, None, &["cut off", "nothing of it is proven from record 1 on"])]
fn a_forged_log_is_found_out(#[case] last: u64, #[case] changed: Option<u64>, #[case] words: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = forged(folder.path(), "story-hub", last, |record| shift(record, changed.unwrap_or_default()));
    assert_eq!(replay(&format!("verify {}", log.display())).status.code(), Some(0), "its own chain is whole");
    let place = anchors(folder.path(), &[("story-hub", 100), ("story-hub", 340)]);
    let (code, said) = verified(&log, &place);
    assert_eq!(code, Some(2), "{said}");
    for word in words.iter().chain(&["not proven"]) {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
    let output = replay(&format!("audit {} --anchors {} --format jsonl", log.display(), place.display()));
    assert_eq!(output.status.code(), Some(2), "{}", complaint(&output));
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(report.contains(words[0]), "the report says it, too: {report}");
}

#[test]
fn a_log_of_another_installation_or_operator_is_found_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = anchors(folder.path(), &[("story-hub", 340)]);
    let (code, said) = verified(&fixture("chaos-5-hub"), &place);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("another log") && said.contains("it was exchanged"), "{said}");
    let (code, said) = verified(&fixture("story-c1"), &place);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no anchor is of the operator of cluster c1"), "{said}");
    assert!(said.contains("the hub operator on hub"), "{said}");
}

#[test]
fn part_of_a_log_is_held_against_the_anchors_within_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let slice = folder.path().join("slice.ramenlog");
    let cut = |log: &Path| {
        let output = replay(&format!("capture {} {} --from 150", log.display(), slice.display()));
        assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    };
    let place = anchors(folder.path(), &[("story-hub", 100), ("story-hub", 200), ("story-hub", 340)]);
    cut(&fixture("story-hub"));
    let (code, said) = verified(&slice, &place);
    assert_eq!((code, said.contains("anchored up to record 340")), (Some(0), true), "{said}");
    cut(&forged(folder.path(), "story-hub", 350, |record| shift(record, 180)));
    let (code, said) = verified(&slice, &place);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("none of 2 anchors"), "{said}");
}

#[test]
fn a_lease_bears_an_anchor_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let lease = |seq| {
        let noted = serde_json::to_string(&anchor("story-hub", seq)).expect("JSON");
        json!({ "kind": "Lease", "metadata": { "name": "x", "annotations": { ANNOTATION: noted } } })
    };
    let file = folder.path().join("leases");
    let list = json!({ "kind": "List", "items": [{ "kind": "Lease", "metadata": {} }, lease(350)] });
    fs::write(&file, list.to_string()).expect("a file can be written");
    let (code, said) = verified(&fixture("story-hub"), &file);
    assert_eq!((code, said.contains("anchored up to its end")), (Some(0), true), "{said}");
    let output = replay(&format!("audit story-hub.ramenlog --anchors {}", file.display()));
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && report.contains("hub: anchored up to its end, record 350"), "{report}");

    for (text, word) in [
        ("{}", "there is no anchor in it"),
        ("nothing", "is no JSON"),
        (r#"{"kind":"LogAnchor"}"#, "an anchor can't be read"),
    ] {
        fs::write(&file, text).expect("a file can be written");
        let (code, said) = verified(&fixture("story-hub"), &file);
        assert_eq!((code, said.contains(word)), (Some(2), true), "{text}: {said}");
    }
}

#[test]
fn json_says_how_it_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = anchors(folder.path(), &[("story-hub", 340)]);
    let log = forged(folder.path(), "story-hub", 300, |record| {
        assert!(!matches!(record.payload, Payload::Lost { .. }) && record.stamp.time > Time(0));
    });
    let output = replay(&format!("verify {} --anchors {} -o json", log.display(), place.display()));
    let finding: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
    assert_eq!((&finding["verdict"], &finding["records"]), (&json!("unproven"), &json!(300)));
    assert!(finding["anchors"].as_str().is_some_and(|words| words.starts_with("cut off")), "{finding}");
}
