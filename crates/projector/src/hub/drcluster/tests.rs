//! DRCluster: the first thing that is not met, and what a person can do about it (spec hub 3).

use ramen_events::{
    ConditionStatus::{False, True, Unknown},
    Json, Kind, Outcome,
    hub::{Config, ConfigFact, DrClusterFact, Fact, SecretFact, WorkContent},
};
use rstest::rstest;
use serde_json::json;

use crate::hub::story::{Story, profile};

fn cluster(story: &Story) -> &DrClusterFact {
    &story.world.domain.clusters["c1"]
}

fn told(story: &Story, kind: &str) -> (ramen_events::ConditionStatus, String, String) {
    let conditions = &cluster(story).status.as_ref().unwrap().conditions;
    let condition = conditions.iter().find(|condition| condition.kind == kind).unwrap();
    (condition.status, condition.reason.clone(), condition.message.clone())
}

fn configure(story: &mut Story, change: impl FnOnce(&mut Config)) {
    let mut config = Config { profiles: vec![profile("s3-c1"), profile("s3-c2")], ..Config::default() };
    change(&mut config);
    story.see(Fact::Config(ConfigFact {
        namespace: "ramen-system".into(),
        name: "ramen-hub-operator-config".into(),
        config: Ok(config),
    }));
    story.run();
}

fn refused(reason: &str) -> Outcome {
    Outcome::Refused { code: 400, reason: reason.into(), message: format!("{reason} it said") }
}

#[test]
fn a_cluster_is_validated_and_offers_its_classes() {
    let story = Story::ready();
    assert_eq!(told(&story, "Validated"), (True, "Succeeded".into(), "Validated the cluster".into()));
    let status = cluster(&story).status.as_ref().unwrap();
    let kinds: Vec<&str> = status.conditions.iter().map(|condition| condition.kind.as_str()).collect();
    assert_eq!(kinds, ["Fenced", "Clean", "Validated"]);
    assert_eq!(status.phase, "Available");
    assert_eq!(cluster(&story).meta.finalizers, ["drclusters.ramendr.openshift.io/ramen"]);
    let views: Vec<&String> = story.world.domain.views[&"c1".into()].keys().collect();
    assert_eq!(views, ["c1-drcconfig-mcv", "rbd-sc-mcv", "vrc-vrc-mcv"]);
}

#[rstest]
#[case::no_bucket("NoSuchBucket", "s3BucketNotFound", "s3Bucket: bucket does not exist at http://s3-c1:9000")]
#[case::no_store("ConnectionFailed", "s3ConnectionFailed", "s3CompatibleEndpoint http://s3-c1:9000")]
#[case::slow_store("Timeout", "s3ConnectionFailed", "bring the store up")]
#[case::wrong_key("AccessDenied", "s3ListFailed", "Secret ramen-system/s3-c1")]
#[case::wrong_region("AuthorizationHeaderMalformed", "s3ListFailed", "s3Region \"r\"")]
fn a_store_that_cannot_be_used_says_why(#[case] answer: &str, #[case] reason: &str, #[case] words: &str) {
    let mut story = Story::with_clusters();
    story.outcomes.insert("probe s3-c1".into(), refused(answer));
    story.dr_cluster("c1");
    story.record(None, ramen_events::Payload::Synced);
    story.run();
    let (status, got, message) = told(&story, "Validated");
    assert_eq!((status, got.as_str()), (False, reason));
    assert!(message.contains(words), "{message}");
    assert_eq!(story.events, [reason]);
    story.outcomes.clear();
    story.pass(70);
    assert_eq!(told(&story, "Validated").0, True, "it is asked again");
    assert_eq!(story.events.len(), 1);
}

#[rstest]
#[case::bare_host("minio", "s3CompatibleEndpoint")]
#[case::empty("", "s3CompatibleEndpoint")]
fn an_endpoint_that_is_no_url_is_not_even_tried(#[case] endpoint: &str, #[case] words: &str) {
    let mut story = Story::ready();
    story.sent.clear();
    configure(&mut story, |config| config.profiles[0].endpoint = endpoint.into());
    let (status, reason, message) = told(&story, "Validated");
    assert_eq!((status, reason.as_str()), (False, "s3ConnectionFailed"));
    assert!(message.contains(words), "{message}");
    configure(&mut story, |_| {});
    assert_eq!(told(&story, "Validated").0, True, "correcting it is enough");
}

