//! What the hub asks of the clusters: where each application is placed, and which VRG each work carries.

use ramen_api::{path::At as _, ramen::wire};
use ramen_sim::kinds;
use serde_json::Value;

use super::{all, text};
use crate::universe::{HUB, Universe};

/// The VRG that a ManifestWork carries.
pub(super) fn vrg_of(work: &Value) -> Option<&Value> {
    work.at("/spec/workload/manifests")?
        .as_array()?
        .iter()
        .find(|manifest| manifest["kind"] == "VolumeReplicationGroup")
}

/// Where an application is placed, those places among them that only stay until their cluster has accepted that it lost a
/// failover: taking them away would delete what is there.
pub(super) fn decided(universe: &Universe, app: &str) -> Vec<String> {
    entries(universe, app).into_iter().map(|(cluster, _)| cluster).collect()
}

/// Where an application is to run.
pub(super) fn homes(universe: &Universe, app: &str) -> Vec<String> {
    let runs = |(cluster, reason): (String, String)| (reason != wire::RETAINED_FOR_FAILOVER).then_some(cluster);
    entries(universe, app).into_iter().filter_map(runs).collect()
}

/// What the placement decisions of an application name: clusters, and why.
fn entries(universe: &Universe, app: &str) -> Vec<(String, String)> {
    let mut clusters = Vec::new();
    for decision in all(universe, HUB, &kinds::PLACEMENT_DECISION, None) {
        let of = decision
            .value()
            .at("/metadata/labels")
            .and_then(|labels| labels.get("cluster.open-cluster-management.io/placement"));
        if of.and_then(Value::as_str) != Some(app) {
            continue;
        }
        let entries = decision.value().at("/status/decisions").and_then(Value::as_array);
        let named = |entry: &Value| (text(entry, "/clusterName").to_owned(), text(entry, "/reason").to_owned());
        clusters.extend(entries.into_iter().flatten().map(named));
    }
    clusters
}
