//! Copies in the stores: that they are there, and whose they are.

use ramen_api::ramen::s3_keys::VrgKeys;
use ramen_events::spoke;
use ramen_ports::{Effect, StoreOperation, StoreProfile};

use crate::defect::{Defect, SOUND};

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
                    secret_namespace: String::new(),
                    secret_name: String::new(),
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
];
