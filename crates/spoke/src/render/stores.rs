//! Calls to S3 stores.

use ramen_api::ramen::s3_keys::VrgKeys;
use ramen_events::spoke::{Fence, Key, VrgStatus};
use ramen_ports::{Effect, StoreOperation, StoreProfile};
use serde_json::Value;

use super::{status, store};

fn keys(vrg: &Key) -> VrgKeys {
    VrgKeys::new(&vrg.namespace, &vrg.name)
}

/// What writes or deletes goes past the fence, as epoch 0 as long as nobody says otherwise.
fn write(keys: &VrgKeys, profile: StoreProfile, operation: StoreOperation) -> Effect {
    let operation = Box::new(operation);
    store(profile, StoreOperation::Fenced { key: keys.fence(), writer: Fence::default(), operation })
}

/// Says as whom a store is written.
pub fn as_writer(effect: Effect, fence: &Fence) -> Effect {
    match effect {
        Effect::Store { profile, operation: StoreOperation::Fenced { key, operation, .. } } => {
            store(profile, StoreOperation::Fenced { key, writer: fence.clone(), operation })
        }
        other => other,
    }
}

/// Volume before claim, as upstream does: a reader that finds the claim finds its volume.
pub fn upload(vrg: &Key, profile: StoreProfile, pvc: &Key, volume: &str, (pv, claim): (Value, Value)) -> Effect {
    let keys = keys(vrg);
    let objects = vec![(keys.pv(volume), pv), (keys.pvc(&pvc.namespace, &pvc.name), claim)];
    write(&keys, profile, StoreOperation::Put(objects))
}

pub fn upload_vrg(vrg: &Key, profile: StoreProfile, mut body: Value, status: &VrgStatus) -> Effect {
    body["status"] = status::value(status);
    let keys = keys(vrg);
    write(&keys, profile, StoreOperation::Put(vec![(keys.vrg(), body)]))
}

/// Claims, volumes, the VRG's copy and the fence in one question: their types are the only ones that begin with this.
pub fn fetch(vrg: &Key, profile: StoreProfile) -> Effect {
    store(profile, StoreOperation::GetAll(format!("{}v1", keys(vrg).prefix())))
}

pub fn delete(vrg: &Key, profile: StoreProfile, pvc: &Key, volume: &str) -> Effect {
    let keys = keys(vrg);
    let mut doomed = vec![keys.pvc(&pvc.namespace, &pvc.name)];
    if pvc.namespace == vrg.namespace {
        doomed.push(keys.pvc_old_form(&pvc.name));
    }
    if !volume.is_empty() {
        doomed.push(keys.pv(volume));
    }
    write(&keys, profile, StoreOperation::Delete(doomed))
}

pub fn delete_all(vrg: &Key, profile: StoreProfile) -> Effect {
    let keys = keys(vrg);
    write(&keys, profile, StoreOperation::DeleteAll(keys.prefix().to_owned()))
}
