//! VolumeReplicationGroup: the volumes and objects of one application on one cluster.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, Time};
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kube_object_protection::{KubeObjectProtectionSpec, KubeObjectProtectionStatus};
use super::peer_class::PeerClass;
use super::protected_pvc::ProtectedPvc;
use super::static_ip::{StaticIpDiscovery, StaticIpTranslationSpec};
use super::vol_sync::{ReplicationDestinationInfo, VolSyncSpec};
use super::wire::state::{Action, ReplicationState, State};
use crate::absent_spec::absent_spec_is_default;
use crate::schema;

/// What the hub wants of the application on this cluster (spec drpc 3.1).
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "VolumeReplicationGroup",
    plural = "volumereplicationgroups",
    shortname = "vrg",
    namespaced,
    status = "VolumeReplicationGroupStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "The volumes and objects of one application on one cluster, and the role that they should have.",
    printcolumn(name = "desiredState", type_ = "string", json_path = ".spec.replicationState"),
    printcolumn(name = "currentState", type_ = "string", json_path = ".status.state"),
    crates(kube_core = "::kube_core")
)]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct VolumeReplicationGroupSpec {
    /// The DR action that the role belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Asynchronous replication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#async: Option<VrgAsyncSpec>,
    /// Whether this is a test beside the running application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// What is captured beside volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_object_protection: Option<KubeObjectProtectionSpec>,
    /// Relocation, first: prepare the last synchronization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepare_for_final_sync: Option<bool>,
    /// The application's namespaces, where they differ from the VRG's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protected_namespaces: Vec<String>,
    /// Selects the claims to protect.
    #[schemars(schema_with = "schema::label_selector")]
    pub pvc_selector: LabelSelector,
    /// The role: primary or secondary.
    pub replication_state: ReplicationState,
    /// Relocation, second: run the last synchronization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_final_sync: Option<bool>,
    /// The stores, by their names in the operators' configuration, in the order in which they are read.
    #[serde(rename = "s3Profiles")]
    pub s3_profiles: Vec<String>,
    /// Addresses that VMs should get when they are restored here.
    #[serde(rename = "staticIPTranslationSpec", skip_serializing_if = "Option::is_none")]
    pub static_ip_translation_spec: Option<StaticIpTranslationSpec>,
    /// Synchronous replication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<VrgSyncSpec>,
    /// VolSync's part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vol_sync: Option<VolSyncSpec>,
}

absent_spec_is_default!(VolumeReplicationGroupSpec);

/// Asynchronous replication, as the policy says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VrgAsyncSpec {
    /// Storage that can be replicated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peer_classes: Vec<PeerClass>,
    /// Selects the VolumeReplicationClasses to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub replication_class_selector: Option<LabelSelector>,
    /// How often volumes are synchronized: a number and m, h or d.
    #[schemars(regex(pattern = r"^\d+[mhd]$"))]
    pub scheduling_interval: String,
    /// Selects the VolumeGroupSnapshotClasses to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub volume_group_snapshot_class_selector: Option<LabelSelector>,
    /// Selects the VolumeSnapshotClasses to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub volume_snapshot_class_selector: Option<LabelSelector>,
}

/// Synchronous replication, as the policy says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VrgSyncSpec {
    /// Storage that is shared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peer_classes: Vec<PeerClass>,
}

/// How far the cluster is with it (spec vrg 7.1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolumeReplicationGroupStatus {
    /// The group's conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// Relocation: the last synchronization is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_sync_complete: Option<bool>,
    /// Captures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_object_protection: Option<KubeObjectProtectionStatus>,
    /// Bytes that the last synchronizations sent, summed up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_group_sync_bytes: Option<i64>,
    /// How long the longest of the last synchronizations took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_group_sync_duration: Option<String>,
    /// Up to when all volumes are synchronized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_group_sync_time: Option<Time>,
    /// When this status was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Time>,
    /// The generation that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Relocation: the last synchronization is prepared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepare_for_final_sync_complete: Option<bool>,
    /// The claims.
    #[serde(rename = "protectedPVCs", default, skip_serializing_if = "Vec::is_empty")]
    pub protected_pvcs: Vec<ProtectedPvc>,
    /// Claims that are replicated as one.
    #[serde(rename = "pvcgroups", default, skip_serializing_if = "Vec::is_empty")]
    pub pvc_groups: Vec<PvcGroup>,
    /// VolSync's receivers; only without Submariner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rd_info: Vec<ReplicationDestinationInfo>,
    /// The role that is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Addresses of VMs.
    #[serde(rename = "staticIPDiscovery", skip_serializing_if = "Option::is_none")]
    pub static_ip_discovery: Option<StaticIpDiscovery>,
}

/// Claims that are replicated as one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PvcGroup {
    /// Their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grouped: Vec<String>,
}
