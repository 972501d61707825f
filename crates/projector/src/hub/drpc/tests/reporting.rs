//! When and what the status tells.

use ramen_events::ConditionStatus::{False, True, Unknown};

use crate::hub::story::Story;

#[test]
fn synchronizations_are_written_now_and_then() {
    let mut story = Story::deployed();
    for _ in 0..60 {
        story.pass(2);
        let now = story.now;
        story.report("c1", |status| {
            status.last_group_sync = Some(now);
            status.last_update = Some(now);
        });
        story.run();
    }
    assert!((3..=5).contains(&story.sent.len()), "two minutes, one write each half: {:?}", story.sent);
    assert!(story.now.ms_since(story.status().last_group_sync.unwrap()) <= 32_000);
}

#[test]
fn a_synchronization_that_stays_away_is_told_of_once_until_one_comes() {
    let mut story = Story::deployed();
    story.pass(300);
    assert!(!story.words("Protected").contains("nothing was synchronized"), "{}", story.words("Protected"));
    story.pass(180);
    let words = story.words("Protected").to_owned();
    assert_eq!(story.told("Protected"), (True, "Protected"), "as clients know it");
    assert!(
        words.contains("nothing was synchronized since 2023-11-14T22:13:") && words.contains("every 1m"),
        "{words}"
    );
    assert!(words.contains("look whether the storage of both clusters reaches each other"), "{words}");
    assert_eq!(story.events, ["DRPCSynchronizationOverdue"]);
    story.lose("c2");
    story.managed("c2", Unknown);
    story.run();
    story.pass(2);
    let words = story.words("Protected");
    assert!(words.contains("bring cluster c2 back"), "{words}");
    assert_eq!(story.events.len(), 1, "{:?}", story.events);
    story.managed("c2", True);
    story.pass(1);
    let now = story.now;
    story.report("c1", |status| {
        status.last_group_sync = Some(now);
        status.last_update = Some(now);
    });
    story.run();
    story.pass(40);
    assert!(!story.words("Protected").contains("nothing was synchronized"), "{}", story.words("Protected"));
}

#[test]
fn an_application_without_claims_is_not_said_to_wait_for_a_synchronization() {
    let mut story = Story::deployed();
    story.report("c1", |status| {
        status.last_group_sync = None;
        status.protected_pvcs.clear();
        for condition in status.conditions.iter_mut().filter(|c| c.kind == "DataProtected") {
            (condition.status, condition.reason) = (True, "Unused".into());
        }
    });
    story.run();
    story.pass(3);
    assert_eq!(story.told("Protected"), (False, "Progressing"));
    let words = story.words("Protected");
    assert!(words.contains("no claim of the application is selected") && words.contains("spec.pvcSelector"), "{words}");
    assert!(!words.contains("replica"), "{words}");
}

#[test]
fn an_error_of_the_vrg_is_told_at_once_and_once() {
    let mut story = Story::deployed();
    story.report("c1", |status| {
        for condition in status.conditions.iter_mut().filter(|c| c.kind == "ClusterDataProtected") {
            (condition.status, condition.reason) = (ramen_events::ConditionStatus::False, "UploadError".into());
        }
    });
    story.run();
    story.pass(3);
    assert_eq!(story.told("Protected"), (ramen_events::ConditionStatus::False, "Error"));
    assert_eq!(story.events, ["Error"]);
    assert!(story.words("Protected").contains("cluster c1"), "{}", story.words("Protected"));
    let mirror = story.status().resource.as_ref().unwrap();
    assert!(mirror.conditions.iter().any(|condition| condition.reason == "UploadError"), "the view was touched");
}

#[test]
fn what_is_known_of_a_lost_cluster_is_called_old() {
    let mut story = Story::deployed();
    story.lose("c1");
    story.managed("c1", Unknown);
    story.run();
    assert_eq!(story.told("Protected"), (Unknown, "Unknown"));
    assert_eq!(story.told("Available"), (True, "Deployed"));
    story.managed("c1", True);
    story.run();
    assert_eq!(story.told("Protected"), (True, "Protected"));
}

#[test]
fn protection_does_not_flutter_with_the_steps_of_an_action() {
    let mut story = Story::deployed();
    story.site("c1").idle = true;
    story.ask("Relocate", "c2");
    story.run();
    assert_eq!(story.told("Protected"), (True, "Protected"), "the cluster is looking at the request");
    story.pass(20);
    assert_eq!(story.told("Protected").0, Unknown, "but not for ever");
}

