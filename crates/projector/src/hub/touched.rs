//! Whom to ask after a change.

use std::collections::BTreeSet;

use ramen_events::{
    Aggregate, ClusterName, Command, Fact, Kind, ObjectId,
    hub::{self, ObjectRef},
};

use crate::domain::{Change, Domain};

use super::{cluster, drpc, drpc::storage, index::placement_of, modes, policy, state::Hub};

impl Hub {
    /// Who is concerned by a change, as far as present state tells.
    pub(super) fn concerned(&self, change: Change<'_>) -> BTreeSet<Aggregate> {
        let mut who = BTreeSet::new();
        match change {
            Change::Observed(Fact::Hub(fact)) => {
                self.of_object(&fact.object(), &mut who);
                match fact {
                    // Relations that state does not hold before the fact is folded in.
                    hub::Fact::Work(fact) => {
                        self.of_owner(fact.drpc.as_ref(), &mut who);
                        self.of_cluster_object(&fact.cluster, &fact.dr_cluster, false, &mut who);
                    }
                    hub::Fact::View(fact) => {
                        self.of_owner(fact.drpc.as_ref(), &mut who);
                        self.of_cluster_object(&fact.cluster, &fact.dr_cluster, fact.for_policies, &mut who);
                    }
                    _ => {}
                }
            }
            Change::Gone(object) => self.of_object(object, &mut who),
            Change::Finished { command: Command::Hub(hub::Command::ProbeStore { profile, .. }), .. } => {
                who.extend(self.index.clusters_by_profile.get(&profile.name).into_iter().flatten().map(|n| cluster(n)));
            }
            Change::Finished { command: Command::Hub(hub::Command::CreateOpsNamespace { .. }), .. } => {
                who.extend(self.policies.keys().map(|name| policy(name)));
            }
            Change::Finished { command: Command::Hub(hub::Command::DeleteWork { cluster, name, .. }), .. }
                if modes::is_work(name) =>
            {
                self.of_mode(cluster, &mut who);
            }
            Change::Observed(Fact::Spoke(_)) | Change::Finished { .. } | Change::Moved { .. } => {}
        }
        who
    }

    fn of_object(&self, object: &ObjectId, who: &mut BTreeSet<Aggregate>) {
        let key = ObjectRef::new(&object.namespace, &object.name);
        match object.kind {
            Kind::ConfigMap => who.extend(self.aggregates()),
            Kind::Secret => self.of_secret(&key, who),
            Kind::Drpc => {
                self.of_owner(Some(&key), who);
                if let Some(fact) = self.drpcs.get(&key) {
                    who.insert(policy(&fact.spec.policy));
                    // Two DRPCs that claim one placement: the second waits for the first to go.
                    self.of_placement(&placement_of(fact), who);
                }
            }
            Kind::DrPolicy => self.of_policy(&object.name, who),
            Kind::DrCluster | Kind::ManagedCluster => {
                who.insert(cluster(&object.name));
                self.of_policies_of(&object.name, true, who);
            }
            Kind::Placement | Kind::PlacementRule => self.of_placement(&key, who),
            Kind::PlacementDecision => {
                if let Some(fact) = self.decisions.get(&key) {
                    self.of_placement(&ObjectRef::new(&fact.namespace, &fact.placement), who);
                }
            }
            Kind::ApplicationSet => {
                if let Some(fact) = self.application_sets.get(&key) {
                    let drpcs = self.index.drpcs_by_placement_name.get(&fact.placement);
                    who.extend(drpcs.into_iter().flatten().map(drpc));
                }
            }
            Kind::ManifestWork => {
                let cluster = ClusterName(object.namespace.clone());
                if modes::is_work(&object.name) {
                    self.of_mode(&cluster, who);
                } else if let Some(known) = self.work(&cluster, &object.name) {
                    self.of_owner(known.fact.drpc.as_ref(), who);
                    let of_cluster = known.fact.drpc.is_none();
                    self.of_cluster_object(&cluster, &known.fact.dr_cluster, of_cluster, who);
                }
            }
            Kind::ManagedClusterView => {
                let cluster = ClusterName(object.namespace.clone());
                if modes::is_view(&object.name) {
                    self.of_mode(&cluster, who);
                } else if let Some(known) = self.view(&cluster, &object.name) {
                    self.of_owner(known.fact.drpc.as_ref(), who);
                    self.of_cluster_object(&cluster, &known.fact.dr_cluster, known.fact.for_policies, who);
                }
            }
            Kind::StoredObject => {
                // The key begins with namespace and name of the VRG; the DRPC that asked is in the command's aggregate.
            }
            _ => {}
        }
    }

    /// A DRPC; and the cluster that it fails over to, if storage there wants to hear of that.
    fn of_owner(&self, owner: Option<&ObjectRef>, who: &mut BTreeSet<Aggregate>) {
        let Some(owner) = owner else { return };
        who.insert(drpc(owner));
        who.extend(storage::who_hears(self, owner).map(cluster));
    }

    /// A request to the storage of a cluster: the cluster, and the failovers to it that wait for the answer. There are few
    /// requests, so it may cost as much as the DRPCs of the cluster.
    fn of_mode(&self, of: &ClusterName, who: &mut BTreeSet<Aggregate>) {
        who.insert(cluster(&of.0));
        let drpcs = self.policies_of(&of.0).flat_map(|policy| self.drpcs_of(&policy.meta.name));
        who.extend(drpcs.filter(|key| storage::who_hears(self, key) == Some(of.as_str())).map(drpc));
    }

    fn of_secret(&self, secret: &ObjectRef, who: &mut BTreeSet<Aggregate>) {
        let Ok(config) = self.config() else { return };
        for profile in &config.profiles {
            if profile.secret == secret.name && profile.secret_namespace == secret.namespace {
                who.extend(self.index.clusters_by_profile.get(&profile.name).into_iter().flatten().map(|n| cluster(n)));
            }
        }
    }

    fn of_policy(&self, name: &str, who: &mut BTreeSet<Aggregate>) {
        who.insert(policy(name));
        who.extend(self.drpcs_of(name).map(drpc));
        let clusters = self.policies.get(name).map(|fact| fact.spec.clusters.as_slice()).unwrap_or_default();
        for name in clusters {
            who.insert(cluster(&name.0));
            self.of_policies_of(&name.0, false, who);
        }
    }

    fn of_policies_of(&self, cluster: &str, with_drpcs: bool, who: &mut BTreeSet<Aggregate>) {
        for fact in self.policies_of(cluster) {
            who.insert(policy(&fact.meta.name));
            if with_drpcs {
                who.extend(self.drpcs_of(&fact.meta.name).map(drpc));
            }
        }
    }

    fn of_placement(&self, placement: &ObjectRef, who: &mut BTreeSet<Aggregate>) {
        who.extend(self.index.drpcs_by_placement.get(placement).into_iter().flatten().map(drpc));
    }

    /// Works and views that belong to a cluster as such.
    fn of_cluster_object(&self, of: &ClusterName, named: &str, policies: bool, who: &mut BTreeSet<Aggregate>) {
        if !named.is_empty() {
            who.insert(cluster(named));
        }
        if policies {
            who.insert(cluster(&of.0));
            self.of_policies_of(&of.0, false, who);
        }
    }
}
