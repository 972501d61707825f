//! The schema of a pod's security context: VolSync's movers run under one.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::json;

/// A pod's security context.
pub(crate) fn pod_security_context(_: &mut SchemaGenerator) -> Schema {
    let text = json!({ "type": "string" });
    let flag = json!({ "type": "boolean" });
    let id = json!({ "type": "integer", "format": "int64" });
    let profile = json!({
        "type": "object",
        "required": ["type"],
        "properties": { "localhostProfile": text, "type": text },
    });
    json_schema!({
        "type": "object",
        "properties": {
            "appArmorProfile": profile,
            "fsGroup": id,
            "fsGroupChangePolicy": text,
            "runAsGroup": id,
            "runAsNonRoot": flag,
            "runAsUser": id,
            "seLinuxChangePolicy": text,
            "seLinuxOptions": {
                "type": "object",
                "properties": { "level": text, "role": text, "type": text, "user": text },
            },
            "seccompProfile": profile,
            "supplementalGroups": { "type": "array", "x-kubernetes-list-type": "atomic", "items": id },
            "supplementalGroupsPolicy": text,
            "sysctls": {
                "type": "array",
                "x-kubernetes-list-type": "atomic",
                "items": {
                    "type": "object",
                    "required": ["name", "value"],
                    "properties": { "name": text, "value": text },
                },
            },
            "windowsOptions": {
                "type": "object",
                "properties": {
                    "gmsaCredentialSpec": text,
                    "gmsaCredentialSpecName": text,
                    "hostProcess": flag,
                    "runAsUserName": text,
                },
            },
        },
    })
}
