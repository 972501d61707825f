//! DRPolicy: peer classes row by row, and what makes a policy invalid (spec hub 1, 2).

use std::collections::BTreeMap;

use ramen_events::{
    ConditionStatus::{self, False, True},
    Json, Kind,
    hub::{ClassSeen, DrClusterFact, DrpcFact, Fact, PeerClass, PolicyFact},
};
use rstest::rstest;
use serde_json::json;

use crate::hub::{
    drcluster::inventory::Inventory,
    story::{Story, meta},
};

use super::peer_classes::{self, Terms};

fn policy(story: &Story) -> &PolicyFact {
    &story.world.domain.policies["policy"]
}

fn told(story: &Story) -> (ConditionStatus, String, String) {
    let conditions = &policy(story).status.as_ref().unwrap().conditions;
    let condition = conditions.iter().find(|condition| condition.kind == "Validated").unwrap();
    (condition.status, condition.reason.clone(), condition.message.clone())
}

/// A class with labels in short: `sid=a rid=r grid=g off global every=1m by=driver`.
fn class(words: &str) -> ClassSeen {
    let mut class = ClassSeen { provisioner: "csi".into(), ..ClassSeen::default() };
    let mut labels = BTreeMap::new();
    for word in words.split_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let label = match key {
            "sid" => "storageid",
            "rid" => "replicationid",
            "grid" => "groupreplicationid",
            "off" => "offloaded",
            "global" => "global",
            "every" => {
                class.parameters = Json::new(&json!({"schedulingInterval": value}));
                continue;
            }
            "by" => {
                class.provisioner = value.into();
                continue;
            }
            other => {
                labels.insert(other.to_owned(), value.to_owned());
                continue;
            }
        };
        let value = if label == "global" { "true" } else { value };
        labels.insert(format!("ramendr.openshift.io/{label}"), value.to_owned());
    }
    class.labels = labels;
    class
}

/// A cluster's classes: storage, then `vrc:`, `vgrc:`, `vsc:`, `vgsc:`.
fn found(interval: &str, selector: &str, a: &[&str], b: &[&str]) -> peer_classes::Found {
    let parse = |words: &[&str]| -> Vec<(String, ClassSeen)> {
        words.iter().map(|words| words.split_once(": ").map(|(k, w)| (k.to_owned(), class(w))).unwrap()).collect()
    };
    let (a, b) = (parse(a), parse(b));
    let inventory = |id: &str, classes: &'static [(String, ClassSeen)]| {
        let of = |kind: &str| classes.iter().filter(|(k, _)| k == kind).map(|(_, c)| ("class", c)).collect();
        Inventory {
            cluster: id.to_lowercase(),
            id: id.into(),
            storage: of("sc"),
            snapshot: of("vsc"),
            group_snapshot: of("vgsc"),
            replication: of("vrc"),
            group_replication: of("vgrc"),
        }
    };
    let (a, b) = (Vec::leak(a), Vec::leak(b));
    let terms = Terms { interval: interval.into(), selector: class(selector).labels, one_rule: true };
    peer_classes::of(&terms, &[inventory("A", a), inventory("B", b)])
}

/// A peer class in short.
fn words(class: &PeerClass) -> String {
    let mut words = vec![class.storage_ids.join("+")];
    for (name, value) in [("rid", &class.replication_id), ("grid", &class.group_replication_id)] {
        if !value.is_empty() {
            words.push(format!("{name}={value}"));
        }
    }
    for (name, set) in [("grouping", class.grouping), ("off", class.offloaded), ("global", class.global)] {
        if set {
            words.push(name.into());
        }
    }
    words.join(" ")
}

const VRC_A: &str = "vrc: sid=a rid=r every=1m";
const VRC_B: &str = "vrc: sid=b rid=r every=1m";

