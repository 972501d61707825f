//! What VolSync's two ends are told.

use k8s_openapi::api::core::v1::{LocalObjectReference, PodSecurityContext};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::protected_pvc::ProtectedPvc;
use crate::schema;

/// VolSync's part of an application (spec drpc 4.6).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolSyncSpec {
    /// Whether VolSync must not be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// How the movers of single claims run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mover_config: Vec<MoverConfig>,
    /// The claims to receive, on a secondary.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rd_spec: Vec<ReplicationDestinationSpec>,
    /// The claims to send and where to, on a primary; only without Submariner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rs_spec: Vec<ReplicationSourceSpec>,
}

/// How the mover of one claim runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MoverConfig {
    /// The mover pod's security context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::pod_security_context")]
    pub mover_security_context: Option<PodSecurityContext>,
    /// The mover pod's service account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mover_service_account: Option<String>,
    /// The claim.
    #[schemars(length(min = 1))]
    pub pvc_name: String,
    /// The claim's namespace.
    #[schemars(length(min = 1))]
    pub pvc_namespace: String,
}

/// A claim to receive.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicationDestinationSpec {
    /// How its mover runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mover_config: Option<MoverConfig>,
    /// The claim.
    #[serde(rename = "protectedPVC", skip_serializing_if = "Option::is_none")]
    pub protected_pvc: Option<ProtectedPvc>,
}

/// A claim to send.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicationSourceSpec {
    /// How its mover runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mover_config: Option<MoverConfig>,
    /// The claim.
    #[serde(rename = "protectedPVC", skip_serializing_if = "Option::is_none")]
    pub protected_pvc: Option<ProtectedPvc>,
    /// Where to.
    #[serde(rename = "rsyncTLS", skip_serializing_if = "Option::is_none")]
    pub rsync_tls: Option<RsyncTls>,
}

/// A receiver that is ready, as a secondary reports it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicationDestinationInfo {
    /// The claim.
    #[serde(rename = "protectedPVC", skip_serializing_if = "Option::is_none")]
    pub protected_pvc: Option<ProtectedPvc>,
    /// Where it listens.
    #[serde(rename = "rsyncTLS", skip_serializing_if = "Option::is_none")]
    pub rsync_tls: Option<RsyncTls>,
}

/// The address of a receiver.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RsyncTls {
    /// Host name or address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Secret with the shared key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::local_reference")]
    pub tls_secret_ref: Option<LocalObjectReference>,
}
