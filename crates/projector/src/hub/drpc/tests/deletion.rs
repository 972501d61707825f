use ramen_api::ramen::wire::annotation::{APP_NAMESPACE, LAST_APP_CLUSTER};
use ramen_events::{
    ConditionStatus::{True, Unknown},
    Kind, Payload, Time,
    hub::{Fact, Meta},
};
use rstest::rstest;

use super::mid_flight::until_asked;
use crate::hub::story::{Story, app};

/// Asks for the deletion of the DRPC.
pub(super) fn delete(story: &mut Story) {
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
    let mut placement = (*story.world.domain.placements[&app()]).clone();
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
    let told = ramen_api::ramen::wire::event::DRPC_DELETED_WITHOUT_HOME;
    assert!(story.events.iter().any(|event| event == told), "P26: somebody may have to look for what it had");
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
fn an_application_with_replicas_only_comes_home_first_wherever_a_new_hub_sees_it_placed() {
    let mut story = Story::deployed();
    let placed = story.world.domain.decisions.values().next().unwrap().clone();
    story.ask("Relocate", "c2");
    until_asked(&mut story, "c1", "secondary");
    // It hears of the placement last of all.
    story.see(Fact::Decision(placed));
    delete(&mut story);
    story.sent.clear();
    story.lose_log();
    assert!(!story.sent.iter().any(|sent| sent.starts_with("delete work")), "nobody deletes copies: {:?}", story.sent);
    for _ in 0..3 {
        story.site("c1").idle = false;
        story.catch_up("c1");
        story.run();
    }
    assert!(is_gone(&story), "{}", story.words("Available"));
    assert!(story.sent.iter().any(|sent| sent.starts_with("vrg c1 primary")), "{:?}", story.sent);
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

#[test]
fn a_hub_that_was_rebuilt_looks_before_it_deletes() {
    let mut story = Story::deployed();
    story.managed("c2", Unknown);
    story.site("c2").down = true;
    story.restore_hub();
    delete(&mut story);
    story.run();
    story.pass(90);
    assert!(!is_gone(&story), "c2 may have a VRG");
    assert_eq!(story.wished("c1"), "primary", "nothing is taken apart before all is known");
    let told = story.words("Available");
    assert!(told.contains("on cluster c2") && told.contains("delete its ManagedCluster"), "{told}");
    story.bring_back("c2");
    story.pass(30);
    assert!(is_gone(&story), "{}", story.words("Available"));
    let deleted: Vec<&str> = story.sent.iter().map(String::as_str).filter(|s| s.starts_with("delete work")).collect();
    assert_eq!(deleted[..2], ["delete work c2/app-apps-vrg-mw", "delete work c1/app-apps-vrg-mw"], "S12");
}

#[test]
fn nothing_goes_before_the_drpc_says_so() {
    let mut story = Story::deployed();
    delete(&mut story);
    story.run();
    let first = |words: &str| story.sent.iter().position(|sent| sent.contains(words));
    assert!(first("Deleting").is_some() && first("Deleting") < first("delete work"), "{:?}", story.sent);
}

#[test]
fn a_deletion_that_the_drpc_tells_of_goes_on_when_the_log_lost_all_of_it() {
    let mut story = Story::deployed();
    story.ask("Failover", "c2");
    story.run();
    delete(&mut story);
    let mut told = story.drpc().clone();
    told.status.phase = "Deleting".into();
    told.status.progression = "Deleting".into();
    story.see(Fact::Drpc(Box::new(told)));
    for cluster in ["c1", "c2"] {
        story.gone(Kind::ManifestWork, cluster, "app-apps-vrg-mw");
    }
    story.lose_log();
    let asked = story.sent.iter().any(|sent| sent.contains("work c") && !sent.starts_with("delete"));
    assert!(!asked, "{:?}", story.sent);
}

#[test]
fn a_hub_of_before_a_failover_does_not_bring_the_application_back_to_delete_it() {
    let mut story = Story::deployed();
    let mut before = story.drpc().clone();
    before.meta.deleting = Some(story.now);
    story.lose("c1");
    story.ask("Failover", "c2");
    story.run();
    story.see(Fact::Drpc(Box::new(before)));
    story.site("c1").down = false;
    story.restore_hub();
    story.pass(30);
    assert!(
        story.sent.iter().any(|sent| sent.starts_with("vrg c1 primary")),
        "it was found as it is: {:?}",
        story.sent
    );
    assert!(!story.sent.iter().any(|sent| sent.starts_with("vrg c2 secondary")), "D1: {:?}", story.sent);
    assert_eq!(story.decision(), "c2", "the later one is the home");
}

#[test]
fn a_cluster_that_left_the_hub_for_good_does_not_hold_up_a_deletion() {
    let mut story = Story::deployed();
    story.managed("c2", Unknown);
    story.site("c2").down = true;
    story.restore_hub();
    delete(&mut story);
    story.run();
    story.gone(Kind::ManagedCluster, "", "c2");
    story.run();
    assert!(is_gone(&story));
}

#[test]
fn a_drpc_is_held_on_to_while_its_policy_is_looked_at() {
    let mut story = Story::with_clusters();
    for name in ["c1", "c2"] {
        story.dr_cluster(name);
        story.site(name).down = true;
    }
    story.policy();
    story.place();
    story.record(None, Payload::Synced);
    story.protect();
    story.run();
    assert!(story.words("Available").contains("is not valid"), "{}", story.words("Available"));
    assert_eq!(story.drpc().meta.finalizers, ["drpc.ramendr.openshift.io/finalizer"], "clusters may have it already");
    assert!(!story.drpc().meta.annotations.contains_key(APP_NAMESPACE), "nothing is settled yet");
}

#[test]
fn nobody_is_asked_to_decide_about_an_application_whose_protection_ends() {
    let mut story = Story::deployed();
    story.ask("Relocate", "c2");
    until_asked(&mut story, "c1", "secondary");
    // As it was applied: nothing tells where the application was.
    let mut fact = story.drpc().clone();
    fact.meta.annotations.remove(LAST_APP_CLUSTER);
    story.see(Fact::Drpc(Box::new(fact)));
    story.restore_hub();
    story.pass(3);
    assert_eq!(story.told("PeerReady").1, "Paused", "{}", story.words("PeerReady"));
    for cluster in ["c1", "c2"] {
        story.lose(cluster);
    }
    delete(&mut story);
    story.run();
    story.pass(20);
    assert_eq!(story.status().phase, "Deleting");
    let (available, peer) = (story.words("Available"), story.words("PeerReady"));
    assert!(available.contains("the VolumeReplicationGroup to be removed"), "{available}");
    assert_eq!(peer, available, "what was to be decided is past");
}
