//! DRClusterConfig: what the cluster offers for DR.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Key;
use crate::{Condition, Kind};

/// A DRClusterConfig.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ClusterConfig {
    /// Its name: the cluster's.
    pub name: String,
    /// Its identity.
    pub uid: String,
    /// Counts changes of the spec.
    pub generation: i64,
    /// For patches that must not overwrite what others wrote.
    pub resource_version: String,
    /// Whether its deletion was asked for.
    pub deleting: bool,
    /// Its finalizers, in order.
    pub finalizers: Vec<String>,
    /// What was published last.
    pub status: Option<ClusterConfigStatus>,
}

/// What a cluster publishes. All lists are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ClusterConfigStatus {
    /// Conditions, in their order.
    pub conditions: Vec<Condition>,
    /// StorageClasses.
    pub storage_classes: Vec<String>,
    /// VolumeSnapshotClasses.
    pub snapshot_classes: Vec<String>,
    /// VolumeGroupSnapshotClasses.
    pub group_snapshot_classes: Vec<String>,
    /// VolumeReplicationClasses.
    pub replication_classes: Vec<String>,
    /// VolumeGroupReplicationClasses.
    pub group_replication_classes: Vec<String>,
    /// NetworkFenceClasses.
    pub fence_classes: Vec<String>,
    /// Networks through which storage is reached: provisioner and its CIDRs.
    pub access_details: Vec<(String, Vec<String>)>,
    /// Secondary networks: namespace, name and type.
    pub networks: Vec<(String, String, String)>,
}

/// A class of a kind of which only the name is published.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ListedClass {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Whether it carries the label (or annotation) that makes it part of DR.
    pub listed: bool,
    /// The CSI driver, for NetworkFenceClasses.
    pub provisioner: String,
}

/// A CSIAddonsNode: networks of one node's storage client, by NetworkFenceClass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct AccessNode {
    /// Namespace and name.
    pub key: Key,
    /// NetworkFenceClass and CIDRs.
    pub clients: Vec<(String, Vec<String>)>,
}

/// A secondary network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Network {
    /// Namespace and name.
    pub key: Key,
    /// Whether it takes part in DR.
    pub listed: bool,
    /// CNI type.
    pub cni_type: String,
}
