//! Storage classes that two clusters share, and how their volumes are replicated (spec hub 2).

use std::collections::BTreeMap;

use ramen_api::ramen::wire::{SCHEDULING_INTERVAL_PARAMETER, label};
use ramen_events::hub::{ClassSeen, PeerClass, PolicySpec};

use crate::{
    ONE_RULE,
    hub::drcluster::inventory::{Inventory, Named},
    replication_class::{self, Labels, Misfit, Need, Offer},
};

/// Peer classes of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Replicated at an interval.
    pub asynchronous: Vec<PeerClass>,
    /// On storage that both clusters use.
    pub synchronous: Vec<PeerClass>,
    /// Storage classes that would be replicated, but for labels: what to do about each.
    pub left_out: Vec<String>,
}

/// What a policy asks of replication classes.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// `schedulingInterval`.
    pub interval: String,
    /// `replicationClassSelector.matchLabels`.
    pub selector: Labels,
    /// Whether the classes that clusters would not choose are left out, as clusters do.
    pub one_rule: bool,
}

impl Terms {
    /// The terms of a policy, as deciders of a version read them.
    pub fn of(spec: &PolicySpec, decider: u32) -> Self {
        let one_rule = decider >= ONE_RULE;
        let selector = spec.replication_class_selector.value();
        let labels = selector["matchLabels"].as_object().filter(|_| one_rule);
        let pair = |(name, value): (&String, &serde_json::Value)| Some((name.clone(), value.as_str()?.to_owned()));
        let selector = labels.into_iter().flatten().filter_map(pair).collect();
        Self { interval: spec.interval.clone(), selector, one_rule }
    }
}

/// Peer classes of all pairs of clusters, in the order of the policy. A cluster without storage classes has none.
pub fn of(terms: &Terms, inventories: &[Inventory<'_>]) -> Found {
    let mut found = Found::default();
    let usable: Vec<&Inventory<'_>> = inventories.iter().filter(|inventory| !inventory.storage.is_empty()).collect();
    for (index, a) in usable.iter().enumerate() {
        for b in usable.iter().skip(index + 1) {
            let pair = Pair { terms, a, b };
            for (name, on_a) in &a.storage {
                if let Some((_, on_b)) = b.storage.iter().find(|(other, _)| other == name) {
                    pair.class(name, on_a, on_b, &mut found);
                }
            }
        }
    }
    found
}

/// What is published after `found` was computed: the order of what is there is kept, values are refreshed, and what was
/// not found again goes (spec hub 2.4).
pub fn merge(published: &[PeerClass], found: Vec<PeerClass>) -> Vec<PeerClass> {
    let mut rest = found;
    let mut merged = Vec::new();
    for before in published {
        if let Some(at) = rest.iter().position(|now| is_same(before, now)) {
            merged.push(rest.remove(at));
        }
    }
    merged.append(&mut rest);
    merged
}

fn is_same(one: &PeerClass, other: &PeerClass) -> bool {
    let sorted = |class: &PeerClass| {
        let mut ids = class.cluster_ids.clone();
        ids.sort();
        ids
    };
    let (a, b) = (&one.group_replication_id, &other.group_replication_id);
    one.storage_class == other.storage_class && sorted(one) == sorted(other) && (a.is_empty() || b.is_empty() || a == b)
}

/// Two clusters, the earlier one of the policy first.
struct Pair<'a> {
    terms: &'a Terms,
    a: &'a Inventory<'a>,
    b: &'a Inventory<'a>,
}

/// Which of a cluster's classes are looked at.
type Kind<'a> = fn(&'a Inventory<'a>) -> &'a Vec<Named<'a>>;

fn text<'c>(class: &'c ClassSeen, key: &str) -> &'c str {
    replication_class::text(&class.labels, key)
}

/// Whether a snapshot class is for the volumes of a storage class of its cluster.
fn is_on_storage(class: &ClassSeen, storage: &ClassSeen) -> bool {
    let id = text(class, label::STORAGE_ID);
    !id.is_empty() && id == text(storage, label::STORAGE_ID) && class.provisioner == storage.provisioner
}

