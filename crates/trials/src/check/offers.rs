//! What must hold for what clusters offer for DR: told by the cluster, paired by the hub. What is told once has to stay as it
//! is, unless somebody changes classes or identities by hand.

use std::collections::{BTreeMap, BTreeSet};

use ramen_api::{
    path::At as _,
    ramen::wire::{CLUSTER_ID_CLAIM, SCHEDULING_INTERVAL_PARAMETER, label, name},
};
use ramen_sim::{
    agents::object::label as label_of,
    api::Resource,
    api_server::{kinds::TypeName, object},
    kinds,
};
use serde_json::Value;

use super::{all, conditions, holds, one, text, texts, type_name, violated};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// Lists of a DRClusterConfig's status, the classes whose names they hold, and the label that puts a class on the list
/// (spec spoke-config 1.4).
const LISTS: [(&str, Resource, &str); 2] = [
    ("/status/storageClasses", kinds::STORAGE_CLASS, label::STORAGE_ID),
    ("/status/volumeReplicationClasses", kinds::VOLUME_REPLICATION_CLASS, label::REPLICATION_ID),
];

/// What clusters told last, and which of them the hub found valid.
#[derive(Default)]
pub(super) struct Offers {
    /// By cluster: which DRClusterConfig, and of which generation, told what.
    told: BTreeMap<String, (String, Value)>,
    valid: BTreeSet<String>,
}

impl Offers {
    /// Looks at what changed on a cluster, or on the hub.
    pub(super) fn look(
        &mut self,
        universe: &Universe,
        cluster: &str,
        touched: &BTreeSet<TypeName>,
    ) -> Result<(), Violation> {
        let offered = [&kinds::STORAGE_CLASS, &kinds::VOLUME_REPLICATION_CLASS, &kinds::CLUSTER_CLAIM];
        if universe.are_changed_by_hand(&offered) || universe.are_changed_by_hand(&[&kinds::MANAGED_CLUSTER]) {
            return Ok(());
        }
        if cluster != HUB && touched.contains(&type_name(&kinds::DR_CLUSTER_CONFIG)) {
            for config in all(universe, cluster, &kinds::DR_CLUSTER_CONFIG, None) {
                self.tells(universe, cluster, config.value())?;
            }
        }
        if cluster == HUB && touched.contains(&type_name(&kinds::DR_CLUSTER)) {
            self.validated(universe)?;
        }
        if cluster == HUB && touched.contains(&type_name(&kinds::DR_POLICY)) {
            for policy in all(universe, HUB, &kinds::DR_POLICY, None) {
                paired(universe, policy.value())?;
            }
        }
        Ok(())
    }

    /// What a cluster publishes is what it has (CS1, CS3), and the same offer is told in the same words (CS2).
    fn tells(&mut self, universe: &Universe, cluster: &str, config: &Value) -> Result<(), Violation> {
        if conditions(config).next().is_none() {
            return Ok(());
        }
        for (list, kind, mark) in &LISTS {
            let told: Vec<&str> = texts(config, list).collect();
            let classes = all(universe, cluster, kind, None);
            let marked = classes.iter().filter(|class| !label_of(class.value(), mark).is_empty());
            let there: Vec<&str> = marked.map(|class| text(class.value(), "/metadata/name")).collect();
            if told != there {
                let what = format!("{cluster} publishes {}: {told:?}, and has {there:?}", kind.plural);
                return violated("CS1 what is published is there", what);
            }
        }
        // That something is wrong with the question, a second one as a rule, is no offer.
        if !holds(config, "Processed") {
            self.told.remove(cluster);
            return Ok(());
        }
        // What was told before somebody asked anew stays until it was looked at.
        let asked = config.at("/status/conditions/0/observedGeneration");
        let asked = format!("{} {}", text(config, "/metadata/uid"), asked.unwrap_or(&Value::Null));
        let now = (asked, config["status"].clone());
        match self.told.insert(cluster.to_owned(), now.clone()) {
            Some(before) if before.0 == now.0 && before.1 != now.1 => {
                let what = format!("{cluster} tells {}, and told {} of the same classes", now.1, before.1);
                violated("CS2 the same offer in the same words", what)
            }
            _ => Ok(()),
        }
    }

    /// A DRCluster is valid once the cluster has what the hub put there for it (HS14).
    fn validated(&mut self, universe: &Universe) -> Result<(), Violation> {
        let mut valid = BTreeSet::new();
        for cluster in all(universe, HUB, &kinds::DR_CLUSTER, None) {
            let name = text(cluster.value(), "/metadata/name");
            if !holds(cluster.value(), "Validated") {
                continue;
            }
            valid.insert(name.to_owned());
            if !self.valid.contains(name)
                && universe.managed().any(|managed| managed == name)
                && let Some(missing) = not_applied(universe, name)
            {
                let what = format!("DRCluster {name} is validated, and the cluster has {missing}");
                return violated("HS14 validated means applied", what);
            }
        }
        self.valid = valid;
        Ok(())
    }
}

