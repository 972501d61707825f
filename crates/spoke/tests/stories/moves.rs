//! Failover and relocation, as the two VRGs see them.

use std::time::Duration;

use ramen_sim::{
    api::Api,
    kinds::{PV, PVC, VOLUME_REPLICATION},
    storage::replication::Settings,
};
use rstest::rstest;
use serde_json::json;

use super::stage::{APP, Stage};

fn failed_over(settings: Settings) -> Stage {
    let mut stage = Stage::protected_with(2, settings);
    stage.pass(Duration::from_secs(90));
    stage.lose("c1");
    stage.pass(Duration::from_secs(5));
    stage.ask("c2", "primary", "Failover");
    stage.until(20, "c2 to be primary", |stage| stage.state("c2") == "Primary");
    stage.place(&["c2"]);
    stage.pass(Duration::from_secs(5));
    stage
}

#[test]
fn failover_restores_then_promotes_within_a_second_or_two_and_few_requests() {
    let mut stage = Stage::protected(2);
    stage.pass(Duration::from_secs(90));
    stage.lose("c1");
    stage.pass(Duration::from_secs(5));
    let before = stage.shell("c2").requests.len();
    stage.ask("c2", "primary", "Failover");
    let took = stage.until(20, "c2 to be protected", |stage| stage.is_protected("c2"));
    assert!(took < Duration::from_millis(2500), "{took:?}");
    let requests = stage.requests("c2", before);
    assert!(requests.len() <= 12, "{requests:#?}");
    let first = |word: &str| requests.iter().position(|request| request.contains(word)).unwrap();
    assert!(first("create PersistentVolume ") < first("create PersistentVolumeClaim"));
    assert!(first("create PersistentVolumeClaim") < first("apply VolumeReplication"));
    let claim = stage.get("c2", &PVC, "data-0");
    assert_eq!(claim["metadata"]["annotations"]["volumereplicationgroups.ramendr.openshift.io/ramen-restore"], "True");
    assert_eq!(stage.condition("c2", "ClusterDataReady"), "True/Restored");
    stage.place(&["c2"]);
    stage.until(10, "the application to run on c2", |stage| {
        stage.exists("c2", &ramen_sim::kinds::POD, APP)
            && stage.get("c2", &ramen_sim::kinds::POD, APP)["status"]["phase"] == "Running"
    });
}

#[rstest]
#[case::as_recorded(Settings::recorded())]
#[case::as_csi_addons(Settings::csi_addons())]
fn the_old_primary_demotes_releases_and_forgets_its_volumes(#[case] settings: Settings) {
    let mut stage = failed_over(settings);
    stage.bring_back("c1");
    stage.ask("c1", "secondary", "Failover");
    stage.until(180, "c1 to be secondary", |stage| {
        stage.state("c1") == "Secondary"
            && !stage.exists("c1", &VOLUME_REPLICATION, "data-0")
            && !stage.exists("c1", &PVC, "data-0")
    });
    assert!(!stage.exists("c1", &VOLUME_REPLICATION, "data-1"));
    assert_eq!(stage.condition("c1", "DataReady"), "True/Unused");
    assert!(stage.vrg("c1").unwrap()["status"]["protectedPVCs"].is_null());
    assert!(stage.is_protected("c2"));
}

#[test]
fn a_volume_is_not_demoted_under_a_running_pod() {
    let mut stage = Stage::protected(1);
    stage.ask("c1", "secondary", "Failover");
    stage.pass(Duration::from_secs(20));
    assert_eq!(stage.get("c1", &VOLUME_REPLICATION, "data-0")["spec"]["replicationState"], "primary");
    assert_eq!(stage.condition("c1", "DataReady"), "False/Progressing");
    assert!(stage.message("c1", "DataReady").contains("pod app-000"), "{}", stage.message("c1", "DataReady"));
    assert!(stage.shell("c1").waits(APP, APP).contains("data-0"));
    stage.place(&["c2"]);
    stage.until(30, "demotion", |stage| stage.state("c1") == "Secondary");
}

#[test]
fn a_relocation_waits_for_the_claim_to_be_deleted_and_loses_nothing() {
    let mut stage = Stage::protected(2);
    stage.pass(Duration::from_secs(70));
    stage.ask_with("c1", json!({ "action": "Relocate", "prepareForFinalSync": true }));
    stage.settle();
    stage.ask_with("c1", json!({ "prepareForFinalSync": null, "runFinalSync": true }));
    stage.settle();
    stage.place(&[]);
    stage.pass(Duration::from_secs(2));
    assert_eq!(stage.state("c1"), "Primary", "a final synchronization leaves deleted claims alone");
    let from = stage.shell("c1").requests.len();
    stage.ask_with("c1", json!({ "replicationState": "secondary", "runFinalSync": null }));
    let took = stage.until(60, "c1 to be secondary", |stage| stage.state("c1") == "Secondary");
    assert!(took < Duration::from_secs(4), "{took:?}");
    let source = stage.requests("c1", from);
    assert!(source.len() <= 10, "{source:#?}");
    assert!(!stage.exists("c1", &PVC, "data-0"));
    let from = stage.shell("c2").requests.len();
    stage.ask("c2", "primary", "Relocate");
    stage.until(20, "c2 to be protected", |stage| stage.is_protected("c2"));
    stage.place(&["c2"]);
    stage.pass(Duration::from_secs(3));
    let target = stage.requests("c2", from);
    assert!(target.len() <= 12, "{target:#?}");
    let storage = stage.storage.lock().unwrap();
    for handle in storage.handles() {
        assert_eq!(storage.lost(handle), 0, "{handle}");
    }
}

