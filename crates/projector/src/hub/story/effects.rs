//! What commands do to the world.

use ramen_events::{
    ClusterName, CommandId, ConditionStatus, Json, Kind,
    hub::{self, *},
};
use serde_json::json;

use super::Story;

impl Story {
    pub(super) fn carry_out(&mut self, id: CommandId, command: hub::Command) {
        match command {
            hub::Command::PatchMeta(patch) => self.patch(&patch),
            hub::Command::WriteDrpcStatus { drpc, status, events, .. } => {
                self.events.extend(events.into_iter().map(|event| event.reason));
                if let Some(mut fact) = self.world.domain.drpcs.get(&drpc).map(|fact| (**fact).clone()) {
                    fact.status = *status;
                    self.see(hub::Fact::Drpc(Box::new(fact)));
                }
            }
            hub::Command::WritePolicyStatus { policy, status, events, .. } => {
                self.events.extend(events.into_iter().map(|event| event.reason));
                let mut fact = (*self.world.domain.policies[&policy]).clone();
                fact.status = Some(*status);
                self.see(hub::Fact::Policy(Box::new(fact)));
            }
            hub::Command::WriteClusterStatus { cluster, status, events, .. } => {
                self.events.extend(events.into_iter().map(|event| event.reason));
                let mut fact = self.world.domain.clusters[&cluster].clone();
                fact.status = Some(*status);
                self.see(hub::Fact::DrCluster(Box::new(fact)));
            }
            hub::Command::ApplyVrgWork(work) => {
                let content = WorkContent::Vrg { manifest: Box::new(work.manifest.clone()), command: id.to_string() };
                let drpc = Some(work.drpc.clone());
                self.write_work(&work.cluster, &work.name, drpc, content, Some(work.watched));
                self.catch_up(&work.cluster.0);
            }
            hub::Command::ApplyNamespaceWork(work) => {
                let content = WorkContent::Manifests(Json::new(&json!([{"kind": "Namespace"}])));
                self.write_work(&work.cluster, &work.name, Some(work.drpc.clone()), content, None);
            }
            hub::Command::ApplyClusterWork { cluster, keep } => {
                let roles = crate::hub::drcluster::ROLES.map(|role| {
                    let name = format!("open-cluster-management:klusterlet-work-sa:agent:{role}");
                    json!({"metadata": {"name": name}})
                });
                let manifests: Vec<_> = roles.into_iter().chain(keep.iter().map(Json::value)).collect();
                let content = WorkContent::Manifests(Json::new(&json!(manifests)));
                self.write_work(&cluster, "ramen-dr-cluster", None, content, None);
            }
            hub::Command::ApplyConfigWork { cluster, id, schedules } => {
                let spec = json!({"clusterID": id, "replicationSchedules": schedules});
                let content = WorkContent::Manifests(Json::new(&json!([{"spec": spec}])));
                self.write_work(&cluster, "drcconfig-mw", None, content, None);
            }
            hub::Command::ApplyModeWork(work) => self.write_mode(id, &work),
            hub::Command::DeleteWork { cluster, name, .. } => self.delete_work(&cluster, &name),
            hub::Command::ApplyView(wish) => self.write_view(&wish),
            hub::Command::TouchView { cluster, name, freshness } => {
                if let Some(known) = self.world.domain.view(&cluster, &name).cloned() {
                    self.see(hub::Fact::View(Box::new(ViewFact { touched: freshness, ..(*known.fact).clone() })));
                    self.read_view(&cluster, &name);
                }
            }
            hub::Command::DeleteView { cluster, name } => self.gone(Kind::ManagedClusterView, &cluster.0, &name),
            hub::Command::WriteDecision { placement, kind: PlacementKind::Rule, entries, .. } => {
                let mut fact = (*self.world.domain.rules[&placement]).clone();
                fact.decisions = entries.unwrap_or_default().into_iter().map(|entry| entry.cluster).collect();
                self.see(hub::Fact::Placement(Box::new(fact)));
            }
            hub::Command::WriteDecision { placement, decision, label, create, entries, .. } => {
                let key = ObjectRef::new(&placement.namespace, &decision);
                let mut fact = self.world.domain.decisions.get(&key).cloned().unwrap_or(DecisionFact {
                    namespace: placement.namespace,
                    name: decision,
                    placement: placement.name,
                    ..DecisionFact::default()
                });
                fact.excluded_from_backup |= label || create;
                fact.entries = entries.unwrap_or(fact.entries);
                self.see(hub::Fact::Decision(fact));
            }
            hub::Command::FetchStoredVrg { profile, key } => {
                let answer = self.copies.get(&profile.name).cloned();
                let answer = answer.unwrap_or(StoredVrgAnswer::Unknown { message: "down".into() });
                self.see(hub::Fact::StoredVrg(StoredVrgFact { profile: profile.name, key, answer }));
            }
            hub::Command::CreateConfig | hub::Command::CreateOpsNamespace { .. } | hub::Command::ProbeStore { .. } => {}
        }
    }

