//! A move that is called back half way (spec drpc 5.4): the application was stopped, and nobody runs it.
//!
//! Where it was, its claims are being deleted, on our account. A primary takes the loss of a claim for its user's wish
//! and gives the volume up with it. So a cluster that was stopped never just goes on as primary: it hands over first, as
//! it would have for the move, and whoever is promoted then gets volumes and claims back.

use ramen_api::ramen::wire::{condition, reason};
use ramen_events::{Condition, ConditionStatus, Time, hub::VrgManifest};

use crate::{domain::Decision, runbook::Gate};

use super::{
    super::{
        Drpc,
        action::Action,
        gather::Clearing,
        placement,
        site::{ON_ITS_WAY, Site},
        wanted::{self, FinalSync},
    },
    FREE_ITS_CLAIMS,
    promotion::no_target,
    remedy_for, remedy_for_source, shown, wait,
};

/// The source was asked for a final synchronization already: what was checked before is not checked again, since to stop
/// half way is worse.
pub fn has_begun(source: &Site) -> bool {
    source.wished().is_some_and(|manifest| manifest.spec.prepare_for_final_sync || manifest.spec.run_final_sync)
}

/// The application was stopped, or may have been: no placement names it, or a hub that does not know yet asked for that.
pub fn is_stopped(drpc: &Drpc) -> bool {
    drpc.decided.current().is_none() || drpc.clearing != Clearing::No
}

/// The cluster that is still to be primary although the application there was stopped.
fn stopped(drpc: &Drpc) -> Option<&Site> {
    drpc.serving().filter(|site| has_begun(site) && is_stopped(drpc))
}

/// What the last action asked of the placement is known: where the application is decides which cluster is to step down, and two
/// answers to that make two that do.
pub fn placement_is_known(drpc: &Drpc) -> Gate {
    Gate::when(drpc.placing.is_none(), || {
        let what = "the last request to the placement to be answered, which may name another home,";
        wait(what, None, "look whether the hub may write placement decisions")
    })
}

/// Looks again once a request of which nothing was heard can't turn up any more.
pub fn wait_for_placement(drpc: &Drpc, decision: &mut Decision) {
    if let Some(until) = drpc.placing.filter(|until| *until < ON_ITS_WAY) {
        decision.ask_again(until, "a placement that is not seen by then was not written");
    }
}

/// No cluster is primary that was stopped, wherever the application is to go.
pub fn nobody_stopped_is_primary(drpc: &Drpc) -> Gate {
    match stopped(drpc) {
        None => Gate::Open,
        Some(site) if drpc.clearing == Clearing::Begun => Gate::Shut(wait(
            "the placement to be cleared, which may have happened already",
            Some(&site.name),
            "look whether the hub may write placement decisions",
        )),
        Some(site) => Gate::Shut(wait(
            "the VolumeReplicationGroup to be asked to hand over the volumes of the stopped application",
            Some(&site.name),
            "look whether the hub may write ManifestWorks",
        )),
    }
}

/// The same where the application is to stay: a move elsewhere has its own way of handing over.
pub fn target_was_not_stopped(drpc: &Drpc) -> Gate {
    if drpc.has_moved() { nobody_stopped_is_primary(drpc) } else { Gate::Open }
}

/// Brings a hand-over about.
pub fn hand_over(drpc: &Drpc, decision: &mut Decision) {
    let Some(site) = stopped(drpc) else { return };
    if drpc.clearing == Clearing::Begun {
        placement::clear(drpc, decision);
    } else {
        wanted::vrg_work(drpc, site, wanted::manifest(drpc, site, "secondary", FinalSync::No), decision);
    }
}

/// Where nobody is primary, all have accepted that, and handed over what they had.
pub fn volumes_are_handed_over(drpc: &Drpc) -> Gate {
    let Some(target) = drpc.target_site() else { return no_target() };
    if !target.is_wished_secondary() || drpc.sites.iter().any(Site::is_wished_primary) {
        return Gate::Open;
    }
    handed_over_but(drpc, has_nothing)
}

/// The first version of the deciders that waits for no cluster that was not asked for anything.
const UNASKED_SINCE: u32 = 11;

/// A rebuilt hub found replicas only, and a person decided which is to be the home: a cluster that said that it has no VRG, and was
/// asked for none, has nothing that it could hand over.
fn has_nothing(drpc: &Drpc, site: &Site) -> bool {
    drpc.decider >= UNASKED_SINCE && site.work.is_none() && site.is_empty()
}

/// Waits for others to hand over; looks again once a request that nobody has seen can't turn up any more.
pub fn wait_for_others(drpc: &Drpc, decision: &mut Decision) {
    for until in drpc.others(drpc.target()).filter_map(|site| site.in_doubt).filter(|until| *until < ON_ITS_WAY) {
        decision.ask_again(until, "a request that is not seen by then was not made");
    }
    if let Some(due) =
        drpc.others(drpc.target()).find_map(|site| hand_over_due(drpc, site)).filter(|due| drpc.now < *due)
    {
        decision.ask_again(due, "say what can be done about volumes that are not handed over");
    }
}

