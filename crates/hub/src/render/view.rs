//! ManagedClusterViews (spec drpc 3.4, hub 9.1).

use ramen_api::{
    kinds,
    ramen::wire::{annotation, label},
};
use ramen_events::{ClusterName, hub::ViewWish};
use ramen_ports::Effect;
use serde_json::{Map, json};

use super::target;

/// A view as it should be.
pub fn apply(wish: &ViewWish) -> Effect {
    let mut annotations = Map::new();
    if let Some(drpc) = &wish.drpc {
        annotations.insert(annotation::DRPC_NAME.into(), json!(drpc.name));
        annotations.insert(annotation::DRPC_NAMESPACE.into(), json!(drpc.namespace));
    }
    if wish.for_policies {
        annotations.insert(annotation::DR_POLICY_VIEW.into(), json!(wish.cluster.0));
    }
    if wish.for_cluster {
        annotations.insert(annotation::DR_CLUSTER_NAME.into(), json!(wish.cluster.0));
    }
    let mut labels = Map::new();
    labels.insert(label::CREATED_BY_RAMEN.into(), json!(label::TRUE));
    if !wish.label.is_empty() {
        labels.insert(wish.label.clone(), json!(""));
    }
    let mut scope = Map::new();
    let fields = [
        ("apiGroup", &wish.scope.group),
        ("version", &wish.scope.version),
        ("kind", &wish.scope.kind),
        ("namespace", &wish.scope.namespace),
        ("name", &wish.scope.name),
    ];
    for (key, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        scope.insert(key.into(), json!(value));
    }
    if wish.interval > 0 {
        scope.insert("updateIntervalSeconds".into(), json!(wish.interval));
    }
    Effect::Apply {
        target: target(&kinds::MANAGED_CLUSTER_VIEW, &wish.cluster.0, &wish.name),
        body: json!({"metadata": {"labels": labels, "annotations": annotations}, "spec": {"scope": scope}}),
    }
}

/// Has the agent read again.
pub fn touch(cluster: &ClusterName, name: &str, freshness: &str) -> Effect {
    Effect::Merge {
        target: target(&kinds::MANAGED_CLUSTER_VIEW, &cluster.0, name),
        body: json!({"metadata": {"annotations": {(annotation::WANTED_FRESHNESS): freshness}}}),
    }
}
