//! Names and numbers that must not be mixed up.

use std::fmt;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which operator a log belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub enum Operator {
    /// The hub operator.
    Hub,
    /// The operator of one managed cluster.
    Spoke,
}

/// Name of a managed cluster, or `hub`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClusterName(pub String);

impl ClusterName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ClusterName {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Position of a record in its log; the first record has 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The position after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Counts the openings of a log: each process that writes to it has its own, higher than all before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// BLAKE3 digest that names a stored object's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct BlobId(pub [u8; 32]);

impl BlobId {
    /// Names these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({self})")
    }
}

impl Serialize for BlobId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return Err(serde::de::Error::custom("a blob id has 64 hex digits"));
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = text
                .get(2 * index..2 * index + 2)
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .ok_or_else(|| serde::de::Error::custom("a blob id has 64 hex digits"))?;
        }
        Ok(Self(bytes))
    }
}

/// Identity of a command: derived, so that a replay of the log derives the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(#[bincode(with_serde)] pub Uuid);

impl CommandId {
    /// Namespace of all command ids (an arbitrary constant of this project).
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f2c_9f0e_71c5_4d57_9d0b_5a6d_3c1b_8e21);

    /// The id of the command with these `bytes` (its stored form), wanted by `aggregate` because of record `cause`.
    pub fn derive(aggregate: &str, cause: Seq, bytes: &[u8]) -> Self {
        let mut name = Vec::with_capacity(aggregate.len() + 9 + bytes.len());
        name.extend_from_slice(aggregate.as_bytes());
        name.push(0);
        name.extend_from_slice(&cause.0.to_be_bytes());
        name.extend_from_slice(bytes);
        Self(Uuid::new_v5(&Self::NAMESPACE, &name))
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Identity of one DR action of one DRPC: what answers, clean-ups and flags are tied to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionId(pub String);

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Kinds of objects that the operators watch or ask for. The order is part of the stored form: append only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub enum Kind {
    /// DRPlacementControl
    Drpc,
    /// DRPolicy
    DrPolicy,
    /// DRCluster
    DrCluster,
    /// DRClusterConfig
    DrClusterConfig,
    /// VolumeReplicationGroup
    Vrg,
    /// MaintenanceMode
    MaintenanceMode,
    /// ReplicationGroupSource
    ReplicationGroupSource,
    /// ReplicationGroupDestination
    ReplicationGroupDestination,
    /// ProtectedVolumeReplicationGroupList
    ProtectedVrgList,
    /// OCM ManifestWork
    ManifestWork,
    /// OCM ManagedClusterView
    ManagedClusterView,
    /// OCM ManagedCluster
    ManagedCluster,
    /// OCM Placement
    Placement,
    /// OCM PlacementRule
    PlacementRule,
    /// OCM PlacementDecision
    PlacementDecision,
    /// OCM ClusterClaim
    ClusterClaim,
    /// csi-addons VolumeReplication
    VolumeReplication,
    /// csi-addons VolumeReplicationClass
    VolumeReplicationClass,
    /// csi-addons VolumeGroupReplication
    VolumeGroupReplication,
    /// csi-addons VolumeGroupReplicationClass
    VolumeGroupReplicationClass,
    /// csi-addons NetworkFenceClass
    NetworkFenceClass,
    /// csi-addons CSIAddonsNode
    CsiAddonsNode,
    /// VolumeSnapshotClass
    VolumeSnapshotClass,
    /// VolumeGroupSnapshotClass
    VolumeGroupSnapshotClass,
    /// Multus NetworkAttachmentDefinition
    NetworkAttachmentDefinition,
    /// StorageClass
    StorageClass,
    /// PersistentVolume
    PersistentVolume,
    /// PersistentVolumeClaim
    PersistentVolumeClaim,
    /// Pod
    Pod,
    /// VolumeAttachment
    VolumeAttachment,
    /// ConfigMap
    ConfigMap,
    /// Secret (only its name and a digest ever enter the log)
    Secret,
    /// Namespace
    Namespace,
    /// An S3 store, as reached from this operator
    Store,
    /// An object in an S3 store
    StoredObject,
    /// Argo CD ApplicationSet
    ApplicationSet,
}

/// One object of the world, as this operator sees it. Cluster-scoped kinds have an empty namespace; on the hub the
/// namespace of ManifestWorks and ManagedClusterViews is the managed cluster's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct ObjectId {
    /// What it is.
    pub kind: Kind,
    /// Its namespace, or empty.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectId {
    /// Names a namespaced object.
    pub fn new(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }

    /// Names a cluster-scoped object.
    pub fn cluster_scoped(kind: Kind, name: impl Into<String>) -> Self {
        Self::new(kind, "", name)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{:?} {}", self.kind, self.name)
        } else {
            write!(f, "{:?} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}
