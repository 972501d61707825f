//! Works and views in the hands of the agents that they are for: what is asked for is done, and both ways of answering
//! tell the same.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ramen_api::kinds;
use ramen_events::{
    ClusterName, Kind,
    hub::{
        self, Feedback, NamespaceWork, ObjectRef, ViewAnswer, ViewScope, ViewWish, ViewedObject, VrgManifest, VrgWork,
    },
};
use ramen_ports::Effect;
use ramen_sim::{
    agents::{
        Agent, AgentWorld,
        view::{DEFAULT_PERIOD, ViewAgent},
        work::{Timing, WorkAgent},
    },
    api::Api,
    cluster::Cluster,
    storage::{Speed, Storage},
    time::Time,
    world::{self, Setting},
};
use serde_json::{Value, json};

use super::{applied, calls, id, recorded, told};

const WORK: &str = "app-000-app-000-vrg-mw";
const VIEW: &str = "app-000-app-000-vrg-mcv";

/// A hub and one cluster in virtual time, with the cluster's two agents.
struct Stage {
    clock: Arc<AtomicU64>,
    hub: Cluster,
    own: Cluster,
    storage: Mutex<Storage>,
    agents: [Box<dyn Agent>; 2],
}

impl Stage {
    fn new() -> Self {
        let clock = Arc::new(AtomicU64::new(Time::parse("2026-11-23T14:00:00Z").unwrap().millis()));
        let cluster = |name: &str, seed| {
            let clock = Arc::clone(&clock);
            Cluster::new(name, seed, Arc::new(move || Time(clock.load(Ordering::SeqCst))))
        };
        let (hub, own) = (cluster("hub", 1), cluster("c1", 2));
        let setting = Setting::golden(Vec::new());
        world::install_hub(&hub, &setting, hub.now()).unwrap();
        world::install_cluster(&own, "c1", &setting).unwrap();
        let agents: [Box<dyn Agent>; 2] = [
            Box::new(WorkAgent::new("c1", world::HUB_URL, 1, Timing::default())),
            Box::new(ViewAgent::new("c1", DEFAULT_PERIOD)),
        ];
        let storage = Mutex::new(Storage::pair("c1", "c2", Speed::default()));
        Self { clock, hub, own, storage, agents }
    }

    /// Carries a command out on the hub.
    fn carry_out(&self, command: hub::Command) {
        for effect in calls(command) {
            let Effect::Apply { target, .. } = &effect else { panic!("{effect:?}") };
            self.hub.apply(target.resource, &applied(&effect), "ramen", true).unwrap();
        }
    }

    /// Lets half a minute pass, in steps that are short enough for both agents.
    fn pass_a_while(&mut self) {
        for _ in 0..300 {
            for agent in &mut self.agents {
                let now = self.hub.now();
                agent.run(now, &AgentWorld { hub: &self.hub, own: &self.own, storage: &self.storage });
            }
            let step = u64::try_from(Duration::from_millis(100).as_millis()).unwrap();
            self.clock.fetch_add(step, Ordering::SeqCst);
        }
    }

    fn work(&self) -> hub::WorkFact {
        let object = self.hub.get(&kinds::MANIFEST_WORK, Some("c1"), WORK).unwrap();
        match told(Kind::ManifestWork, &object) {
            Some(hub::Fact::Work(fact)) => *fact,
            other => panic!("{other:?}"),
        }
    }

    fn view(&self) -> ViewAnswer {
        let object = self.hub.get(&kinds::MANAGED_CLUSTER_VIEW, Some("c1"), VIEW).unwrap();
        match told(Kind::ManagedClusterView, &object) {
            Some(hub::Fact::View(fact)) => fact.answer,
            other => panic!("{other:?}"),
        }
    }

    /// Asks for the application's namespace and VRG, and for a view of the latter.
    fn ask(&self) {
        let (cluster, drpc) = (ClusterName::from("c1"), ObjectRef::new("apps", "app-000"));
        self.carry_out(hub::Command::ApplyClusterWork { cluster: cluster.clone(), keep: Vec::new() });
        self.carry_out(hub::Command::ApplyNamespaceWork(NamespaceWork {
            cluster: cluster.clone(),
            name: "app-000-app-000-ns-mw".into(),
            drpc: drpc.clone(),
            namespace: "app-000".into(),
        }));
        let manifest = recorded_manifest();
        let work = VrgWork { cluster: cluster.clone(), name: WORK.into(), drpc: drpc.clone(), manifest, watched: true };
        self.carry_out(hub::Command::ApplyVrgWork(Box::new(work)));
        let resource = &kinds::VOLUME_REPLICATION_GROUP;
        self.carry_out(hub::Command::ApplyView(Box::new(ViewWish {
            cluster,
            name: VIEW.into(),
            scope: ViewScope {
                group: resource.group.into(),
                version: resource.version.into(),
                kind: resource.kind.into(),
                namespace: "app-000".into(),
                name: "app-000".into(),
            },
            drpc: Some(drpc),
            for_policies: false,
            for_cluster: false,
            label: String::new(),
            interval: 1,
        })));
    }

