//! What must hold for what DRPCs and VRGs tell clients: order, words, and nothing that belongs to an earlier wish.

use std::collections::{BTreeMap, BTreeSet};

use ramen_api::{
    path::At as _,
    ramen::wire::{
        annotation,
        state::{Phase, Progression},
    },
};
use ramen_sim::{api_server::kinds::TypeName, kinds, time::Time};
use serde_json::Value;

use super::{all, conditions, handle_of, one, placed::homes, text, type_name, violated};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// What DRPCs told last, by UID.
#[derive(Default)]
pub(super) struct Told {
    drpcs: BTreeMap<String, Last>,
}

/// What one DRPC told, and what was asked of it since it was first seen.
#[derive(Default)]
struct Last {
    asked: (String, String),
    /// Actions of each kind that it may have counted: those of before, and those asked for since.
    may_count: BTreeMap<&'static str, u64>,
    /// When it was asked for the present action: how many of that kind it counted, and where the application was to run.
    before: Option<(u64, Vec<String>)>,
    has_duration: bool,
}

/// The conditions of a DRPC that have a fixed place, which clients read them by.
const PLACES: [&str; 3] = ["Available", "PeerReady", "Protected"];

impl Told {
    pub(super) fn look(
        &mut self,
        universe: &Universe,
        cluster: &str,
        touched: &BTreeSet<TypeName>,
    ) -> Result<(), Violation> {
        if cluster == HUB && touched.contains(&type_name(&kinds::DRPC)) {
            let drpcs = all(universe, HUB, &kinds::DRPC, None);
            drpcs.iter().try_for_each(|drpc| self.drpc(universe, drpc.value()))?;
        }
        if cluster != HUB && touched.contains(&type_name(&kinds::VRG)) {
            let vrgs = all(universe, cluster, &kinds::VRG, None);
            vrgs.iter().try_for_each(|vrg| vrg_tells(universe, cluster, vrg.value()))?;
        }
        Ok(())
    }

    fn drpc(&mut self, universe: &Universe, drpc: &Value) -> Result<(), Violation> {
        let name = text(drpc, "/metadata/name");
        let last = self.drpcs.entry(text(drpc, "/metadata/uid").to_owned()).or_insert_with(|| Last {
            may_count: KINDS.iter().map(|(_, kind)| (*kind, counted(drpc, kind))).collect(),
            ..Last::default()
        });
        in_order(name, drpc)?;
        let completed = text(drpc, "/status/progression") == "Completed";
        let has_duration = !text(drpc, "/status/actionDuration").is_empty();
        // Two hubs that believe that they lead write over each other what each knew.
        if has_duration && !last.has_duration && !completed && !universe.has_rival(HUB) {
            let what = format!("DRPC {name} tells how long its action took, and that it goes on");
            return violated("S16 statuses are what clients know", what);
        }
        last.has_duration = has_duration;
        last.count(name, drpc, || homes(universe, name))
    }
}

impl Told {
    /// An action that took the application elsewhere was counted.
    pub(super) fn at_rest(&self, universe: &Universe) -> Result<(), Violation> {
        for drpc in all(universe, HUB, &kinds::DRPC, None) {
            let drpc = drpc.value();
            let (name, action) = (text(drpc, "/metadata/name"), text(drpc, "/spec/action"));
            let before = self.drpcs.get(text(drpc, "/metadata/uid")).and_then(|last| last.before.as_ref());
            let kind = KINDS.iter().find(|(asked, _)| *asked == action).map(|(_, kind)| *kind);
            let Some(((had, ran), kind)) = before.zip(kind) else { continue };
            let moved = !ran.is_empty() && *ran != homes(universe, name);
            if moved && counted(drpc, kind) <= *had {
                let what = format!("DRPC {name} counts {had} {kind}s, as many as before the one that it ended");
                return violated("S17 each action is counted once", what);
            }
        }
        Ok(())
    }
}

/// Values of `spec.action`, and by which name each is counted.
const KINDS: [(&str, &str); 2] = [("Failover", "failover"), ("Relocate", "relocate")];

