//! A look at the stores now and then: whether what was stored there is still there. A bucket that was emptied tells nobody,
//! and the day on which its copies are needed is too late to learn of it.
//!
//! What is found missing is forgotten ([`Spoke`](crate::spoke::Spoke) folds the answer so), and then stored again.

use ramen_events::spoke::StoredSet;

use crate::{domain::Decision, spoke::vrg::view::View};

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

/// Looks at each store when that is due. Only a primary at rest has something to compare with.
pub fn look(view: &View<'_>, decision: &mut Decision) {
    if view.ask.decider < SINCE || !view.is_primary() || view.in_final_sync() || view.vrg.spec.dry_run {
        return;
    }
    for store in &view.stores {
        let Ok(reachable) = store.store else { continue };
        let slot = format!("look/{}", store.name);
        let due = view.due(&slot, view.since(""), PAUSE_SECONDS);
        if view.now() < due {
            decision.ask_again(due, "look whether the stores still have what was stored");
            continue;
        }
        decision.want(slot, view.fetch(GENERATION, reachable));
    }
}
