//! What must hold for what the hub asks of the managed clusters.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ramen_api::path::At as _;
use ramen_sim::{
    api_server::{kinds::TypeName, object},
    kinds,
    time::Time,
};
use serde_json::Value;

use super::{all, holds, one, text, type_name, violated};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// What was seen on the hub last.
#[derive(Default)]
pub(super) struct Hub {
    /// Role that each work asks for, by DRPC and cluster.
    asked: BTreeMap<(String, String), String>,
    protected: BTreeSet<String>,
    /// Whether a DRPC asks for a failover, and since when it does or does not any more.
    failovers: BTreeMap<String, (bool, Time)>,
}

/// How long after it was called off a failover may still be asked for: the operator has to hear of that, and what it asked
/// for before has to arrive.
const ON_ITS_WAY: Duration = Duration::from_secs(15);

/// The VRG that a ManifestWork carries.
pub(super) fn vrg_of(work: &Value) -> Option<&Value> {
    work.at("/spec/workload/manifests")?
        .as_array()?
        .iter()
        .find(|manifest| manifest["kind"] == "VolumeReplicationGroup")
}

impl Hub {
    pub(super) fn look(&mut self, universe: &Universe, touched: &BTreeSet<TypeName>) -> Result<(), Violation> {
        if touched.contains(&type_name(&kinds::MANIFEST_WORK)) {
            self.works(universe)?;
        }
        if touched.contains(&type_name(&kinds::DRPC)) {
            self.drpcs(universe)?;
        }
        Ok(())
    }

    fn works(&mut self, universe: &Universe) -> Result<(), Violation> {
        let mut asked = BTreeMap::new();
        let mut forced = BTreeSet::new();
        for work in all(universe, HUB, &kinds::MANIFEST_WORK, None) {
            let Some(vrg) = vrg_of(work.value()) else { continue };
            let (app, cluster) = (text(vrg, "/metadata/name"), text(work.value(), "/metadata/namespace"));
            let role = text(vrg, "/spec/replicationState");
            final_sync_flags(universe, app, cluster, vrg)?;
            asked.insert((app.to_owned(), cluster.to_owned()), role.to_owned());
            if text(vrg, "/spec/action") == "Failover" {
                forced.insert((app.to_owned(), cluster.to_owned()));
            }
        }
        for ((app, cluster), role) in &asked {
            let before = self.asked.get(&(app.clone(), cluster.clone())).map_or("", String::as_str);
            if role == "primary" && before != "primary" {
                let asked_for =
                    self.failovers.get(app).is_some_and(|(asks, at)| *asks || universe.now().since(*at) < ON_ITS_WAY);
                let forced = asked_for && forced.contains(&(app.clone(), cluster.clone()));
                promotion(universe, app, cluster, &asked, asked_for, forced)?;
            }
        }
        self.asked = asked;
        Ok(())
    }

    fn drpcs(&mut self, universe: &Universe) -> Result<(), Violation> {
        let drpcs = all(universe, HUB, &kinds::DRPC, None);
        let now: BTreeSet<String> = drpcs.iter().map(|drpc| text(drpc.value(), "/metadata/name").to_owned()).collect();
        for drpc in &drpcs {
            let asks = text(drpc.value(), "/spec/action") == "Failover";
            let name = text(drpc.value(), "/metadata/name");
            if self.failovers.get(name).map_or(asks, |(before, _)| *before != asks) {
                self.failovers.insert(name.to_owned(), (asks, universe.now()));
            }
        }
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
        drpcs.iter().try_for_each(|drpc| self.says(universe, drpc.value()))
    }

    /// What a DRPC says of an action that a user asked for must be so: that its application is available, and that its other
    /// cluster could take over.
    fn says(&self, universe: &Universe, drpc: &Value) -> Result<(), Violation> {
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
        if holds(drpc, "Available") && !decided(universe, app).iter().any(|cluster| cluster == target) {
            return violated(
                "S20 available means so",
                format!("DRPC {app} says that it is available on {target}, where nothing places it"),
            );
        }
        let primaries = self.asked.iter().filter(|((of, _), role)| of == app && *role == "primary").count();
        if holds(drpc, "PeerReady") && primaries > 1 {
            return violated(
                "S1 one primary",
                format!("DRPC {app} says that its peer is ready, but {primaries} are primary"),
            );
        }
        Ok(())
    }
}

