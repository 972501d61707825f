//! Two primaries of one VRG: the later one owns the copies in the stores (spec vrg V1, VS8, VS12; decision 6).

use std::time::Duration;

use ramen_sim::{
    api::Api,
    kinds::{PVC, VOLUME_REPLICATION, VRG},
};
use rstest::rstest;
use serde_json::json;

use super::stage::{APP, Stage};

const STORES: [&str; 2] = ["s3-c1", "s3-c2"];

fn label(stage: &Stage, cluster: &str, value: &str) {
    stage.patch(cluster, &PVC, "data-0", &json!({ "metadata": { "labels": { "tier": value } } }));
}

fn tier(stage: &Stage, store: &str) -> String {
    let claim = stage.copy(store, "v1.PersistentVolumeClaim", &format!("{APP}/data-0"));
    claim["metadata"]["labels"]["tier"].as_str().unwrap_or_default().to_owned()
}

/// c1 was primary with an epoch, or without one, and is cut off from the hub and the other cluster, but not from the
/// stores; c2 took over.
fn taken_over(epochs: (u64, u64)) -> Stage {
    let mut stage = Stage::protected(1);
    if epochs.0 > 0 {
        stage.ask_in(epochs.0, "c1", "primary", "");
    }
    stage.pass(Duration::from_secs(70));
    stage.lose("c1");
    stage.ask_in(epochs.1, "c2", "primary", "Failover");
    stage.until(20, "c2 to be protected", |stage| stage.is_protected("c2"));
    label(&stage, "c2", "of c2");
    stage.until(20, "c2 to store its claim", |stage| STORES.iter().all(|store| tier(stage, store) == "of c2"));
    stage
}

#[rstest]
#[case::both_with_epochs((1, 2))]
#[case::the_first_one_from_before_epochs((0, 1))]
fn an_old_primary_that_comes_back_overwrites_nothing_and_says_why(#[case] epochs: (u64, u64)) {
    let mut stage = taken_over(epochs);
    let before: Vec<_> = STORES.map(|store| stage.stores.lock().unwrap()[store].objects.clone()).into();
    stage.bring_back("c1");
    label(&stage, "c1", "of c1");
    stage.until(20, "c1 to be refused", |stage| stage.condition("c1", "ClusterDataProtected") == "False/UploadError");
    stage.pass(Duration::from_secs(40));
    let after: Vec<_> = STORES.map(|store| stage.stores.lock().unwrap()[store].objects.clone()).into();
    assert_eq!(before, after, "VS12");
    let message = stage.message("c1", "ClusterDataProtected");
    for words in ["s3-c1", "s3-c2", "cluster c2", "epoch", "make it secondary", "delete object app-000/app-000/v1"] {
        assert!(message.contains(words), "no {words:?} in: {message}");
    }
    assert_eq!(stage.fence("s3-c1"), Some((epochs.1, "c2".to_owned())));
    assert!(stage.is_protected("c2"), "{}", stage.message("c2", "ClusterDataProtected"));
}

#[test]
fn a_claim_that_is_deleted_on_the_old_primary_keeps_the_successors_copies() {
    let mut stage = taken_over((1, 2));
    stage.bring_back("c1");
    stage.place(&["c2"]);
    stage.clusters["c1"].delete(&PVC, Some(APP), "data-0", None).unwrap();
    stage.pass(Duration::from_secs(40));
    assert_eq!(STORES.map(|store| tier(&stage, store)), ["of c2", "of c2"], "V31");
    assert!(stage.exists("c1", &VOLUME_REPLICATION, "data-0"), "its volume waits for the hub's order");
    stage.ask_in(3, "c1", "secondary", "Failover");
    stage.until(60, "c1 to be secondary", |stage| stage.state("c1") == "Secondary");
}

