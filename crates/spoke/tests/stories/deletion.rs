//! A VRG that is deleted leaves nothing behind, and takes nothing with it.

use std::time::Duration;

use ramen_sim::{
    api::Api,
    kinds::{PV, PVC, VOLUME_REPLICATION, VRG},
};
use serde_json::json;

use super::stage::{APP, Stage};

fn delete(stage: &Stage, name: &str) {
    stage.clusters[name].delete(&VRG, Some(APP), APP, None).unwrap();
}

#[test]
fn deleting_a_primary_releases_claims_deletes_copies_and_keeps_the_data() {
    let mut stage = Stage::protected(2);
    let volume = stage.volume_of("c1", "data-0");
    let before = stage.shell("c1").requests.len();
    delete(&stage, "c1");
    stage.until(20, "the VRG to be gone", |stage| stage.vrg("c1").is_none());
    let requests = stage.requests("c1", before);
    assert!(requests.len() <= 7, "{requests:#?}");
    let claim = stage.get("c1", &PVC, "data-0");
    assert_eq!(claim["metadata"]["labels"], json!({ "app": APP }));
    assert_eq!(claim["metadata"]["finalizers"], json!(["kubernetes.io/pvc-protection"]));
    let notes = claim["metadata"]["annotations"].as_object().unwrap();
    assert!(!notes.keys().any(|name| name.contains("ramendr")), "{notes:?}");
    assert_eq!(stage.get("c1", &PV, &volume)["spec"]["persistentVolumeReclaimPolicy"], "Delete");
    assert!(!stage.exists("c1", &VOLUME_REPLICATION, "data-0"));
    assert!(stage.keys("s3-c1").is_empty() && stage.keys("s3-c2").is_empty());
}

#[test]
fn deleting_a_secondary_keeps_the_copies() {
    let mut stage = Stage::protected(1);
    delete(&stage, "c2");
    stage.until(5, "the VRG to be gone", |stage| stage.vrg("c2").is_none());
    assert_eq!(stage.keys("s3-c2").len(), 3);
}

#[test]
fn a_store_that_is_down_holds_up_the_deletion_and_is_named() {
    let mut stage = Stage::protected(1);
    stage.set_store("s3-c2", |store| store.down = true);
    delete(&stage, "c1");
    stage.pass(Duration::from_secs(30));
    assert!(stage.vrg("c1").is_some() && stage.keys("s3-c1").is_empty());
    let message = stage.message("c1", "DataReady");
    assert!(message.contains("s3-c2"), "{message}");
    stage.set_store("s3-c2", |store| store.down = false);
    stage.until(60, "the VRG to be gone", |stage| stage.vrg("c1").is_none());
    assert!(stage.keys("s3-c2").is_empty());
}

#[test]
fn a_vrg_whose_spec_can_not_be_used_can_be_deleted() {
    let mut stage = Stage::protected(1);
    stage.ask_with("c1", json!({ "dryRun": true, "s3Profiles": ["no-such-profile"] }));
    stage.pass(Duration::from_secs(1));
    assert_eq!(stage.condition("c1", "DataReady"), "False/Error");
    stage.ask_with("c1", json!({ "s3Profiles": [] }));
    delete(&stage, "c1");
    stage.until(20, "the VRG to be gone", |stage| stage.vrg("c1").is_none());
}

#[test]
fn a_vrg_made_anew_protects_what_its_predecessor_let_go() {
    let mut stage = Stage::protected(1);
    delete(&stage, "c1");
    stage.until(20, "the VRG to be gone", |stage| stage.vrg("c1").is_none());
    stage.ask("c1", "primary", "");
    stage.until(20, "protection", |stage| stage.is_protected("c1"));
}
