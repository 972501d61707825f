//! The two works that each cluster gets: rights for its agent, and the question what it offers (spec hub 4).

use ramen_api::ramen::wire::{name, reason};
use ramen_events::{
    Command, ConditionStatus, Json,
    hub::{self, WorkContent, WorkFact},
};
use serde_json::Value;

use crate::domain::Decision;

use super::{Cluster, Unmet, unmet, waiting};

/// What the agent may edit, as the names of its roles say.
pub const ROLES: [&str; 5] =
    ["volrepgroup-edit", "mmode-edit", "drclusterconfig-edit", "networkfence-edit", "recipe-edit"];

/// Whether a work is on its cluster as it is written now (spec hub 8.1, with the generation compared: 13, H20).
pub fn is_applied(work: &WorkFact) -> bool {
    let holds = |condition: &Option<hub::WorkCondition>| {
        condition.as_ref().is_some_and(|c| c.status == ConditionStatus::True && c.generation == work.generation)
    };
    holds(&work.applied) && holds(&work.available) && !work.deleting
}

/// What the agent says about a work that is not applied.
fn complaint(work: &WorkFact) -> String {
    let told = [&work.applied, &work.available].into_iter().flatten().find(|c| c.status != ConditionStatus::True);
    told.map(|condition| format!("; its agent says: {}", condition.message)).unwrap_or_default()
}

/// A work that is not applied: a fault if its agent says so.
fn late(work: &WorkFact, reason: &'static str, text: String) -> Unmet {
    if complaint(work).is_empty() { waiting(reason, text) } else { unmet(reason, text) }
}

/// Rights for the work agent.
pub fn check_rights(cluster: &Cluster<'_>, decision: &mut Decision) -> Result<(), Unmet> {
    let known = cluster.hub.work(&cluster.name, name::DR_CLUSTER_WORK).map(|known| &*known.fact);
    let keep = match known {
        None => Some(Vec::new()),
        Some(work) => missing_roles(work),
    };
    if let Some(keep) = keep {
        let command = hub::Command::ApplyClusterWork { cluster: cluster.name.clone(), keep };
        decision.want("work/rights", Command::Hub(command));
    }
    if let Some(failed) = cluster.ask.flights.last(cluster.ask.aggregate, "work/rights")
        && let Some(message) = failed.outcome.as_ref().and_then(|outcome| outcome.message())
        && known.is_none()
    {
        let text = format!(
            "ManifestWork {} could not be written for cluster {}: {message}; is there a namespace of that name, and \
             is the cluster registered?",
            name::DR_CLUSTER_WORK,
            cluster.name,
        );
        return Err(unmet(reason::DR_CLUSTERS_DEPLOY_FAILED, text));
    }
    match known {
        Some(work) if is_applied(work) => Ok(()),
        Some(work) => {
            let text = format!(
                "waiting for ManifestWork {} to be applied on cluster {}{}",
                work.name,
                cluster.name,
                complaint(work)
            );
            Err(late(work, reason::DR_CLUSTERS_DEPLOY_STATUS_CHECK_FAILED, text))
        }
        None => {
            let text = format!("waiting for ManifestWork {} to be written", name::DR_CLUSTER_WORK);
            Err(waiting(reason::DR_CLUSTERS_DEPLOY_STATUS_CHECK_FAILED, text))
        }
    }
}

/// The other manifests of a work that lacks one of our roles; `None` when it has all. What an installation was given
/// beside them (an operator through OLM) stays: to drop it from the work would delete it (spec hub 13, H4).
fn missing_roles(work: &WorkFact) -> Option<Vec<Json>> {
    let WorkContent::Manifests(manifests) = &work.content else { return Some(Vec::new()) };
    let value = manifests.value();
    let manifests = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if ROLES.iter().all(|wanted| manifests.iter().filter_map(role).any(|role| role == *wanted)) {
        return None;
    }
    Some(foreign(work))
}

/// The role of ours that a manifest is.
fn role(manifest: &Value) -> Option<String> {
    let name = manifest["metadata"]["name"].as_str().unwrap_or_default();
    name.strip_prefix(name::AGENT_ROLE_PREFIX).filter(|role| ROLES.contains(role)).map(str::to_owned)
}

/// What a work holds beside our roles.
pub fn foreign(work: &WorkFact) -> Vec<Json> {
    let WorkContent::Manifests(manifests) = &work.content else { return Vec::new() };
    let value = manifests.value();
    let manifests = value.as_array().map(Vec::as_slice).unwrap_or_default();
    manifests.iter().filter(|manifest| role(manifest).is_none()).map(Json::new).collect()
}

/// The cluster's DRClusterConfig.
pub fn check_config(cluster: &Cluster<'_>, decision: &mut Decision) -> Result<(), Unmet> {
    let name = &cluster.name;
    let id = cluster.identity().map_err(|why| unmet(reason::DR_CLUSTER_CONFIG_IN_PROGRESS, why))?;
    let schedules = cluster.schedules();
    let known = cluster.hub.work(name, name::DR_CLUSTER_CONFIG_WORK).map(|known| &*known.fact);
    let told = known.and_then(config_in);
    let other_identity = told.as_ref().is_some_and(|(told, _)| *told != id);
    match known {
        // The identity is immutable on the cluster: a rebuilt cluster of the same name needs a new object (13, H28).
        Some(work) if other_identity && !work.deleting => {
            let command =
                hub::Command::DeleteWork { cluster: name.clone(), name: work.name.clone(), uid: work.uid.clone() };
            decision.want("work/config", Command::Hub(command));
        }
        Some(_) if other_identity => {}
        _ if told != Some((id.clone(), schedules.clone())) => {
            let command = hub::Command::ApplyConfigWork { cluster: name.clone(), id, schedules };
            decision.want("work/config", Command::Hub(command));
        }
        _ => {}
    }
    match known {
        Some(work) if is_applied(work) && !other_identity => Ok(()),
        Some(work) => {
            let text = format!("waiting for DRClusterConfig to be applied on cluster {name}{}", complaint(work));
            Err(late(work, reason::DR_CLUSTER_CONFIG_IN_PROGRESS, text))
        }
        None => {
            let text = format!("waiting for DRClusterConfig to be written for cluster {name}");
            Err(waiting(reason::DR_CLUSTER_CONFIG_IN_PROGRESS, text))
        }
    }
}

/// Identity and schedules in the work that is there.
fn config_in(work: &WorkFact) -> Option<(String, Vec<String>)> {
    let WorkContent::Manifests(manifests) = &work.content else { return None };
    let value = manifests.value();
    let spec = &value.get(0)?["spec"];
    let schedules = spec["replicationSchedules"].as_array().map(Vec::as_slice).unwrap_or_default();
    let schedules = schedules.iter().filter_map(|s| s.as_str().map(str::to_owned)).collect();
    Some((spec["clusterID"].as_str()?.to_owned(), schedules))
}

impl Cluster<'_> {
    /// The identity that the cluster claims; `Err` with why there is none.
    fn identity(&self) -> Result<String, String> {
        super::inventory::identity(self.hub, &self.name)
    }

    /// Intervals of the policies that list the cluster and stay, each once, in the order of the policies' names.
    fn schedules(&self) -> Vec<String> {
        let mut schedules = Vec::new();
        for policy in self.hub.policies_of(&self.name.0) {
            let interval = &policy.spec.interval;
            if policy.meta.deleting.is_none() && !interval.is_empty() && !schedules.contains(interval) {
                schedules.push(interval.clone());
            }
        }
        schedules
    }
}