#[rstest]
#[case::shared_storage("1m", &["sc: sid=a"], &["sc: sid=a"], "", "a")]
#[case::shared_storage_offloaded("1m", &["sc: sid=a off"], &["sc: sid=a off"], "", "a")]
#[case::shared_storage_without_interval("", &["sc: sid=a"], &["sc: sid=a"], "", "a")]
#[case::no_interval("", &["sc: sid=a", VRC_A], &["sc: sid=b", VRC_B], "", "")]
#[case::offloaded_on_one_side("1m", &["sc: sid=a off", VRC_A], &["sc: sid=b", VRC_B], "", "")]
#[case::offloaded_without_groups("1m", &["sc: sid=a off", VRC_A], &["sc: sid=b off", VRC_B], "", "")]
#[case::offloaded("1m", &["sc: sid=a off", VRC_A, "vgrc: sid=a grid=g every=1m"], &["sc: sid=b off", VRC_B, "vgrc: sid=b grid=g every=1m"], "a+b grid=g grouping off", "")]
#[case::offloaded_global("1m", &["sc: sid=a off", "vgrc: sid=a grid=g every=1m global"], &["sc: sid=b off", "vgrc: sid=b grid=g every=1m global"], "a+b grid=g grouping off global", "")]
#[case::global_on_one_side("1m", &["sc: sid=a off", "vgrc: sid=a grid=g every=1m global"], &["sc: sid=b off", "vgrc: sid=b grid=g every=1m"], "a+b grid=g grouping off", "")]
#[case::volumes_and_groups("1m", &["sc: sid=a", VRC_A, "vgrc: sid=a grid=g every=1m"], &["sc: sid=b", VRC_B, "vgrc: sid=b grid=g every=1m"], "a+b rid=r grid=g grouping", "")]
#[case::volumes("1m", &["sc: sid=a", VRC_A], &["sc: sid=b", VRC_B], "a+b rid=r", "")]
#[case::group_snapshots("1m", &["sc: sid=a", "vgsc: sid=a"], &["sc: sid=b", "vgsc: sid=b"], "a+b grouping", "")]
#[case::group_snapshots_do_not_name_groups("1m", &["sc: sid=a", "vgsc: sid=a", "vgrc: sid=a grid=g every=1m"], &["sc: sid=b", "vgsc: sid=b", "vgrc: sid=b grid=g every=1m"], "a+b grouping", "")]
#[case::snapshots("1m", &["sc: sid=a", "vsc: sid=a"], &["sc: sid=b", "vsc: sid=b"], "a+b", "")]
#[case::snapshot_on_one_side("1m", &["sc: sid=a", "vsc: sid=a"], &["sc: sid=b"], "", "")]
#[case::class_on_one_side("1m", &["sc: sid=a", VRC_A], &["sc: sid=b"], "", "")]
#[case::no_replication_id("1m", &["sc: sid=a", "vrc: sid=a every=1m"], &["sc: sid=b", "vrc: sid=b every=1m"], "", "")]
#[case::other_schedule("1m", &["sc: sid=a", VRC_A], &["sc: sid=b", "vrc: sid=b rid=r every=5m"], "", "")]
#[case::same_schedule_in_other_words("60m", &["sc: sid=a", "vrc: sid=a rid=r every=1h"], &["sc: sid=b", "vrc: sid=b rid=r every=1h"], "", "")]
#[case::other_relation("1m", &["sc: sid=a", VRC_A], &["sc: sid=b", "vrc: sid=b rid=s every=1m"], "", "")]
#[case::other_driver("1m", &["sc: sid=a", VRC_A], &["sc: sid=b", "vrc: sid=b rid=r every=1m by=other"], "", "")]
#[case::other_storage("1m", &["sc: sid=a", VRC_A], &["sc: sid=b", "vrc: sid=c rid=r every=1m"], "", "")]
#[case::second_class_fits("1m", &["sc: sid=a", "vrc: sid=a rid=x every=1m", VRC_A], &["sc: sid=b", VRC_B], "a+b rid=r", "")]
#[case::group_chosen_by_the_storage_class("1m", &["sc: sid=a grid=h", VRC_A, "vgrc: sid=a grid=g every=1m", "vgrc: sid=a grid=h every=1m"], &["sc: sid=b", VRC_B, "vgrc: sid=b grid=g every=1m", "vgrc: sid=b grid=h every=1m"], "a+b rid=r grid=h grouping", "")]
#[case::not_labelled("1m", &["sc: rid=r", VRC_A], &["sc: sid=b", VRC_B], "", "")]
#[case::empty_identities_are_none("1m", &["sc: sid="], &["sc: sid="], "", "")]
fn peer_classes_follow_the_table(
    #[case] interval: &str,
    #[case] a: &[&str],
    #[case] b: &[&str],
    #[case] asynchronous: &str,
    #[case] synchronous: &str,
) {
    let found = found(interval, "", a, b);
    let all = |classes: &[PeerClass]| classes.iter().map(words).collect::<Vec<_>>().join(", ");
    assert_eq!((all(&found.asynchronous).as_str(), all(&found.synchronous).as_str()), (asynchronous, synchronous));
    assert!(found.asynchronous.iter().all(|class| class.cluster_ids == ["A", "B"]));
}

