//! Actions that are changed half way: each order of edits ends in the last one (spec drpc 5.4; L3).

use ramen_events::ConditionStatus::{False, True};
use rstest::rstest;

use crate::hub::story::Story;

/// Lets `story` go on step by step until c2 is asked for something that begins with `words`; it does not answer that.
pub(super) fn until_asked(story: &mut Story, cluster: &str, words: &str) {
    for _ in 0..10 {
        story.site(cluster).idle = true;
        story.run();
        if story.wished(cluster).starts_with(words) {
            return;
        }
        story.site(cluster).idle = false;
        story.catch_up(cluster);
    }
    panic!("{cluster} was never asked for {words}: {}", story.wished(cluster));
}

pub(super) fn let_go(story: &mut Story) {
    for cluster in ["c1", "c2"] {
        story.site(cluster).idle = false;
    }
    for _ in 0..5 {
        story.catch_up("c1");
        story.catch_up("c2");
        story.run();
        story.pass(2);
    }
}

fn settled(story: &Story, phase: &str, home: &str) {
    let other = if home == "c1" { "c2" } else { "c1" };
    assert_eq!(story.status().phase, phase);
    assert_eq!(story.status().progression, "Completed");
    assert_eq!(story.told("PeerReady"), (True, "Success"));
    assert_eq!(story.decision(), home);
    assert!(story.wished(home).starts_with("primary"), "{}", story.wished(home));
    assert!(!story.wished(home).contains("prepare") && !story.wished(home).contains("run"), "P9: flags are taken back");
    assert!(story.wished(other).starts_with("secondary"), "{}", story.wished(other));
}

#[rstest]
#[case::prepare("primary Relocate prepare")]
#[case::run("primary Relocate run")]
#[case::demotion("secondary Relocate")]
fn a_relocation_is_taken_back_by_a_failover_to_its_source(#[case] at: &str) {
    let mut story = Story::deployed();
    story.ask("Relocate", "c2");
    until_asked(&mut story, "c1", at);
    story.ask("Failover", "c1");
    story.run();
    let_go(&mut story);
    settled(&story, "FailedOver", "c1");
}

#[rstest]
#[case::prepare("primary Relocate prepare")]
#[case::demotion("secondary Relocate")]
fn a_relocation_that_hangs_becomes_a_failover_to_its_target(#[case] at: &str) {
    let mut story = Story::deployed();
    story.ask("Relocate", "c2");
    until_asked(&mut story, "c1", at);
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.decision().split(' ').next_back(), Some("c2"), "without the source");
    let_go(&mut story);
    settled(&story, "FailedOver", "c2");
}

#[test]
fn a_failover_that_hangs_is_taken_back() {
    let mut story = Story::deployed();
    story.ask("Failover", "c2");
    until_asked(&mut story, "c2", "primary");
    story.ask("Failover", "c1");
    story.run();
    let_go(&mut story);
    settled(&story, "FailedOver", "c1");
}

#[test]
fn a_relocation_finishes_the_clean_up_of_the_failover_before() {
    let mut story = Story::deployed();
    story.lose("c1");
    story.ask("Failover", "c2");
    story.run();
    story.ask("Relocate", "c1");
    story.run();
    assert_eq!(story.status().progression, "Cleaning Up", "P8: it does not wedge");
    assert_eq!(story.wished("c1"), "secondary Failover");
    story.bring_back("c1");
    story.run();
    let_go(&mut story);
    settled(&story, "Relocated", "c1");
}

#[test]
fn a_failover_that_has_not_served_yet_is_undone_by_a_relocation_to_where_it_was() {
    let mut story = Story::deployed();
    story.ask("Failover", "c2");
    until_asked(&mut story, "c2", "primary");
    story.ask("Relocate", "c1");
    story.run();
    let_go(&mut story);
    settled(&story, "Relocated", "c1");
}

#[rstest]
#[case::failover_hanging("Failover", "c2", "c2", "primary", "c1")]
#[case::relocation_prepared("Relocate", "c2", "c1", "primary Relocate prepare", "c1")]
#[case::relocation_demoting("Relocate", "c2", "c1", "secondary", "c1")]
fn clearing_the_action_finishes_where_the_application_was(
    #[case] action: &str,
    #[case] target: &str,
    #[case] stuck: &str,
    #[case] at: &str,
    #[case] home: &str,
) {
    let mut story = Story::deployed();
    story.ask(action, target);
    until_asked(&mut story, stuck, at);
    story.ask("", "");
    story.run();
    let_go(&mut story);
    settled(&story, "Deployed", home);
}

#[rstest]
#[case::withdrawn("", "")]
#[case::relocated_back("Relocate", "c1")]
#[case::failed_back("Failover", "c1")]
fn a_cluster_that_was_stopped_hands_over_before_it_is_primary_again(#[case] action: &str, #[case] to: &str) {
    let mut story = Story::deployed();
    story.ask("Relocate", "c2");
    until_asked(&mut story, "c1", "primary Relocate run");
    story.sent.clear();
    story.ask(action, to);
    story.run();
    let_go(&mut story);
    let asked: Vec<&String> = story.sent.iter().filter(|sent| sent.starts_with("vrg c1")).collect();
    assert!(asked.first().is_some_and(|sent| sent.starts_with("vrg c1 secondary")), "its claims are going: {asked:?}");
    assert_eq!(story.status().progression, "Completed");
    assert_eq!(story.decision(), "c1");
    assert!(story.wished("c1").starts_with("primary"), "{}", story.wished("c1"));
}

