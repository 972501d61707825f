//! A primary VRG protects what it selects.

use std::time::Duration;

use ramen_sim::{
    agents::object,
    api::Api,
    kinds::{PV, PVC, VRG},
};
use serde_json::json;

use super::stage::{APP, Stage};

const OWNER: &str = "volumereplicationgroups.ramendr.openshift.io";

#[test]
fn claims_and_volumes_bear_the_marks_of_an_existing_installation() {
    let stage = Stage::protected(2);
    let claim = stage.get("c1", &PVC, "data-0");
    assert_eq!(
        claim["metadata"]["finalizers"],
        json!(["kubernetes.io/pvc-protection", format!("{OWNER}/pvc-vr-protection")])
    );
    assert_eq!(object::label(&claim, "ramendr.openshift.io/owner-name"), APP);
    assert_eq!(object::label(&claim, "ramendr.openshift.io/owner-namespace-name"), APP);
    let note =
        |object: &serde_json::Value, name: &str| object["metadata"]["annotations"][format!("{OWNER}/{name}")].clone();
    assert_eq!(note(&claim, "vr-protected"), "protected");
    assert_eq!(note(&claim, "vr-archived").as_str().unwrap().len(), 64);
    let volume = stage.get("c1", &PV, &stage.volume_of("c1", "data-0"));
    assert_eq!(volume["spec"]["persistentVolumeReclaimPolicy"], "Retain");
    assert_eq!(note(&volume, "vr-retained"), "retained");
    assert_eq!(note(&volume, "vr-archived"), "archiveV1-0");
}

#[test]
fn replications_and_status_look_like_an_existing_installations() {
    let mut stage = Stage::protected(2);
    let vr = stage.get("c1", &ramen_sim::kinds::VOLUME_REPLICATION, "data-0");
    assert_eq!(
        vr["spec"],
        json!({ "autoResync": false, "dataSource": { "apiGroup": "", "kind": "PersistentVolumeClaim", "name": "data-0" },
            "replicationHandle": "", "replicationState": "primary", "volumeReplicationClass": "vrc-1m" })
    );
    assert_eq!(vr["metadata"]["ownerReferences"][0]["kind"], "VolumeReplicationGroup");
    stage.pass(Duration::from_secs(40));
    let vrg = stage.vrg("c1").unwrap();
    let said: Vec<String> = object::list(&vrg, "/status/conditions")
        .iter()
        .map(|c| format!("{} {} {}", c["type"], c["status"], c["reason"]).replace('"', ""))
        .collect();
    assert_eq!(
        said,
        [
            "DataReady True Ready",
            "DataProtected False Replicating",
            "ClusterDataReady True Restored",
            "KubeObjectsReady True KubeObjectsRestored",
            "ClusterDataProtected True Uploaded",
            "AutoCleanup False Unused",
            "NoClusterDataConflict True NoConflictDetected",
            "HooksReady Unknown Initializing",
        ]
    );
    let entry = &vrg["status"]["protectedPVCs"][1];
    assert_eq!(
        (&entry["name"], &entry["csiProvisioner"], &entry["replicationID"], &entry["storageID"]),
        (&json!("data-1"), &json!("lab.rbd.csi"), &json!({ "id": "rid-1" }), &json!({ "id": "sid-c1" }))
    );
    assert_eq!(entry["conditions"][1]["type"], "ClusterDataProtected");
    assert!(entry["lastSyncTime"].is_string() && vrg["status"]["lastGroupSyncTime"].is_string());
    assert_eq!(vrg["status"]["kubeObjectProtection"], json!({}));
}

