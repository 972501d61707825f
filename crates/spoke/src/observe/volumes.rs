//! Claims and volumes. The whole objects are kept once they are ours, for their copies in the stores.

use std::collections::BTreeMap;

use ramen_api::path::At as _;
use ramen_api::ramen::wire::{annotation, finalizer};
use ramen_events::{
    BlobId, Json, Time,
    spoke::{ClaimRef, Fact, Key, Pv, PvPhase, Pvc},
};
use ramen_ports::Observation;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{bytes, digest, stored_form, with_blobs};
use crate::{
    fields::{deleting, key, map, number, text, texts, time},
    quantity::Quantity,
};

/// Prefix of our annotations on claims and volumes.
const OURS: &str = "volumereplicationgroups.ramendr.openshift.io/";

pub fn claim(object: &Value) -> Observation {
    let finalizers = texts(object, "/metadata/finalizers");
    let whole = archived_form(object, true);
    let kept = finalizers.iter().any(|name| name == finalizer::PVC_VOL_REP).then(|| bytes(&whole));
    let pvc = Pvc {
        key: key(object),
        uid: text(object, "/metadata/uid"),
        resource_version: text(object, "/metadata/resourceVersion"),
        deleted_at: deleting(object)
            .then(|| time(object, "/metadata/deletionTimestamp").unwrap_or_default())
            .map(|Time(ms)| ms / 1000),
        labels: map(object, "/metadata/labels"),
        annotations: our_annotations(object),
        finalizers,
        storage_class: text(object, "/spec/storageClassName"),
        volume: text(object, "/spec/volumeName"),
        access_modes: texts(object, "/spec/accessModes"),
        resources: Json::new(object.at("/spec/resources").unwrap_or(&Value::Null)),
        volume_mode: text(object, "/spec/volumeMode"),
        bound: text(object, "/status/phase") == "Bound",
        resizing: is_resizing(object),
        spec_hash: spec_hash(object.at("/spec").unwrap_or(&Value::Null)),
        content: digest(&restorable(&whole)),
        blob: kept.as_deref().map(BlobId::of),
    };
    with_blobs(Fact::Pvc(Box::new(pvc)), kept.into_iter().collect())
}

pub fn volume(object: &Value) -> Observation {
    let whole = archived_form(object, false);
    let policy = text(object, "/spec/persistentVolumeReclaimPolicy");
    let claim = object.at("/spec/claimRef").map(|reference| ClaimRef {
        key: Key::new(text(reference, "/namespace"), text(reference, "/name")),
        uid: text(reference, "/uid"),
    });
    let kept = (policy == "Retain" && claim.is_some()).then(|| bytes(&whole));
    let pv = Pv {
        name: text(object, "/metadata/name"),
        uid: text(object, "/metadata/uid"),
        resource_version: text(object, "/metadata/resourceVersion"),
        generation: number(object, "/metadata/generation"),
        deleting: deleting(object),
        annotations: our_annotations(object),
        phase: PvPhase::parse(&text(object, "/status/phase")),
        claim,
        reclaim_policy: policy,
        storage_class: text(object, "/spec/storageClassName"),
        driver: text(object, "/spec/csi/driver"),
        handle: text(object, "/spec/csi/volumeHandle"),
        fs_type: text(object, "/spec/csi/fsType"),
        access_modes: texts(object, "/spec/accessModes"),
        volume_mode: text(object, "/spec/volumeMode"),
        content: digest(&restorable(&whole)),
        blob: kept.as_deref().map(BlobId::of),
    };
    with_blobs(Fact::Pv(Box::new(pv)), kept.into_iter().collect())
}

fn our_annotations(object: &Value) -> BTreeMap<String, String> {
    map(object, "/metadata/annotations")
        .into_iter()
        .filter(|(name, _)| name.starts_with(OURS) || name == annotation::DESTINATION_VOLUME_HANDLE)
        .collect()
}

