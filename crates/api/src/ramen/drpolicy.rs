//! DRPolicy: which two clusters protect each other, and how often they are synchronized.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::peer_class::PeerClass;
use crate::absent_spec::absent_spec_is_default;
use crate::schema;

/// What a user says about a pair of clusters. All but the mapping and the group snapshot selector is fixed.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "DRPolicy",
    root = "DrPolicy",
    plural = "drpolicies",
    status = "DrPolicyStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A pair of clusters that protect each other's applications.",
    crates(kube_core = "::kube_core")
)]
#[serde(rename_all = "camelCase", remote = "Self")]
#[schemars(extend("x-kubernetes-validations" = json!([
    schema::presence_fixed("replicationClassSelector"),
    schema::presence_fixed("volumeSnapshotClassSelector"),
])))]
pub struct DrPolicySpec {
    /// The two DRClusters.
    #[schemars(extend("x-kubernetes-validations" = json!([
        { "rule": "size(self) == 2", "message": "drClusters must name two clusters" },
        schema::immutable("drClusters"),
    ])))]
    pub dr_clusters: Vec<String>,
    /// ConfigMap, in the namespace of a DRPlacementControl, that maps addresses of VMs between the clusters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::local_reference")]
    pub network_mapping_ref: Option<LocalObjectReference>,
    /// Selects the VolumeReplicationClasses to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector", extend(
        "default" = json!({}),
        "x-kubernetes-validations" = json!([schema::immutable("replicationClassSelector")]),
    ))]
    pub replication_class_selector: Option<LabelSelector>,
    /// How often volumes are synchronized: a number and m, h or d; empty for synchronous replication.
    #[schemars(regex(pattern = r"^(|\d+[mhd])$"), extend(
        "x-kubernetes-validations" = json!([schema::immutable("schedulingInterval")]),
    ))]
    pub scheduling_interval: String,
    /// Selects the VolumeGroupSnapshotClasses to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub volume_group_snapshot_class_selector: Option<LabelSelector>,
    /// Selects the VolumeSnapshotClasses to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector", extend(
        "default" = json!({}),
        "x-kubernetes-validations" = json!([schema::immutable("volumeSnapshotClassSelector")]),
    ))]
    pub volume_snapshot_class_selector: Option<LabelSelector>,
}

absent_spec_is_default!(DrPolicySpec);

/// What the hub found out about the pair.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DrPolicyStatus {
    /// Storage that can be replicated asynchronously.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#async: Option<PeerClasses>,
    /// `Validated`, and `NetworkAttachmentsValidated` where networks are mapped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// Networks that exist on both clusters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network_peers: Vec<NetworkPeer>,
    /// Storage that is replicated synchronously.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<PeerClasses>,
}

/// Storage classes that exist on both clusters and are related.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeerClasses {
    /// One entry per class and relation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peer_classes: Vec<PeerClass>,
}

/// A network that exists on both clusters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPeer {
    /// The network's CNI type by cluster.
    #[serde(rename = "clusterCNITypes", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cluster_cni_types: BTreeMap<String, String>,
    /// Name of the NetworkAttachmentDefinition.
    pub nad_name: String,
    /// Namespace of the NetworkAttachmentDefinition.
    pub nad_namespace: String,
}
