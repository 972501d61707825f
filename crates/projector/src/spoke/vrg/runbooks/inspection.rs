//! A look at the stores now and then: whether what was stored there is still there. A bucket that was emptied tells nobody,
//! and the day on which its copies are needed is too late to learn of it.
//!
//! What is found missing is forgotten ([`Spoke`](crate::spoke::Spoke) folds the answer so), and then stored again. A volume
//! that lies there without its claim is what a primary left that was replaced between the two: nobody could restore what lies
//! beside it, since that looks as if it were not complete, so it is deleted.

use ramen_events::{
    Time,
    spoke::{Store, StoredSet, StoredVolume},
};

use super::round::{self, PAUSE_SECONDS as ARRIVAL_SECONDS, Round};
use crate::{
    domain::Decision,
    spoke::vrg::view::{View, claim_of, upload_slot},
};

/// Between two looks at a store, in seconds.
const PAUSE_SECONDS: u64 = 900;
/// The first version of the deciders that looks.
const SINCE: u32 = 3;
/// As which generation a look asks: no VRG has it, so its answer is none for a restore.
const GENERATION: i64 = 0;

/// Whether a store answered to a look rather than to a restore.
pub fn is_answer(set: &StoredSet) -> bool {
    set.asked_for == GENERATION
}

/// The first version of the deciders that looks for halves of copies, and for that reason right after a failover, too.
const HALVES_SINCE: u32 = 6;

/// Volumes without their claims.
pub fn halves(set: &StoredSet) -> impl Iterator<Item = &StoredVolume> {
    let is_claimed = |volume: &StoredVolume| set.claims.iter().any(|claim| volume.claim.as_ref() == Some(&claim.key));
    set.volumes.iter().filter(move |volume| volume.claim.is_some() && !is_claimed(volume))
}

/// Looks at each store when that is due. Only a primary at rest has something to compare with.
pub fn look(view: &View<'_>, decision: &mut Decision) {
    if view.ask.decider < SINCE || !view.is_primary() || view.in_final_sync() || view.vrg.spec.dry_run {
        return;
    }
    for store in &view.stores {
        let Ok(reachable) = store.store else { continue };
        delete_halves(view, reachable, decision);
        let slot = format!("look/{}", store.name);
        let due = due(view, store.name, &slot);
        if view.now() < due {
            decision.ask_again(due, "look whether the stores still have what was stored");
            continue;
        }
        decision.want(slot, view.fetch(GENERATION, reachable));
    }
}

/// The first version of the deciders that looks a minute after every change of role, and after every start.
const ARRIVALS_SINCE: u32 = 11;

/// When a store is to be looked at: now and then, and once what somebody else had on its way there has arrived. That may be a
/// former primary, or a process before this one.
fn due(view: &View<'_>, store: &str, slot: &str) -> Time {
    let regular = view.due(slot, view.since(""), PAUSE_SECONDS);
    let last = view.ask.flights.last(view.ask.aggregate, slot).map(|attempt| attempt.decided);
    let is_new = |arrived: &Time| last.is_none_or(|last| last < *arrived);
    if view.ask.decider < ARRIVALS_SINCE {
        let arrived = Round::second_begins(view).filter(|_| view.ask.decider >= HALVES_SINCE);
        return arrived.filter(is_new).map_or(regular, |arrived| arrived.min(regular));
    }
    let started = round::settled_after_start(view).filter(|settled| view.since("") < *settled);
    let arrivals = started.into_iter().chain(round::settled_as_primary(view)).chain(last_deletion(view, store));
    let due = arrivals.filter(is_new).fold(regular, Time::min);
    // A process that just began does not look at everything at once, and then once more.
    if last.is_none() { started.map_or(due, |started| started.max(due)) } else { due }
}

/// When all is settled that was done last to the copies of a claim that is gone. The copy of an earlier volume for a claim of that
/// name may have lain beside them, which is a half from now on.
fn last_deletion(view: &View<'_>, store: &str) -> Option<Time> {
    let is_gone = |slot: &str| claim_of(slot, store).is_some_and(|claim| !view.state.pvcs.contains_key(&claim));
    let deletions = view.ask.flights.of(view.ask.aggregate).filter(|(slot, _)| is_gone(slot));
    deletions.map(|(_, attempt)| attempt.decided).max().map(|last| last.plus_seconds(ARRIVAL_SECONDS))
}

/// Deletes the halves of copies that the last look found, unless they are of a claim that is here.
fn delete_halves(view: &View<'_>, store: &Store, decision: &mut Decision) {
    let found = view.work.halves.get(&store.name).filter(|_| view.ask.decider >= HALVES_SINCE);
    for volume in found.into_iter().flatten() {
        if let Some(claim) = volume.claim.as_ref().filter(|claim| !view.state.pvcs.contains_key(claim)) {
            decision.want(upload_slot(claim, &store.name), view.delete_stored(store, claim, &volume.name));
        }
    }
}
