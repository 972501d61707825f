//! Failover (spec drpc 4.3): the target becomes primary without the old home, which cleans up when it can.

use ramen_events::hub::ProtectedPvc;

use crate::runbook::Gate;

use super::{
    super::{
        Drpc,
        site::Site,
        vrg::Presence,
        wanted::{self, FinalSync},
    },
    Step,
    cleanup::{
        demote_peers, old_home_is_released, peers_are_asked, peers_are_settled, peers_have_accepted, release_old_home,
    },
    handover::{hand_over, target_was_not_stopped},
    promotion::{decide_target, mark_target, no_target, promote, target_is_decided, target_is_marked, target_is_ready},
    remedy_for, shown, step, wait, wait_only,
};
use crate::domain::Decision;

/// The table.
pub const FAILOVER: &[Step] = &[
    //   progression shown                             done when           what brings it about
    step(shown::ENSURING_VOLUMES_ARE_SECONDARY, target_was_not_stopped, hand_over),
    step(shown::CHECKING_FAILOVER_PREREQUISITES, target_may_take_over, ensure_replica), // 5.1
    step(shown::WAIT_FOR_STORAGE_MAINTENANCE, storage_is_told, wait_only),              // 5.3
    step(shown::WAITING_FOR_RESOURCE_RESTORE, target_is_ready, promote),
    step(shown::UPDATED_PLACEMENT, target_is_marked, mark_target),
    step(shown::UPDATED_PLACEMENT, target_is_decided, decide_target),
    step(shown::CLEANING_UP, peers_are_asked, demote_peers),
    step(shown::CLEANING_UP, peers_have_accepted, wait_only),
    step(shown::CLEANING_UP, old_home_is_released, release_old_home),
    step(shown::CLEANING_UP, peers_are_settled, wait_only),
];

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
    if target.is_settled_secondary() {
        return Gate::Open;
    }
    let what = match &target.vrg.presence {
        Presence::Absent if nobody_else => "an application: no cluster has it, deploy it with spec.action cleared",
        Presence::Absent => "a replica: the failover cluster has no VolumeReplicationGroup",
        Presence::Present => "the replica to be settled as secondary, before it can take over,",
        Presence::Unasked | Presence::Unclear(_) => "the failover cluster to show its VolumeReplicationGroup",
    };
    Gate::Shut(wait(what, on, remedy_for(target)))
}

/// A target without a replica gets one, if there is an application that it could be a replica of. One that is stepping
/// down for a relocation hears that the relocation is off, and waits for the other cluster no more.
fn ensure_replica(drpc: &Drpc, decision: &mut Decision) {
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

/// Storage that wants to be told of a failover was told (S7). The last known primary says which does.
fn storage_is_told(drpc: &Drpc) -> Gate {
    let Some(target) = drpc.target_site() else { return no_target() };
    if target.is_wished_primary() {
        return Gate::Open;
    }
    let claims = drpc
        .others(drpc.target())
        .filter(|site| site.vrg.is_asked_primary())
        .filter_map(|site| site.vrg.seen.as_ref()?.status.as_ref())
        .flat_map(|status| &status.protected_pvcs);
    let told = |pvc: &&ProtectedPvc| {
        let pair = (pvc.provisioner.clone(), pvc.replication_id.clone());
        !pvc.failover_mode || target.activated.contains(&pair)
    };
    let untold = claims.into_iter().find(|pvc| !told(pvc));
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
