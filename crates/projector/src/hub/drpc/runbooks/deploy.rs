//! Protect an application (spec drpc 4.2): its home becomes primary, the placement names it, the peer its replica.
//!
//! It is also what a cleared action comes to: the application stays where it is, and what the former action left half
//! done is finished there.

use crate::{domain::Decision, runbook::Gate};

use super::{
    super::{
        Drpc,
        wanted::{self, FinalSync},
    },
    Step,
    cleanup::{
        demote_peers, may_be_written, old_home_is_released, peers_are_asked, peers_are_settled, peers_have_accepted,
        release_old_home,
    },
    handover::{
        hand_over, nobody_stopped_is_primary, placement_is_known, volumes_are_handed_over, wait_for_others,
        wait_for_placement,
    },
    promotion::{decide_target, mark_target, no_target, target_is_decided, target_is_marked, target_is_ready},
    shown, step, wait, wait_only,
};

/// The table.
pub const DEPLOY: &[Step] = &[
    //   progression shown                 done when              what brings it about
    step!(shown::ENSURING_VOLUMES_ARE_SECONDARY, placement_is_known, wait_for_placement),
    step!(shown::ENSURING_VOLUMES_ARE_SECONDARY, nobody_stopped_is_primary, hand_over),
    step!(shown::ENSURING_VOLUMES_ARE_SECONDARY, volumes_are_handed_over, wait_for_others), // S2
    step!(shown::CREATING_MW, home_is_asked, ask_all),
    step!(shown::WAIT_FOR_READINESS, home_is_ready_if_it_was_demoted, wait_only), // S5
    step!(shown::UPDATING_PL_RULE, target_is_marked, mark_target),
    step!(shown::UPDATING_PL_RULE, target_is_decided, decide_target),
    step!(shown::ENSURING_VOL_SYNC_SETUP, peers_are_asked, demote_peers),
    step!(shown::SETTING_UP_VOL_SYNC_DEST, peers_have_accepted, wait_only),
    step!(shown::CLEANING_UP, old_home_is_released, release_old_home),
    step!(shown::SETTING_UP_VOL_SYNC_DEST, peers_are_settled, wait_for_others),
];

fn home_is_asked(drpc: &Drpc) -> Gate {
    let Some(home) = drpc.target_site() else { return no_target() };
    let spec = home.wished().map(|manifest| &manifest.spec);
    let asked = spec.is_some_and(|s| s.state == "primary" && !s.prepare_for_final_sync && !s.run_final_sync);
    Gate::when(asked && home.namespace_work.is_some(), || {
        if may_be_written(home) {
            let remedy = "look whether the hub may write ManifestWorks";
            wait("the VolumeReplicationGroup to be written", Some(&home.name), remedy)
        } else {
            let remedy = super::remedy_for(home);
            wait("the cluster to tell whether it has a VolumeReplicationGroup", Some(&home.name), remedy)
        }
    })
}

/// The home as primary; peers that have nothing yet as its replicas, in the same go.
fn ask_all(drpc: &Drpc, decision: &mut Decision) {
    let Some(home) = drpc.target_site().filter(|home| may_be_written(home)) else { return };
    wanted::vrg_work(drpc, home, wanted::manifest(drpc, home, "primary", FinalSync::No), decision);
    for peer in drpc.others(&home.name.0).filter(|peer| peer.work.is_none() && peer.is_empty()) {
        wanted::vrg_work(drpc, peer, wanted::manifest(drpc, peer, "secondary", FinalSync::No), decision);
    }
}

/// The first version of the deciders that does not take a move that was called back for a first deployment.
const CALLED_BACK_SINCE: u32 = 4;

/// An application that is deployed for the first time brings its claims with it. One whose volumes were handed over
/// has to have them back first: claims that its deployment makes before get empty volumes. A hub that lost its log sees
/// a cleared action and nothing before it; that the home took part in a move its VRG still tells.
fn home_is_ready_if_it_was_demoted(drpc: &Drpc) -> Gate {
    let named = drpc.decided.current().is_some_and(|cluster| cluster.0 == drpc.target());
    let home = drpc.target_site().and_then(|home| home.wished());
    let moved = drpc.decider >= CALLED_BACK_SINCE && home.is_some_and(|manifest| !manifest.spec.action.is_empty());
    if (drpc.asked.first && !moved) || named { Gate::Open } else { target_is_ready(drpc) }
}
