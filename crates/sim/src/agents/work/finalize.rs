//! How works end: their objects go first, then the record on the cluster, then the work on the hub.

use std::time::Duration;

use serde_json::{Value, json};

use super::update::Owner;
use super::{APPLIED_FINALIZER, Identity, WORK_FINALIZER};
use crate::agents::AgentWorld;
use crate::agents::conditions::{self, Condition};
use crate::agents::object;
use crate::api::{Api, ApiError};
use crate::kinds;
use crate::time::Time;

/// The longest pause between two looks at objects that are being deleted.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Pause before the next look after so many looks.
pub(super) fn pause(looks: u32) -> Duration {
    (Duration::from_millis(50) * 2_u32.saturating_pow(looks.min(12))).min(LONGEST_PAUSE)
}

/// Goes on with the deletion of a work.
pub(super) fn work(identity: &Identity, work: &Value, now: Time, world: &AgentWorld<'_>) -> Result<(), ApiError> {
    if !object::has_finalizer(work, WORK_FINALIZER) {
        return Ok(());
    }
    let (namespace, name) = (Some(object::namespace(work)), object::name(work));
    let record_name = identity.record_name(name);
    match world.own.see(&kinds::APPLIED_MANIFEST_WORK, None, &record_name) {
        Err(ApiError::NotFound) => {
            let patch = object::finalizer_removed(work, WORK_FINALIZER);
            world.hub.merge_patch(&kinds::MANIFEST_WORK, namespace, name, &patch, None).map(drop)
        }
        Err(other) => Err(other),
        Ok(record) if object::deleting(&record) => Ok(()),
        Ok(record) => {
            let mut told = work.clone();
            let mut conditions = object::list(work, "/status/conditions").to_vec();
            let condition = Condition {
                kind: "Deleting",
                status: "True",
                reason: "WorkDeleting",
                message: "ManifestWork is being deleted",
                observed_generation: Some(object::generation(work)),
            };
            conditions::set(&mut conditions, &condition, now);
            told["status"]["conditions"] = Value::Array(conditions);
            world.hub.update_status(&kinds::MANIFEST_WORK, &told)?;
            world.own.delete(&kinds::APPLIED_MANIFEST_WORK, None, &record_name, Some(object::uid(&record)))
        }
    }
}

/// Goes on with the deletion of a record; `true` when it is gone.
pub(super) fn record(identity: &Identity, record: &Value, own: &dyn Api) -> Result<bool, ApiError> {
    if !object::has_finalizer(record, APPLIED_FINALIZER) {
        return Ok(true);
    }
    let owner = Owner { name: object::name(record).to_owned(), uid: object::uid(record).to_owned() };
    let applied = object::list(record, "/status/appliedResources");
    let pending = delete(identity, own, applied, &owner)?;
    if pending != applied {
        let mut told = record.clone();
        told["status"] = json!({"appliedResources": pending});
        own.update_status(&kinds::APPLIED_MANIFEST_WORK, &told)?;
    }
    if !pending.is_empty() {
        return Ok(false);
    }
    let current = own.see(&kinds::APPLIED_MANIFEST_WORK, None, object::name(record))?;
    let patch = object::finalizer_removed(&current, APPLIED_FINALIZER);
    own.merge_patch(&kinds::APPLIED_MANIFEST_WORK, None, object::name(record), &patch, None)?;
    Ok(true)
}

/// Deletes applied objects that only this owner holds; those of others lose the owner. What is still there is returned.
pub(super) fn delete(
    identity: &Identity,
    own: &dyn Api,
    applied: &[Value],
    owner: &Owner,
) -> Result<Vec<Value>, ApiError> {
    let mut pending = Vec::new();
    for entry in applied {
        let of = |key: &str| object::text(entry, key);
        let Some(resource) = identity.kinds.find_plural(own, of("/group"), of("/version"), of("/resource")) else {
            continue;
        };
        let namespace = Some(of("/namespace")).filter(|namespace| !namespace.is_empty());
        let live = match own.see(&resource, namespace, of("/name")) {
            Ok(live) => live,
            Err(ApiError::NotFound) => continue,
            Err(other) => return Err(other),
        };
        if !owner.owns(&live) {
            continue;
        }
        if owner.shares(&live) {
            let patch = json!({"metadata": {
                "resourceVersion": object::version(&live),
                "ownerReferences": owner.removed(&live),
            }});
            own.merge_patch(&resource, namespace, of("/name"), &patch, None)?;
            continue;
        }
        if object::uid(&live) != of("/uid") {
            continue;
        }
        if !object::deleting(&live) {
            match own.delete(&resource, namespace, of("/name"), Some(of("/uid"))) {
                Ok(()) | Err(ApiError::NotFound) => {}
                Err(other) => return Err(other),
            }
        }
        pending.push(entry.clone());
    }
    Ok(pending)
}
