//! A hub and two clusters in virtual time: agents run until nothing moves, then the clock jumps to the next moment.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ramen_sim::agents::registration::{self, LeaseWatch, Registration};
use ramen_sim::agents::view::{DEFAULT_PERIOD, ViewAgent};
use ramen_sim::agents::work::{self, WorkAgent};
use ramen_sim::agents::{Agent, AgentWorld, object};
use ramen_sim::api::{Api, ApiError, Resource};
use ramen_sim::apps::Application;
use ramen_sim::apps::deploy::{Applications, Deployer};
use ramen_sim::apps::workload::{self, Workload};
use ramen_sim::cluster::Cluster;
use ramen_sim::storage::binder::{Binder, Duties};
use ramen_sim::storage::provisioner::Provisioner;
use ramen_sim::storage::replication::{ReplicationController, Settings};
use ramen_sim::storage::{Speed, Storage};
use ramen_sim::time::Time;
use ramen_sim::world::{self, Setting, Store};
use serde_json::Value;

pub struct Stage {
    clock: Arc<AtomicU64>,
    pub hub: Cluster,
    pub c1: Cluster,
    pub c2: Cluster,
    storage: Mutex<Storage>,
    agents: Vec<(&'static str, Box<dyn Agent>, Option<Time>)>,
    applications: Applications,
    lost: BTreeSet<&'static str>,
}

pub fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

impl Stage {
    /// The golden setting, without operators.
    pub fn new() -> Self {
        Self::with(Settings::recorded())
    }

    pub fn with(settings: Settings) -> Self {
        let clock = Arc::new(AtomicU64::new(Time::parse("2026-11-23T14:00:00Z").unwrap().millis()));
        let cluster = |name: &str, seed| {
            let clock = clock.clone();
            Cluster::new(name, seed, Arc::new(move || Time(clock.load(Ordering::SeqCst))))
        };
        let (hub, c1, c2) = (cluster("hub", 1), cluster("c1", 2), cluster("c2", 3));
        let store = |name: &str| Store {
            profile: format!("s3-{name}"),
            bucket: format!("bucket-{name}"),
            endpoint: "http://127.0.0.1:1".into(),
            access_key: "key".into(),
            secret_key: "secret".into(),
        };
        let setting = Setting::golden(vec![store("c1"), store("c2")]);
        world::install_hub(&hub, &setting, hub.now()).expect("hub");
        world::install_cluster(&c1, "c1", &setting).expect("c1");
        world::install_cluster(&c2, "c2", &setting).expect("c2");
        let applications = Applications::default();
        let mut agents: Vec<(&'static str, Box<dyn Agent>, Option<Time>)> = Vec::new();
        agents.push(("hub", Box::new(LeaseWatch::new(registration::Timing::default())), None));
        for name in ["c1", "c2"] {
            let of_cluster: Vec<Box<dyn Agent>> = vec![
                Box::new(Registration::new(name, registration::Timing::default())),
                Box::new(WorkAgent::new(name, world::HUB_URL, 1, work::Timing::default())),
                Box::new(ViewAgent::new(name, DEFAULT_PERIOD)),
                Box::new(Provisioner::new(name)),
                Box::new(Binder::new(name, Duties { bind: true, protect: true })),
                Box::new(ReplicationController::new(name, settings)),
                Box::new(Deployer::new(name, applications.clone())),
                Box::new(Workload::new(name, workload::Timing::default())),
            ];
            agents.extend(of_cluster.into_iter().map(|agent| (name, agent, None)));
        }
        let storage = Mutex::new(Storage::pair("c1", "c2", Speed::default()));
        Self { clock, hub, c1, c2, storage, agents, applications, lost: BTreeSet::new() }
    }

    /// Gives the work agent of c1 so many watches.
    pub fn limit_watches(&mut self, watches: usize) {
        let timing = work::Timing { watches, ..work::Timing::default() };
        for (cluster, agent, _) in &mut self.agents {
            if *cluster == "c1" && agent.name() == "c1/work" {
                *agent = Box::new(WorkAgent::new("c1", world::HUB_URL, 1, timing));
            }
        }
    }

    pub fn now(&self) -> Time {
        self.hub.now()
    }

    pub fn storage(&self) -> MutexGuard<'_, Storage> {
        self.storage.lock().unwrap()
    }

