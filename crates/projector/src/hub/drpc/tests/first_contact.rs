use ramen_events::{
    ConditionStatus::{False, True, Unknown},
    hub::{StoredVrg, StoredVrgAnswer},
};

use crate::hub::story::Story;

fn copy(state: &str, destination: &str) -> StoredVrgAnswer {
    StoredVrgAnswer::Found(StoredVrg { state: state.into(), destination: destination.into(), ..StoredVrg::default() })
}

#[test]
fn each_cluster_is_asked_before_anything_is_deployed() {
    let mut story = Story::ready();
    story.lose("c2");
    story.protect();
    story.run();
    story.pass(10);
    assert_eq!(story.wished("c1"), "nothing", "P16: the peer may have the application");
    assert_eq!(story.told("Available"), (Unknown, "Initiating"));
    assert!(story.words("Available").contains("cluster c2"), "{}", story.words("Available"));
    story.site("c2").down = false;
    story.pass(30);
    assert_eq!(story.wished("c1"), "primary");
}

#[test]
fn a_new_application_is_deployed_without_a_peer_that_stays_silent() {
    let mut story = Story::ready();
    story.lose("c2");
    story.protect();
    story.run();
    story.pass(40);
    assert_eq!(story.wished("c1"), "primary", "rule 4: stores answered that nobody had it");
    assert_eq!(story.told("Available"), (True, "Deployed"));
    assert_eq!(story.wished("c2"), "nothing", "S11: what c2 has is not known");
    assert_ne!(story.told("PeerReady").0, True);
    assert!(story.words("PeerReady").contains("c2"), "{}", story.words("PeerReady"));
}

#[test]
fn a_lost_cluster_is_not_waited_for() {
    let mut story = Story::ready();
    story.lose("c2");
    story.managed("c2", Unknown);
    story.protect();
    story.run();
    assert_eq!(story.wished("c1"), "primary");
}

#[test]
fn nothing_is_deployed_while_nobody_knows() {
    let mut story = Story::ready();
    story.lose("c2");
    story.copies.clear();
    story.protect();
    story.run();
    story.pass(40);
    assert_eq!(story.wished("c1"), "nothing", "P14: unreachable is not absent");
    assert_eq!((story.told("Available"), story.status().progression.as_str()), ((False, "Paused"), "Paused"));
    story.copies.insert("s3-c1".into(), StoredVrgAnswer::Absent);
    story.pass(40);
    assert_eq!(story.wished("c1"), "primary", "one store that answers is enough");
}

#[test]
fn a_copy_of_another_home_asks_for_a_failover() {
    let mut story = Story::ready();
    story.lose("c2");
    story.copies.insert("s3-c1".into(), copy("primary", "c2"));
    story.protect();
    story.run();
    story.pass(40);
    assert_eq!((story.wished("c1"), story.status().phase.as_str()), ("nothing".into(), "WaitForUser"), "rule 6");
}

#[test]
fn the_destination_itself_is_waited_for() {
    let mut story = Story::ready();
    story.lose("c1");
    story.protect();
    story.run();
    story.pass(40);
    assert_eq!(story.told("Available"), (False, "Paused"), "rule 4: the failed cluster is where it is to run");
    assert_eq!((story.wished("c1"), story.wished("c2")), ("nothing".into(), "nothing".into()));
}
