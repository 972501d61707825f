//! The storage vendor's controller that answers MaintenanceModes: it prepares for a failover to its cluster, one per
//! cluster (spec s3 6).

use std::collections::BTreeMap;
use std::time::Duration;

use ramen_api::kinds::MAINTENANCE_MODE;
use ramen_api::ramen::wire::condition::FAILOVER_ACTIVATED;
use serde_json::{Value, json};

use super::site::Trouble;
use crate::agents::conditions::{self, Condition};
use crate::agents::{Agent, AgentWorld, Side, earlier, object};
use crate::api::{ApiError, Resource};
use crate::time::Time;

/// What a preparation takes.
const TAKES: Duration = Duration::from_millis(600);
/// From one attempt to the next.
const RETRY: Duration = Duration::from_secs(1);

/// The agent.
pub struct Preparation {
    name: String,
    site: String,
    /// When each mode is prepared, by its identity.
    due: BTreeMap<String, Time>,
}

impl Preparation {
    /// The controller of one cluster.
    #[must_use]
    pub fn new(cluster: &str) -> Self {
        Self { name: format!("{cluster}/preparation"), site: cluster.to_owned(), due: BTreeMap::new() }
    }

    /// Answers a mode, as far as the storage lets it.
    fn answer(&self, mode: &Value, now: Time, world: &AgentWorld<'_>) -> Result<bool, ApiError> {
        let (state, status, message) = match world.storage().trouble(&self.site) {
            Some(Trouble::Hanging | Trouble::Silent) => return Ok(false),
            Some(Trouble::Failing) => ("Error", "False", "an internal error of the storage"),
            Some(Trouble::Degraded | Trouble::Unprepared) | None => ("Completed", "True", "prepared for a failover"),
        };
        let generation = object::generation(mode);
        let mut held = object::list(mode, "/status/conditions").to_vec();
        let condition = Condition {
            kind: FAILOVER_ACTIVATED,
            status,
            reason: state,
            message,
            observed_generation: Some(generation),
        };
        conditions::set(&mut held, &condition, now);
        let told = json!({"status": {"state": state, "observedGeneration": generation, "conditions": held}});
        world.own.merge_patch(&MAINTENANCE_MODE, None, object::name(mode), &told, Some("status"))?;
        Ok(state == "Completed")
    }
}

/// Whether the mode was prepared as it stands.
fn is_prepared(mode: &Value) -> bool {
    mode["status"]["observedGeneration"] == object::generation(mode)
        && conditions::is_true(object::list(mode, "/status/conditions"), FAILOVER_ACTIVATED)
}

impl Agent for Preparation {
    fn name(&self) -> &str {
        &self.name
    }

    fn watches(&self) -> Vec<(Side, Resource)> {
        vec![(Side::Own, MAINTENANCE_MODE)]
    }

    fn power_lost(&mut self) {
        self.due.clear();
    }

    fn run(&mut self, now: Time, world: &AgentWorld<'_>) -> Option<Time> {
        let Ok(modes) = world.own.see_all(&MAINTENANCE_MODE, None) else { return Some(now + RETRY) };
        let open: Vec<_> = modes.iter().filter(|mode| !object::deleting(mode) && !is_prepared(mode)).collect();
        self.due.retain(|uid, _| open.iter().any(|mode| object::uid(mode) == uid));
        let mut again = None;
        for mode in open {
            let due = *self.due.entry(object::uid(mode).to_owned()).or_insert(now + TAKES);
            let next = if due > now {
                Some(due)
            } else if matches!(self.answer(mode, now, world), Ok(true) | Err(ApiError::NotFound)) {
                None
            } else {
                Some(now + RETRY)
            };
            again = earlier(again, next);
        }
        again
    }
}
