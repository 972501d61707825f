//! Storage is told of failovers to this cluster, and that they are through (spec hub 5).
//!
//! Goes on whatever else is wrong with the cluster (spec hub 13, H7). A DRPC about which little is known stands in nobody's
//! way (H10).

use std::collections::BTreeSet;

use ramen_api::{
    kinds,
    ramen::wire::{label, name, state::MaintenanceState},
};
use ramen_events::{
    Command, Json,
    hub::{self, ModeWork, ViewFact, ViewScope, ViewWish},
};
use serde_json::{Value, json};

use crate::{
    domain::Decision,
    hub::{
        drpc::storage::{self, Need},
        gauges,
        modes::{self, Pair, Request},
    },
};

use super::Cluster;

/// Seconds between reads of a mode that storage has not answered yet.
const FAST: i64 = 1;
/// When to look again while something is asked of storage, in seconds: a safety net, not a clock that anything waits for.
const LOOK_AGAIN: u64 = 30;

/// Asks storage for what failovers to this cluster need, and withdraws what none needs any more. Tells what
/// `status.maintenanceModes` should say.
pub fn ensure(cluster: &Cluster<'_>, decision: &mut Decision) -> Json {
    if cluster.ask.decider < modes::SINCE {
        return cluster.fact.status.as_ref().map(|status| status.maintenance_modes.clone()).unwrap_or_default();
    }
    let need = needs(cluster);
    let present: Vec<Request<'_>> = modes::requests(cluster.hub, &cluster.name).collect();
    request(cluster, &need.required, &present, decision);
    withdraw(&need, &present, decision);
    let standing = || present.iter().filter(|request| !request.work.deleting);
    for request in standing().filter(|request| modes::is_applied(request.work)) {
        look(cluster, request, decision);
    }
    drop_views(cluster, |mode| !standing().any(|request| request.mode == mode), decision);
    if !present.is_empty() || !need.required.is_empty() {
        let at = cluster.ask.now.plus_seconds(LOOK_AGAIN);
        decision.ask_again(at, "look again at what storage was asked to prepare for");
    }
    let told: Vec<Value> = standing().map(|request| told(cluster, request)).collect();
    if told.is_empty() { Json::default() } else { Json::new(&Value::Array(told)) }
}

/// Withdraws everything; the name of a work that is still there.
pub fn withdraw_all(cluster: &Cluster<'_>, decision: &mut Decision) -> Option<String> {
    if cluster.ask.decider < modes::SINCE {
        return None;
    }
    let present: Vec<Request<'_>> = modes::requests(cluster.hub, &cluster.name).collect();
    withdraw(&Need::default(), &present, decision);
    drop_views(cluster, |_| true, decision);
    present.first().map(|request| request.work.name.clone())
}

/// What all failovers to this cluster need together. Storage that both clusters share is told by other means.
fn needs(cluster: &Cluster<'_>) -> Need {
    let mut all = Need::default();
    let regional = cluster.hub.policies_of(&cluster.name.0).filter(|policy| !gauges::is_metro(policy));
    let drpcs = regional.flat_map(|policy| cluster.hub.drpcs_of(&policy.meta.name));
    for mut need in drpcs.filter_map(|drpc| storage::need(cluster.hub, drpc, &cluster.name)) {
        all.required.append(&mut need.required);
        all.kept.append(&mut need.kept);
        all.unclear |= need.unclear;
    }
    all
}

/// Asks about each pair that nobody asked about yet. A request that is being withdrawn goes first.
fn request(cluster: &Cluster<'_>, required: &BTreeSet<Pair>, present: &[Request<'_>], decision: &mut Decision) {
    let mut taken: BTreeSet<String> = present.iter().map(|request| request.mode.clone()).collect();
    for pair in required.iter().filter(|pair| pair.is_told()) {
        if present.iter().any(|request| request.pair == *pair) {
            continue;
        }
        let Some(mode) = pair.names().find(|name| !taken.contains(name)) else { continue };
        let command = hub::Command::ApplyModeWork(ModeWork {
            cluster: cluster.name.clone(),
            mode: mode.clone(),
            provisioner: pair.provisioner.clone(),
            target: pair.id.clone(),
        });
        decision.want(format!("mode/{mode}"), Command::Hub(command));
        taken.insert(mode);
    }
}

fn withdraw(need: &Need, present: &[Request<'_>], decision: &mut Decision) {
    for request in present {
        let kept = need.unclear || need.kept.contains(&request.pair) || need.required.contains(&request.pair);
        if !kept && !request.work.deleting {
            decision.want(modes::withdrawal(&request.mode), modes::withdraw(request.work));
        }
    }
}

/// Has the mode read, often until storage answered.
fn look(cluster: &Cluster<'_>, request: &Request<'_>, decision: &mut Decision) {
    let resource = &kinds::MAINTENANCE_MODE;
    let activated = modes::answer(cluster.hub, &cluster.name, request).is_some_and(modes::is_activated);
    let wish = ViewWish {
        cluster: cluster.name.clone(),
        name: name::maintenance_mode_view(&request.mode),
        scope: ViewScope {
            group: resource.group.to_owned(),
            version: resource.version.to_owned(),
            kind: resource.kind.to_owned(),
            namespace: String::new(),
            name: request.mode.clone(),
        },
        drpc: None,
        for_policies: false,
        for_cluster: true,
        label: label::MAINTENANCE_MODES.to_owned(),
        interval: if activated { 0 } else { FAST },
    };
    let same = |view: &ViewFact| {
        view.deleting
            || (view.scope_group == wish.scope.group
                && view.scope_kind == wish.scope.kind
                && view.scope_name == wish.scope.name
                && view.interval == wish.interval
                && !view.dr_cluster.is_empty())
    };
    if !cluster.hub.view(&cluster.name, &wish.name).is_some_and(|known| same(&known.fact)) {
        decision.want(format!("view/{}", wish.name), Command::Hub(hub::Command::ApplyView(Box::new(wish))));
    }
}

/// Stops looking at modes that are not asked for.
fn drop_views(cluster: &Cluster<'_>, is_past: impl Fn(&str) -> bool, decision: &mut Decision) {
    let views = cluster.hub.views.get(&cluster.name).into_iter().flat_map(|views| views.values());
    for view in views.map(|known| &known.fact).filter(|view| !view.deleting) {
        if name::maintenance_mode_of_view(&view.name).is_some_and(&is_past) {
            super::views::delete(cluster, view, decision);
        }
    }
}

/// How a request is told of in the status: as storage answered it, once it has.
fn told(cluster: &Cluster<'_>, request: &Request<'_>) -> Value {
    let answer = modes::answer(cluster.hub, &cluster.name, request);
    let state = answer.map(|seen| seen.state.as_str()).filter(|state| !state.is_empty());
    let mut told = json!({
        "storageProvisioner": request.pair.provisioner,
        "targetID": request.pair.id,
        "state": state.unwrap_or(MaintenanceState::Unknown.as_str()),
    });
    if let Some(conditions) = answer.map(|seen| seen.conditions.value()).filter(|conditions| !conditions.is_null()) {
        told["conditions"] = conditions;
    }
    told
}
