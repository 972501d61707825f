//! The person who reads conditions: does what they say can be done, when nothing else goes on.

use ramen_api::ramen::wire::annotation;
use serde_json::Value;

use super::{all, conditions, handle_of, one, placed, text};
use crate::{
    happening::Happening,
    universe::{HUB, Universe},
    until,
};
use ramen_sim::{api_server::object, kinds};

/// What a condition says a person can do, and what that comes to. What is not said is not done, but for pods that hang.
pub(super) fn advice(universe: &Universe) -> Vec<Happening> {
    let mut todo = Vec::new();
    for drpc in all(universe, HUB, &kinds::DRPC, None) {
        let name = text(drpc.value(), "/metadata/name");
        let app = name.to_owned();
        let told: Vec<&str> = conditions(drpc.value()).map(|condition| text(condition, "/message")).collect();
        let says = |words: &str| told.iter().any(|told| told.contains(words));
        let told_of = |words: &str, after: &str| {
            let names = |on: &str| format!("on cluster {on}{after}");
            let of = |on: &str| told.iter().any(|told| told.contains(words) && told.contains(&names(on)));
            universe.managed().filter(|on| of(on)).map(str::to_owned).collect::<Vec<_>>()
        };
        let mut still_mounted = told_of(STILL_MOUNTED, " since");
        if says(IF_NONE_DOES) {
            still_mounted.retain(|on| one(universe, on, &kinds::POD, name, name).is_some());
        }
        let pods = still_mounted.into_iter().map(|on| Happening::DeletePod { app: app.clone(), on });
        if says("there is no DRPolicy") || (says("DRCluster") && says("is not there; create it")) {
            todo.push(Happening::RestorePolicies);
        } else if says("delete this DRPlacementControl") || says("delete what refers to this policy") {
            todo.push(Happening::Unprotect { app });
        } else if says("with spec.action cleared") || says("clear spec.action") {
            todo.push(Happening::Withdraw { app });
        } else if let Some(to) = told_where(universe, &told, "set spec.action to Relocate and spec.preferredCluster to")
        {
            todo.push(Happening::Relocate { app, to });
        } else if says(IF_NONE_DOES) && pods.len() > 0 {
            todo.extend(pods);
        } else if let Some(to) = told_where(universe, &told, "set spec.action to Failover and spec.failoverCluster to")
        {
            todo.push(Happening::Failover { app, to });
        } else if says("set spec.action to \"Relocate\"") {
            let to = text(drpc.value(), "/spec/preferredCluster").to_owned();
            todo.push(Happening::Relocate { app, to });
        } else if says("set spec.action to Failover") || says("set spec.action to \"Failover\"") {
            if let Some(to) = somewhere_else(universe, &app) {
                todo.push(Happening::Failover { app, to });
            }
        } else {
            let went_its_own_way = told_of(WENT_ITS_OWN_WAY, ":").into_iter();
            let replaced = went_its_own_way.map(|on| Happening::DeleteReplications { app: app.clone(), on });
            todo.extend(pods.chain(replaced).collect::<Vec<_>>());
        }
        todo.extend(claim_of_another(universe, &told, name));
    }
    todo.extend(hanging_pods(universe));
    todo.extend(universe.managed().filter(|on| universe.is_up(on)).flat_map(|on| claims_in_the_way(universe, on)));
    todo
}

/// A claim of which the hub says that it is in the application's way on another cluster.
fn claim_of_another(universe: &Universe, told: &[&str], app: &str) -> Option<Happening> {
    let (before, after) = told.iter().find_map(|told| told.split_once("says that condition NoClusterDataConflict"))?;
    let on = universe.managed().find(|on| before.ends_with(&format!("on cluster {on} ")))?;
    let (_, claim) = after.split_once(&format!("claim {app}/"))?;
    let (claim, _) = claim.split_once(" is selected here")?;
    Some(Happening::DeleteClaim { app: app.to_owned(), claim: claim.to_owned(), on: on.to_owned() })
}

/// The cluster that some words name after `words`.
fn told_where(universe: &Universe, told: &[&str], words: &str) -> Option<String> {
    let after = told.iter().find_map(|told| told.split_once(words)).map(|(_, after)| after.trim_start());
    let cluster = after?.split([' ', ',', ';']).next()?;
    universe.managed().find(|name| *name == cluster).map(str::to_owned)
}

/// What people are told of volumes that can't become secondary, each time with the cluster.
const STILL_MOUNTED: &str = "delete the pods that still mount";

/// What they are told to do next, where no pod does.
const IF_NONE_DOES: &str = "if none does, look whether the storage of both clusters reaches each other";

/// What people are told of volumes that are never synchronized.
const WENT_ITS_OWN_WAY: &str = "you delete the VolumeReplication of the claim there";

