//! What the hub knew before the first record: a slice carries it.

use ramen_events::{Aggregate, Seq};
use serde_json::Value;

use crate::{merge::Merged, state::State};

/// The hub's state before its first record, as `ramen-replay state` shows it.
pub struct Before {
    state: Value,
    /// What the state is called in a report.
    pub name: String,
}

impl Before {
    /// Reads it off the hub's log; `None` when the log begins with its first record, or does not carry the state.
    pub fn of(merged: &Merged) -> Option<Self> {
        let log = merged.logs.iter().find(|log| log.is_hub())?;
        let base = log.history.base().seq;
        if base == Seq(0) {
            return None;
        }
        let state = State::at(log, base).and_then(|state| state.json()).ok()?;
        Some(Self { state, name: format!("state at {}#{base}", log.name()) })
    }

    /// The DRPC as it was.
    pub fn drpc(&self, drpc: &Aggregate) -> Option<&Value> {
        self.state.get("domain")?.get("drpcs")?.get(format!("{}/{}", drpc.namespace, drpc.name))
    }

    /// The scheduling interval of a policy.
    pub fn interval(&self, policy: &str) -> Option<&str> {
        self.state.get("domain")?.get("policies")?.get(policy)?.pointer("/spec/interval")?.as_str()
    }

    /// An annotation of a DRPC.
    pub fn drpc_annotation(&self, drpc: &Aggregate, name: &str) -> Option<String> {
        annotation(self.drpc(drpc)?, name)
    }

    /// An annotation of a policy.
    pub fn policy_annotation(&self, policy: &str, name: &str) -> Option<String> {
        annotation(self.state.get("domain")?.get("policies")?.get(policy)?, name)
    }

    /// The cluster whose VRG of this DRPC said that it was primary.
    pub fn primary(&self, drpc: &Aggregate) -> Option<&str> {
        let name = format!("{}/{}", drpc.namespace, drpc.name);
        let clusters = self.state.get("domain")?.get("works")?.as_object()?;
        let is_primary = |work: &Value| {
            work.pointer("/fact/drpc").and_then(Value::as_str) == Some(&name)
                && work.pointer("/fact/feedback/state").and_then(Value::as_str) == Some("Primary")
        };
        let found =
            clusters.iter().find(|(_, works)| works.as_object().is_some_and(|works| works.values().any(is_primary)));
        found.map(|(cluster, _)| cluster.as_str())
    }
}

fn annotation(fact: &Value, name: &str) -> Option<String> {
    Some(fact.get("meta")?.get("annotations")?.get(name)?.as_str()?.to_owned())
}