/// At rest every cluster of a DRCluster tells what it offers (CL1).
pub(super) fn at_rest(universe: &Universe) -> Result<(), Violation> {
    for cluster in all(universe, HUB, &kinds::DR_CLUSTER, None) {
        let name = text(cluster.value(), "/metadata/name");
        if object::is_deleting(cluster.value()) || !universe.managed().any(|managed| managed == name) {
            continue;
        }
        let configs = all(universe, name, &kinds::DR_CLUSTER_CONFIG, None);
        if !configs.iter().any(|config| holds(config.value(), "Processed")) {
            return violated("CL1 at rest offers are told", format!("{name} tells nothing of what it offers"));
        }
    }
    Ok(())
}

/// What a cluster lacks of what the hub puts there for each.
fn not_applied(universe: &Universe, cluster: &str) -> Option<String> {
    let id = id_of(universe, cluster);
    let configs = all(universe, cluster, &kinds::DR_CLUSTER_CONFIG, None);
    if !configs.iter().any(|config| Some(text(config.value(), "/spec/clusterID")) == id.as_deref()) {
        return Some("no DRClusterConfig with its identity".to_owned());
    }
    let role = format!("{}drclusterconfig-edit", name::AGENT_ROLE_PREFIX);
    one(universe, cluster, &kinds::CLUSTER_ROLE, "", &role).is_none().then(|| format!("no ClusterRole {role}"))
}

/// The peer classes that a policy publishes are a function of its interval and of the classes of its clusters, the order
/// included (HS1).
fn paired(universe: &Universe, policy: &Value) -> Result<(), Violation> {
    let told = policy.at("/status/async/peerClasses").and_then(Value::as_array);
    let Some(told) = told.filter(|told| !told.is_empty()) else { return Ok(()) };
    let told: Vec<String> = told
        .iter()
        .map(|class| {
            let (ids, storage): (Vec<&str>, Vec<&str>) =
                (texts(class, "/clusterIDs").collect(), texts(class, "/storageID").collect());
            pair(text(class, "/storageClassName"), &ids, &storage, text(class, "/replicationID"))
        })
        .collect();
    let listed: Vec<&str> = texts(policy, "/spec/drClusters").collect();
    let [one, other] = listed.as_slice() else { return Ok(()) };
    if !listed.iter().all(|name| universe.managed().any(|managed| managed == *name)) {
        return Ok(());
    }
    let expected = pairs(universe, one, other, text(policy, "/spec/schedulingInterval"));
    if told == expected {
        return Ok(());
    }
    let name = text(policy, "/metadata/name");
    violated(
        "HS1 the same classes, the same peers",
        format!("DRPolicy {name} publishes {}; its clusters have {}", told.join("; "), expected.join("; ")),
    )
}

/// Which classes of two clusters are each other's, replicated by a class that both have for the interval (spec hub 2.3).
fn pairs(universe: &Universe, one: &str, other: &str, interval: &str) -> Vec<String> {
    let ids = [id_of(universe, one).unwrap_or_default(), id_of(universe, other).unwrap_or_default()];
    let (here, there) =
        (all(universe, one, &kinds::STORAGE_CLASS, None), all(universe, other, &kinds::STORAGE_CLASS, None));
    let mut pairs = Vec::new();
    for class in &here {
        let name = text(class.value(), "/metadata/name");
        let Some(peer) = there.iter().find(|peer| text(peer.value(), "/metadata/name") == name) else { continue };
        let storage = [label_of(class.value(), label::STORAGE_ID), label_of(peer.value(), label::STORAGE_ID)];
        let theirs = relations(universe, other, storage[1], interval);
        let relation = relations(universe, one, storage[0], interval).into_iter().find(|id| theirs.contains(id));
        if let Some(relation) = relation.filter(|_| storage[0] != storage[1]) {
            pairs.push(pair(name, &[&ids[0], &ids[1]], &storage, &relation));
        }
    }
    pairs
}

/// What the classes of a cluster that replicate a storage at an interval call the relation to its peer.
fn relations(universe: &Universe, cluster: &str, storage: &str, interval: &str) -> Vec<String> {
    let classes = all(universe, cluster, &kinds::VOLUME_REPLICATION_CLASS, None);
    let fits = |class: &Value| {
        let every = class.at("/spec/parameters").map(|parameters| &parameters[SCHEDULING_INTERVAL_PARAMETER]);
        label_of(class, label::STORAGE_ID) == storage && every.and_then(Value::as_str) == Some(interval)
    };
    let fitting = classes.iter().filter(|class| fits(class.value()));
    fitting.map(|class| label_of(class.value(), label::REPLICATION_ID).to_owned()).collect()
}

fn pair(class: &str, clusters: &[&str], storage: &[&str], relation: &str) -> String {
    format!("{class} of {} on {} by {relation}", clusters.join(" and "), storage.join(" and "))
}

/// How a cluster names itself.
fn id_of(universe: &Universe, cluster: &str) -> Option<String> {
    let claim = one(universe, cluster, &kinds::CLUSTER_CLAIM, "", CLUSTER_ID_CLAIM)?;
    Some(text(claim.value(), "/spec/value").to_owned())
}