#[test]
fn conditions_tell_since_when_and_do_not_change_by_themselves() {
    let mut story = Story::deployed();
    story.lose("c1");
    story.ask("Failover", "c2");
    story.run();
    story.pass(40); // what takes long is told by now
    let before = story.status().clone();
    story.sent.clear();
    story.pass(120);
    assert_eq!(*story.status(), before);
    let wait = story.position();
    let sentence = wait.wait.as_ref().unwrap().sentence(wait.since);
    assert!(sentence.contains("on cluster c1 since 2023-11-14T22:"), "{sentence}");
}

/// A VRG finds claims of others that are selected, or does no more.
fn conflict(story: &mut Story, cluster: &str, reason: &str, message: &str) {
    story.report(cluster, |status| {
        for condition in status.conditions.iter_mut().filter(|c| c.kind == "NoClusterDataConflict") {
            condition.status = if reason == "NoConflictDetected" { True } else { False };
            (condition.reason, condition.message) = (reason.into(), message.into());
        }
    });
    story.run();
}

/// What the DRPC repeats of it: status, message.
fn mirrored(story: &Story) -> (ramen_events::ConditionStatus, &str) {
    let told = &story.status().resource.as_ref().unwrap().conditions;
    let told = told.iter().find(|told| told.kind == "NoClusterDataConflict").unwrap();
    (told.status, &told.message)
}

#[test]
fn a_conflict_on_the_peer_is_told_while_all_is_well() {
    let mut story = Story::deployed();
    conflict(&mut story, "c2", "ClusterDataConflictSecondary", "claim app/data is selected here: delete it");
    story.pass(3);
    assert_eq!(story.told("Protected"), (False, "Error"));
    let words = story.words("Protected").to_owned();
    let expected =
        ["on cluster c2 says", "NoClusterDataConflict is False", "claim app/data", "delete it", "move to cluster c2"];
    expected.iter().for_each(|part| assert!(words.contains(part), "{part}: {words}"));
    assert_eq!(mirrored(&story), (False, "on cluster c2: claim app/data is selected here: delete it"));
    assert_eq!(story.told("PeerReady"), (True, "Success"), "only rule 5 looks at it");
    assert_eq!(story.status().progression, "Completed");
    assert_eq!(story.events, ["Error"]);

    story.sent.clear();
    let before = story.status().clone();
    story.pass(60);
    assert_eq!(*story.status(), before, "it is told once");

    conflict(&mut story, "c2", "NoConflictDetected", "nothing stands in the way");
    story.pass(3);
    assert_eq!(story.told("Protected"), (True, "Protected"));
    assert_eq!(mirrored(&story).0, True);
}

#[test]
fn the_words_of_a_conflict_come_with_the_view_and_its_fact_with_feedback() {
    let mut story = Story::deployed();
    story.site("c2").down = true; // the agent that reads views stands still
    story.report("c2", |status| {
        for condition in status.conditions.iter_mut().filter(|c| c.kind == "NoClusterDataConflict") {
            (condition.status, condition.reason) = (False, "ClusterDataConflictSecondary".into());
            condition.message = "claim app/data".into();
        }
    });
    story.run();
    story.pass(2);
    assert_eq!(story.told("Protected"), (False, "Error"));
    assert!(story.words("Protected").contains("(ClusterDataConflictSecondary)"), "{}", story.words("Protected"));
    assert!(mirrored(&story).1.starts_with("on cluster c2"), "{}", mirrored(&story).1);
    let since = story.status().condition("Protected").unwrap().since;
    story.site("c2").down = false;
    story.pass(10);
    assert!(story.words("Protected").contains("claim app/data"), "touched: {}", story.words("Protected"));
    assert_eq!(story.status().condition("Protected").unwrap().since, since);
}

#[test]
fn of_two_conflicts_that_of_the_primary_is_told() {
    let mut story = Story::deployed();
    conflict(&mut story, "c2", "ClusterDataConflictSecondary", "claims");
    conflict(&mut story, "c1", "ClusterDataConflictPrimary", "machines");
    story.pass(5);
    assert_eq!(mirrored(&story), (False, "machines"));
    assert!(story.words("Protected").contains("on cluster c1: condition"), "{}", story.words("Protected"));
}
