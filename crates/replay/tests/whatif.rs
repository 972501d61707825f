//! `ramen-replay whatif` as people meet it.
#![allow(clippy::expect_used, reason = "helpers of a test may fail it")]

mod support;

use std::fs;

use ramen_events::{
    Payload, Seq,
    capture::{self, Reader},
    log::{Batch, EventLog, History, MemoryLog},
};
use serde_json::Value;
use support::{complaint, fixture, replay};

/// What it prints; decisions that differ are no failure.
fn said(command: &str) -> (Option<i32>, String) {
    let output = replay(command);
    (output.status.code(), String::from_utf8(output.stdout).expect("it prints text"))
}

fn json(command: &str) -> Value {
    let (_, said) = said(&format!("{command} -o json"));
    serde_json::from_str(&said).expect("one JSON value")
}

#[test]
fn without_a_change_every_recording_is_the_same() {
    for story in ["story", "chaos-5"] {
        let (code, text) = said(&format!("whatif {story}-*.ramenlog"));
        assert_eq!((code, text.matches("same  all").count()), (Some(0), 3), "{text}");
        assert!(!text.contains("HOW FAR"), "nothing is assumed: {text}");
    }
}

#[test]
fn what_differs_is_shown_with_what_was_assumed() {
    let (code, text) = said("whatif story-hub.ramenlog --patch 179+ spec.action=Relocate --until 209");
    assert_eq!(code, Some(1), "{text}");
    insta::assert_snapshot!("whatif_of_another_action", text);
}

#[test]
fn a_lost_request_is_noticed_where_it_was() {
    let found = json("whatif story-hub.ramenlog --drop 179");
    assert_eq!(found["verdict"], "differs");
    assert_eq!((&found["first"]["because"], &found["first"]["record"]), (&"hub#179".into(), &"hub#180".into()));
    assert_eq!(found["first"]["now"], Value::Null);
    assert!(found["first"]["was"]["says"].as_str().is_some_and(|was| was.contains("failover-c2-2")), "{found}");
}

#[test]
fn a_later_request_leads_to_the_same_commands_later() {
    let found = json("whatif story-hub.ramenlog --delay 179=5ms --until 188");
    // Statuses tell whole seconds, so even they are the same.
    assert_eq!(found["commands"]["different"].as_array().map(Vec::len), Some(0), "{found}");
    assert_eq!((&found["verdict"], &found["commands"]["at_other_time"]), (&"differs".into(), &2.into()), "{found}");
    let assumed = &found["assumed"];
    assert_eq!((&assumed["outcomes_moved"], &assumed["commands_open"]), (&2.into(), &0.into()), "{found}");
}