const GOLD_A: &str = "vrc: sid=a rid=r every=1m tier=gold";
const GOLD_B: &str = "vrc: sid=b rid=r every=1m tier=gold";
const SNAP_A: &str = "vsc: sid=a";
const SNAP_B: &str = "vsc: sid=b";

/// What clusters would not choose is not published (H22, C9), nor replicated in another way, and is named.
#[rstest]
#[case::c9_named_alike("", &["sc: sid=a rid=r", VRC_A], &["sc: sid=b rid=r", VRC_B], "a+b rid=r", "")]
#[case::c9_named_on_one_side("", &["sc: sid=a rid=r", VRC_A], &["sc: sid=b", VRC_B], "a+b rid=r", "")]
#[case::c9_another_relation("", &["sc: sid=a rid=s", VRC_A, SNAP_A], &["sc: sid=b rid=r", VRC_B, SNAP_B], "", "replicationid=s on cluster a")]
#[case::c9_another_on_the_second("", &["sc: sid=a", VRC_A], &["sc: sid=b rid=s", VRC_B], "", "replicationid=s on cluster b")]
#[case::c9_each_its_own("", &["sc: sid=a rid=r", VRC_A, "vrc: sid=a rid=s every=1m"], &["sc: sid=b rid=s", VRC_B, "vrc: sid=b rid=s every=1m"], "", "r on cluster a, and s on cluster b")]
#[case::c9_one_of_several("", &["sc: sid=a rid=s", VRC_A, "vrc: sid=a rid=s every=1m"], &["sc: sid=b", VRC_B, "vrc: sid=b rid=s every=1m"], "a+b rid=s", "")]
#[case::h22_selected("tier=gold", &["sc: sid=a", GOLD_A], &["sc: sid=b", GOLD_B], "a+b rid=r", "")]
#[case::h22_selected_nowhere("tier=gold", &["sc: sid=a", VRC_A, SNAP_A], &["sc: sid=b", VRC_B, SNAP_B], "", "tier=gold, which no VolumeReplicationClass that fits it on cluster a has")]
#[case::h22_selected_on_one_side("tier=gold", &["sc: sid=a", GOLD_A], &["sc: sid=b", VRC_B], "", "on cluster b")]
#[case::h22_one_of_several("tier=gold", &["sc: sid=a", "vrc: sid=a rid=q every=1m", GOLD_A], &["sc: sid=b", "vrc: sid=b rid=q every=1m", GOLD_B], "a+b rid=r", "")]
#[case::storage_that_copies_snapshots_only("tier=gold", &["sc: sid=a", SNAP_A], &["sc: sid=b", SNAP_B], "a+b", "")]
#[case::of_other_storage("tier=gold", &["sc: sid=a", "vrc: sid=c rid=r every=1m"], &["sc: sid=b", VRC_B], "", "")]
fn what_the_clusters_would_not_choose_is_left_out(
    #[case] selector: &str,
    #[case] a: &[&str],
    #[case] b: &[&str],
    #[case] asynchronous: &str,
    #[case] words_of_it: &str,
) {
    let found = found("1m", selector, a, b);
    assert_eq!(found.asynchronous.iter().map(words).collect::<Vec<_>>().join(", "), asynchronous);
    assert_eq!(found.left_out.is_empty(), words_of_it.is_empty(), "{:?}", found.left_out);
    assert!(found.left_out.iter().all(|said| said.contains(words_of_it)), "{:?}", found.left_out);
}

#[test]
fn a_policy_that_selects_no_class_is_not_valid_and_says_what_to_label() {
    let mut story = Story::with_clusters();
    ["c1", "c2"].into_iter().for_each(|name| story.dr_cluster(name));
    story.policy();
    let mut fact = policy(&story).clone();
    fact.spec.replication_class_selector = Json::new(&json!({"matchLabels": {"tier": "gold"}}));
    story.see(Fact::Policy(Box::new(fact)));
    story.record(None, ramen_events::Payload::Synced);
    story.run();
    let (status, reason, message) = told(&story);
    assert_eq!((status, reason.as_str()), (False, "ValidationFailed"), "{message}");
    assert!(message.contains("StorageClass rbd is left out") && message.contains("tier=gold"), "{message}");
    assert!(policy(&story).status.as_ref().unwrap().asynchronous.is_empty());
}

