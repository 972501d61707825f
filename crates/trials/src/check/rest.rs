//! What must hold once everything is mended and has come to rest.

use std::{collections::BTreeMap, time::Duration};

use ramen_api::{
    path::At as _,
    ramen::wire::{condition, name},
};
use ramen_events::{Aggregate, BlobId, Payload};
use ramen_sim::{api_server::object, kinds};
use serde_json::Value;

use super::{all, attendant, modes, one, placed, policies, text};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
    until,
};

/// How much longer than that nothing may take: a view's period, an agent's resync, a claim's deletion, all in a row; and the
/// hour after which OCM evicts what a replaced hub does not ask for.
const LIMIT: Duration = Duration::from_mins(80);
/// How long a person waits before doing what conditions say can be done.
const PATIENCE: Duration = Duration::from_mins(8);
/// How long a universe at rest is watched for needless work.
const QUIET: Duration = Duration::from_mins(10);
/// How often a status may be written in that time: what it tells of the last synchronization moves on. As often a view is touched
/// by a hub whose clock is ahead, which takes each report for news of which the view knows nothing.
const STATUSES: usize = 30;
/// How often anything else may be done in that time: stores are looked at, and a claim that joins late makes its VRG change twice,
/// and views be read faster and slower.
const REPEATS: usize = 10;

/// How often the very same may be commanded again in that time, reads and reminders of views left out: what was on its way when
/// faults ended is tried once more.
const RETRIES: usize = 1;

/// Lets a mended universe come to rest.
///
/// # Errors
/// What does not end, or does not rest.
pub fn at_rest(
    universe: &mut Universe,
    look: &mut dyn FnMut(&Universe, &crate::universe::Turn) -> Result<(), Violation>,
) -> Result<(), Violation> {
    let end = universe.now() + LIMIT;
    let mut next_look = universe.now();
    let mut next_advice = universe.now() + PATIENCE;
    loop {
        if universe.now() >= next_advice {
            next_advice = universe.now() + PATIENCE;
            attendant::advice(universe).iter().for_each(|what| what.befall(universe));
        }
        if universe.now() >= next_look {
            match unsettled(universe) {
                None => break,
                Some(what) if universe.now() > end => {
                    return Err(Violation { rule: "L1 every action ends", what });
                }
                Some(_) => next_look = universe.now() + Duration::from_secs(1),
            }
        }
        match universe.turn() {
            Some(turn) => look(universe, &turn)?,
            None => {
                return unsettled(universe)
                    .map_or(Ok(()), |what| Err(Violation { rule: "L1 every action ends", what }));
            }
        }
    }
    super::leftovers::in_stores(universe)?;
    quiet(universe, look)?;
    told_by_the_hub(universe)
}

/// What the hub tells of the application's VRG is what that says of itself, save that a conflict which the VRG of any cluster
/// sees is told, too (L5).
fn told_by_the_hub(universe: &Universe) -> Result<(), Violation> {
    for drpc in all(universe, HUB, &kinds::DRPC, None) {
        let name = text(drpc.value(), "/metadata/name");
        let Some(home) = placed::decided(universe, name).into_iter().next() else { continue };
        let Some(vrg) = one(universe, &home, &kinds::VRG, name, name) else { continue };
        let of = |object: &Value, path: &str| -> Vec<(String, String)> {
            let conditions = object.at(path).and_then(Value::as_array);
            let word = |told: &Value| (text(told, "/type").to_owned(), text(told, "/status").to_owned());
            conditions.into_iter().flatten().map(word).collect()
        };
        let told = of(drpc.value(), "/status/resourceConditions/conditions");
        let mut is = of(vrg.value(), "/status/conditions");
        let conflict = (condition::NO_CLUSTER_DATA_CONFLICT.to_owned(), "False".to_owned());
        let elsewhere = universe.managed().filter(|on| *on != home);
        let vrgs = elsewhere.filter_map(|on| one(universe, on, &kinds::VRG, name, name));
        if vrgs.into_iter().any(|vrg| of(vrg.value(), "/status/conditions").contains(&conflict)) {
            is.iter_mut().filter(|(kind, _)| *kind == conflict.0).for_each(|own| own.clone_from(&conflict));
        }
        if told != is {
            return Err(Violation {
                rule: "L5 what is told is so",
                what: format!("DRPC {name} says of the VRG on {home}: {told:?}, and what is so: {is:?}"),
            });
        }
    }
    Ok(())
}

