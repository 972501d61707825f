//! Whoever waits says so where people look: at three in the morning nobody reads logs first.

use std::{collections::BTreeMap, time::Duration};

use ramen_api::path::At as _;
use ramen_events::{Controller, Wait};
use ramen_sim::{kinds, time::Time};
use serde_json::Value;

use super::{all, conditions, text, violated};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// How long an operator may wait before people have to be able to read of it.
const SHORT: Duration = Duration::from_mins(5);
/// What news may take after that: the last status may have met a conflict, or an operator that starts.
const NEWS: Duration = Duration::from_mins(2);
/// How often it is looked who waits: an operator that says nothing changes nothing.
const PERIOD: Duration = Duration::from_secs(10);

/// Who waits, and says nothing of it.
#[derive(Default)]
pub(super) struct Waits {
    next: Option<Time>,
    /// By rule and object: since when, and what nobody says.
    untold: BTreeMap<(&'static str, String), (Time, String)>,
}

impl Waits {
    /// Looks from time to time.
    pub(super) fn look(&mut self, universe: &Universe) -> Result<(), Violation> {
        let now = universe.now();
        if self.next.is_some_and(|next| now < next) {
            return Ok(());
        }
        self.next = Some(now + PERIOD);
        let before = std::mem::take(&mut self.untold);
        for (rule, about, what) in untold(universe) {
            let since = before.get(&(rule, about.clone())).map_or(now, |(since, _)| *since);
            if now.since(since) > NEWS {
                return violated(rule, format!("{about}: its operator waits for {what}, and no condition says so"));
            }
            self.untold.insert((rule, about), (since, what));
        }
        Ok(())
    }
}

/// Long waits that no condition tells: the rule, of which object, for what.
fn untold(universe: &Universe) -> Vec<(&'static str, String, String)> {
    let mut untold = Vec::new();
    let drpcs = if universe.is_up(HUB) { all(universe, HUB, &kinds::DRPC, None) } else { Vec::new() };
    for drpc in drpcs {
        let name = text(drpc.value(), "/metadata/name");
        let wait = universe.long_wait(HUB, Controller::Drpc, name, SHORT);
        if let Some(wait) = wait.filter(|wait| !tells(drpc.value(), wait)) {
            untold.push(("L4 waits are told", format!("DRPC {name}"), wait.what));
        }
    }
    for cluster in universe.managed().filter(|cluster| universe.is_up(cluster)) {
        for vrg in all(universe, cluster, &kinds::VRG, None) {
            let name = text(vrg.value(), "/metadata/name");
            let wait = universe.long_wait(cluster, Controller::Vrg, name, SHORT);
            if let Some(wait) = wait.filter(|wait| !vrg_tells(vrg.value(), wait)) {
                untold.push(("VL6 waits are told", format!("VRG {name} on {cluster}"), wait.what));
            }
        }
    }
    untold
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

/// Whether a condition of a VRG, or of a claim in its status, tells of the wait, or of what a person can do about it.
fn vrg_tells(vrg: &Value, wait: &Wait) -> bool {
    // How many more wait with it is said of the wait only; the claim's own conditions do not name it.
    let what = wait.what.rsplit_once(" (and ").filter(|(_, more)| more.ends_with(" more)"));
    let what = what.map_or(wait.what.as_str(), |(first, _)| first);
    let of_claim = what.strip_prefix("claim ").and_then(|what| what.split_once(": ")).map(|(_, what)| what);
    let claims = vrg.at("/status/protectedPVCs").and_then(Value::as_array).into_iter().flatten();
    let of_claims = claims.filter_map(|claim| claim["conditions"].as_array()).flatten();
    let mut told = conditions(vrg).chain(of_claims).map(|told| text(told, "/message"));
    told.any(|message| {
        message.contains(of_claim.unwrap_or(what)) || (!wait.remedy.is_empty() && message.contains(&wait.remedy))
    })
}
