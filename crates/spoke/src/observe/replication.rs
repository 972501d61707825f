//! VolumeReplications.

use ramen_api::ramen::wire::label;
use ramen_events::{
    Condition, Time,
    spoke::{Fact, Key, Role, VolumeReplication},
};
use serde_json::Value;

use crate::fields::{conditions, deleting, filled, flag, key, map, number, text, time};

pub fn observe(object: &Value) -> Fact {
    let labels = map(object, "/metadata/labels");
    let owner = labels
        .get(label::OWNER_NAMESPACE)
        .zip(labels.get(label::OWNER_NAME))
        .map(|(namespace, name)| Key::new(namespace, name));
    Fact::VolumeReplication(Box::new(VolumeReplication {
        key: key(object),
        uid: text(object, "/metadata/uid"),
        generation: number(object, "/metadata/generation"),
        deleting: deleting(object),
        owner,
        role: Role::parse(&text(object, "/spec/replicationState")),
        auto_resync: flag(object, "/spec/autoResync"),
        class: text(object, "/spec/volumeReplicationClass"),
        claim: text(object, "/spec/dataSource/name"),
        observed_generation: number(object, "/status/observedGeneration"),
        state: text(object, "/status/state"),
        message: text(object, "/status/message"),
        conditions: conditions(object, "/status/conditions")
            .into_iter()
            .map(|condition| Condition { since: Time::default(), ..condition })
            .collect(),
        last_sync_time: time(object, "/status/lastSyncTime"),
        last_sync_duration: filled(object, "/status/lastSyncDuration"),
        last_sync_bytes: object.pointer("/status/lastSyncBytes").and_then(Value::as_i64),
        destination_handle: text(object, "/status/destinationVolumeID"),
    }))
}
