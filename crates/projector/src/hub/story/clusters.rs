//! Clusters and their agents.

use std::collections::BTreeMap;

use ramen_events::{
    ClusterName, Condition, ConditionStatus, Json, Time,
    hub::{self, *},
};
use serde_json::json;

use super::{Actor, Story, condition};

impl Story {
    /// Has an agent read a view of a VRG.
    pub fn read_view(&mut self, cluster: &ClusterName, name: &str) {
        let Some(known) = self.world.domain.view(cluster, name).cloned() else { return };
        if self.site(&cluster.0).down {
            return;
        }
        if known.fact.for_policies {
            let answer = ViewAnswer::Found(inventory(&cluster.0, &known.fact.scope_kind));
            return self.see(hub::Fact::View(Box::new(ViewFact { answer, ..(*known.fact).clone() })));
        }
        if let Some(mode) = name.strip_suffix("-mmode-mcv") {
            let seen = self.site(&cluster.0).modes.get(mode).cloned();
            let found = |seen| ViewAnswer::Found(ViewedObject::MaintenanceMode(Box::new(seen)));
            let answer = seen.map_or(ViewAnswer::NotFound, found);
            return self.see(hub::Fact::View(Box::new(ViewFact { answer, ..(*known.fact).clone() })));
        }
        let answer = match &self.site(&cluster.0).vrg {
            None => ViewAnswer::NotFound,
            Some(actor) => ViewAnswer::Found(ViewedObject::Vrg(Box::new(VrgSeen {
                uid: actor.uid.clone(),
                generation: actor.generation,
                deleting: false,
                command: actor.command.clone(),
                manifest: actor.manifest.clone(),
                status: actor.status.clone(),
            }))),
        };
        let same = std::mem::discriminant(&answer) == std::mem::discriminant(&known.fact.answer);
        let flipped = if same { known.fact.flipped } else { Some(self.now) };
        self.see(hub::Fact::View(Box::new(ViewFact { answer, flipped, ..(*known.fact).clone() })));
    }

    pub(super) fn fast_views(&mut self) {
        let views = self.world.domain.views.values().flat_map(BTreeMap::values);
        let fast: Vec<_> = views
            .filter(|known| known.fact.interval > 0 || (self.now.0 / 1000).is_multiple_of(30))
            .map(|known| (known.fact.cluster.clone(), known.fact.name.clone()))
            .collect();
        fast.iter().for_each(|(cluster, name)| self.read_view(cluster, name));
    }

    /// A cluster applies what its work asks for, looks at it and reports.
    pub fn catch_up(&mut self, cluster: &str) {
        let name = ClusterName::from(cluster);
        let Some(known) = self.world.domain.work(&name, "app-apps-vrg-mw").cloned() else { return };
        let site = self.sites.get_mut(cluster).expect("the cluster is there");
        if site.down {
            return;
        }
        let WorkContent::Vrg { manifest, command } = &known.fact.content else { return };
        let actor = site.vrg.get_or_insert_with(|| Actor { uid: format!("vrg-{cluster}"), ..Actor::default() });
        if actor.manifest.spec != manifest.spec {
            actor.generation += 1;
        }
        actor.manifest = (**manifest).clone();
        actor.command.clone_from(command);
        if !site.idle {
            actor.status = Some(report(actor, self.now));
        }
        self.tell(cluster);
    }

    /// The agent of a cluster reads back what its VRG shows.
    pub fn tell(&mut self, cluster: &str) {
        let name = ClusterName::from(cluster);
        let Some(known) = self.world.domain.work(&name, "app-apps-vrg-mw").cloned() else { return };
        let feedback = self.feedback.then(|| self.site(cluster).vrg.as_ref().map(feedback)).flatten();
        let holds =
            WorkCondition { status: ConditionStatus::True, generation: known.fact.generation, message: String::new() };
        let (applied, available) = (Some(holds.clone()), Some(holds));
        self.see(hub::Fact::Work(Box::new(WorkFact { feedback, applied, available, ..(*known.fact).clone() })));
    }

    /// The storage of a cluster answers a MaintenanceMode, and its view is read.
    pub fn answer_mode(&mut self, cluster: &str, mode: &str, state: &str, activated: bool) {
        let status = if activated { "True" } else { "False" };
        let seen = self.site(cluster).modes.get_mut(mode).expect("the mode is there");
        seen.state = state.into();
        seen.conditions = Json::new(&json!([{"type": "FailoverActivated", "status": status,
            "reason": state, "message": format!("{state} of {mode}"), "observedGeneration": 1}]));
        seen.observed_generation = 1;
        self.read_view(&ClusterName::from(cluster), &format!("{mode}-mmode-mcv"));
        self.run();
    }

