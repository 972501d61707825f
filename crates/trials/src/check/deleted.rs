//! What must hold when an operator deletes something from a store.

use ramen_api::path::At as _;
use ramen_sim::{api_server::object, kinds};
use serde_json::Value;

use super::{all, one, placed::homes, text, violated, vrg};
use crate::{
    run::Violation,
    universe::{HUB, Turn, Universe},
};

/// Nothing is deleted that the cluster needs on which the application is: its copies are all that is left if it is lost.
pub(super) fn look(universe: &Universe, turn: &Turn) -> Result<(), Violation> {
    for (by, profile, key) in &turn.deleted {
        let Some(app) = key.split('/').nth(1) else { continue };
        let protected =
            one(universe, HUB, &kinds::DRPC, "apps", app).is_some_and(|drpc| !object::is_deleting(drpc.value()));
        let homes = homes(universe, app);
        let [home] = homes.as_slice() else { continue };
        if protected && needs(universe, home, app, profile, key) {
            return violated(
                "D4 nothing is deleted that the home needs",
                format!("the operator on {by} deleted {key} from store {profile}, and {app} is on {home}"),
            );
        }
    }
    Ok(())
}

/// Whether an object is a copy of something that the primary there protects in this store.
fn needs(universe: &Universe, home: &str, app: &str, profile: &str, key: &str) -> bool {
    let Some(vrg) = vrg(universe, app, home) else { return false };
    let vrg = vrg.value();
    let profiles = vrg.at("/spec/s3Profiles").and_then(Value::as_array);
    let stores_there = profiles.into_iter().flatten().any(|named| named == profile);
    let primary = text(vrg, "/spec/replicationState") == "primary" && text(vrg, "/status/state") == "Primary";
    if !stores_there || !primary || object::is_deleting(vrg) {
        return false;
    }
    key.contains("VolumeReplicationGroup")
        || all(universe, home, &kinds::PVC, Some(app)).iter().any(|claim| {
            let name = text(claim.value(), "/metadata/name");
            let volume = text(claim.value(), "/spec/volumeName");
            let its = |what: &str| !what.is_empty() && key.ends_with(&format!("/{what}"));
            !object::is_deleting(claim.value()) && (its(volume) || its(name))
        })
}
