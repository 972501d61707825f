use ramen_events::{
    ConditionStatus::{False, True, Unknown},
    Outcome,
};
use rstest::rstest;

use super::mid_flight::let_go;
use crate::hub::story::Story;

fn failed_over() -> Story {
    let mut story = Story::deployed();
    story.ask("Failover", "c2");
    story.run();
    story.pass(60);
    story.sent.clear();
    story.events.clear();
    story
}

#[test]
fn relocation_hands_over_in_order() {
    let mut story = failed_over();
    story.ask("Relocate", "c1");
    story.run();
    story.pass(2);
    let order: Vec<&str> = story
        .sent
        .iter()
        .map(String::as_str)
        .filter(|sent| sent.starts_with("vrg") || sent.starts_with("decide"))
        .collect();
    let expected = [
        "vrg c2 primary Relocate prepare",
        "decide ",
        "vrg c2 primary Relocate run",
        "vrg c2 secondary Relocate",
        "vrg c1 primary Relocate",
        "decide c1",
    ];
    assert_eq!(order, expected);
    assert_eq!(story.status().phase, "Relocated");
    assert_eq!(story.told("Available"), (True, "Relocated"));
    assert_eq!(story.told("PeerReady"), (True, "Success"));
    let phases: Vec<&str> = story.events.iter().map(String::as_str).collect();
    assert_eq!(phases, ["DRPCRelocationSuccess"], "steps that take no time are not told");
}

/// A hub that could not write to the cluster of the application, while it could to the other.
fn half_protected() -> Story {
    let mut story = Story::ready();
    story.outcomes.insert(
        "vrg c1 primary".into(),
        Outcome::Refused { code: 403, reason: "Forbidden".into(), message: "not there".into() },
    );
    story.protect();
    story.run();
    assert_eq!((story.wished("c1").as_str(), story.decision().as_str()), ("nothing", "c1"));
    assert!(story.wished("c2").starts_with("secondary"), "{}", story.wished("c2"));
    story
}

#[rstest]
#[case::where_it_is("Relocate", "c1")]
#[case::away("Relocate", "c2")]
#[case::without_it("Failover", "c2")]
fn an_application_that_nobody_protects_yet_is_protected_where_it_is_before_it_moves(
    #[case] action: &str,
    #[case] target: &str,
) {
    let mut story = half_protected();
    story.ask(action, target);
    story.run();
    story.pass(5);
    assert_eq!(story.decision(), "c1", "it is not taken away from the only copy of its data");
    assert!(
        story.position().wait.as_ref().is_some_and(|wait| wait.what.contains("not protected yet")),
        "{:?}",
        story.position()
    );
    story.sent.clear();
    story.outcomes.clear();
    story.pass(60);
    let_go(&mut story);
    let first = story.sent.iter().find(|sent| sent.starts_with("vrg c") || sent.starts_with("decide"));
    assert_eq!(first.map(String::as_str), Some("vrg c1 primary"));
    assert_eq!(story.decision(), target);
    assert_eq!(story.status().progression, "Completed");
}

#[rstest]
#[case::conflict(Outcome::Conflict { message: "it was changed".into() })]
#[case::silence(Outcome::Unreachable { message: "no way".into() })]
fn a_placement_that_may_have_been_cleared_counts_as_cleared_whatever_came_of_the_next_attempt(#[case] next: Outcome) {
    let mut story = failed_over();
    story.ask("Relocate", "c1");
    story.outcomes.insert("decide ".into(), Outcome::Unknown { message: "no answer".into() });
    story.run();
    story.outcomes.insert("decide ".into(), next);
    story.pass(1);
    story.outcomes.clear();
    story.sent.clear();
    story.ask("Relocate", "c2");
    story.run();
    story.pass(2);
    let first = story.sent.iter().find(|sent| sent.starts_with("vrg c") || sent.starts_with("decide"));
    assert_eq!(first.map(String::as_str), Some("decide "), "c2 hands over before it is primary again");
}

