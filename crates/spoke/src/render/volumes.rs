//! Marks on claims and volumes.

use ramen_api::ramen::wire::{annotation, label};
use ramen_events::{Time, spoke::Key};
use ramen_ports::Effect;
use serde_json::{Map, Value, json};

use super::{claim_target, volume_target};

pub fn protect(
    pvc: &Key,
    finalizers: &[String],
    resource_version: &str,
    owner: &Key,
    retain: Option<&str>,
) -> Vec<Effect> {
    // The volume first: what is marked as protected must already outlive its claim.
    let volume = retain.map(|volume| Effect::Merge {
        target: volume_target(volume),
        body: json!({
            "metadata": { "annotations": { annotation::PV_RETAINED: annotation::RETAINED } },
            "spec": { "persistentVolumeReclaimPolicy": "Retain" },
        }),
    });
    let claim = Effect::Merge {
        target: claim_target(pvc),
        body: json!({ "metadata": {
            "labels": { label::OWNER_NAMESPACE: owner.namespace, label::OWNER_NAME: owner.name },
            "annotations": { annotation::PVC_PROTECTED: annotation::PROTECTED },
            "finalizers": finalizers,
            "resourceVersion": resource_version,
        } }),
    };
    volume.into_iter().chain([claim]).collect()
}

pub fn release(
    pvc: &Key,
    finalizers: Option<&[String]>,
    resource_version: &str,
    volume: Option<&str>,
    restore_policy: bool,
) -> Vec<Effect> {
    let volume = volume.map(|volume| {
        let mut body = json!({ "metadata": { "annotations": { annotation::ARCHIVED: null } } });
        if restore_policy {
            body["metadata"]["annotations"][annotation::PV_RETAINED] = Value::Null;
            body["spec"] = json!({ "persistentVolumeReclaimPolicy": "Delete" });
        }
        Effect::Merge { target: volume_target(volume), body }
    });
    let mut metadata = Map::new();
    let labels = [label::OWNER_NAMESPACE, label::OWNER_NAME, label::CONSISTENCY_GROUP];
    metadata.insert("labels".to_owned(), nulls(&labels));
    metadata.insert("annotations".to_owned(), nulls(&[annotation::PVC_PROTECTED, annotation::ARCHIVED]));
    if let Some(finalizers) = finalizers {
        metadata.insert("finalizers".to_owned(), json!(finalizers));
        metadata.insert("resourceVersion".to_owned(), json!(resource_version));
    }
    let claim = Effect::Merge { target: claim_target(pvc), body: json!({ "metadata": metadata }) };
    volume.into_iter().chain([claim]).collect()
}

fn nulls(names: &[&str]) -> Value {
    names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect::<Map<_, _>>().into()
}

/// Touched to wake the volume controller; under the prefix that restores drop.
const BIND_AGAIN: &str = "volumereplicationgroups.ramendr.openshift.io/bind-again";

pub fn mark_archived(pvc: &Key, hash: &str, volume: &str, generation: i64) -> Vec<Effect> {
    let note = json!({ "metadata": { "annotations": { annotation::ARCHIVED: hash, BIND_AGAIN: null } } });
    vec![
        Effect::Merge { target: claim_target(pvc), body: note },
        Effect::Merge {
            target: volume_target(volume),
            body: json!({ "metadata": { "annotations": { annotation::ARCHIVED: archive_note(generation) } } }),
        },
    ]
}

/// How a volume of this generation says that all stores hold its copy.
pub fn archive_note(generation: i64) -> String {
    format!("archiveV1-{generation}")
}

pub fn complete_binding(pvc: &Key, at: Time) -> Effect {
    let body = json!({ "metadata": { "annotations": { BIND_AGAIN: at.rfc3339() } } });
    Effect::Merge { target: claim_target(pvc), body }
}

pub fn note_destination(volume: &str, handle: &str) -> Effect {
    let body = json!({ "metadata": { "annotations": { annotation::DESTINATION_VOLUME_HANDLE: handle } } });
    Effect::Merge { target: volume_target(volume), body }
}

pub fn clear_claim(volume: &str, claim: &Key, resource_version: &str) -> Effect {
    Effect::Merge {
        target: volume_target(volume),
        body: json!({
            "metadata": {
                "annotations": { annotation::RESTORED: annotation::RESTORED_TRUE },
                "resourceVersion": resource_version,
            },
            "spec": { "claimRef": {
                "namespace": claim.namespace, "name": claim.name, "uid": null, "resourceVersion": null,
            } },
        }),
    }
}
