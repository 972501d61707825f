//! DRPlacementControl: what a user asks, and what we report.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Condition, Json, Time, hub::Meta};

/// A DRPlacementControl as the API server has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct DrpcFact {
    /// Metadata.
    pub meta: Meta,
    /// What is asked.
    pub spec: DrpcSpec,
    /// What was last reported.
    pub status: DrpcStatus,
}

/// `spec` of a DRPlacementControl. Absent texts are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct DrpcSpec {
    /// Name of the Placement or PlacementRule.
    pub placement: String,
    /// Namespace of the placement as written; must be empty or the DRPC's own.
    pub placement_namespace: String,
    /// Name of the DRPolicy.
    pub policy: String,
    /// `preferredCluster`.
    pub preferred: String,
    /// `failoverCluster`.
    pub failover: String,
    /// `action`: `Failover`, `Relocate` or empty.
    pub action: String,
    /// `pvcSelector`, verbatim.
    pub pvc_selector: Json,
    /// `protectedNamespaces`.
    pub protected_namespaces: Vec<String>,
    /// `kubeObjectProtection`, verbatim; null when absent.
    pub kube_object_protection: Json,
    /// `volSyncSpec`, verbatim; null when absent.
    pub vol_sync: Json,
    /// `dryRun`.
    pub dry_run: bool,
}

/// `status` of a DRPlacementControl. Times are whole seconds, as on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct DrpcStatus {
    /// `phase`.
    pub phase: String,
    /// `observedGeneration`.
    pub observed_generation: i64,
    /// `progression`.
    pub progression: String,
    /// `actionStartTime`.
    pub action_start: Option<Time>,
    /// `actionDuration`, as Go writes durations.
    pub action_duration: Option<String>,
    /// `preferredDecision.clusterName`; empty when absent.
    pub preferred_decision: String,
    /// `conditions`, in order.
    pub conditions: Vec<Condition>,
    /// `resourceConditions`; `None` when the VRG has told nothing.
    pub resource: Option<ResourceMirror>,
    /// `lastGroupSyncTime`.
    pub last_group_sync: Option<Time>,
    /// `lastGroupSyncDuration`.
    pub last_group_sync_duration: Option<String>,
    /// `lastGroupSyncBytes`.
    pub last_group_sync_bytes: Option<i64>,
    /// `lastKubeObjectProtectionTime`.
    pub last_kube_object_protection: Option<Time>,
    /// `lastUpdateTime`.
    pub last_update: Option<Time>,
}

impl DrpcStatus {
    /// A condition by type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }
}

/// `status.resourceConditions`: the VRG that a reader should look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ResourceMirror {
    /// Namespace of the VRG.
    pub namespace: String,
    /// Name of the VRG.
    pub name: String,
    /// Generation of the VRG.
    pub generation: i64,
    /// Names of its protected claims.
    pub protected_pvcs: Vec<String>,
    /// `pvcgroups`, verbatim; null when absent.
    pub pvc_groups: Json,
    /// The VRG's conditions.
    pub conditions: Vec<Condition>,
}