#[test]
fn deleting_the_old_primary_leaves_the_successors_copies_and_ends() {
    let mut stage = taken_over((1, 2));
    let copies = stage.copies("s3-c2");
    stage.bring_back("c1");
    stage.clusters["c1"].delete(&VRG, Some(APP), APP, None).unwrap();
    stage.until(30, "the VRG to be gone", |stage| stage.vrg("c1").is_none());
    assert_eq!(STORES.map(|store| stage.copies(store)), [copies.clone(), copies]);
    assert_eq!(stage.fence("s3-c2"), Some((2, "c2".to_owned())));
}

#[test]
fn deleting_the_present_primary_leaves_nothing() {
    let mut stage = taken_over((1, 2));
    stage.clusters["c2"].delete(&VRG, Some(APP), APP, None).unwrap();
    stage.until(30, "the VRG to be gone", |stage| stage.vrg("c2").is_none());
    assert_eq!(STORES.map(|store| stage.keys(store)), [[] as [&str; 0]; 2]);
}

#[test]
fn a_store_that_is_down_during_the_move_is_taken_when_it_is_back() {
    let mut stage = Stage::protected(1);
    stage.ask_in(1, "c1", "primary", "");
    stage.pass(Duration::from_secs(70));
    stage.lose("c1");
    stage.set_store("s3-c1", |store| store.down = true);
    stage.ask_in(2, "c2", "primary", "Failover");
    stage.until(20, "the other store to be served", |stage| stage.fence("s3-c2") == Some((2, "c2".to_owned())));
    assert_eq!(stage.fence("s3-c1"), Some((1, "c1".to_owned())));
    stage.set_store("s3-c1", |store| store.down = false);
    stage.until(60, "c2 to be protected", |stage| stage.is_protected("c2"));
    assert_eq!(stage.fence("s3-c1"), Some((2, "c2".to_owned())));
}

#[test]
fn without_epochs_nothing_lies_in_the_stores_but_copies() {
    let mut stage = Stage::protected(1);
    stage.lose("c1");
    stage.ask("c2", "primary", "Failover");
    stage.until(20, "c2 to be protected", |stage| stage.is_protected("c2"));
    assert_eq!(STORES.map(|store| stage.fence(store)), [None, None]);
}

#[test]
fn a_hub_that_gives_no_epochs_any_more_does_not_lock_the_present_primary_out() {
    let mut stage = taken_over((1, 2));
    let forget =
        json!({ "metadata": { "annotations": { "drplacementcontrol.ramendr.openshift.io/store-epoch": null } } });
    stage.patch("c2", &VRG, APP, &forget);
    label(&stage, "c2", "of c2, later");
    stage.until(20, "c2 to store it", |stage| STORES.iter().all(|store| tier(stage, store) == "of c2, later"));
    assert!(stage.is_protected("c2"));
}

#[test]
fn a_primary_that_is_called_back_with_a_higher_epoch_stores_everything_again() {
    let mut stage = taken_over((1, 2));
    stage.bring_back("c1");
    stage.ask_in(4, "c2", "secondary", "Failover");
    stage.ask_in(3, "c1", "primary", "");
    stage.until(20, "c1's copies to be back", |stage| STORES.iter().all(|store| tier(stage, store).is_empty()));
    stage.until(20, "c1 to be protected", |stage| stage.is_protected("c1"));
    assert_eq!(STORES.map(|store| stage.fence(store)), [Some((3, "c1".to_owned())), Some((3, "c1".to_owned()))]);
}

#[test]
fn a_write_that_the_old_primary_had_under_way_is_stored_over_without_a_word() {
    let mut stage = taken_over((1, 2));
    stage.set_store("s3-c1", |store| {
        let key = format!("{APP}/{APP}/v1.PersistentVolumeClaim/{APP}/data-0");
        store.objects.get_mut(&key).unwrap()["metadata"]["labels"]["tier"] = json!("of c1");
    });
    let words = stage.shell("c2").requests.len();
    stage.pass(Duration::from_secs(70));
    assert_eq!(tier(&stage, "s3-c1"), "of c2");
    let told = stage.requests("c2", words).iter().filter(|request| request.contains("event")).count();
    assert_eq!((told, stage.is_protected("c2")), (0, true));
    let writes = |stage: &Stage| STORES.map(|store| stage.stores.lock().unwrap()[store].fenced);
    let before = writes(&stage);
    stage.pass(Duration::from_secs(600));
    assert_eq!(writes(&stage), before, "once");
}

