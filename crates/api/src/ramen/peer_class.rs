//! A storage class that exists on several clusters, and what relates its volumes there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One class and the relation between the clusters that offer it (spec hub 2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeerClass {
    /// Identities of the clusters, as in their ClusterClaim.
    #[serde(rename = "clusterIDs", default, skip_serializing_if = "Vec::is_empty")]
    pub cluster_ids: Vec<String>,
    /// Whether all applications on this storage share one replication group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global: Option<bool>,
    /// Whether volumes are replicated in groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouping: Option<bool>,
    /// Identity of the relation between groups.
    #[serde(rename = "groupreplicationID", skip_serializing_if = "Option::is_none")]
    pub group_replication_id: Option<String>,
    /// Whether something other than csi-addons replicates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offloaded: Option<bool>,
    /// Identity of the relation between volumes; absent where VolSync replicates.
    #[serde(rename = "replicationID", skip_serializing_if = "Option::is_none")]
    pub replication_id: Option<String>,
    /// Name of the StorageClass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class_name: Option<String>,
    /// Identities of the storage, in the order of the clusters; one where both clusters share it.
    #[serde(rename = "storageID", default, skip_serializing_if = "Vec::is_empty")]
    pub storage_id: Vec<String>,
}