    fn patch(&mut self, patch: &MetaPatch) {
        let change = |meta: &mut Meta| {
            meta.labels.extend(patch.labels.clone());
            meta.annotations.extend(patch.annotations.clone());
            if let Some(finalizers) = &patch.finalizers {
                meta.finalizers.clone_from(finalizers);
            }
            if let Some(owners) = &patch.owners {
                meta.owners.clone_from(owners);
            }
            meta.deleting.is_some() && meta.finalizers.is_empty()
        };
        let key = patch.object.clone();
        match patch.kind {
            Kind::Drpc => {
                let mut fact = (*self.world.domain.drpcs[&key]).clone();
                if change(&mut fact.meta) {
                    return self.gone(Kind::Drpc, &key.namespace, &key.name);
                }
                self.see(hub::Fact::Drpc(Box::new(fact)));
            }
            Kind::Placement => {
                let mut fact = (*self.world.domain.placements[&key]).clone();
                if change(&mut fact.meta) {
                    return self.gone(Kind::Placement, &key.namespace, &key.name);
                }
                self.see(hub::Fact::Placement(Box::new(fact)));
            }
            Kind::DrPolicy => {
                let mut fact = (*self.world.domain.policies[&key.name]).clone();
                if change(&mut fact.meta) {
                    return self.gone(Kind::DrPolicy, "", &key.name);
                }
                self.see(hub::Fact::Policy(Box::new(fact)));
            }
            Kind::DrCluster => {
                let mut fact = self.world.domain.clusters[&key.name].clone();
                if change(&mut fact.meta) {
                    return self.gone(Kind::DrCluster, "", &key.name);
                }
                self.see(hub::Fact::DrCluster(Box::new(fact)));
            }
            Kind::PlacementRule => {
                let mut fact = (*self.world.domain.rules[&key]).clone();
                change(&mut fact.meta);
                self.see(hub::Fact::Placement(Box::new(fact)));
            }
            other => panic!("nobody patches {other:?}"),
        }
    }

    fn write_mode(&mut self, id: CommandId, work: &ModeWork) {
        let annotations = json!({"drplacementcontrol.ramendr.openshift.io/hub-command": id.to_string()});
        let manifest = json!([{
            "kind": "MaintenanceMode",
            "metadata": {"name": work.mode, "annotations": annotations},
            "spec": {"storageProvisioner": work.provisioner, "targetID": work.target, "modes": ["Failover"]},
        }]);
        let site = self.site(&work.cluster.0);
        if !site.down {
            let seen = ModeSeen {
                generation: 1,
                command: id.to_string(),
                provisioner: work.provisioner.clone(),
                target: work.target.clone(),
                ..ModeSeen::default()
            };
            site.modes.insert(work.mode.clone(), seen);
        }
        let content = WorkContent::Manifests(Json::new(&manifest));
        self.write_work(&work.cluster, &format!("{}-mmode-mw", work.mode), None, content, None);
    }

    fn write_work(
        &mut self,
        cluster: &ClusterName,
        name: &str,
        drpc: Option<ObjectRef>,
        content: WorkContent,
        watched: Option<bool>,
    ) {
        let before = self.world.domain.work(cluster, name).map(|known| known.fact.as_ref().clone());
        let uid = self.uid();
        let mut fact = before.unwrap_or_else(|| WorkFact {
            cluster: cluster.clone(),
            name: name.into(),
            uid,
            drpc,
            dr_cluster: if name == "ramen-dr-cluster" || name.ends_with("-mmode-mw") {
                cluster.0.clone()
            } else {
                String::new()
            },
            ..WorkFact::default()
        });
        fact.generation += 1;
        fact.content = content;
        fact.watched = watched;
        let holds =
            WorkCondition { status: ConditionStatus::True, generation: fact.generation, message: String::new() };
        if !self.site(&cluster.0).down {
            (fact.applied, fact.available) = (Some(holds.clone()), Some(holds));
        }
        self.see(hub::Fact::Work(Box::new(fact)));
    }

    fn delete_work(&mut self, cluster: &ClusterName, name: &str) {
        if self.site(&cluster.0).down {
            if let Some(known) = self.world.domain.work(cluster, name).cloned() {
                self.see(hub::Fact::Work(Box::new(WorkFact { deleting: true, ..(*known.fact).clone() })));
            }
            return;
        }
        if name.ends_with("-vrg-mw") {
            self.site(&cluster.0).vrg = None;
        }
        if let Some(mode) = name.strip_suffix("-mmode-mw") {
            self.site(&cluster.0).modes.remove(mode);
        }
        self.gone(Kind::ManifestWork, &cluster.0, name);
    }

    fn write_view(&mut self, wish: &ViewWish) {
        let before = self.world.domain.view(&wish.cluster, &wish.name).map(|known| known.fact.as_ref().clone());
        let fact = before.unwrap_or_else(|| ViewFact { uid: self.uid(), ..ViewFact::default() });
        self.see(hub::Fact::View(Box::new(ViewFact {
            cluster: wish.cluster.clone(),
            name: wish.name.clone(),
            drpc: wish.drpc.clone(),
            for_policies: wish.for_policies,
            dr_cluster: if wish.for_cluster { wish.cluster.0.clone() } else { String::new() },
            scope_group: wish.scope.group.clone(),
            scope_kind: wish.scope.kind.clone(),
            scope_name: wish.scope.name.clone(),
            interval: wish.interval,
            ..fact
        })));
        self.read_view(&wish.cluster, &wish.name);
    }
}
