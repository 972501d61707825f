//! The objects that the golden setting starts from.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ramen_api::ramen::wire::label;
use serde_json::{Value, json};

use super::{Classes, Store};
use crate::apps::{Application, node_name};
use crate::kinds;
use crate::storage::provisioner::DRIVER;

const PLACEMENT_LABEL: &str = "cluster.open-cluster-management.io/placement";

pub(super) fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

pub(super) fn node(cluster: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node_name(cluster), "labels": {"kubernetes.io/hostname": node_name(cluster)}},
        "spec": {},
        "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]},
    })
}

/// Labels by which the hub pairs the classes of two clusters.
fn class_labels(cluster: &str, classes: &Classes) -> Value {
    json!({
        (label::STORAGE_ID): format!("sid-{cluster}{}", classes.suffix),
        (label::REPLICATION_ID): classes.relation,
    })
}

pub(super) fn storage_class(cluster: &str, classes: &Classes, reclaim_policy: &str) -> Value {
    json!({
        "apiVersion": kinds::STORAGE_CLASS.api_version(),
        "kind": "StorageClass",
        "metadata": {"name": classes.storage, "labels": class_labels(cluster, classes)},
        "provisioner": DRIVER,
        "reclaimPolicy": reclaim_policy,
        "volumeBindingMode": "Immediate",
    })
}

pub(super) fn replication_class(cluster: &str, interval: &str, classes: &Classes) -> Value {
    json!({
        "apiVersion": kinds::VOLUME_REPLICATION_CLASS.api_version(),
        "kind": "VolumeReplicationClass",
        "metadata": {"name": classes.replication, "labels": class_labels(cluster, classes)},
        "spec": {"provisioner": DRIVER, "parameters": {"schedulingInterval": interval}},
    })
}

pub(super) fn cluster_claim(id: &str) -> Value {
    json!({
        "apiVersion": kinds::CLUSTER_CLAIM.api_version(),
        "kind": "ClusterClaim",
        "metadata": {"name": "id.k8s.io"},
        "spec": {"value": id},
    })
}

pub(super) fn secret(name: &str, namespace: &str, data: &BTreeMap<&str, &str>) -> Value {
    let data: BTreeMap<&str, String> = data.iter().map(|(key, value)| (*key, STANDARD.encode(value))).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "Opaque",
        "data": data,
    })
}

pub(super) fn config_map(name: &str, namespace: &str, config: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        // JSON is YAML.
        "data": {"ramen_manager_config.yaml": format!("{config:#}\n")},
    })
}

/// The configuration of the recording: no deployment automation, no secret distribution, no VolSync, no Velero.
pub(super) fn ramen_config(stores: &[Store], lease: &str, secret_namespace: &str) -> Value {
    let profiles: Vec<Value> = stores
        .iter()
        .map(|store| {
            json!({
                "s3ProfileName": store.profile,
                "s3Bucket": store.bucket,
                "s3CompatibleEndpoint": store.endpoint,
                "s3Region": "us-east-1",
                "s3SecretRef": {"name": store.profile, "namespace": secret_namespace},
            })
        })
        .collect();
    json!({
        "apiVersion": "ramendr.openshift.io/v1alpha1",
        "kind": "RamenConfig",
        "health": {"healthProbeBindAddress": "127.0.0.1:0"},
        "metrics": {"bindAddress": "127.0.0.1:0"},
        "leaderElection": {"leaderElect": true, "resourceName": lease},
        "maxConcurrentReconciles": 50,
        "drClusterOperator": {"deploymentAutomationEnabled": false, "s3SecretDistributionEnabled": false},
        "volSync": {"disabled": true},
        "kubeObjectProtection": {"disabled": true},
        "ramenOpsNamespace": "ramen-ops",
        "s3StoreProfiles": profiles,
    })
}

pub(super) fn dr_cluster(cluster: &str, profile: &str) -> Value {
    json!({
        "apiVersion": kinds::DR_CLUSTER.api_version(),
        "kind": "DRCluster",
        "metadata": {"name": cluster},
        "spec": {"s3ProfileName": profile},
    })
}

pub(super) fn dr_policy(name: &str, clusters: &[String], interval: &str) -> Value {
    json!({
        "apiVersion": kinds::DR_POLICY.api_version(),
        "kind": "DRPolicy",
        "metadata": {"name": name},
        "spec": {"drClusters": clusters, "schedulingInterval": interval},
    })
}

pub(super) fn application_set(application: &Application) -> Value {
    json!({
        "apiVersion": kinds::APPLICATION_SET.api_version(),
        "kind": "ApplicationSet",
        "metadata": {"name": application.name, "namespace": application.hub_namespace},
        "spec": {
            "generators": [{"clusterDecisionResource": {
                "configMapRef": "acm-placement",
                "labelSelector": {"matchLabels": {PLACEMENT_LABEL: application.placement}},
                "requeueAfterSeconds": 180,
            }}],
            "template": {
                "metadata": {"name": format!("{}-{{{{name}}}}", application.name)},
                "spec": {
                    "project": "default",
                    "destination": {"namespace": application.namespace(), "server": "{{server}}"},
                    "source": {"repoURL": "https://git.example.com/apps.git", "path": application.name},
                },
            },
        },
    })
}

pub(super) fn placement(application: &Application) -> Value {
    json!({
        "apiVersion": kinds::PLACEMENT.api_version(),
        "kind": "Placement",
        "metadata": {
            "name": application.placement,
            "namespace": application.hub_namespace,
            "annotations": {"cluster.open-cluster-management.io/experimental-scheduling-disable": "true"},
        },
        "spec": {"numberOfClusters": 1},
    })
}

pub(super) fn decision(application: &Application) -> Value {
    json!({
        "apiVersion": kinds::PLACEMENT_DECISION.api_version(),
        "kind": "PlacementDecision",
        "metadata": {
            "name": format!("{}-decision-1", application.placement),
            "namespace": application.hub_namespace,
            "labels": {PLACEMENT_LABEL: application.placement},
        },
    })
}

pub(super) fn drpc(application: &Application, policy: &str, preferred: &str) -> Value {
    json!({
        "apiVersion": kinds::DRPC.api_version(),
        "kind": "DRPlacementControl",
        "metadata": {
            "name": application.name,
            "namespace": application.hub_namespace,
            "labels": {"app": application.name},
        },
        "spec": {
            "drPolicyRef": {"apiVersion": kinds::DR_POLICY.api_version(), "kind": "DRPolicy", "name": policy},
            "placementRef": {
                "apiVersion": kinds::PLACEMENT.api_version(),
                "kind": "Placement",
                "name": application.placement,
                "namespace": application.hub_namespace,
            },
            "preferredCluster": preferred,
            "pvcSelector": {"matchLabels": {"app": application.name}},
        },
    })
}
