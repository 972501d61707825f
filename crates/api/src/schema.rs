//! Schemas of the Kubernetes types that are embedded in our CRDs.
//!
//! The library's own schemas lack what API servers validate (patterns, list types, defaults), and carry long texts.
//! Fields name these functions with `schema_with`.

mod pod_security_context;
pub(crate) use pod_security_context::pod_security_context;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// What Kubernetes accepts as a quantity.
const QUANTITY: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

/// What Kubernetes accepts as a condition's reason.
const REASON: &str = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";

/// What Kubernetes accepts as a condition's type, and as a label key.
const QUALIFIED_NAME: &str =
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$";

/// A CEL rule under which a value can't change once it is set.
pub(crate) fn immutable(field: &str) -> Value {
    json!({ "rule": "oldSelf == self", "message": format!("{field} cannot be changed") })
}

/// A CEL rule under which an optional field can neither be added nor removed later.
pub(crate) fn presence_fixed(field: &str) -> Value {
    json!({
        "rule": format!("has(oldSelf.{field}) == has(self.{field})"),
        "message": format!("{field} can be neither added nor removed"),
    })
}

/// A list of conditions.
pub(crate) fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": condition() })
}

/// One condition.
pub(crate) fn condition() -> Value {
    json!({
        "type": "object",
        "required": ["lastTransitionTime", "message", "reason", "status", "type"],
        "properties": {
            "lastTransitionTime": { "type": "string", "format": "date-time" },
            "message": { "type": "string", "maxLength": 32768 },
            "observedGeneration": { "type": "integer", "format": "int64", "minimum": 0 },
            "reason": { "type": "string", "minLength": 1, "maxLength": 1024, "pattern": REASON },
            "status": { "type": "string", "enum": ["True", "False", "Unknown"] },
            "type": { "type": "string", "maxLength": 316, "pattern": QUALIFIED_NAME },
        },
    })
}

/// A label selector.
pub(crate) fn label_selector(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "properties": {
            "matchExpressions": {
                "type": "array",
                "x-kubernetes-list-type": "atomic",
                "items": {
                    "type": "object",
                    "required": ["key", "operator"],
                    "properties": {
                        "key": { "type": "string" },
                        "operator": { "type": "string" },
                        "values": {
                            "type": "array",
                            "x-kubernetes-list-type": "atomic",
                            "items": { "type": "string" },
                        },
                    },
                },
            },
            "matchLabels": { "type": "object", "additionalProperties": { "type": "string" } },
        },
    })
}

/// A reference to any object.
pub(crate) fn object_reference(_: &mut SchemaGenerator) -> Schema {
    Schema::try_from(object_reference_value()).unwrap_or_default()
}

/// A list of references to any objects.
pub(crate) fn object_references(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": object_reference_value() })
}

fn object_reference_value() -> Value {
    json!({
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "properties": {
            "apiVersion": { "type": "string" },
            "fieldPath": { "type": "string" },
            "kind": { "type": "string" },
            "name": { "type": "string" },
            "namespace": { "type": "string" },
            "resourceVersion": { "type": "string" },
            "uid": { "type": "string" },
        },
    })
}

/// A reference by name to an object of the same namespace.
pub(crate) fn local_reference(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "properties": { "name": { "type": "string", "default": "" } },
    })
}

/// References by name and kind to objects of the same namespace, by key.
pub(crate) fn typed_local_references(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "x-kubernetes-map-type": "atomic",
            "required": ["kind", "name"],
            "properties": {
                "apiGroup": { "type": "string" },
                "kind": { "type": "string" },
                "name": { "type": "string" },
            },
        },
    })
}

/// What a claim asks for.
pub(crate) fn volume_resources(_: &mut SchemaGenerator) -> Schema {
    let quantities = json!({
        "type": "object",
        "additionalProperties": {
            "anyOf": [{ "type": "integer" }, { "type": "string" }],
            "x-kubernetes-int-or-string": true,
            "pattern": QUANTITY,
        },
    });
    json_schema!({ "type": "object", "properties": { "limits": quantities.clone(), "requests": quantities } })
}

/// The part of an object's metadata that a copy keeps.
pub(crate) fn copied_metadata(_: &mut SchemaGenerator) -> Schema {
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    json_schema!({
        "type": "object",
        "properties": {
            "annotations": texts.clone(),
            "finalizers": { "type": "array", "items": { "type": "string" } },
            "labels": texts,
            "name": { "type": "string" },
            "namespace": { "type": "string" },
        },
    })
}
