//! Epochs: which of two primaries is the later one, whatever the hub remembers (decision 6).

use ramen_api::ramen::wire::annotation::STORE_EPOCH;
use ramen_events::{Epoch, Operator, Payload, hub::WorkContent};
use rstest::rstest;

use super::deletion::delete;
use crate::hub::story::Story;

/// The epoch that a cluster's work carries; `None` without the annotation.
fn epoch(story: &Story, cluster: &str) -> Option<u64> {
    match &story.world.domain.work(&cluster.into(), "app-apps-vrg-mw")?.fact.content {
        WorkContent::Vrg { manifest, .. } => manifest.annotations.get(STORE_EPOCH)?.parse().ok(),
        _ => None,
    }
}

fn epochs(story: &Story) -> (Option<u64>, Option<u64>) {
    (epoch(story, "c1"), epoch(story, "c2"))
}

fn go(story: &mut Story, action: &str, target: &str) {
    story.ask(action, target);
    story.run();
    story.pass(5);
    assert_eq!(story.status().progression, "Completed", "{}", story.words("Available"));
}

#[test]
fn each_home_is_above_the_ones_before_and_a_replica_above_its_primary() {
    let mut story = Story::deployed();
    assert_eq!(epochs(&story), (None, None), "nobody was there before");
    go(&mut story, "Failover", "c2");
    assert_eq!(epochs(&story), (Some(2), Some(1)));
    go(&mut story, "Relocate", "c1");
    assert_eq!(epochs(&story), (Some(2), Some(3)));
    go(&mut story, "Relocate", "c2");
    assert_eq!(epochs(&story), (Some(4), Some(3)));
    go(&mut story, "Failover", "c1");
    assert_eq!(epochs(&story), (Some(4), Some(5)));
}

#[test]
fn epochs_cost_no_write() {
    let mut story = Story::deployed();
    go(&mut story, "Failover", "c2");
    let writes: Vec<&String> = story.sent.iter().filter(|sent| sent.starts_with("vrg")).collect();
    assert_eq!(writes, ["vrg c2 primary Failover", "vrg c1 secondary Failover"]);
    story.sent.clear();
    go(&mut story, "Relocate", "c1");
    let writes = story.sent.iter().filter(|sent| sent.starts_with("vrg")).count();
    assert_eq!(writes, 4, "prepare, run, step down, promote: {:?}", story.sent);
    story.sent.clear();
    story.pass(600);
    assert!(!story.sent.iter().any(|sent| sent.starts_with("vrg")), "{:?}", story.sent);
}

#[test]
fn a_hub_without_memory_that_can_not_reach_the_primary_promotes_above_it() {
    let mut story = Story::deployed();
    go(&mut story, "Failover", "c2");
    go(&mut story, "Relocate", "c1");
    let unreachable = epoch(&story, "c1").unwrap();
    story.lose("c1");
    story.restore_hub();
    story.pass(60);
    assert_eq!(epochs(&story), (None, Some(3)), "what c1 was given is forgotten");
    story.ask("Failover", "c2");
    story.run();
    story.pass(3);
    assert_eq!(story.status().phase, "FailedOver");
    assert!(epoch(&story, "c2").unwrap() > unreachable);
}

#[rstest]
#[case::with_its_log(Story::restart)]
#[case::without_its_log(Story::lose_log)]
#[case::restored(Story::restore_hub)]
fn no_restart_changes_an_epoch(#[case] restart: fn(&mut Story)) {
    let mut story = Story::deployed();
    go(&mut story, "Failover", "c2");
    restart(&mut story);
    story.pass(60);
    assert_eq!(epochs(&story), (Some(2), Some(1)));
}

#[test]
fn a_primary_that_is_called_back_is_above_the_one_that_was_promoted_meanwhile() {
    let mut story = Story::deployed();
    story.site("c2").idle = true;
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.wished("c2"), "primary Failover");
    let abandoned = epoch(&story, "c2").unwrap();
    story.ask("", "c1");
    story.site("c2").idle = false;
    story.run();
    story.catch_up("c2");
    story.run();
    story.pass(10);
    assert_eq!((story.wished("c1").as_str(), story.wished("c2").starts_with("secondary")), ("primary", true));
    assert!(epoch(&story, "c1").unwrap() > abandoned, "{:?}", epochs(&story));
    assert!(epoch(&story, "c2") > epoch(&story, "c1"), "{:?}", epochs(&story));
    story.sent.clear();
    story.pass(60);
    assert!(!story.sent.iter().any(|sent| sent.starts_with("vrg")), "{:?}", story.sent);
}

#[test]
fn a_primary_that_was_called_back_hears_that_it_is_the_last_one_before_it_is_deleted() {
    let mut story = Story::deployed();
    story.site("c2").idle = true;
    story.ask("Failover", "c2");
    story.run();
    let abandoned = epoch(&story, "c2").unwrap();
    story.site("c1").idle = true;
    story.ask("Failover", "c1");
    story.site("c2").idle = false;
    story.run();
    story.catch_up("c2");
    story.run();
    assert!(epoch(&story, "c1").unwrap() > abandoned, "{:?}", epochs(&story));
    delete(&mut story);
    story.run();
    let deletes = |story: &Story| story.sent.iter().any(|sent| sent.starts_with("delete work"));
    assert!(!deletes(&story), "c1 did not hear of it yet: {:?}", story.sent);
    story.site("c1").idle = false;
    story.catch_up("c1");
    story.run();
    assert!(deletes(&story), "{:?}", story.sent);
}

#[test]
fn deciders_of_before_epochs_give_none() {
    let mut story = Story::deployed();
    story.record(None, Payload::Started { operator: Operator::Hub, epoch: Epoch(2), decider: 1 });
    story.record(None, Payload::Synced);
    story.run();
    go(&mut story, "Failover", "c2");
    assert_eq!(epochs(&story), (None, None));
}
