//! What commands come down to: pure functions from a command to calls, one file a subject.

use ramen_api::{Resource, kinds};
use ramen_events::{
    BlobId, Kind, ObjectId,
    spoke::{Command, Key, Role, Store},
};
use ramen_ports::{Blobs, Effect, RenderError, Requirement, StoreOperation, StoreProfile, Target, Unused};
use serde_json::{Value, json};

mod cluster_config;
mod replication;
mod restore;
mod status;
mod stores;
mod volumes;

pub use restore::{restorable_claim, restorable_volume};

/// What a command comes down to; `namespace` is the operator's own.
///
/// # Errors
/// When a blob that the command names is missing or no JSON.
pub fn command(command: &Command, namespace: &str, blobs: &dyn Blobs) -> Result<Vec<Effect>, RenderError> {
    Ok(match command {
        Command::SetFinalizers { object, finalizers, resource_version } => {
            vec![set_finalizers(object, finalizers, resource_version)?]
        }
        Command::WriteVrgStatus { vrg, uid, status, notices } => status::write(vrg, uid, status, notices),
        Command::ProtectVolume { pvc, finalizers, resource_version, owner, retain } => {
            let marks = volumes::protect(pvc, finalizers, resource_version, owner, retain.as_deref());
            for_vrg(owner, marks)
        }
        Command::ReleaseVolume { pvc, finalizers, resource_version, volume, restore_policy } => {
            volumes::release(pvc, finalizers.as_deref(), resource_version, volume.as_deref(), *restore_policy)
        }
        Command::MarkArchived { pvc, hash, volume, generation } => {
            volumes::mark_archived(pvc, hash, volume, *generation)
        }
        Command::CompleteBinding { pvc, at } => vec![volumes::complete_binding(pvc, *at)],
        Command::NoteDestination { volume, handle } => vec![volumes::note_destination(volume, handle)],
        Command::ClearClaim { volume, claim, resource_version } => {
            vec![volumes::clear_claim(volume, claim, resource_version)]
        }
        Command::ApplyReplication { pvc, owner, owner_uid, class, role, auto_resync } => {
            let same = Requirement { uid: Some(owner_uid.clone()), may_leave: true, ..staying(owner) };
            // Watches may be late, and a volume that is taken away under a pod takes what that writes with it.
            let free = Unused { namespace: pvc.namespace.clone(), claim: pvc.name.clone() };
            let free = (*role == Role::Secondary).then_some(Effect::RequireUnused(free));
            let apply = replication::apply(pvc, owner, owner_uid, class, *role, *auto_resync);
            [Effect::Require(same)].into_iter().chain(free).chain([apply]).collect()
        }
        Command::DeleteReplication { key, uid } => vec![replication::delete(key, uid)],
        Command::Upload { vrg, store, pvc, volume, pv_blob, pvc_blob, .. } => {
            let objects = (object(blobs, *pv_blob)?, object(blobs, *pvc_blob)?);
            for_vrg(vrg, [stores::upload(vrg, profile(store, blobs)?, pvc, volume, objects)])
        }
        Command::UploadVrg { vrg, store, body, status, .. } => {
            for_vrg(vrg, [stores::upload_vrg(vrg, profile(store, blobs)?, object(blobs, *body)?, status)])
        }
        Command::FetchStored { vrg, store, .. } => vec![stores::fetch(vrg, profile(store, blobs)?)],
        Command::DeleteStored { vrg, store, pvc, volume } => {
            vec![stores::delete(vrg, profile(store, blobs)?, pvc, volume)]
        }
        Command::DeleteAllStored { vrg, store } => vec![stores::delete_all(vrg, profile(store, blobs)?)],
        Command::RestorePv { blob, name, provisioner, parameters } => {
            vec![restore::volume(&object(blobs, *blob)?, name, provisioner, parameters)]
        }
        Command::RestorePvc { blob, key, owner } => {
            for_vrg(owner, [restore::claim(&object(blobs, *blob)?, key, owner)])
        }
        Command::CreateConfig => vec![cluster_config::default_config(namespace)?],
        Command::WriteClusterConfigStatus { name, status } => vec![cluster_config::status(name, status)],
        Command::Fenced { fence, command: fenced } => {
            let effects = self::command(fenced, namespace, blobs)?.into_iter();
            effects.map(|effect| stores::as_writer(effect, fence)).collect()
        }
        Command::RestoreArchived { restore } => {
            let effects = self::command(restore, namespace, blobs)?.into_iter();
            effects.map(restore::as_archived).collect()
        }
        Command::DeleteClusterClaim { name } => {
            vec![Effect::Delete { target: cluster_scoped(&kinds::CLUSTER_CLAIM, name), uid: None }]
        }
    })
}

/// What an operator that lost its lead must not do any more after another one ended the protection: nobody would take its
/// marks off, or its copies away.
fn for_vrg(vrg: &Key, effects: impl IntoIterator<Item = Effect>) -> Vec<Effect> {
    [Effect::Require(staying(vrg))].into_iter().chain(effects).collect()
}

fn staying(vrg: &Key) -> Requirement {
    Requirement {
        target: namespaced(&kinds::VOLUME_REPLICATION_GROUP, vrg),
        uid: None,
        generation: None,
        version: None,
        may_leave: false,
    }
}

fn set_finalizers(object: &ObjectId, finalizers: &[String], resource_version: &str) -> Result<Effect, RenderError> {
    let resource = match object.kind {
        Kind::Vrg => &kinds::VOLUME_REPLICATION_GROUP,
        Kind::DrClusterConfig => &kinds::DR_CLUSTER_CONFIG,
        other => return Err(RenderError(format!("no finalizers are set on a {other:?}"))),
    };
    Ok(Effect::Merge {
        target: Target { resource, namespace: object.namespace.clone(), name: object.name.clone() },
        body: json!({ "metadata": { "finalizers": finalizers, "resourceVersion": resource_version } }),
    })
}

fn namespaced(resource: &'static Resource, key: &Key) -> Target {
    Target { resource, namespace: key.namespace.clone(), name: key.name.clone() }
}

fn cluster_scoped(resource: &'static Resource, name: &str) -> Target {
    Target { resource, namespace: String::new(), name: name.to_owned() }
}

fn claim_target(key: &Key) -> Target {
    namespaced(&kinds::PERSISTENT_VOLUME_CLAIM, key)
}

fn volume_target(name: &str) -> Target {
    cluster_scoped(&kinds::PERSISTENT_VOLUME, name)
}

/// A stored object.
fn object(blobs: &dyn Blobs, id: BlobId) -> Result<Value, RenderError> {
    let bytes = blobs.get(id).ok_or_else(|| RenderError(format!("object {id} is missing in the log")))?;
    serde_json::from_slice(&bytes).map_err(|err| RenderError(format!("object {id} in the log is no JSON: {err}")))
}

/// How to reach a store.
fn profile(store: &Store, blobs: &dyn Blobs) -> Result<StoreProfile, RenderError> {
    let ca_certificates = match store.ca_certificates {
        None => Vec::new(),
        Some(id) => blobs.get(id).ok_or_else(|| RenderError(format!("certificates {id} are missing in the log")))?,
    };
    Ok(StoreProfile {
        name: store.name.clone(),
        endpoint: store.endpoint.clone(),
        bucket: store.bucket.clone(),
        region: store.region.clone(),
        secret_namespace: store.secret.namespace.clone(),
        secret_name: store.secret.name.clone(),
        ca_certificates,
    })
}

fn store(profile: StoreProfile, operation: StoreOperation) -> Effect {
    Effect::Store { profile, operation }
}
