//! A claim under protection, as a VRG reports it and as VolSync's ends are told of it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::VolumeResourceRequirements;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wire::state::Mode;
use crate::schema;

/// One claim, and how its data is replicated (spec vrg 7.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProtectedPvc {
    /// The claim's access modes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access_modes: Vec<String>,
    /// The claim's annotations; under VolSync only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// `DataReady`, `DataProtected`, `ClusterDataProtected` and those of VolSync.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The claim's driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csi_provisioner: Option<String>,
    /// The claim's labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Bytes that the last synchronization sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_bytes: Option<i64>,
    /// How long the last synchronization took, as in `3.2s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_duration: Option<String>,
    /// When the last synchronization was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_time: Option<Time>,
    /// The claim's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The claim's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Whether VolSync replicates it rather than the storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected_by_vol_sync: Option<bool>,
    /// The replication relation, and what its storage wants to be asked before.
    #[serde(rename = "replicationID", skip_serializing_if = "Option::is_none")]
    pub replication_id: Option<StorageIdentity>,
    /// What the claim asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::volume_resources")]
    pub resources: Option<VolumeResourceRequirements>,
    /// The claim's StorageClass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class_name: Option<String>,
    /// The storage.
    #[serde(rename = "storageID", skip_serializing_if = "Option::is_none")]
    pub storage_id: Option<StorageIdentity>,
    /// The claim's volume mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_mode: Option<String>,
}

/// An identity that classes are labelled with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StorageIdentity {
    /// The label's value.
    pub id: String,
    /// What the storage wants to be asked before (label `maintenancemodes`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modes: Vec<Mode>,
}