#[test]
fn a_valid_policy_stays_so_when_a_label_no_longer_fits_and_says_which() {
    let mut story = Story::ready();
    let view = story.world.domain.view(&"c1".into(), "rbd-sc-mcv").unwrap().fact.as_ref().clone();
    let mut odd = class("sid=sid-c1 rid=odd");
    odd.provisioner = "csi".into();
    let answer = ramen_events::hub::ViewAnswer::Found(ramen_events::hub::ViewedObject::Class(odd));
    story.see(Fact::View(Box::new(ramen_events::hub::ViewFact { answer, ..view })));
    story.run();
    let (status, _, message) = told(&story);
    assert_eq!(status, True, "actions on what is protected go on: {message}");
    assert!(message.contains("replicationid=odd on cluster c1"), "{message}");
    assert!(policy(&story).status.as_ref().unwrap().asynchronous.is_empty());
    story.protect();
    story.run();
    let words = story.words("Available");
    assert!(words.contains("any more; StorageClass rbd is left out"), "{words}");
}

#[rstest]
#[case::none_has_a_store(["NoS3", "NoS3"], False)]
#[case::one_has(["NoS3", "s3-c2"], True)]
fn a_policy_needs_a_store(#[case] profiles: [&str; 2], #[case] status: ConditionStatus) {
    let mut story = Story::with_clusters();
    for (name, profile) in ["c1", "c2"].into_iter().zip(profiles) {
        let fact = DrClusterFact { meta: meta("", name), profile: profile.into(), ..DrClusterFact::default() };
        story.see(Fact::DrCluster(Box::new(fact)));
    }
    story.policy();
    story.record(None, ramen_events::Payload::Synced);
    story.run();
    let (said, _, message) = told(&story);
    assert_eq!(said, status, "H27: {message}");
    assert_eq!(message.contains("DRClusters [c1 c2] have s3ProfileName NoS3"), status == False, "{message}");
}

#[test]
fn a_cluster_without_storage_classes_has_no_peers() {
    assert_eq!(found("1m", "", &["sc: sid=a", VRC_A], &[VRC_B]), peer_classes::Found::default());
}

#[test]
fn published_classes_keep_their_order_and_are_refreshed_in_place() {
    let named = |name: &str, rid: &str| PeerClass {
        storage_class: name.into(),
        cluster_ids: vec!["A".into(), "B".into()],
        replication_id: rid.into(),
        ..PeerClass::default()
    };
    let published = [named("two", "old"), named("gone", "x"), named("one", "old")];
    let merged = peer_classes::merge(&published, vec![named("one", "new"), named("three", "new"), named("two", "new")]);
    let names: Vec<(&str, &str)> =
        merged.iter().map(|c| (c.storage_class.as_str(), c.replication_id.as_str())).collect();
    assert_eq!(names, [("two", "new"), ("one", "new"), ("three", "new")]);
}

#[test]
fn a_policy_is_valid_once_its_peer_classes_are_known() {
    let story = Story::ready();
    assert_eq!(told(&story), (True, "Succeeded".into(), "drpolicy validated".into()));
    let status = policy(&story).status.as_ref().unwrap();
    assert_eq!(status.asynchronous.iter().map(words).collect::<Vec<_>>(), ["sid-c1+sid-c2 rid=rid"]);
    assert_eq!(policy(&story).meta.finalizers, ["drpolicies.ramendr.openshift.io/ramen"]);
}

#[test]
fn a_policy_over_a_missing_cluster_waits_for_it() {
    let mut story = Story::with_clusters();
    story.dr_cluster("c1");
    story.policy();
    story.record(None, ramen_events::Payload::Synced);
    story.run();
    let (status, reason, message) = told(&story);
    assert_eq!((status, reason.as_str()), (False, "DRClusterNotFound"));
    assert!(message.contains("DRCluster c2 is not there"), "{message}");
    story.dr_cluster("c2");
    story.run();
    assert_eq!(told(&story).0, True);
}

#[rstest]
#[case::one_cluster(&["c1"])]
#[case::the_same_twice(&["c1", "c1"])]
fn a_policy_names_two_clusters(#[case] clusters: &[&str]) {
    let mut story = Story::ready();
    let mut fact = policy(&story).clone();
    fact.spec.clusters = clusters.iter().map(|name| (*name).into()).collect();
    story.see(Fact::Policy(Box::new(fact)));
    story.run();
    let (status, reason, message) = told(&story);
    assert_eq!((status, reason.as_str()), (False, "ValidationFailed"));
    assert!(message.contains("spec.drClusters: [c1"), "{message}");
}

