//! Deletion (spec drpc 6): an application that is on its way comes to a home first; then replicas go before the primary,
//! so that replication ends under a live application; the application itself and its namespaces stay. What has to go is
//! read off our own works, not off what a cluster shows (10, P5), so a DRPC without policy or clusters is deleted too
//! (P26).

use ramen_api::ramen::wire::finalizer;
use ramen_events::{Command, hub};

use crate::{domain::Decision, hub::state::KnownWork, runbook::Gate};

use super::{
    super::{Drpc, epoch, marks, site::Site, status},
    FREE_ITS_VOLUMES, Step,
    cleanup::{demote_peers, old_home_is_released, peers_are_asked, peers_have_accepted, release_old_home},
    handover::{self, hand_over, is_stopped, placement_is_known, wait_for_placement},
    promotion::{decide_target, promote, target_is_decided, target_is_ready},
    remedy_for, shown, step, wait, wait_only,
};

/// The table.
pub const DELETION: &[Step] = &[
    //   progression shown  done when              what brings it about
    step!(shown::DELETING, placement_is_known, wait_for_placement),
    step!(shown::DELETING, nobody_stopped_is_primary, hand_over),
    step!(shown::DELETING, volumes_are_back, handover::wait_for_others),
    step!(shown::DELETING, home_is_ready, promote),
    step!(shown::DELETING, home_is_decided, decide_target),
    step!(shown::DELETING, peers_of_two_homes_are_asked, demote_peers),
    step!(shown::DELETING, peers_of_two_homes_have_accepted, wait_only), // S6
    step!(shown::DELETING, old_home_is_given_up, release_old_home),
    step!(shown::DELETING, stores_know_the_home, epoch::raise),
    step!(shown::DELETING, is_told, wait_only),
    step!(shown::DELETING, replicas_are_gone, delete_replicas), // S12
    step!(shown::DELETING, primaries_are_gone, delete_vrgs),
    step!(shown::DELETING, rest_is_asked_to_go, delete_rest),
    step!(shown::DELETING, placement_is_released, marks::release_placement),
    step!(shown::DELETING, is_released, marks::release),
];

/// The first version of the deciders that takes an application for one under way while nobody is asked to be its primary, wherever
/// it seems to be placed.
const NOBODY_IS_PRIMARY_SINCE: u32 = 13;

/// The application was stopped on its way to another cluster. It comes to one home before anything is taken apart: what
/// ends while nobody runs it would end with its volumes (S12), and replicas alone delete no copies from stores. That no work asks
/// for a primary says so, too: what is known of the placement may be old.
fn is_under_way(drpc: &Drpc) -> bool {
    let nobody_is_primary = drpc.decider >= NOBODY_IS_PRIMARY_SINCE && has_replicas_only(drpc);
    can_come_home(drpc) && (is_stopped(drpc) || nobody_is_primary) && drpc.last_home().is_some()
}

/// Works ask for replicas, and none for a primary.
fn has_replicas_only(drpc: &Drpc) -> bool {
    let roles = || drpc.sites.iter().filter_map(role);
    roles().next().is_some() && roles().all(|role| role == "secondary")
}

/// What it takes to move an application is there, and nothing of it is being taken apart yet. Without it deletion goes
/// on as well (10, P26); so it does where the placement goes, and the application with it.
fn can_come_home(drpc: &Drpc) -> bool {
    let placed = drpc.placement.as_ref().is_some_and(|placement| placement.meta.deleting.is_none());
    let whole = drpc.sites.iter().all(|site| site.work.as_ref().is_none_or(|work| !work.fact.deleting));
    let works = drpc.sites.iter().any(|site| site.work.is_some());
    drpc.policy.is_some() && placed && whole && works && drpc.decided.ambiguity.is_empty()
}

fn if_under_way(drpc: &Drpc, gate: fn(&Drpc) -> Gate) -> Gate {
    if is_under_way(drpc) { gate(drpc) } else { Gate::Open }
}

fn nobody_stopped_is_primary(drpc: &Drpc) -> Gate {
    if_under_way(drpc, handover::nobody_stopped_is_primary)
}

fn volumes_are_back(drpc: &Drpc) -> Gate {
    if_under_way(drpc, handover::volumes_are_handed_over)
}

fn home_is_ready(drpc: &Drpc) -> Gate {
    if_under_way(drpc, target_is_ready)
}

