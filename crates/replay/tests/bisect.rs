//! `ramen-replay bisect` as people meet it.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::process::{Command, Output};

use serde_json::Value;
use support::{complaint, root};

/// Arguments one by one: conditions have blanks in them.
fn bisect(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ramen-replay"))
        .current_dir(root().join("replay-fixtures/v1"))
        .env_remove("COLUMNS")
        .arg("bisect")
        .args(arguments)
        .output()
        .expect("ramen-replay starts")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(arguments: &[&str]) -> Value {
    let output = bisect(&[arguments, &["-o", "json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("one JSON value: {}", complaint(&output)))
}

#[test]
fn the_first_record_is_shown_with_its_causes_and_what_to_look_at() {
    let condition = "drpc/app-000.status.progression == \"Cleaning Up\" for 2s";
    let output = bisect(&["story-hub.ramenlog", condition, "story-c1.ramenlog"]);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    insta::assert_snapshot!("bisect_of_a_progression", text(&output));
}

/// Each condition, and the record after which it holds first.
#[test]
fn conditions_are_found_where_they_begin() {
    for (log, condition, record) in [
        ("story-hub", "drpc/apps/app-000.spec.action == Failover", Some("hub#179")),
        ("story-hub", "drpc/app-000.position.runbook == failover", Some("hub#180")),
        ("story-hub", "drpc/app-000.position.step == UpdatedPlacement or drpc/none exists", Some("hub#196")),
        ("story-hub", "drpc/app-000.status.phase != Deployed and drpc/app-000.position.runbook == deploy", None),
        ("story-hub", "drpolicy/policy.status.conditions[Validated].status == True", None),
        ("story-c1", "pvc/app-000/data-0.bound == true", None),
        (
            "story-c1",
            "vrg/app-000.status.conditions[DataReady].status == False and vrg/app-000.spec.action == Failover",
            None,
        ),
    ] {
        let found = json(&[&format!("{log}.ramenlog"), condition]);
        if let Some(record) = record {
            assert_eq!(found["first"]["from"], record, "{condition}: {found}");
        }
        assert!(found["first"]["from"].is_string() == (found["holds"] == true), "{condition}: {found}");
    }
    let found = json(&["story-c1.ramenlog", "vrg/app-000"]);
    let gone = json(&["story-c1.ramenlog", "not vrg/app-000"]);
    assert_eq!((found["first"]["to"].is_string(), &gone["first"]["from"]), (true, &Value::Null), "{found} {gone}");
    assert_eq!(gone["times"].as_u64(), found["times"].as_u64().map(|times| times + 1), "in between it is not there");
}

#[test]
fn what_never_holds_long_enough_says_how_long_it_did() {
    let output = bisect(&["story-hub.ramenlog", "drpc/app-000.status.progression == \"Cleaning Up\" for 1h"]);
    assert_eq!(output.status.code(), Some(1));
    let said = "it never holds for 60 min 0 s; the longest that it held is 5.3 s, from hub#216\n";
    assert_eq!(text(&output), said);
}

#[test]
fn objects_that_are_never_shown_are_named_with_those_that_are() {
    let output = bisect(&["story-hub.ramenlog", "drpc/app.status.phase"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("never shows drpc/app; it shows drpc/apps/app-000"), "{}", complaint(&output));
}

#[test]
fn a_mistake_is_shown_with_its_column() {
    let output = bisect(&["story-hub.ramenlog", "drpc/app-000.status.phase = Deployed"]);
    assert_eq!(output.status.code(), Some(64));
    let said = complaint(&output);
    assert!(said.contains("column 27: expected =="), "{said}");
    for arguments in [
        &["story-hub.ramenlog"][..],
        &["story-hub.ramenlog", "--versions", "1"],
        &["story-hub.ramenlog", "--versions", "1", "99"],
    ] {
        let output = bisect(arguments);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {}", complaint(&output));
    }
    assert_eq!(bisect(&["nowhere.ramenlog", "drpc/x"]).status.code(), Some(2));
}

/// Version 2 gives epochs with the VRG, so a failover is where it differs from version 1.
#[test]
fn versions_are_told_apart_by_their_first_decision() {
    let found = json(&["story-hub.ramenlog", "--versions", "1", "2"]);
    assert_eq!((&found["differ"], &found["because"]), (&true.into(), &"hub#179".into()), "{found}");
    let output = bisect(&["story-hub.ramenlog", "--versions", "2", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("store-epoch: 1 → —"), "{}", text(&output));
    let output = bisect(&["story-c1.ramenlog", "--versions", "1", "2"]);
    assert_eq!((output.status.code(), text(&output).contains("decide the same")), (Some(0), true));
}
