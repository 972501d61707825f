//! ReplicationGroupDestination: receives the volumes of a consistency group.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ObjectReference, TypedLocalObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, Time};
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::vol_sync::ReplicationDestinationSpec;
use crate::absent_spec::absent_spec_is_default;
use crate::schema;

/// What is received.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "ReplicationGroupDestination",
    plural = "replicationgroupdestinations",
    shortname = "rgd",
    namespaced,
    status = "ReplicationGroupDestinationStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Receives the volumes of a consistency group, and keeps the last set that is complete.",
    printcolumn(name = "Last sync", type_ = "string", json_path = ".status.lastSyncTime"),
    printcolumn(name = "Duration", type_ = "string", json_path = ".status.lastSyncDuration"),
    printcolumn(name = "Last sync start", type_ = "string", json_path = ".status.lastSyncStartTime"),
    crates(kube_core = "::kube_core")
)]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct ReplicationGroupDestinationSpec {
    /// Whether receiving is halted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// The claims to receive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rd_specs: Vec<ReplicationDestinationSpec>,
    /// Selects how snapshots are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub volume_snapshot_class_selector: Option<LabelSelector>,
}

absent_spec_is_default!(ReplicationGroupDestinationSpec);

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicationGroupDestinationStatus {
    /// Conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// How long the last synchronization took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_duration: Option<String>,
    /// When the synchronization that runs was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_start_time: Option<Time>,
    /// When the last synchronization was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_time: Option<Time>,
    /// Snapshots of the last complete set, by claim.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::typed_local_references")]
    pub latest_image: BTreeMap<String, TypedLocalObjectReference>,
    /// When the next one begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_sync_time: Option<Time>,
    /// VolSync's receivers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::object_references")]
    pub replication_destinations: Vec<ObjectReference>,
}
