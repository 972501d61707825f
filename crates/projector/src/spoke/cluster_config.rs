//! DRClusterConfig: publishes what the cluster offers for DR (spec spoke-config 1), and sees to the operator's ConfigMap.
//!
//! Lists come from watches, so a kind that can't be listed keeps what was known of it; each kind stands for itself (C1).

use std::collections::{BTreeMap, BTreeSet};

use ramen_api::ramen::wire::{condition, finalizer, label, reason};
use ramen_events::{
    Command as AnyCommand, Kind, ObjectId,
    spoke::{ClusterConfig, ClusterConfigStatus, Command},
};

use super::{Spoke, vrg::verdict::Verdict};
use crate::domain::{Ask, Decision};

/// What the operator wants for itself: its ConfigMap, with the defaults, if there is none.
pub fn operator(state: &Spoke) -> Decision {
    let mut decision = Decision::default();
    if state.config.is_none() {
        decision.want("config", AnyCommand::Spoke(Command::CreateConfig));
    }
    decision
}

/// What a DRClusterConfig wants now.
pub fn decide(state: &Spoke, ask: Ask<'_>) -> Decision {
    let mut decision = Decision::default();
    let Some(config) = state.cluster_configs.get(&ask.aggregate.name) else { return decision };
    let guarded = config.finalizers.iter().any(|name| name == finalizer::DR_CLUSTER_CONFIG);
    if config.deleting {
        if guarded {
            let others = config.finalizers.iter().filter(|name| *name != finalizer::DR_CLUSTER_CONFIG).cloned();
            set_finalizers(config, others.collect(), &mut decision);
        }
        return decision;
    }
    if !guarded {
        let all = config.finalizers.iter().cloned().chain([finalizer::DR_CLUSTER_CONFIG.to_owned()]).collect();
        set_finalizers(config, all, &mut decision);
        return decision;
    }
    for name in &state.old_cluster_claims {
        let command = Command::DeleteClusterClaim { name: name.clone() };
        decision.want(format!("claim/{name}"), AnyCommand::Spoke(command));
    }
    let status = wanted(state, config, &ask);
    if config.status.as_ref() != Some(&status) {
        let command = Command::WriteClusterConfigStatus { name: config.name.clone(), status: Box::new(status) };
        decision.want("status", AnyCommand::Spoke(command));
    }
    decision
}

fn set_finalizers(config: &ClusterConfig, finalizers: Vec<String>, decision: &mut Decision) {
    let command = Command::SetFinalizers {
        object: ObjectId::cluster_scoped(Kind::DrClusterConfig, &config.name),
        finalizers,
        resource_version: config.resource_version.clone(),
    };
    decision.want("finalizers", AnyCommand::Spoke(command));
}

/// What is to be published.
fn wanted(state: &Spoke, config: &ClusterConfig, ask: &Ask<'_>) -> ClusterConfigStatus {
    let before = config.status.as_ref();
    let old = |kind: &str| before.and_then(|status| status.conditions.iter().find(|c| c.kind == kind));
    let processed = match state.cluster_configs.keys().find(|name| **name != config.name) {
        None => Verdict::yes(reason::SUCCEEDED, "classes and networks of the cluster are published"),
        Some(other) => Verdict::no(
            reason::FAILED,
            format!("there are several DRClusterConfigs, among them {other:?}: delete all but the cluster's own"),
        ),
    };
    let mut conditions =
        vec![processed.condition(condition::PROCESSED, config.generation, old(condition::PROCESSED), ask.now)];
    conditions.extend(old(condition::REACHABLE).cloned());
    let listed = |kind: Kind| {
        let of_kind = state.listed_classes.values().filter(move |class| class.kind == kind && class.listed);
        of_kind.map(|class| class.name.clone()).collect::<Vec<_>>()
    };
    let fence_classes = listed(Kind::NetworkFenceClass);
    ClusterConfigStatus {
        conditions,
        storage_classes: labelled(&state.storage_classes, |class| class.labels.contains_key(label::STORAGE_ID)),
        snapshot_classes: listed(Kind::VolumeSnapshotClass),
        group_snapshot_classes: listed(Kind::VolumeGroupSnapshotClass),
        replication_classes: labelled(&state.replication_classes, |class| {
            class.labels.contains_key(label::REPLICATION_ID)
        }),
        group_replication_classes: listed(Kind::VolumeGroupReplicationClass),
        access_details: access_details(state, &fence_classes),
        fence_classes,
        networks: state
            .networks
            .values()
            .filter(|network| network.listed)
            .map(|network| (network.key.namespace.clone(), network.key.name.clone(), network.cni_type.clone()))
            .collect(),
    }
}

fn labelled<T>(classes: &BTreeMap<String, T>, listed: impl Fn(&T) -> bool) -> Vec<String> {
    classes.iter().filter(|(_, class)| listed(class)).map(|(name, _)| name.clone()).collect()
}

/// CIDRs by provisioner, each once and sorted (C4).
fn access_details(state: &Spoke, fence_classes: &[String]) -> Vec<(String, Vec<String>)> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (class, cidrs) in state.access_nodes.values().flat_map(|node| &node.clients) {
        if !fence_classes.contains(class) {
            continue;
        }
        if let Some(class) = state.listed_classes.get(&(Kind::NetworkFenceClass, class.clone())) {
            found.entry(class.provisioner.clone()).or_default().extend(cidrs.iter().cloned());
        }
    }
    found.into_iter().map(|(provisioner, cidrs)| (provisioner, cidrs.into_iter().collect())).collect()
}
