//! Actions that were changed before they were through, and applications that are found rather than deployed.

use ramen_api::ramen::wire::annotation::STORE_EPOCH;
use ramen_events::{
    ConditionStatus::{False, True},
    Time,
    hub::{ApplicationSetFact, Fact, WorkContent},
};
use rstest::rstest;

use super::mid_flight::until_asked;
use crate::hub::story::{Story, app};

fn epoch(story: &Story, cluster: &str) -> u64 {
    let work = story.world.domain.work(&cluster.into(), "app-apps-vrg-mw");
    match work.map(|work| &work.fact.content) {
        Some(WorkContent::Vrg { manifest, .. }) => {
            let told = manifest.annotations.get(STORE_EPOCH).and_then(|epoch| epoch.parse().ok());
            told.unwrap_or(u64::from(manifest.spec.state == "secondary"))
        }
        _ => 0,
    }
}

/// Has the cluster do what it was told meanwhile, again and again.
fn settle(story: &mut Story) {
    for _ in 0..6 {
        for cluster in ["c1", "c2"] {
            story.site(cluster).idle = false;
            story.catch_up(cluster);
        }
        story.run();
        story.pass(2);
    }
}

#[test]
fn no_primary_has_the_epoch_of_another_one_however_often_actions_are_called_back() {
    let mut story = Story::deployed();
    let mut used = vec![("c1", epoch(&story, "c1"))];
    let mut note = |story: &Story| {
        for cluster in ["c1", "c2"] {
            let epoch = epoch(story, cluster);
            if story.wished(cluster).starts_with("primary") && used.last() != Some(&(cluster, epoch)) {
                assert!(
                    used.iter().all(|(other, used)| *other == cluster || *used != epoch),
                    "{cluster} {epoch} {used:?}"
                );
                used.push((cluster, epoch));
            }
        }
    };
    for (action, target, called_back) in [
        ("Relocate", "c2", false),
        ("Failover", "c1", false),
        ("Failover", "c2", true),
        ("Relocate", "c1", false),
        ("Relocate", "c2", false),
        ("Failover", "c1", true),
        ("Relocate", "c2", false),
        ("Relocate", "c1", false),
    ] {
        story.site(target).idle = called_back;
        story.ask(action, target);
        story.run();
        note(&story);
        if !called_back {
            settle(&mut story);
            note(&story);
        }
    }
}

#[rstest]
#[case::relocation("Relocate")]
#[case::nothing("")]
fn a_failover_that_is_called_back_leaves_a_cluster_that_may_give_up_what_it_promoted(#[case] action: &str) {
    let mut story = Story::deployed();
    story.site("c2").idle = true;
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.wished("c2"), "primary Failover");
    story.ask(action, "c1");
    story.run();
    assert_eq!(story.wished("c2"), "secondary Failover", "its volumes were promoted by force");
    settle(&mut story);
    assert_eq!((story.decision(), story.told("PeerReady").0), ("c1".into(), True));
}

#[test]
fn a_failover_that_replaced_a_relocation_and_was_called_back_leaves_a_cluster_that_may_give_up_what_it_promoted() {
    let mut story = Story::deployed();
    story.ask("Relocate", "c2");
    until_asked(&mut story, "c1", "primary Relocate run");
    assert_eq!(story.decision(), "", "the application was stopped");
    story.site("c2").idle = true;
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.wished("c2"), "primary Failover");
    story.ask("Relocate", "c2");
    story.run();
    assert_eq!(story.wished("c2"), "secondary Failover", "its volumes were promoted by force");
}

#[test]
fn what_another_leader_took_away_is_not_placed_again() {
    let mut story = Story::deployed();
    story.ask("Relocate", "c2");
    until_asked(&mut story, "c1", "primary Relocate prepare");
    story.sent.clear();
    let mut decision = story.world.domain.decisions.values().next().unwrap().clone();
    decision.entries.clear();
    story.see(Fact::Decision(decision));
    story.run();
    story.pass(30);
    assert_eq!(story.sent.iter().find(|sent| sent.starts_with("decide")), None, "{:?}", story.sent);
}

