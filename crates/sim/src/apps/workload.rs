//! Kubelet and the processes of one cluster: pods run once their claims are bound and their volumes attached, and
//! write to each volume at a steady rate; every write is counted by the storage.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::agents::{Agent, AgentWorld, Side, earlier, object};
use crate::api::{Api, ApiError, Object, Resource};
use crate::api_server::object::finalizers;
use crate::kinds;
use crate::time::Time;

/// The finalizer of a pod whose processes ignore that they are to end: they go on to write until it is taken off.
pub const STUBBORN: &str = "example.com/stubborn";

/// How pods behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between two writes to each volume.
    pub write: Duration,
    /// What a node needs after an outage before its pods run again.
    pub reboot: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { write: Duration::from_millis(250), reboot: Duration::from_secs(5) }
    }
}

/// A pod that runs.
#[derive(Debug, Clone)]
struct Running {
    volumes: Vec<String>,
    next_write: Time,
}

/// The agent, one per cluster.
pub struct Workload {
    name: String,
    site: String,
    timing: Timing,
    running: BTreeMap<String, Running>,
    alive: Option<Time>,
    booted: Option<Time>,
    /// The power went since the last look.
    cut: bool,
}

impl Workload {
    /// The node and processes of a cluster.
    #[must_use]
    pub fn new(cluster: &str, timing: Timing) -> Self {
        Self {
            name: format!("{cluster}/workload"),
            site: cluster.to_owned(),
            timing,
            running: BTreeMap::new(),
            alive: None,
            booted: None,
            cut: false,
        }
    }

    /// Notes an outage: processes are gone, and the node needs a while. `true` while it does.
    fn rebooting(&mut self, now: Time, world: &AgentWorld<'_>) -> bool {
        let silent = self.alive.replace(now).map_or(Duration::ZERO, |last| now.since(last));
        if std::mem::take(&mut self.cut) {
            self.booted = Some(now + self.timing.reboot);
        }
        if !self.running.is_empty() && silent > self.timing.write * 8 + Duration::from_secs(1) {
            for pod in std::mem::take(&mut self.running).into_keys() {
                world.storage().detach(&self.site, &pod);
            }
            self.booted = Some(now + self.timing.reboot);
        }
        self.booted.is_some_and(|booted| booted > now)
    }

    /// Stops what has no pod any more.
    fn stop_gone(&mut self, pods: &[Arc<Object>], world: &AgentWorld<'_>) {
        let site = &self.site;
        self.running.retain(|uid, _| {
            let there = pods.iter().any(|pod| object::uid(pod) == uid && !ends(pod));
            if !there {
                world.storage().detach(site, uid);
            }
            there
        });
    }

    /// Starts a pod if its claims are bound and its volumes can be attached.
    fn start(&self, pod: &Value, now: Time, world: &AgentWorld<'_>) -> Result<Option<Running>, ApiError> {
        let mut volumes = Vec::new();
        for volume in object::list(pod, "/spec/volumes") {
            let claim = object::text(volume, "/persistentVolumeClaim/claimName");
            if claim.is_empty() {
                continue;
            }
            let Some(handle) = bound(world.own, object::namespace(pod), claim)? else { return Ok(None) };
            volumes.push(handle);
        }
        {
            let mut storage = world.storage();
            let attached =
                volumes.iter().all(|handle| storage.attach(&self.site, handle, object::uid(pod), now).is_ok());
            if !attached {
                storage.detach(&self.site, object::uid(pod));
                return Ok(None);
            }
        }
        if object::text(pod, "/status/phase") != "Running" {
            say_running(world.own, pod, now)?;
        }
        Ok(Some(Running { volumes, next_write: now }))
    }

    fn write(&mut self, now: Time, world: &AgentWorld<'_>) -> Option<Time> {
        let mut storage = world.storage();
        let mut next = None;
        for running in self.running.values_mut() {
            // As many writes as fit since the last time, or the rate would depend on how often the agent is called.
            let mut writes = 0;
            while running.next_write <= now {
                running.next_write = running.next_write + self.timing.write;
                writes += 1;
            }
            for handle in &running.volumes {
                // A volume that is not writable takes no write and acknowledges none.
                let _refused = storage.write(&self.site, handle, writes, now);
            }
            next = earlier(next, Some(running.next_write));
        }
        next
    }
}

/// Whether a pod's processes end: it is being deleted, and they heed that.
fn ends(pod: &Value) -> bool {
    object::deleting(pod) && !finalizers(pod).contains(&STUBBORN)
}

/// The volume handle of a claim, if it is bound.
fn bound(own: &dyn Api, namespace: &str, claim: &str) -> Result<Option<String>, ApiError> {
    let claim = match own.see(&kinds::PVC, Some(namespace), claim) {
        Err(ApiError::NotFound) => return Ok(None),
        other => other?,
    };
    if object::text(&claim, "/status/phase") != "Bound" || object::deleting(&claim) {
        return Ok(None);
    }
    match own.see(&kinds::PV, None, object::text(&claim, "/spec/volumeName")) {
        Ok(volume) => Ok(Some(object::text(&volume, "/spec/csi/volumeHandle").to_owned())),
        Err(ApiError::NotFound) => Ok(None),
        Err(other) => Err(other),
    }
}

fn say_running(own: &dyn Api, pod: &Value, now: Time) -> Result<(), ApiError> {
    let at = now.rfc3339();
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": at});
    let status = json!({
        "phase": "Running",
        "startTime": at,
        "conditions": [condition("PodScheduled"), condition("Initialized"), condition("ContainersReady"), condition("Ready")],
        "containerStatuses": [{
            "name": "writer",
            "image": "example.com/writer:1",
            "imageID": "",
            "ready": true,
            "started": true,
            "restartCount": 0,
            "state": {"running": {"startedAt": at}},
        }],
    });
    let patch = json!({"status": status});
    own.merge_patch(&kinds::POD, Some(object::namespace(pod)), object::name(pod), &patch, Some("status")).map(drop)
}

impl Agent for Workload {
    fn name(&self) -> &str {
        &self.name
    }

    fn power_lost(&mut self) {
        self.running.clear();
        self.cut = true;
    }

    fn watches(&self) -> Vec<(Side, Resource)> {
        vec![(Side::Own, kinds::POD), (Side::Own, kinds::PVC)]
    }

    fn run(&mut self, now: Time, world: &AgentWorld<'_>) -> Option<Time> {
        let rebooting = self.rebooting(now, world);
        let again = Some(now + Duration::from_secs(1));
        let Ok(pods) = world.own.see_all(&kinds::POD, None) else { return again };
        self.stop_gone(&pods, world);
        if rebooting {
            return earlier(self.booted, again);
        }
        let mut waiting = None;
        for pod in pods.iter().filter(|pod| !object::deleting(pod)) {
            if self.running.contains_key(object::uid(pod)) {
                continue;
            }
            match self.start(pod, now, world) {
                Ok(Some(running)) => drop(self.running.insert(object::uid(pod).to_owned(), running)),
                Ok(None) | Err(_) => waiting = again,
            }
        }
        earlier(waiting, self.write(now, world))
    }
}
