//! What the work agent reads back of a VRG, and how it is asked to.
//!
//! Works of Ramen carry no feedback rules: the hub learns from views, which a cluster refreshes twice a minute. With
//! these rules it learns within a second, at no further cost.

use ramen_api::ramen::wire::condition;
use serde_json::{Value, json};

/// Names of values and where they are read. Names are our own; both ends are in this crate.
pub const VALUES: [(&str, &str); 12] = [
    ("uid", ".metadata.uid"),
    ("generation", ".metadata.generation"),
    ("command", r".metadata.annotations.drplacementcontrol\.ramendr\.openshift\.io/hub-command"),
    ("replicationState", ".spec.replicationState"),
    ("observedGeneration", ".status.observedGeneration"),
    ("state", ".status.state"),
    ("lastUpdateTime", ".status.lastUpdateTime"),
    ("lastGroupSyncTime", ".status.lastGroupSyncTime"),
    ("lastGroupSyncDuration", ".status.lastGroupSyncDuration"),
    ("lastGroupSyncBytes", ".status.lastGroupSyncBytes"),
    ("prepareForFinalSyncComplete", ".status.prepareForFinalSyncComplete"),
    ("finalSyncComplete", ".status.finalSyncComplete"),
];

/// Conditions of which status, reason and generation are read: those that some decision or `Protected` looks at.
pub const CONDITIONS: [&str; 7] = [
    condition::DATA_READY,
    condition::DATA_PROTECTED,
    condition::CLUSTER_DATA_READY,
    condition::CLUSTER_DATA_PROTECTED,
    condition::NO_CLUSTER_DATA_CONFLICT,
    condition::HOOKS_READY,
    condition::DESTINATION_INFO_AVAILABLE,
];

/// Fields of a condition, with the suffix of their values' names.
pub const FIELDS: [(&str, &str); 3] = [("", "status"), ("Reason", "reason"), ("Generation", "observedGeneration")];

/// The rules, as they stand in a work.
pub fn rules() -> Value {
    let values = VALUES.iter().map(|(name, path)| json!({"name": name, "path": path}));
    let of_conditions = CONDITIONS.iter().flat_map(|kind| {
        FIELDS.iter().map(move |(suffix, field)| {
            let path = format!(r#".status.conditions[?(@.type=="{kind}")].{field}"#);
            json!({"name": format!("{kind}{suffix}"), "path": path})
        })
    });
    json!([{"type": "JSONPaths", "jsonPaths": values.chain(of_conditions).collect::<Vec<_>>()}])
}
