//! The VRG: what is asked for, and what we answered last.

use ramen_api::path::At as _;
use ramen_api::ramen::wire::annotation;
use ramen_events::{
    BlobId, Cause, ClusterName, CommandId, Fact, Json,
    spoke::{
        self, Fence, Identifier, Key, PeerClass, ProtectedPvc, Role, Vrg, VrgSpec, VrgStatus,
        vrg::{Expression, Selector},
    },
};
use ramen_ports::Observation;
use serde_json::Value;

use super::{bytes, stored_form};
use crate::fields::{annotation, conditions, deleting, filled, flag, key, list, map, number, text, texts, time};

/// Fields that ask for something that is not supported yet. An empty or absent value asks for nothing.
const UNSUPPORTED: &[&str] =
    &["/spec/sync", "/spec/kubeObjectProtection", "/spec/volSync/rdSpec", "/spec/staticIPTranslationSpec"];

pub fn observe(object: &Value) -> Observation {
    let mut body = stored_form(object);
    if let Some(fields) = body.as_object_mut() {
        for field in ["status", "apiVersion", "kind"] {
            fields.remove(field);
        }
    }
    let body = bytes(&body);
    let vrg = Vrg {
        key: key(object),
        uid: text(object, "/metadata/uid"),
        generation: number(object, "/metadata/generation"),
        resource_version: text(object, "/metadata/resourceVersion"),
        deleting: deleting(object),
        finalizers: texts(object, "/metadata/finalizers"),
        drpc_uid: annotation(object, annotation::DRPC_UID),
        test_failover: annotation(object, annotation::TEST_FAILOVER),
        force_volsync: annotation(object, annotation::USE_VOLSYNC) == annotation::TRUE,
        spec: spec(object),
        status: object.at("/status").filter(|status| status.get("state").is_some()).map(status),
        body: BlobId::of(&body),
    };
    let vrg = Box::new(vrg);
    let cluster = annotation(object, annotation::DESTINATION_CLUSTER);
    let fence = Fence { epoch: epoch(object), cluster, drpc_uid: vrg.drpc_uid.clone() };
    let fact = match (fence.epoch, fence.cluster.as_str()) {
        (0, "") => spoke::Fact::Vrg(vrg),
        _ => spoke::Fact::FencedVrg { vrg, fence },
    };
    Observation { fact: Fact::Spoke(fact), blobs: vec![body], cause: cause(object) }
}

/// The epoch that a VRG was given; 0 when none was, or none that can be read: it never blocks for being missing.
pub fn epoch(object: &Value) -> u64 {
    annotation(object, annotation::STORE_EPOCH).parse().unwrap_or_default()
}

fn cause(object: &Value) -> Cause {
    match annotation(object, annotation::HUB_COMMAND).parse() {
        Ok(id) => Cause::Remote { cluster: ClusterName::from("hub"), command: CommandId(id) },
        Err(_) => Cause::Outside,
    }
}

fn spec(object: &Value) -> VrgSpec {
    let role_text = text(object, "/spec/replicationState");
    let asked =
        |pointer: &&&str| object.at(pointer).is_some_and(|value| !value.is_null() && *value != serde_json::json!({}));
    VrgSpec {
        role: Role::parse(&role_text),
        role_text,
        action: text(object, "/spec/action"),
        interval: object.at("/spec/async").map(|_| text(object, "/spec/async/schedulingInterval")),
        class_labels: map(object, "/spec/async/replicationClassSelector/matchLabels"),
        peer_classes: list(object, "/spec/async/peerClasses").iter().map(peer_class).collect(),
        selector: selector(object.at("/spec/pvcSelector").unwrap_or(&Value::Null)),
        s3_profiles: texts(object, "/spec/s3Profiles"),
        prepare_for_final_sync: flag(object, "/spec/prepareForFinalSync"),
        run_final_sync: flag(object, "/spec/runFinalSync"),
        dry_run: flag(object, "/spec/dryRun"),
        protected_namespaces: texts(object, "/spec/protectedNamespaces"),
        unsupported: UNSUPPORTED
            .iter()
            .filter(asked)
            .map(|pointer| {
                let name = pointer.trim_start_matches('/').replace('/', ".");
                (name, object.at(pointer).map(Value::to_string).unwrap_or_default())
            })
            .collect(),
    }
}

fn selector(value: &Value) -> Selector {
    Selector {
        labels: map(value, "/matchLabels"),
        expressions: list(value, "/matchExpressions")
            .iter()
            .map(|expression| Expression {
                key: text(expression, "/key"),
                operator: text(expression, "/operator"),
                values: texts(expression, "/values"),
            })
            .collect(),
    }
}

fn peer_class(value: &Value) -> PeerClass {
    PeerClass {
        storage_class: text(value, "/storageClassName"),
        storage_ids: texts(value, "/storageID"),
        replication_id: text(value, "/replicationID"),
        group_replication_id: text(value, "/groupreplicationID"),
        grouping: flag(value, "/grouping"),
        offloaded: flag(value, "/offloaded"),
        global: flag(value, "/global"),
    }
}

fn status(status: &Value) -> VrgStatus {
    VrgStatus {
        state: text(status, "/state"),
        observed_generation: number(status, "/observedGeneration"),
        last_update: time(status, "/lastUpdateTime"),
        conditions: conditions(status, "/conditions"),
        pvcs: list(status, "/protectedPVCs").iter().map(protected_pvc).collect(),
        last_group_sync_time: time(status, "/lastGroupSyncTime"),
        last_group_sync_duration: filled(status, "/lastGroupSyncDuration"),
        last_group_sync_bytes: status.at("/lastGroupSyncBytes").and_then(Value::as_i64),
        prepare_for_final_sync_complete: flag(status, "/prepareForFinalSyncComplete"),
        final_sync_complete: flag(status, "/finalSyncComplete"),
    }
}

fn protected_pvc(entry: &Value) -> ProtectedPvc {
    ProtectedPvc {
        key: Key::new(text(entry, "/namespace"), text(entry, "/name")),
        by_volsync: flag(entry, "/protectedByVolSync"),
        storage_class: text(entry, "/storageClassName"),
        labels: map(entry, "/labels"),
        access_modes: texts(entry, "/accessModes"),
        resources: Json::new(entry.at("/resources").unwrap_or(&Value::Null)),
        volume_mode: text(entry, "/volumeMode"),
        provisioner: text(entry, "/csiProvisioner"),
        storage_id: identifier(entry, "/storageID"),
        replication_id: identifier(entry, "/replicationID"),
        conditions: conditions(entry, "/conditions"),
        last_sync_time: time(entry, "/lastSyncTime"),
        last_sync_duration: filled(entry, "/lastSyncDuration"),
        last_sync_bytes: entry.at("/lastSyncBytes").and_then(Value::as_i64),
    }
}

fn identifier(entry: &Value, pointer: &str) -> Option<Identifier> {
    let value = entry.at(pointer)?;
    Some(Identifier { id: text(value, "/id"), modes: texts(value, "/modes") })
}
