//! Reads fields of objects that may lack them, or hold something else there: absence is the empty value.

use std::collections::BTreeMap;

use ramen_api::ramen::wire::{annotation, label};
use ramen_events::{
    Condition, ConditionStatus, Json, Time,
    hub::{Meta, ObjectRef},
};
use serde_json::Value;

/// Text at a JSON pointer.
pub fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Text at a JSON pointer, if there is one.
pub fn maybe_text(object: &Value, pointer: &str) -> Option<String> {
    object.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

/// A flag; absence is false.
pub fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
}

/// A whole number; absence is 0.
pub fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// A moment.
pub fn time(object: &Value, pointer: &str) -> Option<Time> {
    object.pointer(pointer).and_then(Value::as_str).and_then(Time::parse)
}

/// The elements of a list.
pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A list of texts.
pub fn texts(object: &Value, pointer: &str) -> Vec<String> {
    list(object, pointer).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A map of texts.
pub fn map(object: &Value, pointer: &str) -> BTreeMap<String, String> {
    let fields = object.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// A piece that is passed on as it stands; absence is null.
pub fn verbatim(object: &Value, pointer: &str) -> Json {
    object.pointer(pointer).map(Json::new).unwrap_or_default()
}

/// Whether a label or annotation is one that we read or write. Others change for reasons that are not ours.
fn is_ours(key: &str) -> bool {
    key.contains("ramendr.openshift.io/")
        || [label::BACKUP, label::EXCLUDE_FROM_BACKUP, label::PLACEMENT, annotation::SCHEDULING_DISABLED].contains(&key)
}

/// The part of the metadata that decisions need.
pub fn meta(object: &Value) -> Meta {
    let ours = |pointer| map(object, pointer).into_iter().filter(|(key, _)| is_ours(key)).collect();
    Meta {
        namespace: text(object, "/metadata/namespace"),
        name: text(object, "/metadata/name"),
        uid: text(object, "/metadata/uid"),
        generation: number(object, "/metadata/generation"),
        created: time(object, "/metadata/creationTimestamp").unwrap_or_default(),
        deleting: time(object, "/metadata/deletionTimestamp"),
        labels: ours("/metadata/labels"),
        annotations: ours("/metadata/annotations"),
        finalizers: texts(object, "/metadata/finalizers"),
        owners: list(object, "/metadata/ownerReferences").iter().map(Json::new).collect(),
    }
}

/// Whether deletion was asked for.
pub fn deleting(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null())
}

/// The DRPC that annotations name.
pub fn drpc(object: &Value) -> Option<ObjectRef> {
    let annotations = map(object, "/metadata/annotations");
    let of = |key: &str| annotations.get(key).filter(|value| !value.is_empty()).cloned();
    Some(ObjectRef::new(of(annotation::DRPC_NAMESPACE)?, of(annotation::DRPC_NAME)?))
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