impl Last {
    /// Each action that is begun is counted once, also when operators crash on the way.
    fn count(&mut self, name: &str, drpc: &Value, homes: impl Fn() -> Vec<String>) -> Result<(), Violation> {
        let action = text(drpc, "/spec/action");
        let target = if action == "Failover" { "/spec/failoverCluster" } else { "/spec/preferredCluster" };
        let asked = (action.to_owned(), text(drpc, target).to_owned());
        if self.asked != asked {
            let kind = KINDS.iter().find(|(asked, _)| *asked == action).map(|(_, kind)| *kind);
            if let Some(kind) = kind {
                *self.may_count.entry(kind).or_default() += 1;
            }
            self.before = kind.map(|kind| (counted(drpc, kind), homes()));
            self.asked = asked;
        }
        for (kind, most) in &self.may_count {
            let count = counted(drpc, kind);
            if count > *most {
                let what = format!("DRPC {name} counts {count} {kind}s, of which {most} were asked for");
                return violated("S17 each action is counted once", what);
            }
        }
        Ok(())
    }
}

/// How many actions of a kind a DRPC counts.
fn counted(drpc: &Value, kind: &str) -> u64 {
    let annotations = drpc.at("/metadata/annotations");
    let told = annotations.and_then(|all| all.get(annotation::DR_ACTION_COUNT)).and_then(Value::as_str);
    let counts: Option<Value> = told.and_then(|told| serde_json::from_str(told).ok());
    counts.and_then(|counts| counts[kind].as_u64()).unwrap_or_default()
}

/// The first conditions are those that clients look for by number, and phase and progression are words that they know.
fn in_order(name: &str, drpc: &Value) -> Result<(), Violation> {
    const RULE: &str = "S16 statuses are what clients know";
    let kinds: Vec<&str> = conditions(drpc).map(|condition| text(condition, "/type")).collect();
    if kinds.iter().zip(PLACES).any(|(kind, place)| *kind != place) {
        return violated(RULE, format!("DRPC {name} has its conditions in this order: {}", kinds.join(", ")));
    }
    for condition in conditions(drpc) {
        if text(condition, "/reason").is_empty() || text(condition, "/message").is_empty() {
            return violated(RULE, format!("DRPC {name}: condition {} says nothing", text(condition, "/type")));
        }
    }
    let (phase, progression) = (text(drpc, "/status/phase"), text(drpc, "/status/progression"));
    let known = |word: &str, words: &[&str]| word.is_empty() || words.contains(&word);
    if !known(phase, Phase::WORDS) || !known(progression, Progression::WORDS) {
        return violated(RULE, format!("DRPC {name} is {phase:?}, {progression:?}, which no client knows"));
    }
    Ok(())
}

/// What a VRG says of itself belongs to what is wished now, the time of a group is that of its oldest member, and no time is later
/// than that of the data that the peer has.
fn vrg_tells(universe: &Universe, cluster: &str, vrg: &Value) -> Result<(), Violation> {
    const RULE: &str = "VS18 a state is the present one";
    let name = text(vrg, "/metadata/name");
    let current = vrg["status"]["observedGeneration"] == vrg["metadata"]["generation"];
    let (state, wished) = (text(vrg, "/status/state"), text(vrg, "/spec/replicationState"));
    if current && matches!(state, "Primary" | "Secondary") && !state.eq_ignore_ascii_case(wished) {
        return violated(RULE, format!("VRG {name} on {cluster} says {state}, and is to be {wished}"));
    }
    let group = text(vrg, "/status/lastGroupSyncTime");
    let claims = vrg.at("/status/protectedPVCs").and_then(Value::as_array);
    let members = || claims.into_iter().flatten().map(|claim| (claim, text(claim, "/lastSyncTime")));
    // Times of one form and zone are in order as texts are.
    let oldest = members().map(|(_, at)| at).filter(|at| !at.is_empty()).min();
    if let Some(oldest) = oldest.filter(|oldest| group > *oldest) {
        return violated(RULE, format!("VRG {name} on {cluster}: all were synchronized {group}, and one {oldest}"));
    }
    let storage = universe.storage();
    for (claim, told) in members() {
        let (space, claim) = (text(claim, "/namespace"), text(claim, "/name"));
        let Some(pvc) = one(universe, cluster, &kinds::PVC, space, claim) else { continue };
        let synced = handle_of(universe, cluster, pvc.value()).and_then(|handle| storage.synced(cluster, &handle));
        if let (Some(told), Some(synced)) = (Time::parse(told), synced)
            && told > synced
        {
            let what =
                format!("VRG {name} on {cluster}: {claim} was synchronized {told}, and its peer has data of {synced}");
            return violated(RULE, what);
        }
    }
    Ok(())
}
