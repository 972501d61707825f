//! Storage classes that two clusters share, and how their volumes are replicated (spec hub 2).

use ramen_api::ramen::wire::{SCHEDULING_INTERVAL_PARAMETER, label};
use ramen_events::hub::{ClassSeen, PeerClass};

use crate::hub::drcluster::inventory::{Inventory, Named};

/// Peer classes of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Replicated at an interval.
    pub asynchronous: Vec<PeerClass>,
    /// On storage that both clusters use.
    pub synchronous: Vec<PeerClass>,
}

/// Peer classes of all pairs of clusters, in the order of the policy. A cluster without storage classes has none.
pub fn of(interval: &str, inventories: &[Inventory<'_>]) -> Found {
    let mut found = Found::default();
    let usable: Vec<&Inventory<'_>> = inventories.iter().filter(|inventory| !inventory.storage.is_empty()).collect();
    for (index, a) in usable.iter().enumerate() {
        for b in usable.iter().skip(index + 1) {
            let pair = Pair { interval, a, b };
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
    interval: &'a str,
    a: &'a Inventory<'a>,
    b: &'a Inventory<'a>,
}

/// Which of a cluster's classes are looked at.
type Kind<'a> = fn(&'a Inventory<'a>) -> &'a Vec<Named<'a>>;

fn text<'c>(class: &'c ClassSeen, key: &str) -> &'c str {
    class.labels.get(key).map_or("", String::as_str)
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
        if self.interval.is_empty() || offloaded(on_a) != offloaded(on_b) {
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
        } else if self.both_fit(|of| &of.group_snapshot, on_a, on_b) {
            class.grouping = true;
            found.asynchronous.push(class);
        } else if self.both_fit(|of| &of.snapshot, on_a, on_b) {
            found.asynchronous.push(class);
        }
    }

    /// The relation of single volumes.
    fn replication_id(&self, on_a: &ClassSeen, on_b: &ClassSeen) -> String {
        self.common(|of| &of.replication, label::REPLICATION_ID, "", on_a, on_b)
    }

    /// The relation of groups. A storage class that names one admits no other.
    fn group_replication_id(&self, on_a: &ClassSeen, on_b: &ClassSeen) -> String {
        let only = text(on_a, label::GROUP_REPLICATION_ID);
        self.common(|of| &of.group_replication, label::GROUP_REPLICATION_ID, only, on_a, on_b)
    }

    /// The first identity that a fitting class of A carries and a fitting class of B too.
    fn common(&self, kind: Kind<'a>, key: &str, only: &str, on_a: &ClassSeen, on_b: &ClassSeen) -> String {
        let ids = |inventory: &'a Inventory<'a>, storage: &ClassSeen| -> Vec<&'a str> {
            let classes = kind(inventory).iter();
            classes
                .filter(|(_, class)| self.fits(class, storage, true))
                .map(|(_, class)| text(class, key))
                .filter(|id| !id.is_empty() && (only.is_empty() || *id == only))
                .collect()
        };
        let on_b = ids(self.b, on_b);
        ids(self.a, on_a).into_iter().find(|id| on_b.contains(id)).unwrap_or_default().to_owned()
    }

    fn both_fit(&self, kind: Kind<'a>, on_a: &ClassSeen, on_b: &ClassSeen) -> bool {
        let any = |inventory: &'a Inventory<'a>, storage: &ClassSeen| {
            kind(inventory).iter().any(|(_, class)| self.fits(class, storage, false))
        };
        any(self.a, on_a) && any(self.b, on_b)
    }

    /// Whether a class serves the volumes of a storage class of its cluster. Intervals are compared as texts, as the
    /// clusters do.
    fn fits(&self, class: &ClassSeen, storage: &ClassSeen, scheduled: bool) -> bool {
        let id = text(class, label::STORAGE_ID);
        let parameters = class.parameters.value();
        !id.is_empty()
            && id == text(storage, label::STORAGE_ID)
            && class.provisioner == storage.provisioner
            && (!scheduled || parameters[SCHEDULING_INTERVAL_PARAMETER].as_str() == Some(self.interval))
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
