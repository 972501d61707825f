//! Volumes and claims from their copies (spec vrg 4.4, 4.5).

use std::collections::BTreeMap;

use ramen_api::ramen::wire::{annotation, finalizer, label};
use ramen_events::spoke::Key;
use ramen_ports::Effect;
use serde_json::{Map, Value, json};

use super::{claim_target, volume_target};

/// Secrets that a StorageClass names, and where a volume refers to them.
const SECRETS: &[(&str, &str)] = &[
    ("controller-publish", "controllerPublishSecretRef"),
    ("node-stage", "nodeStageSecretRef"),
    ("node-publish", "nodePublishSecretRef"),
    ("controller-expand", "controllerExpandSecretRef"),
    ("node-expand", "nodeExpandSecretRef"),
];

pub fn volume(copy: &Value, name: &str, provisioner: &str, parameters: &BTreeMap<String, String>) -> Effect {
    Effect::Create { target: volume_target(name), body: restorable_volume(copy, provisioner, parameters) }
}

pub fn claim(copy: &Value, key: &Key, owner: &Key) -> Effect {
    Effect::Create { target: claim_target(key), body: restorable_claim(copy, key, owner) }
}

/// The volume to create: without what the former cluster added, with what the StorageClass here says.
pub fn restorable_volume(copy: &Value, provisioner: &str, parameters: &BTreeMap<String, String>) -> Value {
    let mut volume = copy.clone();
    strip(&mut volume, &["ownerReferences"]);
    let destination = take_annotation(&mut volume, annotation::DESTINATION_VOLUME_HANDLE);
    if let Some(claim) = volume.pointer_mut("/spec/claimRef").and_then(Value::as_object_mut) {
        for field in ["uid", "resourceVersion", "apiVersion"] {
            claim.remove(field);
        }
    }
    if let Some(csi) = volume.pointer_mut("/spec/csi").and_then(Value::as_object_mut) {
        if let Some(handle) = destination {
            csi.insert("volumeHandle".to_owned(), Value::String(handle));
        }
        if let Some(id) = parameters.get("clusterID") {
            let attributes = csi.entry("volumeAttributes").or_insert_with(|| json!({}));
            attributes["clusterID"] = json!(id);
        }
        for (secret, field) in SECRETS {
            if let Some((namespace, name)) = secret_of(parameters, secret) {
                csi.insert((*field).to_owned(), json!({ "namespace": namespace, "name": name }));
            }
        }
    }
    let annotations = annotations(&mut volume);
    if !provisioner.is_empty() {
        annotations.insert("pv.kubernetes.io/provisioned-by".to_owned(), json!(provisioner));
    }
    if let Some((namespace, name)) = secret_of(parameters, "provisioner") {
        annotations.insert("volume.kubernetes.io/provisioner-deletion-secret-namespace".to_owned(), json!(namespace));
        annotations.insert("volume.kubernetes.io/provisioner-deletion-secret-name".to_owned(), json!(name));
    }
    annotations.insert(annotation::RESTORED.to_owned(), json!(annotation::RESTORED_TRUE));
    volume
}

/// The claim to create: without what the former cluster added, protected from the start. Its finalizer and its note save
/// the two writes that upstream needs for them.
pub fn restorable_claim(copy: &Value, key: &Key, owner: &Key) -> Value {
    let mut claim = copy.clone();
    strip(&mut claim, &["ownerReferences", "finalizers"]);
    let kept = annotations(&mut claim);
    kept.retain(|name, _| !annotation::DROPPED_AT_RESTORE.iter().any(|prefix| name.starts_with(prefix)));
    kept.insert(annotation::RESTORED.to_owned(), json!(annotation::RESTORED_TRUE));
    kept.insert(annotation::PVC_PROTECTED.to_owned(), json!(annotation::PROTECTED));
    claim["metadata"]["finalizers"] = json!([finalizer::PVC_IN_USE, finalizer::PVC_VOL_REP]);
    claim["metadata"]["namespace"] = json!(key.namespace);
    claim["metadata"]["labels"][label::OWNER_NAMESPACE] = json!(owner.namespace);
    claim["metadata"]["labels"][label::OWNER_NAME] = json!(owner.name);
    claim
}

/// Takes away what only its API server may say, and these fields of the metadata.
fn strip(object: &mut Value, fields: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        for field in ["status", "apiVersion", "kind"] {
            object.remove(field);
        }
    }
    if let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        let ours = ["uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "selfLink"];
        let deletion = ["deletionTimestamp", "deletionGracePeriodSeconds"];
        for field in ours.iter().chain(&deletion).chain(fields) {
            metadata.remove(*field);
        }
    }
}

fn annotations(object: &mut Value) -> &mut Map<String, Value> {
    if !object["metadata"]["annotations"].is_object() {
        object["metadata"]["annotations"] = json!({});
    }
    #[expect(clippy::expect_used, reason = "it was made an object the line before")]
    object["metadata"]["annotations"].as_object_mut().expect("an object")
}

fn take_annotation(object: &mut Value, name: &str) -> Option<String> {
    annotations(object).remove(name)?.as_str().map(str::to_owned)
}

/// Namespace and name of a secret that the StorageClass names for a purpose.
fn secret_of<'p>(parameters: &'p BTreeMap<String, String>, purpose: &str) -> Option<(&'p str, &'p str)> {
    let parameter = |part: &str| parameters.get(&format!("csi.storage.k8s.io/{purpose}-secret-{part}"));
    Some((parameter("namespace")?, parameter("name")?))
}