impl<'a> Pair<'a> {
    /// One storage class that both have. An identity that is empty counts as absent: two classes without one are not
    /// one storage (spec hub 13, H22).
    fn class(&self, name: &str, on_a: &ClassSeen, on_b: &ClassSeen, found: &mut Found) {
        let (id_a, id_b) = (text(on_a, label::STORAGE_ID), text(on_b, label::STORAGE_ID));
        if id_a.is_empty() || id_b.is_empty() {
            return;
        }
        let mut class = PeerClass {
            storage_class: name.to_owned(),
            cluster_ids: vec![self.a.id.clone(), self.b.id.clone()],
            ..PeerClass::default()
        };
        if id_a == id_b {
            class.storage_ids = vec![id_a.to_owned()];
            found.synchronous.push(class);
            return;
        }
        class.storage_ids = vec![id_a.to_owned(), id_b.to_owned()];
        let offloaded = |class: &ClassSeen| class.labels.contains_key(label::OFFLOADED);
        if self.terms.interval.is_empty() || offloaded(on_a) != offloaded(on_b) {
            return;
        }
        let group = self.group_replication_id(on_a, on_b);
        if offloaded(on_a) {
            if !group.is_empty() {
                class.global = self.is_global(&group);
                (class.offloaded, class.grouping, class.group_replication_id) = (true, true, group);
                found.asynchronous.push(class);
            }
            return;
        }
        let relation = self.replication_id(on_a, on_b);
        if !relation.is_empty() {
            class.replication_id = relation;
            class.grouping = !group.is_empty();
            class.group_replication_id = group;
            found.asynchronous.push(class);
        } else if let Some(words) = self.left_out(name, on_a, on_b) {
            // Its volumes are meant to be replicated: who copied snapshots instead would do what nobody asked for.
            found.left_out.push(words);
        } else if self.both_fit(|of| &of.group_snapshot, on_a, on_b) {
            class.grouping = true;
            found.asynchronous.push(class);
        } else if self.both_fit(|of| &of.snapshot, on_a, on_b) {
            found.asynchronous.push(class);
        }
    }

    /// The relation of single volumes.
    fn replication_id(&self, on_a: &ClassSeen, on_b: &ClassSeen) -> String {
        self.common(|of| &of.replication, label::REPLICATION_ID, on_a, on_b)
    }

    /// The relation of groups.
    fn group_replication_id(&self, on_a: &ClassSeen, on_b: &ClassSeen) -> String {
        self.common(|of| &of.group_replication, label::GROUP_REPLICATION_ID, on_a, on_b)
    }

