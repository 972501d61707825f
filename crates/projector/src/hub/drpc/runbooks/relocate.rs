//! Relocation (spec drpc 4.4): the application stops, its last writes are carried over, and it starts elsewhere.
//!
//! What comes first finishes an earlier action that was left half way (5.4). What comes before the promotion is past once
//! the target serves.

use ramen_api::ramen::wire::condition;

use crate::{domain::Decision, runbook::Gate};

use super::{
    super::{
        Drpc,
        gather::Clearing,
        mirror, placement,
        site::Site,
        wanted::{self, FinalSync},
    },
    Step, WITHOUT_SOURCE_SINCE,
    cleanup::{
        demote_peers, old_home_is_released, peers_are_asked, peers_are_settled, peers_have_accepted, release_old_home,
    },
    found::{found_home_is_asked, protect_found_home},
    handover::{
        hand_over, has_begun, others_have_handed_over, placement_is_known, target_was_not_stopped, wait_for_others,
        wait_for_placement,
    },
    promotion::{decide_target, mark_target, promote, target_is_decided, target_is_marked, target_is_ready},
    remedy_for_source, shown, step, wait, wait_only,
};

/// The table.
pub const RELOCATE: &[Step] = &[
    //   progression shown                          done when              what brings it about
    step!(shown::PREPARING_FINAL_SYNC, placement_is_known, wait_for_placement),
    step!(shown::PREPARING_FINAL_SYNC, an_application_exists, wait_only), // R1
    step!(shown::PREPARING_FINAL_SYNC, found_home_is_asked, protect_found_home),
    step!(shown::ENSURING_VOLUMES_ARE_SECONDARY, target_was_not_stopped, hand_over),
    step!(shown::CLEANING_UP, earlier_peers_are_asked, demote_peers),
    step!(shown::CLEANING_UP, earlier_peers_have_accepted, wait_only),
    step!(shown::CLEANING_UP, earlier_old_home_is_released, release_old_home),
    step!(shown::CLEANING_UP, earlier_peers_are_settled, wait_for_others),
    step!(shown::PREPARING_FINAL_SYNC, source_is_protected, wait_only), // S3
    step!(shown::PREPARING_FINAL_SYNC, source_is_placed, place_source),
    step!(shown::PREPARING_FINAL_SYNC, final_sync_is_prepared, prepare_final_sync),
    step!(shown::CLEARING_PLACEMENT, placement_is_cleared, clear_placement), // S4
    step!(shown::RUNNING_FINAL_SYNC, final_sync_is_done, run_final_sync),
    step!(shown::ENSURING_VOLUMES_ARE_SECONDARY, source_is_asked_to_step_down, demote_source),
    step!(shown::ENSURING_VOLUMES_ARE_SECONDARY, volumes_are_secondary, wait_for_others), // S2
    step!(shown::WAITING_FOR_RESOURCE_RESTORE, target_is_ready, promote),
    step!(shown::UPDATED_PLACEMENT, target_is_marked, mark_target),
    step!(shown::UPDATED_PLACEMENT, target_is_decided, decide_target),
    step!(shown::CLEANING_UP, peers_are_asked, demote_peers),
    step!(shown::CLEANING_UP, peers_have_accepted, wait_only),
    step!(shown::CLEANING_UP, old_home_is_released, release_old_home),
    step!(shown::CLEANING_UP, peers_are_settled, wait_for_others),
];

/// Some cluster has, or had, the application.
fn an_application_exists(drpc: &Drpc) -> Gate {
    Gate::when(drpc.sites.iter().any(|site| site.work.is_some()), || {
        wait("an application to be relocated: no cluster has one", None, "clear spec.action, so that it is deployed")
    })
}

/// What an earlier action left is finished around the cluster that still serves; afterwards nothing comes before.
fn before_move(drpc: &Drpc, gate: fn(&Drpc) -> Gate) -> Gate {
    if drpc.has_moved() { Gate::Open } else { gate(drpc) }
}

fn earlier_peers_are_asked(drpc: &Drpc) -> Gate {
    before_move(drpc, peers_are_asked)
}

