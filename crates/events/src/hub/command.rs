//! What the hub operator wants done.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    ClusterName, Outcome, Time,
    hub::{DecisionEntry, DrClusterStatus, DrpcStatus, ObjectRef, PlacementKind, PolicyStatus, Profile, VrgManifest},
    ids::Kind,
    json::Json,
};

/// What the hub operator wants done. The order is part of the stored form: append only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum Command {
    /// Create the operator's ConfigMap with defaults.
    CreateConfig,
    /// Create the namespace for the objects of discovered applications; one that exists is left alone.
    CreateOpsNamespace {
        /// Its name.
        name: String,
    },
    /// Put marks on an object, or take them off.
    PatchMeta(Box<MetaPatch>),
    /// Report the state of a DRPlacementControl.
    WriteDrpcStatus {
        /// Which one.
        drpc: ObjectRef,
        /// Its identity.
        uid: String,
        /// All that is reported.
        status: Box<DrpcStatus>,
        /// What to tell people beside it.
        events: Vec<Event>,
    },
    /// Report the state of a DRPolicy.
    WritePolicyStatus {
        /// Which one.
        policy: String,
        /// Its identity.
        uid: String,
        /// All that is reported.
        status: Box<PolicyStatus>,
        /// What to tell people beside it.
        events: Vec<Event>,
    },
    /// Report the state of a DRCluster.
    WriteClusterStatus {
        /// Which one.
        cluster: String,
        /// Its identity.
        uid: String,
        /// All that is reported.
        status: Box<DrClusterStatus>,
        /// What to tell people beside it.
        events: Vec<Event>,
    },
    /// Ask a cluster for a VRG.
    ApplyVrgWork(Box<VrgWork>),
    /// Ask a cluster for the application's namespace.
    ApplyNamespaceWork(NamespaceWork),
    /// Give the agent of a cluster the rights that it needs.
    ApplyClusterWork {
        /// The cluster.
        cluster: ClusterName,
        /// Manifests that the work held beside the rights: taking them out would delete their objects.
        keep: Vec<Json>,
    },
    /// Ask a cluster what it offers for DR.
    ApplyConfigWork {
        /// The cluster.
        cluster: ClusterName,
        /// Its identity.
        id: String,
        /// Intervals of the policies that list it.
        schedules: Vec<String>,
    },
    /// Delete a ManifestWork, and with it what it put on the cluster.
    DeleteWork {
        /// The cluster.
        cluster: ClusterName,
        /// Name of the work.
        name: String,
        /// Only if it is still this one.
        uid: String,
    },
    /// Look at an object of a cluster.
    ApplyView(Box<ViewWish>),
    /// Have an object of a cluster read again now.
    TouchView {
        /// The cluster.
        cluster: ClusterName,
        /// Name of the view.
        name: String,
        /// Freshness that is wanted: it only has to differ from the one before.
        freshness: String,
    },
    /// Stop looking at an object of a cluster.
    DeleteView {
        /// The cluster.
        cluster: ClusterName,
        /// Name of the view.
        name: String,
    },
    /// Decide where an application runs.
    WriteDecision {
        /// Of which placement.
        placement: ObjectRef,
        /// Which kind of placement.
        kind: PlacementKind,
        /// Identity of the placement.
        uid: String,
        /// Name of the PlacementDecision.
        decision: String,
        /// Whether it has to be created.
        create: bool,
        /// Whether the label that keeps it out of backups has to be added.
        label: bool,
        /// The clusters; `None` leaves them alone.
        entries: Option<Vec<DecisionEntry>>,
    },
    /// Look whether a store can be used.
    ProbeStore {
        /// How to reach it.
        profile: Profile,
        /// Digest of its Secret when the question was asked.
        secret: String,
        /// Prefix to list.
        prefix: String,
    },
    /// Read what a store holds of a VRG.
    FetchStoredVrg {
        /// How to reach it.
        profile: Profile,
        /// Key of the VRG's copy.
        key: String,
    },
    /// Ask the storage of a cluster to prepare for a failover.
    ApplyModeWork(ModeWork),
}