/// The object as it goes into a store. The note that it was stored is left out: it would make each copy out of date by
/// being noted. Upstream's copies of claims name their kind, those of volumes don't; ours follow.
fn archived_form(object: &Value, with_kind: bool) -> Value {
    let mut object = stored_form(object);
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(annotation::ARCHIVED);
    }
    if let Some(fields) = object.as_object_mut() {
        if with_kind {
            fields.insert("apiVersion".to_owned(), json!("v1"));
            fields.insert("kind".to_owned(), json!("PersistentVolumeClaim"));
        } else {
            fields.remove("apiVersion");
            fields.remove("kind");
        }
    }
    object
}

/// What a restore would use: a change of anything else is no reason to store the object again.
fn restorable(whole: &Value) -> Value {
    let dropped = |name: &String| annotation::DROPPED_AT_RESTORE.iter().any(|prefix| name.starts_with(prefix));
    let annotations: BTreeMap<_, _> =
        map(whole, "/metadata/annotations").into_iter().filter(|(name, _)| !dropped(name)).collect();
    let mut spec = whole.at("/spec").cloned().unwrap_or_default();
    if let Some(claim) = spec.pointer_mut("/claimRef").and_then(Value::as_object_mut) {
        claim.remove("resourceVersion");
    }
    json!({
        "uid": text(whole, "/metadata/uid"),
        "labels": map(whole, "/metadata/labels"),
        "annotations": annotations,
        "spec": spec,
    })
}

/// Lower-case hex SHA-256 of `{"spec": ...}` in canonical form, with the escapes of Go's encoder (spec vrg 0).
pub fn spec_hash(spec: &Value) -> String {
    let text =
        json!({ "spec": spec }).to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().fold(String::with_capacity(64), |mut hex, byte| {
        use std::fmt::Write as _;
        // Writing to a String has no failing case.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Whether the volume is smaller than asked for. What can't be read is not judged.
fn is_resizing(object: &Value) -> bool {
    let quantity = |pointer: &str| Quantity::parse(&text(object, pointer));
    match (quantity("/status/capacity/storage"), quantity("/spec/resources/requests/storage")) {
        (Some(capacity), Some(request)) => capacity < request,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use ramen_events::Fact as Outer;

    use super::*;

    fn golden_claim() -> Value {
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": { "name": "data-0", "namespace": "app-000", "resourceVersion": "419", "uid": "u",
                "annotations": { annotation::PVC_PROTECTED: "protected", annotation::ARCHIVED: "x" },
                "finalizers": [finalizer::PVC_IN_USE, finalizer::PVC_VOL_REP] },
            "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } },
                "storageClassName": "lab-rbd", "volumeMode": "Filesystem",
                "volumeName": "pvc-aef0f6eb-ef26-4c37-9e5f-f3a6452f180c" },
            "status": { "phase": "Bound", "capacity": { "storage": "1Gi" } },
        })
    }

    fn observed(object: &Value) -> (Pvc, Vec<Vec<u8>>) {
        let Observation { fact: Outer::Spoke(Fact::Pvc(pvc)), blobs, .. } = claim(object) else {
            panic!("not a claim")
        };
        (*pvc, blobs)
    }

    #[test]
    fn a_claims_hash_is_the_one_that_upstream_notes() {
        let (pvc, _) = observed(&golden_claim());
        assert_eq!(pvc.spec_hash, "50b08aa9e58ab9d73ba4e47a854c7bfea023918e827bae7f4fdb8aefab87e4e2");
    }

    #[test]
    fn noting_that_a_claim_was_stored_does_not_make_its_copy_old() {
        let (noted, blobs) = observed(&golden_claim());
        let mut object = golden_claim();
        object["metadata"]["annotations"].as_object_mut().unwrap().remove(annotation::ARCHIVED);
        object["metadata"]["resourceVersion"] = json!("7");
        let (fresh, _) = observed(&object);
        assert_eq!((noted.content, noted.blob), (fresh.content, fresh.blob));
        assert_eq!(noted.blob, Some(BlobId::of(&blobs[0])));
    }

    #[test]
    fn a_claim_that_grows_is_resizing_until_its_volume_has_grown() {
        let mut object = golden_claim();
        object["spec"]["resources"]["requests"]["storage"] = json!("2Gi");
        assert!(observed(&object).0.resizing);
        object["status"]["capacity"]["storage"] = json!("2048Mi");
        assert!(!observed(&object).0.resizing);
    }
}
