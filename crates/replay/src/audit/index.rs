//! Which entries may matter to which application: looked up once, since there may be thousands of applications in a million
//! records.

use std::collections::BTreeMap;

use ramen_events::{Aggregate, Controller, Fact, Kind, Payload, hub};

use crate::merge::{Entry, Merged};

/// Entries by what they are about, in order.
pub struct Index {
    /// Of each DRPC, by namespace and name: its facts, works, decisions and outcomes, and those of its VRGs; facts about
    /// claims, their replication and pods in the VRGs' namespaces.
    applications: BTreeMap<(String, String), Vec<usize>>,
    /// Facts about clusters and policies; starts of operators, and lost records.
    pub world: Vec<usize>,
}

impl Index {
    /// Goes through all entries.
    pub fn of(merged: &Merged) -> Self {
        let owners = crate::walks::owners(merged);
        let mut by_namespace: BTreeMap<&str, Vec<&Aggregate>> = BTreeMap::new();
        for ((namespace, _), owner) in &owners {
            let owned = by_namespace.entry(namespace).or_default();
            if !owned.contains(&owner) {
                owned.push(owner);
            }
        }
        let mut index = Self { applications: BTreeMap::new(), world: Vec::new() };
        for (at, entry) in merged.entries.iter().enumerate() {
            if is_of_the_world(entry) {
                index.world.push(at);
            }
            match owner(entry) {
                Some(Of::Drpc(namespace, name)) => index.add((namespace.to_owned(), name.to_owned()), at),
                Some(Of::Namespace(namespace)) => {
                    for owner in by_namespace.get(namespace).into_iter().flatten() {
                        index.add((owner.namespace.clone(), owner.name.clone()), at);
                    }
                }
                None => {}
            }
        }
        index
    }

    fn add(&mut self, application: (String, String), at: usize) {
        self.applications.entry(application).or_default().push(at);
    }

    /// The entries of a DRPC.
    pub fn own(&self, drpc: &Aggregate) -> &[usize] {
        self.applications.get(&(drpc.namespace.clone(), drpc.name.clone())).map_or(&[], Vec::as_slice)
    }
}

/// Entries from one to another, both included.
pub fn between(entries: &[usize], from: usize, to: usize) -> &[usize] {
    let first = entries.partition_point(|entry| *entry < from);
    let last = entries.partition_point(|entry| *entry <= to);
    entries.get(first..last.max(first)).unwrap_or_default()
}

/// What an entry is of.
enum Of<'a> {
    Drpc(&'a str, &'a str),
    Namespace(&'a str),
}

fn owner(entry: &Entry) -> Option<Of<'_>> {
    if let Some(aggregate) = &entry.record.aggregate {
        return match aggregate.controller {
            Controller::Drpc => Some(Of::Drpc(&aggregate.namespace, &aggregate.name)),
            Controller::Vrg => Some(Of::Namespace(&aggregate.namespace)),
            _ => None,
        };
    }
    match &entry.record.payload {
        Payload::Observed(Fact::Hub(hub::Fact::Drpc(drpc))) => Some(Of::Drpc(&drpc.meta.namespace, &drpc.meta.name)),
        Payload::Observed(Fact::Hub(hub::Fact::Authors(authors))) => {
            Some(Of::Drpc(&authors.drpc.namespace, &authors.drpc.name))
        }
        Payload::Observed(Fact::Hub(hub::Fact::Work(work))) => {
            work.drpc.as_ref().map(|drpc| Of::Drpc(&drpc.namespace, &drpc.name))
        }
        Payload::Observed(Fact::Spoke(fact)) => {
            use ramen_events::spoke::Fact as F;
            let key = match fact {
                F::Vrg(vrg) | F::FencedVrg { vrg, .. } => &vrg.key,
                F::Pvc(pvc) => &pvc.key,
                F::VolumeReplication(replication) => &replication.key,
                F::Pod(pod) => &pod.key,
                _ => return None,
            };
            Some(Of::Namespace(&key.namespace))
        }
        Payload::Gone(object) if matches!(object.kind, Kind::PersistentVolumeClaim | Kind::Vrg) => {
            Some(Of::Namespace(&object.namespace))
        }
        _ => None,
    }
}

fn is_of_the_world(entry: &Entry) -> bool {
    matches!(
        &entry.record.payload,
        Payload::Started { .. }
            | Payload::Lost { .. }
            | Payload::Observed(Fact::Hub(hub::Fact::ManagedCluster(_) | hub::Fact::Policy(_)))
    )
}
