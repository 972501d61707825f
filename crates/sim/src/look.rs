//! What whoever waits for something looks at: DRPCs, policies and applications, in words and as conditions.

use std::sync::Arc;

use ramen_api::path::At as _;
use serde_json::Value;

use crate::agents::object;
use crate::api::{Api, ApiError, Object};
use crate::apps::Application;
use crate::kinds;

/// A DRPC as the hub shows it.
#[derive(Debug, Clone)]
pub struct Drpc(Arc<Object>);

impl Drpc {
    /// Reads one; `None` when it is gone.
    ///
    /// # Errors
    /// When the hub does not answer.
    pub fn read(hub: &dyn Api, namespace: &str, name: &str) -> Result<Option<Self>, ApiError> {
        match hub.see(&kinds::DRPC, Some(namespace), name) {
            Ok(object) => Ok(Some(Self(object))),
            Err(ApiError::NotFound) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The object itself.
    #[must_use]
    pub fn object(&self) -> &Value {
        self.0.value()
    }

    /// `Deployed`, `FailedOver`, ...
    #[must_use]
    pub fn phase(&self) -> &str {
        object::text(self.object(), "/status/phase")
    }

    /// `Completed`, or the step.
    #[must_use]
    pub fn progression(&self) -> &str {
        object::text(self.object(), "/status/progression")
    }

    /// Whether it shows the VRG that serves.
    #[must_use]
    pub fn mirrors_vrg(&self) -> bool {
        self.object().at("/status/resourceConditions/resourceMeta/name").is_some()
    }

    /// Its conditions.
    #[must_use]
    pub fn conditions(&self) -> &[Value] {
        object::list(self.object(), "/status/conditions")
    }

    /// Whether a condition is True at the current generation.
    #[must_use]
    pub fn is(&self, condition: &str) -> bool {
        self.conditions().iter().any(|found| found["type"] == condition && self.is_true(found))
    }

    fn is_true(&self, condition: &Value) -> bool {
        condition["status"] == "True" && condition["observedGeneration"] == self.object()["metadata"]["generation"]
    }

    /// Whether the action that ends in `phase` has the application available.
    #[must_use]
    pub fn available(&self, phase: &str) -> bool {
        self.phase() == phase && self.is("Available")
    }

    /// Whether nothing is left to do for the action that ends in `phase`.
    #[must_use]
    pub fn settled(&self, phase: &str) -> bool {
        self.available(phase) && self.is("PeerReady") && self.is("Protected") && self.progression() == "Completed"
    }

    /// The state in one line, with the first condition that is not True.
    #[must_use]
    pub fn line(&self) -> String {
        let bad = self.conditions().iter().find(|condition| !self.is_true(condition));
        let bad = bad.map(|condition| {
            let of = |field: &str| condition[field].as_str().unwrap_or_default();
            let status = if condition["status"] == "True" { "of an older generation" } else { of("status") };
            format!("; {} is {status} ({}: {})", of("type"), of("reason"), of("message"))
        });
        let shown: Vec<&str> = [self.phase(), self.progression()].into_iter().filter(|word| !word.is_empty()).collect();
        let shown = if shown.is_empty() { "without status yet".to_owned() } else { shown.join(" ") };
        format!("{shown}{}", bad.unwrap_or_default())
    }
}

/// Whether the application runs on the cluster with all its volumes.
///
/// # Errors
/// When the cluster does not answer.
pub fn runs(cluster: &dyn Api, name: &str) -> Result<bool, ApiError> {
    match cluster.see(&kinds::POD, Some(name), name) {
        Ok(pod) => Ok(object::text(&pod, "/status/phase") == "Running" && !object::deleting(&pod)),
        Err(ApiError::NotFound) => Ok(false),
        Err(other) => Err(other),
    }
}

/// The volumes of an application on a cluster: the handles of its claims' PVs.
///
/// # Errors
/// When the cluster does not answer.
pub fn handles(cluster: &dyn Api, application: &Application) -> Result<Vec<String>, ApiError> {
    let volumes = cluster.see_all(&kinds::PV, None)?;
    let own = volumes.iter().filter(|pv| object::text(pv, "/spec/claimRef/namespace") == application.namespace());
    Ok(own.filter_map(|pv| Some(pv.at("/spec/csi/volumeHandle")?.as_str()?.to_owned())).collect())
}

/// What the policies and clusters still lack to be validated and to know what may replicate; `None` when nothing.
///
/// # Errors
/// When the hub does not answer.
pub fn unvalidated(hub: &dyn Api) -> Result<Option<String>, ApiError> {
    for kind in [&kinds::DR_CLUSTER, &kinds::DR_POLICY] {
        for found in hub.see_all(kind, None)? {
            let name = object::name(&found);
            let validated = object::list(&found, "/status/conditions").iter().find(|c| c["type"] == "Validated");
            if validated.is_none_or(|condition| condition["status"] != "True") {
                let why = validated.and_then(|condition| condition["message"].as_str()).unwrap_or("no status yet");
                return Ok(Some(format!("{} {name}: {why}", kind.kind)));
            }
            if kind.kind == "DRPolicy" && object::list(&found, "/status/async/peerClasses").is_empty() {
                return Ok(Some(format!("DRPolicy {name}: no peer classes yet")));
            }
        }
    }
    Ok(None)
}
