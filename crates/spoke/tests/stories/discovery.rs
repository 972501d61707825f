//! DRClusterConfig publishes what the cluster offers; the operator sees to its ConfigMap.

use std::time::Duration;

use ramen_sim::{
    api::{Api, Resource},
    kinds::{CONFIG_MAP, STORAGE_CLASS},
};
use serde_json::{Value, json};

use super::stage::Stage;

const CONFIG: Resource = ramen_api::kinds::DR_CLUSTER_CONFIG;

fn configured() -> Stage {
    let mut stage = Stage::new(0);
    let config = json!({ "apiVersion": CONFIG.api_version(), "kind": CONFIG.kind, "metadata": { "name": "c1" },
        "spec": { "clusterID": "id-c1", "replicationSchedules": ["1m"] } });
    stage.clusters["c1"].create(&CONFIG, &config).unwrap();
    stage.pass(Duration::from_secs(1));
    stage
}

fn status(stage: &Stage) -> Value {
    stage.get("c1", &CONFIG, "c1")["status"].clone()
}

#[test]
fn classes_are_published_and_follow_their_labels() {
    let mut stage = configured();
    let told = status(&stage);
    assert_eq!(told["storageClasses"], json!(["lab-rbd"]));
    assert_eq!(told["volumeReplicationClasses"], json!(["vrc-1m"]));
    assert_eq!(told["conditions"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&told["conditions"][0]["type"], &told["conditions"][0]["reason"]),
        (&json!("Processed"), &json!("Succeeded"))
    );
    let finalizers = &stage.get("c1", &CONFIG, "c1")["metadata"]["finalizers"];
    assert_eq!(finalizers, &json!(["drclusterconfigs.ramendr.openshift.io/finalizer"]));
    let unlabel = json!({ "metadata": { "labels": { "ramendr.openshift.io/storageid": null } } });
    stage.patch("c1", &STORAGE_CLASS, "lab-rbd", &unlabel);
    stage.settle();
    assert!(status(&stage)["storageClasses"].is_null());
}

#[test]
fn the_same_offer_is_written_once() {
    let mut stage = configured();
    let before = stage.shell("c1").requests.len();
    assert!(before <= 2, "{:?}", stage.shell("c1").requests);
    stage.pass(Duration::from_secs(600));
    assert_eq!(stage.requests("c1", before), [] as [&str; 0]);
}

#[test]
fn a_second_config_is_reported_on_both() {
    let mut stage = configured();
    let second = json!({ "apiVersion": CONFIG.api_version(), "kind": CONFIG.kind, "metadata": { "name": "other" },
        "spec": { "clusterID": "id-other" } });
    stage.clusters["c1"].create(&CONFIG, &second).unwrap();
    stage.settle();
    for name in ["c1", "other"] {
        assert_eq!(stage.get("c1", &CONFIG, name)["status"]["conditions"][0]["reason"], "Failed", "{name}");
    }
    stage.clusters["c1"].delete(&CONFIG, None, "other", None).unwrap();
    stage.settle();
    assert_eq!(status(&stage)["conditions"][0]["reason"], "Succeeded");
}

#[test]
fn a_missing_config_map_is_made_with_the_defaults_and_an_existing_one_left_alone() {
    let mut stage = Stage::new(0);
    let (space, name) = (Some(ramen_sim::world::OPERATOR_NAMESPACE), "ramen-dr-cluster-operator-config");
    let before = stage.clusters["c1"].get(&CONFIG_MAP, space, name).unwrap();
    stage.pass(Duration::from_secs(60));
    assert_eq!(stage.clusters["c1"].get(&CONFIG_MAP, space, name).unwrap(), before);
    stage.clusters["c1"].delete(&CONFIG_MAP, space, name, None).unwrap();
    stage.settle();
    let made = stage.clusters["c1"].get(&CONFIG_MAP, space, name).unwrap();
    assert!(made["data"]["ramen_manager_config.yaml"].as_str().unwrap().contains("kind: RamenConfig"));
}
