//! The CSI resizer and the kubelet's part of it: a claim that asks for more than its volume has gets it.

use std::time::Duration;

use serde_json::{Value, json};

use super::provisioner::DRIVER;
use crate::agents::{Agent, AgentWorld, Side, object};
use crate::api::{ApiError, Resource};
use crate::kinds;
use crate::time::Time;

/// The agent, one per cluster.
pub struct Resizer {
    name: String,
    site: String,
}

impl Resizer {
    /// The resizer of one cluster.
    #[must_use]
    pub fn new(cluster: &str) -> Self {
        Self { name: format!("{cluster}/resizer"), site: cluster.to_owned() }
    }

    /// The volume first, then the claim's status, as the two components do it.
    fn resize(&self, claim: &Value, world: &AgentWorld<'_>) -> Result<(), ApiError> {
        let volume = world.own.see(&kinds::PV, None, object::text(claim, "/spec/volumeName"))?;
        let handle = object::text(&volume, "/spec/csi/volumeHandle");
        if object::text(&volume, "/spec/csi/driver") != DRIVER {
            return Ok(());
        }
        // A copy that cannot be written cannot be made larger either.
        if !world.storage().writable_on(handle).contains(&self.site.as_str()) {
            return Err(ApiError::Unreachable("the volume is not writable here".to_owned()));
        }
        let wanted = &claim["spec"]["resources"]["requests"]["storage"];
        let larger = json!({"spec": {"capacity": {"storage": wanted}}});
        world.own.merge_patch(&kinds::PV, None, object::name(&volume), &larger, None)?;
        let (namespace, name) = (Some(object::namespace(claim)), object::name(claim));
        let status = json!({"status": {"capacity": {"storage": wanted}}});
        world.own.merge_patch(&kinds::PVC, namespace, name, &status, Some("status")).map(drop)
    }
}

/// Whether a bound claim asks for more than it has.
fn asks_for_more(claim: &Value) -> bool {
    let gibibytes = |pointer| object::text(claim, pointer).strip_suffix("Gi").and_then(|n| n.parse::<u64>().ok());
    let bound = object::text(claim, "/status/phase") == "Bound" && !object::deleting(claim);
    let (wanted, has) = (gibibytes("/spec/resources/requests/storage"), gibibytes("/status/capacity/storage"));
    bound && wanted.zip(has).is_some_and(|(wanted, has)| wanted > has)
}

impl Agent for Resizer {
    fn name(&self) -> &str {
        &self.name
    }

    fn watches(&self) -> Vec<(Side, Resource)> {
        vec![(Side::Own, kinds::PVC)]
    }

    fn run(&mut self, now: Time, world: &AgentWorld<'_>) -> Option<Time> {
        let again = Some(now + Duration::from_secs(5));
        let Ok(claims) = world.own.see_all(&kinds::PVC, None) else { return again };
        let mut complete = true;
        for claim in claims.iter().filter(|claim| asks_for_more(claim)) {
            complete &= matches!(self.resize(claim, world), Ok(()) | Err(ApiError::NotFound));
        }
        if complete { None } else { again }
    }
}
