//! Storage that wants to be told of a failover (spec drpc 5.3, hub 5; S7, HS9, HL3).

use ramen_events::{
    ConditionStatus::{False, True},
    Kind, Outcome,
    hub::{DrpcFact, Fact, ObjectRef, ViewAnswer, ViewFact, ViewedObject},
};
use rstest::rstest;

use crate::hub::story::{APP, Story, meta};

const WAITS: &str = "WaitForStorageMaintenanceActivation";

/// An application on c1 whose storage wants to be told.
fn told(pairs: &[(&str, &str)]) -> Story {
    let mut story = Story::deployed();
    story.tell_storage(pairs);
    story
}

/// What is asked of the storage of c2.
fn asked(story: &Story) -> Vec<&str> {
    let works = story.world.domain.works[&"c2".into()].keys();
    works.map(String::as_str).filter(|name| name.ends_with("-mmode-mw")).collect()
}

fn watched(story: &Story) -> Vec<&str> {
    let views = story.world.domain.views[&"c2".into()].keys();
    views.map(String::as_str).filter(|name| name.ends_with("-mmode-mcv")).collect()
}

/// What DRCluster c2 says of its storage: id and state.
fn reported(story: &Story) -> Vec<(String, String)> {
    let status = story.world.domain.clusters["c2"].status.as_ref().unwrap();
    let modes = status.maintenance_modes.value();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    modes.as_array().into_iter().flatten().map(|mode| (text(&mode["targetID"]), text(&mode["state"]))).collect()
}

/// Another application on c1 that asks for a failover to c2, with the same storage.
fn second(story: &mut Story) {
    let view = story.world.domain.view(&"c1".into(), "app-apps-vrg-mcv").unwrap().fact.clone();
    let owner = Some(ObjectRef::new(APP.0, "app2"));
    let (name, uid) = ("app2-apps-vrg-mcv".to_owned(), "uid-view2".to_owned());
    story.see(Fact::View(Box::new(ViewFact { name, uid, drpc: owner, ..(*view).clone() })));
    let mut spec = story.drpc().spec.clone();
    (spec.action, spec.failover, spec.placement) = ("Failover".into(), "c2".into(), "app2".into());
    story.see(Fact::Drpc(Box::new(DrpcFact { meta: meta(APP.0, "app2"), spec, ..DrpcFact::default() })));
    story.run();
}

#[test]
fn storage_is_asked_then_awaited_then_let_go() {
    let mut story = told(&[("csi", "rid")]);
    story.lose("c1");
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.status().progression, WAITS);
    assert_eq!(story.wished("c2"), "secondary");
    assert_eq!((asked(&story), watched(&story)), (vec!["rid-mmode-mw"], vec!["rid-mmode-mcv"]));
    assert_eq!(reported(&story), [("rid".into(), "Unknown".into())]);
    let wait = story.position().wait.clone().unwrap();
    assert_eq!(wait.what, "storage csi to prepare relation rid for a failover");
    assert_eq!(wait.on, Some("c2".into()));
    assert!(wait.remedy.contains("MaintenanceMode rid on cluster c2"), "{}", wait.remedy);
    story.answer_mode("c2", "rid", "Progressing", false);
    assert_eq!(story.wished("c2"), "secondary");
    story.answer_mode("c2", "rid", "Completed", true);
    assert_eq!(story.wished("c2"), "primary Failover");
    story.pass(2);
    assert_eq!(story.told("Available"), (True, "FailedOver"));
    assert_eq!((asked(&story), watched(&story)), (vec![], vec![]), "withdrawn");
    assert_eq!(reported(&story), []);
    assert_eq!(story.told("PeerReady").0, False, "not even then, when the old home is still away");
    story.pass(100);
    assert_eq!(asked(&story), Vec::<&str>::new(), "its last known primary is out of date, and asks for nothing");
}

#[test]
fn storage_is_kept_prepared_until_the_application_is_available() {
    let mut story = told(&[("csi", "rid")]);
    story.site("c2").idle = true;
    story.ask("Failover", "c2");
    story.run();
    story.answer_mode("c2", "rid", "Completed", true);
    story.pass(100);
    assert_eq!(story.wished("c2"), "primary Failover");
    assert_eq!(asked(&story), ["rid-mmode-mw"], "the volumes are not promoted yet");
    story.site("c2").idle = false;
    story.catch_up("c2");
    story.run();
    assert_eq!(asked(&story), Vec::<&str>::new());
}

