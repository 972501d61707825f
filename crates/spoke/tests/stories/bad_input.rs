//! Wrong input: the right condition, one event, nothing else stops, and mending it is enough.

use std::time::Duration;

use ramen_sim::{
    agents::object,
    api::Api,
    kinds::{CONFIG_MAP, PVC, SECRET, STORAGE_CLASS},
};
use rstest::rstest;
use serde_json::json;

use super::stage::{APP, Stage};

const SYSTEM: &str = ramen_sim::world::OPERATOR_NAMESPACE;

fn events(stage: &Stage) -> Vec<&String> {
    stage.shell("c1").requests.iter().filter(|request| request.starts_with("event")).collect()
}

#[test]
fn a_claim_without_a_fitting_class_is_named_and_the_others_go_on() {
    let mut stage = Stage::new(2);
    let class = json!({ "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": { "name": "odd" }, "provisioner": "lab.rbd.csi" });
    stage.clusters["c1"].create(&STORAGE_CLASS, &class).unwrap();
    let claim = json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": { "name": "odd", "namespace": APP, "labels": { "app": APP } },
        "spec": { "accessModes": ["ReadWriteOnce"], "storageClassName": "odd", "volumeMode": "Filesystem",
            "resources": { "requests": { "storage": "1Gi" } } } });
    stage.clusters["c1"].create(&PVC, &claim).unwrap();
    stage.ask("c1", "primary", "");
    stage.until(20, "the others to be stored", |stage| stage.keys("s3-c1").len() >= 4);
    stage.pass(Duration::from_secs(2));
    let vrg = stage.vrg("c1").unwrap();
    let entry = object::list(&vrg, "/status/protectedPVCs").iter().find(|entry| entry["name"] == "odd").unwrap();
    assert_eq!(entry["conditions"][0]["reason"], "PeerClassNotFound");
    assert_eq!(stage.condition("c1", "DataReady"), "False/Error");
    assert!(stage.message("c1", "DataReady").contains("claim odd"), "{}", stage.message("c1", "DataReady"));
    assert_eq!(stage.state("c1"), "Unknown");
    assert_eq!(events(&stage).len(), 1, "{:?}", events(&stage));
    stage.clusters["c1"].delete(&PVC, Some(APP), "odd", None).unwrap();
    stage.until(20, "protection", |stage| stage.is_protected("c1"));
}

#[test]
fn an_unlabelled_storage_class_is_named_and_labelling_it_is_enough() {
    let mut stage = Stage::new(1);
    let label = "ramendr.openshift.io/storageid";
    stage.patch("c1", &STORAGE_CLASS, "lab-rbd", &json!({ "metadata": { "labels": { label: null } } }));
    stage.ask("c1", "primary", "");
    stage.pass(Duration::from_secs(5));
    let message = stage.message("c1", "DataReady");
    assert!(message.contains("lab-rbd") && message.contains(label), "{message}");
    stage.patch("c1", &STORAGE_CLASS, "lab-rbd", &json!({ "metadata": { "labels": { label: "sid-c1" } } }));
    stage.until(20, "protection", |stage| stage.is_protected("c1"));
}

#[test]
fn a_missing_secret_is_named_volumes_are_replicated_all_the_same_and_creating_it_is_enough() {
    let mut stage = Stage::new(1);
    let secret = stage.clusters["c1"].get(&SECRET, Some(SYSTEM), "s3-c2").unwrap();
    stage.clusters["c1"].delete(&SECRET, Some(SYSTEM), "s3-c2", None).unwrap();
    stage.ask("c1", "primary", "");
    stage.until(20, "volumes to be primary", |stage| stage.state("c1") == "Primary");
    stage.until(20, "the condition", |stage| stage.condition("c1", "ClusterDataProtected") == "False/UploadError");
    let message = stage.message("c1", "ClusterDataProtected");
    assert!(message.contains("Secret ramen-system/s3-c2"), "{message}");
    let mut secret = secret;
    for field in ["resourceVersion", "uid", "creationTimestamp"] {
        secret["metadata"].as_object_mut().unwrap().remove(field);
    }
    stage.clusters["c1"].create(&SECRET, &secret).unwrap();
    stage.until(20, "protection", |stage| stage.is_protected("c1"));
}

