//! Who is concerned by whom, so that a change costs no more than those whom it concerns.

use std::collections::{BTreeMap, BTreeSet};

use bincode::{Decode, Encode};
use ramen_events::{
    ClusterName,
    hub::{DecisionFact, DrClusterFact, DrpcFact, ObjectRef, PolicyFact, ViewFact, WorkFact},
};
use serde::Serialize;

/// Relations between objects, kept up by the fold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Index {
    /// DRPCs by the policy that they refer to.
    pub drpcs_by_policy: BTreeMap<String, BTreeSet<ObjectRef>>,
    /// DRPCs by the placement that they refer to, whichever its kind.
    pub drpcs_by_placement: BTreeMap<ObjectRef, BTreeSet<ObjectRef>>,
    /// DRPCs by the name of their placement: ApplicationSets name no namespace.
    pub drpcs_by_placement_name: BTreeMap<String, BTreeSet<ObjectRef>>,
    /// Policies by the clusters that they list.
    pub policies_by_cluster: BTreeMap<String, BTreeSet<String>>,
    /// DRClusters by store profile.
    pub clusters_by_profile: BTreeMap<String, BTreeSet<String>>,
    /// PlacementDecisions by Placement.
    pub decisions_by_placement: BTreeMap<ObjectRef, BTreeSet<ObjectRef>>,
    /// ManifestWorks by DRPC.
    pub works_by_drpc: BTreeMap<ObjectRef, BTreeSet<(ClusterName, String)>>,
    /// ManagedClusterViews by DRPC.
    pub views_by_drpc: BTreeMap<ObjectRef, BTreeSet<(ClusterName, String)>>,
    /// Works of a cluster that its agent watches: it can watch only so many.
    pub watched: BTreeMap<ClusterName, BTreeSet<String>>,
}

fn insert<K: Ord, V: Ord>(map: &mut BTreeMap<K, BTreeSet<V>>, key: K, value: V) {
    map.entry(key).or_default().insert(value);
}

fn remove<K: Ord, V: Ord>(map: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(set) = map.get_mut(key) {
        set.remove(value);
        if set.is_empty() {
            map.remove(key);
        }
    }
}

/// The placement that a DRPC refers to.
pub fn placement_of(drpc: &DrpcFact) -> ObjectRef {
    ObjectRef::new(&drpc.meta.namespace, &drpc.spec.placement)
}

impl Index {
    /// Takes a DRPC in, or out.
    pub fn drpc(&mut self, fact: &DrpcFact, present: bool) {
        let key = ObjectRef::new(&fact.meta.namespace, &fact.meta.name);
        let placement = placement_of(fact);
        if present {
            insert(&mut self.drpcs_by_policy, fact.spec.policy.clone(), key.clone());
            insert(&mut self.drpcs_by_placement_name, placement.name.clone(), key.clone());
            insert(&mut self.drpcs_by_placement, placement, key);
        } else {
            remove(&mut self.drpcs_by_policy, &fact.spec.policy, &key);
            remove(&mut self.drpcs_by_placement_name, &placement.name, &key);
            remove(&mut self.drpcs_by_placement, &placement, &key);
        }
    }

    /// Takes a policy in, or out.
    pub fn policy(&mut self, fact: &PolicyFact, present: bool) {
        for cluster in &fact.spec.clusters {
            if present {
                insert(&mut self.policies_by_cluster, cluster.0.clone(), fact.meta.name.clone());
            } else {
                remove(&mut self.policies_by_cluster, &cluster.0, &fact.meta.name);
            }
        }
    }

    /// Takes a DRCluster in, or out.
    pub fn cluster(&mut self, fact: &DrClusterFact, present: bool) {
        if present {
            insert(&mut self.clusters_by_profile, fact.profile.clone(), fact.meta.name.clone());
        } else {
            remove(&mut self.clusters_by_profile, &fact.profile, &fact.meta.name);
        }
    }

    /// Takes a PlacementDecision in, or out.
    pub fn decision(&mut self, fact: &DecisionFact, present: bool) {
        let placement = ObjectRef::new(&fact.namespace, &fact.placement);
        let key = ObjectRef::new(&fact.namespace, &fact.name);
        if present {
            insert(&mut self.decisions_by_placement, placement, key);
        } else {
            remove(&mut self.decisions_by_placement, &placement, &key);
        }
    }

    /// Takes a work in, or out.
    pub fn work(&mut self, fact: &WorkFact, present: bool) {
        let key = (fact.cluster.clone(), fact.name.clone());
        if let Some(drpc) = &fact.drpc {
            if present {
                insert(&mut self.works_by_drpc, drpc.clone(), key);
            } else {
                remove(&mut self.works_by_drpc, drpc, &key);
            }
        }
        if fact.watched == Some(true) {
            if present {
                insert(&mut self.watched, fact.cluster.clone(), fact.name.clone());
            } else {
                remove(&mut self.watched, &fact.cluster, &fact.name);
            }
        }
    }

    /// Whether a work is among those that make too many for its agent. Which ones these are is a matter of order, so that
    /// of many works at rest no more give way than have to.
    pub fn is_one_too_many(&self, cluster: &ClusterName, work: &str, limit: usize) -> bool {
        let Some(watched) = self.watched.get(cluster) else { return false };
        let excess = watched.len().saturating_sub(limit);
        watched.iter().take(excess).any(|name| name == work)
    }

    /// Takes a view in, or out.
    pub fn view(&mut self, fact: &ViewFact, present: bool) {
        let Some(drpc) = &fact.drpc else { return };
        let key = (fact.cluster.clone(), fact.name.clone());
        if present {
            insert(&mut self.views_by_drpc, drpc.clone(), key);
        } else {
            remove(&mut self.views_by_drpc, drpc, &key);
        }
    }
}
