//! Copies in the stores: that they are there, and whose they are.

use ramen_api::ramen::s3_keys::VrgKeys;
use ramen_events::spoke;
use ramen_ports::{Effect, StoreOperation, StoreProfile};
use ramen_sim::world::OPERATOR_NAMESPACE;
use serde_json::Value;

use crate::{
    defect::{Defect, SOUND, spoke_command},
    json::text,
};

const STORED: &str = "VS9 protected means stored";

/// Changes what is done to a store, with or without a fence around it.
fn inner(operation: &mut StoreOperation) -> &mut StoreOperation {
    match operation {
        StoreOperation::Fenced { operation, .. } => inner(operation),
        other => other,
    }
}

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "volumes not stored",
        what: "claims are stored without their volumes",
        rules: &[STORED],
        act: |done| {
            for effect in done.effects.iter_mut() {
                if let Effect::Store { operation, .. } = effect
                    && let StoreOperation::Put(objects) = inner(operation)
                {
                    objects.retain(|(key, _)| !key.contains("/v1.PersistentVolume/"));
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "only one store written",
        what: "nothing is stored in the second store",
        rules: &[STORED],
        act: |done| {
            done.effects.retain(|effect| {
            !matches!(effect, Effect::Store { profile, operation: StoreOperation::Fenced { .. } } if profile.name == "s3-c2")
        })
        },
        ..SOUND
    },
    Defect {
        name: "VRG not stored",
        what: "the VRG's own copy is not stored",
        rules: &[STORED],
        act: |done| {
            if let Some(spoke::Command::UploadVrg { .. }) = done.spoke() {
                done.effects.clear();
            }
        },
        ..SOUND
    },
    Defect {
        name: "fences ignored",
        what: "stores are written without a look at who has taken them over",
        rules: &["VS12 the stores hold the successor's copies"],
        act: |done| {
            for effect in done.effects.iter_mut() {
                if let Effect::Store { operation, .. } = effect {
                    *operation = inner(operation).clone();
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "successor's copies deleted",
        what: "a secondary that lets its volumes go deletes the copies in the stores",
        rules: &["D4 nothing is deleted that the home needs"],
        act: |done| {
            let Some(spoke::Command::ReleaseVolume { pvc, .. }) = done.spoke() else { return };
            let prefix = VrgKeys::new(&pvc.namespace, &pvc.namespace).prefix().to_owned();
            for cluster in ["c1", "c2"] {
                let profile = StoreProfile {
                    name: format!("s3-{cluster}"),
                    endpoint: format!("http://s3.{cluster}.example.com"),
                    bucket: format!("bucket-{cluster}"),
                    region: String::new(),
                    secret_namespace: OPERATOR_NAMESPACE.to_owned(),
                    secret_name: format!("s3-{cluster}"),
                    ca_certificates: Vec::new(),
                };
                done.effects.push(Effect::Store { profile, operation: StoreOperation::DeleteAll(prefix.clone()) });
            }
        },
        ..SOUND
    },
    Defect {
        name: "copies of dropped claims stay",
        what: "what is taken out of an application stays in the stores",
        rules: &["VL8 what is dropped leaves the stores"],
        act: |done| {
            if let Some(spoke::Command::DeleteStored { .. }) = done.spoke() {
                done.effects.clear();
            }
        },
        ..SOUND
    },
    Defect {
        name: "copies under other keys",
        what: "volumes are stored where nobody looks for them",
        rules: &["CS4 copies lie under their keys"],
        act: |done| {
            for (key, _) in done.effects.iter_mut().flat_map(put) {
                *key = key.replace("/v1.PersistentVolume/", "/core.PersistentVolume/");
            }
        },
        ..SOUND
    },
    Defect {
        name: "old copy stored again",
        what: "once a VRG was stored anew it is stored as it was before",
        rules: &["CS6 copies get newer"],
        act: |done| {
            let Some(spoke::Command::UploadVrg { store, .. }) = done.spoke() else { return };
            let about = format!("{} {}", done.operator, store.name);
            for (key, vrg) in done.effects.iter_mut().flat_map(put) {
                if !key.contains("VolumeReplicationGroup") {
                    continue;
                }
                let generation = |vrg: &Value| vrg["metadata"]["generation"].as_i64();
                let before = done.memory.recall(&about).and_then(|before| serde_json::from_str::<Value>(&before).ok());
                let same = |before: &Value| text(before, "/metadata/uid") == text(vrg, "/metadata/uid");
                let Some(before) = before.filter(same) else {
                    done.memory.note(about.clone(), &vrg.to_string());
                    continue;
                };
                // The newer one is stored once, so that there is something to go back from.
                if generation(&before) != generation(vrg) && done.memory.note(format!("{about} went on"), "").is_some()
                {
                    *vrg = before;
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "one store waits for another",
        what: "nothing is stored in the first store before the second one has answered",
        rules: &["CL2 no store waits for another"],
        act: |done| {
            let Some(spoke::Command::Upload { store, .. }) = done.spoke() else { return };
            if store.name == "s3-c1" && done.memory.recall(done.operator).is_none() {
                for effect in done.effects.iter_mut() {
                    if let Effect::Store { profile, .. } = effect {
                        profile.bucket = "not-yet".to_owned();
                    }
                }
            }
        },
        hear: |heard| {
            let Some(spoke::Command::Upload { store, .. }) = spoke_command(heard.command) else { return };
            if store.name == "s3-c2" && !heard.answers.is_empty() {
                heard.memory.note(heard.operator.to_owned(), "answered");
            }
        },
        ..SOUND
    },
];

/// The objects that a call stores.
fn put(effect: &mut Effect) -> impl Iterator<Item = &mut (String, Value)> {
    let objects = match effect {
        Effect::Store { operation, .. } => match inner(operation) {
            StoreOperation::Put(objects) => Some(objects),
            _ => None,
        },
        _ => None,
    };
    objects.into_iter().flatten()
}