/// `prepareForFinalSync` and `runFinalSync` exclude each other, belong to a primary, and the latter comes after the
/// placement was cleared.
fn final_sync_flags(universe: &Universe, app: &str, cluster: &str, vrg: &Value) -> Result<(), Violation> {
    const RULE: &str = "S4 final synchronization in order";
    let set = |field: &str| vrg["spec"][field] == true;
    let (prepare, run) = (set("prepareForFinalSync"), set("runFinalSync"));
    if prepare && run {
        return violated(RULE, format!("{app} on {cluster} is to prepare and to run a final synchronization"));
    }
    if (prepare || run) && text(vrg, "/spec/replicationState") != "primary" {
        return violated(RULE, format!("{app} on {cluster} is secondary and to run a final synchronization"));
    }
    if run && decided(universe, app).iter().any(|decided| decided == cluster) {
        return violated(
            RULE,
            format!("{app} is to run its final synchronization on {cluster}, where it is still placed"),
        );
    }
    Ok(())
}

/// Where an application is placed.
pub(super) fn decided(universe: &Universe, app: &str) -> Vec<String> {
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
        clusters.extend(entries.into_iter().flatten().map(|entry| text(entry, "/clusterName").to_owned()));
    }
    clusters
}

/// A second primary is asked for by a failover only; a relocation asks for one when the other has stepped down.
fn promotion(
    universe: &Universe,
    app: &str,
    cluster: &str,
    asked: &BTreeMap<(String, String), String>,
    failover: bool,
    forced: bool,
) -> Result<(), Violation> {
    let Some(drpc) = one(universe, HUB, &kinds::DRPC, "apps", app) else { return Ok(()) };
    // A hub that was rebuilt takes in what it finds: nobody is asked for anything new.
    let there = all(universe, cluster, &kinds::VRG, Some(app)).into_iter().next();
    if there.is_some_and(|vrg| text(vrg.value(), "/spec/replicationState") == "primary") {
        return Ok(());
    }
    let action = text(drpc.value(), "/spec/action");
    let other = asked.iter().find(|((of, on), role)| of == app && on != cluster && *role == "primary");
    if let Some(((_, on), _)) = other.filter(|_| !failover) {
        return violated(
            "S1 one primary",
            format!("{app} is to be primary on {cluster} while it is on {on}, for action {action:?}"),
        );
    }
    if !failover {
        nobody_else(universe, app, cluster, action)?;
    }
    // What the failover of a moment ago asked for may arrive when a relocation was asked for instead.
    if action == "Relocate" && !forced {
        for ((_, on), _) in asked.iter().filter(|((of, on), _)| of == app && on != cluster) {
            let there = all(universe, on, &kinds::VRG, Some(app)).into_iter().next();
            let Some(vrg) = there else { continue };
            let state = text(vrg.value(), "/status/state");
            if state != "Secondary" {
                return violated(
                    "S2 relocate after the other has stepped down",
                    format!("{app} is to be primary on {cluster} while the VRG on {on} is {state:?}"),
                );
            }
        }
    }
    Ok(())
}

/// That nobody tells of a primary does not mean that there is none (S11).
fn nobody_else(universe: &Universe, app: &str, cluster: &str, action: &str) -> Result<(), Violation> {
    let primary = |on: &&str| {
        let there = (*on != cluster).then(|| one(universe, on, &kinds::VRG, app, app)).flatten();
        there.is_some_and(|vrg| {
            text(vrg.value(), "/spec/replicationState") == "primary" && !object::is_deleting(vrg.value())
        })
    };
    match universe.managed().find(primary) {
        None => Ok(()),
        Some(on) => violated(
            "S11 silence is no absence",
            format!("{app} is to be primary on {cluster} for action {action:?}, and its VRG on {on} is primary"),
        ),
    }
}