    /// All claims of an application on c1 have storage that wants to be told of a failover.
    pub fn tell_storage(&mut self, pairs: &[(&str, &str)]) {
        let claim = |(number, (provisioner, id)): (usize, &(&str, &str))| ProtectedPvc {
            name: format!("data-{number}"),
            provisioner: (*provisioner).into(),
            replication_id: (*id).into(),
            failover_mode: true,
            ..ProtectedPvc::default()
        };
        let claims = pairs.iter().enumerate().map(claim).collect();
        self.report("c1", |status| status.protected_pvcs = claims);
        self.read_view(&"c1".into(), "app-apps-vrg-mcv");
    }

    /// Changes what a VRG reports, and tells the hub.
    pub fn report(&mut self, cluster: &str, change: impl FnOnce(&mut VrgStatus)) {
        let actor = self.site(cluster).vrg.as_mut().expect("the VRG is there");
        change(actor.status.as_mut().expect("the VRG has reported"));
        self.tell(cluster);
    }
}

/// What a cluster offers: one storage class with one replication class.
fn inventory(cluster: &str, kind: &str) -> ViewedObject {
    let labels = [("storageid", format!("sid-{cluster}")), ("replicationid", "rid".to_owned())];
    let class = ClassSeen {
        provisioner: "csi".into(),
        labels: labels.map(|(key, value)| (format!("ramendr.openshift.io/{key}"), value)).into(),
        parameters: Json::new(&json!({"schedulingInterval": "1m"})),
    };
    if kind != "DRClusterConfig" {
        return ViewedObject::Class(class);
    }
    ViewedObject::ClusterConfig(ClusterConfigSeen {
        processed: true,
        storage_classes: vec!["rbd".into()],
        replication_classes: vec!["vrc".into()],
        ..ClusterConfigSeen::default()
    })
}

/// A VRG that has done what it was asked for.
fn report(actor: &Actor, now: Time) -> VrgStatus {
    let primary = actor.manifest.spec.state == "primary";
    let at = |kind: &str, status, reason: &str| Condition {
        generation: actor.generation,
        ..condition(kind, status, reason)
    };
    let yes = ConditionStatus::True;
    let (ready, protected) = if primary {
        (at("DataReady", yes, "Ready"), at("DataProtected", ConditionStatus::False, "Replicating"))
    } else {
        (at("DataReady", yes, "Unused"), at("DataProtected", yes, "Unused"))
    };
    let claim = ProtectedPvc { name: "data".into(), storage_class: "rbd".into(), ..ProtectedPvc::default() };
    VrgStatus {
        state: if primary { "Primary" } else { "Secondary" }.into(),
        observed_generation: actor.generation,
        last_update: Some(now),
        conditions: vec![
            ready,
            protected,
            at("ClusterDataReady", yes, if primary { "Restored" } else { "Unused" }),
            at("ClusterDataProtected", yes, if primary { "Uploaded" } else { "Unused" }),
            at("NoClusterDataConflict", yes, "NoConflictDetected"),
        ],
        prepare_complete: actor.manifest.spec.prepare_for_final_sync || actor.manifest.spec.run_final_sync,
        final_sync_complete: actor.manifest.spec.run_final_sync,
        last_group_sync: primary.then(|| crate::hub::conditions::seconds(now)),
        protected_pvcs: if primary { vec![claim] } else { Vec::new() },
        ..VrgStatus::default()
    }
}

fn feedback(actor: &Actor) -> Feedback {
    let status = actor.status.clone().unwrap_or_default();
    let conditions = status.conditions.iter();
    let conditions = conditions.map(|c| (c.kind.clone(), (c.status, c.reason.clone(), c.generation))).collect();
    Feedback {
        uid: actor.uid.clone(),
        generation: actor.generation,
        command: actor.command.clone(),
        replication_state: actor.manifest.spec.state.clone(),
        observed_generation: status.observed_generation,
        state: status.state,
        last_update: status.last_update,
        last_group_sync: status.last_group_sync,
        prepare_complete: status.prepare_complete,
        final_sync_complete: status.final_sync_complete,
        conditions,
        ..Feedback::default()
    }
}