#[test]
fn a_relocation_does_not_demote_while_the_claim_stays() {
    let mut stage = Stage::protected(1);
    stage.clusters["c1"].delete(&ramen_sim::kinds::POD, Some(APP), APP, None).ok();
    stage.ask("c1", "secondary", "Relocate");
    stage.pass(Duration::from_secs(20));
    assert_eq!(stage.get("c1", &VOLUME_REPLICATION, "data-0")["spec"]["replicationState"], "primary");
    assert!(stage.message("c1", "DataReady").contains("the claim to be deleted"));
    assert_eq!(stage.state("c1"), "Unknown");
}

#[test]
fn back_and_forth_ends_where_it_began() {
    let mut stage = failed_over(Settings::recorded());
    stage.bring_back("c1");
    stage.ask("c1", "secondary", "Failover");
    stage.until(60, "c1 to be secondary", |stage| stage.state("c1") == "Secondary");
    stage.pass(Duration::from_secs(90));
    stage.ask_with("c2", json!({ "action": "Relocate", "runFinalSync": true }));
    stage.place(&[]);
    stage.pass(Duration::from_secs(1));
    stage.ask_with("c2", json!({ "replicationState": "secondary", "runFinalSync": null }));
    stage.until(60, "c2 to be secondary", |stage| stage.state("c2") == "Secondary");
    stage.ask("c1", "primary", "Relocate");
    stage.until(20, "c1 to be protected", |stage| stage.is_protected("c1"));
    let claim = stage.get("c1", &PVC, "data-0");
    let volume = stage.get("c1", &PV, claim["spec"]["volumeName"].as_str().unwrap());
    assert_eq!(volume["spec"]["claimRef"]["uid"], claim["metadata"]["uid"]);
    stage.place(&["c1"]);
    stage.pass(Duration::from_secs(3));
    assert_eq!(stage.get("c1", &ramen_sim::kinds::POD, APP)["status"]["phase"], "Running");
}

#[test]
fn a_replication_that_vanished_is_made_anew_as_secondary_instead_of_letting_the_volume_go() {
    let mut stage = Stage::protected(1);
    stage.place(&[]);
    stage.ask_with("c1", json!({ "runFinalSync": true, "action": "Relocate" }));
    stage.pass(Duration::from_secs(1));
    // Both at once: the replication is gone before it was ever asked to be secondary.
    stage.clusters["c1"].delete(&VOLUME_REPLICATION, Some(APP), "data-0", None).unwrap();
    stage.ask_with("c1", json!({ "replicationState": "secondary", "runFinalSync": null }));
    stage.settle();
    assert_eq!(stage.get("c1", &VOLUME_REPLICATION, "data-0")["spec"]["replicationState"], "secondary");
    assert!(stage.exists("c1", &PVC, "data-0"), "the claim is not let go without proof");
}

#[rstest]
#[case::its_vrg_becomes_secondary(false)]
#[case::its_vrg_is_deleted_as_well(true)]
fn a_volume_that_was_never_mirrored_is_kept_and_holds_nothing_up(#[case] deleted: bool) {
    let mut stage = Stage::protected(1);
    let volume = stage.volume_of("c1", "data-0");
    let handle = stage.get("c1", &PV, &volume)["spec"]["csi"]["volumeHandle"].as_str().unwrap().to_owned();
    let now = stage.now();
    stage.storage.lock().unwrap().disable("c1", &handle, now).unwrap();
    stage.ask("c1", "secondary", "Failover");
    stage.place(&[]);
    if deleted {
        stage.clusters["c1"].delete(&ramen_sim::kinds::VRG, Some(APP), APP, None).unwrap();
        stage.until(60, "the VRG to be gone", |stage| stage.vrg("c1").is_none());
    } else {
        stage.until(60, "c1 to be secondary", |stage| stage.state("c1") == "Secondary");
    }
    stage.until(30, "the claim to be gone", |stage| !stage.exists("c1", &PVC, "data-0"));
    stage.pass(Duration::from_secs(30));
    assert!(!stage.exists("c1", &VOLUME_REPLICATION, "data-0"));
    assert_eq!(stage.get("c1", &PV, &volume)["spec"]["persistentVolumeReclaimPolicy"], "Retain");
}

