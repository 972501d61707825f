//! DRPlacementControl: one application under disaster recovery.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, Time};
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::kube_object_protection::KubeObjectProtectionSpec;
use super::static_ip::StaticIpResource;
use super::vol_sync::VolSyncSpec;
use super::vrg::PvcGroup;
use super::wire::state::{Action, Phase, Progression};
use crate::absent_spec::absent_spec_is_default;
use crate::schema;

/// What a user wants of an application.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "DRPlacementControl",
    root = "DrPlacementControl",
    plural = "drplacementcontrols",
    shortname = "drpc",
    namespaced,
    status = "DrPlacementControlStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "An application under disaster recovery: where it should run, and what to do about it.",
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "preferredCluster", type_ = "string", json_path = ".spec.preferredCluster"),
    printcolumn(name = "failoverCluster", type_ = "string", json_path = ".spec.failoverCluster"),
    printcolumn(name = "desiredState", type_ = "string", json_path = ".spec.action"),
    printcolumn(name = "currentState", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "progression", type_ = "string", json_path = ".status.progression", priority = 2),
    printcolumn(name = "start time", type_ = "string", json_path = ".status.actionStartTime", priority = 2),
    printcolumn(name = "duration", type_ = "string", json_path = ".status.actionDuration", priority = 2),
    printcolumn(name = "peer ready", type_ = "string", json_path = ".status.conditions[1].status", priority = 2),
    crates(kube_core = "::kube_core")
)]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct DrPlacementControlSpec {
    /// What to do: fail over to `failoverCluster` or relocate to `preferredCluster`; absent to deploy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// The policy under which the application is protected.
    #[schemars(schema_with = "schema::object_reference", extend(
        "x-kubernetes-validations" = json!([schema::immutable("drPolicyRef")]),
    ))]
    pub dr_policy_ref: ObjectReference,
    /// Makes a failover a test: the other cluster is brought up beside the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// The cluster to fail over to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover_cluster: Option<String>,
    /// What is captured of the application beside its volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_object_protection: Option<KubeObjectProtectionSpec>,
    /// The Placement or PlacementRule that says where the application runs.
    #[schemars(schema_with = "schema::object_reference", extend(
        "x-kubernetes-validations" = json!([schema::immutable("placementRef")]),
    ))]
    pub placement_ref: ObjectReference,
    /// The cluster that the application belongs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_cluster: Option<String>,
    /// The application's namespaces, where no GitOps tool manages it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protected_namespaces: Vec<String>,
    /// Selects the claims to protect.
    #[schemars(schema_with = "schema::label_selector", extend(
        "x-kubernetes-validations" = json!([schema::immutable("pvcSelector")]),
    ))]
    pub pvc_selector: LabelSelector,
    /// Whether SCC annotations of the namespaces are carried to the peer.
    #[serde(rename = "retainNamespaceSCCAcrossPeers", skip_serializing_if = "Option::is_none")]
    pub retain_namespace_scc_across_peers: Option<bool>,
    /// How VolSync's movers run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vol_sync_spec: Option<VolSyncSpec>,
}

absent_spec_is_default!(DrPlacementControlSpec);

/// How far the hub is with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DrPlacementControlStatus {
    /// How long the last action took, as in `1m3.5s`; absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_duration: Option<String>,
    /// When the last action began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_start_time: Option<Time>,
    /// `Available`, `PeerReady`, `Protected`, in this order, then others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// Bytes that the last synchronization of the group sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_group_sync_bytes: Option<i64>,
    /// How long the last synchronization of the group took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_group_sync_duration: Option<String>,
    /// Up to when all volumes are synchronized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_group_sync_time: Option<Time>,
    /// When the last capture of objects was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_kube_object_protection_time: Option<Time>,
    /// When this status was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Time>,
    /// The generation that the phase belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where the action stands, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The cluster that the application was first placed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_decision: Option<PreferredDecision>,
    /// The step that the action is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progression: Option<Progression>,
    /// What the VRG on the application's cluster reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_conditions: Option<VrgConditions>,
}

/// A placement decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreferredDecision {
    /// The cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_name: Option<String>,
    /// The cluster's namespace on the hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_namespace: Option<String>,
}

/// A VRG's conditions, and which VRG they are of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VrgConditions {
    /// The VRG's conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The VRG.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_meta: Option<VrgResourceMeta>,
}

/// Which VRG is reported, and what it protects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VrgResourceMeta {
    /// Its generation.
    pub generation: i64,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// VMs whose addresses are known.
    #[serde(rename = "protectedStaticIPVMs", default, skip_serializing_if = "Vec::is_empty")]
    pub protected_static_ip_vms: Vec<StaticIpResource>,
    /// Names of the claims.
    #[serde(rename = "protectedpvcs", default, skip_serializing_if = "Vec::is_empty")]
    pub protected_pvcs: Vec<String>,
    /// Claims that are replicated as one.
    #[serde(rename = "pvcgroups", default, skip_serializing_if = "Vec::is_empty")]
    pub pvc_groups: Vec<PvcGroup>,
    /// Its resource version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
}