impl Command {
    /// The command's name, for tables and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateConfig => "CreateConfig",
            Self::CreateOpsNamespace { .. } => "CreateOpsNamespace",
            Self::PatchMeta(_) => "PatchMeta",
            Self::WriteDrpcStatus { .. } => "WriteDrpcStatus",
            Self::WritePolicyStatus { .. } => "WritePolicyStatus",
            Self::WriteClusterStatus { .. } => "WriteClusterStatus",
            Self::ApplyVrgWork(_) => "ApplyVrgWork",
            Self::ApplyNamespaceWork(_) => "ApplyNamespaceWork",
            Self::ApplyClusterWork { .. } => "ApplyClusterWork",
            Self::ApplyConfigWork { .. } => "ApplyConfigWork",
            Self::DeleteWork { .. } => "DeleteWork",
            Self::ApplyView(_) => "ApplyView",
            Self::TouchView { .. } => "TouchView",
            Self::DeleteView { .. } => "DeleteView",
            Self::WriteDecision { .. } => "WriteDecision",
            Self::ProbeStore { .. } => "ProbeStore",
            Self::FetchStoredVrg { .. } => "FetchStoredVrg",
            Self::ApplyModeWork(_) => "ApplyModeWork",
        }
    }

    /// Whether it writes the status of an object.
    pub fn writes_status(&self) -> bool {
        matches!(self, Self::WriteDrpcStatus { .. } | Self::WritePolicyStatus { .. } | Self::WriteClusterStatus { .. })
    }

    /// Whether a failure says that what was wanted is so already: nothing is wrong then, and nothing is to be repeated.
    pub fn is_met_by(&self, outcome: &Outcome) -> bool {
        match self {
            // Somebody else made it, or we did and never heard of it.
            Self::CreateOpsNamespace { .. } => matches!(outcome, Outcome::Conflict { .. }),
            _ => false,
        }
    }
}

/// Marks on one object, all in one write. Lists replace those of the object, so they hold what others put there too.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct MetaPatch {
    /// Kind of the object.
    pub kind: Kind,
    /// Which one.
    pub object: ObjectRef,
    /// Its identity.
    pub uid: String,
    /// Labels to set.
    pub labels: BTreeMap<String, String>,
    /// Annotations to set.
    pub annotations: BTreeMap<String, String>,
    /// All finalizers; `None` leaves them alone.
    pub finalizers: Option<Vec<String>>,
    /// All owner references; `None` leaves them alone.
    pub owners: Option<Vec<Json>>,
}

/// Something to tell people.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Event {
    /// Whether it needs attention.
    pub warning: bool,
    /// One word.
    pub reason: String,
    /// The sentence.
    pub message: String,
}

/// A ManifestWork with a VRG.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct VrgWork {
    /// The cluster.
    pub cluster: ClusterName,
    /// Name of the work.
    pub name: String,
    /// The DRPC that it belongs to.
    pub drpc: ObjectRef,
    /// The VRG.
    pub manifest: VrgManifest,
    /// Whether the agent should watch the VRG rather than look at it now and then.
    pub watched: bool,
}

/// A ManifestWork with the application's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct NamespaceWork {
    /// The cluster.
    pub cluster: ClusterName,
    /// Name of the work.
    pub name: String,
    /// The DRPC that it belongs to.
    pub drpc: ObjectRef,
    /// The namespace.
    pub namespace: String,
}

/// A ManifestWork with a MaintenanceMode.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ModeWork {
    /// The cluster.
    pub cluster: ClusterName,
    /// Name of the MaintenanceMode; that of the work follows from it.
    pub mode: String,
    /// The driver that is asked.
    pub provisioner: String,
    /// The replication relation that it is asked about.
    pub target: String,
}

/// A ManagedClusterView.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ViewWish {
    /// The cluster.
    pub cluster: ClusterName,
    /// Name of the view.
    pub name: String,
    /// What to look at.
    pub scope: ViewScope,
    /// The DRPC whose annotations it gets.
    pub drpc: Option<ObjectRef>,
    /// Whether it wakes the policies of the cluster.
    pub for_policies: bool,
    /// Whether it wakes the DRCluster.
    pub for_cluster: bool,
    /// Label beside the usual one; empty for none.
    pub label: String,
    /// `updateIntervalSeconds`; 0 leaves it to the agent.
    pub interval: i64,
}

/// What a view looks at.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ViewScope {
    /// API group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Namespace; empty for cluster-scoped kinds.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// Which store, reached how: what an answer of it is good for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
pub struct StoreKey {
    /// How it was reached.
    pub profile: Profile,
    /// Digest of the Secret.
    pub secret: String,
}

/// What a store holds of a VRG.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct StoredVrgFact {
    /// Name of the store's profile.
    pub profile: String,
    /// Key of the copy.
    pub key: String,
    /// The answer.
    pub answer: StoredVrgAnswer,
}

/// A store's answer about a VRG's copy.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum StoredVrgAnswer {
    /// The bucket answered that there is none.
    Absent,
    /// The copy.
    Found(StoredVrg),
    /// The store could not be asked, or the copy could not be read.
    Unknown {
        /// Why.
        message: String,
    },
}

/// A VRG's copy in a store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct StoredVrg {
    /// `spec.replicationState`.
    pub state: String,
    /// `spec.action`.
    pub action: String,
    /// The cluster that it was written for.
    pub destination: String,
    /// UID of the DRPC that owned it.
    pub drpc_uid: String,
    /// `status.lastUpdateTime`.
    pub last_update: Option<Time>,
}