/// The first version of the deciders that brings an application back whose relocation does not get to hand over.
pub const STAYS_SINCE: u32 = 12;
/// The first version of the deciders that repeats what its VRG waits for, too.
const SAYS_SINCE: u32 = 14;
/// How long its volumes may take before that is said, in seconds.
const HAND_OVER_PATIENCE: u64 = 300;

/// Whether a cluster is where the application was last, and is to give it up by plan: a failover back loses nothing.
fn is_source(drpc: &Drpc, site: &Site) -> bool {
    let stays = drpc.decider >= STAYS_SINCE && drpc.action() == Action::Relocate;
    stays && drpc.last_home() == Some(site.name.as_str()) && site.name.0 != drpc.target()
}

/// What a cluster that stepped down for a relocation says of its data, if they are not handed over.
fn keeps_its_data(site: &Site) -> Option<&Condition> {
    let relocated = |manifest: &VrgManifest| manifest.spec.action == "Relocate";
    let stepped_down = site.answers() && site.is_wished_secondary() && site.wished().is_some_and(relocated);
    let said = site.vrg.condition(condition::DATA_PROTECTED).filter(|said| said.generation == site.vrg.generation);
    said.filter(|said| stepped_down && said.status == ConditionStatus::False)
}

/// Whether its volumes synchronize, which does not tell in which direction: where nobody is primary they take over nothing, and
/// where the replica went its own way nothing is handed over either.
pub fn synchronizes(site: &Site) -> bool {
    keeps_its_data(site).is_some_and(|said| said.reason == reason::REPLICATING)
}

/// When a source should have handed over.
fn hand_over_due(drpc: &Drpc, site: &Site) -> Option<Time> {
    let stands = drpc.standing("relocate").filter(|at| at.step == shown::ENSURING_VOLUMES_ARE_SECONDARY)?;
    (is_source(drpc, site) && keeps_its_data(site).is_some()).then(|| stands.since.plus_seconds(HAND_OVER_PATIENCE))
}

/// What can be done about a cluster that is there, and does not hand over.
fn remedy_for_late(drpc: &Drpc, site: &Site) -> String {
    let stay =
        format!("set spec.action to Failover and spec.failoverCluster to {}, which has the latest data", site.name);
    if let Some(target) = drpc.target_site().filter(|target| target.lost && is_source(drpc, site)) {
        return format!(
            "bring cluster {} back: the hub has lost it; if it cannot be brought back, {stay}",
            target.name
        );
    }
    if hand_over_due(drpc, site).is_some_and(|due| due <= drpc.now) {
        let target = drpc.target();
        let says = keeps_its_data(site).and_then(|_| site.vrg.condition(condition::DATA_READY));
        let says = says.filter(|said| {
            drpc.decider >= SAYS_SINCE && said.status == ConditionStatus::False && !said.message.is_empty()
        });
        let says =
            says.map(|said| format!("the VolumeReplicationGroup there says: {}; ", said.message)).unwrap_or_default();
        return format!(
            "{says}{FREE_ITS_CLAIMS}; if none does, look whether the storage of both clusters reaches each other; if nothing is \
             copied any more, the replica on cluster {target} went its own way: {stay}, and relocate once condition \
             Protected is True again"
        );
    }
    FREE_ITS_CLAIMS.to_owned()
}

/// Shut until what a cluster was asked last is seen in its work.
pub fn last_request_is_seen(site: &Site) -> Gate {
    let what = "the last request to be answered, which may ask it to be primary,";
    Gate::Shut(wait(what, Some(&site.name), "look whether the hub may write ManifestWorks"))
}

/// Every cluster is secondary, and all but the target have handed over their last write, in answer to this request.
pub fn others_have_handed_over(drpc: &Drpc) -> Gate {
    handed_over_but(drpc, |_, _| false)
}

fn handed_over_but(drpc: &Drpc, has_nothing: fn(&Drpc, &Site) -> bool) -> Gate {
    // Not the target: a request to it is overwritten, not joined, by the next one.
    if let Some(site) = drpc.others(drpc.target()).find(|site| site.in_doubt.is_some()) {
        return last_request_is_seen(site);
    }
    let handed_over = |site: &Site| site.is_settled_secondary() && site.vrg.holds(condition::DATA_PROTECTED);
    // The target may have been the source a moment ago: its claims of then have to be gone before it is primary again.
    let target = drpc.target_site().filter(|site| site.is_wished_secondary() && !site.is_settled_secondary());
    let late = drpc.others(drpc.target()).find(|site| !handed_over(site) && !has_nothing(drpc, site)).or(target);
    late.map_or(Gate::Open, |site| {
        let complaint = site.vrg.complaint(&[condition::DATA_READY, condition::DATA_PROTECTED]);
        let remedy = match (site.lost, drpc.action()) {
            (true, Action::Relocate) if site.name.0 != drpc.target() => remedy_for_source(drpc, site),
            (true, _) => remedy_for(site).to_owned(),
            (false, _) => remedy_for_late(drpc, site),
        };
        Gate::Shut(wait(format!("volumes to become secondary{complaint}"), Some(&site.name), remedy))
    })
}
