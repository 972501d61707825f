//! What must hold for policies and DRClusters.

use std::collections::{BTreeMap, BTreeSet};

use ramen_api::{
    path::At as _,
    ramen::wire::{CLUSTER_ID_CLAIM, finalizer, label, name},
};
use ramen_sim::{
    agents::object::label as label_of,
    api_server::{kinds::TypeName, object},
    kinds,
};
use serde_json::Value;

use super::{Lasting, all, conditions, one, text, texts, type_name, violated};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// What was there on the hub last.
#[derive(Default)]
pub(super) struct Policies {
    /// The classes that each policy published, by UID.
    published: BTreeMap<String, BTreeSet<(String, String)>>,
    /// Policies, by UID, one of whose classes was taken away by a user.
    withdrawn: BTreeSet<String>,
    policies: BTreeSet<String>,
    clusters: BTreeSet<String>,
    /// How often the hub had been rebuilt by then: what is not there any more was not let go then.
    forgot: u32,
    /// The ids that each managed cluster claimed so far, in their order.
    ids: BTreeMap<String, Vec<String>>,
}

/// What news may take, in milliseconds, when a cluster claims another id: its policies learn of it from views.
const NEWS: u64 = 90_000;

impl Policies {
    pub(super) fn look(
        &mut self,
        universe: &Universe,
        touched: &BTreeSet<TypeName>,
        lasting: &mut Lasting,
    ) -> Result<(), Violation> {
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
                let works = [name::DR_CLUSTER_WORK, name::DR_CLUSTER_CONFIG_WORK];
                let left =
                    works.into_iter().find(|work| one(universe, HUB, &kinds::MANIFEST_WORK, gone, work).is_some());
                if let Some(work) = left.filter(|_| !universe.has_rival(HUB)) {
                    let what = format!("DRCluster {gone} is gone, and its ManifestWork {work} is there");
                    return violated("HS10 a DRCluster goes last", what);
                }
            }
        }
        (self.policies, self.clusters, self.forgot) = (there, clusters, universe.hub_forgot);
        self.note_ids(universe);
        all_policies.iter().try_for_each(|policy| self.pairs_own_clusters(policy.value()))?;
        for policy in &all_policies {
            let about = format!("DRPolicy {}", name(policy.value()));
            let former = self.pairs_former_ids(policy.value());
            lasting.note("HS2 classes pair the policy's clusters", (HUB, about), former, universe.now(), NEWS);
        }
        all_policies.iter().try_for_each(|policy| self.publishes(universe, policy.value(), lasting))
    }

    /// A policy is valid once its classes are known, and what is known is not forgotten.
    fn publishes(&mut self, universe: &Universe, policy: &Value, lasting: &mut Lasting) -> Result<(), Violation> {
        const USABLE: &str = "HS3 valid means usable";
        let (name, uid) = (text(policy, "/metadata/name"), text(policy, "/metadata/uid").to_owned());
        let word =
            |class: &Value| (text(class, "/storageClassName").to_owned(), text(class, "/replicationID").to_owned());
        let published: BTreeSet<_> = classes(policy, "/status/async/peerClasses").map(word).collect();
        let before = self.published.insert(uid.clone(), published.clone()).unwrap_or_default();
        for (class, relation) in before.difference(&published) {
            if is_offered(universe, policy, class) {
                let what =
                    format!("DRPolicy {name} does not publish class {class} {relation} any more, which is there");
                return violated("HS5 classes stay published", what);
            }
            self.withdrawn.insert(uid.clone());
        }
        let valid = conditions(policy).any(|told| told["type"] == "Validated" && told["status"] == "True");
        let bad = (valid && published.is_empty()).then(|| format!("DRPolicy {name} is valid and has no classes"));
        if !self.withdrawn.contains(&uid) {
            return bad.map_or(Ok(()), |what| violated(USABLE, what));
        }
        // A user took the labels off a class. When they are back the policy hears of it in a moment.
        let usual = universe.outline().storage_class_of(name);
        let bad = bad.filter(|_| is_offered(universe, policy, &usual));
        lasting.note(USABLE, (HUB, format!("DRPolicy {name}")), bad, universe.now(), NEWS);
        Ok(())
    }
}

