//! ManifestWork: what is in it, what its agent did with it, and what it reads back.

use std::collections::BTreeMap;

use ramen_api::{
    kinds,
    ramen::wire::{annotation, condition},
};
use ramen_events::{
    ClusterName, Condition, ConditionStatus, Json, Time,
    hub::{Fact, Feedback, WorkCondition, WorkContent, WorkFact},
};
use serde_json::Value;

use crate::{
    feedback::{CONDITIONS, FIELDS},
    fields::{conditions, deleting, drpc, list, map, number, text},
};

use super::vrg;

/// What a ManifestWork tells.
pub fn observe(object: &Value) -> Fact {
    let conditions = conditions(object, "/status/conditions");
    let of = |kind: &str| conditions.iter().find(|condition| condition.kind == kind).map(work_condition);
    Fact::Work(Box::new(WorkFact {
        cluster: ClusterName(text(object, "/metadata/namespace")),
        name: text(object, "/metadata/name"),
        uid: text(object, "/metadata/uid"),
        generation: number(object, "/metadata/generation"),
        deleting: deleting(object),
        drpc: drpc(object),
        dr_cluster: map(object, "/metadata/annotations").remove(annotation::DR_CLUSTER_NAME).unwrap_or_default(),
        content: content(object),
        orphan: text(object, "/spec/deleteOption/propagationPolicy") == "Orphan",
        applied: of(condition::APPLIED),
        available: of(condition::AVAILABLE),
        watched: watched(object),
        feedback: feedback(object),
    }))
}

fn work_condition(condition: &Condition) -> WorkCondition {
    WorkCondition {
        status: condition.status,
        generation: condition.generation,
        // Words are for complaints; those of success say nothing.
        message: if condition.status == ConditionStatus::True { String::new() } else { condition.message.clone() },
    }
}

fn content(object: &Value) -> WorkContent {
    let manifests = list(object, "/spec/workload/manifests");
    match manifests {
        [] => WorkContent::Unreadable,
        [one] if text(one, "/kind") == kinds::VOLUME_REPLICATION_GROUP.kind => {
            let (manifest, command) = vrg::manifest(one);
            WorkContent::Vrg { manifest: Box::new(manifest), command }
        }
        many => WorkContent::Manifests(Json::new(&Value::Array(many.to_vec()))),
    }
}

/// Whether the agent watches what it reads back; `None` without rules, or where the API server drops the field.
fn watched(object: &Value) -> Option<bool> {
    let options = list(object, "/spec/manifestConfigs").first()?;
    if list(options, "/feedbackRules").is_empty() {
        return None;
    }
    options.get("feedbackScrapeType").and_then(Value::as_str).map(|kind| kind == "Watch")
}

/// Values of the first manifest, as long as the agent says that the object is there: it keeps old ones otherwise.
fn feedback(object: &Value) -> Option<Feedback> {
    let manifest = list(object, "/status/resourceStatus/manifests").first()?;
    let available = conditions(manifest, "/conditions");
    let available = available.iter().find(|condition| condition.kind == condition::AVAILABLE);
    if available.is_some_and(|condition| condition.status == ConditionStatus::False) {
        return None;
    }
    let values = list(manifest, "/statusFeedback/values");
    let values: BTreeMap<String, &Value> = values.iter().map(|v| (text(v, "/name"), &v["fieldValue"])).collect();
    let words = |name: &str| values.get(name).and_then(|value| value["string"].as_str()).map(str::to_owned);
    let number = |name: &str| values.get(name).and_then(|value| value["integer"].as_i64());
    let flag = |name: &str| values.get(name).and_then(|value| value["boolean"].as_bool()).unwrap_or_default();
    let moment = |name: &str| words(name).as_deref().and_then(Time::parse);
    let condition = |kind: &str| {
        let named = |index: usize| FIELDS.get(index).map(|(suffix, _)| format!("{kind}{suffix}")).unwrap_or_default();
        let status = ConditionStatus::parse(&words(&named(0))?);
        Some((kind.to_owned(), (status, words(&named(1)).unwrap_or_default(), number(&named(2)).unwrap_or_default())))
    };
    Some(Feedback {
        uid: words("uid").unwrap_or_default(),
        // Rules of somebody else may not ask for it: without it nothing can be said about an answer.
        generation: number("generation")?,
        command: words("command").unwrap_or_default(),
        replication_state: words("replicationState").unwrap_or_default(),
        observed_generation: number("observedGeneration").unwrap_or_default(),
        state: words("state").unwrap_or_default(),
        last_update: moment("lastUpdateTime"),
        last_group_sync: moment("lastGroupSyncTime"),
        last_group_sync_duration: words("lastGroupSyncDuration"),
        last_group_sync_bytes: number("lastGroupSyncBytes"),
        prepare_complete: flag("prepareForFinalSyncComplete"),
        final_sync_complete: flag("finalSyncComplete"),
        conditions: CONDITIONS.into_iter().filter_map(condition).collect(),
    })
}
