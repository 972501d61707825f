//! The reading commands as people meet them: command in, output out.
#![allow(clippy::expect_used, reason = "helpers of a test may fail it")]

mod support;

use std::collections::BTreeSet;

use support::{complaint, fixture, fixtures, multiply::shift, replay, said};

/// Snapshots are of what people read; a change of one is to be looked at.
macro_rules! prints {
    ($($name:ident: $command:expr;)*) => {
        $(#[test] fn $name() { insta::assert_snapshot!(stringify!($name), said($command), $command); })*
    };
}

prints! {
    show_an_action: "show story-hub.ramenlog --about drpc --since 179 --until 229 --kind Moved --kind Commanded";
    show_what_a_record_caused: "show story-*.ramenlog --cause hub#181";
    show_one_cluster: "show story-*.ramenlog --cluster c1 --since 23:46:14.400 --until 23:46:15.600";
    show_as_json: "show story-hub.ramenlog --since 228 --until 229 -o json";
    timeline_of_hub_and_clusters: "timeline story-*.ramenlog";
    timeline_of_a_cluster_alone: "timeline story-c2.ramenlog --about app-000";
    state_of_a_drpc: "state story-hub.ramenlog --at 230 drpc/apps/app-000";
    state_of_a_policy: "state story-hub.ramenlog drpolicy/policy";
    state_of_a_vrg: "state story-c1.ramenlog --at 23:46:15 vrg/app-000/app-000";
    state_of_a_cluster_config: "state story-c1.ramenlog drclusterconfig/c1";
    diff_of_two_moments: "diff story-hub.ramenlog@184 @229 --about app-000.status";
    why_in_the_middle_of_a_failover: "why app-000 story-*.ramenlog --at 23:46:15";
    why_after_a_restart: "why app-000 story-*.ramenlog --at 23:46:18";
    why_with_the_hub_alone: "why app-000 story-hub.ramenlog --at 300";
    why_a_vrg: "why vrg/app-000/app-000 story-c2.ramenlog --at 23:46:14";
    why_not_completed: "why app-000 story-hub.ramenlog --at 23:46:15 --not Completed";
    why_of_what_is_gone: "why app-000 story-*.ramenlog";
}

/// Records of operators that were killed on the way are read like others.
#[test]
fn every_application_of_every_recording_is_explained_at_every_moment() {
    for moment in (41..75).step_by(3).map(|second| format!("23:{}:{:02}", 46 + second / 60, second % 60)) {
        for application in ["app-000", "app-001", "app-002"] {
            let answer = said(&format!("why {application} chaos-5-*.ramenlog --at {moment} -o json"));
            if let Some(step) =
                answer.find("\"step\":\"").and_then(|at| answer.get(at + 8..)).filter(|s| !s.starts_with('"'))
            {
                assert!(answer.contains("\"waits_for\":\""), "{application} at {moment}, step {step}: no words");
            }
        }
    }
}

#[test]
fn the_state_is_json_of_everything_for_hub_and_clusters() {
    for (log, part) in [("story-hub", "/domain/drpcs/apps~1app-000"), ("story-c1", "/domain/vrgs/app-000~1app-000")] {
        let state = said(&format!("state {log}.ramenlog --at 120"));
        let state: serde_json::Value = serde_json::from_str(&state).expect("it is JSON");
        assert!(state.pointer(part).is_some(), "{log}: no {part}");
        assert_eq!(state["head"], 120);
    }
}

/// Fails if an effect comes before its cause; tells how many causes were on another cluster.
fn check_order(records: &str) -> usize {
    let mut seen = BTreeSet::new();
    let mut commands = BTreeSet::new();
    let mut remote = 0;
    for line in records.lines() {
        let record: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        let cluster = record["origin"]["cluster"].as_str().expect("a cluster").to_owned();
        if let Some(cause) = record["cause"]["Local"].as_u64() {
            assert!(seen.contains(&(cluster.clone(), cause)), "{}: its cause comes later", record["record"]);
        }
        if let Some(command) = record["cause"]["Remote"]["command"].as_str() {
            assert!(commands.contains(command), "{}: the hub's command comes later", record["record"]);
            remote += 1;
        }
        if let Some(id) = record["payload"]["Commanded"]["id"].as_str() {
            commands.insert(id.to_owned());
        }
        seen.insert((cluster, record["seq"].as_u64().expect("a number")));
    }
    remote
}

#[test]
fn no_effect_comes_before_its_cause() {
    assert!(check_order(&said("show chaos-5-*.ramenlog -o json")) > 20, "few records have causes on the hub");
}

/// Clocks that are an hour apart are found out, and taken off.
#[test]
fn clocks_that_are_off_change_neither_order_nor_durations() {
    const HOUR: i64 = 3_600_000;
    for (ms, word) in
        [(HOUR, "the clock of c1 is at least 59 min 59 s ahead of"), (-HOUR, "59 min 59 s behind the hub's")]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let c1 = shift(&fixture("story-c1"), ms, folder.path());
        let logs = format!("{} story-c2.ramenlog story-hub.ramenlog", c1.display());
        let output = replay(&format!("show {logs} -o json"));
        assert!(complaint(&output).contains(word), "{}", complaint(&output));
        check_order(&String::from_utf8_lossy(&output.stdout));
        let timeline = said(&format!("timeline {logs}"));
        for step in ["Cleaning Up                    5.3 s", "DemotingVolumes                5.1 s"] {
            assert!(timeline.contains(step), "no {step:?} in: {timeline}");
        }
    }
}

