//! Facts and commands of the hub operator.
//!
//! | file | what |
//! |---|---|
//! | `meta` | the part of an object's metadata that decisions need |
//! | `drpc`, `authors` | DRPlacementControl: what is asked and by whom, what is reported |
//! | `policy`, `cluster` | DRPolicy, DRCluster, ManagedCluster |
//! | `placement` | Placement, PlacementRule, PlacementDecision, ApplicationSet |
//! | `vrg` | a VRG as the hub wants it, and as a cluster shows it |
//! | `work`, `view` | ManifestWork and ManagedClusterView, what they carry and answer |
//! | `config` | the operator's ConfigMap, and Secrets by digest |
//! | `command` | wishes |

mod authors;
mod cluster;
mod command;
mod config;
mod drpc;
mod meta;
mod placement;
mod policy;
mod view;
mod vrg;
mod work;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Kind, ObjectId};

pub use authors::{Author, AuthorsFact};
pub use cluster::{DrClusterFact, DrClusterStatus, ManagedClusterFact};
pub use command::{
    Command, Event, MetaPatch, ModeWork, NamespaceWork, StoreKey, StoredVrg, StoredVrgAnswer, StoredVrgFact, ViewScope,
    ViewWish, VrgWork,
};
pub use config::{Config, ConfigFact, Profile, SecretFact};
pub use drpc::{DrpcFact, DrpcSpec, DrpcStatus, ResourceMirror};
pub use meta::{Meta, ObjectRef};
pub use placement::{ApplicationSetFact, DecisionEntry, DecisionFact, PlacementFact, PlacementKind};
pub use policy::{PeerClass, PolicyFact, PolicySpec, PolicyStatus};
pub use view::{ClassSeen, ClusterConfigSeen, ModeSeen, ViewAnswer, ViewFact, ViewedObject};
pub use vrg::{AsyncSpec, ProtectedPvc, VrgManifest, VrgSeen, VrgSpec, VrgStatus};
pub use work::{Feedback, WorkCondition, WorkContent, WorkFact};

/// What the hub operator learns. The order is part of the stored form: append only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum Fact {
    /// The operator's own configuration.
    Config(ConfigFact),
    /// A Secret in the operator's namespace, by digest.
    Secret(SecretFact),
    /// A DRPlacementControl.
    Drpc(Box<DrpcFact>),
    /// A DRPolicy.
    Policy(Box<PolicyFact>),
    /// A DRCluster.
    DrCluster(Box<DrClusterFact>),
    /// A ManagedCluster.
    ManagedCluster(ManagedClusterFact),
    /// A Placement or PlacementRule.
    Placement(Box<PlacementFact>),
    /// A PlacementDecision.
    Decision(DecisionFact),
    /// An ApplicationSet that follows a Placement.
    ApplicationSet(ApplicationSetFact),
    /// A ManifestWork of ours.
    Work(Box<WorkFact>),
    /// A ManagedClusterView of ours.
    View(Box<ViewFact>),
    /// What a store holds of a VRG.
    StoredVrg(StoredVrgFact),
    /// Who wrote what a DRPlacementControl asks for; a remark.
    Authors(AuthorsFact),
}

impl Fact {
    /// The object that the fact is about.
    pub fn object(&self) -> ObjectId {
        match self {
            Self::Config(fact) => ObjectId::new(Kind::ConfigMap, &fact.namespace, &fact.name),
            Self::Secret(fact) => ObjectId::new(Kind::Secret, &fact.namespace, &fact.name),
            Self::Drpc(fact) => fact.meta.object(Kind::Drpc),
            Self::Policy(fact) => fact.meta.object(Kind::DrPolicy),
            Self::DrCluster(fact) => fact.meta.object(Kind::DrCluster),
            Self::ManagedCluster(fact) => ObjectId::cluster_scoped(Kind::ManagedCluster, &fact.name),
            Self::Placement(fact) => fact.meta.object(match fact.kind {
                PlacementKind::Placement => Kind::Placement,
                PlacementKind::Rule => Kind::PlacementRule,
            }),
            Self::Decision(fact) => ObjectId::new(Kind::PlacementDecision, &fact.namespace, &fact.name),
            Self::ApplicationSet(fact) => ObjectId::new(Kind::ApplicationSet, &fact.namespace, &fact.name),
            Self::Work(fact) => ObjectId::new(Kind::ManifestWork, &fact.cluster.0, &fact.name),
            Self::View(fact) => ObjectId::new(Kind::ManagedClusterView, &fact.cluster.0, &fact.name),
            Self::StoredVrg(fact) => ObjectId::new(Kind::StoredObject, &fact.profile, &fact.key),
            Self::Authors(fact) => ObjectId::new(Kind::Drpc, &fact.drpc.namespace, &fact.drpc.name),
        }
    }

    /// Whether this is a remark: something that readers of the log want to know of an object, beside the fact of it, and
    /// that no decision reads.
    pub fn is_remark(&self) -> bool {
        matches!(self, Self::Authors(_))
    }
}
