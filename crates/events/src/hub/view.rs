//! ManagedClusterView: a copy on the hub of an object of a cluster.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    ClusterName, Json, Time,
    hub::{ObjectRef, VrgSeen},
};

/// A ManagedClusterView of ours as the API server has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ViewFact {
    /// The cluster: the view's namespace.
    pub cluster: ClusterName,
    /// Name.
    pub name: String,
    /// Identity.
    pub uid: String,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The DRPC that its annotations name.
    pub drpc: Option<ObjectRef>,
    /// Annotation that wakes the policies of the cluster is there.
    pub for_policies: bool,
    /// The DRCluster that its annotation names; empty when absent.
    pub dr_cluster: String,
    /// API group of the object that is viewed.
    pub scope_group: String,
    /// Kind of the object that is viewed.
    pub scope_kind: String,
    /// Name of the object that is viewed.
    pub scope_name: String,
    /// `spec.scope.updateIntervalSeconds`; 0 when absent.
    pub interval: i64,
    /// The freshness that was last asked for; empty when never.
    pub touched: String,
    /// What the agent answers.
    pub answer: ViewAnswer,
    /// Since when the answer is of this kind (found, or not): younger than the interval, the agent does not ask anew.
    pub flipped: Option<Time>,
}

/// What a view tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum ViewAnswer {
    /// Nothing yet.
    #[default]
    Silent,
    /// The object is not there.
    NotFound,
    /// The agent could not say; what it showed before may be out of date.
    Failed {
        /// One word.
        reason: String,
        /// The agent's words.
        message: String,
    },
    /// The object.
    Found(ViewedObject),
}

/// The objects that we view. The order is part of the stored form: append only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum ViewedObject {
    /// A VolumeReplicationGroup.
    Vrg(Box<VrgSeen>),
    /// A DRClusterConfig.
    ClusterConfig(ClusterConfigSeen),
    /// A storage, snapshot or replication class.
    Class(ClassSeen),
    /// Something else.
    Other,
    /// A MaintenanceMode.
    MaintenanceMode(Box<ModeSeen>),
}

/// A MaintenanceMode as a view shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ModeSeen {
    /// Generation.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The command of the hub that it carries; empty when absent.
    pub command: String,
    /// `spec.storageProvisioner`.
    pub provisioner: String,
    /// `spec.targetID`.
    pub target: String,
    /// `status.state`; empty when absent.
    pub state: String,
    /// `status.observedGeneration`; 0 when absent.
    pub observed_generation: i64,
    /// `status.conditions`, verbatim; null when absent.
    pub conditions: Json,
}

/// What a cluster offers for DR.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ClusterConfigSeen {
    /// `Processed` is True at the object's generation: the lists below are complete.
    pub processed: bool,
    /// The words of `Processed`.
    pub message: String,
    /// `storageClasses`.
    pub storage_classes: Vec<String>,
    /// `volumeSnapshotClasses`.
    pub snapshot_classes: Vec<String>,
    /// `volumeGroupSnapshotClasses`.
    pub group_snapshot_classes: Vec<String>,
    /// `volumeReplicationClasses`.
    pub replication_classes: Vec<String>,
    /// `volumeGroupReplicationClasses`.
    pub group_replication_classes: Vec<String>,
    /// `storageAccessDetails[].cidrs`, sorted, each once.
    pub cidrs: Vec<String>,
    /// Whether there are storage access details at all.
    pub has_access_details: bool,
}

/// A class of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ClassSeen {
    /// Its driver or provisioner.
    pub provisioner: String,
    /// Its labels of ours; of a replication class all: a policy selects by them.
    pub labels: BTreeMap<String, String>,
    /// Its parameters, verbatim; null when absent.
    pub parameters: Json,
}
