//! What kube-controller-manager does about volumes: binds claims, moves phases, guards what is in use.
//!
//! Needed beside embedded API servers only; real ones bring their own controllers, hence the switches.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::provisioner::{STORAGE_PROVISIONER, STORAGE_PROVISIONER_BETA};
use crate::agents::object;
use crate::agents::{Agent, AgentWorld, Side};
use crate::api::{Api, ApiError, Object, Resource};
use crate::kinds;
use crate::time::Time;

const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
const PVC_PROTECTION: &str = "kubernetes.io/pvc-protection";
const PV_PROTECTION: &str = "kubernetes.io/pv-protection";

/// Which of the controllers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duties {
    /// Binding and phases.
    pub bind: bool,
    /// The protection finalizers.
    pub protect: bool,
}

/// The agent, one per cluster.
pub struct Binder {
    name: String,
    duties: Duties,
}

impl Binder {
    /// The controllers of one cluster.
    #[must_use]
    pub fn new(cluster: &str, duties: Duties) -> Self {
        Self { name: format!("{cluster}/volume-binder"), duties }
    }
}

impl Agent for Binder {
    fn name(&self) -> &str {
        &self.name
    }

    fn watches(&self) -> Vec<(Side, Resource)> {
        [kinds::PVC, kinds::PV, kinds::POD].into_iter().map(|kind| (Side::Own, kind)).collect()
    }

    fn run(&mut self, now: Time, world: &AgentWorld<'_>) -> Option<Time> {
        match look(world.own, self.duties, now) {
            Ok(()) => None,
            // Somebody else changed an object in between: its event comes anyway.
            Err(ApiError::Conflict | ApiError::NotFound) => Some(now + Duration::from_millis(100)),
            Err(_) => Some(now + Duration::from_secs(1)),
        }
    }
}

fn look(api: &dyn Api, duties: Duties, now: Time) -> Result<(), ApiError> {
    let claims = api.see_all(&kinds::PVC, None)?;
    let volumes = api.see_all(&kinds::PV, None)?;
    let mut trouble = Ok(());
    if duties.bind {
        for claim in &claims {
            keep(&mut trouble, settle_claim(api, claim, &volumes, now));
        }
        for volume in &volumes {
            keep(&mut trouble, settle_volume(api, volume, now));
        }
    }
    if duties.protect {
        for claim in claims.iter().filter(|claim| object::deleting(claim)) {
            keep(&mut trouble, release_claim(api, claim));
        }
        for volume in volumes.iter().filter(|volume| object::deleting(volume)) {
            keep(&mut trouble, release_volume(api, volume));
        }
    }
    trouble
}

fn keep(trouble: &mut Result<(), ApiError>, next: Result<(), ApiError>) {
    if trouble.is_ok() {
        *trouble = next;
    }
}

fn settle_claim(api: &dyn Api, claim: &Value, volumes: &[Arc<Object>], now: Time) -> Result<(), ApiError> {
    let volume_name = object::text(claim, "/spec/volumeName");
    let complete = !object::annotation(claim, BIND_COMPLETED).is_empty();
    let volume = if volume_name.is_empty() {
        volumes.iter().find(|volume| refers_to(volume, claim))
    } else {
        volumes.iter().find(|volume| object::name(volume) == volume_name)
    };
    match volume {
        Some(volume) if complete && refers_to(volume, claim) => settle_bound(api, claim, volume),
        Some(_) | None if complete => phase_of_claim(api, claim, "Lost", None),
        Some(volume) if free(volume) || refers_to(volume, claim) => bind(api, claim, volume, now),
        _ if volume_name.is_empty() && !object::deleting(claim) => {
            ask_for_volume(api, claim)?;
            phase_of_claim(api, claim, "Pending", None)
        }
        _ => phase_of_claim(api, claim, "Pending", None),
    }
}

/// Whether no claim has this volume.
fn free(volume: &Value) -> bool {
    volume["spec"]["claimRef"].is_null() && !object::deleting(volume)
}

/// Whether a volume is reserved for a claim or bound to it.
fn refers_to(volume: &Value, claim: &Value) -> bool {
    let uid = object::text(volume, "/spec/claimRef/uid");
    object::text(volume, "/spec/claimRef/namespace") == object::namespace(claim)
        && object::text(volume, "/spec/claimRef/name") == object::name(claim)
        && (uid.is_empty() || uid == object::uid(claim))
}

/// Asks the driver of the claim's class for a volume.
fn ask_for_volume(api: &dyn Api, claim: &Value) -> Result<(), ApiError> {
    let class_name = object::text(claim, "/spec/storageClassName");
    if class_name.is_empty() || !object::annotation(claim, STORAGE_PROVISIONER).is_empty() {
        return Ok(());
    }
    let Ok(class) = api.see(&kinds::STORAGE_CLASS, None, class_name) else { return Ok(()) };
    let driver = object::text(&class, "/provisioner");
    let patch = json!({"metadata": {"annotations": {STORAGE_PROVISIONER: driver, STORAGE_PROVISIONER_BETA: driver}}});
    api.merge_patch(&kinds::PVC, Some(object::namespace(claim)), object::name(claim), &patch, None).map(drop)
}

