//! ManagedClusterView: what it looks at, and what its agent answers (spec drpc 3.4).

use ramen_api::path::At as _;
use ramen_api::{
    kinds,
    ramen::wire::{annotation, condition, reason},
};
use ramen_events::{
    ClusterName, ConditionStatus, Json,
    hub::{ClassSeen, ClusterConfigSeen, Fact, ModeSeen, ViewAnswer, ViewFact, ViewedObject},
};
use serde_json::Value;

use crate::fields::{conditions, deleting, drpc, list, map, number, text, texts, verbatim};

use super::vrg;

/// Ends of messages that say that an object is not there.
const NOT_FOUND: [&str; 2] = ["not found", "the server could not find the requested resource"];

/// What a ManagedClusterView tells.
pub fn observe(object: &Value) -> Fact {
    let annotations = map(object, "/metadata/annotations");
    let told = conditions(object, "/status/conditions");
    let processing = told.iter().find(|condition| condition.kind == condition::PROCESSING);
    let answer = match processing {
        None => ViewAnswer::Silent,
        Some(told) if told.status == ConditionStatus::True => shown(object),
        Some(told)
            if told.reason == reason::GET_RESOURCE_FAILED
                && NOT_FOUND.iter().any(|end| told.message.ends_with(end)) =>
        {
            ViewAnswer::NotFound
        }
        Some(told) => {
            let message = told.message.rsplit("err:").next().unwrap_or_default().trim().to_owned();
            ViewAnswer::Failed { reason: told.reason.clone(), message }
        }
    };
    Fact::View(Box::new(ViewFact {
        cluster: ClusterName(text(object, "/metadata/namespace")),
        name: text(object, "/metadata/name"),
        uid: text(object, "/metadata/uid"),
        deleting: deleting(object),
        drpc: drpc(object),
        for_policies: annotations.contains_key(annotation::DR_POLICY_VIEW),
        dr_cluster: annotations.get(annotation::DR_CLUSTER_NAME).cloned().unwrap_or_default(),
        scope_group: text(object, "/spec/scope/apiGroup"),
        scope_kind: text(object, "/spec/scope/kind"),
        scope_name: text(object, "/spec/scope/name"),
        interval: number(object, "/spec/scope/updateIntervalSeconds"),
        touched: annotations.get(annotation::WANTED_FRESHNESS).cloned().unwrap_or_default(),
        answer,
        flipped: processing.map(|told| told.since),
    }))
}

/// What the view shows. The agent leaves the former object standing until it has read what a changed scope names. Some
/// agents show objects of built-in kinds without saying what they are: then it is what was asked for.
fn shown(view: &Value) -> ViewAnswer {
    let object = view.at("/status/result").unwrap_or(&Value::Null);
    let scope = |field: &str| text(view, &format!("/spec/scope/{field}"));
    let api_version = text(object, "/apiVersion");
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let kind = text(object, "/kind");
    let untold = kind.is_empty() && api_version.is_empty();
    let same = (untold || (group == scope("apiGroup") && kind == scope("kind")))
        && text(object, "/metadata/namespace") == scope("namespace")
        && text(object, "/metadata/name") == scope("name");
    if same {
        return ViewAnswer::Found(result(&scope("kind"), object));
    }
    let message = "the view does not show the object that it is asked for yet".to_owned();
    ViewAnswer::Failed { reason: "OutOfScope".to_owned(), message }
}

fn result(kind: &str, object: &Value) -> ViewedObject {
    if kind == kinds::VOLUME_REPLICATION_GROUP.kind {
        ViewedObject::Vrg(Box::new(vrg::seen(object)))
    } else if kind == kinds::DR_CLUSTER_CONFIG.kind {
        ViewedObject::ClusterConfig(cluster_config(object))
    } else if kind.ends_with("Class") {
        ViewedObject::Class(class(object))
    } else if kind == kinds::MAINTENANCE_MODE.kind {
        ViewedObject::MaintenanceMode(Box::new(mode(object)))
    } else {
        ViewedObject::Other
    }
}

fn mode(object: &Value) -> ModeSeen {
    ModeSeen {
        generation: number(object, "/metadata/generation"),
        deleting: deleting(object),
        command: map(object, "/metadata/annotations").remove(annotation::HUB_COMMAND).unwrap_or_default(),
        provisioner: text(object, "/spec/storageProvisioner"),
        target: text(object, "/spec/targetID"),
        state: text(object, "/status/state"),
        observed_generation: number(object, "/status/observedGeneration"),
        conditions: verbatim(object, "/status/conditions"),
    }
}

fn cluster_config(object: &Value) -> ClusterConfigSeen {
    let told = conditions(object, "/status/conditions");
    let processed = told.iter().find(|condition| condition.kind == condition::PROCESSED);
    let generation = number(object, "/metadata/generation");
    let details = list(object, "/status/storageAccessDetails");
    let mut cidrs: Vec<String> = details.iter().flat_map(|detail| texts(detail, "/cidrs")).collect();
    cidrs.sort();
    cidrs.dedup();
    ClusterConfigSeen {
        processed: processed.is_some_and(|condition| condition.is_true_at(generation)),
        message: processed.map(|condition| condition.message.clone()).unwrap_or_default(),
        storage_classes: texts(object, "/status/storageClasses"),
        snapshot_classes: texts(object, "/status/volumeSnapshotClasses"),
        group_snapshot_classes: texts(object, "/status/volumeGroupSnapshotClasses"),
        replication_classes: texts(object, "/status/volumeReplicationClasses"),
        group_replication_classes: texts(object, "/status/volumeGroupReplicationClasses"),
        cidrs,
        has_access_details: !details.is_empty(),
    }
}

/// A class. Provisioner and parameters stand at the top of some kinds and in the spec of others; snapshot classes call
/// the provisioner a driver. Of replication classes all labels are kept: a policy selects by them.
fn class(object: &Value) -> ClassSeen {
    let first =
        |pointers: &[&str]| pointers.iter().map(|p| text(object, p)).find(|t| !t.is_empty()).unwrap_or_default();
    let parameters = object.at("/spec/parameters").or_else(|| object.at("/parameters"));
    let selected = text(object, "/kind").ends_with("ReplicationClass");
    let labels = map(object, "/metadata/labels").into_iter();
    let labels = labels.filter(|(key, _)| selected || key.starts_with("ramendr.openshift.io/"));
    ClassSeen {
        provisioner: first(&["/provisioner", "/spec/provisioner", "/driver", "/spec/driver"]),
        labels: labels.collect(),
        parameters: parameters.map(Json::new).unwrap_or_default(),
    }
}
