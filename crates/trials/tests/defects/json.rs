//! Reading and changing objects.

use ramen_ports::Effect;
use serde_json::{Value, json};

/// The finalizer on protected claims.
pub const CLAIM_FINALIZER: &str = ramen_api::ramen::wire::finalizer::PVC_VOL_REP;

/// Text at a JSON pointer; empty when there is none.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Whether an object has a finalizer.
pub fn has_finalizer(object: &Value, name: &str) -> bool {
    object.pointer("/metadata/finalizers").and_then(Value::as_array).is_some_and(|all| all.iter().any(|f| f == name))
}

/// Has an object show a finalizer, or none of that name.
pub fn show_finalizer(object: &mut Value, name: &str, there: bool) {
    let all = object.pointer("/metadata/finalizers").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut all: Vec<Value> = all.into_iter().filter(|finalizer| finalizer != name).collect();
    if there {
        all.push(json!(name));
    }
    object["metadata"]["finalizers"] = Value::Array(all);
}

/// The VRG that a ManifestWork asks for.
pub fn vrg_of(work: &mut Value) -> Option<&mut Value> {
    let manifests = work.pointer_mut("/spec/workload/manifests")?.as_array_mut()?;
    manifests.iter_mut().find(|manifest| manifest["kind"] == "VolumeReplicationGroup")
}

/// The VRG that a ManifestWork asks for, in a call that writes the work.
pub fn vrg_in(effects: &mut [Effect]) -> Option<&mut Value> {
    effects.iter_mut().find_map(|effect| match effect {
        Effect::Apply { target, body } if target.resource.kind == "ManifestWork" => vrg_of(body),
        _ => None,
    })
}

/// Generation that is newer than any.
const NEWEST: i64 = 1_000_000;

/// Has a ManifestWork tell, as soon as something was read back of its VRG, that the VRG accepted `role` and looked at it.
/// Returns whether the work asks for that role.
pub fn believe_accepted(work: &mut Value, role: &str) -> bool {
    const COMMAND: &str = "/metadata/annotations/drplacementcontrol.ramendr.openshift.io~1hub-command";
    let Some(vrg) = vrg_of(work) else { return false };
    if vrg["spec"]["replicationState"] != role {
        return false;
    }
    let command = text(vrg, COMMAND).to_owned();
    feedback(work, "command", &json!(command));
    feedback(work, "replicationState", &json!(role));
    feedback(work, "generation", &json!(NEWEST));
    feedback(work, "observedGeneration", &json!(NEWEST));
    true
}

/// Has a ManifestWork tell that its VRG has a state, and that these conditions hold.
pub fn believe(work: &mut Value, role: &str, state: &str, conditions: &[&str]) {
    if !believe_accepted(work, role) {
        return;
    }
    feedback(work, "state", &json!(state));
    for condition in conditions {
        feedback(work, condition, &json!("True"));
        feedback(work, &format!("{condition}Generation"), &json!(NEWEST));
    }
}

/// Has a ManifestWork tell a value of its VRG, if anything was read back of it.
pub fn feedback(work: &mut Value, name: &str, told: &Value) {
    let values = work.pointer_mut("/status/resourceStatus/manifests/0/statusFeedback/values");
    let Some(values) = values.and_then(Value::as_array_mut).filter(|values| !values.is_empty()) else { return };
    let (kind, field) = match told {
        Value::Bool(_) => ("Boolean", "boolean"),
        Value::Number(_) => ("Integer", "integer"),
        _ => ("String", "string"),
    };
    values.retain(|value| value["name"] != name);
    values.push(json!({"name": name, "fieldValue": {"type": kind, (field): told}}));
}

/// Has a condition of an object's status say something.
pub fn set_condition(object: &mut Value, kind: &str, field: &str, told: &Value) {
    let conditions = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter(|condition| condition["type"] == kind) {
        condition[field] = told.clone();
    }
}