#[test]
fn both_stores_hold_volumes_claims_and_the_vrg() {
    let stage = Stage::protected(2);
    let volumes = ["data-0", "data-1"].map(|claim| stage.volume_of("c1", claim));
    let mut wanted = vec![
        format!("{APP}/{APP}/v1.PersistentVolumeClaim/{APP}/data-0"),
        format!("{APP}/{APP}/v1.PersistentVolumeClaim/{APP}/data-1"),
        format!("{APP}/{APP}/v1alpha1.VolumeReplicationGroup/a"),
    ];
    wanted.extend(volumes.iter().map(|volume| format!("{APP}/{APP}/v1.PersistentVolume/{volume}")));
    wanted.sort();
    assert_eq!(stage.keys("s3-c1"), wanted);
    assert_eq!(stage.keys("s3-c2"), wanted);
    let stores = stage.stores.lock().unwrap();
    let copy = &stores["s3-c2"].objects[&format!("{APP}/{APP}/v1alpha1.VolumeReplicationGroup/a")];
    assert_eq!(copy["status"]["state"], "Primary", "the copy is the one that a recovery wants to read");
    let claim = &stores["s3-c2"].objects[&format!("{APP}/{APP}/v1.PersistentVolumeClaim/{APP}/data-0")];
    assert_eq!(claim["status"]["phase"], "Bound");
}

#[test]
fn protection_of_two_claims_costs_few_requests_and_idling_hardly_any() {
    let mut stage = Stage::new(2);
    let before = stage.shell("c1").requests.len();
    stage.ask("c1", "primary", "");
    stage.until(20, "protection", |stage| stage.is_protected("c1"));
    let requests = stage.requests("c1", before);
    assert!(requests.len() <= 16, "{requests:#?}");
    stage.pass(Duration::from_secs(60));
    let before = stage.shell("c1").requests.len();
    stage.pass(Duration::from_secs(300));
    let idle = stage.requests("c1", before);
    assert!(idle.len() <= 11, "{idle:#?}");
}

#[test]
fn nothing_is_recorded_while_nothing_but_time_passes() {
    let mut stage = Stage::protected(1);
    stage.pass(Duration::from_secs(5));
    let records = stage.shell("c2").records.len();
    stage.pass(Duration::from_secs(600));
    assert_eq!(stage.shell("c2").records.len(), records, "{:?}", stage.shell("c2").facts_since(records));
}

#[test]
fn a_store_that_is_down_holds_up_neither_the_other_store_nor_the_volumes() {
    let mut stage = Stage::new(2);
    stage.set_store("s3-c1", |store| store.down = true);
    stage.ask("c1", "primary", "");
    stage.until(20, "volumes to be primary", |stage| stage.state("c1") == "Primary");
    stage.until(20, "the other store to be served", |stage| stage.keys("s3-c2").len() == 5);
    assert_eq!(stage.condition("c1", "ClusterDataProtected"), "False/UploadError");
    let message = stage.message("c1", "ClusterDataProtected");
    assert!(message.contains("s3-c1") && !message.contains("s3-c2"), "{message}");
    stage.set_store("s3-c1", |store| store.down = false);
    stage.until(60, "the store to catch up", |stage| stage.is_protected("c1"));
    assert_eq!(stage.keys("s3-c1"), stage.keys("s3-c2"));
}

#[test]
fn a_changed_claim_is_stored_again() {
    let mut stage = Stage::protected(1);
    stage.patch("c1", &PVC, "data-0", &json!({ "metadata": { "labels": { "tier": "gold" } } }));
    stage.pass(Duration::from_secs(5));
    let stores = stage.stores.lock().unwrap();
    for profile in ["s3-c1", "s3-c2"] {
        let claim = &stores[profile].objects[&format!("{APP}/{APP}/v1.PersistentVolumeClaim/{APP}/data-0")];
        assert_eq!(claim["metadata"]["labels"]["tier"], "gold", "{profile}");
    }
}

