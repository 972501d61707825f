//! Objects of a real installation survive being read and written back: no field is lost or changed.
//!
//! `tests/data` holds objects as upstream and OCM's agents wrote them (the words of messages are cut).

#![allow(clippy::unwrap_used, reason = "a test's own functions")]

use std::path::Path;

use ramen_api::csi_addons::{CsiAddonsNode, NetworkFence, VolumeGroupReplication, VolumeReplication};
use ramen_api::ocm::{
    AppliedManifestWork, ManagedCluster, ManagedClusterView, ManifestWork, Placement, PlacementDecision, PlacementRule,
};
use ramen_api::ramen::wire::state::{Action, Phase, State};
use ramen_api::ramen::{DrCluster, DrClusterConfig, DrPlacementControl, DrPolicy, StoredVrg, VolumeReplicationGroup};
use ramen_api::snapshot::VolumeSnapshotClass;
use rstest::rstest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn recorded(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn again<T: Serialize + DeserializeOwned>(object: &Value) -> Value {
    serde_json::to_value(serde_json::from_value::<T>(object.clone()).unwrap()).unwrap()
}

/// What `before` says and `after` does not, by path; and the other way round.
fn differences(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let (x, y) = (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                differences(&format!("{path}.{key}"), x, y, found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (x, y)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{i}]"), x, y, found);
            }
        }
        _ if before == after => {}
        _ => found.push(format!("{path}: {before} became {after}")),
    }
}

#[rstest]
#[case::drpc("drpc.json", again::<DrPlacementControl>)]
#[case::drpolicy("drpolicy.json", again::<DrPolicy>)]
#[case::drcluster("drcluster.json", again::<DrCluster>)]
#[case::drclusterconfig("drclusterconfig.json", again::<DrClusterConfig>)]
#[case::vrg("vrg.json", again::<VolumeReplicationGroup>)]
#[case::stored_vrg("stored_vrg.json", again::<StoredVrg>)]
#[case::manifest_work("manifestwork.json", again::<ManifestWork>)]
#[case::view("managedclusterview.json", again::<ManagedClusterView>)]
#[case::placement("placement.json", again::<Placement>)]
#[case::decision("placementdecision.json", again::<PlacementDecision>)]
#[case::volume_replication("volumereplication.json", again::<VolumeReplication>)]
fn a_recorded_object_survives(#[case] file: &str, #[case] again: fn(&Value) -> Value) {
    let before = recorded(file);
    let mut found = Vec::new();
    differences("", &before, &again(&before), &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Puts a field that nobody knows into each object of the tree, but those of Kubernetes' own types and maps of texts.
fn with_unknown_fields(value: &Value) -> Value {
    const OPAQUE: [&str; 6] = ["metadata", "conditions", "parameters", "dataSource", "selector", "secret"];
    match value {
        Value::Object(fields) => {
            let mut out: serde_json::Map<_, _> = fields
                .iter()
                .map(|(k, v)| {
                    (k.clone(), if OPAQUE.contains(&k.as_str()) { v.clone() } else { with_unknown_fields(v) })
                })
                .collect();
            out.insert("fromTheFuture".to_owned(), json!({ "deep": [1, null, "x"] }));
            Value::Object(out)
        }
        Value::Array(items) => Value::Array(items.iter().map(with_unknown_fields).collect()),
        other => other.clone(),
    }
}

#[rstest]
#[case::manifest_work(again::<ManifestWork>, json!({ "spec": {
    "deleteOption": { "propagationPolicy": "Orphan" },
    "manifestConfigs": [{
        "resourceIdentifier": { "group": "g", "resource": "r", "name": "n", "namespace": "ns" },
        "feedbackRules": [{ "type": "JSONPaths", "jsonPaths": [{ "name": "a", "path": ".b" }] }],
        "feedbackScrapeType": "Watch",
        "updateStrategy": { "type": "ServerSideApply", "serverSideApply": { "force": true } },
    }],
    "workload": { "manifests": [{ "kind": "X" }] },
  }, "status": { "resourceStatus": {} } }))]
#[case::feedback(again::<ManifestWork>, json!({ "spec": {}, "status": { "resourceStatus": { "manifests": [{
    "conditions": [],
    "resourceMeta": { "ordinal": 0, "name": "a" },
    "statusFeedback": { "values": [{ "name": "a", "fieldValue": { "type": "JsonRaw", "jsonRaw": "{}" } }] },
  }] } } }))]
