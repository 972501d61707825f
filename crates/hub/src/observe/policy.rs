//! DRPolicy.

use ramen_events::{
    ClusterName,
    hub::{Fact, PolicyFact, PolicySpec, PolicyStatus},
};
use serde_json::Value;

use crate::{
    fields::{conditions, list, meta, text, texts, verbatim},
    vrg_spec::read_peer_class,
};

/// What a DRPolicy tells.
pub fn observe(object: &Value) -> Fact {
    let classes = |pointer: &str| list(object, pointer).iter().map(read_peer_class).collect();
    let status = object.get("status").filter(|status| status.is_object()).map(|_| PolicyStatus {
        asynchronous: classes("/status/async/peerClasses"),
        synchronous: classes("/status/sync/peerClasses"),
        conditions: conditions(object, "/status/conditions"),
    });
    Fact::Policy(Box::new(PolicyFact {
        meta: meta(object),
        spec: PolicySpec {
            clusters: texts(object, "/spec/drClusters").into_iter().map(ClusterName).collect(),
            interval: text(object, "/spec/schedulingInterval"),
            replication_class_selector: verbatim(object, "/spec/replicationClassSelector"),
            volume_snapshot_class_selector: verbatim(object, "/spec/volumeSnapshotClassSelector"),
            volume_group_snapshot_class_selector: verbatim(object, "/spec/volumeGroupSnapshotClassSelector"),
            network_mapping: text(object, "/spec/networkMappingRef/name"),
        },
        status,
    }))
}
