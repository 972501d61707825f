//! Reading and editing objects whose types the world does not know.

use ramen_api::path::At as _;
use serde_json::{Map, Value, json};

/// The text at a JSON pointer; empty when there is none.
#[must_use]
pub fn text<'o>(object: &'o Value, pointer: &str) -> &'o str {
    object.at(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn meta<'o>(object: &'o Value, field: &str) -> &'o str {
    object.get("metadata").and_then(|meta| meta.get(field)?.as_str()).unwrap_or_default()
}

/// `metadata.name`.
#[must_use]
pub fn name(object: &Value) -> &str {
    meta(object, "name")
}

/// `metadata.namespace`; empty for cluster-scoped objects.
#[must_use]
pub fn namespace(object: &Value) -> &str {
    meta(object, "namespace")
}

/// `metadata.uid`.
#[must_use]
pub fn uid(object: &Value) -> &str {
    meta(object, "uid")
}

/// `metadata.resourceVersion`.
#[must_use]
pub fn version(object: &Value) -> &str {
    meta(object, "resourceVersion")
}

/// `metadata.generation`; 0 when the kind has none.
#[must_use]
pub fn generation(object: &Value) -> i64 {
    object.at("/metadata/generation").and_then(Value::as_i64).unwrap_or_default()
}

/// Whether the object is being deleted.
#[must_use]
pub fn deleting(object: &Value) -> bool {
    object.at("/metadata/deletionTimestamp").is_some_and(|moment| !moment.is_null())
}

/// One label; empty when absent.
#[must_use]
pub fn label<'o>(object: &'o Value, key: &str) -> &'o str {
    entry(object, "labels", key)
}

/// One annotation; empty when absent.
#[must_use]
pub fn annotation<'o>(object: &'o Value, key: &str) -> &'o str {
    entry(object, "annotations", key)
}

fn entry<'o>(object: &'o Value, map: &str, key: &str) -> &'o str {
    object.get("metadata").and_then(|meta| meta.get(map)?.get(key)?.as_str()).unwrap_or_default()
}

/// The list at a JSON pointer; empty when there is none.
#[must_use]
pub fn list<'o>(object: &'o Value, pointer: &str) -> &'o [Value] {
    object.at(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether the object bears a finalizer.
#[must_use]
pub fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    list(object, "/metadata/finalizers").iter().any(|held| held == finalizer)
}

/// A merge patch that adds a finalizer, valid only for the version of `object`.
#[must_use]
pub fn finalizer_added(object: &Value, finalizer: &str) -> Value {
    let mut finalizers = list(object, "/metadata/finalizers").to_vec();
    finalizers.push(json!(finalizer));
    json!({"metadata": {"resourceVersion": version(object), "finalizers": finalizers}})
}

/// A merge patch that removes a finalizer, valid only for the version of `object`.
#[must_use]
pub fn finalizer_removed(object: &Value, finalizer: &str) -> Value {
    let finalizers: Vec<&Value> =
        list(object, "/metadata/finalizers").iter().filter(|held| *held != finalizer).collect();
    json!({"metadata": {"resourceVersion": version(object), "finalizers": finalizers}})
}

/// The object's map under a key, made if it is missing; an object that is not a map becomes one.
pub fn map_at<'o>(object: &'o mut Value, key: &str) -> &'o mut Map<String, Value> {
    let inner = as_map(object).entry(key).or_insert_with(|| json!({}));
    as_map(inner)
}

#[expect(clippy::expect_used, reason = "it was made a map just before")]
fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut().expect("a map")
}
