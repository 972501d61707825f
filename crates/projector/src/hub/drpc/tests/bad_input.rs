//! Bad input: the right condition, with field, value and remedy; correcting it is enough.

use ramen_events::{
    ClusterName,
    ConditionStatus::{False, True},
    Json, Kind,
    hub::{ClusterConfigSeen, DrpcFact, Fact, ViewAnswer, ViewFact, ViewedObject},
};
use rstest::rstest;
use serde_json::json;

use crate::hub::story::{Story, app};

fn annotate(fact: &mut DrpcFact, key: &str) {
    fact.meta.annotations.insert(format!("drplacementcontrol.ramendr.openshift.io/{key}"), "true".into());
}

#[rstest]
#[case::unknown_policy(|f: &mut DrpcFact| f.spec.policy = "gold".into(), "Error", "there is no DRPolicy gold")]
#[case::preferred_outside(|f: &mut DrpcFact| f.spec.preferred = "c9".into(), "Error", "spec.preferredCluster: \"c9\"")]
#[case::preferred_empty(|f: &mut DrpcFact| f.spec.preferred = String::new(), "Error", "spec.preferredCluster: \"\"")]
#[case::no_placement(|f: &mut DrpcFact| f.spec.placement = "other".into(), "Error", "neither a Placement nor")]
#[case::other_namespace(|f: &mut DrpcFact| f.spec.placement_namespace = "x".into(), "Error", "placementRef.namespace: x")]
#[case::discovered(|f: &mut DrpcFact| f.spec.protected_namespaces = vec!["a".into()], "ValidationFailed", "protectedNamespaces: [a] is not supported yet")]
#[case::kube_objects(|f: &mut DrpcFact| f.spec.kube_object_protection = Json::new(&json!({})), "ValidationFailed", "kubeObjectProtection")]
#[case::dry_run(|f: &mut DrpcFact| f.spec.dry_run = true, "ValidationFailed", "spec.dryRun: true")]
#[case::vol_sync(|f: &mut DrpcFact| annotate(f, "use-volsync-for-pvc-protection"), "ValidationFailed", "use-volsync")]
#[case::groups(|f: &mut DrpcFact| annotate(f, "is-cg-enabled"), "ValidationFailed", "is-cg-enabled")]
fn a_drpc_that_cannot_be_used_says_why(#[case] spoil: fn(&mut DrpcFact), #[case] reason: &str, #[case] words: &str) {
    let mut story = Story::ready();
    story.sent.clear();
    story.protect_as(spoil);
    story.run();
    assert_eq!(story.told("Available"), (False, reason));
    assert!(story.words("Available").contains(words), "{}", story.words("Available"));
    assert_eq!(story.events, [reason], "one warning");
    assert!(story.sent.iter().all(|sent| sent.starts_with("status")), "nothing else is written: {:?}", story.sent);
    story.pass(1300);
    assert_eq!(story.events.len(), 1, "and no more of them");
    let good = story.drpc().clone();
    story.gone(Kind::Drpc, "apps", "app");
    story.protect_as(|fact| fact.status = good.status);
    story.run();
    story.pass(3);
    assert_eq!(story.told("Available"), (True, "Deployed"), "correcting it is enough");
}

/// Cluster c2 tells which storage classes it offers.
fn offers(story: &mut Story, classes: &[&str]) {
    let known: Vec<_> = story.world.domain.views[&ClusterName::from("c2")].values().cloned().collect();
    for view in known {
        if let ViewAnswer::Found(ViewedObject::ClusterConfig(seen)) = &view.fact.answer {
            let storage_classes = classes.iter().map(|class| (*class).to_owned()).collect();
            let seen = ClusterConfigSeen { storage_classes, ..seen.clone() };
            let answer = ViewAnswer::Found(ViewedObject::ClusterConfig(seen));
            story.see(Fact::View(Box::new(ViewFact { answer, ..(*view.fact).clone() })));
        }
    }
    story.run();
}

#[test]
fn nothing_begins_under_a_policy_whose_classes_were_withdrawn() {
    let mut story = Story::ready();
    offers(&mut story, &[]);
    story.protect_as(|_| {});
    story.run();
    assert_eq!(story.told("Available"), (False, "Error"));
    let told = story.words("Available");
    assert!(told.contains("set label ramendr.openshift.io/storageid"), "{told}");
    assert_eq!(story.wished("c1"), "nothing", "H21: it would guess");
    offers(&mut story, &["rbd"]);
    story.pass(3);
    assert_eq!(story.told("Available"), (True, "Deployed"), "correcting it is enough");
    offers(&mut story, &[]);
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.told("Available"), (True, "FailedOver"), "what was protected before goes on");
}

