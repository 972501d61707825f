//! Failover (spec drpc 4.3): the target becomes primary without the old home, which cleans up when it can.

use ramen_events::hub::ProtectedPvc;

use crate::runbook::Gate;

use super::{
    super::{
        Drpc, placement,
        site::Site,
        storage,
        vrg::Presence,
        wanted::{self, FinalSync},
    },
    FREE_ITS_VOLUMES, Step,
    cleanup::{
        demote_peers, old_home_is_released, peers_are_asked, peers_are_settled, peers_have_accepted, release_old_home,
    },
    found::{found_home_is_asked, protect_found_home},
    handover::{self, hand_over, placement_is_known, target_was_not_stopped, wait_for_others, wait_for_placement},
    promotion::{
        self, decide_target, mark_target, no_target, promote, target_is_decided, target_is_marked, target_is_ready,
    },
    remedy_for, shown, step, wait, wait_only,
};
use crate::{domain::Decision, hub::modes};

/// The table.
pub const FAILOVER: &[Step] = &[
    //   progression shown                             done when           what brings it about
    step!(shown::ENSURING_VOLUMES_ARE_SECONDARY, placement_is_known, wait_for_placement),
    step!(shown::ENSURING_VOLUMES_ARE_SECONDARY, target_was_not_stopped, hand_over),
    step!(shown::CHECKING_FAILOVER_PREREQUISITES, found_home_is_asked, protect_found_home),
    step!(shown::CHECKING_FAILOVER_PREREQUISITES, target_may_take_over, ensure_replica), // 5.1
    step!(shown::WAIT_FOR_STORAGE_MAINTENANCE, storage_is_told, wait_only),              // 5.3
    step!(shown::WAITING_FOR_RESOURCE_RESTORE, target_was_ready, promote),
    step!(shown::UPDATED_PLACEMENT, target_is_marked, mark_target),
    step!(shown::UPDATED_PLACEMENT, target_is_decided, decide_target),
    step!(shown::CLEANING_UP, peers_are_asked, demote_peers),
    step!(shown::CLEANING_UP, peers_have_accepted, wait_only),
    step!(shown::CLEANING_UP, old_home_is_released, release_old_home),
    step!(shown::CLEANING_UP, peers_are_settled, wait_for_others),
];

/// The first version of the deciders that cleans up although a claim joined the target that can't be protected there.
const MOVED_IN_SINCE: u32 = 6;

/// The target is ready, or was when the application was sent there: while the old home still has it, too, nothing is more
/// urgent than to take it away there. What is wrong with the target since is told once that is done.
fn target_was_ready(drpc: &Drpc) -> Gate {
    let moved_in = drpc.decided.retained().next().is_some() && target_is_decided(drpc).is_open();
    let is_asked = drpc.target_site().is_some_and(|target| promotion::is_asked(drpc, target));
    if drpc.decider >= MOVED_IN_SINCE && moved_in && is_asked { Gate::Open } else { target_is_ready(drpc) }
}

/// The target has a replica that is nobody's primary: secondary in answer to our last wish. A target that was asked to
/// be primary already goes on. So that the last home of an application that was on its way elsewhere settles without the
/// other cluster, it is told of the failover first.
pub fn target_may_take_over(drpc: &Drpc) -> Gate {
    let Some(target) = drpc.target_site() else { return no_target() };
    if target.is_wished_primary() {
        return Gate::Open;
    }
    let on = Some(&target.name);
    if target.lost {
        return Gate::Shut(wait("the hub to reach the failover cluster again", on, remedy_for(target)));
    }
    let nobody_else = !drpc.others(drpc.target()).any(Site::is_wished_primary);
    if target.is_settled_secondary() || has_waited(drpc, target) || (nobody_else && was_home(drpc, target)) {
        return Gate::Open;
    }
    let what = match &target.vrg.presence {
        Presence::Absent if nobody_else => "an application: no cluster has it, deploy it with spec.action cleared",
        Presence::Absent => "a replica: the failover cluster has no VolumeReplicationGroup",
        Presence::Present => "the replica to be settled as secondary, before it can take over,",
        Presence::Unasked | Presence::Unclear(_) => "the failover cluster to show its VolumeReplicationGroup",
    };
    let remedy = if drpc.decider >= IMPATIENT_SINCE && target.is_wished_secondary() {
        FREE_ITS_VOLUMES
    } else {
        remedy_for(target)
    };
    Gate::Shut(wait(what, on, remedy))
}

/// The application was there last, and a relocation away from it does not get to its end: it has all data, and nobody has
/// others that it could take over. Told to give its data up for those of a primary, it would wait for one for ever.
fn was_home(drpc: &Drpc, target: &Site) -> bool {
    let last = drpc.last_home() == Some(target.name.as_str());
    drpc.decider >= handover::STAYS_SINCE && last && handover::synchronizes(target)
}

/// How long the target may take to settle as secondary, in seconds, when the other cluster is lost: it may need that one.
const SETTLING_ALONE: u64 = 60;
/// The same while the other cluster is there: what was written on it since would be given up, so somebody is told first what
/// is in the way. Not for ever: its storage may be what fails.
const SETTLING: u64 = 600;
/// The first version of the deciders that does not wait for ever for that.
const IMPATIENT_SINCE: u32 = 3;

