//! Facts and commands of the operator of a managed cluster.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Kind, ObjectId};

pub mod class;
pub mod cluster_config;
pub mod command;
pub mod config;
pub mod fence;
pub mod replication;
pub mod stored;
pub mod volume;
pub mod vrg;
pub mod workload;

pub use class::{ReplicationClass, StorageClass};
pub use cluster_config::{AccessNode, ClusterConfig, ClusterConfigStatus, ListedClass, Network};
pub use command::{Command, Notice};
pub use config::{Config, Profile, SecretSeen, Store};
pub use fence::Fence;
pub use replication::{Role, VolumeReplication};
pub use stored::{StoredClaim, StoredSet, StoredVolume, StoredVrg};
pub use volume::{ClaimRef, Pv, PvPhase, Pvc};
pub use vrg::{Identifier, PeerClass, ProtectedPvc, Vrg, VrgSpec, VrgStatus};
pub use workload::{Attachment, Pod};

/// Namespace and name of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Key {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Key {
    /// Names an object.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What the operator of a managed cluster learns. The order is part of the stored form: append only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum Fact {
    /// A VolumeReplicationGroup.
    Vrg(Box<Vrg>),
    /// A claim.
    Pvc(Box<Pvc>),
    /// A volume.
    Pv(Box<Pv>),
    /// A VolumeReplication.
    VolumeReplication(Box<VolumeReplication>),
    /// A VolumeReplicationClass.
    ReplicationClass(ReplicationClass),
    /// A StorageClass.
    StorageClass(StorageClass),
    /// A pod that uses claims.
    Pod(Pod),
    /// A volume attached to a node.
    Attachment(Attachment),
    /// The operator's configuration.
    Config(Config),
    /// A Secret of the operator's namespace.
    Secret(SecretSeen),
    /// What a store holds of a VRG, as answered to one question.
    Stored(Box<StoredSet>),
    /// The DRClusterConfig.
    ClusterConfig(Box<ClusterConfig>),
    /// A class that is published or not, of a kind of which nothing else is needed.
    ListedClass(ListedClass),
    /// A CSIAddonsNode.
    AccessNode(AccessNode),
    /// A NetworkAttachmentDefinition.
    Network(Network),
    /// A ClusterClaim that an old version left.
    OldClusterClaim {
        /// Its name.
        name: String,
    },
    /// A VolumeReplicationGroup that knows as what it writes to stores.
    FencedVrg {
        /// The VRG.
        vrg: Box<Vrg>,
        /// As what it writes to stores.
        fence: Fence,
    },
    /// What a store holds of a VRG that was given an epoch.
    FencedStored {
        /// What it holds.
        set: Box<StoredSet>,
        /// The highest epoch that wrote there.
        epoch: u64,
    },
}

impl Fact {
    /// The object that the fact is about.
    pub fn object(&self) -> ObjectId {
        let namespaced = |kind, key: &Key| ObjectId::new(kind, &key.namespace, &key.name);
        match self {
            Self::Vrg(vrg) | Self::FencedVrg { vrg, .. } => namespaced(Kind::Vrg, &vrg.key),
            Self::Pvc(pvc) => namespaced(Kind::PersistentVolumeClaim, &pvc.key),
            Self::Pv(pv) => ObjectId::cluster_scoped(Kind::PersistentVolume, &pv.name),
            Self::VolumeReplication(vr) => namespaced(Kind::VolumeReplication, &vr.key),
            Self::ReplicationClass(class) => ObjectId::cluster_scoped(Kind::VolumeReplicationClass, &class.name),
            Self::StorageClass(class) => ObjectId::cluster_scoped(Kind::StorageClass, &class.name),
            Self::Pod(pod) => namespaced(Kind::Pod, &pod.key),
            Self::Attachment(attachment) => ObjectId::cluster_scoped(Kind::VolumeAttachment, &attachment.name),
            Self::Config(config) => namespaced(Kind::ConfigMap, &config.key),
            Self::Secret(secret) => namespaced(Kind::Secret, &secret.key),
            Self::Stored(set) | Self::FencedStored { set, .. } => set.object(),
            Self::ClusterConfig(config) => ObjectId::cluster_scoped(Kind::DrClusterConfig, &config.name),
            Self::ListedClass(class) => ObjectId::cluster_scoped(class.kind, &class.name),
            Self::AccessNode(node) => namespaced(Kind::CsiAddonsNode, &node.key),
            Self::Network(network) => namespaced(Kind::NetworkAttachmentDefinition, &network.key),
            Self::OldClusterClaim { name } => ObjectId::cluster_scoped(Kind::ClusterClaim, name),
        }
    }
}
