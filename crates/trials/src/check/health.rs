//! What must be well once everything is mended and has come to rest: all that was asked for is in place, and says so.

use std::time::Duration;

use ramen_api::path::At as _;
use ramen_sim::{api_server::object, kinds, storage::replication, time::Time};
use serde_json::Value;

use super::{all, holds, one, placed::decided, text, violated};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// What a synchronization may take beyond its interval, clocks that differ included.
const SLACK: Duration = Duration::from_mins(6);

/// Looks at policies, clusters and primaries.
pub(super) fn look(universe: &Universe) -> Result<(), Violation> {
    validated(universe)?;
    protected(universe)
}

/// Policies and DRClusters that are complete are validated (HL1).
fn validated(universe: &Universe) -> Result<(), Violation> {
    let clusters = all(universe, HUB, &kinds::DR_CLUSTER, None);
    let policies = all(universe, HUB, &kinds::DR_POLICY, None);
    let complete = |policy: &Value| {
        let listed = policy.at("/spec/drClusters").and_then(Value::as_array);
        listed.into_iter().flatten().all(|name| {
            clusters
                .iter()
                .any(|cluster| cluster.value()["metadata"]["name"] == *name && !object::is_deleting(cluster.value()))
        })
    };
    let policies = policies.iter().filter(|policy| complete(policy.value())).map(|policy| ("DRPolicy", policy));
    for (kind, object) in clusters.iter().map(|cluster| ("DRCluster", cluster)).chain(policies) {
        if !object::is_deleting(object.value()) && !holds(object.value(), "Validated") {
            let name = text(object.value(), "/metadata/name");
            return violated("HL1 at rest all is validated", format!("{kind} {name} is not"));
        }
    }
    Ok(())
}

/// A primary says that its data are ready and protected, and goes on to be synchronized (VL1).
fn protected(universe: &Universe) -> Result<(), Violation> {
    const RULE: &str = "VL1 at rest all is protected";
    let interval = replication::interval(&universe.outline().interval).unwrap_or_default();
    for drpc in all(universe, HUB, &kinds::DRPC, None) {
        let app = text(drpc.value(), "/metadata/name");
        let Some(home) = decided(universe, app).into_iter().next() else { continue };
        let Some(vrg) = one(universe, &home, &kinds::VRG, app, app) else {
            return violated(RULE, format!("{app} is on {home}, without a VRG"));
        };
        let vrg = vrg.value();
        let state = text(vrg, "/status/state");
        let missing = ["DataReady", "ClusterDataReady", "ClusterDataProtected"].iter().find(|kind| !holds(vrg, kind));
        if state != "Primary" || missing.is_some() {
            let what = missing.unwrap_or(&"Primary");
            return violated(RULE, format!("VRG {app} on {home} is {state}, and does not say {what}"));
        }
        let claims = vrg.at("/status/protectedPVCs").and_then(Value::as_array);
        if claims.is_none_or(Vec::is_empty) {
            continue;
        }
        let last = text(vrg, "/status/lastGroupSyncTime");
        let age = Time::parse(last).map(|last| universe.now().since(last));
        if age.is_none_or(|age| age > interval * 2 + SLACK) {
            let what =
                format!("VRG {app} on {home} was last synchronized {last:?}, every {}", universe.outline().interval);
            return violated(RULE, what);
        }
    }
    Ok(())
}
