//! What the hub knows: the latest fact of each object.

use std::{collections::BTreeMap, sync::Arc};

use bincode::{Decode, Encode};
use ramen_events::{
    ActionId, ClusterName, ConditionStatus, Time,
    hub::{
        ApplicationSetFact, Config, ConfigFact, DecisionFact, DrClusterFact, DrpcFact, ManagedClusterFact, ObjectRef,
        PlacementFact, PolicyFact, Profile, SecretFact, StoreKey, StoredVrgFact, ViewFact, WorkFact,
    },
};
use serde::Serialize;

use super::index::Index;

/// State of all controllers of the hub. What decisions read whole is shared with them, not copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Hub {
    pub(super) config: Option<ConfigFact>,
    /// The ops namespace that was created, or found to exist.
    pub(super) ops_namespace: String,
    pub(super) secrets: BTreeMap<ObjectRef, SecretFact>,
    #[serde(serialize_with = "crate::json::shared_values")]
    pub(super) drpcs: BTreeMap<ObjectRef, Arc<DrpcFact>>,
    #[serde(serialize_with = "crate::json::shared_values")]
    pub(super) policies: BTreeMap<String, Arc<PolicyFact>>,
    pub(super) clusters: BTreeMap<String, DrClusterFact>,
    pub(super) managed: BTreeMap<String, ManagedClusterFact>,
    #[serde(serialize_with = "crate::json::shared_values")]
    pub(super) placements: BTreeMap<ObjectRef, Arc<PlacementFact>>,
    #[serde(serialize_with = "crate::json::shared_values")]
    pub(super) rules: BTreeMap<ObjectRef, Arc<PlacementFact>>,
    pub(super) decisions: BTreeMap<ObjectRef, DecisionFact>,
    pub(super) application_sets: BTreeMap<ObjectRef, ApplicationSetFact>,
    pub(super) works: BTreeMap<ClusterName, BTreeMap<String, KnownWork>>,
    pub(super) views: BTreeMap<ClusterName, BTreeMap<String, KnownView>>,
    /// Copies of VRGs in stores, by profile and key.
    pub(super) stored: BTreeMap<String, BTreeMap<String, KnownCopy>>,
    /// Stores by profile.
    pub(super) stores: BTreeMap<String, KnownStore>,
    /// The API server refused `feedbackScrapeType`, so agents cannot be asked to watch.
    pub(super) cannot_watch: bool,
    /// What each DRPC was last asked to do.
    pub(super) actions: BTreeMap<ObjectRef, Asked>,
    pub(super) index: Index,
}

/// A ManifestWork, and when it told something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct KnownWork {
    /// The work, shared with decisions that read it.
    #[serde(serialize_with = "crate::json::shared")]
    pub fact: Arc<WorkFact>,
    /// When its content, or what the agent did with it, last changed.
    pub at: Time,
    /// When its feedback last changed.
    pub feedback_at: Time,
}

/// A ManagedClusterView, and when it answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct KnownView {
    /// The view, shared with decisions that read it.
    #[serde(serialize_with = "crate::json::shared")]
    pub fact: Arc<ViewFact>,
    /// When it was first seen.
    pub made: Time,
    /// When its answer last changed.
    pub answered: Time,
}

/// What a store holds of a VRG, and when it said so.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct KnownCopy {
    /// The answer, shared with decisions that read it.
    #[serde(serialize_with = "crate::json::shared")]
    pub fact: Arc<StoredVrgFact>,
    /// When it was given.
    pub at: Time,
}

/// How a store answered the last probe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct KnownStore {
    /// What was probed.
    pub key: StoreKey,
    /// When.
    pub at: Time,
    /// Failures in a row.
    pub failures: u32,
    /// How it failed: one word, and the text; `None` when it can be used.
    pub error: Option<(String, String)>,
}

/// What a DRPC was last asked to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Asked {
    /// Identity of the action.
    pub id: ActionId,
    /// `spec.action`.
    pub action: String,
    /// The cluster that the action is about.
    pub target: String,
    /// When it was asked.
    pub since: Time,
    /// Nothing was asked before: the application is deployed for the first time.
    pub first: bool,
}

impl Hub {
    /// A DRPlacementControl, as it was last seen.
    pub fn drpc(&self, namespace: &str, name: &str) -> Option<&DrpcFact> {
        self.drpcs.get(&ObjectRef::new(namespace, name)).map(Arc::as_ref)
    }

    /// A DRPolicy, as it was last seen.
    pub fn policy(&self, name: &str) -> Option<&PolicyFact> {
        self.policies.get(name).map(Arc::as_ref)
    }

    /// A DRCluster, as it was last seen.
    pub fn cluster(&self, name: &str) -> Option<&DrClusterFact> {
        self.clusters.get(name)
    }

    /// What a DRPlacementControl was last asked to do, and since when.
    pub fn asked(&self, namespace: &str, name: &str) -> Option<&Asked> {
        self.actions.get(&ObjectRef::new(namespace, name))
    }

    /// The configuration in force; `Err` with why there is none.
    pub(super) fn config(&self) -> Result<&Config, String> {
        match &self.config {
            Some(ConfigFact { config: Ok(config), .. }) => Ok(config),
            Some(ConfigFact { config: Err(why), namespace, name }) => {
                Err(format!("ConfigMap {namespace}/{name} cannot be used: {why}"))
            }
            None => Err("the operator's ConfigMap is not there yet; the operator creates it, unless it may not".into()),
        }
    }

    /// A ManifestWork.
    pub(super) fn work(&self, cluster: &ClusterName, name: &str) -> Option<&KnownWork> {
        self.works.get(cluster)?.get(name)
    }

    /// A ManagedClusterView.
    pub(super) fn view(&self, cluster: &ClusterName, name: &str) -> Option<&KnownView> {
        self.views.get(cluster)?.get(name)
    }

    /// Whether OCM lost a cluster: what is known of it may be out of date. A cluster that OCM says nothing about is not
    /// lost.
    pub(super) fn is_lost(&self, cluster: &ClusterName) -> bool {
        self.managed
            .get(&cluster.0)
            .and_then(|managed| managed.available)
            .is_some_and(|available| available != ConditionStatus::True)
    }

    /// Digest of the Secret of a store; `None` when it is not there.
    pub(super) fn secret_digest(&self, profile: &Profile) -> Option<&str> {
        let secret = ObjectRef::new(&profile.secret_namespace, &profile.secret);
        self.secrets.get(&secret).map(|secret| secret.digest.as_str())
    }

    /// Policies that list a cluster.
    pub(super) fn policies_of(&self, cluster: &str) -> impl Iterator<Item = &PolicyFact> {
        self.index.policies_by_cluster.get(cluster).into_iter().flatten().filter_map(|name| self.policy(name))
    }

    /// DRPCs that refer to a policy.
    pub(super) fn drpcs_of(&self, policy: &str) -> impl Iterator<Item = &ObjectRef> {
        self.index.drpcs_by_policy.get(policy).into_iter().flatten()
    }
}
