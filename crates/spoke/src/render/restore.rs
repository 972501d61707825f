//! Volumes and claims from their copies (spec vrg 4.4, 4.5).

use std::collections::BTreeMap;

use ramen_api::{
    kinds,
    ramen::wire::{annotation, finalizer, label},
};
use ramen_events::spoke::Key;
use ramen_ports::Effect;
use serde_json::{Map, Value, json};

use super::{claim_target, volume_target, volumes};
use crate::observe::spec_hash;

/// API servers count no generations of volumes.
const NEW_VOLUME: i64 = 0;

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

/// What is created says that all stores hold its copy.
pub fn as_archived(effect: Effect) -> Effect {
    let Effect::Create { target, mut body } = effect else { return effect };
    let note = if target.resource == &kinds::PERSISTENT_VOLUME_CLAIM {
        spec_hash(&body["spec"])
    } else {
        volumes::archive_note(NEW_VOLUME)
    };
    annotations(&mut body).insert(annotation::ARCHIVED.to_owned(), Value::String(note));
    Effect::Create { target, body }
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn volume_copy() -> Value {
        json!({
            "metadata": { "name": "pv", "uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": { "keep": "me" }, "finalizers": ["kubernetes.io/pv-protection"],
                "annotations": { "pv.kubernetes.io/provisioned-by": "old", "keep": "me" } },
            "spec": { "csi": { "driver": "d", "volumeHandle": "h" }, "persistentVolumeReclaimPolicy": "Retain",
                "claimRef": { "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": "c", "namespace": "n",
                    "resourceVersion": "2", "uid": "x" } },
            "status": { "phase": "Bound" },
        })
    }

    #[test]
    fn a_volume_loses_what_tied_it_to_its_cluster_and_keeps_the_rest() {
        let volume = restorable_volume(&volume_copy(), "d", &BTreeMap::new());
        assert_eq!(
            volume,
            json!({
                "metadata": { "name": "pv", "labels": { "keep": "me" }, "finalizers": ["kubernetes.io/pv-protection"],
                    "annotations": { "pv.kubernetes.io/provisioned-by": "d", "keep": "me",
                        annotation::RESTORED: "True" } },
                "spec": { "csi": { "driver": "d", "volumeHandle": "h" }, "persistentVolumeReclaimPolicy": "Retain",
                    "claimRef": { "kind": "PersistentVolumeClaim", "name": "c", "namespace": "n" } },
            })
        );
    }

    #[rstest]
    #[case::v28_publish("controller-publish", "/spec/csi/controllerPublishSecretRef/name")]
    #[case::expand("controller-expand", "/spec/csi/controllerExpandSecretRef/name")]
    #[case::stage("node-stage", "/spec/csi/nodeStageSecretRef/name")]
    #[case::node_publish("node-publish", "/spec/csi/nodePublishSecretRef/name")]
    #[case::node_expand("node-expand", "/spec/csi/nodeExpandSecretRef/name")]
    #[case::provisioner("provisioner", "/metadata/annotations/volume.kubernetes.io~1provisioner-deletion-secret-name")]
    fn secrets_are_those_of_the_storage_class_here(#[case] purpose: &str, #[case] place: &str) {
        let parameters = ["name", "namespace"]
            .map(|part| (format!("csi.storage.k8s.io/{purpose}-secret-{part}"), format!("the-{part}")))
            .into();
        let volume = restorable_volume(&volume_copy(), "d", &parameters);
        assert_eq!(volume.pointer(place), Some(&json!("the-name")));
        let other = volume.to_string().matches("the-name").count();
        assert!(other <= 2, "only there: {volume}");
    }

    #[test]
    fn storage_is_addressed_as_it_is_here() {
        let mut copy = volume_copy();
        copy["metadata"]["annotations"][annotation::DESTINATION_VOLUME_HANDLE] = json!("here");
        let volume = restorable_volume(&copy, "d", &[("clusterID".to_owned(), "id-2".to_owned())].into());
        assert_eq!(volume["spec"]["csi"]["volumeHandle"], "here");
        assert_eq!(volume["spec"]["csi"]["volumeAttributes"]["clusterID"], "id-2");
        assert!(volume["metadata"]["annotations"][annotation::DESTINATION_VOLUME_HANDLE].is_null());
    }

    #[test]
    fn v36_a_volume_that_is_not_csi_is_restored_without_a_crash() {
        let mut copy = volume_copy();
        copy["spec"]["csi"].take();
        copy["metadata"].as_object_mut().unwrap().remove("annotations");
        let parameters = [("csi.storage.k8s.io/node-stage-secret-name".to_owned(), "s".to_owned())].into();
        assert_eq!(restorable_volume(&copy, "", &parameters)["metadata"]["annotations"][annotation::RESTORED], "True");
    }

    #[test]
    fn what_is_archived_is_noted_as_after_an_upload() {
        let claim = json!({ "metadata": { "name": "c", "namespace": "n" }, "spec": { "volumeName": "pv" } });
        let noted = |effect| match as_archived(effect) {
            Effect::Create { body, .. } => body["metadata"]["annotations"][annotation::ARCHIVED].clone(),
            other => panic!("{other:?}"),
        };
        let key = Key::new("n", "c");
        assert_eq!(noted(super::claim(&claim, &key, &key)), spec_hash(&claim["spec"]));
        assert_eq!(noted(super::volume(&volume_copy(), "pv", "d", &BTreeMap::new())), "archiveV1-0");
    }

    #[test]
    fn a_claim_keeps_labels_and_foreign_annotations_only() {
        let copy = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": { "name": "c", "namespace": "n", "uid": "u", "resourceVersion": "3",
                "ownerReferences": [{ "name": "o" }], "finalizers": ["f"], "labels": { "app": "a" },
                "annotations": { "pv.kubernetes.io/bind-completed": "yes", "volume.kubernetes.io/selected-node": "n1",
                    "replication.storage.openshift.io/volume-replication-name": "c", annotation::PVC_PROTECTED: "protected",
                    "volsync.backube/x": "y", "volume.beta.kubernetes.io/storage-provisioner": "d" } },
            "spec": { "volumeName": "pv" }, "status": { "phase": "Bound" },
        });
        let claim = restorable_claim(&copy, &Key::new("n", "c"), &Key::new("n", "vrg"));
        assert_eq!(
            claim,
            json!({
                "metadata": { "name": "c", "namespace": "n",
                    "labels": { "app": "a", label::OWNER_NAMESPACE: "n", label::OWNER_NAME: "vrg" },
                    "finalizers": [finalizer::PVC_IN_USE, finalizer::PVC_VOL_REP],
                    "annotations": { "volume.beta.kubernetes.io/storage-provisioner": "d",
                        annotation::RESTORED: "True", annotation::PVC_PROTECTED: "protected" } },
                "spec": { "volumeName": "pv" },
            })
        );
    }
}
