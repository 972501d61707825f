//! ReplicationGroupSource: sends the volumes of a consistency group from one group snapshot.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, Time};
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::vol_sync::ReplicationSourceSpec;
use crate::absent_spec::absent_spec_is_default;
use crate::schema;

/// VolSync's own pattern of schedules: five cron fields, or a word.
const SCHEDULE: &str =
    r"^(@(annually|yearly|monthly|weekly|daily|hourly))|((((\d+,)*\d+|(\d+(\/|-)\d+)|\*(\/\d+)?)\s?){5})$";

/// What is sent, and when.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "ReplicationGroupSource",
    plural = "replicationgroupsources",
    shortname = "rgs",
    namespaced,
    status = "ReplicationGroupSourceStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Sends the volumes of a consistency group, all as of one moment.",
    printcolumn(name = "Last sync", type_ = "string", json_path = ".status.lastSyncTime"),
    printcolumn(name = "Duration", type_ = "string", json_path = ".status.lastSyncDuration"),
    printcolumn(name = "Next sync", type_ = "string", json_path = ".status.nextSyncTime"),
    printcolumn(name = "Source", type_ = "string", json_path = ".spec.volumeGroupSnapshotSource"),
    printcolumn(name = "Last sync start", type_ = "string", json_path = ".status.lastSyncStartTime"),
    crates(kube_core = "::kube_core")
)]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct ReplicationGroupSourceSpec {
    /// The claims to send, and where to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rs_specs: Vec<ReplicationSourceSpec>,
    /// When to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<SyncTrigger>,
    /// How snapshots are taken.
    pub volume_group_snapshot_class_name: String,
    /// Selects the claims of the snapshot.
    #[schemars(schema_with = "schema::label_selector")]
    pub volume_group_snapshot_source: LabelSelector,
}

absent_spec_is_default!(ReplicationGroupSourceSpec);

/// When a synchronization begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SyncTrigger {
    /// A tag: one synchronization runs for each new value, and is then reported under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manual: Option<String>,
    /// A cron schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = SCHEDULE))]
    pub schedule: Option<String>,
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicationGroupSourceStatus {
    /// Conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The tag of the last synchronization that was asked for by tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_manual_sync: Option<String>,
    /// How long the last synchronization took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_duration: Option<String>,
    /// When the synchronization that runs was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_start_time: Option<Time>,
    /// When the last synchronization was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_time: Option<Time>,
    /// When the next one begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_sync_time: Option<Time>,
    /// VolSync's senders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::object_references")]
    pub replication_sources: Vec<ObjectReference>,
}