    /// The first identity that a fitting class of A carries and a fitting class of B too.
    fn common(&self, kind: Kind<'a>, key: &'static str, on_a: &ClassSeen, on_b: &ClassSeen) -> String {
        // Without the one rule, the group that the storage class of A names counts on both sides.
        let only = if key == label::GROUP_REPLICATION_ID && !self.terms.one_rule { text(on_a, key) } else { "" };
        let ids = |inventory: &'a Inventory<'a>, storage: &ClassSeen| -> Vec<&'a str> {
            let classes = kind(inventory).iter();
            classes
                .filter(|(_, class)| self.serves(class, storage, key))
                .map(|(_, class)| text(class, key))
                .filter(|id| only.is_empty() || *id == only)
                .collect()
        };
        let on_b = ids(self.b, on_b);
        ids(self.a, on_a).into_iter().find(|id| on_b.contains(id)).unwrap_or_default().to_owned()
    }

    /// Whether a replication class serves the volumes of a storage class of its cluster.
    fn serves(&self, class: &ClassSeen, storage: &ClassSeen, relation: &'static str) -> bool {
        match self.misfit(class, storage, relation) {
            None => true,
            Some(misfit) => misfit.is_choice() && !self.terms.one_rule,
        }
    }

    fn misfit(&self, class: &ClassSeen, storage: &ClassSeen, relation: &'static str) -> Option<Misfit> {
        let parameters = class.parameters.value();
        let interval = parameters[SCHEDULING_INTERVAL_PARAMETER].as_str().unwrap_or_default();
        let need = Need {
            provisioner: &storage.provisioner,
            labels: &storage.labels,
            interval: &self.terms.interval,
            selector: &self.terms.selector,
            relation,
        };
        let offer = Offer { provisioner: &class.provisioner, labels: &class.labels, interval };
        replication_class::misfit(need, offer)
    }

    /// What is to be done about a storage class that both clusters could replicate if labels were corrected, which only
    /// tell which of several classes to take; `None` when they could not.
    fn left_out(&self, name: &str, on_a: &ClassSeen, on_b: &ClassSeen) -> Option<String> {
        const KEY: &str = label::REPLICATION_ID;
        if !self.terms.one_rule {
            return None;
        }
        let near = |inventory: &'a Inventory<'a>, storage: &ClassSeen| -> BTreeMap<&'a str, Option<Misfit>> {
            let judged = inventory.replication.iter().map(|(_, class)| (class, self.misfit(class, storage, KEY)));
            let mut near = BTreeMap::new();
            for (class, misfit) in judged.filter(|(_, misfit)| misfit.is_none_or(Misfit::is_choice)) {
                let known = near.entry(text(class, KEY)).or_insert(misfit);
                *known = misfit.min(*known);
            }
            near
        };
        let (near_a, near_b) = (near(self.a, on_a), near(self.b, on_b));
        near_a.keys().find(|id| near_b.contains_key(*id))?;
        let sides = [(self.a, on_a, near_a), (self.b, on_b, near_b)];
        for (inventory, storage, near) in &sides {
            if near.values().any(Option::is_none) {
                continue;
            }
            let cluster = &inventory.cluster;
            let ids = near.keys().copied().collect::<Vec<_>>().join(", ");
            return Some(match near.values().flatten().max() {
                Some(Misfit::Selector) => format!(
                    "StorageClass {name} is left out: spec.replicationClassSelector asks for labels {}, which no \
                     VolumeReplicationClass that fits it on cluster {cluster} has: label one on each cluster",
                    replication_class::in_words(&self.terms.selector)
                ),
                _ => format!(
                    "StorageClass {name} is left out: its label {KEY}={} on cluster {cluster} is that of no \
                     VolumeReplicationClass that fits it otherwise ({ids}): correct the label, or take it off",
                    text(storage, KEY)
                ),
            });
        }
        let [said_a, said_b] = sides.map(|(inventory, _, near)| {
            let ids = near.into_iter().filter(|(_, misfit)| misfit.is_none()).map(|(id, _)| id);
            format!("{} on cluster {}", ids.collect::<Vec<_>>().join(", "), inventory.cluster)
        });
        Some(format!(
            "StorageClass {name} is left out: by its label {KEY}, and by spec.replicationClassSelector, the \
             VolumeReplicationClasses that fit it are those of {said_a}, and {said_b}: correct the labels, so that both name \
             the same relation"
        ))
    }

    fn both_fit(&self, kind: Kind<'a>, on_a: &ClassSeen, on_b: &ClassSeen) -> bool {
        let any = |inventory: &'a Inventory<'a>, storage: &ClassSeen| {
            kind(inventory).iter().any(|(_, class)| is_on_storage(class, storage))
        };
        any(self.a, on_a) && any(self.b, on_b)
    }

    /// Whether the group is shared by applications, which both clusters must say.
    fn is_global(&self, group: &str) -> bool {
        let says = |inventory: &Inventory<'_>| {
            let mut classes = inventory.group_replication.iter();
            let first = classes.find(|(_, class)| text(class, label::GROUP_REPLICATION_ID) == group);
            first.is_some_and(|(_, class)| text(class, label::GLOBAL) == label::TRUE)
        };
        says(self.a) && says(self.b)
    }
}
