//! What must hold for what DRPCs say, and for what is left of them.

use std::collections::BTreeSet;

use ramen_sim::{
    api_server::{kinds::TypeName, object},
    kinds,
};
use serde_json::Value;

use super::{
    all, holds,
    placed::{homes, vrg_of},
    text, type_name, violated,
};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// What was seen on the hub last.
#[derive(Default)]
pub(super) struct Hub {
    protected: BTreeSet<String>,
}

impl Hub {
    pub(super) fn look(&mut self, universe: &Universe, touched: &BTreeSet<TypeName>) -> Result<(), Violation> {
        if touched.contains(&type_name(&kinds::DRPC)) {
            self.drpcs(universe)?;
        }
        Ok(())
    }

    fn drpcs(&mut self, universe: &Universe) -> Result<(), Violation> {
        let drpcs = all(universe, HUB, &kinds::DRPC, None);
        let now: BTreeSet<String> = drpcs.iter().map(|drpc| text(drpc.value(), "/metadata/name").to_owned()).collect();
        for gone in self.protected.difference(&now) {
            let left = all(universe, HUB, &kinds::MANIFEST_WORK, None)
                .into_iter()
                .find(|work| vrg_of(work.value()).is_some_and(|vrg| text(vrg, "/metadata/name") == gone));
            if let Some(work) = left {
                let cluster = text(work.value(), "/metadata/namespace");
                return violated(
                    "S12 nothing is left of a deleted DRPC",
                    format!("DRPC {gone} is gone, but its VRG's ManifestWork for {cluster} is there"),
                );
            }
        }
        self.protected = now;
        drpcs.iter().try_for_each(|drpc| says(universe, drpc.value()))
    }
}

/// What a DRPC says of an action that a user asked for must be so: that its application is available, and that its other
/// cluster could take over.
fn says(universe: &Universe, drpc: &Value) -> Result<(), Violation> {
    let target = match text(drpc, "/spec/action") {
        "Failover" => text(drpc, "/spec/failoverCluster"),
        "Relocate" => text(drpc, "/spec/preferredCluster"),
        _ => return Ok(()),
    };
    let generation = &drpc["metadata"]["generation"];
    // While a person has to decide, conditions say what may be asked for; until it begins, an action leaves them as they were.
    let says_otherwise = matches!(text(drpc, "/status/phase"), "WaitForUser" | "Deleting" | "Initiating")
        || matches!(
            text(drpc, "/status/progression"),
            "CheckingFailoverPrerequisites" | "WaitForStorageMaintenanceActivation"
        );
    if says_otherwise || drpc["status"]["observedGeneration"] != *generation || object::is_deleting(drpc) {
        return Ok(());
    }
    let app = text(drpc, "/metadata/name");
    if holds(drpc, "Available") && !homes(universe, app).iter().any(|cluster| cluster == target) {
        return violated(
            "S20 available means so",
            format!("DRPC {app} says that it is available on {target}, where nothing places it"),
        );
    }
    let is_primary = |work: &Value| {
        let vrg = vrg_of(work).filter(|vrg| text(vrg, "/metadata/name") == app);
        vrg.is_some_and(|vrg| text(vrg, "/spec/replicationState") == "primary")
    };
    let works = all(universe, HUB, &kinds::MANIFEST_WORK, None);
    let primaries = works.iter().filter(|work| is_primary(work.value())).count();
    if holds(drpc, "PeerReady") && primaries > 1 {
        return violated(
            "S1 one primary",
            format!("DRPC {app} says that its peer is ready, but {primaries} are primary"),
        );
    }
    Ok(())
}
