//! Status of our three kinds. A merge patch: what is absent is written as null, so that it goes.

use ramen_api::{Resource, kinds};
use ramen_events::{
    Condition, Time,
    hub::{DrClusterStatus, DrpcStatus, Event, ObjectRef, PeerClass, PolicyStatus, ResourceMirror},
};
use ramen_ports::{Effect, Target};
use serde_json::{Value, json};

use crate::vrg_spec::write_peer_class;

use super::target;

/// Status of a DRPlacementControl.
pub fn drpc(drpc: &ObjectRef, uid: &str, status: &DrpcStatus, events: &[Event]) -> Vec<Effect> {
    let decision = &status.preferred_decision;
    let body = json!({
        "phase": filled(&status.phase),
        "observedGeneration": status.observed_generation,
        "progression": filled(&status.progression),
        "actionStartTime": moment(status.action_start),
        "actionDuration": status.action_duration,
        "preferredDecision": if decision.is_empty() {
            Value::Null
        } else {
            json!({"clusterName": decision, "clusterNamespace": decision})
        },
        "conditions": conditions(&status.conditions),
        "resourceConditions": status.resource.as_ref().map(resource),
        "lastGroupSyncTime": moment(status.last_group_sync),
        "lastGroupSyncDuration": status.last_group_sync_duration,
        "lastGroupSyncBytes": status.last_group_sync_bytes,
        "lastKubeObjectProtectionTime": moment(status.last_kube_object_protection),
        "lastUpdateTime": moment(status.last_update),
    });
    write(&kinds::DR_PLACEMENT_CONTROL, drpc, uid, body, events)
}

fn resource(mirror: &ResourceMirror) -> Value {
    let pvcs = if mirror.protected_pvcs.is_empty() { Value::Null } else { json!(mirror.protected_pvcs) };
    json!({
        "resourceMeta": {
            "kind": kinds::VOLUME_REPLICATION_GROUP.kind,
            "name": mirror.name,
            "namespace": mirror.namespace,
            "generation": mirror.generation,
            "protectedpvcs": pvcs,
            "pvcgroups": mirror.pvc_groups.value(),
        },
        "conditions": conditions(&mirror.conditions),
    })
}

/// Status of a DRPolicy.
pub fn policy(policy: &str, uid: &str, status: &PolicyStatus, events: &[Event]) -> Vec<Effect> {
    let classes = |classes: &[PeerClass]| {
        let classes: Vec<Value> = classes.iter().map(write_peer_class).collect();
        json!({"peerClasses": if classes.is_empty() { Value::Null } else { Value::Array(classes) }})
    };
    let body = json!({
        "async": classes(&status.asynchronous),
        "sync": classes(&status.synchronous),
        "conditions": conditions(&status.conditions),
    });
    write(&kinds::DR_POLICY, &ObjectRef::new("", policy), uid, body, events)
}

/// Status of a DRCluster.
pub fn cluster(cluster: &str, uid: &str, status: &DrClusterStatus, events: &[Event]) -> Vec<Effect> {
    let body = json!({
        "phase": filled(&status.phase),
        "conditions": conditions(&status.conditions),
        "maintenanceModes": status.maintenance_modes.value(),
    });
    write(&kinds::DR_CLUSTER, &ObjectRef::new("", cluster), uid, body, events)
}

fn write(resource: &'static Resource, object: &ObjectRef, uid: &str, status: Value, events: &[Event]) -> Vec<Effect> {
    let target: Target = target(resource, &object.namespace, &object.name);
    let write =
        Effect::MergeStatus { target: target.clone(), body: json!({"metadata": {"uid": uid}, "status": status}) };
    let report = |event: &Event| Effect::Event {
        regarding: target.clone(),
        uid: uid.to_owned(),
        warning: event.warning,
        reason: event.reason.clone(),
        message: event.message.clone(),
    };
    std::iter::once(write).chain(events.iter().map(report)).collect()
}

fn conditions(conditions: &[Condition]) -> Value {
    let condition = |condition: &Condition| {
        let mut value = json!({
            "type": condition.kind,
            "status": condition.status.as_str(),
            "reason": condition.reason,
            "message": condition.message,
            "lastTransitionTime": condition.since.rfc3339(),
        });
        if condition.generation > 0 {
            value["observedGeneration"] = json!(condition.generation);
        }
        value
    };
    conditions.iter().map(condition).collect()
}

fn filled(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

fn moment(time: Option<Time>) -> Option<String> {
    time.map(Time::rfc3339)
}