/// The target was stepping down for an earlier action, and does not get to its end: it may need the other cluster for that,
/// or the application may still run there, because that earlier action was not through. It has what it has: a failover
/// takes that.
fn has_waited(drpc: &Drpc, target: &Site) -> bool {
    if drpc.decider < IMPATIENT_SINCE || !target.is_wished_secondary() || !target.vrg.is_present() {
        return false;
    }
    let Some(at) = drpc.standing("failover") else { return false };
    let before = [shown::ENSURING_VOLUMES_ARE_SECONDARY, shown::CHECKING_FAILOVER_PREREQUISITES];
    let passed = !before.contains(&at.step.as_str());
    passed || (at.step == shown::CHECKING_FAILOVER_PREREQUISITES && at.since.plus_seconds(settling(drpc)) <= drpc.now)
}

fn settling(drpc: &Drpc) -> u64 {
    if drpc.others(drpc.target()).any(|site| site.lost) { SETTLING_ALONE } else { SETTLING }
}

/// A target without a replica gets one, if there is an application that it could be a replica of. One that is stepping
/// down for a relocation hears that the relocation is off, and waits for the other cluster no more.
fn ensure_replica(drpc: &Drpc, decision: &mut Decision) {
    let_go_of_workload(drpc, decision);
    ask_again(drpc, decision);
    let nobody = !drpc.sites.iter().any(Site::is_wished_primary);
    if let Some(target) = drpc.target_site().filter(|target| nobody && target.is_wished_secondary()) {
        let told = target.wished().is_some_and(|manifest| manifest.spec.action == drpc.fact.spec.action);
        if !told && !target.is_settled_secondary() {
            wanted::vrg_work(drpc, target, wanted::manifest(drpc, target, "secondary", FinalSync::No), decision);
        }
        return;
    }
    let target = drpc.target_site().filter(|target| target.work.is_none() && target.is_empty());
    if let Some(target) = target.filter(|_| drpc.serving().is_some()) {
        wanted::vrg_work(drpc, target, wanted::manifest(drpc, target, "secondary", FinalSync::No), decision);
    }
}

/// The target was the home until a failover that is not through yet, which keeps the workload there until the volumes are
/// handed over. It has accepted to be secondary: without its workload it settles (S6).
fn let_go_of_workload(drpc: &Drpc, decision: &mut Decision) {
    let accepted = |site: &&Site| site.answers() && site.vrg.replication_state == "secondary";
    let retained = |site: &&Site| drpc.decided.retained().any(|entry| entry.cluster == site.name);
    if drpc.decider >= IMPATIENT_SINCE && drpc.target_site().filter(accepted).filter(retained).is_some() {
        placement::release(drpc, decision);
    }
}

fn ask_again(drpc: &Drpc, decision: &mut Decision) {
    let waits = drpc.target_site().is_some_and(|target| target.is_wished_secondary() && target.vrg.is_present());
    if drpc.decider >= IMPATIENT_SINCE && waits {
        let at = drpc.standing("failover").filter(|at| at.step == shown::CHECKING_FAILOVER_PREREQUISITES);
        let since = at.map_or(drpc.now, |position| position.since);
        decision.ask_again(since.plus_seconds(settling(drpc)), "take over what the failover cluster has");
    }
}

/// Storage that wants to be told of a failover was told, and is prepared (S7). The last known primary says which does. The
/// DRCluster of the target asks it.
fn storage_is_told(drpc: &Drpc) -> Gate {
    let Some(target) = drpc.target_site() else { return no_target() };
    if target.is_wished_primary() {
        return Gate::Open;
    }
    if drpc.decider < modes::SINCE {
        return is_reported(drpc, target);
    }
    let Some(late) = target.preparations.iter().find(|standing| !standing.activated) else { return Gate::Open };
    let words = if late.words.is_empty() { String::new() } else { format!(" ({})", late.words) };
    let what = format!(
        "storage {} to prepare relation {} for a failover{words}",
        named(&late.pair.provisioner),
        named(&late.pair.id)
    );
    let mode = if late.mode.is_empty() {
        format!("look whether DRCluster {} may ask it with a MaintenanceMode", target.name)
    } else {
        format!(
            "look at MaintenanceMode {} on cluster {}, and at the log of the operator of that storage there",
            late.mode, target.name
        )
    };
    Gate::Shut(wait(what, Some(&target.name), mode))
}

fn named(name: &str) -> &str {
    if name.is_empty() { "of an unknown name" } else { name }
}

/// The same for deciders that only read what others asked for.
fn is_reported(drpc: &Drpc, target: &Site) -> Gate {
    let told = |pvc: &&ProtectedPvc| target.activated.contains(&(pvc.provisioner.clone(), pvc.replication_id.clone()));
    let untold = storage::claims(drpc.listed_sites(), drpc.target()).find(|pvc| !told(pvc));
    untold.map_or(Gate::Open, |pvc| {
        let what = format!(
            "storage {} to prepare relation {} for a failover (maintenance mode Failover)",
            pvc.provisioner, pvc.replication_id
        );
        let remedy = "this version does not ask storage for maintenance modes yet: remove label \
                      ramendr.openshift.io/maintenancemodes from the VolumeReplicationClass if the storage does not \
                      need it";
        Gate::Shut(wait(what, Some(&target.name), remedy))
    })
}
