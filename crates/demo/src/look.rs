//! What the story looks at: DRPCs and applications, in words and as conditions to wait for.

use std::collections::BTreeMap;

use anyhow::Result;
use ramen_sim::{
    api::{Api, ApiError},
    apps::Application,
    kinds,
};
use serde_json::Value;

/// A DRPC's status, as far as the story cares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drpc {
    /// `Deployed`, `FailedOver`, ...
    pub phase: String,
    /// `Completed`, or the step.
    pub progression: String,
    /// Whether it shows the VRG that serves.
    pub mirrors_vrg: bool,
    /// Conditions by type: status and whether it is of the current generation, reason, message.
    conditions: BTreeMap<String, (String, String, String)>,
}

impl Drpc {
    /// Reads one; `None` when it is gone.
    ///
    /// # Errors
    /// When the hub does not answer.
    pub fn read(hub: &dyn Api, application: &Application) -> Result<Option<Self>> {
        match hub.get(&kinds::DRPC, Some(&application.hub_namespace), &application.name) {
            Ok(object) => Ok(Some(Self::of(&object))),
            Err(ApiError::NotFound) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }

    fn of(object: &Value) -> Self {
        let status = &object["status"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let generation = &object["metadata"]["generation"];
        let conditions = status["conditions"].as_array().into_iter().flatten().map(|condition| {
            let current = &condition["observedGeneration"] == generation;
            let status = if current { text(&condition["status"]) } else { "stale".to_owned() };
            (text(&condition["type"]), (status, text(&condition["reason"]), text(&condition["message"])))
        });
        Self {
            mirrors_vrg: status["resourceConditions"]["resourceMeta"]["name"].is_string(),
            phase: text(&status["phase"]),
            progression: text(&status["progression"]),
            conditions: conditions.collect(),
        }
    }

    /// Whether a condition is True at the current generation.
    pub fn is(&self, condition: &str) -> bool {
        self.conditions.get(condition).is_some_and(|(status, ..)| status == "True")
    }

    /// Whether the action that ends in `phase` has the application available.
    pub fn available(&self, phase: &str) -> bool {
        self.phase == phase && self.is("Available")
    }

    /// Whether nothing is left to do for the action that ends in `phase`.
    pub fn settled(&self, phase: &str) -> bool {
        self.available(phase) && self.is("PeerReady") && self.is("Protected") && self.progression == "Completed"
    }

    /// The state in one line, with the first condition that is not True.
    pub fn line(&self) -> String {
        let bad = self.conditions.iter().find(|(_, (status, ..))| status != "True");
        let bad = bad.map(|(kind, (status, reason, message))| format!("; {kind} {status}/{reason}: {message}"));
        format!("{} {}{}", self.phase, self.progression, bad.unwrap_or_default())
    }
}

/// Whether the application runs on the cluster with all its volumes.
///
/// # Errors
/// When the cluster does not answer.
pub fn runs(cluster: &dyn Api, application: &Application) -> Result<bool> {
    match cluster.get(&kinds::POD, Some(application.namespace()), &application.name) {
        Ok(pod) => Ok(pod["status"]["phase"] == "Running" && pod["metadata"]["deletionTimestamp"].is_null()),
        Err(ApiError::NotFound) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// The volumes of an application on a cluster: the handles of its claims' PVs.
///
/// # Errors
/// When the cluster does not answer.
pub fn handles(cluster: &dyn Api, application: &Application) -> Result<Vec<String>> {
    let volumes = cluster.list(&kinds::PV, None, None)?;
    Ok(volumes
        .iter()
        .filter(|pv| pv["spec"]["claimRef"]["namespace"] == application.namespace())
        .filter_map(|pv| Some(pv["spec"]["csi"]["volumeHandle"].as_str()?.to_owned()))
        .collect())
}

/// Whether the policy and both its clusters are validated and the policy knows what may replicate.
///
/// # Errors
/// When the hub does not answer.
pub fn validated(hub: &dyn Api) -> Result<Result<(), String>> {
    for kind in [&kinds::DR_CLUSTER, &kinds::DR_POLICY] {
        for object in hub.list(kind, None, None)? {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            let conditions = object["status"]["conditions"].as_array();
            let validated = conditions.into_iter().flatten().find(|condition| condition["type"] == "Validated");
            if validated.is_none_or(|condition| condition["status"] != "True") {
                let why = validated.and_then(|condition| condition["message"].as_str()).unwrap_or("no status yet");
                return Ok(Err(format!("{} {name}: {why}", kind.kind)));
            }
            if kind.kind == "DRPolicy" && object["status"]["async"]["peerClasses"].as_array().is_none_or(Vec::is_empty)
            {
                return Ok(Err(format!("DRPolicy {name}: no peer classes yet")));
            }
        }
    }
    Ok(Ok(()))
}
