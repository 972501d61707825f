use ramen_events::{
    ConditionStatus::True,
    Kind, Time,
    hub::{Fact, Meta},
};
use rstest::rstest;

use super::mid_flight::until_asked;
use crate::hub::story::{Story, app};

/// Asks for the deletion of the DRPC.
fn delete(story: &mut Story) {
    let mut fact = story.drpc().clone();
    fact.meta = Meta { deleting: Some(story.now), generation: fact.meta.generation + 1, ..fact.meta };
    story.see(Fact::Drpc(Box::new(fact)));
}

fn is_gone(story: &Story) -> bool {
    !story.world.domain.drpcs.contains_key(&app())
}

#[test]
fn replicas_go_before_the_primary_and_the_application_stays() {
    let mut story = Story::deployed();
    delete(&mut story);
    story.run();
    assert!(is_gone(&story));
    let deleted: Vec<&str> = story.sent.iter().map(String::as_str).filter(|s| s.starts_with("delete work")).collect();
    assert_eq!(deleted[..2], ["delete work c2/app-apps-vrg-mw", "delete work c1/app-apps-vrg-mw"], "S12");
    assert_eq!(story.decision(), "c1", "the workload runs on");
    let placement = &story.world.domain.placements[&app()];
    assert_eq!(placement.meta.finalizers, Vec::<String>::new());
    assert!(story.world.domain.views.values().all(|views| views.keys().all(|name| !name.contains("vrg"))));
    assert!(story.sent.len() <= 9, "{:#?}", story.sent);
}

#[test]
fn the_finalizer_stays_while_a_cluster_cannot_be_cleaned() {
    let mut story = Story::deployed();
    story.lose("c2");
    delete(&mut story);
    story.run();
    story.pass(30);
    assert!(!is_gone(&story));
    assert_eq!((story.status().phase.as_str(), story.status().progression.as_str()), ("Deleting", "Deleting"));
    assert_eq!(story.wished("c1"), "primary", "the primary waits for its replicas");
    assert!(story.words("Available").contains("cluster c2"), "{}", story.words("Available"));
    story.site("c2").down = false;
    story.site("c2").vrg = None;
    story.gone(Kind::ManifestWork, "c2", "app-apps-vrg-mw");
    story.run();
    assert!(is_gone(&story));
}

#[test]
fn deleting_the_placement_deletes_the_drpc_too() {
    let mut story = Story::deployed();
    let mut placement = story.world.domain.placements[&app()].clone();
    placement.meta.deleting = Some(story.now);
    story.see(Fact::Placement(Box::new(placement)));
    story.run();
    assert!(!story.world.domain.placements.contains_key(&app()), "P7: noticed without any other event");
    assert_eq!((story.wished("c1"), story.wished("c2")), ("nothing".into(), "nothing".into()));
    delete(&mut story); // by the garbage collector: the placement owned it
    story.run();
    assert!(is_gone(&story));
}

#[test]
fn a_drpc_whose_policy_is_gone_is_deleted() {
    let mut story = Story::deployed();
    story.gone(Kind::DrPolicy, "", "policy");
    story.gone(Kind::DrCluster, "", "c2");
    delete(&mut story);
    story.run();
    assert!(is_gone(&story), "P26: our own works tell what has to go");
    assert_eq!((story.wished("c1"), story.wished("c2")), ("nothing".into(), "nothing".into()));
}

#[test]
fn a_drpc_that_was_never_valid_is_deleted() {
    let mut story = Story::ready();
    story.protect_as(|fact| fact.spec.policy = "none".into());
    story.run();
    assert_eq!(story.drpc().meta.finalizers, Vec::<String>::new(), "nothing was marked for it");
    story.protect_as(|fact| {
        fact.spec.policy = "none".into();
        fact.meta.deleting = Some(Time(1));
        fact.meta.finalizers = vec!["drpc.ramendr.openshift.io/finalizer".into()];
    });
    story.run();
    assert!(is_gone(&story));
}

#[test]
fn deletion_in_the_middle_of_a_failover_ends() {
    let mut story = Story::deployed();
    story.site("c2").idle = true;
    story.ask("Failover", "c2");
    story.run();
    delete(&mut story);
    story.run();
    assert!(is_gone(&story));
    assert_eq!(story.world.domain.managed["c1"].available, Some(True));
}

#[rstest]
#[case::stopped("primary Relocate run")]
#[case::handing_over("secondary")]
fn an_application_that_is_under_way_comes_home_first(#[case] at: &str) {
    let mut story = Story::deployed();
    story.ask("Relocate", "c2");
    until_asked(&mut story, "c1", at);
    story.sent.clear();
    delete(&mut story);
    story.run();
    assert!(!story.sent.iter().any(|sent| sent.starts_with("delete work")), "nobody runs it: {:?}", story.sent);
    for _ in 0..3 {
        story.site("c1").idle = false;
        story.catch_up("c1");
        story.run();
    }
    assert!(is_gone(&story), "{}", story.words("Available"));
    assert_eq!(story.decision(), "c1", "S12: the workload survives");
    let place = |words: &str| story.sent.iter().position(|sent| sent.starts_with(words));
    assert!(place("decide c1") < place("delete work c2/app-apps-vrg-mw"), "{:?}", story.sent);
    assert!(place("vrg c1 primary").is_some(), "{:?}", story.sent);
}

#[test]
fn an_old_home_is_given_up_before_a_failover_is_forgotten() {
    let mut story = Story::deployed();
    story.site("c1").idle = true;
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.decision(), "[c1] c2");
    delete(&mut story);
    story.run();
    assert!(!is_gone(&story));
    story.site("c1").idle = false;
    story.catch_up("c1");
    story.run();
    assert!(is_gone(&story));
    assert_eq!(story.decision(), "c2", "nobody would stop it later");
}
