//! Two clusters with storage, an application and the operator on each.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ramen_api::ramen::wire::annotation;
use ramen_sim::{
    agents::{Agent, AgentWorld, object},
    api::{Api, ApiError, Resource},
    apps::{
        Application,
        deploy::{Applications, Deployer},
        workload::{self, Workload},
    },
    cluster::Cluster,
    kinds,
    storage::{
        Speed, Storage,
        binder::{Binder, Duties},
        provisioner::Provisioner,
        replication::{ReplicationController, Settings},
    },
    time::Time,
    world::{self, Setting},
};
use serde_json::{Value, json};

use super::shell::{Shell, Stores};

/// Namespace and name of the application and its VRG.
pub const APP: &str = "app-000";

/// Key of the fence in each store.
const FENCE: &str = "APP/APP/v1alpha1.StoreFence/a";

pub struct Stage {
    clock: Arc<AtomicU64>,
    pub hub: Cluster,
    pub clusters: BTreeMap<&'static str, Cluster>,
    pub shells: BTreeMap<&'static str, Shell>,
    pub stores: Stores,
    pub storage: Mutex<Storage>,
    agents: Vec<(&'static str, Box<dyn Agent>, Option<Time>)>,
    applications: Applications,
    lost: Vec<&'static str>,
    pub app: Application,
}

impl Stage {
    /// The application runs on c1; nothing is protected yet.
    pub fn new(claims: usize) -> Self {
        Self::with(claims, Settings::recorded())
    }

    pub fn with(claims: usize, settings: Settings) -> Self {
        let clock = Arc::new(AtomicU64::new(Time::parse("2026-11-23T14:00:00Z").unwrap().millis()));
        let cluster = |name: &str, seed| {
            let clock = clock.clone();
            Cluster::new(name, seed, Arc::new(move || Time(clock.load(Ordering::SeqCst))))
        };
        let store = |name: &str| world::Store {
            profile: format!("s3-{name}"),
            bucket: format!("bucket-{name}"),
            endpoint: "http://127.0.0.1:9000".into(),
            access_key: "key".into(),
            secret_key: "secret-that-must-not-leak".into(),
        };
        let setting = Setting::golden(vec![store("c1"), store("c2")]);
        let hub = cluster("hub", 1);
        world::install_hub(&hub, &setting, hub.now()).expect("hub");
        let stores = Stores::default();
        let applications = Applications::default();
        let mut stage = Self {
            clusters: BTreeMap::new(),
            shells: BTreeMap::new(),
            storage: Mutex::new(Storage::pair("c1", "c2", Speed::default())),
            agents: Vec::new(),
            lost: Vec::new(),
            app: Application::numbered(0, claims),
            hub,
            stores,
            applications,
            clock: clock.clone(),
        };
        for (name, seed) in [("c1", 2), ("c2", 3)] {
            let own = cluster(name, seed);
            world::install_cluster(&own, name, &setting).expect(name);
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": APP}});
            own.create(&kinds::NAMESPACE, &namespace).expect("namespace");
            let agents: Vec<Box<dyn Agent>> = vec![
                Box::new(Provisioner::new(name)),
                Box::new(Binder::new(name, Duties { bind: true, protect: true })),
                Box::new(ReplicationController::new(name, settings)),
                Box::new(Deployer::new(name, stage.applications.clone())),
                Box::new(Workload::new(name, workload::Timing::default())),
            ];
            stage.agents.extend(agents.into_iter().map(|agent| (name, agent, None)));
            stage.shells.insert(name, Shell::new(&own, &stage.stores));
            stage.clusters.insert(name, own);
        }
        stage.applications.lock().unwrap().push(stage.app.clone());
        world::place(&stage.hub, &stage.app, "c1").expect("placement");
        stage.settle();
        stage
    }

    pub fn now(&self) -> Time {
        self.hub.now()
    }

    pub fn shell(&self, name: &str) -> &Shell {
        &self.shells[name]
    }