#[test]
fn wrong_usage_is_told_apart_and_says_what_there_is() {
    for (command, word) in [
        ("show story-hub.ramenlog --cluster c9", "there are only logs of hub"),
        ("show story-hub.ramenlog --since 9999", "hub#1 to hub#350"),
        ("show story-hub.ramenlog --since noon", "time of day"),
        ("show story-hub.ramenlog chaos-5-hub.ramenlog", "give one of each"),
        ("timeline story-*.ramenlog --about nobody", "drpc/apps/app-000"),
        ("state story-hub.ramenlog nobody", "drpolicy/policy"),
        ("state story-hub.ramenlog --at 23:00", "it has records 1 to 350"),
        ("state story-hub.ramenlog drpc/apps/app-000", "no single object"),
        ("diff @3 @4", "has to name a log"),
        ("why nobody story-*.ramenlog", "drpc/apps/app-000"),
        ("why app-000 story-*.ramenlog --at 200 --not happy", "PeerReady"),
    ] {
        let output = replay(command);
        let said = complaint(&output);
        assert_eq!(output.status.code(), Some(64), "{command}: {said}");
        assert!(said.contains(word), "{command}: no {word:?} in: {said}");
    }
}

#[test]
fn logs_that_do_not_belong_together_are_noticed() {
    let output = replay("show story-hub.ramenlog chaos-5-c1.ramenlog --kind Synced");
    assert!(complaint(&output).contains("c1 knows no command of this hub's log"), "{}", complaint(&output));
    assert_eq!(output.status.code(), Some(2), "they are not shown as one story");
    let output = replay("show story-hub.ramenlog chaos-5-c1.ramenlog --kind Synced --salvage");
    assert!(complaint(&output).contains("c1 knows no command of this hub's log"), "{}", complaint(&output));
    assert_eq!(output.status.code(), Some(0), "on request they are shown side by side");
    let output = replay("show story-*.ramenlog --kind Synced");
    assert_eq!(complaint(&output), "");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let command = format!("{} show {} | head -1", env!("CARGO_BIN_EXE_ramen-replay"), fixture("chaos-5-hub").display());
    let output = std::process::Command::new("bash").args(["-o", "pipefail", "-c", &command]).output().expect("bash");
    assert!(output.status.success(), "{}", complaint(&output));
    assert_eq!(fixtures("story").len(), 3);
}