fn earlier_peers_have_accepted(drpc: &Drpc) -> Gate {
    before_move(drpc, peers_have_accepted)
}

fn earlier_old_home_is_released(drpc: &Drpc) -> Gate {
    before_move(drpc, old_home_is_released)
}

fn earlier_peers_are_settled(drpc: &Drpc) -> Gate {
    before_move(drpc, peers_are_settled)
}

/// The cluster that gives the application up; `None` once nothing but the target is, or is to be, primary.
fn source(drpc: &Drpc) -> Option<&Site> {
    drpc.serving().filter(|site| site.name.0 != drpc.target())
}

/// The source can be recovered from, and both clusters are there to do their part.
fn source_is_protected(drpc: &Drpc) -> Gate {
    let Some(source) = source(drpc) else { return Gate::Open };
    if has_begun(source) {
        return Gate::Open;
    }
    if let Some(lost) = drpc.listed_sites().iter().find(|site| site.lost) {
        let what = "both clusters to be reachable: a relocation loses no write, which takes both";
        let other = if lost.name == source.name { drpc.target() } else { source.name.as_str() };
        let mut remedy = "bring the cluster back, or set spec.action to Failover".to_owned();
        if drpc.decider >= WITHOUT_SOURCE_SINCE {
            remedy += &format!(" and spec.failoverCluster to {other}");
        }
        return Gate::Shut(wait(what, Some(&lost.name), remedy));
    }
    if let Some(gate) = target_is_obstructed(drpc) {
        return gate;
    }
    let protected = source.answers()
        && source.vrg.holds(condition::DATA_READY)
        && source.vrg.holds(condition::CLUSTER_DATA_PROTECTED);
    Gate::when(protected, || {
        let complaint = source.vrg.complaint(&[condition::DATA_READY, condition::CLUSTER_DATA_PROTECTED]);
        wait(format!("the application to be protected{complaint}"), Some(&source.name), remedy_for_source(drpc, source))
    })
}

/// The target cannot take the application's claims, so the application stays up where it is.
fn target_is_obstructed(drpc: &Drpc) -> Option<Gate> {
    let target = drpc.target_site().filter(|_| drpc.decider >= mirror::CONFLICT_SINCE)?;
    let said = target.vrg.conflict()?;
    let what = if said.message.is_empty() {
        format!("claims to be gone that are in the way of the application's ({} is {})", said.kind, said.reason)
    } else {
        format!("claims to be gone that are in the way of the application's ({})", said.message)
    };
    let remedy = "delete what the VolumeReplicationGroup there names";
    Some(Gate::Shut(wait(what, Some(&target.name), remedy)))
}

/// The first version of the deciders that has the placement name the home before it is cleared.
const PLACES_SINCE: u32 = 4;

/// The placement names the cluster that the application is to leave. On a hub that was rebuilt no placement does, and who
/// deploys applications takes none away from where none was placed. Once the final synchronization runs, it was taken away.
fn source_is_placed(drpc: &Drpc) -> Gate {
    let nowhere = drpc.decided.is_nowhere() && drpc.clearing == Clearing::No;
    let runs = |source: &&Site| source.wished().is_some_and(|manifest| manifest.spec.run_final_sync);
    match source(drpc).filter(|source| drpc.decider >= PLACES_SINCE && nowhere && !runs(source)) {
        None => Gate::Open,
        Some(_) if was_placed(drpc) => Gate::Open,
        Some(source) => Gate::Shut(wait(
            "the placement to name the cluster that the application is on",
            Some(&source.name),
            "look whether the hub may write placement decisions",
        )),
    }
}

/// This relocation was further already: who cleared the placement since is another hub that believes that it leads.
fn was_placed(drpc: &Drpc) -> bool {
    drpc.standing("relocate").is_some_and(|at| match at.step.as_str() {
        shown::PREPARING_FINAL_SYNC => at.wait.as_ref().is_some_and(|wait| wait.what == PREPARED),
        step => step == shown::CLEARING_PLACEMENT || step == shown::RUNNING_FINAL_SYNC,
    })
}

