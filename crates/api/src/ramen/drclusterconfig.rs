//! DRClusterConfig: what a managed cluster offers for DR, found out on the cluster and read by the hub.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::absent_spec::absent_spec_is_default;
use crate::schema;

/// What the hub tells a cluster.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "DRClusterConfig",
    root = "DrClusterConfig",
    plural = "drclusterconfigs",
    status = "DrClusterConfigStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "What a managed cluster offers for disaster recovery. Written by the hub; exactly one per cluster.",
    crates(kube_core = "::kube_core")
)]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct DrClusterConfigSpec {
    /// The cluster's identity, as in its ClusterClaim.
    #[serde(rename = "clusterID")]
    #[schemars(extend("x-kubernetes-validations" = json!([schema::immutable("clusterID")])))]
    pub cluster_id: String,
    /// Intervals of the policies that list the cluster, for vendors who make classes for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replication_schedules: Vec<String>,
}

absent_spec_is_default!(DrClusterConfigSpec);

/// Names of the classes that are labelled for DR, and networks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DrClusterConfigStatus {
    /// `Processed` and `Reachable`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// Networks that take part in DR.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network_attachments: Vec<NetworkAttachment>,
    /// NetworkFenceClasses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network_fence_classes: Vec<String>,
    /// Address ranges from which the cluster's nodes reach their storage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub storage_access_details: Vec<StorageAccessDetail>,
    /// StorageClasses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub storage_classes: Vec<String>,
    /// VolumeGroupReplicationClasses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volume_group_replication_classes: Vec<String>,
    /// VolumeGroupSnapshotClasses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volume_group_snapshot_classes: Vec<String>,
    /// VolumeReplicationClasses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volume_replication_classes: Vec<String>,
    /// VolumeSnapshotClasses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volume_snapshot_classes: Vec<String>,
}

/// A NetworkAttachmentDefinition that is labelled for DR.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkAttachment {
    /// CNI plugin; `unknown` where its configuration does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cni_type: Option<String>,
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
}

/// From where nodes reach a driver's storage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageAccessDetail {
    /// Address ranges.
    pub cidrs: Vec<String>,
    /// The driver.
    pub storage_provisioner: String,
}