#[test]
fn published_classes_survive_missing_knowledge() {
    let mut story = Story::ready();
    story.gone(Kind::ManagedClusterView, "c1", "c1-drcconfig-mcv");
    story.lose("c1");
    story.run();
    story.pass(5);
    assert_eq!(told(&story).0, True, "HS5");
    assert_eq!(policy(&story).status.as_ref().unwrap().asynchronous.len(), 1);
}

#[test]
fn a_policy_stays_while_a_drpc_refers_to_it() {
    let mut story = Story::deployed();
    let mut fact = policy(&story).clone();
    fact.meta.deleting = Some(story.now);
    story.see(Fact::Policy(Box::new(fact)));
    story.run();
    assert!(told(&story).2.contains("existing drpc resource name apps/app"), "{}", told(&story).2);
    assert_eq!(story.told("Available"), (True, "Deployed"), "and what it protects goes on");
    let mut fact = story.drpc().clone();
    fact.meta.deleting = Some(story.now);
    story.see(Fact::Drpc(Box::new(fact)));
    story.run();
    assert!(!story.world.domain.policies.contains_key("policy"), "H18: it goes with the last DRPC");
}

#[test]
fn a_policy_that_a_drpc_refers_to_is_held_before_it_is_valid() {
    let mut story = Story::ready();
    let mut second = policy(&story).clone();
    second.meta.name = "second".into();
    second.meta.finalizers.clear();
    second.spec.clusters = vec!["c1".into(), "nowhere".into()];
    second.status = None;
    story.see(Fact::Policy(Box::new(second)));
    story.run();
    let held = |story: &Story| !story.world.domain.policies["second"].meta.finalizers.is_empty();
    assert!(!held(&story), "nobody needs it");
    let mut drpc = DrpcFact { meta: meta("apps", "second"), ..DrpcFact::default() };
    drpc.spec.policy = "second".into();
    story.see(Fact::Drpc(Box::new(drpc)));
    story.run();
    assert!(held(&story), "HS10: what is protected on a hub that was rebuilt needs it");
}

#[test]
fn of_two_policies_over_shared_storage_the_older_stays_valid() {
    let mut story = Story::ready();
    let shared = |cluster: &str| {
        let name = "rbd-sc-mcv";
        let mut fact = story.world.domain.view(&cluster.into(), name).unwrap().fact.as_ref().clone();
        fact.answer = ramen_events::hub::ViewAnswer::Found(ramen_events::hub::ViewedObject::Class(class("sid=same")));
        fact
    };
    let views = [shared("c1"), shared("c2")];
    views.into_iter().for_each(|fact| story.see(Fact::View(Box::new(fact))));
    let mut second = policy(&story).clone();
    second.meta.name = "second".into();
    second.meta.created = story.now;
    second.status = None;
    story.see(Fact::Policy(Box::new(second)));
    story.run();
    assert_eq!(told(&story).0, True, "HS4");
    let second = story.world.domain.policies["second"].status.as_ref().unwrap();
    let condition = &second.conditions[0];
    assert_eq!((condition.status, condition.reason.as_str()), (False, "DRPolicyConflictFound"));
    assert!(
        condition.message.contains("has overlapping clusters with another drpolicy policy"),
        "{}",
        condition.message
    );
    story.gone(Kind::DrPolicy, "", "policy");
    story.run();
    assert_eq!(story.world.domain.policies["second"].status.as_ref().unwrap().conditions[0].status, True);
}

#[test]
fn a_valid_policy_stays_so_while_a_cluster_claims_no_identity() {
    let mut story = Story::ready();
    assert_eq!(told(&story).0, True);
    let classes = policy(&story).status.as_ref().unwrap().asynchronous.clone();
    let claim = |id: &str| {
        Fact::ManagedCluster(ramen_events::hub::ManagedClusterFact {
            name: "c1".into(),
            joined: true,
            available: Some(True),
            id: id.into(),
        })
    };
    story.see(claim(""));
    story.run();
    story.pass(60);
    assert_eq!(told(&story).0, True, "HS5: {:?}", told(&story));
    assert_eq!(policy(&story).status.as_ref().unwrap().asynchronous, classes);
    story.gone(Kind::ManagedCluster, "", "c1");
    story.run();
    assert_eq!(told(&story).1, "drClusterDetailsFailed", "one that left the hub is another matter");
}
