//! The VRG's status.

use ramen_api::kinds;
use ramen_events::{
    Condition, Time,
    spoke::{Identifier, Key, Notice, ProtectedPvc, VrgStatus},
};
use ramen_ports::Effect;
use serde_json::{Map, Value, json};

use super::namespaced;

pub fn write(vrg: &Key, uid: &str, status: &VrgStatus, notices: &[Notice]) -> Vec<Effect> {
    let target = namespaced(&kinds::VOLUME_REPLICATION_GROUP, vrg);
    let events = notices.iter().map(|notice| Effect::Event {
        regarding: target.clone(),
        uid: uid.to_owned(),
        warning: notice.warning,
        reason: notice.reason.clone(),
        message: notice.message.clone(),
    });
    // Fields that are ours and have no value are struck out.
    let body = json!({ "status": fields(status, true) });
    [Effect::MergeStatus { target: target.clone(), body }].into_iter().chain(events.clone()).collect()
}

/// The status as it stands in an object.
pub fn value(status: &VrgStatus) -> Value {
    fields(status, false)
}

fn fields(status: &VrgStatus, with_nulls: bool) -> Value {
    let flag = |set: bool| set.then_some(Value::Bool(true));
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value.or(with_nulls.then_some(Value::Null)) {
            fields.insert(name.to_owned(), value);
        }
    };
    put("state", Some(json!(status.state)));
    put("observedGeneration", Some(json!(status.observed_generation)));
    put("lastUpdateTime", status.last_update.map(time));
    put("conditions", Some(conditions(&status.conditions)));
    let pvcs = &status.pvcs;
    put("protectedPVCs", (!pvcs.is_empty()).then(|| pvcs.iter().map(protected_pvc).collect()));
    put("kubeObjectProtection", (!with_nulls).then(|| json!({})));
    put("lastGroupSyncTime", status.last_group_sync_time.map(time));
    put("lastGroupSyncDuration", status.last_group_sync_duration.clone().map(Value::String));
    put("lastGroupSyncBytes", status.last_group_sync_bytes.map(|bytes| json!(bytes)));
    put("prepareForFinalSyncComplete", flag(status.prepare_for_final_sync_complete));
    put("finalSyncComplete", flag(status.final_sync_complete));
    if with_nulls {
        // A merge of nothing: it comes into being, and what others wrote in it stays.
        fields.insert("kubeObjectProtection".to_owned(), json!({}));
    }
    fields.into()
}

fn time(time: Time) -> Value {
    json!(time.rfc3339())
}

/// Conditions as they stand in an object.
pub fn conditions(conditions: &[Condition]) -> Value {
    conditions
        .iter()
        .map(|condition| {
            let mut value = json!({
                "type": condition.kind,
                "status": condition.status.as_str(),
                "reason": condition.reason,
                "message": condition.message,
                "lastTransitionTime": condition.since.rfc3339(),
            });
            if condition.generation != 0 {
                value["observedGeneration"] = json!(condition.generation);
            }
            value
        })
        .collect()
}

fn protected_pvc(entry: &ProtectedPvc) -> Value {
    let mut value = json!({
        "name": entry.key.name,
        "namespace": entry.key.namespace,
        "conditions": conditions(&entry.conditions),
    });
    let mut put = |name: &str, field: Value, there: bool| {
        if there {
            value[name] = field;
        }
    };
    put("protectedByVolSync", json!(true), entry.by_volsync);
    put("storageClassName", json!(entry.storage_class), !entry.storage_class.is_empty());
    put("labels", json!(entry.labels), !entry.labels.is_empty());
    put("accessModes", json!(entry.access_modes), !entry.access_modes.is_empty());
    put("resources", entry.resources.value(), entry.resources.as_str() != "null");
    put("volumeMode", json!(entry.volume_mode), !entry.volume_mode.is_empty());
    put("csiProvisioner", json!(entry.provisioner), !entry.provisioner.is_empty());
    for (name, identifier) in [("storageID", &entry.storage_id), ("replicationID", &entry.replication_id)] {
        if let Some(identifier) = identifier {
            put(name, identity(identifier), true);
        }
    }
    if let Some(at) = entry.last_sync_time {
        put("lastSyncTime", time(at), true);
    }
    put("lastSyncDuration", json!(entry.last_sync_duration), entry.last_sync_duration.is_some());
    put("lastSyncBytes", json!(entry.last_sync_bytes), entry.last_sync_bytes.is_some());
    value
}