fn home_is_decided(drpc: &Drpc) -> Gate {
    if_under_way(drpc, target_is_decided)
}

/// After a failover an old home may still run the application: it stops there, since nobody would stop it later.
fn if_two_homes(drpc: &Drpc, gate: fn(&Drpc) -> Gate) -> Gate {
    let two = drpc.decided.current().is_some() && drpc.decided.retained().next().is_some();
    if two && can_come_home(drpc) { gate(drpc) } else { Gate::Open }
}

fn peers_of_two_homes_are_asked(drpc: &Drpc) -> Gate {
    if_two_homes(drpc, peers_are_asked)
}

fn peers_of_two_homes_have_accepted(drpc: &Drpc) -> Gate {
    if_two_homes(drpc, peers_have_accepted)
}

fn old_home_is_given_up(drpc: &Drpc) -> Gate {
    if_two_homes(drpc, old_home_is_released)
}

/// The first version of the deciders that tells a home from another primary.
const HOME_SINCE: u32 = 3;

/// A replica, or a primary that an action was on its way to: if the home went at the same time, its storage would take
/// the other's volumes away while those are about to be let go.
fn is_replica(drpc: &Drpc, site: &Site) -> bool {
    role(site) == Some("secondary") || (role(site) == Some("primary") && is_no_home(drpc, site))
}

fn is_no_home(drpc: &Drpc, site: &Site) -> bool {
    let primaries: Vec<&Site> = drpc.sites.iter().filter(|other| role(other) == Some("primary")).collect();
    let named = |name: Option<&str>| primaries.iter().find(|other| Some(other.name.as_str()) == name);
    let home = named(drpc.decided.current().map(|cluster| cluster.as_str())).or_else(|| named(drpc.last_home()));
    drpc.decider >= HOME_SINCE && home.is_some_and(|home| home.name != site.name)
}

/// The role that was asked for, also by a work that is being deleted.
fn role(site: &Site) -> Option<&str> {
    match &site.work.as_ref()?.fact.content {
        hub::WorkContent::Vrg { manifest, .. } => Some(&manifest.spec.state),
        _ => None,
    }
}

/// The first version of the deciders that tells of it.
const TELLS_WHAT_STAYS_SINCE: u32 = 4;

/// What stays behind when a DRPC is deleted whose application has no home: a hub that was rebuilt in the middle of a move
/// finds replicas only, and asks a person which is to be the home. Whoever deletes the DRPC instead loses nothing: no
/// primary is there who would delete the copies. That is to be said, since nobody would look for them.
pub fn stays_behind(drpc: &Drpc) -> Option<String> {
    if drpc.decider < TELLS_WHAT_STAYS_SINCE {
        return None;
    }
    // A hub that was restored from before the application was protected, or without its policy, has nothing to look at (P26).
    if drpc.policy.is_none() && drpc.sites.is_empty() {
        return Some(format!(
            "deleted without its DRPolicy {}, so nobody knows which clusters and stores have something of it: look there for \
             VolumeReplicationGroup {}/{}, and in S3 stores under the same name",
            drpc.fact.spec.policy, drpc.vrg_namespace, drpc.key.name
        ));
    }
    if !has_replicas_only(drpc) || is_under_way(drpc) {
        return None;
    }
    let clusters: Vec<&str> = drpc.sites.iter().map(|site| site.name.as_str()).collect();
    let mut stores: Vec<&str> = drpc.sites.iter().map(|site| site.profile.as_str()).collect();
    stores.sort_unstable();
    stores.dedup();
    Some(format!(
        "deleted while no cluster was the application's home: its volumes stay in the storage of {}, and its copies \
         under {}/{}/ in S3 store {}; delete them once nobody needs them",
        clusters.join(", "),
        drpc.vrg_namespace,
        drpc.key.name,
        stores.join(", ")
    ))
}

fn wait_for(drpc: &Drpc, site: &Site) -> Gate {
    let complaint = site.vrg.complaint(&["ClusterDataProtected", "DataReady"]);
    let what = format!("the VolumeReplicationGroup to be removed{complaint}");
    // A replica's volumes are let go only when nothing uses them.
    let in_use = drpc.decider >= HOME_SINCE && !site.lost && is_replica(drpc, site);
    let remedy = if in_use { FREE_ITS_VOLUMES } else { remedy_for(site) };
    Gate::Shut(wait(what, Some(&site.name), remedy))
}

