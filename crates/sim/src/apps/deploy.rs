//! The GitOps stand-in of one cluster: what the hub's decision names runs here, what it no longer names is removed.
//!
//! Claims that exist are adopted as they are: a restored one is never replaced, and while one of the same name is
//! terminating nothing is created.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ramen_api::path::At as _;
use serde_json::json;

use super::{Application, node_name};
use crate::agents::{Agent, AgentWorld, Side, object};
use crate::api::{Api, ApiError, Object, Resource};
use crate::kinds;
use crate::time::Time;

/// The applications that exist; shared by the deployers of all clusters and whoever adds one.
pub type Applications = Arc<Mutex<Vec<Application>>>;

/// The agent, one per cluster.
pub struct Deployer {
    name: String,
    cluster: String,
    applications: Applications,
    /// What was deployed here and is not yet removed. Only that is pruned: a claim that is being restored before the
    /// decision comes is not ours.
    deployed: BTreeSet<String>,
}

impl Deployer {
    /// The deployer of a cluster.
    #[must_use]
    pub fn new(cluster: &str, applications: Applications) -> Self {
        let name = format!("{cluster}/deployer");
        Self { name, cluster: cluster.to_owned(), applications, deployed: BTreeSet::new() }
    }

    /// Brings one application to where it should be; `false` while something is in the way.
    fn bring(
        &mut self,
        application: &Application,
        decisions: &[Arc<Object>],
        world: &AgentWorld<'_>,
    ) -> Result<bool, ApiError> {
        if decided(application, decisions, &self.cluster) {
            self.deployed.insert(application.name.clone());
            return deploy(application, &self.cluster, world.own);
        }
        if !self.deployed.contains(&application.name) || !is_decided(application, decisions) {
            return Ok(true);
        }
        let removed = remove(application, world.own)?;
        if removed {
            self.deployed.remove(&application.name);
        }
        Ok(removed)
    }
}

impl Agent for Deployer {
    fn name(&self) -> &str {
        &self.name
    }

    fn watches(&self) -> Vec<(Side, Resource)> {
        vec![(Side::Hub, kinds::PLACEMENT_DECISION), (Side::Own, kinds::PVC), (Side::Own, kinds::POD)]
    }

    fn run(&mut self, now: Time, world: &AgentWorld<'_>) -> Option<Time> {
        let again = Some(now + Duration::from_secs(1));
        let Ok(decisions) = world.hub.see_all(&kinds::PLACEMENT_DECISION, None) else { return again };
        let applications = self.applications.clone();
        let mut settled = true;
        for application in applications.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            settled &= self.bring(application, &decisions, world).unwrap_or(false);
        }
        if settled { None } else { again }
    }
}

/// The decisions of the application's placement.
fn of_placement<'a>(
    application: &'a Application,
    decisions: &'a [Arc<Object>],
) -> impl Iterator<Item = &'a Arc<Object>> {
    decisions.iter().filter(|decision| object::namespace(decision) == application.hub_namespace).filter(|decision| {
        object::label(decision, "cluster.open-cluster-management.io/placement") == application.placement
    })
}

/// Whether anything was decided, be it "nowhere". A hub that was just rebuilt has not decided yet: GitOps that is set up
/// for disaster recovery removes nothing then.
fn is_decided(application: &Application, decisions: &[Arc<Object>]) -> bool {
    of_placement(application, decisions).any(|decision| decision.at("/status/decisions").is_some())
}

/// Whether a decision of the application's placement names the cluster, for whatever reason.
fn decided(application: &Application, decisions: &[Arc<Object>], cluster: &str) -> bool {
    of_placement(application, decisions)
        .flat_map(|decision| object::list(decision, "/status/decisions"))
        .any(|entry| entry["clusterName"] == cluster)
}

fn deploy(application: &Application, cluster: &str, own: &dyn Api) -> Result<bool, ApiError> {
    let namespace = application.namespace();
    if missing(own.see(&kinds::NAMESPACE, None, namespace)) {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        unless_exists(own.create(&kinds::NAMESPACE, &object))?;
    }
    let mut free = true;
    for claim in &application.claims {
        match own.see(&kinds::PVC, Some(namespace), claim) {
            Ok(existing) => free &= !object::deleting(&existing),
            Err(ApiError::NotFound) => unless_exists(own.create(&kinds::PVC, &application.claim(claim)))?,
            Err(other) => return Err(other),
        }
    }
    if free && missing(own.see(&kinds::POD, Some(namespace), &application.name)) {
        unless_exists(own.create(&kinds::POD, &application.pod(&node_name(cluster))))?;
    }
    Ok(free)
}

/// The pod first; its claims only when it is gone.
fn remove(application: &Application, own: &dyn Api) -> Result<bool, ApiError> {
    let namespace = Some(application.namespace());
    match own.see(&kinds::POD, namespace, &application.name) {
        Ok(pod) => {
            if !object::deleting(&pod) {
                unless_gone(own.delete(&kinds::POD, namespace, &application.name, Some(object::uid(&pod))))?;
            }
            if !missing(own.see(&kinds::POD, namespace, &application.name)) {
                return Ok(false);
            }
        }
        Err(ApiError::NotFound) => {}
        Err(other) => return Err(other),
    }
    for claim in &application.claims {
        match own.see(&kinds::PVC, namespace, claim) {
            Ok(existing) if !object::deleting(&existing) => {
                unless_gone(own.delete(&kinds::PVC, namespace, claim, Some(object::uid(&existing))))?;
            }
            Ok(_) | Err(ApiError::NotFound) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(true)
}

fn missing(seen: Result<Arc<Object>, ApiError>) -> bool {
    matches!(seen, Err(ApiError::NotFound))
}

fn unless_exists(created: Result<Arc<Object>, ApiError>) -> Result<(), ApiError> {
    match created {
        Ok(_) | Err(ApiError::AlreadyExists) => Ok(()),
        Err(other) => Err(other),
    }
}

fn unless_gone(deleted: Result<(), ApiError>) -> Result<(), ApiError> {
    match deleted {
        Ok(()) | Err(ApiError::NotFound) => Ok(()),
        Err(other) => Err(other),
    }
}