#[test]
fn nothing_is_promoted_before_the_source_has_handed_over_its_data() {
    let mut story = failed_over();
    story.ask("Relocate", "c1");
    story.site("c2").idle = true;
    story.run();
    assert_eq!(story.wished("c2"), "primary Relocate prepare", "no answer, no next step");
    assert_eq!(story.decision(), "c2", "S4: the placement is cleared only when it is prepared");
    story.site("c2").idle = false;
    story.catch_up("c2");
    // It accepts everything, but keeps its data.
    for _ in 0..3 {
        story.run();
    }
    assert_eq!(story.decision(), "c1");

    let mut story = failed_over();
    story.ask("Relocate", "c1");
    story.site("c2").idle = true;
    story.run();
    story.site("c2").idle = false;
    story.catch_up("c2");
    story.site("c2").idle = true;
    story.run();
    assert_eq!(story.status().phase, "Relocating");
}

/// A relocation from c2 to c1 whose source was asked to step down, and has not answered.
fn stepping_down() -> Story {
    let mut story = failed_over();
    story.ask("Relocate", "c1");
    story.site("c2").idle = true;
    for _ in 0..4 {
        story.run();
        story.site("c2").idle = story.wished("c2").starts_with("secondary");
        if story.site("c2").idle {
            break;
        }
        story.catch_up("c2");
        story.site("c2").idle = true;
    }
    story.run();
    story
}

/// The same, and it answered: it is secondary, and does not hand its data over, for this reason.
fn keeping_its_data(reason: &str) -> Story {
    let mut story = stepping_down();
    let generation = story.site("c2").vrg.as_ref().unwrap().generation;
    story.report("c2", |status| {
        status.observed_generation = generation;
        status.state = "Secondary".into();
        for condition in &mut status.conditions {
            condition.generation = generation;
            if condition.kind == "DataProtected" {
                (condition.status, condition.reason) = (False, reason.into());
            }
        }
    });
    story.run();
    assert_eq!(story.wished("c2"), "secondary Relocate");
    assert_eq!(story.position().step, "EnsuringVolumesAreSecondary");
    story
}

#[test]
fn a_source_that_is_secondary_without_its_data_keeps_the_target_waiting() {
    let mut story = keeping_its_data("Progressing");
    assert_eq!(story.wished("c1"), "secondary Failover", "S2: not before DataProtected");
    assert_eq!(story.status().progression, "EnsuringVolumesAreSecondary");
    story.site("c2").idle = false;
    story.catch_up("c2");
    story.run();
    assert_eq!(story.wished("c1"), "primary Relocate");
}

#[test]
fn a_relocation_takes_both_clusters() {
    let mut story = failed_over();
    story.managed("c1", Unknown);
    story.ask("Relocate", "c1");
    story.run();
    assert_eq!(story.wished("c2"), "primary Failover");
    assert_eq!((story.status().phase.as_str(), story.decision()), ("Initiating", "c2".into()));
    assert_eq!(story.told("Available"), (True, "FailedOver"), "it still runs");
    assert!(story.words("Available").contains("both clusters"), "{}", story.words("Available"));
    story.managed("c1", True);
    story.run();
    assert_eq!(story.status().phase, "Relocated");
}

#[test]
fn an_application_is_not_taken_down_for_a_target_that_cannot_take_its_claims() {
    let mut story = failed_over();
    let say = |story: &mut Story, status, reason: &str| {
        story.report("c1", |told| {
            for told in told.conditions.iter_mut().filter(|c| c.kind == "NoClusterDataConflict") {
                (told.status, told.reason, told.message) = (status, reason.into(), "claim app/data: delete it".into());
            }
        });
        story.run();
        story.pass(3);
    };
    say(&mut story, False, "ClusterDataConflictSecondary");
    story.ask("Relocate", "c1");
    story.run();
    assert_eq!((story.wished("c2"), story.decision()), ("primary Failover".into(), "c2".into()));
    assert_eq!(story.told("Available"), (True, "FailedOver"), "it still runs");
    let words = story.words("Available").to_owned();
    ["claim app/data: delete it", "on cluster c1"].iter().for_each(|part| assert!(words.contains(part), "{words}"));
    say(&mut story, True, "NoConflictDetected");
    assert_eq!((story.status().phase.as_str(), story.decision()), ("Relocated", "c1".into()));
}

#[test]
fn a_conflict_elsewhere_stops_no_relocation_to_where_the_application_fits() {
    let mut story = failed_over();
    story.report("c2", |told| {
        for told in told.conditions.iter_mut().filter(|c| c.kind == "NoClusterDataConflict") {
            (told.status, told.reason) = (False, "ClusterDataConflictPrimary".into());
        }
    });
    story.ask("Relocate", "c1");
    story.run();
    story.pass(2);
    assert_eq!(story.decision(), "c1");
}

