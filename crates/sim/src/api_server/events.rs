//! Events have two faces, `v1` and `events.k8s.io/v1`, with other names for the same fields.

use serde_json::{Map, Value};

/// The newer group.
pub const GROUP: &str = "events.k8s.io";

/// (name in core, name in events.k8s.io).
const NAMES: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("count", "deprecatedCount"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("source", "deprecatedSource"),
];

fn renamed(event: &Value, name: impl Fn(&str) -> Option<&'static str>, api_version: &str) -> Value {
    let mut fields = Map::new();
    for (field, value) in event.as_object().into_iter().flatten() {
        fields.insert(name(field).unwrap_or(field).to_owned(), value.clone());
    }
    fields.insert("apiVersion".to_owned(), Value::from(api_version));
    Value::Object(fields)
}

/// A core event in its newer form.
#[must_use]
pub fn from_core(event: &Value) -> Value {
    let find = |field: &str| NAMES.iter().find(|(old, _)| *old == field).map(|(_, new)| *new);
    renamed(event, find, "events.k8s.io/v1")
}

/// An event of the newer form as a core event.
#[must_use]
pub fn to_core(event: Value) -> Value {
    let find = |field: &str| NAMES.iter().find(|(_, new)| *new == field).map(|(old, _)| *old);
    let mut event = renamed(&event, find, "v1");
    // A series counts what the older form calls `count`.
    let last = event.pointer("/series/lastObservedTime").cloned();
    let count = event.pointer("/series/count").cloned();
    if let Some(fields) = event.as_object_mut() {
        if let Some(count) = count {
            fields.entry("count").or_insert(count);
        }
        if let Some(last) = last {
            fields.entry("lastTimestamp").or_insert(last);
        }
    }
    event
}
