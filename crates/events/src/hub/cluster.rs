//! DRCluster and ManagedCluster.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Condition, ConditionStatus, Json, hub::Meta};

/// A DRCluster as the API server has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct DrClusterFact {
    /// Metadata.
    pub meta: Meta,
    /// `spec.s3ProfileName`.
    pub profile: String,
    /// `spec.clusterFence`; empty when absent.
    pub fence: String,
    /// `spec.cidrs`.
    pub cidrs: Vec<String>,
    /// What was last reported; `None` before the first report.
    pub status: Option<DrClusterStatus>,
}

/// `status` of a DRCluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct DrClusterStatus {
    /// `phase`.
    pub phase: String,
    /// `conditions`.
    pub conditions: Vec<Condition>,
    /// `maintenanceModes`, verbatim; null when absent.
    pub maintenance_modes: Json,
}

/// What OCM knows of a cluster. Heartbeats are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ManagedClusterFact {
    /// Name of the cluster.
    pub name: String,
    /// Condition `ManagedClusterJoined` is True.
    pub joined: bool,
    /// Condition `ManagedClusterConditionAvailable`; `None` when it is not there.
    pub available: Option<ConditionStatus>,
    /// The claim `id.k8s.io`; empty when absent.
    pub id: String,
}