#[test]
fn failover_needs_only_one_store_and_says_which_one_did_not_answer() {
    let mut stage = Stage::protected(2);
    stage.pass(Duration::from_secs(70));
    stage.lose("c1");
    stage.set_store("s3-c1", |store| store.down = true);
    stage.ask("c2", "primary", "Failover");
    stage.until(20, "c2 to be primary", |stage| stage.state("c2") == "Primary");
    let message = stage.message("c2", "ClusterDataReady");
    assert!(message.contains("from S3 store s3-c2") && message.contains("s3-c1"), "{message}");
}

#[test]
fn failover_with_no_store_waits_and_promotes_nothing() {
    let mut stage = Stage::protected(1);
    stage.lose("c1");
    for profile in ["s3-c1", "s3-c2"] {
        stage.set_store(profile, |store| store.down = true);
    }
    stage.ask("c2", "primary", "Failover");
    stage.pass(Duration::from_secs(60));
    assert_eq!(stage.condition("c2", "ClusterDataReady"), "False/Error");
    assert!(!stage.exists("c2", &VOLUME_REPLICATION, "data-0"));
    stage.set_store("s3-c2", |store| store.down = false);
    stage.until(60, "c2 to be primary", |stage| stage.state("c2") == "Primary");
}

#[test]
fn an_emptied_store_and_an_unreachable_one_are_not_nothing_to_restore() {
    let mut stage = Stage::protected(1);
    stage.lose("c1");
    stage.set_store("s3-c1", |store| store.down = true);
    stage.set_store("s3-c2", |store| store.objects.clear());
    stage.ask("c2", "primary", "Failover");
    stage.pass(Duration::from_secs(30));
    assert_eq!(stage.condition("c2", "ClusterDataReady"), "False/Error");
    assert_eq!(stage.state("c2"), "Unknown");
    stage.set_store("s3-c1", |store| store.down = false);
    stage.until(60, "c2 to be primary", |stage| stage.state("c2") == "Primary");
}

#[test]
fn the_newer_of_two_sets_is_restored() {
    let mut stage = Stage::protected(1);
    stage.lose("c1");
    let old = stage.stores.lock().unwrap()["s3-c1"].objects.clone();
    stage.set_store("s3-c1", |store| {
        for (key, object) in &mut store.objects {
            if key.contains("PersistentVolumeClaim") {
                object["metadata"]["creationTimestamp"] = json!("2020-01-01T00:00:00Z");
                object["metadata"]["labels"]["home"] = json!("old");
            }
        }
    });
    assert!(!old.is_empty());
    stage.ask("c2", "primary", "Failover");
    stage.until(20, "c2 to be primary", |stage| stage.state("c2") == "Primary");
    assert!(stage.get("c2", &PVC, "data-0")["metadata"]["labels"]["home"].is_null());
}

#[test]
fn a_foreign_volume_in_the_way_is_reported_and_never_changed() {
    let mut stage = Stage::protected(1);
    let name = stage.volume_of("c1", "data-0");
    stage.lose("c1");
    let foreign = json!({ "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": name },
        "spec": { "capacity": { "storage": "1Gi" }, "accessModes": ["ReadWriteOnce"], "storageClassName": "lab-rbd",
            "persistentVolumeReclaimPolicy": "Retain", "csi": { "driver": "lab.rbd.csi", "volumeHandle": "another" } } });
    let foreign = stage.clusters["c2"].create(&PV, &foreign).unwrap();
    stage.ask("c2", "primary", "Failover");
    stage.pass(Duration::from_secs(20));
    assert_eq!(stage.condition("c2", "ClusterDataReady"), "False/Error");
    assert!(
        stage.message("c2", "ClusterDataReady").contains("volumeHandle"),
        "{}",
        stage.message("c2", "ClusterDataReady")
    );
    assert_eq!(stage.get("c2", &PV, &name)["spec"], foreign["spec"]);
    stage.clusters["c2"].delete(&PV, None, &name, None).unwrap();
    stage.until(40, "c2 to be primary", |stage| stage.state("c2") == "Primary");
}

#[test]
fn a_crash_at_any_moment_of_a_failover_changes_nothing_of_its_end() {
    for moment in 0..12 {
        let mut stage = Stage::protected(1);
        stage.lose("c1");
        stage.ask("c2", "primary", "Failover");
        stage.pass(Duration::from_millis(120 * moment));
        let shell = stage.shells.get_mut("c2").unwrap();
        if moment % 2 == 0 {
            shell.crash()
        } else {
            shell.lose_log()
        }
        stage.until(40, "c2 to be protected", |stage| stage.is_protected("c2"));
    }
}
