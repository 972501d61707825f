//! DRPolicy.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{ClusterName, Condition, Json, hub::Meta};

/// A DRPolicy as the API server has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct PolicyFact {
    /// Metadata.
    pub meta: Meta,
    /// What is asked.
    pub spec: PolicySpec,
    /// What was last reported; `None` before the first report.
    pub status: Option<PolicyStatus>,
}

/// `spec` of a DRPolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct PolicySpec {
    /// `drClusters`.
    pub clusters: Vec<ClusterName>,
    /// `schedulingInterval`; empty means no asynchronous replication.
    pub interval: String,
    /// `replicationClassSelector`, verbatim.
    pub replication_class_selector: Json,
    /// `volumeSnapshotClassSelector`, verbatim.
    pub volume_snapshot_class_selector: Json,
    /// `volumeGroupSnapshotClassSelector`, verbatim; null when absent.
    pub volume_group_snapshot_class_selector: Json,
    /// `networkMappingRef.name`; empty when absent.
    pub network_mapping: String,
}

/// `status` of a DRPolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct PolicyStatus {
    /// `async.peerClasses`.
    pub asynchronous: Vec<PeerClass>,
    /// `sync.peerClasses`.
    pub synchronous: Vec<PeerClass>,
    /// `conditions`.
    pub conditions: Vec<Condition>,
}

/// One storage class that two clusters share, and how its volumes are replicated.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
pub struct PeerClass {
    /// `storageClassName`.
    pub storage_class: String,
    /// `clusterIDs`, in the order of the policy's clusters.
    pub cluster_ids: Vec<String>,
    /// `storageID`: one per cluster, or a single one that they share.
    pub storage_ids: Vec<String>,
    /// `replicationID`; empty when absent.
    pub replication_id: String,
    /// `groupreplicationID`; empty when absent.
    pub group_replication_id: String,
    /// `grouping`.
    pub grouping: bool,
    /// `offloaded`.
    pub offloaded: bool,
    /// `global`.
    pub global: bool,
}
