//! The schema of ManifestWork: structural, so that an API server drops the fields that its release does not know.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use serde_json::{Value, json};

use super::WorkCrd;
use crate::schema::condition;

/// The schema in one of its forms.
pub(super) fn schema(form: WorkCrd) -> JSONSchemaProps {
    let text = json!({ "type": "string" });
    let root = json!({
        "type": "object",
        "properties": {
            "apiVersion": text,
            "kind": text,
            "metadata": { "type": "object" },
            "spec": { "type": "object", "properties": {
                "deleteOption": delete_option(),
                "executor": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
                "manifestConfigs": { "type": "array", "items": manifest_config(form) },
                "workload": { "type": "object", "properties": {
                    "manifests": { "type": "array", "items": {
                        "type": "object",
                        "x-kubernetes-embedded-resource": true,
                        "x-kubernetes-preserve-unknown-fields": true,
                    } },
                } },
            } },
            "status": { "type": "object", "properties": {
                "conditions": { "type": "array", "items": condition() },
                "resourceStatus": { "type": "object", "properties": {
                    "manifests": { "type": "array", "items": manifest_status() },
                } },
            } },
        },
    });
    // The literal above has the shape of the type; were it otherwise, the test on the two forms would tell.
    serde_json::from_value(root).unwrap_or_default()
}

fn delete_option() -> Value {
    let text = json!({ "type": "string" });
    json!({ "type": "object", "properties": {
        "propagationPolicy": {
            "type": "string",
            "enum": ["Foreground", "Orphan", "SelectivelyOrphan"],
            "default": "Foreground",
        },
        "selectivelyOrphans": { "type": "object", "properties": {
            "orphaningRules": { "type": "array", "items": {
                "type": "object",
                "required": ["name", "resource"],
                "properties": { "group": text, "name": text, "namespace": text, "resource": text },
            } },
        } },
    } })
}

fn manifest_config(form: WorkCrd) -> Value {
    let text = json!({ "type": "string" });
    let feedback_rules = json!({ "type": "array", "items": {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": { "type": "string", "enum": ["WellKnownStatus", "JSONPaths"] },
            "jsonPaths": { "type": "array", "items": {
                "type": "object",
                "required": ["name", "path"],
                "properties": { "name": text, "path": text, "version": text },
            } },
        },
    } });
    let identifier = json!({
        "type": "object",
        "required": ["name", "resource"],
        "properties": { "group": text, "name": text, "namespace": text, "resource": text },
    });
    match form {
        WorkCrd::WithoutScrapeType => json!({
            "type": "object",
            "required": ["feedbackRules", "resourceIdentifier"],
            "properties": { "feedbackRules": feedback_rules, "resourceIdentifier": identifier },
        }),
        WorkCrd::WithScrapeType => json!({
            "type": "object",
            "required": ["resourceIdentifier"],
            "properties": {
                "conditionRules": { "type": "array", "items": {
                    "type": "object",
                    "x-kubernetes-preserve-unknown-fields": true,
                } },
                "feedbackRules": feedback_rules,
                "feedbackScrapeType": { "type": "string", "enum": ["Poll", "Watch"] },
                "resourceIdentifier": identifier,
                "updateStrategy": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
            },
        }),
    }
}

fn manifest_status() -> Value {
    let text = json!({ "type": "string" });
    let value = json!({
        "type": "object",
        "required": ["fieldValue", "name"],
        "properties": {
            "name": text,
            "fieldValue": {
                "type": "object",
                "required": ["type"],
                "properties": {
                    "type": { "type": "string", "enum": ["Integer", "String", "Boolean"] },
                    "boolean": { "type": "boolean" },
                    "integer": { "type": "integer", "format": "int64" },
                    "string": text,
                },
            },
        },
    });
    json!({ "type": "object", "properties": {
        "conditions": { "type": "array", "items": condition() },
        "resourceMeta": { "type": "object", "properties": {
            "group": text,
            "kind": text,
            "name": text,
            "namespace": text,
            "ordinal": { "type": "integer", "format": "int32" },
            "resource": text,
            "version": text,
        } },
        "statusFeedback": { "type": "object", "properties": {
            "values": {
                "type": "array",
                "items": value,
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
        } },
    } })
}
