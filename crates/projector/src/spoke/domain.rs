//! The pipeline's view of the managed cluster's controllers.

use std::collections::BTreeSet;

use ramen_events::{Aggregate, Command, Controller, Fact, Kind, ObjectId, Operator, Time, spoke::Key};

use super::{
    Spoke, cluster_config,
    relations::{cluster_config_aggregate, operator_aggregate, vrg_aggregate},
    vrg,
};
use crate::domain::{Ask, Change, Decision, Domain};

impl Domain for Spoke {
    const OPERATOR: Operator = Operator::Spoke;

    fn is_news(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Spoke(fact) => Spoke::is_news(self, fact),
            Fact::Hub(_) => false,
        }
    }

    fn apply(&mut self, _now: Time, change: Change<'_>) {
        match change {
            Change::Observed(Fact::Spoke(fact)) => self.learn(fact),
            Change::Gone(object) => self.lose(object),
            Change::Finished { command: Command::Spoke(command), outcome, .. } if outcome.is_done() => {
                self.done(command);
            }
            _ => {}
        }
    }

    fn touched(&self, change: Change<'_>) -> BTreeSet<Aggregate> {
        match change {
            Change::Observed(Fact::Spoke(fact)) => {
                let mut touched = self.concerned(fact);
                // What the object was until now may concern others than what it is.
                touched.append(&mut self.concerned_by_end(&fact.object()));
                touched
            }
            Change::Gone(object) => self.concerned_by_end(object),
            _ => BTreeSet::new(),
        }
    }

    fn aggregates(&self) -> BTreeSet<Aggregate> {
        let vrgs = self.vrgs.keys().map(vrg_aggregate);
        let configs = self.cluster_configs.keys().map(|name| cluster_config_aggregate(name));
        vrgs.chain(configs).chain([operator_aggregate()]).collect()
    }

    fn exists(&self, aggregate: &Aggregate) -> bool {
        match aggregate.controller {
            Controller::Vrg => self.vrgs.contains_key(&Key::new(&aggregate.namespace, &aggregate.name)),
            Controller::DrClusterConfig => {
                aggregate.name.is_empty() || self.cluster_configs.contains_key(&aggregate.name)
            }
            _ => false,
        }
    }

    fn known(&self, kind: Kind) -> BTreeSet<ObjectId> {
        let namespaced = |key: &Key| ObjectId::new(kind, &key.namespace, &key.name);
        let named = |name: &String| ObjectId::cluster_scoped(kind, name);
        match kind {
            Kind::Vrg => self.vrgs.keys().map(namespaced).collect(),
            Kind::PersistentVolumeClaim => self.pvcs.keys().map(namespaced).collect(),
            Kind::PersistentVolume => self.pvs.keys().map(named).collect(),
            Kind::VolumeReplication => self.replications.keys().map(namespaced).collect(),
            Kind::VolumeReplicationClass => self.replication_classes.keys().map(named).collect(),
            Kind::StorageClass => self.storage_classes.keys().map(named).collect(),
            Kind::Pod => self.pods.keys().map(namespaced).collect(),
            Kind::VolumeAttachment => self.attachments.keys().map(named).collect(),
            Kind::ConfigMap => self.config.iter().map(|config| namespaced(&config.key)).collect(),
            Kind::Secret => self.secrets.keys().map(namespaced).collect(),
            Kind::DrClusterConfig => self.cluster_configs.keys().map(named).collect(),
            Kind::CsiAddonsNode => self.access_nodes.keys().map(namespaced).collect(),
            Kind::NetworkAttachmentDefinition => self.networks.keys().map(namespaced).collect(),
            Kind::ClusterClaim => self.old_cluster_claims.iter().map(named).collect(),
            _ => self.listed_classes.keys().filter(|(of, _)| *of == kind).map(|(_, name)| named(name)).collect(),
        }
    }

    fn decide(&self, ask: Ask<'_>) -> Decision {
        match ask.aggregate.controller {
            Controller::Vrg => vrg::decide(self, ask),
            Controller::DrClusterConfig if ask.aggregate.name.is_empty() => cluster_config::operator(self),
            Controller::DrClusterConfig => cluster_config::decide(self, ask),
            _ => Decision::default(),
        }
    }
}
