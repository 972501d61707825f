//! Whoever waits says so where people look: at three in the morning nobody reads logs first.

use std::{collections::BTreeSet, time::Duration};

use ramen_api::path::At as _;
use ramen_events::{Controller, Wait};
use ramen_sim::{api_server::kinds::TypeName, kinds};
use serde_json::Value;

use super::{Lasting, all, conditions, holds, text, type_name};
use crate::universe::{HUB, Universe};

/// How long an operator may wait before people have to be able to read of it.
const SHORT: Duration = Duration::from_mins(5);
/// What news may take after that, in milliseconds: the last status may have met a conflict, or an operator that starts.
const NEWS: u64 = 120_000;

/// Looks at what changed on a cluster, or on the hub.
pub(super) fn look(universe: &Universe, cluster: &str, touched: &BTreeSet<TypeName>, lasting: &mut Lasting) {
    if cluster == HUB && touched.contains(&type_name(&kinds::DRPC)) {
        for drpc in all(universe, HUB, &kinds::DRPC, None) {
            let name = text(drpc.value(), "/metadata/name");
            let wait = universe.long_wait(HUB, Controller::Drpc, name, SHORT);
            let bad = wait.filter(|wait| !tells(drpc.value(), wait)).map(|wait| untold(&wait));
            lasting.note("L4 waits are told", format!("DRPC {name} on {HUB}"), bad, universe.now(), NEWS);
        }
    }
    if cluster != HUB && touched.contains(&type_name(&kinds::VRG)) {
        for vrg in all(universe, cluster, &kinds::VRG, None) {
            let name = text(vrg.value(), "/metadata/name");
            let wait = universe.long_wait(cluster, Controller::Vrg, name, SHORT);
            let bad = wait.filter(|wait| all_is_well(vrg.value()) && !claim_tells(vrg.value(), wait));
            let bad = bad.map(|wait| untold(&wait));
            lasting.note("VL6 waits are told", format!("VRG {name} on {cluster}"), bad, universe.now(), NEWS);
        }
    }
}

fn untold(wait: &Wait) -> String {
    format!("its operator waits for {}, and no condition says so", wait.what)
}

/// Whether a condition of a DRPC tells of the wait, or of what a person can do about it; or that the DRPC can't be served at all,
/// whatever it waited for before.
fn tells(drpc: &Value, wait: &Wait) -> bool {
    conditions(drpc).any(|told| {
        let message = text(told, "/message");
        let is_refused = told["type"] == "Available" && told["reason"] == "Error";
        is_refused || message.contains(&wait.what) || (!wait.remedy.is_empty() && message.contains(&wait.remedy))
    })
}

/// Whether a VRG says that all is as it was asked to be.
fn all_is_well(vrg: &Value) -> bool {
    let kinds: &[&str] = match text(vrg, "/spec/replicationState") {
        "primary" => &["DataReady", "ClusterDataReady", "ClusterDataProtected"],
        _ => &["DataReady", "DataProtected"],
    };
    kinds.iter().all(|kind| holds(vrg, kind))
}

/// Whether a condition of a claim in a VRG's status tells of the wait, which begins with the claim's name.
fn claim_tells(vrg: &Value, wait: &Wait) -> bool {
    let what = wait.what.strip_prefix("claim ").and_then(|what| what.split_once(": ")).map_or("", |(_, what)| what);
    // How many more wait with it is said of the wait only.
    let what = what.rsplit_once(" (and ").filter(|(_, more)| more.ends_with(" more)")).map_or(what, |(first, _)| first);
    let claims = vrg.at("/status/protectedPVCs").and_then(Value::as_array);
    let told = claims.into_iter().flatten().filter_map(|claim| claim["conditions"].as_array()).flatten();
    !what.is_empty() && told.map(|condition| text(condition, "/message")).any(|message| message.contains(what))
}
