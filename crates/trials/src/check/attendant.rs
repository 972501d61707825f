//! The person who reads conditions: does what they say can be done, when nothing else goes on.

use serde_json::Value;

use super::{all, text};
use crate::{
    happening::Happening,
    universe::{HUB, Universe},
    until,
};
use ramen_sim::kinds;

/// What a condition says a person can do, and what that comes to. What is not said is not done.
pub(super) fn advice(universe: &Universe) -> Vec<Happening> {
    let mut todo = Vec::new();
    for drpc in all(universe, HUB, &kinds::DRPC, None) {
        let app = text(drpc.value(), "/metadata/name").to_owned();
        let conditions = drpc.value().pointer("/status/conditions").and_then(Value::as_array);
        let told: Vec<&str> = conditions.into_iter().flatten().map(|condition| text(condition, "/message")).collect();
        let says = |words: &str| told.iter().any(|told| told.contains(words));
        if says("with spec.action cleared") || says("clear spec.action") {
            todo.push(Happening::Withdraw { app });
        } else if says("set spec.action to Failover") {
            if let Some(to) = somewhere_else(universe, &app) {
                todo.push(Happening::Failover { app, to });
            }
        } else if says("delete the pods that still mount") {
            let clusters = universe.managed().map(str::to_owned);
            todo.extend(clusters.map(|on| Happening::Evict { app: app.clone(), on }));
        }
    }
    todo
}

/// A cluster to fail over to: the one that the DRPC names for that, else any of its policy.
fn somewhere_else(universe: &Universe, app: &str) -> Option<String> {
    let drpc = until::drpc(universe, app).ok()?;
    let named = text(drpc.object(), "/spec/failoverCluster");
    if !named.is_empty() {
        return Some(named.to_owned());
    }
    universe.outline().peer_of(text(drpc.object(), "/spec/preferredCluster"))
}