#[test]
fn a_missing_secret_is_named_and_awaited() {
    let mut story = Story::ready();
    story.gone(Kind::Secret, "ramen-system", "s3-c1");
    story.run();
    let (_, reason, message) = told(&story, "Validated");
    assert_eq!(reason, "s3ConnectionFailed");
    assert!(message.contains("Secret ramen-system/s3-c1 is not there"), "{message}");
    story.see(Fact::Secret(SecretFact {
        namespace: "ramen-system".into(),
        name: "s3-c1".into(),
        digest: "d2".into(),
        keys: Vec::new(),
    }));
    story.run();
    assert_eq!(told(&story, "Validated").0, True);
}

#[test]
fn a_secret_of_another_namespace_is_told_apart_from_a_missing_one() {
    let mut story = Story::ready();
    configure(&mut story, |config| config.profiles[0].secret_namespace = "vault".into());
    let (_, reason, message) = told(&story, "Validated");
    assert_eq!(reason, "s3ConnectionFailed");
    assert!(message.contains("Secret vault/s3-c1 cannot be read") && !message.contains("create it"), "{message}");
    assert!(message.contains("set s3SecretRef.namespace of the profile to ramen-system"), "{message}");
}

#[test]
fn a_profile_that_is_not_configured_is_named() {
    let mut story = Story::ready();
    configure(&mut story, |config| config.profiles.clear());
    let (_, reason, message) = told(&story, "Validated");
    assert_eq!(reason, "s3ConnectionFailed");
    assert!(message.contains("spec.s3ProfileName: s3-c1"), "{message}");
}

#[test]
fn stores_are_asked_every_ten_minutes_and_when_credentials_change() {
    let mut story = Story::ready();
    story.sent.clear();
    story.pass(590);
    assert_eq!(story.sent, Vec::<String>::new());
    story.pass(30);
    assert_eq!(story.sent, ["probe s3-c1", "probe s3-c2"]);
    story.see(Fact::Secret(SecretFact {
        namespace: "ramen-system".into(),
        name: "s3-c1".into(),
        digest: "other".into(),
        keys: Vec::new(),
    }));
    story.run();
    assert_eq!(story.sent.len(), 3);
}

#[test]
fn what_was_valid_stays_so_while_an_answer_is_under_way() {
    let mut story = Story::ready();
    story.lose_log();
    story.sent.clear();
    story.pass(5);
    assert!(!story.sent.iter().any(|sent| sent.starts_with("status")), "{:?}", story.sent);
}

#[rstest]
#[case::none("", "Available", False, True, "Clean")]
#[case::by_hand("ManuallyFenced", "Fenced", True, False, "Fenced")]
#[case::undone_by_hand("ManuallyUnfenced", "Unfenced", False, True, "Clean")]
#[case::nothing_to_undo("Unfenced", "Unfenced", False, True, "Clean")]
#[case::not_supported("Fenced", "Fencing", False, True, "FenceError")]
fn fencing_is_reported(
    #[case] fence: &str,
    #[case] phase: &str,
    #[case] fenced: ramen_events::ConditionStatus,
    #[case] clean: ramen_events::ConditionStatus,
    #[case] reason: &str,
) {
    let mut story = Story::ready();
    story.see(Fact::DrCluster(Box::new(DrClusterFact { fence: fence.into(), ..cluster(&story).clone() })));
    story.run();
    assert_eq!(cluster(&story).status.as_ref().unwrap().phase, phase);
    assert_eq!((told(&story, "Fenced").0, told(&story, "Fenced").1.as_str()), (fenced, reason));
    assert_eq!((told(&story, "Clean").0, told(&story, "Clean").1.as_str()), (clean, reason));
}

#[rstest]
#[case::malformed("10.0.0.0", "InvalidCIDRsFormat", False)]
#[case::too_long("10.0.0.0/33", "InvalidCIDRsFormat", False)]
#[case::unseen("10.0.0.0/24", "UndetectedCIDRsFound", True)]
fn cidrs_are_compared(#[case] cidr: &str, #[case] reason: &str, #[case] status: ramen_events::ConditionStatus) {
    let mut story = Story::ready();
    story.see(Fact::DrCluster(Box::new(DrClusterFact { cidrs: vec![cidr.into()], ..cluster(&story).clone() })));
    story.run();
    let (got, word, message) = told(&story, "CIDRsValidated");
    assert_eq!((got, word.as_str()), (status, reason), "{message}");
    assert_eq!(told(&story, "Validated").0, status);
}