    /// Reports as the recorded operator of the cluster did, with all that can be read back.
    fn report(&self) {
        let mut vrg = self.own.get(&kinds::VOLUME_REPLICATION_GROUP, Some("app-000"), "app-000").unwrap();
        vrg["status"] = recorded("view-vrg")["status"]["result"]["status"].clone();
        vrg["status"]["observedGeneration"] = json!(1);
        vrg["status"]["lastGroupSyncDuration"] = json!("2s");
        vrg["status"]["lastGroupSyncBytes"] = json!(4096);
        vrg["status"]["prepareForFinalSyncComplete"] = json!(true);
        vrg["status"]["finalSyncComplete"] = json!(true);
        self.own.update_status(&kinds::VOLUME_REPLICATION_GROUP, &vrg).unwrap();
    }
}

fn recorded_manifest() -> VrgManifest {
    match told(Kind::ManifestWork, &recorded("work-vrg")) {
        Some(hub::Fact::Work(fact)) => match fact.content {
            hub::WorkContent::Vrg { manifest, .. } => *manifest,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn feedback_and_view_tell_the_same_of_a_vrg() {
    let mut stage = Stage::new();
    stage.ask();
    stage.pass_a_while();
    stage.report();
    stage.pass_a_while();

    let work = stage.work();
    assert_eq!(work.watched, Some(true));
    assert_eq!(work.applied.map(|told| told.generation), Some(work.generation));
    let ViewAnswer::Found(ViewedObject::Vrg(seen)) = stage.view() else { panic!("{:?}", stage.view()) };
    assert_eq!(seen.manifest, recorded_manifest());
    let status = seen.status.unwrap();
    let mut told = work.feedback.unwrap();
    // Conditions that nothing is decided by travel in views only.
    let mut shown: std::collections::BTreeMap<_, _> =
        status.conditions.into_iter().map(|c| (c.kind, (c.status, c.reason, c.generation))).collect();
    shown.retain(|kind, _| !matches!(kind.as_str(), "KubeObjectsReady" | "AutoCleanup"));
    let expected = Feedback {
        uid: seen.uid,
        generation: seen.generation,
        command: seen.command,
        replication_state: seen.manifest.spec.state,
        observed_generation: status.observed_generation,
        state: status.state,
        last_update: status.last_update,
        last_group_sync: status.last_group_sync,
        last_group_sync_duration: status.last_group_sync_duration,
        last_group_sync_bytes: status.last_group_sync_bytes,
        prepare_complete: status.prepare_complete,
        final_sync_complete: status.final_sync_complete,
        conditions: shown,
    };
    assert_eq!((told.command.clone(), told.conditions.len()), (id().to_string(), 6));
    assert!(told.last_group_sync_bytes == Some(4096) && told.prepare_complete && told.final_sync_complete);
    assert_eq!(std::mem::take(&mut told), expected);
}

#[test]
fn nothing_is_told_of_a_vrg_that_is_gone() {
    let mut stage = Stage::new();
    stage.ask();
    stage.pass_a_while();
    stage.report();
    stage.pass_a_while();
    assert!(stage.work().feedback.is_some());
    stage.own.delete(&kinds::VOLUME_REPLICATION_GROUP, Some("app-000"), "app-000", None).unwrap();
    // Long enough to be noticed, and too short for the agent to put it back.
    stage.pass_a_while();
    assert_eq!(stage.work().feedback, None);
    assert_eq!(stage.view(), ViewAnswer::NotFound);
}

#[test]
fn what_is_applied_again_is_left_as_it_is() {
    let stage = Stage::new();
    stage.ask();
    let version = |stage: &Stage| -> Value {
        let object = stage.hub.get(&kinds::MANIFEST_WORK, Some("c1"), WORK).unwrap();
        object["metadata"]["resourceVersion"].clone()
    };
    let before = version(&stage);
    stage.ask();
    assert_eq!(version(&stage), before);
}