#[test]
fn a_cluster_that_is_being_deleted_and_is_still_needed_asks_its_storage_all_the_same() {
    let mut story = told(&[("csi", "rid")]);
    let mut cluster = story.world.domain.clusters["c2"].clone();
    cluster.meta.deleting = Some(story.now);
    story.see(Fact::DrCluster(Box::new(cluster)));
    story.lose("c1");
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(asked(&story), ["rid-mmode-mw"]);
    assert_eq!(reported(&story), [("rid".into(), "Unknown".into())]);
    story.answer_mode("c2", "rid", "Completed", true);
    story.pass(2);
    assert_eq!(story.told("Available"), (True, "FailedOver"), "{}", story.words("Available"));
    assert_eq!((asked(&story), reported(&story)), (vec![], vec![]), "withdrawn");
}

#[test]
fn what_storage_says_is_shown() {
    let mut story = told(&[("csi", "rid")]);
    story.ask("Failover", "c2");
    story.run();
    story.answer_mode("c2", "rid", "Error", false);
    story.pass(2);
    let words = story.words("Available");
    assert!(words.contains("its state is Error: Error of rid"), "{words}");
    assert_eq!(reported(&story), [("rid".into(), "Error".into())]);
}

#[test]
fn a_failover_that_is_called_off_lets_storage_go() {
    let mut story = told(&[("csi", "rid")]);
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(asked(&story), ["rid-mmode-mw"]);
    story.ask("", "c1");
    story.run();
    assert_eq!((asked(&story), watched(&story)), (vec![], vec![]));
}

#[test]
fn an_answer_counts_for_its_request_only() {
    let mut story = told(&[("csi", "rid")]);
    story.ask("Failover", "c2");
    story.run();
    let old = story.site("c2").modes["rid"].clone();
    story.ask("", "c1");
    story.run();
    story.ask("Failover", "c2");
    story.run();
    // The cluster still shows the mode of before, which was activated.
    let new = story.site("c2").modes.insert("rid".into(), old).unwrap();
    story.answer_mode("c2", "rid", "Completed", true);
    assert_eq!(story.wished("c2"), "secondary");
    story.site("c2").modes.insert("rid".into(), new);
    story.answer_mode("c2", "rid", "Completed", true);
    assert_eq!(story.wished("c2"), "primary Failover");
}

#[rstest]
#[case::of_an_older_generation(2, 1, false)]
#[case::of_this_generation(2, 2, true)]
#[case::of_none(2, 0, true)]
fn an_answer_is_about_the_mode_as_it_is(#[case] generation: i64, #[case] observed: i64, #[case] counts: bool) {
    let mut story = told(&[("csi", "rid")]);
    story.ask("Failover", "c2");
    story.run();
    let seen = story.site("c2").modes.get_mut("rid").unwrap();
    (seen.generation, seen.observed_generation) = (generation, observed);
    let conditions = serde_json::json!([{"type": "FailoverActivated", "status": "True"}]);
    seen.conditions = ramen_events::Json::new(&conditions);
    story.read_view(&"c2".into(), "rid-mmode-mcv");
    story.run();
    assert_eq!(story.wished("c2") == "primary Failover", counts);
}

#[test]
fn a_request_that_may_be_withdrawn_already_counts_for_nothing() {
    let mut story = told(&[("csi", "rid")]);
    story.ask("Failover", "c2");
    story.run();
    story.unanswered = Some("delete work c2/rid");
    story.ask("", "c1");
    story.run();
    story.ask("Failover", "c2");
    story.answer_mode("c2", "rid", "Completed", true);
    assert_eq!(story.wished("c2"), "secondary");
    let words = &story.position().wait.as_ref().unwrap().what;
    assert!(words.contains("an earlier request is being withdrawn"), "{words}");
}

#[test]
fn without_the_label_nothing_is_asked() {
    let mut story = Story::deployed();
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.wished("c2"), "primary Failover");
    assert!(!story.sent.iter().any(|sent| sent.starts_with("mode")), "{:?}", story.sent);
}

#[test]
fn each_relation_is_asked_about_and_all_are_awaited() {
    let mut story = told(&[("csi", "one"), ("csi", "two"), ("csi", "two")]);
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(asked(&story), ["one-mmode-mw", "two-mmode-mw"]);
    story.answer_mode("c2", "one", "Completed", true);
    assert_eq!(story.wished("c2"), "secondary");
    assert!(story.position().wait.as_ref().unwrap().what.contains("relation two"));
    story.answer_mode("c2", "two", "Completed", true);
    assert_eq!(story.wished("c2"), "primary Failover");
}

#[test]
fn two_drivers_with_one_id_are_two_pairs() {
    let mut story = told(&[("csi", "rid"), ("other", "rid")]);
    story.ask("Failover", "c2");
    story.run();
    let modes: Vec<String> = story.site("c2").modes.keys().cloned().collect();
    assert_eq!(modes.len(), 2, "H9: {modes:?}");
    assert_eq!(modes[0], "rid", "the name that storage knows, as long as it is free");
    story.answer_mode("c2", "rid", "Completed", true);
    assert_eq!(story.wished("c2"), "secondary");
    story.answer_mode("c2", &modes[1], "Completed", true);
    assert_eq!(story.wished("c2"), "primary Failover");
    assert_eq!(asked(&story), Vec::<&str>::new());
}