/// Claims of which a VRG says that a person may delete them, or let go of them by hand, and where that is so.
fn claims_in_the_way(universe: &Universe, on: &str) -> Vec<Happening> {
    let mut todo = Vec::new();
    for vrg in all(universe, on, &kinds::VRG, None) {
        let app = text(vrg.value(), "/metadata/name");
        todo.extend(claim_beside_its_copy(universe, vrg.value(), app, on));
        todo.extend(replication_that_stays(universe, vrg.value(), app, on));
        for claim in vrg.value().pointer("/status/protectedPVCs").and_then(Value::as_array).into_iter().flatten() {
            let told: Vec<&str> =
                claim["conditions"].as_array().into_iter().flatten().map(|told| text(told, "/message")).collect();
            let says = |words: &[&str]| told.iter().any(|told| words.iter().all(|words| told.contains(words)));
            let (app, on, claim) = (app.to_owned(), on.to_owned(), text(claim, "/name").to_owned());
            let lets_go = says(&["take the finalizers off the VolumeReplication"])
                || says(&["delete its VolumeReplication, and take the finalizers off it"]);
            if lets_go && is_only_here(universe, &app, &claim, &on) {
                todo.push(Happening::LetGoReplication { app, claim, on });
            } else if says(&["volume not found", "take finalizer"]) {
                todo.push(Happening::Unhold { app, claim, on });
            } else if says(&["volume not found", "delete the claim"]) || says(&["nothing uses it any more; delete it"])
            {
                todo.push(Happening::DeleteClaim { app, claim, on });
            }
        }
    }
    todo
}

/// A replication of which a VRG that is being deleted says that its storage never lets go of it.
fn replication_that_stays(universe: &Universe, vrg: &Value, app: &str, on: &str) -> Option<Happening> {
    let mut told = conditions(vrg).map(|told| text(told, "/message"));
    let told = told.find(|told| told.contains("take the finalizers off the VolumeReplication"))?;
    let (_, claim) = told.split_once("deletion waits for claim ")?;
    let (claim, _) = claim.split_once(": ")?;
    let (app, claim, on) = (app.to_owned(), claim.to_owned(), on.to_owned());
    let is_so = is_only_here(universe, &app, &claim, &on) || told.contains("could not be reached meanwhile");
    is_so.then_some(Happening::LetGoReplication { app, claim, on })
}

/// A claim that is bound to another volume than its copy says: it was made anew while a failover went on. Of the two a person
/// keeps the copy, which is that of the home, and whatever still uses the other goes. What the operator itself restored is not
/// theirs to put right.
fn claim_beside_its_copy(universe: &Universe, vrg: &Value, app: &str, on: &str) -> Vec<Happening> {
    let mut told = conditions(vrg).map(|told| text(told, "/message"));
    let Some(told) = told.find(|told| told.contains("delete the claim, or the copy if it is out of date")) else {
        return Vec::new();
    };
    let claim = told.split_once(&format!("claim {app}/")).and_then(|(_, after)| after.split(' ').next());
    let theirs = |claim: &&str| {
        let pvc = one(universe, on, &kinds::PVC, app, claim);
        pvc.is_some_and(|pvc| pvc.value()["metadata"]["annotations"][annotation::RESTORED].is_null())
    };
    let claim = claim.filter(theirs);
    let (app, on) = (app.to_owned(), on.to_owned());
    claim.map_or_else(Vec::new, |claim| {
        let claim = claim.to_owned();
        vec![Happening::DeletePod { app: app.clone(), on: on.clone() }, Happening::DeleteClaim { app, claim, on }]
    })
}

/// Whether no other cluster has the volume of a claim any more.
fn is_only_here(universe: &Universe, app: &str, claim: &str, on: &str) -> bool {
    let Some(pvc) = one(universe, on, &kinds::PVC, app, claim) else { return false };
    let Some(handle) = handle_of(universe, on, pvc.value()) else { return false };
    let storage = universe.storage();
    universe.managed().filter(|other| *other != on).all(|other| storage.peek(other, &handle).is_none())
}

/// Pods that hang while they end where their application is to run: whoever looks why it does not come up sees them without
/// anybody's words.
fn hanging_pods(universe: &Universe) -> Vec<Happening> {
    let apps: Vec<String> = universe.applications().iter().map(|app| app.name.clone()).collect();
    let placed =
        apps.into_iter().flat_map(|app| placed::decided(universe, &app).into_iter().map(move |on| (app.clone(), on)));
    let hangs = |(app, on): &(String, String)| {
        let known = universe.managed().any(|name| name == on) && universe.is_up(on);
        known && one(universe, on, &kinds::POD, app, app).is_some_and(|pod| object::is_deleting(pod.value()))
    };
    placed.filter(hangs).map(|(app, on)| Happening::Evict { app, on }).collect()
}

/// A cluster to fail over to: the one that the DRPC names for that, else any of its policy.
fn somewhere_else(universe: &Universe, app: &str) -> Option<String> {
    let drpc = until::drpc(universe, app).ok()?;
    let named = text(drpc.object(), "/spec/failoverCluster");
    if !named.is_empty() {
        return Some(named.to_owned());
    }
    universe
        .outline()
        .peer_of(text(drpc.object(), "/spec/preferredCluster"), text(drpc.object(), "/spec/drPolicyRef/name"))
}
