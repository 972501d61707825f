//! ProtectedVolumeReplicationGroupList: asks once which VRGs have copies in a store.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::vrg::{VolumeReplicationGroupSpec, VolumeReplicationGroupStatus};
use crate::absent_spec::absent_spec_is_default;
use crate::schema;

/// Which store is asked.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "ProtectedVolumeReplicationGroupList",
    plural = "protectedvolumereplicationgrouplists",
    status = "ProtectedVolumeReplicationGroupListStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "The VRGs that have copies in a store, as of one moment. Clear the status to ask again.",
    crates(kube_core = "::kube_core")
)]
#[serde(rename_all = "camelCase", remote = "Self")]
pub struct ProtectedVolumeReplicationGroupListSpec {
    /// The store, by its name in the operator's configuration.
    pub s3_profile_name: String,
}

absent_spec_is_default!(ProtectedVolumeReplicationGroupListSpec);

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProtectedVolumeReplicationGroupListStatus {
    /// The copies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<StoredVrg>,
    /// When the store was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_time: Option<Time>,
}

/// A VRG as it lies in a store: the type may be missing (spec s3 4.4), and metadata is reduced in lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredVrg {
    /// API version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Name, namespace, labels, annotations and finalizers.
    #[serde(default, skip_serializing_if = "is_empty")]
    #[schemars(schema_with = "schema::copied_metadata")]
    pub metadata: ObjectMeta,
    /// The VRG's spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<VolumeReplicationGroupSpec>,
    /// The VRG's status before it was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<VolumeReplicationGroupStatus>,
}

fn is_empty(metadata: &ObjectMeta) -> bool {
    *metadata == ObjectMeta::default()
}
