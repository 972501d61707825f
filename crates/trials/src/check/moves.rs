//! What must hold when the hub decides where an application runs: judged by what is there, not by what the hub believes.

use std::collections::{BTreeMap, BTreeSet};

use ramen_api::ramen::wire;
use ramen_events::{Command, CommandId, Payload, hub, hub::DecisionEntry};
use ramen_sim::{api_server::object, kinds};
use serde_json::Value;

use super::{
    all, one,
    placed::{decided, homes},
    text, type_name, violated, vrg,
};
use crate::{
    run::Violation,
    universe::{HUB, Turn, Universe},
};

/// Decisions that would break a rule, asked for while another hub believes that it leads: whoever comes late is refused.
#[derive(Default)]
pub(super) struct Moves {
    asked: BTreeMap<CommandId, Asked>,
    /// Application and cluster where the VRG said, since it is to be secondary, that it heard of that.
    accepted: BTreeSet<(String, String)>,
}

/// One of them.
struct Asked {
    app: String,
    named: Vec<String>,
    breaks: Violation,
}

impl Moves {
    /// Looks at the placement decisions that the hub commands; with a rival, at those that take effect.
    pub(super) fn look(&mut self, universe: &Universe, turn: &Turn) -> Result<(), Violation> {
        self.note_accepted(universe, turn);
        self.look_at_effects(universe, turn)?;
        let records = turn.appended.iter().filter(|(by, _)| by == HUB).flat_map(|(_, records)| records);
        for record in records {
            match &record.payload {
                Payload::Commanded { id, command: Command::Hub(command), .. } => self.asks(universe, *id, command)?,
                Payload::Finished { id, outcome, .. } => {
                    if let Some(asked) = self.asked.remove(id).filter(|_| outcome.is_done()) {
                        return Err(asked.breaks);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn note_accepted(&mut self, universe: &Universe, turn: &Turn) {
        let vrgs = type_name(&kinds::VRG);
        for (cluster, _) in turn.touched.iter().filter(|(cluster, kinds)| cluster != HUB && kinds.contains(&vrgs)) {
            let there = all(universe, cluster, &kinds::VRG, None);
            let secondary = |vrg: &Value| text(vrg, "/spec/replicationState") == "secondary";
            let app = |vrg: &Value| text(vrg, "/metadata/name").to_owned();
            let stay: BTreeSet<String> =
                there.iter().map(|vrg| vrg.value()).filter(|vrg| secondary(vrg)).map(app).collect();
            self.accepted.retain(|(app, on)| on != cluster || stay.contains(app));
            let heard =
                |vrg: &&Value| secondary(vrg) && vrg["status"]["observedGeneration"] == vrg["metadata"]["generation"];
            let heard = there.iter().map(|vrg| vrg.value()).filter(heard);
            self.accepted.extend(heard.map(|vrg| (app(vrg), cluster.clone())));
        }
    }

    fn look_at_effects(&self, universe: &Universe, turn: &Turn) -> Result<(), Violation> {
        let decision = type_name(&kinds::PLACEMENT_DECISION);
        let placed_anew = || turn.touched.iter().any(|(home, touched)| home == HUB && touched.contains(&decision));
        if self.asked.is_empty() || !placed_anew() {
            return Ok(());
        }
        let took_effect = |asked: &&Asked| decided(universe, &asked.app) == asked.named;
        self.asked.values().find(took_effect).map_or(Ok(()), |asked| Err(asked.breaks.clone()))
    }

    fn asks(&mut self, universe: &Universe, id: CommandId, command: &hub::Command) -> Result<(), Violation> {
        let hub::Command::WriteDecision { placement, entries: Some(entries), .. } = command else { return Ok(()) };
        let stays = |entry: &&DecisionEntry| entry.reason == wire::RETAINED_FOR_FAILOVER;
        let cluster = |entry: &DecisionEntry| entry.cluster.0.clone();
        let named: Vec<String> = entries.iter().map(cluster).collect();
        let runs: Vec<String> = entries.iter().filter(|entry| !stays(entry)).map(cluster).collect();
        let app = placement.name.clone();
        let Err(breaks) = self.decision(universe, &app, &named, &runs) else {
            // That is right by now, whoever else asked for it before.
            self.asked.retain(|_, asked| asked.app != app || asked.named != named);
            return Ok(());
        };
        if !universe.has_rival(HUB) {
            return Err(breaks);
        }
        self.asked.insert(id, Asked { app, named, breaks });
        Ok(())
    }

    /// `named` is where the application is placed, `runs` where it is to run.
    fn decision(&self, universe: &Universe, app: &str, named: &[String], runs: &[String]) -> Result<(), Violation> {
        let Some(drpc) = one(universe, HUB, &kinds::DRPC, "apps", app) else { return Ok(()) };
        if object::is_deleting(drpc.value()) {
            return Ok(());
        }
        let (placed, ran) = (decided(universe, app), homes(universe, app));
        let mut left = placed.iter().filter(|cluster| !named.contains(cluster));
        left.try_for_each(|cluster| self.leaves(universe, app, cluster, ran.contains(cluster)))?;
        let moves = matches!(text(drpc.value(), "/spec/action"), "Failover" | "Relocate");
        let mut joined = runs.iter().filter(|cluster| moves && !ran.contains(cluster));
        joined.try_for_each(|cluster| joins(universe, app, cluster))
    }

    /// A VRG that still is primary takes the loss of its claims for their end: it has to know before the workload goes. Where that
    /// stayed for a failover, its VRG has to have said so (S6).
    fn leaves(&self, universe: &Universe, app: &str, cluster: &str, ran: bool) -> Result<(), Violation> {
        const RULE: &str = "S6 the workload goes after the VRG has accepted that";
        let Some(vrg) = vrg(universe, app, cluster) else { return Ok(()) };
        let spec = &vrg.value()["spec"];
        let syncs = spec["prepareForFinalSync"] == true || spec["runFinalSync"] == true;
        if universe.is_up(cluster) && spec["replicationState"] != "secondary" && !syncs {
            return violated(
                RULE,
                format!("{app} is taken off {cluster}, where its VRG is primary and knows of nothing"),
            );
        }
        // Whether its cluster has power or not.
        if !ran && !self.accepted.contains(&(app.to_owned(), cluster.to_owned())) {
            return violated(
                RULE,
                format!("{app} is taken off its old home {cluster}, where its VRG has not said that it is secondary"),
            );
        }
        Ok(())
    }
}

/// A workload that comes before its volumes makes new ones (S5).
fn joins(universe: &Universe, app: &str, cluster: &str) -> Result<(), Violation> {
    if !universe.is_up(cluster) {
        return Ok(());
    }
    let vrg = vrg(universe, app, cluster);
    let says = |pointer| vrg.as_ref().map_or("absent", |vrg| text(vrg.value(), pointer));
    let (role, state) = (says("/spec/replicationState"), says("/status/state"));
    if role == "primary" && state == "Primary" {
        return Ok(());
    }
    violated(
        "S5 the workload comes after its volumes",
        format!("{app} is placed on {cluster}, where its VRG is to be {role:?} and is {state:?}"),
    )
}
