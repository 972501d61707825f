//! Deletion of a DRCluster: what was put on the cluster goes, in an order in which the agent keeps the rights that it
//! needs for it (spec hub 3.6; 13, H6).

use std::collections::BTreeMap;

use ramen_api::ramen::wire::{condition, finalizer, name, reason};
use ramen_events::{
    Command, Json,
    hub::{self, DrClusterStatus},
};

use crate::{domain::Decision, hub::conditions::Conditions};

use super::{Cluster, maintenance, views, works};

/// What a DRCluster that is being deleted wants.
pub fn decide(cluster: &Cluster<'_>, decision: &mut Decision) {
    if !cluster.fact.meta.has_finalizer(finalizer::DR_CLUSTER) {
        return;
    }
    let policies: Vec<&str> =
        cluster.hub.policies_of(&cluster.name.0).map(|policy| policy.meta.name.as_str()).collect();
    if !policies.is_empty() {
        let text = format!(
            "the cluster is referenced in one or more existing drPolicy resources ({}); delete them first",
            policies.join(", ")
        );
        // What is protected under a policy goes on (decision 17), and so do its failovers.
        let modes = maintenance::ensure(cluster, decision);
        say(cluster, text, Some(modes), decision);
        return;
    }
    views::delete_all(cluster, decision);
    if let Some(what) = still_there(cluster, decision) {
        let text = match cluster.ask.decider >= NAMED_SINCE {
            true => what,
            false => "waiting for the cluster's agent to remove what was put there".to_owned(),
        };
        say(cluster, text, None, decision);
        return;
    }
    let finalizers = &cluster.fact.meta.finalizers;
    let rest = finalizers.iter().filter(|f| *f != finalizer::DR_CLUSTER).cloned().collect();
    decision.want("meta", cluster.patch(BTreeMap::new(), rest));
}

/// The first version of the deciders that says which of the works that were put on the cluster is waited for.
const NAMED_SINCE: u32 = 14;

/// What has to go from the cluster first, with what a person can do about it; `None` when nothing is left.
fn still_there(cluster: &Cluster<'_>, decision: &mut Decision) -> Option<String> {
    let gone = |work: &str| {
        let name = &cluster.name;
        let remedy = match cluster.hub.is_lost(name) {
            true => format!(
                "bring the cluster back: the hub has lost it; if it is gone for good, take finalizer {} off that ManifestWork",
                finalizer::MANIFEST_WORK
            ),
            false => "look at the work agent on that cluster".to_owned(),
        };
        format!("waiting for ManifestWork {work} to be removed from cluster {name}: {remedy}")
    };
    if let Some(mode) = maintenance::withdraw_all(cluster, decision) {
        return Some(gone(&mode));
    }
    if await_gone(cluster, name::DR_CLUSTER_CONFIG_WORK, decision) {
        return Some(gone(name::DR_CLUSTER_CONFIG_WORK));
    }
    if await_release(cluster, decision) {
        let failure = cluster.ask.flights.last(cluster.ask.aggregate, RELEASE).and_then(|last| last.failure.as_ref());
        let failed = failure.and_then(|failure| failure.message()).map(|text| format!(", which failed: {text}"));
        return Some(format!(
            "waiting for ManifestWork {} of cluster {} to be told to keep what others put into it{}: look whether the hub \
             may write ManifestWorks",
            name::DR_CLUSTER_WORK,
            cluster.name,
            failed.unwrap_or_default()
        ));
    }
    await_gone(cluster, name::DR_CLUSTER_WORK, decision).then(|| gone(name::DR_CLUSTER_WORK))
}

/// The first version of the deciders that keeps on the cluster what others put into the work of the agent's rights.
const KEPT_SINCE: u32 = 13;

/// An installation may have put the cluster's operator into the work with the agent's rights. That stays there when the cluster
/// leaves disaster recovery: first the work is told to let go of what is in it; `true` while that is not written (13, H4). Only the
/// last write tells: asked once more after a crash, it changes nothing.
fn await_release(cluster: &Cluster<'_>, decision: &mut Decision) -> bool {
    let work = cluster.hub.work(&cluster.name, name::DR_CLUSTER_WORK).filter(|known| !known.fact.deleting);
    let keep = work.map(|known| works::foreign(&known.fact)).unwrap_or_default();
    if cluster.ask.decider < KEPT_SINCE || keep.is_empty() {
        return false;
    }
    let written = cluster.ask.flights.last(cluster.ask.aggregate, RELEASE).and_then(|last| last.outcome.as_ref());
    if written.is_some_and(|outcome| outcome.is_done()) {
        return false;
    }
    let command = hub::Command::ApplyClusterWork { cluster: cluster.name.clone(), keep };
    decision.want(RELEASE, Command::Hub(command));
    true
}

/// The slot in which the work is told to let go.
const RELEASE: &str = "work/release";

/// Deletes a work; `true` while it is still there.
fn await_gone(cluster: &Cluster<'_>, work: &str, decision: &mut Decision) -> bool {
    let Some(known) = cluster.hub.work(&cluster.name, work) else { return false };
    if !known.fact.deleting {
        let command = hub::Command::DeleteWork {
            cluster: cluster.name.clone(),
            name: work.to_owned(),
            uid: known.fact.uid.clone(),
        };
        decision.want(format!("work/{work}"), Command::Hub(command));
    }
    true
}

/// Tells why the DRCluster is still there, and of storage that was told of failovers, if that may have changed.
fn say(cluster: &Cluster<'_>, text: String, modes: Option<Json>, decision: &mut Decision) {
    let none = DrClusterStatus::default();
    let before = cluster.fact.status.as_ref().unwrap_or(&none);
    let mut conditions = Conditions::new(cluster.ask.now, &cluster.fact.meta, &before.conditions);
    conditions.no(condition::VALIDATED, reason::VALIDATION_FAILED, text);
    let maintenance_modes = modes.unwrap_or_else(|| before.maintenance_modes.clone());
    let status = DrClusterStatus { conditions: conditions.finish(), maintenance_modes, ..before.clone() };
    if status != *before {
        let command = hub::Command::WriteClusterStatus {
            cluster: cluster.name.0.clone(),
            uid: cluster.fact.meta.uid.clone(),
            status: Box::new(status),
            events: Vec::new(),
        };
        decision.want("status", Command::Hub(command));
    }
}
