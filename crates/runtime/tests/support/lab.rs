//! A simulated cluster, a log in memory, and processes that run the mirror on them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ramen_api::kinds::{CONFIG_MAP, NAMESPACE, Resource, SECRET};
use ramen_events::{
    ClusterName, Payload, Record, Seq,
    log::{EventLog, MemoryLog, MemoryStore},
};
use ramen_runtime::{Connect, Error, Lease, Limits, Opened, Settings, run_with_log};
use ramen_sim::{api::Api, cluster::Cluster, front::http::Front};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{gate::Gate, mirror::Mirror};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(30);

pub struct Lab {
    pub cluster: Cluster,
    pub gate: Gate,
    pub store: MemoryStore,
    pub front: Front,
    /// How many records the log is said to have lost when it is opened next.
    pub lost: u64,
    /// The log that was opened last: opening it once more would fence its writer.
    log: Arc<Mutex<Option<Arc<dyn EventLog>>>>,
}

impl Lab {
    pub async fn new() -> Self {
        let cluster = Cluster::in_real_time("c1", 1);
        let front = Front::serve(cluster.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
        let gate = Gate::before(front.url(), "/namespaces/copies/").await;
        for name in ["wants", "copies"] {
            cluster
                .create(&NAMESPACE, &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }))
                .unwrap();
        }
        Self { cluster, gate, store: MemoryStore::new(), front, lost: 0, log: Arc::default() }
    }

    /// Creates or changes a ConfigMap.
    pub fn set(&self, namespace: &str, name: &str, value: &str) {
        let body = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "namespace": namespace, "name": name },
            "data": { "value": value },
        });
        self.cluster.apply(&CONFIG_MAP, &body, "user", true).unwrap();
    }

    pub fn set_secret(&self, name: &str, data: &Value) {
        let body = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "namespace": "wants", "name": name },
            "data": data,
        });
        self.cluster.apply(&SECRET, &body, "user", true).unwrap();
    }

    pub fn delete(&self, kind: &Resource, namespace: &str, name: &str) {
        self.cluster.delete(kind, Some(namespace), name, None).unwrap();
    }

    /// The value of a ConfigMap.
    pub fn value(&self, namespace: &str, name: &str) -> Option<String> {
        let object = self.cluster.get(&CONFIG_MAP, Some(namespace), name).ok()?;
        Some(object["data"]["value"].as_str()?.to_owned())
    }

    pub fn settings(&self, identity: &str) -> Settings {
        let config = kube::Config::new(self.gate.url().parse().unwrap());
        Settings {
            cluster: ClusterName::from("c1"),
            connect: Connect::Config(Box::new(config)),
            data_dir: "nowhere".into(),
            refuse_damaged_log: false,
            namespace: "wants".to_owned(),
            identity: identity.to_owned(),
            lease: None,
            listen: None,
            captures: None,
            archive: None,
            limits: Limits { call: Duration::from_secs(5), stop: Duration::from_secs(1), ..Limits::default() },
        }
    }

    pub fn with_lease(&self, identity: &str) -> Settings {
        let (duration, renew) = (Duration::from_secs(3), Duration::from_millis(200));
        Settings { lease: Some(Lease { duration, renew, ..Lease::named("leader") }), ..self.settings(identity) }
    }

    /// Starts a process on the lab's log.
    pub fn start(&self) -> Process {
        self.start_with(Mirror::new(), self.settings("one"))
    }

    pub fn start_with(&self, mirror: Mirror, settings: Settings) -> Process {
        self.start_on(mirror, settings, |log| Arc::new(log))
    }

    /// Starts a process on the lab's log, in a wrapper.
    pub fn start_on(
        &self,
        mirror: Mirror,
        settings: Settings,
        wrap: impl FnOnce(MemoryLog) -> Arc<dyn EventLog> + Send + 'static,
    ) -> Process {
        let (store, slot, lost) = (self.store.clone(), Arc::clone(&self.log), self.lost);
        let stop = CancellationToken::new();
        let open = move || {
            let log = wrap(MemoryLog::open(&store));
            *slot.lock().unwrap() = Some(Arc::clone(&log));
            Ok(Opened { log, lost })
        };
        let task = tokio::spawn(run_with_log(mirror, settings, open, stop.clone()));
        Process { stop, task }
    }

    /// The log, once a process opened it.
    pub fn log(&self) -> Option<Arc<dyn EventLog>> {
        self.log.lock().unwrap().clone()
    }

    /// All durable records.
    pub fn records(&self) -> Vec<Record> {
        let Some(log) = self.log() else { return Vec::new() };
        log.scan(Seq(1)).map(|record| record.unwrap().0).collect()
    }

    /// How many durable records are so.
    pub fn count(&self, matches: impl Fn(&Payload) -> bool) -> usize {
        self.records().iter().filter(|record| matches(&record.payload)).count()
    }

    /// How many writes of ConfigMaps the operator made.
    pub fn writes(&self) -> u64 {
        let each = self.front.counts().each();
        let writes = each.iter().filter(|(what, _)| {
            what.agent == "ramen-spoke"
                && what.resource == "configmaps"
                && ["create", "update", "patch", "apply", "delete"].contains(&what.verb)
        });
        writes.map(|(_, count)| count).sum()
    }
}

/// A running operator process.
pub struct Process {
    stop: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

impl Process {
    pub fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// Stops it in order.
    pub async fn stop(self) -> Result<(), Error> {
        self.stop.cancel();
        self.end().await
    }

    /// Waits until it ends by itself.
    pub async fn end(self) -> Result<(), Error> {
        tokio::time::timeout(LIMIT, self.task).await.expect("the process should have ended").unwrap()
    }
}

/// Waits until something holds.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    let waited = tokio::time::timeout(LIMIT, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.is_ok(), "waited in vain for: {what}");
}