#[test]
fn what_was_under_way_to_a_store_that_was_out_for_long_is_stored_over_when_it_is_back() {
    let mut stage = Stage::protected(1);
    stage.ask_in(1, "c1", "primary", "");
    stage.pass(Duration::from_secs(70));
    stage.lose("c1");
    stage.set_store("s3-c1", |store| store.down = true);
    stage.ask_in(2, "c2", "primary", "Failover");
    stage.until(60, "c2 to be primary", |stage| stage.state("c2") == "Primary");
    label(&stage, "c2", "of c2");
    stage.pass(Duration::from_secs(200));
    stage.set_store("s3-c1", |store| store.down = false);
    stage.until(60, "c2 to store its claim", |stage| STORES.iter().all(|store| tier(stage, store) == "of c2"));
    stage.set_store("s3-c1", |store| {
        let key = format!("{APP}/{APP}/v1.PersistentVolumeClaim/{APP}/data-0");
        store.objects.get_mut(&key).unwrap()["metadata"]["labels"]["tier"] = json!("of c1");
    });
    stage.until(120, "c2 to store it once more", |stage| tier(stage, "s3-c1") == "of c2");
    let writes = |stage: &Stage| STORES.map(|store| stage.stores.lock().unwrap()[store].fenced);
    stage.pass(Duration::from_secs(120));
    let before = writes(&stage);
    stage.pass(Duration::from_secs(600));
    assert_eq!(writes(&stage), before, "once");
}

#[test]
fn the_set_of_the_higher_epoch_is_restored_whatever_the_times_in_it() {
    let mut stage = taken_over((1, 2));
    stage.bring_back("c1");
    stage.ask_in(3, "c1", "secondary", "Failover");
    stage.place(&["c2"]);
    stage.until(120, "c1 to be secondary", |stage| {
        stage.state("c1") == "Secondary" && !stage.exists("c1", &PVC, "data-0")
    });
    stage.pass(Duration::from_secs(70));
    stage.lose("c2");
    stage.set_store("s3-c2", |store| {
        let fence = format!("{APP}/{APP}/v1alpha1.StoreFence/a");
        store.objects.get_mut(&fence).unwrap()["epoch"] = json!(1);
        for (key, object) in &mut store.objects {
            if key.contains("PersistentVolumeClaim") {
                object["metadata"]["creationTimestamp"] = json!("2040-01-01T00:00:00Z");
                object["metadata"]["labels"]["tier"] = json!("of a wrong clock");
            }
            if key.ends_with("VolumeReplicationGroup/a") {
                object["metadata"]["annotations"]["drplacementcontrol.ramendr.openshift.io/store-epoch"] = json!("1");
            }
        }
    });
    stage.ask_in(3, "c1", "primary", "Failover");
    stage.until(60, "c1 to be primary", |stage| stage.state("c1") == "Primary");
    assert_eq!(stage.get("c1", &PVC, "data-0")["metadata"]["labels"]["tier"], "of c2");
}

#[test]
fn a_crash_forgets_no_fence() {
    for lose in [false, true] {
        let mut stage = taken_over((1, 2));
        stage.bring_back("c1");
        let shell = stage.shells.get_mut("c1").unwrap();
        if lose {
            shell.lose_log()
        } else {
            shell.crash()
        }
        label(&stage, "c1", "of c1");
        stage.pass(Duration::from_secs(40));
        assert_eq!(STORES.map(|store| tier(&stage, store)), ["of c2", "of c2"]);
    }
}