#[case::view(again::<ManagedClusterView>, json!({ "spec": { "scope": { "kind": "X" } }, "status": { "result": {} } }))]
#[case::placement(again::<Placement>, json!({ "spec": { "tolerations": [{ "key": "a" }] }, "status": { "x": 1 } }))]
#[case::rule(again::<PlacementRule>, json!({
    "spec": { "clusters": [{ "name": "c1" }] }, "status": { "decisions": [{ "clusterName": "c1" }] } }))]
#[case::decision(again::<PlacementDecision>, json!({
    "status": { "decisions": [{ "clusterName": "c1", "reason": "" }] } }))]
#[case::managed_cluster(again::<ManagedCluster>, json!({
    "spec": { "taints": [] }, "status": { "clusterClaims": [{ "name": "a", "value": "b" }] } }))]
#[case::applied(again::<AppliedManifestWork>, json!({
    "spec": { "hubHash": "h", "manifestWorkName": "w" },
    "status": { "appliedResources": [{ "group": "", "name": "n", "resource": "r" }] } }))]
#[case::volume_replication(again::<VolumeReplication>, json!({
    "spec": { "autoResync": false, "dataSource": { "kind": "PersistentVolumeClaim", "name": "a" },
              "replicationState": "primary", "volumeReplicationClass": "c" },
    "status": { "state": "Sideways" } }))]
#[case::group(again::<VolumeGroupReplication>, json!({
    "spec": { "autoResync": true, "replicationState": "secondary", "source": { "selector": {} },
              "volumeGroupReplicationClassName": "c", "volumeReplicationClassName": "d" } }))]
#[case::fence(again::<NetworkFence>, json!({
    "spec": { "cidrs": ["10.0.0.0/8"], "fenceState": "Fenced", "secret": { "name": "s" } } }))]
#[case::node(again::<CsiAddonsNode>, json!({
    "spec": { "driver": { "endpoint": "e", "name": "n", "nodeID": "i" } },
    "status": { "networkFenceClientStatus": [
        { "networkFenceClassName": "f", "ClientDetails": [{ "id": "1", "cidrs": ["10.0.0.0/8"] }] }] } }))]
#[case::snapshot_class(again::<VolumeSnapshotClass>, json!({ "driver": "d", "deletionPolicy": "Retain" }))]
fn unknown_fields_survive_at_every_level(#[case] again: fn(&Value) -> Value, #[case] known: Value) {
    let mut before = with_unknown_fields(&known);
    before["metadata"] = json!({ "name": "x" });
    let mut found = Vec::new();
    differences("", &before, &again(&before), &mut found);
    found.retain(|line| !line.ends_with("[] became null"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn words_are_read_as_what_they_mean() {
    let drpc: DrPlacementControl = serde_json::from_value(recorded("drpc.json")).unwrap();
    assert_eq!(drpc.spec.action, Some(Action::Relocate));
    assert!(drpc.status.unwrap().phase.is_some_and(|phase| !matches!(phase, Phase::Other(_))));
    let vrg: StoredVrg = serde_json::from_value(recorded("stored_vrg.json")).unwrap();
    assert!(matches!(vrg.status.unwrap().state, Some(State::Primary)));
}

#[test]
fn a_word_from_the_future_does_not_hide_the_object() {
    let mut object = recorded("drpc.json");
    object["spec"]["action"] = json!("Teleport");
    object["status"]["progression"] = json!("Dematerializing");
    let drpc: DrPlacementControl = serde_json::from_value(object.clone()).unwrap();
    assert_eq!(drpc.spec.action, Some(Action::Other("Teleport".to_owned())));
    assert_eq!(serde_json::to_value(&drpc).unwrap()["status"]["progression"], object["status"]["progression"]);
}

#[test]
fn an_object_without_spec_does_not_hide_the_others() {
    let list = json!([{ "metadata": { "name": "empty" } }, recorded("drpc.json")]);
    let drpcs: Vec<DrPlacementControl> = serde_json::from_value(list).unwrap();
    assert_eq!(drpcs[0].spec.placement_ref.name, None);
    assert!(drpcs[1].spec.placement_ref.name.is_some());
}

#[test]
fn a_wrong_spec_is_still_an_error() {
    let object = json!({ "metadata": {}, "spec": { "placementRef": 7 } });
    assert!(serde_json::from_value::<DrPlacementControl>(object).is_err());
}