#[test]
fn a_cluster_that_is_rebuilt_gets_a_new_inventory_object() {
    let mut story = Story::ready();
    story.sent.clear();
    let mut managed = story.world.domain.managed["c1"].clone();
    managed.id = "id-new".into();
    story.see(Fact::ManagedCluster(managed));
    story.run();
    assert_eq!(story.sent.iter().filter(|s| s.contains("drcconfig-mw")).count(), 1, "H28: {:?}", story.sent);
    assert!(story.sent.contains(&"ApplyConfigWork".to_owned()));
    assert_eq!(told(&story, "Validated").0, True);
}

#[test]
fn deletion_waits_for_policies_then_for_the_agent() {
    let mut story = Story::ready();
    let mut fact = cluster(&story).clone();
    fact.meta.deleting = Some(story.now);
    story.see(Fact::DrCluster(Box::new(fact)));
    story.run();
    assert!(told(&story, "Validated").2.contains("referenced in one or more existing drPolicy resources (policy)"));
    story.sent.clear();
    story.gone(Kind::DrPolicy, "", "policy");
    story.run();
    assert!(!story.world.domain.clusters.contains_key("c1"));
    let works: Vec<&str> = story.sent.iter().map(String::as_str).filter(|s| s.starts_with("delete work")).collect();
    assert_eq!(works, ["delete work c1/drcconfig-mw", "delete work c1/ramen-dr-cluster"], "H6: rights go last");
    assert!(!story.world.domain.views.contains_key(&"c1".into()));
    assert!(story.world.domain.clusters.contains_key("c2"), "H5: the other cluster is left alone");
}

#[test]
fn a_deletion_says_which_work_it_waits_for_and_what_can_be_done() {
    let mut story = Story::ready();
    story.lose("c1");
    let mut fact = cluster(&story).clone();
    fact.meta.deleting = Some(story.now);
    story.see(Fact::DrCluster(Box::new(fact)));
    story.gone(Kind::DrPolicy, "", "policy");
    story.run();
    let words = told(&story, "Validated").2;
    assert!(words.contains("waiting for ManifestWork drcconfig-mw to be removed from cluster c1"), "{words}");
    assert!(words.contains("look at the work agent") && !words.contains("finalizer"), "{words}");
    story.managed("c1", Unknown);
    story.run();
    let words = told(&story, "Validated").2;
    assert!(words.contains("bring the cluster back") && words.contains("manifest-work-cleanup"), "{words}");
}

#[test]
fn what_others_put_into_the_work_of_the_rights_stays_on_a_cluster_that_leaves() {
    let mut story = Story::ready();
    let mut work = (*story.world.domain.work(&"c1".into(), "ramen-dr-cluster").unwrap().fact).clone();
    let WorkContent::Manifests(manifests) = &work.content else { panic!("it has manifests") };
    let mut manifests = manifests.value().as_array().unwrap().clone();
    manifests.push(json!({"kind": "Namespace", "metadata": {"name": "ramen-system"}}));
    work.content = WorkContent::Manifests(Json::new(&json!(manifests)));
    story.see(Fact::Work(Box::new(work)));
    let mut fact = cluster(&story).clone();
    fact.meta.deleting = Some(story.now);
    story.see(Fact::DrCluster(Box::new(fact)));
    story.sent.clear();
    story.gone(Kind::DrPolicy, "", "policy");
    story.run();
    assert!(!story.world.domain.clusters.contains_key("c1"), "{:?}", told(&story, "Validated"));
    let at = |words: &str| story.sent.iter().position(|sent| sent.starts_with(words));
    let (told, deleted) = (at("ApplyClusterWork"), at("delete work c1/ramen-dr-cluster"));
    assert!(told.is_some() && told < deleted, "H4: it is told to let go first: {:?}", story.sent);
}

#[test]
fn a_missing_registration_is_named() {
    let mut story = Story::with_clusters();
    story.gone(Kind::ManagedCluster, "", "c1");
    story.dr_cluster("c1");
    story.record(None, ramen_events::Payload::Synced);
    story.run();
    assert!(told(&story, "Validated").2.contains("ManagedCluster c1 is not there"), "{}", told(&story, "Validated").2);
    story.managed("c1", Unknown);
    story.run();
    assert_eq!(told(&story, "Validated").0, True, "H18: noticed at once");
}
