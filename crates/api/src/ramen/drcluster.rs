//! DRCluster: a managed cluster that takes part in DR.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::wire::state::{ClusterFence, DrClusterPhase, MaintenanceState};
use crate::absent_spec::absent_spec_is_default;
use crate::schema;

/// What a user says about a managed cluster of the same name.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "DRCluster",
    root = "DrCluster",
    plural = "drclusters",
    status = "DrClusterStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A managed cluster that takes part in disaster recovery; named like its ManagedCluster.",
    crates(kube_core = "::kube_core")
)]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct DrClusterSpec {
    /// Address ranges of the cluster's nodes, for fencing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cidrs: Vec<String>,
    /// Whether the cluster should be cut off from its storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_fence: Option<ClusterFence>,
    /// Clusters of one region share storage. Deprecated: storage ids tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = json!([schema::immutable("region")])))]
    pub region: Option<String>,
    /// The store, by its name in the operators' configuration, that keeps what this cluster's applications need to be
    /// recovered; `NoS3` for none.
    #[schemars(extend("x-kubernetes-validations" = json!([schema::immutable("s3ProfileName")])))]
    pub s3_profile_name: String,
}

absent_spec_is_default!(DrClusterSpec);

/// What the hub found out about the cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DrClusterStatus {
    /// `Fenced`, `Clean`, `Validated`, and `CIDRsValidated` where ranges are given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// Storage backends that were asked to prepare for a failover to this cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maintenance_modes: Vec<ClusterMaintenanceMode>,
    /// Whether the cluster is in use, fenced or between the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<DrClusterPhase>,
}

/// A MaintenanceMode of the cluster, as its storage answered it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterMaintenanceMode {
    /// The mode's own conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// How far the mode is.
    pub state: MaintenanceState,
    /// The driver that was asked.
    pub storage_provisioner: String,
    /// The replication relation that it was asked about.
    #[serde(rename = "targetID")]
    pub target_id: String,
}
