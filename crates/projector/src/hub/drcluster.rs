//! One managed cluster: the agent's rights, the store, the inventory of classes, what its storage is asked to prepare
//! for (spec hub 3, 4, 5).
//!
//! Neighbours: the policies that list it, DRPCs that fail over to it, its ManagedCluster, its works and views, the
//! configuration and the store.
//! Independent concerns go on independently (spec hub 13, H7); `Validated` names the first that is not met.

mod cidrs;
mod deletion;
mod fence;
pub(super) mod inventory;
mod maintenance;
pub(super) use status::QUIET_MS;
#[cfg(test)]
pub(super) use works::ROLES;
mod status;
mod store;
mod views;
mod works;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ramen_api::ramen::wire::{finalizer, label};
use ramen_events::{
    ClusterName, Command, Kind,
    hub::{self, DrClusterFact, MetaPatch, ObjectRef},
};

use crate::domain::{Ask, Decision};

use super::state::Hub;

/// What a decision about a DRCluster reads.
struct Cluster<'a> {
    hub: &'a Hub,
    ask: Ask<'a>,
    fact: &'a DrClusterFact,
    name: ClusterName,
}

/// Why a cluster can't be used yet: a reason of the wire and the words for it.
struct Unmet {
    reason: &'static str,
    message: String,
    /// Nothing is wrong: an answer is under way. What was valid stays so meanwhile.
    waiting: bool,
}

fn unmet(reason: &'static str, message: impl Into<String>) -> Unmet {
    Unmet { reason, message: message.into(), waiting: false }
}

fn waiting(reason: &'static str, message: impl Into<String>) -> Unmet {
    Unmet { reason, message: message.into(), waiting: true }
}

/// What a DRCluster wants now.
pub fn decide(hub: &Hub, ask: Ask<'_>) -> Decision {
    let mut decision = Decision::default();
    let Some(fact) = hub.clusters.get(&ask.aggregate.name) else { return decision };
    let cluster = Cluster { hub, ask, fact, name: ClusterName(fact.meta.name.clone()) };
    if fact.meta.deleting.is_some() {
        deletion::decide(&cluster, &mut decision);
        return decision;
    }
    cluster.mark(&mut decision);
    let checks = [
        hub.config().map(|_| ()).map_err(|why| unmet(ramen_api::ramen::wire::reason::CONFIG_MAP_GET_FAILED, why)),
        store::check(&cluster, &mut decision),
        works::check_rights(&cluster, &mut decision),
        works::check_config(&cluster, &mut decision),
        cidrs::check(&cluster),
    ];
    views::ensure(&cluster, &mut decision);
    let modes = maintenance::ensure(&cluster, &mut decision);
    let first = checks.into_iter().find_map(Result::err);
    status::write(&cluster, first, modes, &mut decision);
    decision
}

impl Cluster<'_> {
    /// Our label and finalizer, in one write.
    fn mark(&self, decision: &mut Decision) {
        let meta = &self.fact.meta;
        if meta.label(label::BACKUP) == label::BACKUP_RAMEN && meta.has_finalizer(finalizer::DR_CLUSTER) {
            return;
        }
        let mut finalizers = meta.finalizers.clone();
        if !meta.has_finalizer(finalizer::DR_CLUSTER) {
            finalizers.push(finalizer::DR_CLUSTER.to_owned());
        }
        let labels = BTreeMap::from([(label::BACKUP.to_owned(), label::BACKUP_RAMEN.to_owned())]);
        decision.want("meta", self.patch(labels, finalizers));
    }

    fn patch(&self, labels: BTreeMap<String, String>, finalizers: Vec<String>) -> Command {
        Command::Hub(hub::Command::PatchMeta(Box::new(MetaPatch {
            kind: Kind::DrCluster,
            object: ObjectRef::new("", &self.fact.meta.name),
            uid: self.fact.meta.uid.clone(),
            labels,
            annotations: BTreeMap::new(),
            finalizers: Some(finalizers),
            owners: None,
        })))
    }
}