/// How long the placement names nothing before it is written, in seconds. A hub that led until a moment ago may have cleared
/// it, and be about to run the final synchronization.
const NAMELESS: u64 = 5;

fn place_source(drpc: &Drpc, decision: &mut Decision) {
    let Some(source) = source(drpc) else { return };
    let due = drpc.standing("relocate").map_or(drpc.now, |at| at.since).plus_seconds(NAMELESS);
    if drpc.now < due {
        decision.ask_again(due, "have the placement name the cluster that the application is on");
        return;
    }
    placement::place(drpc, &source.name, decision);
}

/// What a source that was asked to prepare is waited for.
const PREPARED: &str = "the final synchronization to be prepared";

/// The source is ready for the final synchronization, in answer to this request (10, P9).
fn final_sync_is_prepared(drpc: &Drpc) -> Gate {
    let Some(source) = source(drpc) else { return Gate::Open };
    let spec = source.wished().map(|manifest| &manifest.spec);
    let (asked, running) = spec.map_or((false, false), |spec| (spec.prepare_for_final_sync, spec.run_final_sync));
    Gate::when(running || (asked && source.answers() && source.vrg.prepare_complete), || {
        wait(PREPARED, Some(&source.name), remedy_for_source(drpc, source))
    })
}

fn prepare_final_sync(drpc: &Drpc, decision: &mut Decision) {
    ask_source(drpc, FinalSync::Prepare, decision);
}

/// The application stops: no cluster is to run it.
fn placement_is_cleared(drpc: &Drpc) -> Gate {
    if drpc.has_moved() {
        return Gate::Open;
    }
    if !drpc.decided.ambiguity.is_empty() {
        return Gate::Shut(wait("one placement decision", None, &drpc.decided.ambiguity)); // P27
    }
    Gate::when(drpc.decided.current().is_none(), || {
        wait("the placement to be cleared", None, "look whether the hub may write placement decisions")
    })
}

fn clear_placement(drpc: &Drpc, decision: &mut Decision) {
    placement::clear(drpc, decision);
}

/// The final synchronization ran, in answer to this request.
fn final_sync_is_done(drpc: &Drpc) -> Gate {
    let Some(source) = source(drpc) else { return Gate::Open };
    let asked = source.wished().is_some_and(|manifest| manifest.spec.run_final_sync);
    Gate::when(asked && source.answers() && source.vrg.final_sync_complete, || {
        wait("the final synchronization", Some(&source.name), remedy_for_source(drpc, source))
    })
}

fn run_final_sync(drpc: &Drpc, decision: &mut Decision) {
    ask_source(drpc, FinalSync::Run, decision);
}

fn ask_source(drpc: &Drpc, wanted: FinalSync, decision: &mut Decision) {
    let Some(source) = source(drpc) else { return };
    let spec = source.wished().map(|manifest| &manifest.spec);
    let asked = spec.is_some_and(|spec| {
        (spec.prepare_for_final_sync, spec.run_final_sync) == (wanted == FinalSync::Prepare, wanted == FinalSync::Run)
    });
    if !asked {
        wanted::vrg_work(drpc, source, wanted::manifest(drpc, source, "primary", wanted), decision);
    }
}

/// Only the source is demoted, by plan: a target that is on its way up is left alone (10, P10).
fn source_is_asked_to_step_down(drpc: &Drpc) -> Gate {
    let Some(source) = source(drpc) else { return Gate::Open };
    Gate::Shut(wait(
        "the VolumeReplicationGroup to be asked to become secondary",
        Some(&source.name),
        "look whether the hub may write ManifestWorks",
    ))
}

fn demote_source(drpc: &Drpc, decision: &mut Decision) {
    if let Some(source) = source(drpc) {
        wanted::vrg_work(drpc, source, wanted::manifest(drpc, source, "secondary", FinalSync::No), decision);
    }
}

/// Every other cluster is secondary and has handed over its last write, in answer to this request.
fn volumes_are_secondary(drpc: &Drpc) -> Gate {
    if drpc.has_moved() {
        return Gate::Open;
    }
    others_have_handed_over(drpc)
}
