//! MaintenanceMode: asks a storage backend to prepare for a failover, and carries its answer.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wire::state::{MaintenanceState, Mode};
use crate::absent_spec::absent_spec_is_default;
use crate::schema;

/// What is asked (spec s3 6).
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "MaintenanceMode",
    plural = "maintenancemodes",
    status = "MaintenanceModeStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A request to a storage backend to prepare for an action; answered by the vendor's controller.",
    crates(kube_core = "::kube_core")
)]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct MaintenanceModeSpec {
    /// What to prepare for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modes: Vec<Mode>,
    /// The driver that is asked.
    pub storage_provisioner: String,
    /// The replication relation that it is asked about.
    #[serde(rename = "targetID", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
}

absent_spec_is_default!(MaintenanceModeSpec);

/// What the storage answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceModeStatus {
    /// `FailoverActivated`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The generation that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<MaintenanceState>,
}
