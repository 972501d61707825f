//! Conditions, with the bookkeeping that every Kubernetes controller shares.

use serde_json::{Value, json};

use crate::time::Time;

/// A condition to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition<'a> {
    /// Its type.
    pub kind: &'a str,
    /// `True`, `False` or `Unknown`.
    pub status: &'a str,
    /// One word.
    pub reason: &'a str,
    /// For people.
    pub message: &'a str,
    /// Generation that it speaks of, if it says so.
    pub observed_generation: Option<i64>,
}

impl Condition<'_> {
    /// Whether this is what a condition says already, whenever it came to say so.
    fn is(&self, held: &Value) -> bool {
        let said = |field: &str, words: &str| held.get(field).is_some_and(|held| held == words);
        let generation = held.get("observedGeneration").and_then(Value::as_i64);
        said("type", self.kind)
            && said("status", self.status)
            && said("reason", self.reason)
            && said("message", self.message)
            && generation == self.observed_generation
            && held.get("lastTransitionTime").is_some()
            && held.as_object().is_some_and(|fields| fields.len() == 5 + usize::from(generation.is_some()))
    }
}

/// Finds a condition by type.
#[must_use]
pub fn find<'c>(conditions: &'c [Value], kind: &str) -> Option<&'c Value> {
    conditions.iter().find(|condition| condition["type"] == kind)
}

/// Whether a condition is there and `True`.
#[must_use]
pub fn is_true(conditions: &[Value], kind: &str) -> bool {
    find(conditions, kind).is_some_and(|condition| condition["status"] == "True")
}

/// Sets a condition; the time of its last transition moves only when the status flips.
pub fn set(conditions: &mut Vec<Value>, wanted: &Condition<'_>, now: Time) {
    if conditions.iter().any(|held| wanted.is(held)) {
        return;
    }
    let mut condition = json!({
        "type": wanted.kind,
        "status": wanted.status,
        "reason": wanted.reason,
        "message": wanted.message,
        "lastTransitionTime": now.rfc3339(),
    });
    if let Some(generation) = wanted.observed_generation {
        condition["observedGeneration"] = json!(generation);
    }
    match conditions.iter_mut().find(|held| held["type"] == wanted.kind) {
        Some(held) => {
            if held["status"] == wanted.status {
                condition["lastTransitionTime"] = held["lastTransitionTime"].clone();
            }
            *held = condition;
        }
        None => conditions.push(condition),
    }
}

/// Removes a condition.
pub fn remove(conditions: &mut Vec<Value>, kind: &str) {
    conditions.retain(|condition| condition["type"] != kind);
}
