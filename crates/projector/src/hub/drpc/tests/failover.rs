use ramen_events::ConditionStatus::{False, True, Unknown};

use crate::hub::story::Story;

#[test]
fn failover_never_waits_for_the_lost_cluster() {
    let mut story = Story::deployed();
    story.lose("c1");
    story.ask("Failover", "c2");
    story.run();
    story.pass(2);
    assert_eq!(story.wished("c2"), "primary Failover");
    assert_eq!(story.wished("c1"), "secondary Failover", "asked as soon as c2 serves; c1 will find it");
    assert_eq!(story.decision(), "[c1] c2", "the old home keeps its claims until it accepted (S6)");
    assert_eq!(story.status().phase, "FailedOver");
    assert_eq!(story.told("Available"), (True, "FailedOver"));
    assert_eq!(story.told("PeerReady"), (False, "NotStarted"));
    assert_eq!(story.status().progression, "Cleaning Up");
    assert_eq!(story.position().wait.as_ref().unwrap().on, Some("c1".into()));
}

#[test]
fn the_old_home_cleans_up_when_it_is_back() {
    let mut story = Story::deployed();
    story.lose("c1");
    story.ask("Failover", "c2");
    story.run();
    story.pass(100);
    story.sent.clear();
    story.bring_back("c1");
    story.run();
    story.pass(2);
    assert_eq!(story.decision(), "c2");
    assert_eq!(story.told("PeerReady"), (True, "Success"));
    assert_eq!(story.status().progression, "Completed");
    assert!(story.status().action_duration.is_some());
    let order = ["decide c2"];
    assert!(order.iter().all(|word| story.sent.iter().any(|sent| sent == word)), "{:?}", story.sent);
}

#[test]
fn the_old_home_is_released_after_it_accepted_and_before_it_settled() {
    let mut story = Story::deployed();
    story.ask("Failover", "c2");
    story.site("c1").idle = true;
    story.run();
    assert_eq!(story.decision(), "[c1] c2", "not accepted yet");
    let actor = story.site("c1").vrg.as_mut().unwrap();
    let generation = actor.generation;
    story.report("c1", |status| {
        status.observed_generation = generation;
        status.state = "Unknown".into();
    });
    story.run();
    assert_eq!(story.decision(), "c2", "accepted: its pods may go, which is what it waits for");
    assert_eq!(story.told("PeerReady").0, False);
    story.site("c1").idle = false;
    story.catch_up("c1");
    story.run();
    assert_eq!(story.told("PeerReady").0, True);
}

#[test]
fn the_old_home_is_cleaned_up_although_a_claim_joined_the_new_one_that_can_not_be_protected() {
    let mut story = Story::deployed();
    story.lose("c1");
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.decision(), "[c1] c2");
    story.site("c2").idle = true;
    let later = story.now.plus_seconds(1);
    story.report("c2", |status| {
        status.last_update = Some(later);
        let ready = status.conditions.iter_mut().find(|told| told.kind == "DataReady").unwrap();
        ready.status = False;
        ready.message = "claim data-2: StorageClass is missing".into();
    });
    story.run();
    story.bring_back("c1");
    story.run();
    assert_eq!((story.decision(), story.wished("c1")), ("c2".into(), "secondary Failover".into()));
    story.pass(5);
    assert!(
        story.words("Available").contains("volumes to be restored and primary on cluster c2"),
        "{:?}",
        story.status()
    );
}

#[test]
fn an_answer_to_an_older_wish_is_no_proof() {
    let mut story = Story::deployed();
    story.site("c2").idle = true;
    story.ask("Failover", "c2");
    story.run();
    // The VRG still reports what it was asked before, at the generation of before.
    assert_eq!(story.status().phase, "FailingOver");
    assert_eq!(story.decision(), "c1");
    // It took the new spec but carries no answer to it, though conditions look fine (P2, P3).
    story.report("c2", |status| status.state = "Primary".into());
    story.run();
    assert_eq!(story.decision(), "c1");
}

#[test]
fn failover_writes_few_objects() {
    let mut story = Story::deployed();
    story.lose("c1");
    story.ask("Failover", "c2");
    story.run();
    let writes = story.sent.iter().filter(|sent| !sent.starts_with("status")).collect::<Vec<_>>();
    let few = ["vrg c2 primary Failover", "touch c2", "mark Drpc", "decide [c1] c2", "vrg c1 secondary Failover"];
    assert_eq!(writes, few);
}

#[test]
fn a_target_that_is_not_settled_is_refused_with_words() {
    let mut story = Story::deployed();
    story.report("c2", |status| status.state = "Unknown".into());
    story.run();
    story.sent.clear();
    story.ask("Failover", "c2");
    story.run();
    assert!(!story.sent.iter().any(|sent| sent.starts_with("vrg")), "{:?}", story.sent);
    assert_eq!(story.status().phase, "Deployed", "5.1: it has not begun");
    assert_eq!(story.told("Available"), (True, "Deployed"), "the application still runs");
    assert!(story.words("Available").contains("settled as secondary"), "{}", story.words("Available"));
    assert_eq!(story.events, ["DRPCClusterSwitchFailed"]);
    story.catch_up("c2");
    story.run();
    assert_eq!(story.told("Available"), (True, "FailedOver"), "correcting it is enough");
}

#[test]
fn a_lost_target_is_refused() {
    let mut story = Story::deployed();
    story.managed("c2", Unknown);
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.wished("c2"), "secondary");
    assert_eq!(story.status().progression, "CheckingFailoverPrerequisites");
    story.managed("c2", True);
    story.run();
    assert_eq!(story.wished("c2"), "primary Failover");
}

#[test]
fn an_action_is_counted_once() {
    let mut story = Story::deployed();
    story.ask("Failover", "c2");
    story.run();
    story.restart();
    story.lose_log();
    story.pass(5);
    let counted = story.drpc().meta.annotation("drplacementcontrol.ramendr.openshift.io/dr-action-count").to_owned();
    assert_eq!(counted, r#"{"failover":1,"relocate":0,"lastPhase":"FailingOver"}"#);
}