    pub fn cluster(&self, name: &str) -> &Cluster {
        match name {
            "c1" => &self.c1,
            "c2" => &self.c2,
            _ => &self.hub,
        }
    }

    /// Runs all agents until nothing changes at this moment.
    pub fn settle(&mut self) {
        for _round in 0..100 {
            let before = self.versions();
            let now = self.now();
            for (cluster, agent, due) in &mut self.agents {
                if self.lost.contains(cluster) {
                    continue;
                }
                let own = match *cluster {
                    "c1" => &self.c1,
                    "c2" => &self.c2,
                    _ => &self.hub,
                };
                *due = agent.run(now, &AgentWorld { hub: &self.hub, own, storage: &self.storage });
            }
            if self.versions() == before {
                return;
            }
        }
        panic!("the agents do not come to rest");
    }

    /// Lets time pass.
    pub fn pass(&mut self, span: Duration) {
        let end = self.now() + span;
        loop {
            self.settle();
            let soonest = self.now() + Duration::from_millis(1);
            let next = self
                .agents
                .iter()
                .filter(|(cluster, ..)| !self.lost.contains(cluster))
                .filter_map(|(_, _, due)| *due)
                .min()
                .map_or(end, |due| due.max(soonest).min(end));
            if self.now() >= end {
                return;
            }
            self.clock.store(next.millis(), Ordering::SeqCst);
        }
    }

    /// Lets time pass until something holds; how long that took.
    pub fn pass_until(&mut self, limit: Duration, what: &str, holds: impl Fn(&Self) -> bool) -> Duration {
        let start = self.now();
        while !holds(self) {
            assert!(self.now().since(start) < limit, "waited {limit:?} for: {what}");
            self.pass(Duration::from_millis(50));
        }
        self.now().since(start)
    }

    fn versions(&self) -> [u64; 3] {
        [&self.hub, &self.c1, &self.c2].map(|cluster| cluster.with(|server, _| server.store().version()))
    }

    pub fn lose(&mut self, cluster: &'static str) {
        self.lost.insert(cluster);
        self.storage().set_up(cluster, false);
        self.cluster(cluster).set_reachable(false);
    }

    pub fn bring_back(&mut self, cluster: &'static str) {
        self.lost.remove(cluster);
        self.storage().set_up(cluster, true);
        self.cluster(cluster).set_reachable(true);
    }

    pub fn add(&self, application: &Application, on: &str) {
        self.applications.lock().unwrap().push(application.clone());
        world::place(&self.hub, application, on).expect("placement");
    }

    /// Decides where an application runs, as the hub operator does.
    pub fn decide(&self, application: &Application, clusters: &[&str]) {
        let (kind, name) = (&ramen_sim::kinds::PLACEMENT_DECISION, format!("{}-decision-1", application.placement));
        let mut decision = self.hub.get(kind, Some(&application.hub_namespace), &name).expect("decision");
        let named: Vec<Value> =
            clusters.iter().map(|cluster| serde_json::json!({"clusterName": cluster, "reason": cluster})).collect();
        decision["status"] = serde_json::json!({"decisions": named});
        self.hub.update_status(kind, &decision).expect("decision");
    }
}

/// An object, which has to be there.
pub fn get(api: &dyn Api, kind: &Resource, namespace: &str, name: &str) -> Value {
    let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
    api.get(kind, namespace, name).unwrap_or_else(|err| panic!("{} {name}: {err}", kind.kind))
}

pub fn exists(api: &dyn Api, kind: &Resource, namespace: &str, name: &str) -> bool {
    let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
    api.get(kind, namespace, name) != Err(ApiError::NotFound)
}

/// Status and reason of a condition under `status.conditions`.
pub fn condition(object: &Value, kind: &str) -> String {
    conditions(object::list(object, "/status/conditions"), kind)
}

/// The same of a bare list.
pub fn conditions(list: &[Value], kind: &str) -> String {
    list.iter()
        .find(|condition| condition["type"] == kind)
        .map(|condition| format!("{}/{}", object::text(condition, "/status"), object::text(condition, "/reason")))
        .unwrap_or_default()
}
