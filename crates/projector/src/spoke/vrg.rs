//! What a VolumeReplicationGroup wants next.
//!
//! ```text
//!   View (facts of one VRG) ──> Scene (how each volume, the restore, the copies stand)
//!                                  │
//!                     runbook: steps with gates ──> commands, position
//!                                  └──> conditions, entries ──> status
//! ```
//!
//! Rules: spec vrg; numbers in comments are its sections, `V..` its pitfalls, `VS..` its invariants.

pub mod class_choice;
pub mod conditions;
mod entries;
pub mod replication_check;
pub mod runbooks;
pub mod scene;
mod status;
mod stores;
pub mod verdict;
pub mod view;

#[cfg(test)]
mod tests;

use ramen_api::ramen::wire::condition::CLUSTER_DATA_PROTECTED;
use ramen_events::{
    Position, Time, Wait,
    spoke::{Role, VrgStatus},
};

use self::{
    runbooks::{deletion, inspection, primary, round, secondary, upload},
    scene::Scene,
    view::View,
};
use super::Spoke;
use crate::{
    FEWER_WRITES,
    domain::{Ask, Decision},
    runbook::{self, Gate, Step},
};

/// How long volumes may take to get ready before the VRG is stored as it is: one of them must not keep the copy old (V15).
const COPY_PATIENCE_SECONDS: u64 = 10;
/// How long a status waits for the VRG's copy, so that one write tells both.
const COPY_PAUSE_MS: u64 = 300;

type Book = &'static [Step<Scene, Decision>];

/// Names of a runbook's steps, in order.
pub fn steps(runbook: &str) -> Vec<&'static str> {
    let (first, together): (Book, Book) = match runbook {
        "primary" => (primary::FIRST, primary::TOGETHER),
        "secondary" => (secondary::FIRST, secondary::TOGETHER),
        "deletion" => (deletion::FIRST, &[]),
        _ => (&[], &[]),
    };
    first.iter().chain(together).map(|step| step.name).collect()
}

/// What the VRG that is asked about wants now.
pub fn decide(state: &Spoke, ask: Ask<'_>) -> Decision {
    let Some(view) = View::new(state, ask) else { return Decision::default() };
    if view.vrg.deleting { delete(&view) } else { serve(&view) }
}

fn serve(view: &View<'_>) -> Decision {
    let (name, first, together, mut scene): (&str, Book, Book, Scene) = match view.vrg.spec.role {
        Some(Role::Primary) => ("primary", primary::FIRST, primary::TOGETHER, primary::scene(view)),
        _ => ("secondary", secondary::FIRST, secondary::TOGETHER, secondary::scene(view)),
    };
    let mut decision = Decision::default();
    let reached = store_copy(view, &mut scene, &mut decision);
    let (found, barred) = walk(first, together, &scene, &mut decision);
    if view.is_primary() {
        round::repeat(view, &scene, &mut decision);
    }
    if found.is_none() {
        inspection::look(view, &mut decision);
    }
    let wanted = status::wanted(view, &scene);
    let step = found.as_ref().map_or("", |(step, _)| step.name);
    let complete = found.is_none();
    decision.position = Some(position(view, name, found.as_ref()));
    // Nothing is said before the finalizer is there, save that the spec can't be used.
    if scene.invalid.is_some() || scene.adopt.is_none() {
        let copy_soon = step == "UploadingVrg" && scene.copy.as_ref().is_some_and(|copy| copy.under_way);
        let due = view.since(step).plus_ms(COPY_PAUSE_MS);
        if reached && copy_soon && view.now() < due {
            decision.ask_again(due, "tell that volumes are ready");
        } else {
            status::write(view, wanted, (complete || (reached && copy_soon)) && !barred, step, &mut decision);
        }
    }
    decision
}

