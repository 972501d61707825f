//! When and what the status tells.

use ramen_events::ConditionStatus::{True, Unknown};

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
