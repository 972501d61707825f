//! One apply pass over a ManifestWork: its manifests in order, its `Applied` conditions, its AppliedManifestWork.

use std::sync::Arc;

use serde_json::{Value, json};

use super::available::write_status;
use super::finalize;
use super::resource_meta::{ResourceMeta, same};
use super::update::{LastApplied, Owner};
use super::{APPLIED_FINALIZER, Identity};
use crate::agents::AgentWorld;
use crate::agents::conditions::{self, Condition};
use crate::agents::object;
use crate::api::{Api, ApiError, Object};
use crate::kinds;
use crate::time::Time;

/// What came of a pass.
pub(super) struct Applied {
    /// The work as written.
    pub work: Arc<Object>,
    /// Whether every manifest is on the cluster and everything dropped is gone.
    pub complete: bool,
}

/// Applies a work.
pub(super) fn apply(
    identity: &Identity,
    last: &mut LastApplied,
    work: &Arc<Object>,
    now: Time,
    world: &AgentWorld<'_>,
) -> Result<Applied, ApiError> {
    let record = record(identity, work, world.own)?;
    let owner = Owner { name: object::name(&record).to_owned(), uid: object::uid(&record).to_owned() };
    let mut results: Vec<(ResourceMeta, Result<Arc<Object>, String>)> = Vec::new();
    let mut ordered: Vec<(usize, &Value)> = object::list(work, "/spec/workload/manifests").iter().enumerate().collect();
    ordered.sort_by_key(|(_, manifest)| rank(object::text(manifest, "/kind")));
    for (ordinal, manifest) in ordered {
        let meta = ResourceMeta::of(world.own, &identity.kinds, ordinal, manifest);
        let owned = owned(work, &meta);
        let result = last.update(world.own, &meta, manifest, &owner, owned);
        results.push((meta, result));
    }
    results.sort_by_key(|(meta, _)| meta.ordinal);
    let pruned = keep_record(identity, &record, &owner, &results, world.own)?;
    let work = report(work, &results, now, world.hub)?;
    let complete = pruned && results.iter().all(|(_, result)| result.is_ok());
    Ok(Applied { work, complete })
}

/// Namespaces and definitions first, then rights, identity, configuration, services, workloads; the rest last.
fn rank(kind: &str) -> u8 {
    match kind {
        "Namespace" | "CustomResourceDefinition" => 0,
        "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding" => 1,
        "NetworkPolicy" | "ResourceQuota" | "LimitRange" | "PodDisruptionBudget" | "ServiceAccount" => 2,
        "Secret" | "ConfigMap" | "PersistentVolumeClaim" => 3,
        "Service" => 4,
        "DaemonSet" | "Pod" | "ReplicaSet" | "Deployment" | "StatefulSet" | "Job" | "CronJob" => 5,
        _ => 9,
    }
}

/// Whether the work's delete option makes the object go with it.
fn owned(work: &Value, meta: &ResourceMeta) -> bool {
    let option = &work["spec"]["deleteOption"];
    match option["propagationPolicy"].as_str() {
        Some("Orphan") => false,
        Some("SelectivelyOrphan") => {
            !object::list(option, "/selectivelyOrphans/orphaningRules").iter().any(|rule| meta.matches(rule))
        }
        _ => true,
    }
}

/// The AppliedManifestWork of a work, made if missing.
fn record(identity: &Identity, work: &Value, own: &dyn Api) -> Result<Arc<Object>, ApiError> {
    let name = identity.record_name(object::name(work));
    match own.see(&kinds::APPLIED_MANIFEST_WORK, None, &name) {
        Err(ApiError::NotFound) => own.create(
            &kinds::APPLIED_MANIFEST_WORK,
            &json!({
                "apiVersion": "work.open-cluster-management.io/v1",
                "kind": "AppliedManifestWork",
                "metadata": {"name": name, "finalizers": [APPLIED_FINALIZER]},
                "spec": {
                    "agentID": identity.agent_id,
                    "hubHash": identity.hub_hash,
                    "manifestWorkName": object::name(work),
                },
            }),
        ),
        // One that is going must go first, or it would take with it what is applied now.
        Ok(record) if object::deleting(&record) => Err(ApiError::Conflict),
        other => other,
    }
}

/// Removes what the work no longer names and notes what it does; `false` while something removed is still there.
fn keep_record(
    identity: &Identity,
    record: &Value,
    owner: &Owner,
    results: &[(ResourceMeta, Result<Arc<Object>, String>)],
    own: &dyn Api,
) -> Result<bool, ApiError> {
    let mut applied: Vec<Value> = Vec::new();
    for (meta, result) in results {
        let live = match (result, meta.resource) {
            (Ok(live), _) => Some(object::uid(live).to_owned()),
            (Err(_), Some(resource)) => {
                own.see(&resource, meta.namespace(), &meta.name).ok().map(|live| object::uid(&live).to_owned())
            }
            (Err(_), None) => None,
        };
        applied.extend(live.map(|uid| meta.applied(&uid)));
    }
    let dropped: Vec<Value> = object::list(record, "/status/appliedResources")
        .iter()
        .filter(|held| !applied.iter().any(|kept| same(kept, held)))
        .cloned()
        .collect();
    let pending = finalize::delete(identity, own, &dropped, owner)?;
    let pruned = pending.is_empty();
    applied.extend(pending);
    applied.sort_by_key(|entry| entry.to_string());
    if object::list(record, "/status/appliedResources") != applied {
        let mut record = record.clone();
        record["status"] = json!({"appliedResources": applied});
        own.update_status(&kinds::APPLIED_MANIFEST_WORK, &record)?;
    }
    Ok(pruned)
}

fn report(
    work: &Arc<Object>,
    results: &[(ResourceMeta, Result<Arc<Object>, String>)],
    now: Time,
    hub: &dyn Api,
) -> Result<Arc<Object>, ApiError> {
    let generation = Some(object::generation(work));
    let held = object::list(work, "/status/resourceStatus/manifests");
    let mut manifests = Vec::new();
    for (meta, result) in results {
        let named = meta.in_work();
        let mut entry = held
            .iter()
            .find(|entry| same(&entry["resourceMeta"], &named))
            .cloned()
            .unwrap_or_else(|| json!({"conditions": [], "statusFeedback": {}}));
        entry["resourceMeta"] = named;
        let mut conditions = object::list(&entry, "/conditions").to_vec();
        let (status, reason, message) = match result {
            Ok(_) => ("True", "AppliedManifestComplete", "Apply manifest complete".to_owned()),
            Err(why) => ("False", "AppliedManifestFailed", format!("Failed to apply manifest: {why}")),
        };
        let applied = Condition { kind: "Applied", status, reason, message: &message, observed_generation: generation };
        conditions::set(&mut conditions, &applied, now);
        entry["conditions"] = Value::Array(conditions);
        manifests.push(entry);
    }
    let (status, reason, message) = if results.iter().all(|(_, result)| result.is_ok()) {
        ("True", "AppliedManifestWorkComplete", "Apply manifest work complete")
    } else {
        ("False", "AppliedManifestWorkFailed", "Failed to apply manifest work")
    };
    let mut conditions = object::list(work, "/status/conditions").to_vec();
    let applied = Condition { kind: "Applied", status, reason, message, observed_generation: generation };
    conditions::set(&mut conditions, &applied, now);
    write_status(work, conditions, manifests, hub)
}
