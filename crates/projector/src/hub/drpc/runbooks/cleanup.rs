//! Clean-up around a home: every other cluster gives up the application and becomes its replica (spec drpc 4.5).

use ramen_events::{ClusterName, Time};

use crate::{domain::Decision, runbook::Gate};

use super::{
    super::{
        Drpc,
        action::Action,
        placement,
        site::{ON_ITS_WAY, Site},
        wanted::{self, FinalSync},
    },
    FREE_ITS_CLAIMS,
    handover::last_request_is_seen,
    remedy_for, wait,
};

/// `spec.action` of a VRG in a failover.
const FAILOVER: &str = "Failover";

/// The first peer of the home for which something does not hold.
fn first_peer(drpc: &Drpc, lacks: impl Fn(&Site) -> bool) -> Option<&Site> {
    let home = drpc.home()?.name.as_str();
    drpc.listed_sites().iter().find(|site| site.name.0 != home && lacks(site))
}

/// Each peer was asked to be secondary.
pub fn peers_are_asked(drpc: &Drpc) -> Gate {
    let doubted = drpc.home().filter(|home| home_in_doubt(drpc, &home.name.0).is_some());
    match (first_peer(drpc, |site| !is_asked(drpc, site)), doubted) {
        (None, _) => Gate::Open,
        (Some(_), Some(home)) => last_request_is_seen(home),
        (Some(site), None) if may_be_written(site) => Gate::Shut(wait(
            "the VolumeReplicationGroup to be asked to become secondary",
            Some(&site.name),
            "look whether the hub may write ManifestWorks",
        )),
        (Some(site), None) => Gate::Shut(wait(
            "the cluster to tell whether it has a VolumeReplicationGroup",
            Some(&site.name),
            remedy_for(site),
        )),
    }
}

/// Whether the cluster was asked for all of it. A peer that was made secondary by a relocation has to learn that a
/// failover came instead: only for a failover may it give up what the new primary does not hold (spec vrg V26).
fn is_asked(drpc: &Drpc, site: &Site) -> bool {
    let told = |spec: &ramen_events::hub::VrgSpec| drpc.action() != Action::Failover || spec.action == FAILOVER;
    let asked = |spec: &ramen_events::hub::VrgSpec| !spec.prepare_for_final_sync && !spec.run_final_sync && told(spec);
    site.is_wished_secondary() && site.wished().is_some_and(|manifest| asked(&manifest.spec)) && has_room(drpc, site)
}

/// The first version of the deciders that asks again for a namespace when that request failed and the VRG's did not.
const ROOM_SINCE: u32 = 4;

/// The cluster was asked for the VRG's namespace, too: without it no agent can apply the VRG.
pub fn has_room(drpc: &Drpc, site: &Site) -> bool {
    drpc.decider < ROOM_SINCE || site.namespace_work.is_some()
}

/// A work may be written where one is, or where the cluster said that it has no VRG: what is not known could be the
/// primary (spec drpc S11, S14).
pub fn may_be_written(site: &Site) -> bool {
    site.work.is_some() || site.is_empty()
}

/// Asks peers to be secondary.
pub fn demote_peers(drpc: &Drpc, decision: &mut Decision) {
    let Some(home) = drpc.home().map(|site| site.name.clone()) else { return };
    demote_others(drpc, &home, decision);
}

/// The first version of the deciders that asks nobody to step down for a home that may have been asked to step down itself.
const ONE_STEPS_DOWN_SINCE: u32 = 10;

/// Until when the home that is to stay may still hear of a request that nobody has seen: of two that step down for each other
/// none is left.
fn home_in_doubt(drpc: &Drpc, home: &str) -> Option<Time> {
    drpc.site(home).filter(|_| drpc.decider >= ONE_STEPS_DOWN_SINCE)?.in_doubt
}

/// Asks all clusters but one to be secondary.
pub fn demote_others(drpc: &Drpc, home: &ClusterName, decision: &mut Decision) {
    if let Some(until) = home_in_doubt(drpc, &home.0) {
        if until < ON_ITS_WAY {
            decision.ask_again(until, "a request to the home that is not seen by then was not made");
        }
        return;
    }
    for site in drpc.others(&home.0).filter(|site| !is_asked(drpc, site) && may_be_written(site)) {
        wanted::vrg_work(drpc, site, wanted::manifest(drpc, site, "secondary", FinalSync::No), decision);
    }
}

/// Each peer has accepted to be secondary: from then on it takes the loss of its claims for what it is. Only then may
/// its workload go (S6).
pub fn peers_have_accepted(drpc: &Drpc) -> Gate {
    let accepted = |site: &Site| site.answers() && site.vrg.replication_state == "secondary";
    match first_peer(drpc, |site| !accepted(site)) {
        Some(site) if !drpc.is_finished() => {
            Gate::Shut(wait("the VolumeReplicationGroup to accept being secondary", Some(&site.name), remedy_for(site)))
        }
        _ => Gate::Open,
    }
}

/// No old home keeps the workload any more.
pub fn old_home_is_released(drpc: &Drpc) -> Gate {
    let retained = drpc.decided.retained().next().map(|entry| entry.cluster.clone());
    match retained {
        None => Gate::Open,
        Some(cluster) => Gate::Shut(wait(
            "the placement to give up the old home",
            Some(&cluster),
            "look whether the hub may write placement decisions",
        )),
    }
}

/// Gives up old homes.
pub fn release_old_home(drpc: &Drpc, decision: &mut Decision) {
    placement::release(drpc, decision);
}

/// Each peer is secondary, and no request that is on its way yet may make it something else: whoever turns an action round
/// right after another cluster was asked to be primary has two of them in a moment.
pub fn peers_are_settled(drpc: &Drpc) -> Gate {
    if let Some(site) = first_peer(drpc, |site| site.in_doubt.is_some()) {
        return last_request_is_seen(site);
    }
    match first_peer(drpc, |site| !site.is_settled_secondary()) {
        Some(site) if !drpc.is_finished() => {
            let what = format!("volumes to become secondary{}", site.vrg.complaint(&["DataReady", "DataProtected"]));
            let remedy = if site.lost { remedy_for(site) } else { FREE_ITS_CLAIMS };
            Gate::Shut(wait(what, Some(&site.name), remedy))
        }
        _ => Gate::Open,
    }
}
