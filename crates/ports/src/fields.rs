//! Reads fields of objects that may lack them, or hold something else there: absence is the empty value.
//!
//! Both operators observe through these, so that the same field never means two things.

use std::collections::BTreeMap;

use ramen_api::path::At as _;
use ramen_events::{Condition, ConditionStatus, Time};
use serde_json::Value;

/// Text at a JSON pointer.
pub fn text(object: &Value, pointer: &str) -> String {
    object.at(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Text at a JSON pointer, if there is one.
pub fn maybe_text(object: &Value, pointer: &str) -> Option<String> {
    object.at(pointer).and_then(Value::as_str).map(str::to_owned)
}

/// A flag; absence is false.
pub fn flag(object: &Value, pointer: &str) -> bool {
    object.at(pointer).and_then(Value::as_bool).unwrap_or_default()
}

/// A whole number; absence is 0.
pub fn number(object: &Value, pointer: &str) -> i64 {
    object.at(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// A moment.
pub fn time(object: &Value, pointer: &str) -> Option<Time> {
    object.at(pointer).and_then(Value::as_str).and_then(Time::parse)
}

/// The elements of a list.
pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.at(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A list of texts.
pub fn texts(object: &Value, pointer: &str) -> Vec<String> {
    list(object, pointer).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A map of texts.
pub fn map(object: &Value, pointer: &str) -> BTreeMap<String, String> {
    let fields = object.at(pointer).and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// Whether deletion was asked for.
pub fn deleting(object: &Value) -> bool {
    object.at("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null())
}

/// Conditions, in their order.
pub fn conditions(object: &Value, pointer: &str) -> Vec<Condition> {
    list(object, pointer).iter().map(condition).collect()
}

fn condition(value: &Value) -> Condition {
    Condition {
        kind: text(value, "/type"),
        status: ConditionStatus::parse(&text(value, "/status")),
        reason: text(value, "/reason"),
        message: text(value, "/message"),
        generation: number(value, "/observedGeneration"),
        since: time(value, "/lastTransitionTime").unwrap_or_default(),
    }
}
