//! A hub that restarts, with its log or without.

use ramen_api::ramen::wire::annotation::LAST_APP_CLUSTER;
use ramen_events::{
    ConditionStatus::{False, True},
    hub::Fact,
};
use rstest::rstest;

use super::mid_flight::{let_go, until_asked};
use crate::hub::story::Story;

#[rstest]
#[case::with_its_log(Story::restart)]
#[case::without_its_log(Story::lose_log)]
fn a_restart_at_rest_changes_nothing(#[case] restart: fn(&mut Story)) {
    let mut story = Story::deployed();
    let before = story.status().clone();
    restart(&mut story);
    story.pass(60);
    let written: Vec<&String> =
        story.sent.iter().filter(|s| !s.starts_with("probe") && *s != "CreateOpsNamespace").collect();
    assert_eq!(written, Vec::<&String>::new());
    assert_eq!(*story.status(), before);
}

#[rstest]
#[case::with_its_log(Story::restart)]
#[case::without_its_log(Story::lose_log)]
fn a_restart_in_the_middle_of_a_failover_goes_on(#[case] restart: fn(&mut Story)) {
    let mut story = Story::deployed();
    story.lose("c1");
    story.site("c2").idle = true;
    story.ask("Failover", "c2");
    story.run();
    restart(&mut story);
    story.site("c2").idle = false;
    story.catch_up("c2");
    story.run();
    assert_eq!(story.decision(), "[c1] c2");
    restart(&mut story);
    story.bring_back("c1");
    story.run();
    story.pass(5);
    assert_eq!((story.status().phase.as_str(), story.status().progression.as_str()), ("FailedOver", "Completed"));
}

#[rstest]
#[case::with_its_log(Story::restart)]
#[case::without_its_log(Story::lose_log)]
fn a_restart_at_each_step_of_a_relocation_goes_on(#[case] restart: fn(&mut Story)) {
    let mut story = Story::deployed();
    story.ask("Relocate", "c2");
    for _ in 0..12 {
        for cluster in ["c1", "c2"] {
            story.site(cluster).idle = true;
        }
        story.run();
        restart(&mut story);
        for cluster in ["c1", "c2"] {
            story.site(cluster).idle = false;
            story.catch_up(cluster);
        }
    }
    story.run();
    story.pass(5);
    assert_eq!((story.status().phase.as_str(), story.status().progression.as_str()), ("Relocated", "Completed"));
    assert_eq!(story.decision(), "c2");
    let promotions = story.sent.iter().filter(|sent| *sent == "vrg c2 primary Relocate").count();
    assert_eq!(promotions, 1);
}

#[test]
fn a_restored_hub_takes_in_what_the_clusters_have() {
    let mut story = Story::deployed();
    story.restore_hub();
    story.pass(3);
    assert_eq!((story.wished("c1"), story.wished("c2")), ("primary".into(), "secondary".into()));
    assert_eq!((story.status().phase.as_str(), story.status().progression.as_str()), ("Deployed", "Completed"));
    let roles: Vec<&str> = story.sent.iter().map(String::as_str).filter(|s| s.starts_with("vrg")).collect();
    assert_eq!(roles, ["vrg c1 primary", "vrg c2 secondary"], "S14: nothing changes its role");
}

#[test]
fn a_restored_hub_resumes_a_failover_that_was_done() {
    let mut story = Story::deployed();
    story.ask("Failover", "c2");
    story.run();
    story.pass(5);
    story.restore_hub();
    story.pass(3);
    assert_eq!((story.status().phase.as_str(), story.status().progression.as_str()), ("FailedOver", "Completed"));
    assert_eq!((story.wished("c1"), story.wished("c2")), ("secondary Failover".into(), "primary Failover".into()));
}

#[test]
fn a_restored_hub_asks_when_the_primary_does_not_answer() {
    let mut story = Story::deployed();
    story.lose("c1");
    story.restore_hub();
    story.pass(60);
    assert_eq!((story.status().phase.as_str(), story.status().progression.as_str()), ("WaitForUser", "Paused"));
    assert_eq!(story.told("Available"), (True, "Success"));
    assert_eq!(story.told("PeerReady"), (True, "Success"), "{}", story.words("PeerReady"));
    assert_eq!(story.wished("c2"), "secondary", "taken in, and left alone");
    story.ask("Failover", "c2");
    story.run();
    story.pass(3);
    assert_eq!(story.status().phase, "FailedOver", "rule 3");
}

