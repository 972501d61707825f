//! Whether a policy can be used, before its classes are looked at (spec hub 1.3).

use std::collections::BTreeSet;

use ramen_api::ramen::wire::{NO_S3, condition, reason};
use ramen_events::{ClusterName, ConditionStatus};

use crate::hub::{drcluster::inventory, installation};

use super::Policy;

/// The first version of the deciders that says what can be done about a policy whose clusters are all being deleted.
const TELLS_OF_DELETION_SINCE: u32 = 4;

/// What is said about a policy.
pub enum Verdict {
    /// It can be used; what is to be done about storage classes that are left out.
    Valid(Vec<String>),
    /// Nobody knows yet, and why.
    Waiting(String),
    /// It can't be used.
    Invalid {
        /// Reason of the wire.
        reason: &'static str,
        /// Field, value and remedy.
        message: String,
    },
}

impl Verdict {
    /// Whether it is likely to be overtaken soon, while its clusters get ready.
    pub fn is_waiting(&self) -> bool {
        match self {
            Self::Waiting(_) => true,
            Self::Invalid { reason, .. } => *reason == reason::DR_CLUSTERS_UNAVAILABLE,
            Self::Valid(_) => false,
        }
    }
}

fn invalid(reason: &'static str, message: String) -> Verdict {
    Verdict::Invalid { reason, message }
}

/// The first thing that stands in the way.
pub fn check(policy: &Policy<'_>) -> Result<(), Verdict> {
    let config = policy.hub.config().map_err(|why| invalid(reason::CONFIG_MAP_GET_FAILED, why))?;
    ops_namespace(policy, &config.ops_namespace)?;
    clusters(policy)?;
    let listed = &policy.fact.spec.clusters;
    let mut validated = false;
    for cluster in listed {
        let Some(fact) = policy.hub.clusters.get(&cluster.0) else {
            let text = format!("spec.drClusters: DRCluster {cluster} is not there; create it");
            return Err(invalid(reason::DR_CLUSTER_NOT_FOUND, text));
        };
        let conditions = fact.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
        validated |= conditions.iter().any(|c| c.kind == condition::VALIDATED && c.status == ConditionStatus::True);
    }
    let leaving: Vec<&ClusterName> = listed.iter().filter(|name| leaves(policy, name)).collect();
    if !validated && leaving.len() == listed.len() {
        return Err(gone_soon(&leaving));
    }
    if !validated {
        let names: Vec<&str> = listed.iter().map(|cluster| cluster.as_str()).collect();
        let text =
            format!("none of the DRClusters are validated ([{}]); their condition Validated says why", names.join(" "));
        return Err(invalid(reason::DR_CLUSTERS_UNAVAILABLE, text));
    }
    stores(policy)?;
    let mut ids = BTreeSet::new();
    for cluster in listed {
        let id = inventory::identity(policy.hub, cluster).map_err(|why| {
            if claims_nothing_now(policy, cluster) {
                Verdict::Waiting(why)
            } else {
                invalid(reason::DR_CLUSTER_DETAILS_FAILED, why)
            }
        })?;
        if !ids.insert(id.clone()) {
            let text =
                format!("spec.drClusters: cluster {cluster} claims the identity {id} of another one of the list");
            return Err(invalid(reason::DR_CLUSTER_DETAILS_FAILED, text));
        }
    }
    Ok(())
}

/// The first version of the deciders that asks for a store.
const STORES_SINCE: u32 = 9;

/// `NoS3` means no store. A volume is found again on the other cluster by the copies of it and of its claim: without any an
/// application would get new, empty volumes there, and the old ones would be overwritten (spec hub H27, spoke config C23).
fn stores(policy: &Policy<'_>) -> Result<(), Verdict> {
    let listed = &policy.fact.spec.clusters;
    let has_store = |name: &ClusterName| policy.hub.clusters.get(&name.0).is_some_and(|fact| fact.profile != NO_S3);
    if policy.ask.decider < STORES_SINCE || listed.iter().any(has_store) {
        return Ok(());
    }
    let names: Vec<&str> = listed.iter().map(|cluster| cluster.as_str()).collect();
    let text = format!(
        "spec.drClusters: DRClusters [{}] have s3ProfileName {NO_S3}, so there is no store for what the other cluster needs to \
         find an application's volumes: delete this policy and one of these DRClusters, and make them again with an S3 \
         profile, since spec.s3ProfileName of a DRCluster cannot be changed",
        names.join(" ")
    );
    Err(invalid(reason::VALIDATION_FAILED, text))
}

/// The first version of the deciders under which a valid policy stays so while one of its clusters claims no identity.
const CLAIMS_NOTHING_SINCE: u32 = 7;

/// A cluster joined, and claims no identity any more: what its policy knows of it holds until it claims another one (HS5),
/// and a failover must not wait for that. Its DRCluster says so.
fn claims_nothing_now(policy: &Policy<'_>, cluster: &ClusterName) -> bool {
    let managed = policy.hub.managed.get(&cluster.0);
    let claims_nothing = managed.is_some_and(|managed| managed.joined && managed.id.is_empty());
    claims_nothing && policy.is_valid() && policy.ask.decider >= CLAIMS_NOTHING_SINCE
}

/// Whether a DRCluster is being deleted.
pub fn leaves(policy: &Policy<'_>, name: &ClusterName) -> bool {
    let leaves = policy.hub.clusters.get(&name.0).is_some_and(|cluster| cluster.meta.deleting.is_some());
    leaves && policy.ask.decider >= TELLS_OF_DELETION_SINCE
}

/// Nobody will ever tell what these clusters have.
pub fn gone_soon(clusters: &[&ClusterName]) -> Verdict {
    let names: Vec<&str> = clusters.iter().map(|cluster| cluster.as_str()).collect();
    let text = format!(
        "spec.drClusters: DRClusters are being deleted ([{}]) and go when no policy lists them: delete what refers to this \
         policy, then this policy, and make all of them again",
        names.join(" ")
    );
    invalid(reason::DR_CLUSTERS_UNAVAILABLE, text)
}

/// The API server asks for two clusters, but does not compare them.
fn clusters(policy: &Policy<'_>) -> Result<(), Verdict> {
    let listed = &policy.fact.spec.clusters;
    let names: Vec<&str> = listed.iter().map(|cluster| cluster.as_str()).collect();
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    if distinct.len() == 2 && names.len() == 2 && !distinct.contains("") {
        return Ok(());
    }
    let text = format!("spec.drClusters: [{}] must name two different clusters", names.join(" "));
    Err(invalid(reason::VALIDATION_FAILED, text))
}

/// Failing to create the namespace for discovered applications is told here: the installation has no status.
fn ops_namespace(policy: &Policy<'_>, name: &str) -> Result<(), Verdict> {
    if name.is_empty() || policy.hub.ops_namespace == name {
        return Ok(());
    }
    let attempt = policy.ask.flights.last(&crate::hub::installation(), installation::OPS_NAMESPACE);
    match attempt.and_then(|attempt| attempt.outcome.as_ref()).and_then(|outcome| outcome.message()) {
        Some(message) => {
            let text = format!("ramenOpsNamespace: namespace {name} could not be created: {message}");
            Err(invalid(reason::NAMESPACE_CREATE_FAILED, text))
        }
        None => Ok(()),
    }
}
