//! The VolumeReplicationGroup: what is asked for, and what was answered last.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Key, Role};
use crate::{BlobId, Condition, Json, Time};

/// A VolumeReplicationGroup.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Vrg {
    /// Namespace and name.
    pub key: Key,
    /// Its identity; a VRG made anew under the same name has another.
    pub uid: String,
    /// Counts changes of the spec.
    pub generation: i64,
    /// For patches that must not overwrite what others wrote.
    pub resource_version: String,
    /// Whether its deletion was asked for.
    pub deleting: bool,
    /// Its finalizers, in order.
    pub finalizers: Vec<String>,
    /// Identity of the DRPC that owns it; empty when it was not told.
    pub drpc_uid: String,
    /// Whether it is used for a test failover or its revert: the annotation's value.
    pub test_failover: String,
    /// Whether VolSync is forced on all claims.
    pub force_volsync: bool,
    /// What is asked for.
    pub spec: VrgSpec,
    /// What was answered last; `None` before the first answer.
    pub status: Option<VrgStatus>,
    /// The object without status, for its copy in the stores.
    pub body: BlobId,
}

/// What is asked of a VRG. Parts that are not supported yet are noted, so that a condition can say so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct VrgSpec {
    /// The role asked for; `None` when it is neither of the two words.
    pub role: Option<Role>,
    /// The role's word, as written.
    pub role_text: String,
    /// The action: empty, `Failover` or `Relocate`.
    pub action: String,
    /// `async.schedulingInterval`; `None` without `async`.
    pub interval: Option<String>,
    /// `async.replicationClassSelector.matchLabels`.
    pub class_labels: BTreeMap<String, String>,
    /// `async.peerClasses`.
    pub peer_classes: Vec<PeerClass>,
    /// `pvcSelector`.
    pub selector: Selector,
    /// Names of the stores.
    pub s3_profiles: Vec<String>,
    /// The last synchronization is being prepared.
    pub prepare_for_final_sync: bool,
    /// The last synchronization runs.
    pub run_final_sync: bool,
    /// A test failover.
    pub dry_run: bool,
    /// Namespaces other than its own.
    pub protected_namespaces: Vec<String>,
    /// Fields that ask for something that is not supported yet, each with its value.
    pub unsupported: Vec<(String, String)>,
}

/// A label selector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Selector {
    /// `matchLabels`.
    pub labels: BTreeMap<String, String>,
    /// `matchExpressions`.
    pub expressions: Vec<Expression>,
}

/// One expression of a label selector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Expression {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: String,
    /// Values of `In` and `NotIn`.
    pub values: Vec<String>,
}

impl Selector {
    /// Whether an object with these labels is selected. An empty selector selects everything; an operator that we do
    /// not know selects nothing.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.expressions.iter().all(|expression| expression.matches(labels))
    }
}

impl Expression {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        match self.operator.as_str() {
            "In" => value.is_some_and(|value| self.values.contains(value)),
            "NotIn" => value.is_none_or(|value| !self.values.contains(value)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }
}

/// A pair of storage classes that replicate to each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct PeerClass {
    /// StorageClass, of the same name on both clusters.
    pub storage_class: String,
    /// Identities of the storage on both clusters.
    pub storage_ids: Vec<String>,
    /// Identity of the relation; empty when there is none.
    pub replication_id: String,
    /// Identity of the group relation; empty when there is none.
    pub group_replication_id: String,
    /// Whether volumes are replicated as groups.
    pub grouping: bool,
    /// Whether something else runs the replication.
    pub offloaded: bool,
    /// Whether the group is shared by applications.
    pub global: bool,
}

/// The status of a VRG, as far as it is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct VrgStatus {
    /// `Primary`, `Secondary` or `Unknown`.
    pub state: String,
    /// The generation that was looked at.
    pub observed_generation: i64,
    /// When anything else in it changed last.
    pub last_update: Option<Time>,
    /// Conditions, in their order.
    pub conditions: Vec<Condition>,
    /// The claims.
    pub pvcs: Vec<ProtectedPvc>,
    /// The oldest of the claims' last synchronizations; `None` when one has none.
    pub last_group_sync_time: Option<Time>,
    /// The longest of their durations.
    pub last_group_sync_duration: Option<String>,
    /// The sum of their bytes.
    pub last_group_sync_bytes: Option<i64>,
    /// The last synchronization is prepared.
    pub prepare_for_final_sync_complete: bool,
    /// The last synchronization is done.
    pub final_sync_complete: bool,
}

impl VrgStatus {
    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }
}

/// An element of `status.protectedPVCs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ProtectedPvc {
    /// Namespace and name of the claim.
    pub key: Key,
    /// Whether VolSync copies it.
    pub by_volsync: bool,
    /// Its StorageClass.
    pub storage_class: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its access modes.
    pub access_modes: Vec<String>,
    /// Its resource request.
    pub resources: Json,
    /// `Filesystem` or `Block`.
    pub volume_mode: String,
    /// The CSI driver.
    pub provisioner: String,
    /// Identity of the storage.
    pub storage_id: Option<Identifier>,
    /// Identity of the replication relation.
    pub replication_id: Option<Identifier>,
    /// Conditions, in their order.
    pub conditions: Vec<Condition>,
    /// Last synchronization.
    pub last_sync_time: Option<Time>,
    /// Its duration.
    pub last_sync_duration: Option<String>,
    /// Its size in bytes.
    pub last_sync_bytes: Option<i64>,
}

/// An identity of storage, with the maintenance modes that it asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Identifier {
    /// The identity.
    pub id: String,
    /// Maintenance modes.
    pub modes: Vec<String>,
}
