//! ManifestWork: what the hub wants on a cluster, and what the cluster's agent answers.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    ClusterName, ConditionStatus, Json, Time,
    hub::{ObjectRef, VrgManifest},
};

/// A ManifestWork of ours as the API server has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct WorkFact {
    /// The cluster: the work's namespace.
    pub cluster: ClusterName,
    /// Name.
    pub name: String,
    /// Identity.
    pub uid: String,
    /// Generation of the work, not of what is in it.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The DRPC that its annotations name.
    pub drpc: Option<ObjectRef>,
    /// The DRCluster that its annotation names; empty when absent.
    pub dr_cluster: String,
    /// What is in it.
    pub content: WorkContent,
    /// Whether deleting the work leaves its objects on the cluster.
    pub orphan: bool,
    /// `Applied`.
    pub applied: Option<WorkCondition>,
    /// `Available`.
    pub available: Option<WorkCondition>,
    /// `feedbackScrapeType` of the first manifest's rules is `Watch`; `None` when there are no rules, or the API
    /// server does not know that field.
    pub watched: Option<bool>,
    /// What the agent reads back of the first manifest; `None` without values, or when the object is not there.
    pub feedback: Option<Feedback>,
}

/// What is in a work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum WorkContent {
    /// A VRG.
    Vrg {
        /// The VRG.
        manifest: Box<VrgManifest>,
        /// The command that wrote it; empty when another program did.
        command: String,
    },
    /// Anything else: its manifests, verbatim.
    Manifests(Json),
    /// Nothing that could be read.
    #[default]
    Unreadable,
}

/// A condition of a work.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct WorkCondition {
    /// Whether it holds.
    pub status: ConditionStatus,
    /// The generation of the work that was looked at.
    pub generation: i64,
    /// The agent's words.
    pub message: String,
}

/// What an agent reads back of a VRG through feedback rules. What it does not tell is `None`, zero or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Feedback {
    /// Identity of the VRG.
    pub uid: String,
    /// Its generation.
    pub generation: i64,
    /// The command of the hub that it carries.
    pub command: String,
    /// `spec.replicationState`.
    pub replication_state: String,
    /// `status.observedGeneration`.
    pub observed_generation: i64,
    /// `status.state`.
    pub state: String,
    /// `status.lastUpdateTime`.
    pub last_update: Option<Time>,
    /// `status.lastGroupSyncTime`.
    pub last_group_sync: Option<Time>,
    /// `status.lastGroupSyncDuration`.
    pub last_group_sync_duration: Option<String>,
    /// `status.lastGroupSyncBytes`.
    pub last_group_sync_bytes: Option<i64>,
    /// `status.prepareForFinalSyncComplete`.
    pub prepare_complete: bool,
    /// `status.finalSyncComplete`.
    pub final_sync_complete: bool,
    /// Conditions by type: status, reason and generation.
    pub conditions: BTreeMap<String, (ConditionStatus, String, i64)>,
}