#[test]
fn a_restart_repeats_nothing_and_a_lost_log_only_asks_and_stores_again() {
    let mut stage = Stage::protected(2);
    stage.pass(Duration::from_secs(40));
    let before = stage.shell("c1").requests.len();
    stage.shells.get_mut("c1").unwrap().crash();
    stage.pass(Duration::from_secs(2));
    assert_eq!(stage.requests("c1", before), [] as [&str; 0]);
    stage.shells.get_mut("c1").unwrap().lose_log();
    stage.pass(Duration::from_secs(20));
    assert!(stage.is_protected("c1"));
    let after: Vec<&String> = stage.requests("c1", before).iter().filter(|r| !r.starts_with("patch status")).collect();
    assert!(after.is_empty(), "{after:?}");
}

#[test]
fn a_deselected_claim_loses_protection_and_copies_and_a_reselected_one_gets_them_back() {
    let mut stage = Stage::protected(2);
    let volume = stage.volume_of("c1", "data-1");
    stage.patch("c1", &PVC, "data-1", &json!({ "metadata": { "labels": { "app": "other" } } }));
    stage.until(30, "data-1 to be released", |stage| {
        let claim = stage.get("c1", &PVC, "data-1");
        claim["metadata"]["finalizers"] == json!(["kubernetes.io/pvc-protection"])
    });
    stage.pass(Duration::from_secs(5));
    assert!(!stage.exists("c1", &ramen_sim::kinds::VOLUME_REPLICATION, "data-1"));
    assert_eq!(stage.get("c1", &PV, &volume)["spec"]["persistentVolumeReclaimPolicy"], "Delete");
    assert!(
        !stage
            .keys("s3-c1")
            .iter()
            .chain(&stage.keys("s3-c2"))
            .any(|key| key.contains("data-1") || key.contains(&volume))
    );
    assert_eq!(stage.vrg("c1").unwrap()["status"]["protectedPVCs"].as_array().unwrap().len(), 1);
    assert!(stage.is_protected("c1"));
    stage.patch("c1", &PVC, "data-1", &json!({ "metadata": { "labels": { "app": APP } } }));
    stage.until(30, "data-1 to be protected again", |stage| stage.keys("s3-c1").len() == 5 && stage.is_protected("c1"));
}

#[test]
fn a_finalizer_or_replication_that_somebody_removed_comes_back() {
    let mut stage = Stage::protected(1);
    stage.patch("c1", &PVC, "data-0", &json!({ "metadata": { "finalizers": ["kubernetes.io/pvc-protection"] } }));
    let vr = ramen_sim::kinds::VOLUME_REPLICATION;
    stage.clusters["c1"].delete(&vr, Some(APP), "data-0", None).unwrap();
    stage.until(20, "both to be back", |stage| {
        stage.exists("c1", &vr, "data-0")
            && stage.get("c1", &PVC, "data-0")["metadata"]["finalizers"].as_array().unwrap().len() == 2
            && stage.is_protected("c1")
    });
}

#[test]
fn an_edit_of_the_spec_restores_nothing_and_says_so_for_the_new_generation() {
    let mut stage = Stage::protected(1);
    stage.ask_with("c1", json!({ "pvcSelector": { "matchLabels": { "app": APP }, "matchExpressions": [] } }));
    stage.ask_with("c1", json!({ "prepareForFinalSync": true }));
    stage.settle();
    assert_eq!(stage.state("c1"), "Primary");
    let vrg = stage.vrg("c1").unwrap();
    assert_eq!(vrg["status"]["prepareForFinalSyncComplete"], true);
    stage.ask_with("c1", json!({ "prepareForFinalSync": null, "runFinalSync": true }));
    stage.settle();
    let vrg = stage.vrg("c1").unwrap();
    assert_eq!(
        (&vrg["status"]["prepareForFinalSyncComplete"], &vrg["status"]["finalSyncComplete"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(stage.clusters["c1"].get(&VRG, Some(APP), APP).unwrap()["status"]["state"], "Primary");
    assert_eq!(stage.shell("c1").commands().iter().filter(|name| **name == "FetchStored").count(), 2);
}
