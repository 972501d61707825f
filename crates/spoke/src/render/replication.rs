//! VolumeReplications (spec vrg 3.4.1).

use ramen_api::{
    kinds,
    ramen::wire::{label, state::ReplicationState},
};
use ramen_events::spoke::{Key, Role};
use ramen_ports::Effect;
use serde_json::json;

use super::namespaced;

pub fn apply(pvc: &Key, owner: &Key, owner_uid: &str, class: &str, role: Role, auto_resync: bool) -> Effect {
    let role = match role {
        Role::Primary => ReplicationState::Primary,
        Role::Secondary => ReplicationState::Secondary,
    };
    let vrg = &kinds::VOLUME_REPLICATION_GROUP;
    Effect::Apply {
        target: namespaced(&kinds::VOLUME_REPLICATION, pvc),
        body: json!({
            "metadata": {
                "labels": {
                    label::CREATED_BY_RAMEN: label::TRUE,
                    label::OWNER_NAMESPACE: owner.namespace,
                    label::OWNER_NAME: owner.name,
                },
                "ownerReferences": [{
                    "apiVersion": vrg.api_version(),
                    "kind": vrg.kind,
                    "name": owner.name,
                    "uid": owner_uid,
                    "controller": true,
                    "blockOwnerDeletion": true,
                }],
            },
            "spec": {
                "autoResync": auto_resync,
                "dataSource": { "apiGroup": "", "kind": kinds::PERSISTENT_VOLUME_CLAIM.kind, "name": pvc.name },
                "replicationHandle": "",
                "replicationState": role.as_str(),
                "volumeReplicationClass": class,
            },
        }),
    }
}

pub fn delete(key: &Key, uid: &str) -> Effect {
    Effect::Delete { target: namespaced(&kinds::VOLUME_REPLICATION, key), uid: Some(uid.to_owned()) }
}