#[test]
fn a_restored_hub_goes_on_when_the_silent_cluster_answers() {
    let mut story = Story::deployed();
    story.lose("c1");
    story.restore_hub();
    story.pass(60);
    assert_eq!(story.status().phase, "WaitForUser");
    story.site("c1").down = false;
    story.pass(60);
    assert_eq!((story.status().phase.as_str(), story.status().progression.as_str()), ("Deployed", "Completed"));
}

#[test]
fn a_hub_that_finds_two_replicas_stops_and_accepts_a_failover() {
    let mut story = Story::deployed();
    story.ask("Relocate", "c2");
    story.site("c1").idle = true;
    for _ in 0..6 {
        story.run();
        if story.wished("c1").starts_with("secondary") {
            break;
        }
        story.site("c1").idle = false;
        story.catch_up("c1");
        story.site("c1").idle = true;
    }
    story.restore_hub();
    story.pass(3);
    assert_eq!(story.told("Available"), (False, "Paused"), "rule 9");
    assert!(story.words("Available").contains("Failover"), "{}", story.words("Available"));
    story.site("c1").idle = false;
    story.catch_up("c1");
    story.ask("Failover", "c1");
    story.run();
    story.pass(3);
    assert_eq!(story.status().phase, "FailedOver", "{}", story.words("Available"));
}

#[test]
fn a_hub_that_finds_a_replica_only_makes_it_the_home_when_a_person_says_so() {
    let mut story = Story::deployed();
    story.site("c1").vrg = None;
    // As it was applied: nothing tells where the application was.
    let mut fact = story.drpc().clone();
    fact.meta.annotations.remove(LAST_APP_CLUSTER);
    (fact.spec.action, fact.spec.preferred) = ("Relocate".into(), "c2".into());
    story.see(Fact::Drpc(Box::new(fact)));
    story.restore_hub();
    story.pass(60);
    assert_eq!(story.status().progression, "Paused", "{}", story.words("Available"));
    assert_eq!((story.wished("c1"), story.wished("c2").as_str()), ("nothing".into(), "secondary"));
    story.ask("", "c2");
    story.run();
    story.pass(60);
    assert_eq!(story.status().phase, "Deployed", "c1 has nothing to hand over: {}", story.words("Available"));
    assert_eq!((story.decision().as_str(), story.wished("c2").as_str()), ("c2", "primary"));
}

#[test]
fn a_denial_from_before_the_vrg_existed_is_no_news_to_a_hub_without_memory() {
    let mut story = Story::ready();
    story.protect();
    story.run();
    story.pass(3);
    let denied = &story.world.domain.view(&"c2".into(), "app-apps-vrg-mcv").unwrap().fact.answer;
    assert_eq!(*denied, ramen_events::hub::ViewAnswer::NotFound, "it rests since first contact");
    story.lose_log();
    story.ask("Failover", "c2");
    story.run();
    story.pass(1);
    assert_eq!(story.status().phase, "FailedOver", "{}", story.words("Available"));
}

#[test]
fn a_restored_hub_stops_the_application_that_a_relocation_is_to_move() {
    let mut story = Story::deployed();
    story.ask("Relocate", "c2");
    until_asked(&mut story, "c1", "primary Relocate prepare");
    story.restore_hub();
    let_go(&mut story);
    let decided: Vec<&str> = story.sent.iter().map(String::as_str).filter(|sent| sent.starts_with("decide")).collect();
    assert_eq!(decided, ["decide c1", "decide ", "decide c2"], "who deploys takes away only what was placed");
    assert_eq!(story.status().phase, "Relocated", "{}", story.words("Available"));
}

#[test]
fn a_hub_of_before_a_failover_does_not_take_the_application_away_from_where_it_went() {
    let mut story = Story::deployed();
    story.ask("Relocate", "c1");
    story.run();
    story.pass(5);
    let before = story.drpc().spec.clone();
    story.site("c1").idle = true;
    story.ask("Failover", "c2");
    story.run();
    assert_eq!((story.decision(), story.wished("c2")), ("[c1] c2".into(), "primary Failover".into()));
    story.edit(|spec| *spec = before);
    story.restore_hub();
    story.pass(5);
    assert_eq!(story.wished("c2"), "primary Failover", "it is the later one");
    let told = story.words("Available");
    assert!(told.contains("cluster c2 runs the application for action \"Failover\""), "{told}");
}