    /// Runs everybody until nothing changes at this moment.
    pub fn settle(&mut self) {
        for _round in 0..200 {
            let before = self.versions();
            let now = self.now();
            for (name, agent, due) in &mut self.agents {
                if !self.lost.contains(name) {
                    let own = &self.clusters[*name];
                    *due = agent.run(now, &AgentWorld { hub: &self.hub, own, storage: &self.storage });
                }
            }
            let mut moved = false;
            for (name, shell) in &mut self.shells {
                if !self.lost.contains(name) {
                    moved |= shell.settle();
                }
            }
            if self.versions() == before && !moved {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    fn versions(&self) -> Vec<u64> {
        let all = self.clusters.values().chain([&self.hub]);
        all.map(|cluster| cluster.with(|server, _| server.store().version())).collect()
    }

    /// Lets time pass.
    pub fn pass(&mut self, span: Duration) {
        let end = self.now() + span;
        loop {
            self.settle();
            if self.now() >= end {
                return;
            }
            let agents =
                self.agents.iter().filter(|(name, ..)| !self.lost.contains(name)).filter_map(|(_, _, due)| *due);
            let shells = self.shells.iter().filter(|(name, _)| !self.lost.contains(name));
            let shells = shells.filter_map(|(_, shell)| shell.due()).map(|at| Time(at.0));
            let soonest = self.now() + Duration::from_millis(1);
            let next = agents.chain(shells).min().map_or(end, |due| due.max(soonest).min(end));
            self.clock.store(next.millis(), Ordering::SeqCst);
        }
    }

    /// Lets time pass until something holds; how long that took.
    pub fn until(&mut self, seconds: u64, what: &str, holds: impl Fn(&Self) -> bool) -> Duration {
        let (start, limit) = (self.now(), Duration::from_secs(seconds));
        while !holds(self) {
            if self.now().since(start) >= limit {
                for (name, shell) in &self.shells {
                    eprintln!("{name} waits for: {}", shell.waits(APP, APP));
                    for kind in ["DataReady", "DataProtected", "ClusterDataReady", "ClusterDataProtected"] {
                        eprintln!("{name} {kind}: {} {}", self.condition(name, kind), self.message(name, kind));
                    }
                    eprintln!(
                        "{name}: {} {:#?}",
                        self.state(name),
                        shell.requests.iter().rev().take(12).collect::<Vec<_>>()
                    );
                }
                panic!("waited {limit:?} for: {what}");
            }
            self.pass(Duration::from_millis(50));
        }
        self.now().since(start)
    }

    pub fn lose(&mut self, name: &'static str) {
        self.lost.push(name);
        self.storage.lock().unwrap().set_up(name, false);
    }

    pub fn bring_back(&mut self, name: &'static str) {
        self.lost.retain(|lost| *lost != name);
        self.storage.lock().unwrap().set_up(name, true);
    }

    /// Decides where the application runs, as the hub does.
    pub fn place(&self, clusters: &[&str]) {
        let (kind, name) = (&kinds::PLACEMENT_DECISION, format!("{}-decision-1", self.app.placement));
        let mut decision = self.hub.get(kind, Some(&self.app.hub_namespace), &name).expect("decision");
        let named: Vec<Value> = clusters.iter().map(|name| json!({"clusterName": name, "reason": name})).collect();
        decision["status"] = json!({"decisions": named});
        self.hub.update_status(kind, &decision).expect("decision");
    }

    /// Asks a cluster for a VRG of this role, as the hub's ManifestWork would.
    pub fn ask(&self, name: &str, role: &str, action: &str) {
        self.ask_with(name, json!({ "replicationState": role, "action": action }));
    }

    /// The same with other fields of the spec; `null` takes one away.
    pub fn ask_with(&self, name: &str, fields: Value) {
        let cluster = &self.clusters[name];
        let mut fields = fields;
        if fields["action"] == "" {
            fields["action"] = Value::Null;
        }
        match cluster.get(&kinds::VRG, Some(APP), APP) {
            Ok(_) => {
                let patch = json!({ "spec": fields });
                cluster.merge_patch(&kinds::VRG, Some(APP), APP, &patch, None).expect("VRG");
            }
            Err(_) => {
                let mut vrg = json!({
                    "apiVersion": kinds::VRG.api_version(), "kind": "VolumeReplicationGroup",
                    "metadata": { "name": APP, "namespace": APP,
                        "annotations": { "drplacementcontrol.ramendr.openshift.io/drpc-uid": "drpc-1",
                            "drplacementcontrol.ramendr.openshift.io/destination-cluster": name } },
                    "spec": {
                        "async": { "schedulingInterval": "1m", "replicationClassSelector": {},
                            "peerClasses": [{ "clusterIDs": ["id-c1", "id-c2"], "replicationID": "rid-1",
                                "storageClassName": "lab-rbd", "storageID": ["sid-c1", "sid-c2"] }] },
                        "pvcSelector": { "matchLabels": { "app": APP } },
                        "s3Profiles": ["s3-c1", "s3-c2"],
                        "volSync": { "disabled": true },
                    },
                });
                for (field, value) in fields.as_object().unwrap() {
                    if !value.is_null() {
                        vrg["spec"][field] = value.clone();
                    }
                }
                cluster.create(&kinds::VRG, &vrg).expect("VRG");
            }
        }
    }

    /// Asks for a role with an epoch, as a hub that gives them would.
    pub fn ask_in(&self, epoch: u64, name: &str, role: &str, action: &str) {
        let note = json!({ "metadata": { "annotations": { (annotation::STORE_EPOCH): epoch.to_string() } } });
        if self.vrg(name).is_some() {
            self.patch(name, &kinds::VRG, APP, &note);
            self.ask(name, role, action);
        } else {
            self.ask(name, role, action);
            self.patch(name, &kinds::VRG, APP, &note);
        }
    }

    /// Who may write to a store: epoch and cluster; `None` without a fence.
    pub fn fence(&self, profile: &str) -> Option<(u64, String)> {
        let stores = self.stores.lock().unwrap();
        let fence = ramen_ports::fence::read(stores[profile].objects.get(&FENCE.replace("APP", APP))?).unwrap();
        Some((fence.epoch, fence.cluster))
    }

    /// Keys of copies in a store: all but the fence.
    pub fn copies(&self, profile: &str) -> Vec<String> {
        self.keys(profile).into_iter().filter(|key| *key != FENCE.replace("APP", APP)).collect()
    }

    /// A copy in a store.
    pub fn copy(&self, profile: &str, kind: &str, name: &str) -> Value {
        let key = format!("{APP}/{APP}/{kind}/{name}");
        self.stores.lock().unwrap()[profile].objects.get(&key).cloned().unwrap_or_default()
    }

    pub fn vrg(&self, name: &str) -> Option<Value> {
        self.clusters[name].get(&kinds::VRG, Some(APP), APP).ok()
    }

    /// `state` of a VRG that looked at its present generation.
    pub fn state(&self, name: &str) -> String {
        let Some(vrg) = self.vrg(name) else { return "none".into() };
        if vrg["status"]["observedGeneration"] != vrg["metadata"]["generation"] {
            return "stale".into();
        }
        object::text(&vrg, "/status/state").to_owned()
    }

    /// `status/reason` of a VRG's condition.
    pub fn condition(&self, name: &str, kind: &str) -> String {
        let vrg = self.vrg(name).unwrap_or_default();
        let all = object::list(&vrg, "/status/conditions").iter();
        all.filter(|c| c["type"] == kind).map(word).next().unwrap_or_default()
    }

    /// The message of a VRG's condition.
    pub fn message(&self, name: &str, kind: &str) -> String {
        let vrg = self.vrg(name).unwrap_or_default();
        let all = object::list(&vrg, "/status/conditions").iter();
        all.filter(|c| c["type"] == kind).map(|c| object::text(c, "/message").to_owned()).next().unwrap_or_default()
    }

    /// Protects the application on c1, with c2 as peer, until everything is as it should be.
    pub fn protected(claims: usize) -> Self {
        Self::protected_with(claims, Settings::recorded())
    }

    pub fn protected_with(claims: usize, settings: Settings) -> Self {
        let mut stage = Self::with(claims, settings);
        stage.ask("c1", "primary", "");
        stage.ask("c2", "secondary", "");
        stage.until(20, "protection", |stage| stage.is_protected("c1"));
        stage.until(20, "a settled peer", |stage| stage.state("c2") == "Secondary");
        stage
    }

    pub fn is_protected(&self, name: &str) -> bool {
        self.state(name) == "Primary" && self.condition(name, "ClusterDataProtected") == "True/Uploaded"
    }

    pub fn get(&self, name: &str, kind: &Resource, object: &str) -> Value {
        let space = kind.namespaced.then_some(APP);
        self.clusters[name].get(kind, space, object).unwrap_or_else(|err| panic!("{} {object}: {err}", kind.kind))
    }

    pub fn exists(&self, name: &str, kind: &Resource, object: &str) -> bool {
        let space = kind.namespaced.then_some(APP);
        self.clusters[name].get(kind, space, object) != Err(ApiError::NotFound)
    }

    pub fn patch(&self, name: &str, kind: &Resource, object: &str, patch: &Value) {
        let space = kind.namespaced.then_some(APP);
        self.clusters[name].merge_patch(kind, space, object, patch, None).expect("patch");
    }

    /// Name of a claim's volume.
    pub fn volume_of(&self, name: &str, claim: &str) -> String {
        object::text(&self.get(name, &kinds::PVC, claim), "/spec/volumeName").to_owned()
    }

    pub fn set_store(&self, profile: &str, change: impl FnOnce(&mut super::shell::Store)) {
        change(self.stores.lock().unwrap().entry(profile.to_owned()).or_default());
    }

    pub fn keys(&self, profile: &str) -> Vec<String> {
        self.stores.lock().unwrap().get(profile).map(|s| s.objects.keys().cloned().collect()).unwrap_or_default()
    }

    /// Requests that an operator made since `from`.
    pub fn requests(&self, name: &str, from: usize) -> &[String] {
        &self.shells[name].requests[from..]
    }
}

fn word(condition: &Value) -> String {
    format!("{}/{}", object::text(condition, "/status"), object::text(condition, "/reason"))
}