#[test]
fn a_failover_outside_the_policy_changes_nothing() {
    let mut story = Story::deployed();
    story.ask("Failover", "c9");
    story.run();
    assert_eq!(story.told("Available"), (False, "Error"));
    assert!(story.words("Available").contains("spec.failoverCluster: \"c9\""), "{}", story.words("Available"));
    assert!(story.words("Available").contains("c1, c2"), "it names those that can be used");
    assert_eq!((story.wished("c1"), story.wished("c2")), ("primary".into(), "secondary".into()));
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.told("Available"), (True, "FailedOver"));
}

#[test]
fn a_placement_that_ocm_decides_is_refused() {
    let mut story = Story::ready();
    let mut placement = (*story.world.domain.placements[&app()]).clone();
    let annotations = std::mem::take(&mut placement.meta.annotations);
    story.see(Fact::Placement(Box::new(placement.clone())));
    story.protect();
    story.run();
    assert!(story.words("Available").contains("experimental-scheduling-disable"), "{}", story.words("Available"));
    placement.meta.annotations = annotations;
    story.see(Fact::Placement(Box::new(placement)));
    story.run();
    story.pass(3);
    assert_eq!(story.told("Available"), (True, "Deployed"));
}

#[test]
fn two_placements_of_one_name_are_refused() {
    let mut story = Story::ready();
    let mut rule = (*story.world.domain.placements[&app()]).clone();
    rule.kind = ramen_events::hub::PlacementKind::Rule;
    story.see(Fact::Placement(Box::new(rule)));
    story.protect();
    story.run();
    assert!(story.words("Available").contains("a Placement and a PlacementRule"), "{}", story.words("Available"));
    story.gone(Kind::PlacementRule, "apps", "app");
    story.run();
    assert_eq!(story.told("Available"), (True, "Deployed"));
}

#[test]
fn two_drpcs_for_one_placement_do_not_disturb_each_other() {
    let mut story = Story::deployed();
    let mut fact = story.drpc().clone();
    fact.meta.name = "second".into();
    fact.status = ramen_events::hub::DrpcStatus::default();
    fact.meta.finalizers.clear();
    story.see(Fact::Drpc(Box::new(fact)));
    story.run();
    let second = &story.world.domain.drpcs[&ramen_events::hub::ObjectRef::new("apps", "second")];
    let available = second.status.condition("Available").unwrap();
    assert!(available.message.contains("belongs to DRPlacementControl apps/app"), "{}", available.message);
    assert_eq!(story.told("Available"), (True, "Deployed"), "S13: a newcomer cannot stop an established one");
}

#[test]
fn two_drpcs_whose_works_are_called_alike_do_not_disturb_each_other() {
    let mut story = Story::deployed();
    let elsewhere = ramen_events::hub::ObjectRef::new("outlet", "app");
    let mut placement = (*story.world.domain.placements[&app()]).clone();
    placement.meta.namespace = elsewhere.namespace.clone();
    placement.meta.annotations.retain(|key, _| key.contains("scheduling-disable"));
    placement.meta.finalizers.clear();
    story.see(Fact::Placement(Box::new(placement)));
    let mut fact = DrpcFact { status: ramen_events::hub::DrpcStatus::default(), ..story.drpc().clone() };
    (fact.meta.namespace, fact.meta.uid) = (elsewhere.namespace.clone(), "newcomer".into());
    story.see(Fact::Drpc(Box::new(fact)));
    story.run();
    let mut second = (*story.world.domain.drpcs[&elsewhere]).clone();
    let told = &second.status.condition("Available").unwrap().message;
    assert!(told.contains("metadata.name: app is also the name of DRPlacementControl apps/app"), "{told}");
    assert!(story.sent.iter().all(|sent| sent.starts_with("status")), "P21: {:?}", story.sent);
    second.meta.deleting = Some(story.now);
    story.see(Fact::Drpc(Box::new(second)));
    story.run();
    assert!(!story.world.domain.drpcs.contains_key(&elsewhere), "it has nothing to wait for");
    assert_eq!((story.wished("c1"), story.wished("c2")), ("primary".into(), "secondary".into()), "S12");
    assert_eq!(story.told("Available"), (True, "Deployed"), "S13: a newcomer cannot stop an established one");
}

