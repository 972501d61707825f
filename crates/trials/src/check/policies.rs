//! What must hold for policies and DRClusters.

use std::collections::{BTreeMap, BTreeSet};

use ramen_api::{
    path::At as _,
    ramen::wire::{CLUSTER_ID_CLAIM, finalizer},
};
use ramen_sim::{
    api_server::{kinds::TypeName, object},
    kinds,
};
use serde_json::Value;

use super::{all, conditions, one, text, type_name, violated};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// What was there on the hub last.
#[derive(Default)]
pub(super) struct Policies {
    /// The classes that each policy published, by UID.
    published: BTreeMap<String, BTreeSet<String>>,
    policies: BTreeSet<String>,
    clusters: BTreeSet<String>,
    /// How often the hub had been rebuilt by then: what is not there any more was not let go then.
    forgot: u32,
}

impl Policies {
    pub(super) fn look(&mut self, universe: &Universe, touched: &BTreeSet<TypeName>) -> Result<(), Violation> {
        let policies = touched.contains(&type_name(&kinds::DR_POLICY));
        if !policies && !touched.contains(&type_name(&kinds::DR_CLUSTER)) {
            return Ok(());
        }
        let all_policies = all(universe, HUB, &kinds::DR_POLICY, None);
        let all_clusters = all(universe, HUB, &kinds::DR_CLUSTER, None);
        let name = |object: &Value| text(object, "/metadata/name").to_owned();
        let there: BTreeSet<String> = all_policies.iter().map(|policy| name(policy.value())).collect();
        let clusters: BTreeSet<String> = all_clusters.iter().map(|cluster| name(cluster.value())).collect();
        if universe.hub_forgot == self.forgot {
            self.policies.difference(&there).try_for_each(|gone| policy_is_free(universe, gone))?;
            for gone in self.clusters.difference(&clusters) {
                if let Some(policy) = all_policies.iter().find(|policy| lists(policy.value(), gone)) {
                    let what = format!("DRCluster {gone} is gone, and DRPolicy {} lists it", name(policy.value()));
                    return violated("HS10 what is referred to stays", what);
                }
            }
        }
        (self.policies, self.clusters, self.forgot) = (there, clusters, universe.hub_forgot);
        all_policies.iter().try_for_each(|policy| pairs_own_clusters(universe, policy.value()))?;
        all_policies.iter().try_for_each(|policy| self.publishes(policy.value()))
    }

    /// A policy is valid once its classes are known, and what is known is not forgotten.
    fn publishes(&mut self, policy: &Value) -> Result<(), Violation> {
        let name = text(policy, "/metadata/name");
        let classes = policy.at("/status/async/peerClasses").and_then(Value::as_array);
        let word = |class: &Value| format!("{} {}", text(class, "/storageClassName"), text(class, "/replicationID"));
        let classes: BTreeSet<String> = classes.into_iter().flatten().map(word).collect();
        let valid = conditions(policy).any(|told| told["type"] == "Validated" && told["status"] == "True");
        if valid && classes.is_empty() {
            return violated("HS3 valid means usable", format!("DRPolicy {name} is valid and has no classes"));
        }
        let before = self.published.insert(text(policy, "/metadata/uid").to_owned(), classes.clone());
        if let Some(lost) = before.into_iter().flatten().find(|class| !classes.contains(class)) {
            let what = format!("DRPolicy {name} does not publish class {lost} any more, which is there");
            return violated("HS5 classes stay published", what);
        }
        Ok(())
    }
}

/// A peer class pairs clusters of its policy, and a class is replicated in one way only (HS2).
fn pairs_own_clusters(universe: &Universe, policy: &Value) -> Result<(), Violation> {
    const RULE: &str = "HS2 classes pair the policy's clusters";
    let name = text(policy, "/metadata/name");
    let listed = policy.at("/spec/drClusters").and_then(Value::as_array).into_iter().flatten();
    let own: Vec<String> = listed.filter_map(Value::as_str).filter_map(|cluster| id_of(universe, cluster)).collect();
    let classes = |pointer: &str| policy.at(pointer).and_then(Value::as_array).into_iter().flatten();
    for class in classes("/status/async/peerClasses") {
        let class_name = text(class, "/storageClassName");
        let ids = class["clusterIDs"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let ids: BTreeSet<&str> = ids.collect();
        if ids.len() < 2 || ids.iter().any(|id| !own.iter().any(|own| own == id)) {
            let ids: Vec<&str> = ids.into_iter().collect();
            let what =
                format!("DRPolicy {name} pairs class {class_name} of {}, and has {}", ids.join(", "), own.join(", "));
            return violated(RULE, what);
        }
        if classes("/status/sync/peerClasses").any(|sync| sync["storageClassName"] == *class_name) {
            return violated(RULE, format!("DRPolicy {name} replicates class {class_name} in two ways"));
        }
    }
    Ok(())
}

/// How a managed cluster names itself.
fn id_of(universe: &Universe, cluster: &str) -> Option<String> {
    let managed = one(universe, HUB, &kinds::MANAGED_CLUSTER, "", cluster)?;
    let mut claims = managed.value().at("/status/clusterClaims")?.as_array()?.iter();
    let id = claims.find(|claim| claim["name"] == CLUSTER_ID_CLAIM)?;
    Some(text(id, "/value").to_owned())
}

fn lists(policy: &Value, cluster: &str) -> bool {
    let listed = policy.at("/spec/drClusters").and_then(Value::as_array);
    listed.into_iter().flatten().any(|name| name == cluster)
}

/// A policy goes when no DRPC that was taken under it is left.
fn policy_is_free(universe: &Universe, policy: &str) -> Result<(), Violation> {
    let refers = |drpc: &Value| {
        text(drpc, "/spec/drPolicyRef/name") == policy && object::finalizers(drpc).contains(&finalizer::DRPC)
    };
    match all(universe, HUB, &kinds::DRPC, None).iter().find(|drpc| refers(drpc.value())) {
        None => Ok(()),
        Some(drpc) => {
            let name = text(drpc.value(), "/metadata/name");
            violated(
                "HS10 what is referred to stays",
                format!("DRPolicy {policy} is gone, and DRPC {name} refers to it"),
            )
        }
    }
}

/// The first policy or DRCluster that is being deleted, though nothing refers to it any more (HL4).
pub(super) fn ends(universe: &Universe) -> Option<String> {
    let policies = all(universe, HUB, &kinds::DR_POLICY, None);
    let drpcs = all(universe, HUB, &kinds::DRPC, None);
    let is_free = |policy: &Value| {
        let refers = |drpc: &Value| drpc.at("/spec/drPolicyRef/name") == policy.at("/metadata/name");
        !drpcs.iter().any(|drpc| refers(drpc.value()))
    };
    let clusters = all(universe, HUB, &kinds::DR_CLUSTER, None);
    let is_unlisted = |cluster: &Value| {
        let name = text(cluster, "/metadata/name");
        !policies.iter().any(|policy| lists(policy.value(), name))
    };
    let policy = policies.iter().filter(|policy| is_free(policy.value())).map(|policy| ("DRPolicy", policy));
    let cluster = clusters.iter().filter(|cluster| is_unlisted(cluster.value())).map(|cluster| ("DRCluster", cluster));
    let mut ending = policy.chain(cluster).filter(|(_, object)| object::is_deleting(object.value()));
    ending.next().map(|(kind, object)| {
        let name = text(object.value(), "/metadata/name");
        format!("{kind} {name} is still being deleted, and nothing refers to it")
    })
}