#[test]
fn an_id_that_is_no_name_is_asked_about_under_another() {
    let mut story = told(&[("csi", "Pool_A")]);
    story.ask("Failover", "c2");
    story.run();
    let mode = story.site("c2").modes.keys().next().cloned().unwrap();
    assert!(mode.starts_with("pool-a-"), "H9: {mode}");
    assert_eq!(story.site("c2").modes[&mode].target, "Pool_A");
    story.answer_mode("c2", &mode, "Completed", true);
    assert_eq!(story.wished("c2"), "primary Failover");
}

#[test]
fn two_applications_share_a_request() {
    let mut story = told(&[("csi", "rid")]);
    story.ask("Failover", "c2");
    story.run();
    second(&mut story);
    assert_eq!(story.sent.iter().filter(|sent| sent.starts_with("mode")).count(), 1);
    story.answer_mode("c2", "rid", "Completed", true);
    story.run();
    assert_eq!(story.wished("c2"), "primary Failover");
    assert_eq!(asked(&story), ["rid-mmode-mw"], "HS9: the second is not through");
    let mut fact = (*story.world.domain.drpcs[&ObjectRef::new(APP.0, "app2")]).clone();
    fact.spec.action = "Relocate".into();
    fact.meta.generation += 1;
    story.see(Fact::Drpc(Box::new(fact)));
    story.run();
    assert_eq!(asked(&story), Vec::<&str>::new());
}

#[test]
fn storage_is_told_however_bad_the_cluster_is_otherwise() {
    let mut story = told(&[("csi", "rid")]);
    let refused = Outcome::Refused { code: 403, reason: "AccessDenied".into(), message: "no".into() };
    story.outcomes.insert("probe s3-c2".into(), refused);
    story.pass(700);
    let status = story.world.domain.clusters["c2"].status.clone().unwrap();
    assert!(status.conditions.iter().any(|condition| condition.kind == "Validated" && condition.status == False));
    story.tell_storage(&[("csi", "rid")]);
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(asked(&story), ["rid-mmode-mw"], "HL3, H7");
    story.answer_mode("c2", "rid", "Completed", true);
    assert_eq!(story.wished("c2"), "primary Failover");
}

#[test]
fn a_hub_without_its_log_goes_on() {
    let mut story = told(&[("csi", "rid")]);
    story.ask("Failover", "c2");
    story.run();
    story.sent.clear();
    story.lose_log();
    assert!(!story.sent.iter().any(|sent| sent.starts_with("mode")), "{:?}", story.sent);
    story.answer_mode("c2", "rid", "Completed", true);
    story.pass(2);
    assert_eq!(story.wished("c2"), "primary Failover");
    assert_eq!(asked(&story), Vec::<&str>::new());
}

#[test]
fn a_cluster_that_is_deleted_asks_its_own_storage_for_nothing_more() {
    let mut story = told(&[("csi", "rid")]);
    story.ask("Failover", "c2");
    story.run();
    story.gone(Kind::Drpc, APP.0, APP.1);
    story.unanswered = Some("delete work c2/rid");
    story.run();
    story.unanswered = None;
    story.gone(Kind::DrPolicy, "", "policy");
    let mut fact = story.world.domain.clusters["c2"].clone();
    fact.meta.deleting = Some(story.now);
    story.restart();
    story.see(Fact::DrCluster(Box::new(fact)));
    story.run();
    assert!(!story.world.domain.clusters.contains_key("c2"));
    assert!(story.world.domain.works.get(&"c2".into()).is_none_or(|works| !works.contains_key("rid-mmode-mw")));
    assert!(story.world.domain.clusters.contains_key("c1"), "H5");
}

#[test]
fn a_view_that_cannot_be_read_keeps_what_was_asked_for() {
    let mut story = told(&[("csi", "rid")]);
    story.ask("Failover", "c2");
    story.run();
    let view = story.world.domain.view(&"c1".into(), "app-apps-vrg-mcv").unwrap().fact.clone();
    let answer = ViewAnswer::Failed { reason: "Forbidden".into(), message: "no".into() };
    story.see(Fact::View(Box::new(ViewFact { answer, ..(*view).clone() })));
    assert_eq!(asked(&story), ["rid-mmode-mw"]);
    assert!(matches!(view.answer, ViewAnswer::Found(ViewedObject::Vrg(_))));
}