fn bind(api: &dyn Api, claim: &Value, volume: &Value, now: Time) -> Result<(), ApiError> {
    let reserved;
    let mut volume = volume;
    if object::text(volume, "/spec/claimRef/uid") != object::uid(claim) {
        let patch = json!({
            "metadata": {"resourceVersion": object::version(volume)},
            "spec": {"claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": object::namespace(claim),
                "name": object::name(claim),
                "uid": object::uid(claim),
            }},
        });
        reserved = api.merge_patch(&kinds::PV, None, object::name(volume), &patch, None)?;
        volume = &reserved;
    }
    phase_of_volume(api, volume, "Bound", now)?;
    let mut patch = json!({
        "metadata": {"resourceVersion": object::version(claim), "annotations": {BIND_COMPLETED: "yes"}},
    });
    if object::text(claim, "/spec/volumeName").is_empty() {
        patch["metadata"]["annotations"][BOUND_BY_CONTROLLER] = json!("yes");
        patch["spec"] = json!({"volumeName": object::name(volume)});
    }
    let bound = api.merge_patch(&kinds::PVC, Some(object::namespace(claim)), object::name(claim), &patch, None)?;
    settle_bound(api, &bound, volume)
}

fn settle_bound(api: &dyn Api, claim: &Value, volume: &Value) -> Result<(), ApiError> {
    phase_of_claim(api, claim, "Bound", Some(volume))
}

fn phase_of_claim(api: &dyn Api, claim: &Value, phase: &str, volume: Option<&Value>) -> Result<(), ApiError> {
    if object::text(claim, "/status/phase") == phase {
        return Ok(());
    }
    let mut status = json!({"phase": phase});
    if let Some(volume) = volume {
        status["accessModes"] = volume["spec"]["accessModes"].clone();
        status["capacity"] = volume["spec"]["capacity"].clone();
    }
    let patch = json!({"status": status});
    let name = object::name(claim);
    api.merge_patch(&kinds::PVC, Some(object::namespace(claim)), name, &patch, Some("status")).map(drop)
}

fn phase_of_volume(api: &dyn Api, volume: &Value, phase: &str, now: Time) -> Result<(), ApiError> {
    if object::text(volume, "/status/phase") == phase {
        return Ok(());
    }
    let patch = json!({"status": {"phase": phase, "lastPhaseTransitionTime": now.rfc3339()}});
    api.merge_patch(&kinds::PV, None, object::name(volume), &patch, Some("status")).map(drop)
}

fn settle_volume(api: &dyn Api, volume: &Value, now: Time) -> Result<(), ApiError> {
    let uid = object::text(volume, "/spec/claimRef/uid");
    if uid.is_empty() {
        // Not so once a claim took it a moment ago: the list is older than that.
        let current = api.see(&kinds::PV, None, object::name(volume))?;
        return if object::text(&current, "/spec/claimRef/uid").is_empty() {
            phase_of_volume(api, &current, "Available", now)
        } else {
            Ok(())
        };
    }
    let namespace = Some(object::text(volume, "/spec/claimRef/namespace"));
    let claim = api.see(&kinds::PVC, namespace, object::text(volume, "/spec/claimRef/name"));
    let gone = match claim {
        Ok(claim) => object::uid(&claim) != uid,
        Err(ApiError::NotFound) => true,
        Err(other) => return Err(other),
    };
    if gone { phase_of_volume(api, volume, "Released", now) } else { Ok(()) }
}

fn release_claim(api: &dyn Api, claim: &Value) -> Result<(), ApiError> {
    if !object::has_finalizer(claim, PVC_PROTECTION) {
        return Ok(());
    }
    let namespace = Some(object::namespace(claim));
    if api.see_all(&kinds::POD, namespace)?.iter().any(|pod| uses(pod, object::name(claim))) {
        return Ok(());
    }
    let patch = object::finalizer_removed(claim, PVC_PROTECTION);
    api.merge_patch(&kinds::PVC, namespace, object::name(claim), &patch, None).map(drop)
}

/// Whether a pod that has not ended mounts the claim.
fn uses(pod: &Value, claim: &str) -> bool {
    let ended = matches!(object::text(pod, "/status/phase"), "Succeeded" | "Failed");
    let mounts = |volume: &Value| object::text(volume, "/persistentVolumeClaim/claimName") == claim;
    !ended && object::list(pod, "/spec/volumes").iter().any(mounts)
}

fn release_volume(api: &dyn Api, volume: &Value) -> Result<(), ApiError> {
    if !object::has_finalizer(volume, PV_PROTECTION) {
        return Ok(());
    }
    let current = api.see(&kinds::PV, None, object::name(volume))?;
    if object::text(&current, "/status/phase") == "Bound" {
        return Ok(());
    }
    let patch = object::finalizer_removed(&current, PV_PROTECTION);
    api.merge_patch(&kinds::PV, None, object::name(volume), &patch, None).map(drop)
}