#[test]
fn an_input_moves_and_another_one_is_added() {
    let moved = json("whatif story-hub.ramenlog --move 179=227");
    assert_eq!(
        (&moved["verdict"], &moved["changes"][0]),
        (&"differs".into(), &"record 179 comes right after record 227".into())
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("fact.json");
    fs::write(&file, support::said("show story-hub.ramenlog --since 179 --until 179 -o json")).expect("a file");
    let added = json(&format!("whatif story-hub.ramenlog --drop 179 --add {}@179", file.display()));
    assert_eq!(added["commands"]["different"].as_array().map(Vec::len), Some(0), "it only has another number: {added}");
    assert_eq!(added["states"].as_array().map(Vec::len), Some(0), "{added}");
}

/// Epochs came with version 2: a hub of version 1 does not give them.
#[test]
fn other_versions_of_the_deciders_decide() {
    let recorded = json("whatif story-hub.ramenlog --with-version 1");
    assert_eq!(recorded["verdict"], "same", "it was recorded by version 1: {recorded}");
    let newer = json("whatif story-hub.ramenlog --with-version 2");
    assert_eq!(newer["verdict"], "differs", "{newer}");
}

#[test]
fn several_logs_are_told_apart() {
    let (code, text) = said("whatif story-*.ramenlog --drop c1#92");
    assert_eq!(code, Some(1), "{text}");
    assert_eq!(text.matches("same  all").count(), 2, "hub and c2 stay the same: {text}");
}

#[test]
fn what_cannot_be_changed_is_said_with_what_can() {
    let versions = format!("which has 1 to {}", ramen_projector::DECIDER_VERSION);
    for (command, word) in [
        ("whatif story-hub.ramenlog --drop 180", "such as record 179, which it follows from"),
        ("whatif story-hub.ramenlog --drop 9999", "the records are 1 to 350"),
        ("whatif story-hub.ramenlog --drop noon", "give its number"),
        ("whatif story-hub.ramenlog --drop c9#1", "there is no log of c9"),
        ("whatif story-hub.ramenlog --delay 179", "SEQ=DURATION"),
        ("whatif story-hub.ramenlog --delay 179=soon", "is no duration"),
        ("whatif story-hub.ramenlog --move 179=9999", "there is no record 9999"),
        ("whatif story-*.ramenlog --move hub#179=c1#1", "of its own log only"),
        ("whatif story-hub.ramenlog --patch 179 spec.actio=Relocate", "no such field"),
        ("whatif story-hub.ramenlog --patch 179 spec..action=Relocate", "column 6"),
        ("whatif story-hub.ramenlog --patch 179 meta.generation=many", "does not fit there"),
        ("whatif story-hub.ramenlog --with-version 99", versions.as_str()),
        ("whatif story-hub.ramenlog --until 23:00", "no records up to"),
    ] {
        let output = replay(command);
        let said = complaint(&output);
        assert_eq!(output.status.code(), Some(64), "{command}: {said}");
        assert!(said.contains(word), "{command}: no {word:?} in: {said}");
    }
}

/// A log whose decisions are not those of this program says so, and what a change leads to is told apart from that.
#[test]
fn a_log_that_diverges_unchanged_says_so() {
    let capture = Reader::open(&fixture("story-hub")).expect("a recorded log");
    let mut records: Vec<_> = capture.scan(Seq(1)).map(|record| record.expect("a record").0).collect();
    let step = records.iter_mut().find_map(|record| match &mut record.payload {
        Payload::Moved(position) if position.step == "Cleaning Up" => Some(&mut position.step),
        _ => None,
    });
    "Completed".clone_into(step.expect("there is one"));
    let log = MemoryLog::default();
    log.append(Batch::of_records(records, Vec::new())).expect("records follow");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.ramenlog");
    capture::write_file(&log, Seq(1), log.head().seq, &file).expect("a capture can be written");
    let unchanged = json(&format!("whatif {}", file.display()));
    assert_eq!((&unchanged["verdict"], &unchanged["diverges_unchanged"]), (&"differs".into(), &true.into()));
    // Leaving out what decides nothing: only the log itself differs, not what it leads to.
    let changed = json(&format!("whatif {} --drop 350", file.display()));
    assert_eq!((&changed["verdict"], &changed["diverges_unchanged"]), (&"same".into(), &true.into()), "{changed}");
    let (_, text) = said(&format!("whatif {} --drop 350", file.display()));
    assert!(text.contains("unchanged, the log is not what its inputs lead to"), "{text}");
}

/// One bit in the middle of each recording, and of each fixture.
#[test]
fn damaged_logs_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("flipped.ramenlog");
    let mut tried = 0;
    for logs in ["replay-fixtures/v1", "replay-fixtures"] {
        for entry in fs::read_dir(support::root().join(logs)).expect("recorded logs are there") {
            let log = entry.expect("a folder can be read").path();
            if log.extension().is_none_or(|extension| extension != "ramenlog") {
                continue;
            }
            let mut bytes = fs::read(&log).expect("a recorded log");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&file, bytes).expect("a file can be written");
            for command in ["verify", "whatif", "test --name x"] {
                let output = replay(&format!("{command} {}", file.display()));
                assert_eq!(output.status.code(), Some(2), "{command} {}: {}", log.display(), complaint(&output));
            }
            tried += 1;
        }
    }
    assert!(tried >= 9, "{tried} logs");
}