/// The first DRPC whose action has not come to its end.
fn unsettled(universe: &Universe) -> Option<String> {
    for drpc in all(universe, HUB, &kinds::DRPC, None) {
        let name = text(drpc.value(), "/metadata/name");
        if object::is_deleting(drpc.value()) {
            return Some(format!("DRPC {name} is still being deleted: {}", text(drpc.value(), "/status/progression")));
        }
        let phase = match text(drpc.value(), "/spec/action") {
            "Failover" => "FailedOver",
            "Relocate" => "Relocated",
            _ => "Deployed",
        };
        if let Err(why) = until::shows(universe, name, |drpc| drpc.settled(phase)) {
            return Some(format!("{name}: {why}"));
        }
        let homes = placed::decided(universe, name);
        let [home] = homes.as_slice() else { return Some(format!("{name} is placed on {}", homes.join(", "))) };
        if let Err(why) = (until::Until::Runs { app: name.to_owned(), on: home.clone() }).holds(universe) {
            return Some(why);
        }
    }
    // What has no DRPC any more leaves nothing behind.
    for work in all(universe, HUB, &kinds::MANIFEST_WORK, None) {
        if let Some(vrg) = placed::vrg_of(work.value()) {
            let name = text(vrg, "/metadata/name");
            if one(universe, HUB, &kinds::DRPC, "apps", name).is_none() {
                return Some(format!("the VRG of {name} is still asked for, without a DRPC"));
            }
        }
    }
    if let Some(left) = left_on_the_hub(universe) {
        return Some(left);
    }
    for cluster in universe.managed() {
        for vrg in all(universe, cluster, &kinds::VRG, None) {
            let name = text(vrg.value(), "/metadata/name");
            if one(universe, HUB, &kinds::DRPC, "apps", name).is_none() {
                return Some(format!("VRG {name} is left on {cluster}, without a DRPC"));
            }
        }
    }
    let stays = policies::ends(universe);
    stays.or_else(|| modes::left(universe))
}

/// A view or a namespace's work of an application that has no DRPC, save those that nobody could let go: their policy was deleted
/// before.
fn left_on_the_hub(universe: &Universe) -> Option<String> {
    let apps: Vec<String> = universe.applications().iter().map(|app| app.name.clone()).collect();
    let gone = apps
        .iter()
        .filter(|app| one(universe, HUB, &kinds::DRPC, "apps", app).is_none() && !universe.left_behind.contains(*app));
    gone.flat_map(|app| universe.managed().map(move |on| (app, on))).find_map(|(app, on)| {
        let view = one(universe, HUB, &kinds::VIEW, on, &name::vrg_view(app, app));
        let work = one(universe, HUB, &kinds::MANIFEST_WORK, on, &name::namespace_manifest_work(app, app));
        let what =
            view.map(|_| "a ManagedClusterView").or_else(|| work.map(|_| "the ManifestWork of its namespace"))?;
        Some(format!("{what} of {app} is left for {on}, without a DRPC"))
    })
}

/// A universe at rest does not go on commanding.
fn quiet(
    universe: &mut Universe,
    look: &mut dyn FnMut(&Universe, &crate::universe::Turn) -> Result<(), Violation>,
) -> Result<(), Violation> {
    const RULE: &str = "VS19 at rest nothing is written";
    let end = universe.now() + QUIET;
    let mut commands: BTreeMap<String, usize> = BTreeMap::new();
    let mut last: BTreeMap<String, (BlobId, usize)> = BTreeMap::new();
    while universe.next().is_some_and(|next| next < end) {
        let Some(turn) = universe.turn() else { break };
        look(universe, &turn)?;
        for (by, records) in &turn.appended {
            for record in records {
                let Payload::Commanded { slot, command, .. } = &record.payload else { continue };
                let of = record.aggregate.as_ref().map(Aggregate::to_string).unwrap_or_default();
                let what = format!("{} in {slot} of {of} by the operator on {by}", command.name());
                let same = last.entry(what.clone()).or_insert((BlobId([0; 32]), 0));
                let asked = BlobId::of(&command.bytes());
                *same = (asked, if same.0 == asked { same.1 + 1 } else { 0 });
                let is_read = matches!(command.name(), "FetchStored" | "TouchView");
                if same.1 > RETRIES && !is_read {
                    let times = same.1 + 1;
                    return Err(Violation { rule: RULE, what: format!("{times} times the same {what}, at rest") });
                }
                *commands.entry(what).or_default() += 1;
            }
        }
    }
    let most = |what: &str| {
        if what.contains("Status in status ") || what.starts_with("TouchView ") { STATUSES } else { REPEATS }
    };
    match commands.into_iter().find(|(what, times)| *times > most(what)) {
        None => Ok(()),
        Some((what, times)) => {
            Err(Violation { rule: RULE, what: format!("{times} times {what} in {} min at rest", QUIET.as_secs() / 60) })
        }
    }
}