/// Whether all clusters of a policy offer a class for disaster recovery: it is labelled, and a replication class of its
/// cluster is of that storage, of the relation that it names if it names one, and one that the policy selects.
fn is_offered(universe: &Universe, policy: &Value, class: &str) -> bool {
    let offered = |cluster: &str| {
        let Some(class) = one(universe, cluster, &kinds::STORAGE_CLASS, "", class) else { return false };
        let labels = &class.value()["metadata"]["labels"];
        let serves = |labelled: &Value| {
            labelled[label::STORAGE_ID] == labels[label::STORAGE_ID]
                && [&Value::Null, &labelled[label::REPLICATION_ID]].contains(&&labels[label::REPLICATION_ID])
                && is_selected(policy, labelled)
        };
        let replication = all(universe, cluster, &kinds::VOLUME_REPLICATION_CLASS, None);
        // An empty id says nothing of the storage: it is none.
        !label_of(class.value(), label::STORAGE_ID).is_empty()
            && replication.iter().any(|class| serves(&class.value()["metadata"]["labels"]))
    };
    listed(policy).filter(|cluster| universe.managed().any(|name| name == *cluster)).all(offered)
}

/// Whether a policy selects replication classes with these labels.
fn is_selected(policy: &Value, labels: &Value) -> bool {
    let selector = policy.at("/spec/replicationClassSelector/matchLabels").and_then(Value::as_object);
    selector.into_iter().flatten().all(|(name, value)| labels[name] == *value)
}

impl Policies {
    /// Clusters claim ids, and other ones when they are made anew.
    fn note_ids(&mut self, universe: &Universe) {
        for cluster in universe.managed() {
            let Some(id) = id_of(universe, cluster) else { continue };
            let claimed = self.ids.entry(cluster.to_owned()).or_default();
            if claimed.last() != Some(&id) {
                claimed.push(id);
            }
        }
    }

    /// The ids that the clusters of a policy claimed, by what `which` takes of those of each.
    fn ids_of<'a>(&'a self, policy: &Value, which: fn(&'a [String]) -> &'a [String]) -> BTreeSet<&'a str> {
        let clusters = listed(policy).filter_map(|cluster| self.ids.get(cluster));
        clusters.flat_map(|claimed| which(claimed)).map(String::as_str).collect()
    }

    /// A peer class pairs clusters of its policy, and a class is replicated in one way only (HS2).
    fn pairs_own_clusters(&self, policy: &Value) -> Result<(), Violation> {
        const RULE: &str = "HS2 classes pair the policy's clusters";
        let name = text(policy, "/metadata/name");
        let own = self.ids_of(policy, |claimed| claimed);
        for class in classes(policy, "/status/async/peerClasses") {
            let class_name = text(class, "/storageClassName");
            let ids = ids_in(class);
            if ids.len() < 2 || !ids.is_subset(&own) {
                let list = |ids: BTreeSet<&str>| ids.into_iter().collect::<Vec<_>>().join(", ");
                let what = format!("DRPolicy {name} pairs class {class_name} of {}, and has {}", list(ids), list(own));
                return violated(RULE, what);
            }
            if classes(policy, "/status/sync/peerClasses").any(|sync| sync["storageClassName"] == *class_name) {
                return violated(RULE, format!("DRPolicy {name} replicates class {class_name} in two ways"));
            }
        }
        Ok(())
    }

    /// The first peer class that pairs a cluster by an id which that claims no more.
    fn pairs_former_ids(&self, policy: &Value) -> Option<String> {
        let now = self.ids_of(policy, |claimed| claimed.last().map(std::slice::from_ref).unwrap_or_default());
        let former = classes(policy, "/status/async/peerClasses").flat_map(ids_in).find(|id| !now.contains(id))?;
        Some(format!("pairs {former}, which no cluster of it claims any more"))
    }
}

fn classes<'a>(policy: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    policy.at(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn ids_in(class: &Value) -> BTreeSet<&str> {
    texts(class, "/clusterIDs").collect()
}

fn listed(policy: &Value) -> impl Iterator<Item = &str> {
    texts(policy, "/spec/drClusters")
}

/// How a managed cluster names itself.
fn id_of(universe: &Universe, cluster: &str) -> Option<String> {
    let managed = one(universe, HUB, &kinds::MANAGED_CLUSTER, "", cluster)?;
    let mut claims = managed.value().at("/status/clusterClaims")?.as_array()?.iter();
    let id = claims.find(|claim| claim["name"] == CLUSTER_ID_CLAIM)?;
    Some(text(id, "/value").to_owned())
}

fn lists(policy: &Value, cluster: &str) -> bool {
    listed(policy).any(|name| name == cluster)
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
