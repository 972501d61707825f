//! The kinds that the hub operator watches.

use ramen_api::{kinds, ramen::wire::label};
use ramen_events::Kind;
use ramen_ports::Watch;

/// One row a kind. Secrets and ConfigMaps are watched in the operator's own namespace only; works and views only where
/// they are ours.
pub fn table(namespace: &str) -> Vec<Watch> {
    let ours = || format!("{}={}", label::CREATED_BY_RAMEN, label::TRUE);
    vec![
        Watch::all(Kind::ConfigMap, &kinds::CONFIG_MAP).in_namespace(namespace),
        Watch::all(Kind::Secret, &kinds::SECRET).in_namespace(namespace),
        Watch::all(Kind::Drpc, &kinds::DR_PLACEMENT_CONTROL),
        Watch::all(Kind::DrPolicy, &kinds::DR_POLICY),
        Watch::all(Kind::DrCluster, &kinds::DR_CLUSTER),
        Watch::all(Kind::ManagedCluster, &kinds::MANAGED_CLUSTER),
        Watch::all(Kind::Placement, &kinds::PLACEMENT),
        Watch::all(Kind::PlacementDecision, &kinds::PLACEMENT_DECISION).labelled(label::PLACEMENT),
        Watch::all(Kind::ManifestWork, &kinds::MANIFEST_WORK).labelled(ours()),
        Watch::all(Kind::ManagedClusterView, &kinds::MANAGED_CLUSTER_VIEW).labelled(ours()),
        Watch::all(Kind::PlacementRule, &kinds::PLACEMENT_RULE).optional(),
        Watch::all(Kind::ApplicationSet, &kinds::APPLICATION_SET).optional(),
    ]
}