#[test]
fn a_wrong_bucket_is_named_with_the_stores_own_word() {
    let mut stage = Stage::new(1);
    stage.set_store("s3-c2", |store| store.refuses = Some("NoSuchBucket"));
    stage.ask("c1", "primary", "");
    stage.until(20, "the condition", |stage| stage.condition("c1", "ClusterDataProtected") == "False/UploadError");
    assert!(stage.message("c1", "ClusterDataProtected").contains("NoSuchBucket"));
    stage.pass(Duration::from_secs(60));
    assert_eq!(events(&stage).len(), 1, "{:?}", events(&stage));
    stage.set_store("s3-c2", |store| store.refuses = None);
    stage.until(60, "protection", |stage| stage.is_protected("c1"));
}

#[test]
fn an_unknown_profile_is_named_and_adding_it_is_enough() {
    let mut stage = Stage::new(1);
    stage.ask_with("c1", json!({ "replicationState": "primary", "s3Profiles": ["s3-c1", "s3-x"] }));
    stage.until(20, "the condition", |stage| stage.condition("c1", "ClusterDataProtected") == "False/UploadError");
    assert!(stage.message("c1", "ClusterDataProtected").contains("\"s3-x\""));
    let config = stage.clusters["c1"].get(&CONFIG_MAP, Some(SYSTEM), "ramen-dr-cluster-operator-config").unwrap();
    let yaml = config["data"]["ramen_manager_config.yaml"].as_str().unwrap();
    let yaml = yaml.replace("\"s3ProfileName\": \"s3-c2\"", "\"s3ProfileName\": \"s3-x\"");
    assert!(yaml.contains("s3-x"), "{yaml}");
    let patch = json!({ "data": { "ramen_manager_config.yaml": yaml } });
    stage.clusters["c1"]
        .merge_patch(&CONFIG_MAP, Some(SYSTEM), "ramen-dr-cluster-operator-config", &patch, None)
        .unwrap();
    stage.until(20, "protection", |stage| stage.is_protected("c1"));
}

#[rstest]
#[case::c23_claims_would_not_be_found(
    2,
    "False/UploadError",
    "spec.s3Profiles is NoS3, no store, so the other cluster"
)]
#[case::c23_without_claims_nothing_is_missing(0, "True/Unused", "spec.s3Profiles is NoS3, no store: nothing is stored")]
fn without_a_store_only_claims_are_told_of(#[case] claims: usize, #[case] condition: &str, #[case] words: &str) {
    let mut stage = Stage::new(claims);
    stage.ask_with("c1", json!({ "replicationState": "primary", "s3Profiles": ["NoS3"] }));
    stage.until(60, "the condition", |stage| stage.condition("c1", "ClusterDataProtected") == condition);
    let message = stage.message("c1", "ClusterDataProtected");
    assert!(message.contains(words), "{message}");
}

#[test]
fn what_is_not_supported_yet_is_said_with_field_and_remedy() {
    let mut stage = Stage::new(1);
    stage.ask_with("c1", json!({ "replicationState": "primary", "protectedNamespaces": ["other"] }));
    stage.pass(Duration::from_secs(1));
    let message = stage.message("c1", "DataReady");
    assert!(message.contains("spec.protectedNamespaces") && message.contains("remove it"), "{message}");
    stage.ask_with("c1", json!({ "protectedNamespaces": null }));
    stage.until(20, "protection", |stage| stage.is_protected("c1"));
}

#[test]
fn no_credential_ever_reaches_records_or_commands() {
    let stage = Stage::protected(1);
    let text = format!("{:?}", stage.shell("c1").records);
    assert!(text.contains("s3-c1") && !text.contains("secret-that-must-not-leak"));
    assert!(!text.contains("c2VjcmV0LXRoYXQtbXVzdC1ub3QtbGVhaw"), "nor in base64");
}
