//! Columns of `kubectl get` for built-in kinds.

use serde_json::{Value, json};

use super::kinds::TypeRef;
use super::object;
use super::table::{age, definition};
use crate::time::Time;

/// One column: heading, priority, and what it shows.
type Cell = fn(&Value, Time) -> String;
type Row = (&'static str, i64, Cell);

const NONE: &str = "<none>";
const AGE: Row = ("Age", 0, |object, now| age(object::meta_text(object, "creationTimestamp"), now));

fn text(object: &Value, pointer: &str) -> String {
    match object.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn or_none(object: &Value, pointer: &str) -> String {
    let found = text(object, pointer);
    if found.is_empty() { NONE.to_owned() } else { found }
}

fn size(object: &Value, pointer: &str) -> String {
    let found = object.pointer(pointer);
    found
        .map_or(0, |value| value.as_object().map_or_else(|| value.as_array().map_or(0, Vec::len), serde_json::Map::len))
        .to_string()
}

fn phase(object: &Value) -> String {
    if object::is_deleting(object) { "Terminating".to_owned() } else { text(object, "/status/phase") }
}

fn modes(object: &Value) -> String {
    let list = object.pointer("/status/accessModes").or_else(|| object.pointer("/spec/accessModes"));
    let short = |mode: &str| match mode {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "?",
    };
    let list = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    list.map(short).collect::<Vec<_>>().join(",")
}

fn ready_containers(object: &Value, _: Time) -> String {
    let all = size(object, "/spec/containers");
    let statuses = object.pointer("/status/containerStatuses").and_then(Value::as_array);
    let ready = match statuses {
        Some(list) => list.iter().filter(|status| status["ready"] == true).count().to_string(),
        None if text(object, "/status/phase") == "Running" => all.clone(),
        None => "0".to_owned(),
    };
    format!("{ready}/{all}")
}

fn restarts(object: &Value, _: Time) -> String {
    let statuses = object.pointer("/status/containerStatuses").and_then(Value::as_array).into_iter().flatten();
    statuses.filter_map(|status| status["restartCount"].as_u64()).sum::<u64>().to_string()
}

fn claim(object: &Value, _: Time) -> String {
    let name = text(object, "/spec/claimRef/name");
    if name.is_empty() { name } else { format!("{}/{name}", text(object, "/spec/claimRef/namespace")) }
}

fn event_object(object: &Value, _: Time) -> String {
    let side = if object.get("regarding").is_some() { "/regarding" } else { "/involvedObject" };
    format!("{}/{}", text(object, &format!("{side}/kind")).to_lowercase(), text(object, &format!("{side}/name")))
}

fn last_seen(object: &Value, now: Time) -> String {
    let places = [
        "/lastTimestamp",
        "/deprecatedLastTimestamp",
        "/series/lastObservedTime",
        "/eventTime",
        "/metadata/creationTimestamp",
    ];
    let seen = places.iter().map(|place| text(object, place)).find(|moment| !moment.is_empty());
    age(&seen.unwrap_or_default(), now)
}

fn node_status(object: &Value, _: Time) -> String {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let ready = conditions.into_iter().find(|condition| condition["type"] == "Ready");
    match ready.map(|condition| condition["status"] == "True") {
        Some(true) => "Ready",
        Some(false) => "NotReady",
        None => "Unknown",
    }
    .to_owned()
}

const NAMESPACES: &[Row] = &[("Status", 0, |object, _| phase(object)), AGE];
const NODES: &[Row] = &[
    ("Status", 0, node_status),
    ("Roles", 0, |_, _| NONE.to_owned()),
    AGE,
    ("Version", 0, |object, _| text(object, "/status/nodeInfo/kubeletVersion")),
];
const PODS: &[Row] = &[
    ("Ready", 0, ready_containers),
    ("Status", 0, |object, _| phase(object)),
    ("Restarts", 0, restarts),
    AGE,
    ("IP", 1, |object, _| or_none(object, "/status/podIP")),
    ("Node", 1, |object, _| or_none(object, "/spec/nodeName")),
];
const CLAIMS: &[Row] = &[
    ("Status", 0, |object, _| phase(object)),
    ("Volume", 0, |object, _| text(object, "/spec/volumeName")),
    ("Capacity", 0, |object, _| text(object, "/status/capacity/storage")),
    ("Access Modes", 0, |object, _| modes(object)),
    ("StorageClass", 0, |object, _| text(object, "/spec/storageClassName")),
    ("VolumeAttributesClass", 0, |_, _| "<unset>".to_owned()),
    AGE,
    ("VolumeMode", 1, |object, _| text(object, "/spec/volumeMode")),
];
const VOLUMES: &[Row] = &[
    ("Capacity", 0, |object, _| text(object, "/spec/capacity/storage")),
    ("Access Modes", 0, |object, _| modes(object)),
    ("Reclaim Policy", 0, |object, _| text(object, "/spec/persistentVolumeReclaimPolicy")),
    ("Status", 0, |object, _| phase(object)),
    ("Claim", 0, claim),
    ("StorageClass", 0, |object, _| text(object, "/spec/storageClassName")),
    ("VolumeAttributesClass", 0, |_, _| "<unset>".to_owned()),
    ("Reason", 0, |object, _| text(object, "/status/reason")),
    AGE,
    ("VolumeMode", 1, |object, _| text(object, "/spec/volumeMode")),
];
const CONFIG_MAPS: &[Row] = &[("Data", 0, |object, _| size(object, "/data")), AGE];
const SECRETS: &[Row] =
    &[("Type", 0, |object, _| text(object, "/type")), ("Data", 0, |object, _| size(object, "/data")), AGE];
const EVENTS: &[Row] = &[
    ("Last Seen", 0, last_seen),
    ("Type", 0, |object, _| text(object, "/type")),
    ("Reason", 0, |object, _| text(object, "/reason")),
    ("Object", 0, event_object),
    ("Message", 0, |object, _| {
        let core = text(object, "/message");
        if core.is_empty() { text(object, "/note") } else { core }
    }),
];
const SERVICES: &[Row] = &[
    ("Type", 0, |object, _| text(object, "/spec/type")),
    ("Cluster-IP", 0, |object, _| or_none(object, "/spec/clusterIP")),
    ("External-IP", 0, |_, _| NONE.to_owned()),
    AGE,
];
const CLASSES: &[Row] = &[
    ("Provisioner", 0, |object, _| text(object, "/provisioner")),
    ("ReclaimPolicy", 0, |object, _| text(object, "/reclaimPolicy")),
    ("VolumeBindingMode", 0, |object, _| text(object, "/volumeBindingMode")),
    ("AllowVolumeExpansion", 0, |object, _| (object["allowVolumeExpansion"] == true).to_string()),
    AGE,
];
const ATTACHMENTS: &[Row] = &[
    ("Attacher", 0, |object, _| text(object, "/spec/attacher")),
    ("PV", 0, |object, _| text(object, "/spec/source/persistentVolumeName")),
    ("Node", 0, |object, _| text(object, "/spec/nodeName")),
    ("Attached", 0, |object, _| text(object, "/status/attached")),
    AGE,
];
const LEASES: &[Row] = &[("Holder", 0, |object, _| text(object, "/spec/holderIdentity")), AGE];
const DEFINITIONS: &[Row] = &[("Created At", 0, |object, _| object::meta_text(object, "creationTimestamp").to_owned())];
const REPLICATED: &[Row] = &[
    ("Ready", 0, |object, _| {
        let count = |pointer: &str| object.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        format!("{}/{}", count("/status/readyReplicas"), count("/spec/replicas"))
    }),
    AGE,
];
const PLAIN: &[Row] = &[AGE];

/// Column definitions and cells of objects of a built-in kind.
#[must_use]
pub fn table(kind: &TypeRef, objects: &[&Value], now: Time) -> (Vec<Value>, Vec<Vec<Value>>) {
    let (rows, is_event) = match kind.kind.plural.as_str() {
        "namespaces" => (NAMESPACES, false),
        "nodes" => (NODES, false),
        "pods" => (PODS, false),
        "persistentvolumeclaims" => (CLAIMS, false),
        "persistentvolumes" => (VOLUMES, false),
        "configmaps" => (CONFIG_MAPS, false),
        "secrets" => (SECRETS, false),
        "events" => (EVENTS, true),
        "services" => (SERVICES, false),
        "storageclasses" => (CLASSES, false),
        "volumeattachments" => (ATTACHMENTS, false),
        "leases" => (LEASES, false),
        "customresourcedefinitions" => (DEFINITIONS, false),
        "deployments" | "statefulsets" | "replicasets" => (REPLICATED, false),
        _ => (PLAIN, false),
    };
    let name = definition("Name", "string", "name", "Name of the object", i64::from(is_event));
    let mut definitions: Vec<Value> =
        rows.iter().map(|(name, priority, _)| definition(name, "string", "", "", *priority)).collect();
    // Events are told by what they say; their names are for machines.
    definitions.insert(if is_event { definitions.len() } else { 0 }, name);
    let cells = objects.iter().map(|object| {
        let mut cells: Vec<Value> = rows.iter().map(|(_, _, cell)| json!(cell(object, now))).collect();
        cells.insert(if is_event { cells.len() } else { 0 }, json!(object::name(object)));
        cells
    });
    let cells = cells.collect();
    (definitions, cells)
}
