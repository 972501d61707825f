//! What stores answer.

use ramen_api::ramen::{
    s3_keys::{Stored, VrgKeys},
    wire::annotation,
};
use ramen_events::{
    BlobId, Command, Fact,
    spoke::{self, Key, StoredClaim, StoredSet, StoredVolume, StoredVrg},
};
use ramen_ports::{Answer, Observation, StoreAnswer, fence};
use serde_json::Value;

use super::{bytes, vrg::epoch};
use crate::fields::{annotation, filled, key, text, texts, time};

/// What the answers to a command tell, beyond how it ended.
pub fn answers(command: &Command, answers: &[Answer]) -> Vec<Observation> {
    let Command::Spoke(spoke::Command::FetchStored { vrg, vrg_uid, generation, store }) = command else {
        return Vec::new();
    };
    let Some(Answer::Store(StoreAnswer::Objects(objects))) = answers.first() else { return Vec::new() };
    let mut set = StoredSet {
        vrg: vrg.clone(),
        vrg_uid: vrg_uid.clone(),
        asked_for: *generation,
        profile: store.name.clone(),
        ..StoredSet::default()
    };
    let mut blobs = Vec::new();
    let keys = VrgKeys::new(&vrg.namespace, &vrg.name);
    let mut highest = 0;
    for (name, object) in objects {
        match object {
            // Who may write is the affair of writers: a fence that can't be read hides no volume.
            _ if *name == keys.fence() => {
                let holder = object.as_ref().ok().and_then(fence::read);
                highest = highest.max(holder.map_or(0, |holder| holder.epoch));
            }
            Ok(object) if *name == keys.vrg() => {
                highest = highest.max(epoch(object));
                read(&mut set, &mut blobs, &keys, name, object);
            }
            Ok(object) => read(&mut set, &mut blobs, &keys, name, object),
            Err(error) => set.unreadable.push((name.clone(), error.clone())),
        }
    }
    let set = Box::new(set);
    let fact = match highest {
        0 => spoke::Fact::Stored(set),
        epoch => spoke::Fact::FencedStored { set, epoch },
    };
    vec![Observation { blobs, ..Observation::from(Fact::Spoke(fact)) }]
}

fn read(set: &mut StoredSet, blobs: &mut Vec<Vec<u8>>, keys: &VrgKeys, name: &str, object: &Value) {
    let kind = [Stored::Pv, Stored::Pvc, Stored::Vrg].into_iter().find(|kind| name.starts_with(&keys.prefix_of(*kind)));
    let mut keep = |object: &Value| {
        let bytes = bytes(object);
        let id = BlobId::of(&bytes);
        blobs.push(bytes);
        id
    };
    let unreadable = |set: &mut StoredSet, why: &str| set.unreadable.push((name.to_owned(), why.to_owned()));
    match kind {
        Some(Stored::Pv) => match filled(object, "/metadata/name") {
            Some(volume) => {
                let blob = keep(object);
                set.volumes.push(stored_volume(volume, object, blob));
            }
            None => unreadable(set, "holds no volume"),
        },
        Some(Stored::Pvc) => match filled(object, "/metadata/name") {
            Some(_) => {
                let mut key = key(object);
                if key.namespace.is_empty() {
                    key.namespace.clone_from(&set.vrg.namespace);
                }
                // An old and a new key of one claim: the list is sorted, so the new form comes first or replaces it.
                if set.claims.iter().any(|claim| claim.key == key) {
                    return;
                }
                let blob = keep(object);
                set.claims.push(StoredClaim {
                    key,
                    volume: text(object, "/spec/volumeName"),
                    created: time(object, "/metadata/creationTimestamp"),
                    blob,
                });
            }
            None => unreadable(set, "holds no claim"),
        },
        Some(Stored::Vrg) => {
            set.copy = Some(StoredVrg {
                drpc_uid: annotation(object, annotation::DRPC_UID),
                cluster: annotation(object, annotation::DESTINATION_CLUSTER),
                updated: time(object, "/status/lastUpdateTime"),
            });
        }
        _ => {}
    }
}

fn stored_volume(name: String, object: &Value, blob: BlobId) -> StoredVolume {
    let destination = annotation(object, annotation::DESTINATION_VOLUME_HANDLE);
    let claim =
        filled(object, "/spec/claimRef/name").map(|name| Key::new(text(object, "/spec/claimRef/namespace"), name));
    StoredVolume {
        name,
        claim,
        storage_class: text(object, "/spec/storageClassName"),
        driver: text(object, "/spec/csi/driver"),
        handle: if destination.is_empty() { text(object, "/spec/csi/volumeHandle") } else { destination },
        fs_type: text(object, "/spec/csi/fsType"),
        access_modes: texts(object, "/spec/accessModes"),
        volume_mode: text(object, "/spec/volumeMode"),
        blob,
    }
}
