//! `spec` of a VRG, in both directions: what the hub decides as fields, the rest as it stands.

use ramen_events::{
    Json,
    hub::{AsyncSpec, PeerClass, VrgSpec},
};
use serde_json::{Map, Value, json};

use crate::fields::{flag, list, text, texts, verbatim};

/// Reads it. Fields that are no part of [`VrgSpec`] go into its rest.
pub fn read(spec: &Value) -> VrgSpec {
    let known = [
        "replicationState",
        "action",
        "pvcSelector",
        "s3Profiles",
        "async",
        "prepareForFinalSync",
        "runFinalSync",
        "dryRun",
        "protectedNamespaces",
        "kubeObjectProtection",
    ];
    let fields = spec.as_object().into_iter().flatten().filter(|(key, _)| !known.contains(&key.as_str()));
    let rest: Map<String, Value> = fields.map(|(key, value)| (key.clone(), value.clone())).collect();
    VrgSpec {
        state: text(spec, "/replicationState"),
        action: text(spec, "/action"),
        pvc_selector: verbatim(spec, "/pvcSelector"),
        s3_profiles: texts(spec, "/s3Profiles"),
        asynchronous: spec.get("async").filter(|value| value.is_object()).map(read_async),
        prepare_for_final_sync: flag(spec, "/prepareForFinalSync"),
        run_final_sync: flag(spec, "/runFinalSync"),
        dry_run: flag(spec, "/dryRun"),
        protected_namespaces: texts(spec, "/protectedNamespaces"),
        kube_object_protection: verbatim(spec, "/kubeObjectProtection"),
        rest: Json::new(&Value::Object(rest)),
    }
}

fn read_async(value: &Value) -> AsyncSpec {
    AsyncSpec {
        interval: text(value, "/schedulingInterval"),
        replication_class_selector: verbatim(value, "/replicationClassSelector"),
        volume_snapshot_class_selector: verbatim(value, "/volumeSnapshotClassSelector"),
        volume_group_snapshot_class_selector: verbatim(value, "/volumeGroupSnapshotClassSelector"),
        peer_classes: list(value, "/peerClasses").iter().map(read_peer_class).collect(),
    }
}

/// Reads a peer class, of a VRG or of a policy.
pub fn read_peer_class(value: &Value) -> PeerClass {
    PeerClass {
        storage_class: text(value, "/storageClassName"),
        cluster_ids: texts(value, "/clusterIDs"),
        storage_ids: texts(value, "/storageID"),
        replication_id: text(value, "/replicationID"),
        group_replication_id: text(value, "/groupreplicationID"),
        grouping: flag(value, "/grouping"),
        offloaded: flag(value, "/offloaded"),
        global: flag(value, "/global"),
    }
}

/// Writes it. What is empty or false is left out, as Ramen does.
pub fn write(spec: &VrgSpec) -> Value {
    let mut fields = match spec.rest.value() {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let mut put = |key: &str, value: Value| {
        if !is_empty(&value) {
            fields.insert(key.to_owned(), value);
        }
    };
    put("replicationState", json!(spec.state));
    put("action", json!(spec.action));
    put("s3Profiles", json!(spec.s3_profiles));
    put("prepareForFinalSync", json!(spec.prepare_for_final_sync));
    put("runFinalSync", json!(spec.run_final_sync));
    put("dryRun", json!(spec.dry_run));
    put("protectedNamespaces", json!(spec.protected_namespaces));
    put("kubeObjectProtection", spec.kube_object_protection.value());
    fields.insert("pvcSelector".into(), spec.pvc_selector.value());
    if let Some(asynchronous) = &spec.asynchronous {
        fields.insert("async".into(), write_async(asynchronous));
    }
    Value::Object(fields)
}

fn write_async(spec: &AsyncSpec) -> Value {
    let mut value = json!({
        "replicationClassSelector": spec.replication_class_selector.value(),
        "volumeSnapshotClassSelector": spec.volume_snapshot_class_selector.value(),
        "schedulingInterval": spec.interval,
    });
    let groups = spec.volume_group_snapshot_class_selector.value();
    if !groups.is_null() {
        value["volumeGroupSnapshotClassSelector"] = groups;
    }
    if !spec.peer_classes.is_empty() {
        value["peerClasses"] = spec.peer_classes.iter().map(write_peer_class).collect();
    }
    value
}

/// Writes a peer class, of a VRG or of a policy.
pub fn write_peer_class(class: &PeerClass) -> Value {
    let fields = [
        ("storageClassName", json!(class.storage_class)),
        ("clusterIDs", json!(class.cluster_ids)),
        ("storageID", json!(class.storage_ids)),
        ("replicationID", json!(class.replication_id)),
        ("groupreplicationID", json!(class.group_replication_id)),
        ("grouping", json!(class.grouping)),
        ("offloaded", json!(class.offloaded)),
        ("global", json!(class.global)),
    ];
    let filled = fields.into_iter().filter(|(_, value)| !is_empty(value));
    filled.map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>().into()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}
