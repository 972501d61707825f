//! What must hold when the hub decides where an application runs: judged by what is there, not by what the hub believes.

use ramen_events::{Command, Payload, hub};
use ramen_sim::{api_server::object, kinds};

use super::{hub::decided, one, text, violated, vrg};
use crate::{
    run::Violation,
    universe::{HUB, Turn, Universe},
};

/// Looks at the placement decisions that the hub commands.
pub(super) fn look(universe: &Universe, turn: &Turn) -> Result<(), Violation> {
    let records = turn.appended.iter().filter(|(by, _)| by == HUB).flat_map(|(_, records)| records);
    for record in records {
        if let Payload::Commanded { command: Command::Hub(command), .. } = &record.payload
            && let hub::Command::WriteDecision { placement, entries: Some(entries), .. } = command
        {
            let named: Vec<&str> = entries.iter().map(|entry| entry.cluster.0.as_str()).collect();
            decision(universe, &placement.name, &named)?;
        }
    }
    Ok(())
}

fn decision(universe: &Universe, app: &str, named: &[&str]) -> Result<(), Violation> {
    let Some(drpc) = one(universe, HUB, &kinds::DRPC, "apps", app) else { return Ok(()) };
    if object::is_deleting(drpc.value()) {
        return Ok(());
    }
    let before = decided(universe, app);
    let left = before.iter().map(String::as_str).filter(|cluster| !named.contains(cluster));
    let joined = named.iter().copied().filter(|cluster| !before.iter().any(|name| name == cluster));
    left.into_iter().try_for_each(|cluster| leaves(universe, app, cluster))?;
    let moves = matches!(text(drpc.value(), "/spec/action"), "Failover" | "Relocate");
    joined.filter(|_| moves).try_for_each(|cluster| joins(universe, app, cluster))
}

/// A VRG that still is primary takes the loss of its claims for their end: it has to know before the workload goes (S6).
fn leaves(universe: &Universe, app: &str, cluster: &str) -> Result<(), Violation> {
    let Some(vrg) = vrg(universe, app, cluster).filter(|_| universe.is_up(cluster)) else { return Ok(()) };
    let spec = &vrg.value()["spec"];
    let syncs = spec["prepareForFinalSync"] == true || spec["runFinalSync"] == true;
    if syncs || spec["replicationState"] == "secondary" {
        return Ok(());
    }
    violated(
        "S6 the workload goes after the VRG has accepted that",
        format!("{app} is taken off {cluster}, where its VRG is primary and knows of nothing"),
    )
}

/// A workload that comes before its volumes makes new ones (S5).
fn joins(universe: &Universe, app: &str, cluster: &str) -> Result<(), Violation> {
    let Some(vrg) = vrg(universe, app, cluster).filter(|_| universe.is_up(cluster)) else { return Ok(()) };
    let (role, state) = (text(vrg.value(), "/spec/replicationState"), text(vrg.value(), "/status/state"));
    if role == "primary" && state == "Primary" {
        return Ok(());
    }
    violated(
        "S5 the workload comes after its volumes",
        format!("{app} is placed on {cluster}, where its VRG is to be {role:?} and is {state:?}"),
    )
}