#[rstest]
#[case::with_its_log(Story::restart)]
#[case::without_its_log(Story::lose_log)]
fn a_home_that_gets_its_volumes_back_is_waited_for(#[case] restart: fn(&mut Story)) {
    let mut story = Story::deployed();
    story.ask("Relocate", "c2");
    until_asked(&mut story, "c1", "secondary");
    story.ask("", "");
    story.run();
    assert_eq!(story.status().phase, "Deploying");
    story.site("c1").idle = false;
    story.catch_up("c1");
    story.site("c1").idle = true;
    restart(&mut story);
    assert!(story.wished("c1").starts_with("primary"), "{}", story.wished("c1"));
    assert_eq!(story.decision(), "", "seed 327: claims that are deployed before the restore get empty volumes");
    let_go(&mut story);
    settled(&story, "Deployed", "c1");
}

#[test]
fn a_relocation_back_that_is_withdrawn_waits_for_the_other_cluster_to_hand_over() {
    let mut story = Story::deployed();
    story.ask("Relocate", "c2");
    until_asked(&mut story, "c2", "primary Relocate");
    story.ask("Relocate", "c1");
    until_asked(&mut story, "c2", "secondary");
    story.ask("", "");
    story.run();
    assert!(story.wished("c1").starts_with("secondary"), "seed 0: promotion by force");
    let_go(&mut story);
    settled(&story, "Deployed", "c1");
}

#[test]
fn clearing_the_action_after_a_failover_keeps_the_application_where_it_is() {
    let mut story = Story::deployed();
    story.ask("Failover", "c2");
    story.run();
    let_go(&mut story);
    story.ask("", "");
    story.run();
    let_go(&mut story);
    settled(&story, "Deployed", "c2");
    assert!(story.words("Available").contains("Relocate"), "{}", story.words("Available"));
}

#[test]
fn back_and_forth_ends_in_the_last_action() {
    let mut story = Story::deployed();
    for (action, target, home, phase) in [
        ("Failover", "c2", "c2", "FailedOver"),
        ("Relocate", "c1", "c1", "Relocated"),
        ("Relocate", "c2", "c2", "Relocated"),
        ("Failover", "c1", "c1", "FailedOver"),
        ("Relocate", "c2", "c2", "Relocated"),
    ] {
        story.ask(action, target);
        story.run();
        let_go(&mut story);
        settled(&story, phase, home);
    }
}

#[test]
fn nothing_is_complete_while_the_peer_may_still_hear_of_its_promotion() {
    let mut story = Story::deployed();
    story.ask("Failover", "c2");
    story.run();
    let_go(&mut story);
    settled(&story, "FailedOver", "c2");
    story.unanswered = Some("vrg c1 primary");
    story.ask("Failover", "c1");
    story.run();
    assert!(story.sent.iter().any(|sent| sent.starts_with("vrg c1 primary")), "{:?}", story.sent);
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.told("PeerReady").0, False, "S1: c1 may be primary in a moment");
    assert!(story.position().wait.as_ref().is_some_and(|wait| wait.on == Some("c1".into())), "{:?}", story.position());
}

#[rstest]
#[case::turned_round("Relocate")]
#[case::withdrawn("")]
fn nobody_is_promoted_while_the_other_may_still_hear_of_its_promotion(#[case] action: &str) {
    let mut story = Story::deployed();
    story.ask("Relocate", "c2");
    until_asked(&mut story, "c1", "secondary Relocate");
    story.site("c1").idle = false;
    story.unanswered = Some("vrg c2 primary");
    story.catch_up("c1");
    story.run();
    story.sent.clear();
    story.ask(action, "c1");
    story.run();
    assert!(!story.sent.iter().any(|sent| sent.starts_with("vrg c1 primary")), "S1: {:?}", story.sent);
    assert!(story.words("Available").contains("on cluster c2"), "{}", story.words("Available"));
}

/// Brings a failover to c2 to where c2 is primary and the placement was asked to name it, which nobody has answered yet.
fn about_to_be_placed() -> Story {
    let mut story = Story::deployed();
    story.unanswered = Some("decide");
    story.ask("Failover", "c2");
    story.run();
    for _ in 0..3 {
        story.catch_up("c2");
        story.run();
    }
    assert!(story.sent.iter().any(|sent| sent.starts_with("decide [c1] c2")), "{:?}", story.sent);
    story.sent.clear();
    story
}

#[rstest]
#[case::withdrawn("", "")]
#[case::relocated_there("Relocate", "c2")]
#[case::relocated_back("Relocate", "c1")]
#[case::failed_back("Failover", "c1")]
fn nobody_steps_down_while_the_placement_may_name_another_home(#[case] action: &str, #[case] to: &str) {
    let mut story = about_to_be_placed();
    story.ask(action, to);
    story.run();
    let asked: Vec<&String> = story.sent.iter().filter(|sent| sent.starts_with("vrg")).collect();
    assert!(asked.is_empty(), "seeds 21803, 30114: {asked:?}");
    let wait = story.position().wait.clone().unwrap();
    assert!(wait.what.contains("placement"), "{wait:?}");
}