fn identity(identifier: &Identifier) -> Value {
    let mut value = json!({ "id": identifier.id });
    if !identifier.modes.is_empty() {
        value["modes"] = json!(identifier.modes);
    }
    value
}

#[cfg(test)]
mod tests {
    use ramen_events::{ConditionStatus, Fact, Json, Kind, spoke};
    use ramen_ports::Observation;

    use super::*;

    fn condition(kind: &str) -> Condition {
        Condition {
            kind: kind.into(),
            status: ConditionStatus::False,
            reason: "Progressing".into(),
            message: "waiting".into(),
            generation: 4,
            since: Time(1_700_000_000_000),
        }
    }

    fn full() -> VrgStatus {
        let entry = ProtectedPvc {
            key: Key::new("ns", "data"),
            storage_class: "sc".into(),
            labels: [("app".to_owned(), "a".to_owned())].into(),
            access_modes: vec!["ReadWriteOnce".into()],
            resources: Json::new(&json!({ "requests": { "storage": "1Gi" } })),
            volume_mode: "Filesystem".into(),
            provisioner: "d".into(),
            storage_id: Some(Identifier { id: "sid".into(), modes: vec!["Failover".into()] }),
            replication_id: Some(Identifier { id: "rid".into(), modes: Vec::new() }),
            conditions: vec![condition("DataReady")],
            last_sync_time: Some(Time(1_700_000_001_000)),
            last_sync_duration: Some("1s".into()),
            last_sync_bytes: Some(7),
            ..ProtectedPvc::default()
        };
        VrgStatus {
            state: "Unknown".into(),
            observed_generation: 4,
            last_update: Some(Time(1_700_000_002_000)),
            conditions: vec![condition("DataReady"), condition("DataProtected")],
            pvcs: vec![entry, ProtectedPvc { key: Key::new("ns", "bare"), ..ProtectedPvc::default() }],
            last_group_sync_time: Some(Time(1_700_000_001_000)),
            last_group_sync_duration: Some("1s".into()),
            last_group_sync_bytes: Some(7),
            prepare_for_final_sync_complete: true,
            final_sync_complete: true,
        }
    }

    /// What is not read back as it was written would be written for ever.
    #[test]
    fn a_status_is_read_back_as_it_was_written() {
        for status in [full(), VrgStatus { state: "Secondary".into(), ..VrgStatus::default() }] {
            let object = json!({ "metadata": { "name": "v", "namespace": "ns" }, "status": value(&status) });
            let seen = crate::observe::object(Kind::Vrg, &object, "system");
            let Some(Observation { fact: Fact::Spoke(spoke::Fact::Vrg(vrg)), .. }) = seen else { panic!("no VRG") };
            assert_eq!(vrg.status, Some(status));
        }
    }

    #[test]
    fn a_write_strikes_out_what_has_no_value_any_more() {
        let effects = write(&Key::new("ns", "v"), "uid", &VrgStatus::default(), &[]);
        let [Effect::MergeStatus { body, .. }] = effects.as_slice() else { panic!("{effects:?}") };
        for field in ["protectedPVCs", "lastGroupSyncTime", "prepareForFinalSyncComplete", "finalSyncComplete"] {
            assert_eq!(body["status"].get(field), Some(&Value::Null), "{field}");
        }
    }
}
