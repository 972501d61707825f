//! What must hold for the data itself, as the storage counts it.

use std::collections::BTreeMap;

use ramen_sim::{
    api_server::object,
    kinds,
    storage::{Line, Storage},
};

use super::{one, text, violated};
use crate::{
    run::Violation,
    universe::{Turn, Universe},
};

/// What was seen of each volume last.
#[derive(Default)]
pub(super) struct Data(BTreeMap<String, Seen>);

#[derive(Default, Clone)]
struct Seen {
    forced: usize,
    /// Its claim was taken out of the application: its data are the users' to throw away, also when they take in a claim of
    /// the same name again.
    given_up: bool,
    /// Writes of earlier lines that the winner of the last promotion by force held: these must stay.
    kept: BTreeMap<Line, u64>,
}

impl Data {
    pub(super) fn look(&mut self, universe: &Universe, turn: &Turn) -> Result<(), Violation> {
        // Only agents touch the storage.
        if turn.ran.is_none() {
            return Ok(());
        }
        let mut forced = Vec::new();
        {
            let storage = universe.storage();
            for handle in storage.handles() {
                let seen = self.0.entry(handle.to_owned()).or_default();
                let promotions = storage.forced(handle);
                if promotions.len() > seen.forced {
                    forced.extend(promotions.iter().skip(seen.forced).map(|promotion| {
                        (handle.to_owned(), storage.claim(handle).to_owned(), promotion.site.clone())
                    }));
                    seen.forced = promotions.len();
                    let lines = storage.acknowledged_by_line(handle);
                    seen.kept = lines.map(|(line, _)| (line, storage.held_by_serving(handle, line))).collect();
                }
                seen.given_up |= !wanted(universe, &storage, handle);
                nothing_is_lost(&storage, handle, seen)?;
                one_writer(&storage, handle)?;
            }
        }
        forced.iter().try_for_each(|(handle, claim, site)| only_a_failover_forces(universe, handle, claim, site))
    }
}

/// What was acknowledged since the last promotion by force is there, and what survived that promotion still is.
fn nothing_is_lost(storage: &Storage, handle: &str, seen: &Seen) -> Result<(), Violation> {
    for (line, acknowledged) in storage.acknowledged_by_line(handle) {
        let expected = seen.kept.get(&line).copied().unwrap_or(acknowledged);
        let held = storage.held_by_serving(handle, line);
        if held < expected && !seen.given_up {
            let claim = storage.claim(handle);
            let lost = expected - held;
            return violated(
                "D1 no write is lost but by a failover",
                format!("{lost} acknowledged writes of volume {handle} ({claim}) are gone"),
            );
        }
    }
    Ok(())
}

/// Whether the volume's claim is still one of its application: users may throw their data away.
fn wanted(universe: &Universe, storage: &Storage, handle: &str) -> bool {
    let Some((namespace, claim)) = storage.claim(handle).split_once('/') else { return false };
    let applications = universe.applications();
    applications.iter().any(|app| app.namespace() == namespace && app.claims.iter().any(|name| name == claim))
}

/// Applications never write to two copies at the same time, unless the one was promoted by force while the other could
/// not be asked to stop.
fn one_writer(storage: &Storage, handle: &str) -> Result<(), Violation> {
    let writers = storage.attached_writers(handle);
    if writers.len() < 2 || storage.diverged(handle) {
        return Ok(());
    }
    violated("D2 one writer", format!("applications write to volume {handle} on {}", writers.join(" and ")))
}

/// Promotion by force gives up what the other side may hold: only a failover may (VS14).
fn only_a_failover_forces(universe: &Universe, handle: &str, claim: &str, site: &str) -> Result<(), Violation> {
    let namespace = claim.split('/').next().unwrap_or_default();
    let vrg = super::all(universe, site, &kinds::VRG, Some(namespace)).into_iter().next();
    let Some(vrg) = vrg else {
        return violated(
            "VS14 force is for failovers",
            format!("volume {handle} ({claim}) was promoted by force on {site}, where there is no VRG"),
        );
    };
    let (action, role) = (text(vrg.value(), "/spec/action"), text(vrg.value(), "/spec/replicationState"));
    if action == "Failover" && role == "primary" {
        return Ok(());
    }
    // The VRG may have moved on since; then the claim tells.
    let failover_before = one(universe, crate::universe::HUB, &kinds::DRPC, "apps", namespace)
        .is_some_and(|drpc| object::is_deleting(drpc.value()));
    if failover_before {
        return Ok(());
    }
    violated(
        "VS14 force is for failovers",
        format!(
            "volume {handle} ({claim}) was promoted by force on {site}, where the VRG is {role} for action {action:?}"
        ),
    )
}
