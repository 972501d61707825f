//! Steps that failover and relocation share: make the target primary, then send the application there.

use ramen_api::ramen::wire::{annotation, condition};
use ramen_events::hub::PlacementKind;

use crate::{domain::Decision, runbook::Gate};

use super::{
    super::{
        Drpc, placement,
        site::Site,
        wanted::{self, FinalSync},
    },
    remedy_for, wait,
};

/// The target was asked to be primary for this action, and has answered that it is, with everything restored.
pub fn target_is_ready(drpc: &Drpc) -> Gate {
    let Some(target) = drpc.target_site() else { return no_target() };
    if !is_asked(drpc, target) {
        return Gate::Shut(wait(
            "the VolumeReplicationGroup to be asked to become primary",
            Some(&target.name),
            "look whether the hub may write ManifestWorks",
        ));
    }
    Gate::when(drpc.is_finished() || target.is_ready(), || {
        let complaint = target.vrg.complaint(&[condition::CLUSTER_DATA_READY, condition::DATA_READY]);
        let what = format!("volumes to be restored and primary{complaint}");
        wait(what, Some(&target.name), remedy_for(target))
    })
}

/// What this action asks of its target stands in the work: final synchronization that another action asked for does not.
pub fn is_asked(drpc: &Drpc, target: &Site) -> bool {
    let Some(manifest) = target.wished() else { return false };
    let spec = &manifest.spec;
    let same_action = drpc.fact.spec.action.is_empty() || spec.action == drpc.fact.spec.action;
    let asked = spec.state == "primary" && same_action && !spec.prepare_for_final_sync && !spec.run_final_sync;
    asked && super::cleanup::has_room(drpc, target)
}

/// The first version of the deciders that calls back a cluster to which an application never came, though it had left.
const CALLS_BACK_SINCE: u32 = 4;

/// Asks the target to be primary. Where the application is there already, or never came anywhere else since, another
/// cluster that an abandoned action asked to be primary is called back at the same time: it never had the application.
pub fn promote(drpc: &Drpc, decision: &mut Decision) {
    let never_left = |target: &Site| {
        let stopped = drpc.decided.is_nowhere() && drpc.last_home() == Some(target.name.as_str());
        drpc.decided.current() == Some(&target.name) || (drpc.decider >= CALLS_BACK_SINCE && stopped)
    };
    if let Some(target) = drpc.target_site().filter(|target| never_left(target)) {
        super::cleanup::demote_others(drpc, &target.name, decision);
    }
    if let Some(target) = drpc.target_site().filter(|target| !is_asked(drpc, target)) {
        wanted::vrg_work(drpc, target, wanted::manifest(drpc, target, "primary", FinalSync::No), decision);
    }
}

/// The DRPC says where the application goes, before the placement does (spec drpc 3.5).
pub fn target_is_marked(drpc: &Drpc) -> Gate {
    let meta = &drpc.fact.meta;
    let action = &drpc.fact.spec.action;
    let marked = meta.annotation(annotation::LAST_APP_CLUSTER) == drpc.target()
        && meta.annotations.get(annotation::LAST_ACTION) == Some(action);
    // A cleared action changes nothing of where the application is.
    let stays = action.is_empty() && meta.annotation(annotation::LAST_APP_CLUSTER) == drpc.target();
    Gate::when(marked || stays, || {
        wait("the new home to be noted on the DRPlacementControl", None, "look whether the hub may patch it")
    })
}

/// Notes the new home, and counts the action.
pub fn mark_target(drpc: &Drpc, decision: &mut Decision) {
    placement::mark(drpc, decision);
}

/// The placement names the target.
pub fn target_is_decided(drpc: &Drpc) -> Gate {
    let decided = &drpc.decided;
    if !decided.ambiguity.is_empty() {
        return Gate::Shut(wait("one placement decision", None, &decided.ambiguity));
    }
    let named = decided.current().is_some_and(|cluster| cluster.0 == drpc.target());
    Gate::when(named && (decided.labelled || decided.kind == PlacementKind::Rule), || {
        let target = drpc.target_site().map(|site| &site.name);
        wait("the placement to name the new home", target, "look whether the hub may write placement decisions")
    })
}

/// Has the placement name the target; the old home keeps the workload until its volumes are handed over.
pub fn decide_target(drpc: &Drpc, decision: &mut Decision) {
    placement::decide(drpc, decision);
}

/// The target is no cluster of the policy: validation tells that.
pub fn no_target() -> Gate {
    Gate::Shut(wait("a target that is a cluster of the policy", None, "correct the cluster named in spec"))
}