/// The first version of the deciders that lets the home hear that it is the last one before it is deleted.
const KNOWN_SINCE: u32 = 11;

/// Stores take the home for the last primary: it is the one that deletes the copies. A failover that was called back may have
/// taken the stores over on its way.
fn stores_know_the_home(drpc: &Drpc) -> Gate {
    let unheard = epoch::unheard(drpc).filter(|home| drpc.decider >= KNOWN_SINCE && !home.lost && can_come_home(drpc));
    unheard.map_or(Gate::Open, |home| {
        let what = "the VolumeReplicationGroup to hear that its copies are the last ones";
        Gate::Shut(wait(what, Some(&home.name), remedy_for(home)))
    })
}

/// The DRPC says so before anything goes. A hub that then loses its log knows that it withdrew what is not there, whatever views
/// tell of before.
fn is_told(drpc: &Drpc) -> Gate {
    let untold = drpc.decider >= status::TOLD_SINCE && !status::takes_apart(&drpc.fact.status);
    Gate::when(!untold, || wait("the DRPlacementControl to say that it is being deleted", None, ""))
}

fn replicas_are_gone(drpc: &Drpc) -> Gate {
    drpc.sites.iter().find(|site| is_replica(drpc, site)).map_or(Gate::Open, |site| wait_for(drpc, site))
}

fn delete_replicas(drpc: &Drpc, decision: &mut Decision) {
    let replicas = drpc.sites.iter().filter(|site| is_replica(drpc, site));
    replicas.for_each(|site| delete_work(site, site.work.as_ref(), decision));
}

fn primaries_are_gone(drpc: &Drpc) -> Gate {
    drpc.sites.iter().find(|site| site.work.is_some()).map_or(Gate::Open, |site| wait_for(drpc, site))
}

fn delete_vrgs(drpc: &Drpc, decision: &mut Decision) {
    drpc.sites.iter().for_each(|site| delete_work(site, site.work.as_ref(), decision));
}

/// Views and namespaces' works are asked to go, and not waited for: they leave nothing behind on a cluster.
fn rest_is_asked_to_go(drpc: &Drpc) -> Gate {
    let stays = |site: &&Site| {
        site.view.as_ref().is_some_and(|view| !view.fact.deleting)
            || site.namespace_work.as_ref().is_some_and(|work| !work.fact.deleting)
    };
    drpc.sites.iter().find(stays).map_or(Gate::Open, |site| {
        let remedy = "look whether the hub may delete ManifestWorks and ManagedClusterViews";
        Gate::Shut(wait("views and works of the namespace to be deleted", Some(&site.name), remedy))
    })
}

fn delete_rest(drpc: &Drpc, decision: &mut Decision) {
    for site in &drpc.sites {
        delete_work(site, site.namespace_work.as_ref(), decision);
        if let Some(view) = site.view.as_ref().filter(|view| !view.fact.deleting) {
            let command = hub::Command::DeleteView { cluster: site.name.clone(), name: view.fact.name.clone() };
            decision.want(format!("view/{}", site.name), Command::Hub(command));
        }
    }
}

fn delete_work(site: &Site, work: Option<&KnownWork>, decision: &mut Decision) {
    if let Some(work) = work.filter(|work| !work.fact.deleting) {
        let (name, uid) = (work.fact.name.clone(), work.fact.uid.clone());
        let slot = format!("work/{}/{name}", site.name);
        decision.want(slot, Command::Hub(hub::Command::DeleteWork { cluster: site.name.clone(), name, uid }));
    }
}

fn placement_is_released(drpc: &Drpc) -> Gate {
    let held = drpc.placement.as_ref().is_some_and(|placement| {
        let ours = placement.meta.annotation(ramen_api::ramen::wire::annotation::DRPC_NAME) == drpc.key.name;
        ours && placement.meta.has_finalizer(finalizer::DRPC)
    });
    Gate::when(!held, || wait("the placement to be released", None, "look whether the hub may patch it"))
}

fn is_released(drpc: &Drpc) -> Gate {
    Gate::when(!drpc.fact.meta.has_finalizer(finalizer::DRPC), || {
        wait("the DRPlacementControl to be released", None, "look whether the hub may patch it")
    })
}