#[test]
fn a_relocation_whose_source_dies_says_what_can_be_done_without_it() {
    let mut story = failed_over();
    story.lose("c2");
    story.ask("Relocate", "c1");
    story.run();
    assert_eq!(story.wished("c2"), "primary Relocate prepare", "nobody knows yet");
    story.managed("c2", Unknown);
    story.run();
    story.pass(3);
    let words = story.words("Available");
    assert!(words.contains("bring the cluster back"), "{words}");
    assert!(words.contains("set spec.action to Failover and spec.failoverCluster to c1"), "{words}");
    story.ask("Failover", "c1");
    story.run();
    assert_eq!(story.wished("c1"), "primary Failover");
}

#[rstest]
#[case::the_source("c2", "c1")]
#[case::the_target("c1", "c2")]
fn a_relocation_that_cannot_begin_says_where_a_failover_goes_on(#[case] lost: &str, #[case] other: &str) {
    let mut story = failed_over();
    story.managed(lost, Unknown);
    story.ask("Relocate", "c1");
    story.run();
    let words = story.words("Available");
    assert!(words.contains(&format!("set spec.action to Failover and spec.failoverCluster to {other}")), "{words}");
}

#[test]
fn a_relocation_whose_source_dies_while_it_steps_down_says_so_too() {
    let mut story = stepping_down();
    story.lose("c2");
    story.managed("c2", Unknown);
    story.run();
    story.pass(3);
    assert_eq!(story.position().step, "EnsuringVolumesAreSecondary");
    let words = story.words("Available");
    assert!(words.contains("set spec.action to Failover and spec.failoverCluster to c1"), "{words}");
}

#[rstest]
#[case::it_synchronizes("Replicating")]
#[case::it_waits("Progressing")]
fn a_relocation_whose_source_never_gets_to_hand_over_says_how_the_application_comes_back(#[case] reason: &str) {
    let mut story = keeping_its_data(reason);
    story.pass(60);
    let stay = "set spec.action to Failover and spec.failoverCluster to c2";
    assert!(!story.words("Available").contains(stay), "a synchronization takes its time: {}", story.words("Available"));
    story.pass(300);
    assert!(story.words("Available").contains(stay), "{}", story.words("Available"));
    story.report("c2", |status| {
        for condition in status.conditions.iter_mut().filter(|condition| condition.kind == "DataReady") {
            (condition.status, condition.reason) = (False, "Progressing".into());
            condition.message = "claim data: waiting for its volume to be detached from node n1".into();
        }
    });
    story.run();
    story.read_view(&"c2".into(), "app-apps-vrg-mcv");
    story.run();
    story.pass(3);
    let words = story.words("Available");
    assert!(words.contains("there says: claim data: waiting for its volume to be detached from node n1; "), "{words}");

    story.sent.clear();
    story.ask("Failover", "c2");
    story.run();
    let first = story.sent.iter().find(|sent| sent.starts_with("vrg c2"));
    assert_eq!(
        first.map(String::as_str),
        Some("vrg c2 primary Failover"),
        "it is not told to take over what nobody has"
    );

    let mut story = keeping_its_data(reason);
    story.lose("c1");
    story.managed("c1", Unknown);
    story.run();
    story.pass(3);
    let words = story.words("Available");
    assert!(words.contains(stay) && words.contains("bring cluster c1 back"), "{words}");
}

#[test]
fn an_unprotected_application_is_not_moved() {
    let mut story = failed_over();
    story.report("c2", |status| {
        for condition in status.conditions.iter_mut().filter(|c| c.kind == "ClusterDataProtected") {
            condition.status = False;
            condition.reason = "UploadError".into();
        }
    });
    story.run();
    story.ask("Relocate", "c1");
    story.run();
    assert_eq!(story.wished("c2"), "primary Failover", "S3");
    assert!(story.words("Available").contains("UploadError"), "{}", story.words("Available"));
}

#[test]
fn relocating_to_where_it_is_changes_nothing_but_words() {
    let mut story = Story::deployed();
    story.ask("Relocate", "c1");
    story.run();
    story.pass(2);
    assert_eq!((story.decision(), story.wished("c1")), ("c1".into(), "primary Relocate".into()));
    assert!(!story.sent.iter().any(|sent| sent == "decide "), "{:?}", story.sent);
    assert_eq!(story.told("Available"), (True, "Relocated"));
}
