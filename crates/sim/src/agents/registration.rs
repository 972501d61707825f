//! Managed clusters as the hub sees them: registered, and available while their agent renews its lease.

use std::time::Duration;

use serde_json::{Value, json};

use crate::agents::conditions::{self, Condition};
use crate::agents::{Agent, AgentWorld, Side, earlier, object};
use crate::api::{Api, ApiError, Resource};
use crate::kinds;
use crate::time::Time;

const LEASE: &str = "managed-cluster-lease";
const AVAILABLE: &str = "ManagedClusterConditionAvailable";

/// When a cluster counts as lost; the defaults are OCM's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How often a cluster renews its lease.
    pub renew: Duration,
    /// How many renewals may be missed.
    pub grace: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self { renew: Duration::from_mins(1), grace: 5 }
    }
}

/// Makes a cluster known to the hub: its namespace, its ManagedCluster, its claimed id.
///
/// # Errors
/// Those of the hub's API server.
pub fn register(hub: &dyn Api, cluster: &str, cluster_id: &str, now: Time) -> Result<(), ApiError> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster}});
    match hub.create(&kinds::NAMESPACE, &namespace) {
        Ok(_) | Err(ApiError::AlreadyExists) => {}
        Err(other) => return Err(other),
    }
    let object = json!({
        "apiVersion": kinds::MANAGED_CLUSTER.api_version(),
        "kind": "ManagedCluster",
        "metadata": {"name": cluster, "labels": {"name": cluster}},
        "spec": {"hubAcceptsClient": true, "leaseDurationSeconds": 60},
    });
    let registered = match hub.create(&kinds::MANAGED_CLUSTER, &object) {
        Err(ApiError::AlreadyExists) => hub.see(&kinds::MANAGED_CLUSTER, None, cluster)?,
        other => other?,
    };
    let mut registered = registered.value().clone();
    let mut held = object::list(&registered, "/status/conditions").to_vec();
    for (kind, reason, message) in [
        ("HubAcceptedManagedCluster", "HubClusterAdminAccepted", "the hub accepted the cluster"),
        ("ManagedClusterJoined", "ManagedClusterJoined", "the cluster joined"),
        (AVAILABLE, "ManagedClusterAvailable", "the cluster answers"),
    ] {
        let condition = Condition { kind, status: "True", reason, message, observed_generation: None };
        conditions::set(&mut held, &condition, now);
    }
    registered["status"] = json!({
        "conditions": held,
        "clusterClaims": [{"name": "id.k8s.io", "value": cluster_id}],
        "version": {"kubernetes": "v1.34.0"},
    });
    hub.update_status(&kinds::MANAGED_CLUSTER, &registered)?;
    renew(hub, cluster, now)
}

fn renew(hub: &dyn Api, cluster: &str, now: Time) -> Result<(), ApiError> {
    let patch = json!({"spec": {"leaseDurationSeconds": 60, "renewTime": now.rfc3339_micros()}});
    match hub.merge_patch(&kinds::LEASE, Some(cluster), LEASE, &patch, None) {
        Err(ApiError::NotFound) => {
            let mut lease = json!({
                "apiVersion": kinds::LEASE.api_version(),
                "kind": "Lease",
                "metadata": {"name": LEASE, "namespace": cluster},
            });
            lease["spec"] = patch["spec"].clone();
            hub.create(&kinds::LEASE, &lease).map(drop)
        }
        other => other.map(drop),
    }
}

/// The registration agent of one cluster: renews the lease and says that the cluster is available.
pub struct Registration {
    name: String,
    cluster: String,
    timing: Timing,
    due: Option<Time>,
}

impl Registration {
    /// The agent of a cluster.
    #[must_use]
    pub fn new(cluster: &str, timing: Timing) -> Self {
        Self { name: format!("{cluster}/registration"), cluster: cluster.to_owned(), timing, due: None }
    }
}

impl Agent for Registration {
    fn name(&self) -> &str {
        &self.name
    }

    fn watches(&self) -> Vec<(Side, Resource)> {
        Vec::new()
    }

    fn run(&mut self, now: Time, world: &AgentWorld<'_>) -> Option<Time> {
        if self.due.is_some_and(|due| due > now) {
            return self.due;
        }
        let available = Condition {
            kind: AVAILABLE,
            status: "True",
            reason: "ManagedClusterAvailable",
            message: "the cluster answers",
            observed_generation: None,
        };
        let told = renew(world.hub, &self.cluster, now).and_then(|()| tell(world.hub, &self.cluster, &available, now));
        let pause = if told.is_ok() { self.timing.renew } else { Duration::from_secs(1) };
        self.due = Some(now + pause);
        self.due
    }
}

fn tell(hub: &dyn Api, cluster: &str, condition: &Condition<'_>, now: Time) -> Result<(), ApiError> {
    let seen = hub.see(&kinds::MANAGED_CLUSTER, None, cluster)?;
    let mut held = object::list(&seen, "/status/conditions").to_vec();
    conditions::set(&mut held, condition, now);
    if object::list(&seen, "/status/conditions") != held {
        let mut told = seen.value().clone();
        told["status"]["conditions"] = Value::Array(held);
        hub.update_status(&kinds::MANAGED_CLUSTER, &told)?;
    }
    Ok(())
}

/// The hub's side: a cluster whose lease is not renewed in time becomes `Unknown`.
pub struct LeaseWatch {
    timing: Timing,
}

impl LeaseWatch {
    /// The hub's watch over all leases.
    #[must_use]
    pub fn new(timing: Timing) -> Self {
        Self { timing }
    }

    fn check(&self, cluster: &str, now: Time, hub: &dyn Api) -> Option<Time> {
        let lease = hub.see(&kinds::LEASE, Some(cluster), LEASE).ok()?;
        let end = Time::parse(object::text(&lease, "/spec/renewTime"))? + self.timing.renew * self.timing.grace;
        if end > now {
            return Some(end);
        }
        let unknown = Condition {
            kind: AVAILABLE,
            status: "Unknown",
            reason: "ManagedClusterLeaseUpdateStopped",
            message: "the cluster's agent stopped renewing its lease",
            observed_generation: None,
        };
        match tell(hub, cluster, &unknown, now) {
            Ok(()) => None,
            Err(_) => Some(now + Duration::from_secs(1)),
        }
    }
}

impl Agent for LeaseWatch {
    fn name(&self) -> &str {
        "hub/lease-watch"
    }

    fn watches(&self) -> Vec<(Side, Resource)> {
        vec![(Side::Hub, kinds::LEASE)]
    }

    fn run(&mut self, now: Time, world: &AgentWorld<'_>) -> Option<Time> {
        let Ok(clusters) = world.hub.see_all(&kinds::MANAGED_CLUSTER, None) else {
            return Some(now + Duration::from_secs(1));
        };
        clusters.iter().fold(None, |next, cluster| earlier(next, self.check(object::name(cluster), now, world.hub)))
    }
}
