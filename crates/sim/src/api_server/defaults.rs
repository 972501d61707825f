//! What real servers and their admission plugins add to objects of built-in kinds.

use ramen_api::path::At as _;
use serde_json::{Map, Value, json};

use super::ApiServer;
use super::delete::add_finalizer;
use super::kinds::{TypeName, TypeRef};
use super::object::{self, meta_mut};
use crate::time::Time;

/// Adds `value` under each name that is absent.
fn missing(target: &mut Value, defaults: Value) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let (Some(target), Value::Object(defaults)) = (target.as_object_mut(), defaults) {
        for (name, value) in defaults {
            let slot = target.entry(name).or_insert(Value::Null);
            if slot.is_null() {
                *slot = value;
            }
        }
    }
}

/// Completes a new object.
pub fn fill(kind: &TypeRef, value: &mut Value, server: &ApiServer, now: Time) {
    match kind.stored().as_str() {
        "namespaces" => {
            let name = object::name(value).to_owned();
            missing(&mut value["spec"], json!({ "finalizers": ["kubernetes"] }));
            value["status"] = json!({ "phase": "Active" });
            let labels = meta_mut(value).entry("labels").or_insert_with(|| json!({}));
            labels["kubernetes.io/metadata.name"] = json!(name);
        }
        "persistentvolumeclaims" => {
            if value.at("/spec/storageClassName").is_none()
                && let Some(class) = default_class(server)
            {
                value["spec"]["storageClassName"] = json!(class);
            }
            add_finalizer(value, "kubernetes.io/pvc-protection");
            missing(&mut value["spec"], json!({ "volumeMode": "Filesystem" }));
            value["status"] = json!({ "phase": "Pending" });
        }
        "persistentvolumes" => {
            add_finalizer(value, "kubernetes.io/pv-protection");
            missing(
                &mut value["spec"],
                json!({ "volumeMode": "Filesystem", "persistentVolumeReclaimPolicy": "Retain" }),
            );
            value["status"] = json!({ "phase": "Pending", "lastPhaseTransitionTime": now.rfc3339() });
        }
        "pods" => pod(value),
        "storageclasses.storage.k8s.io" => {
            missing(value, json!({ "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate" }));
        }
        "secrets" => {
            missing(value, json!({ "type": "Opaque" }));
            encode_string_data(value);
        }
        "services" => {
            missing(&mut value["spec"], json!({ "type": "ClusterIP", "sessionAffinity": "None" }));
            value["status"] = json!({ "loadBalancer": {} });
        }
        "deployments.apps" | "statefulsets.apps" | "replicasets.apps" => {
            missing(&mut value["spec"], json!({ "replicas": 1 }));
            value["status"] = json!({});
        }
        "nodes" | "jobs.batch" | "daemonsets.apps" => missing(&mut value["status"], json!({})),
        _ => {}
    }
}

/// Keeps defaults that a later write left out, and what only the server writes.
pub fn keep(kind: &TypeRef, value: &mut Value, old: &Value) {
    let kept: &[&str] = match kind.stored().as_str() {
        "namespaces" => {
            let name = object::name(old).to_owned();
            let labels = meta_mut(value).entry("labels").or_insert_with(|| json!({}));
            labels["kubernetes.io/metadata.name"] = json!(name);
            &["finalizers"]
        }
        "persistentvolumeclaims" => &["volumeMode", "storageClassName", "volumeName"],
        "persistentvolumes" => &["volumeMode", "persistentVolumeReclaimPolicy"],
        "services" => &["type", "sessionAffinity"],
        "deployments.apps" | "statefulsets.apps" | "replicasets.apps" => &["replicas"],
        "storageclasses.storage.k8s.io" => {
            for field in ["reclaimPolicy", "volumeBindingMode"] {
                if value.get(field).is_none() {
                    object::restore(value, old, field);
                }
            }
            &[]
        }
        "secrets" => {
            if value.get("type").is_none() {
                object::restore(value, old, "type");
            }
            encode_string_data(value);
            &[]
        }
        _ => &[],
    };
    for field in kept {
        if value["spec"].get(field).is_none() {
            let old_spec = old.get("spec").cloned().unwrap_or_default();
            object::restore(&mut value["spec"], &old_spec, field);
        }
    }
}

fn default_class(server: &ApiServer) -> Option<String> {
    let classes = TypeName::new("storage.k8s.io", "storageclasses");
    server.store().list(&classes, None).find_map(|class| {
        let marks = class.value().at("/metadata/annotations");
        let mark = marks.and_then(|marks| marks.get("storageclass.kubernetes.io/is-default-class"));
        mark.is_some_and(|mark| mark == "true").then(|| object::name(class.value()).to_owned())
    })
}

fn pod(value: &mut Value) {
    let spec = &mut value["spec"];
    missing(
        spec,
        json!({
            "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
            "terminationGracePeriodSeconds": 30, "securityContext": {}, "enableServiceLinks": true,
        }),
    );
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            missing(
                container,
                json!({
                    "imagePullPolicy": "IfNotPresent", "resources": {}, "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                }),
            );
        }
    }
    value["status"] = json!({ "phase": "Pending", "qosClass": "BestEffort" });
}

fn encode_string_data(secret: &mut Value) {
    use base64::Engine as _;
    let Some(Value::Object(plain)) = secret.as_object_mut().and_then(|map| map.remove("stringData")) else { return };
    let data = object::map_mut(secret, "data");
    for (name, text) in plain {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text.as_str().unwrap_or_default());
        data.insert(name, Value::from(encoded));
    }
}