#[rstest]
#[case::the_other_cluster_is_there(false, 590)]
#[case::the_other_cluster_is_lost(true, 50)]
fn a_failover_back_to_a_home_that_does_not_settle_takes_what_that_has(#[case] lost: bool, #[case] patience: u64) {
    let mut story = Story::deployed();
    story.site("c1").idle = true;
    story.ask("Failover", "c2");
    story.run();
    assert_eq!((story.decision(), story.wished("c1")), ("[c1] c2".into(), "secondary Failover".into()));
    if lost {
        story.managed("c2", False);
    }
    story.ask("Failover", "c1");
    story.run();
    story.pass(patience);
    assert_eq!(story.wished("c1"), "secondary Failover", "it may still settle");
    assert!(story.words("Available").contains("delete the pods"), "{}", story.words("Available"));
    story.pass(20);
    assert_eq!(story.wished("c1"), "primary Failover");
    story.managed("c2", True);
    settle(&mut story);
    assert_eq!((story.decision(), story.status().progression.as_str()), ("c1".into(), "Completed"));
}

#[test]
fn a_failover_back_lets_the_old_home_settle_first() {
    let mut story = Story::deployed();
    story.site("c1").idle = true;
    story.ask("Failover", "c2");
    story.run();
    story.ask("Failover", "c1");
    story.run();
    let generation = story.site("c1").vrg.as_ref().map(|vrg| vrg.generation).unwrap_or_default();
    story.report("c1", |status| {
        status.observed_generation = generation;
        status.state = "Unknown".into();
    });
    story.run();
    assert_eq!(story.decision(), "c2", "it has accepted: its pods may go, which is what it waits for");
}

#[test]
fn a_primary_that_is_not_home_is_deleted_before_the_home() {
    let mut story = Story::deployed();
    story.site("c2").idle = true;
    story.ask("Failover", "c2");
    story.run();
    assert_eq!((story.wished("c1").as_str(), story.wished("c2").as_str()), ("primary", "primary Failover"));
    story.sent.clear();
    let mut fact = story.drpc().clone();
    fact.meta.deleting = Some(Time(1));
    story.see(Fact::Drpc(Box::new(fact)));
    settle(&mut story);
    let place = |words: &str| story.sent.iter().position(|sent| sent.starts_with(words));
    let (other, home) = (place("delete work c2/app-apps-vrg-mw"), place("delete work c1/app-apps-vrg-mw"));
    assert!(other.is_some() && other < home, "{:?}", story.sent);
}

#[test]
fn an_application_is_protected_where_it_is_found() {
    let mut story = Story::ready(); // placed on c1
    story.protect_as(|fact| fact.spec.preferred = "c2".into());
    story.run();
    story.pass(5);
    assert_eq!((story.decision(), story.wished("c1")), ("c1".into(), "primary".into()));
    assert!(story.words("Available").contains("set spec.action to Relocate"), "{}", story.words("Available"));
}

#[test]
fn an_application_set_that_comes_after_its_drpc_tells_the_namespace() {
    let mut story = Story::ready();
    story.gone(ramen_events::Kind::ApplicationSet, "apps", "set");
    story.protect();
    story.run();
    story.pass(2);
    assert_eq!(story.drpc().meta.annotation("drplacementcontrol.ramendr.openshift.io/app-namespace"), "");
    story.see(Fact::ApplicationSet(ApplicationSetFact {
        namespace: "apps".into(),
        name: "set".into(),
        placement: "app".into(),
        destination_namespace: "shop".into(),
    }));
    story.run();
    assert_eq!(story.drpc().meta.annotation("drplacementcontrol.ramendr.openshift.io/app-namespace"), "shop");
}

#[test]
fn without_an_application_set_the_namespace_is_the_placements() {
    let mut story = Story::ready();
    story.gone(ramen_events::Kind::ApplicationSet, "apps", "set");
    story.protect();
    story.run();
    story.pass(10);
    let pinned =
        story.world.domain.drpcs[&app()].meta.annotation("drplacementcontrol.ramendr.openshift.io/app-namespace");
    assert_eq!(pinned, "apps");
}

#[test]
fn a_clean_up_that_takes_long_tells_what_it_waits_for() {
    let mut story = Story::deployed();
    story.site("c1").idle = true;
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.words("PeerReady"), "Started failover to cluster \"c2\"");
    story.pass(40);
    assert!(story.words("PeerReady").contains("on cluster c1"), "{}", story.words("PeerReady"));
}

#[test]
fn a_hub_without_memory_goes_on_with_an_application_whose_action_was_cleared() {
    let mut story = Story::deployed();
    story.ask("Failover", "c2");
    story.run();
    settle(&mut story);
    story.ask("", "");
    story.run();
    settle(&mut story);
    story.restore_hub();
    story.pass(5);
    assert_eq!((story.status().phase.as_str(), story.wished("c2").as_str()), ("Deployed", "primary Failover"));
}
