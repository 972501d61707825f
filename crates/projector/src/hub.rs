//! Controllers of the hub: one folder each.
//!
//! ```text
//!   Fact ──fold──> Hub (the latest fact of each object, and who is concerned by whom)
//!                   │
//!                   ├── installation   the operator's ConfigMap, the namespace for discovered applications
//!                   ├── drcluster      rights of the agent, store, inventory of one cluster
//!                   ├── drpolicy       peer classes of two clusters
//!                   └── drpc           one application: runbooks for deploy, failover, relocate, deletion
//! ```
//!
//! A decision reads its own aggregate and the neighbours that its folder names. Everything is level-triggered: what is
//! wanted is compared with the facts, so a hub that lost its log goes on from the objects.

mod conditions;
mod drcluster;
mod drpc;
mod drpolicy;
mod fold;
mod gauges;
mod index;
mod installation;
mod modes;
mod state;
mod touched;

#[cfg(test)]
mod story;

use std::collections::BTreeSet;

use ramen_events::{Aggregate, Command, Controller, Fact, Kind, ObjectId, Operator, Time, hub::ObjectRef};

use crate::domain::{Ask, Change, Decision, Domain, Gauge, Ground};

pub use drpc::{gates as drpc_gates, steps as drpc_steps};
pub use state::{Asked, Hub};

impl Domain for Hub {
    const OPERATOR: Operator = Operator::Hub;

    fn is_news(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Hub(fact) => self.is_news(fact),
            Fact::Spoke(_) => false,
        }
    }

    fn apply(&mut self, now: Time, change: Change<'_>) {
        self.fold(now, change);
    }

    fn touched(&self, change: Change<'_>) -> BTreeSet<Aggregate> {
        self.concerned(change)
    }

    fn aggregates(&self) -> BTreeSet<Aggregate> {
        let policies = self.policies.keys().map(|name| policy(name));
        let clusters = self.clusters.keys().map(|name| cluster(name));
        let drpcs = self.drpcs.keys().map(drpc);
        policies.chain(clusters).chain(drpcs).chain([installation()]).collect()
    }

    fn exists(&self, aggregate: &Aggregate) -> bool {
        match aggregate.controller {
            Controller::Installation => true,
            Controller::DrPolicy => self.policies.contains_key(&aggregate.name),
            Controller::DrCluster => self.clusters.contains_key(&aggregate.name),
            Controller::Drpc => self.drpcs.contains_key(&key(aggregate)),
            _ => false,
        }
    }

    fn known(&self, kind: Kind) -> BTreeSet<ObjectId> {
        self.objects(kind)
    }

    fn gauges(&self) -> Vec<Gauge> {
        gauges::of(self)
    }

    fn grounds(&self, aggregate: &Aggregate, command: &Command) -> Vec<Ground> {
        match (aggregate.controller, command) {
            (Controller::Drpc, Command::Hub(command)) => drpc::grounds(self, &key(aggregate), command),
            _ => Vec::new(),
        }
    }

    fn decide(&self, ask: Ask<'_>) -> Decision {
        match ask.aggregate.controller {
            Controller::Installation => installation::decide(self),
            Controller::DrPolicy => drpolicy::decide(self, ask),
            Controller::DrCluster => drcluster::decide(self, ask),
            Controller::Drpc => drpc::decide(self, ask),
            _ => Decision::default(),
        }
    }
}

/// The installation: its ConfigMap and what belongs to no other aggregate.
fn installation() -> Aggregate {
    Aggregate::new(Controller::Installation, "", "hub")
}

/// A DRPolicy.
fn policy(name: &str) -> Aggregate {
    Aggregate::new(Controller::DrPolicy, "", name)
}

/// A DRCluster.
fn cluster(name: &str) -> Aggregate {
    Aggregate::new(Controller::DrCluster, "", name)
}

/// A DRPlacementControl.
fn drpc(key: &ObjectRef) -> Aggregate {
    Aggregate::new(Controller::Drpc, &key.namespace, &key.name)
}

/// The object that an aggregate is.
fn key(aggregate: &Aggregate) -> ObjectRef {
    ObjectRef::new(&aggregate.namespace, &aggregate.name)
}