#[test]
fn an_ambiguous_decision_stops_what_depends_on_it() {
    let mut story = Story::deployed();
    let mut other = story.world.domain.decisions.values().next().unwrap().clone();
    other.name = "app-decision-2".into();
    story.see(Fact::Decision(other));
    story.ask("Relocate", "c2");
    story.run();
    assert_eq!(story.status().progression, "ClearingPlacement", "P27: it fails instead of going on");
    assert!(story.words("Available").contains("several PlacementDecisions"), "{}", story.words("Available"));
    story.gone(Kind::PlacementDecision, "apps", "app-decision-2");
    story.run();
    assert_eq!(story.told("Available").0, True);
}

#[test]
fn a_refused_write_is_told_with_its_words() {
    let mut story = Story::ready();
    let message = "manifestworks is forbidden".to_owned();
    let refused = ramen_events::Outcome::Refused { code: 403, reason: "Forbidden".into(), message };
    story.outcomes.insert("vrg".into(), refused);
    story.protect();
    story.run();
    story.pass(5);
    assert!(story.words("Available").contains("manifestworks is forbidden"), "{}", story.words("Available"));
    story.outcomes.clear();
    story.pass(40);
    assert_eq!(story.told("Available"), (True, "Deployed"));
}

#[test]
fn marks_that_cannot_be_set_are_told() {
    let mut story = Story::ready();
    let message = "placements is forbidden".to_owned();
    story.outcomes.insert(
        "mark Placement".into(),
        ramen_events::Outcome::Refused { code: 403, reason: "Forbidden".into(), message },
    );
    story.protect();
    story.run();
    assert_eq!(story.told("Available"), (False, "Error"));
    assert!(story.words("Available").contains("placements is forbidden"), "{}", story.words("Available"));
    story.outcomes.clear();
    story.pass(40);
    assert_eq!(story.told("Available"), (True, "Deployed"));
}

#[rstest]
#[case::failover("Failover", "c2")]
#[case::relocation("Relocate", "c1")]
fn an_action_without_an_application_says_so(#[case] action: &str, #[case] cluster: &str) {
    let mut story = Story::ready();
    story.protect_as(|fact| {
        fact.spec.action = action.into();
        fact.spec.failover = cluster.into();
    });
    story.run();
    story.pass(5);
    assert_eq!((story.wished("c1"), story.wished("c2")), ("nothing".into(), "nothing".into()));
    assert!(story.words("Available").contains("no cluster has"), "{}", story.words("Available"));
    story.ask("", "");
    story.run();
    story.pass(3);
    assert_eq!(story.told("Available"), (True, "Deployed"));
}

/// The policy, deleted by somebody, and kept by its finalizer.
fn delete_policy(story: &mut Story) {
    let mut policy = (**story.world.domain.policies.values().next().unwrap()).clone();
    policy.meta.deleting = Some(story.now);
    story.see(Fact::Policy(Box::new(policy)));
}

#[test]
fn a_policy_that_is_being_deleted_takes_nothing_new() {
    let mut story = Story::ready();
    story.protect();
    delete_policy(&mut story);
    story.run();
    assert_eq!(story.told("Available"), (False, "Error"));
    assert!(story.words("Available").contains("make it again under another one"), "{}", story.words("Available"));
}

#[test]
fn what_it_protects_fails_over_all_the_same() {
    let mut story = Story::deployed();
    delete_policy(&mut story);
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.told("Available"), (True, "FailedOver"), "{}", story.words("Available"));
}

#[test]
fn nor_do_clusters_that_are_being_deleted_stop_a_failover() {
    let mut story = Story::deployed();
    let mut policy = (**story.world.domain.policies.values().next().unwrap()).clone();
    let told = &mut policy.status.as_mut().unwrap().conditions[0];
    (told.status, told.reason) = (False, "DRClustersUnavailable".into());
    story.see(Fact::Policy(Box::new(policy)));
    story.ask("Failover", "c2");
    story.run();
    assert_eq!(story.told("Available"), (True, "FailedOver"), "{}", story.words("Available"));
}
