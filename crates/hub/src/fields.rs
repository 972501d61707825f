//! Reads what only the hub reads of objects; the rest is in [`ramen_ports::fields`].

use ramen_api::path::At as _;
use ramen_api::ramen::wire::{annotation, label};
use ramen_events::{
    Json,
    hub::{Meta, ObjectRef},
};
use serde_json::Value;

pub use ramen_ports::fields::*;

/// A piece that is passed on as it stands; absence is null.
pub fn verbatim(object: &Value, pointer: &str) -> Json {
    object.at(pointer).map(Json::new).unwrap_or_default()
}

/// Whether a label or annotation is one that we read or write. Others change for reasons that are not ours.
fn is_ours(key: &str) -> bool {
    key.contains("ramendr.openshift.io/")
        || [label::BACKUP, label::EXCLUDE_FROM_BACKUP, label::PLACEMENT, annotation::SCHEDULING_DISABLED].contains(&key)
}

/// The part of the metadata that decisions need.
pub fn meta(object: &Value) -> Meta {
    let ours = |pointer| map(object, pointer).into_iter().filter(|(key, _)| is_ours(key)).collect();
    Meta {
        namespace: text(object, "/metadata/namespace"),
        name: text(object, "/metadata/name"),
        uid: text(object, "/metadata/uid"),
        generation: number(object, "/metadata/generation"),
        created: time(object, "/metadata/creationTimestamp").unwrap_or_default(),
        deleting: time(object, "/metadata/deletionTimestamp"),
        labels: ours("/metadata/labels"),
        annotations: ours("/metadata/annotations"),
        finalizers: texts(object, "/metadata/finalizers"),
        owners: list(object, "/metadata/ownerReferences").iter().map(Json::new).collect(),
    }
}

/// The DRPC that annotations name.
pub fn drpc(object: &Value) -> Option<ObjectRef> {
    let annotations = map(object, "/metadata/annotations");
    let of = |key: &str| annotations.get(key).filter(|value| !value.is_empty()).cloned();
    Some(ObjectRef::new(of(annotation::DRPC_NAMESPACE)?, of(annotation::DRPC_NAME)?))
}
