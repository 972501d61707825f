//! Whom a change concerns.

use std::collections::BTreeSet;

use ramen_api::ramen::wire::label;
use ramen_events::{
    Aggregate, Controller, Kind, ObjectId,
    spoke::{Fact, Key, Pvc, Vrg},
};

use super::Spoke;

/// The VRG as an aggregate.
pub fn vrg_aggregate(key: &Key) -> Aggregate {
    Aggregate::new(Controller::Vrg, &key.namespace, &key.name)
}

/// A DRClusterConfig as an aggregate.
pub fn cluster_config_aggregate(name: &str) -> Aggregate {
    Aggregate::new(Controller::DrClusterConfig, "", name)
}

/// The operator itself, for what it does for no object: a DRClusterConfig without name.
pub fn operator_aggregate() -> Aggregate {
    cluster_config_aggregate("")
}

/// The VRG that a claim's labels name as its owner.
pub fn owner_of(pvc: &Pvc) -> Option<Key> {
    let namespace = pvc.labels.get(label::OWNER_NAMESPACE)?;
    let name = pvc.labels.get(label::OWNER_NAME)?;
    Some(Key::new(namespace, name))
}

impl Spoke {
    /// VRGs of a namespace.
    pub fn vrgs_in(&self, namespace: &str) -> impl Iterator<Item = &Vrg> {
        let first = Key::new(namespace, "");
        self.vrgs.range(first..).take_while(move |(key, _)| key.namespace == namespace).map(|(_, vrg)| vrg)
    }

    /// Claims of a namespace.
    pub fn pvcs_in(&self, namespace: &str) -> impl Iterator<Item = &Pvc> {
        let first = Key::new(namespace, "");
        self.pvcs.range(first..).take_while(move |(key, _)| key.namespace == namespace).map(|(_, pvc)| pvc)
    }

    /// Aggregates that a fact concerns, as far as it and the state tell.
    pub(super) fn concerned(&self, fact: &Fact) -> BTreeSet<Aggregate> {
        let mut found = BTreeSet::new();
        match fact {
            Fact::Vrg(vrg) | Fact::FencedVrg { vrg, .. } => {
                found.insert(vrg_aggregate(&vrg.key));
            }
            Fact::Pvc(pvc) => self.of_claim(&pvc.key, Some(pvc), &mut found),
            Fact::Pv(pv) => {
                if let Some(claim) = &pv.claim {
                    self.of_claim(&claim.key, self.pvcs.get(&claim.key), &mut found);
                }
                self.that_restore(&pv.name, &mut found);
            }
            Fact::VolumeReplication(vr) => {
                found.extend(vr.owner.as_ref().map(vrg_aggregate));
                self.of_claim(&vr.key, self.pvcs.get(&vr.key), &mut found);
            }
            Fact::Pod(pod) => {
                for claim in &pod.claims {
                    let claim = Key::new(&pod.key.namespace, claim);
                    self.of_claim(&claim, self.pvcs.get(&claim), &mut found);
                }
            }
            Fact::Attachment(attachment) => self.of_volume(&attachment.volume, &mut found),
            Fact::StorageClass(_) | Fact::ReplicationClass(_) => {
                self.all_vrgs(&mut found);
                self.all_cluster_configs(&mut found);
            }
            Fact::Config(_) => {
                self.all_vrgs(&mut found);
                found.insert(operator_aggregate());
            }
            Fact::Secret(_) => self.all_vrgs(&mut found),
            Fact::Stored(set) | Fact::FencedStored { set, .. } => {
                found.insert(vrg_aggregate(&set.vrg));
            }
            Fact::ClusterConfig(_)
            | Fact::ListedClass(_)
            | Fact::AccessNode(_)
            | Fact::Network(_)
            | Fact::OldClusterClaim { .. } => self.all_cluster_configs(&mut found),
        }
        if let Fact::ClusterConfig(config) = fact {
            found.insert(cluster_config_aggregate(&config.name));
        }
        found
    }

    /// Aggregates that the end of an object concerns. Found while the state still has it.
    pub(super) fn concerned_by_end(&self, object: &ObjectId) -> BTreeSet<Aggregate> {
        let mut found = BTreeSet::new();
        let key = Key::new(&object.namespace, &object.name);
        match object.kind {
            Kind::Vrg => {
                found.insert(vrg_aggregate(&key));
            }
            Kind::PersistentVolumeClaim => self.of_claim(&key, self.pvcs.get(&key), &mut found),
            Kind::PersistentVolume => self.of_volume(&object.name, &mut found),
            Kind::VolumeReplication => {
                let owner = self.replications.get(&key).and_then(|vr| vr.owner.as_ref());
                found.extend(owner.map(vrg_aggregate));
                self.of_claim(&key, self.pvcs.get(&key), &mut found);
            }
            Kind::Pod => {
                for claim in self.pods.get(&key).into_iter().flat_map(|pod| &pod.claims) {
                    let claim = Key::new(&key.namespace, claim);
                    self.of_claim(&claim, self.pvcs.get(&claim), &mut found);
                }
            }
            Kind::VolumeAttachment => {
                if let Some(attachment) = self.attachments.get(&object.name) {
                    self.of_volume(&attachment.volume, &mut found);
                }
            }
            Kind::StorageClass | Kind::VolumeReplicationClass => {
                self.all_vrgs(&mut found);
                self.all_cluster_configs(&mut found);
            }
            Kind::ConfigMap => {
                self.all_vrgs(&mut found);
                found.insert(operator_aggregate());
            }
            Kind::Secret => self.all_vrgs(&mut found),
            Kind::Store | Kind::StoredObject => {}
            _ => self.all_cluster_configs(&mut found),
        }
        found
    }

    /// VRGs that select a claim, own it, or look for claims to restore in its namespace.
    fn of_claim(&self, key: &Key, pvc: Option<&Pvc>, found: &mut BTreeSet<Aggregate>) {
        if let Some(owner) = pvc.and_then(owner_of) {
            found.insert(vrg_aggregate(&owner));
        }
        for vrg in self.vrgs_in(&key.namespace) {
            let selected = pvc.is_some_and(|pvc| vrg.spec.selector.matches(&pvc.labels));
            if selected || self.restoring.contains(&vrg.key) {
                found.insert(vrg_aggregate(&vrg.key));
            }
        }
    }

    fn of_volume(&self, volume: &str, found: &mut BTreeSet<Aggregate>) {
        if let Some(claim) = self.pvs.get(volume).and_then(|pv| pv.claim.as_ref()) {
            self.of_claim(&claim.key, self.pvcs.get(&claim.key), found);
        }
        self.that_restore(volume, found);
    }

    /// VRGs that want to restore a volume of this name.
    fn that_restore(&self, volume: &str, found: &mut BTreeSet<Aggregate>) {
        let wants = |key: &&Key| {
            let sets = self.work.get(*key).into_iter().flat_map(|work| work.answers.values());
            sets.flat_map(|set| &set.volumes).any(|stored| stored.name == volume)
        };
        found.extend(self.restoring.iter().filter(wants).map(vrg_aggregate));
    }

    fn all_vrgs(&self, found: &mut BTreeSet<Aggregate>) {
        found.extend(self.vrgs.keys().map(vrg_aggregate));
    }

    fn all_cluster_configs(&self, found: &mut BTreeSet<Aggregate>) {
        found.extend(self.cluster_configs.keys().map(|name| cluster_config_aggregate(name)));
    }
}