/// Judges the VRG's own copies, which hold the status as it will be once they are stored. Tells whether the volumes have
/// reached their role.
fn store_copy(view: &View<'_>, scene: &mut Scene, decision: &mut Decision) -> bool {
    if !view.is_primary() || scene.invalid.is_some() || scene.adopt.is_some() {
        return false;
    }
    let restored = scene.restore.as_ref().is_some_and(|outlook| outlook.restore.is_done());
    if !restored {
        return false;
    }
    scene.copy = Some(upload::VrgArchive::stored());
    let mut status = status::wanted(view, scene);
    if view.ask.decider >= STEADY_SINCE {
        hold_steady(view, &mut status);
    }
    if view.ask.decider >= FEWER_WRITES {
        // The copy may be made before the VRG has a status at all.
        status.last_update = status.last_update.or_else(|| Some(verdict::whole_seconds(latest_change(view, &status))));
    }
    let reached = status.state == ramen_api::ramen::wire::state::State::Primary.as_str();
    let settled = scene.volumes.iter().all(|volume| volume.stage != scene::Stage::Settled || volume.archive.is_done());
    let since = match view.ask.decider >= STEADY_SINCE {
        true => latest_but_for_the_copy(&status).unwrap_or(view.now()),
        false => latest_change(view, &status),
    };
    let patient_until = since.plus_seconds(COPY_PATIENCE_SECONDS);
    scene.copy = None;
    if (reached && settled) || view.now() >= patient_until {
        scene.copy = Some(upload::vrg(view, &status));
    } else {
        decision.ask_again(patient_until, "store the VRG as it is");
    }
    reached
}

/// The first version of the deciders whose copies of a VRG do not change with the time while they can't be stored, and whose
/// patience with volumes does not begin anew when it is told that the copy is stored, or not.
const STEADY_SINCE: u32 = 11;

/// The copy says that it is stored, which the VRG itself does not say yet: not from this very moment on, or each question would
/// make another copy, but from when the last of the other conditions changed.
fn hold_steady(view: &View<'_>, status: &mut VrgStatus) {
    let told = view.vrg.status.as_ref().and_then(|status| status.condition(CLUSTER_DATA_PROTECTED));
    let since = latest_but_for_the_copy(status);
    for stored in status.conditions.iter_mut().filter(|condition| condition.kind == CLUSTER_DATA_PROTECTED) {
        let stands = told.is_some_and(|told| (told.status, told.generation) == (stored.status, stored.generation));
        if let Some(since) = since.filter(|_| !stands) {
            stored.since = since;
        }
    }
}

/// When a condition changed last, that of the copy aside.
fn latest_but_for_the_copy(status: &VrgStatus) -> Option<Time> {
    let others = status.conditions.iter().filter(|condition| condition.kind != CLUSTER_DATA_PROTECTED);
    others.map(|condition| condition.since).max()
}

/// When a condition changed last.
fn latest_change(view: &View<'_>, status: &VrgStatus) -> Time {
    status.conditions.iter().map(|condition| condition.since).max().unwrap_or(view.now())
}

fn delete(view: &View<'_>) -> Decision {
    let scene = deletion::scene(view);
    let mut decision = Decision::default();
    if scene.farewell.is_none() {
        return decision; // somebody else's finalizer keeps it
    }
    let (found, _) = walk(deletion::FIRST, &[], &scene, &mut decision);
    decision.position = Some(position(view, "deletion", found.as_ref()));
    if let Some((step, wait)) = &found
        && step.name != "RemovingFinalizer"
    {
        status::write_deletion(view, &scene, wait, step.name, &mut decision);
    }
    decision
}

type Found = Option<(&'static Step<Scene, Decision>, Wait)>;

/// Walks a book: `first` from the top to the first shut gate; if all are open, all of `together`. Tells where the VRG
/// stands, and whether a step of `first` holds it up.
fn walk(first: Book, together: Book, scene: &Scene, decision: &mut Decision) -> (Found, bool) {
    if let Some((step, wait)) = runbook::current(first, scene) {
        (step.act)(scene, decision);
        return (Some((step, wait)), true);
    }
    let mut found = None;
    for step in together {
        if let Gate::Shut(wait) = (step.gate)(scene) {
            (step.act)(scene, decision);
            found = found.or(Some((step, wait)));
        }
    }
    (found, false)
}

fn position(view: &View<'_>, book: &str, found: Option<&(&'static Step<Scene, Decision>, Wait)>) -> Position {
    runbook::position(book, &view.action(), found, view.now())
}
