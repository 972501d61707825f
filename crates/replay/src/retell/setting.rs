//! What the world is made of: policies, their clusters, the applications and where they run at first.

use std::collections::{BTreeMap, BTreeSet};

use ramen_events::{
    Aggregate, Controller, Fact, Json, Payload, Seq,
    hub::{self, DrpcFact, PolicyFact},
};

use super::{Application, Tale, Telling, Untold};
use crate::world::course::home;

/// Reads it.
pub(super) fn set(telling: &Telling<'_>) -> Result<Tale, Untold> {
    let begin = telling.merged.logs.get(telling.hub).map_or(Seq(0), |log| log.history.base().seq);
    if begin != Seq(0) {
        return Err(Untold(format!(
            "the hub's log begins after record {begin}, so it does not say what policies, clusters and applications there \
             were; give the log from its beginning, or an archive of it"
        )));
    }
    let mut policies: BTreeMap<String, PolicyFact> = BTreeMap::new();
    let mut firsts: Vec<DrpcFact> = Vec::new();
    let mut homes: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut assumed = Vec::new();
    for (_, entry) in telling.of(telling.hub) {
        match &entry.record.payload {
            Payload::Observed(Fact::Hub(hub::Fact::Policy(policy))) => {
                policies.entry(policy.meta.name.clone()).or_insert_with(|| (**policy).clone());
            }
            Payload::Observed(Fact::Hub(hub::Fact::Decision(decision))) => {
                if let Some(home) = home(decision) {
                    homes.entry((decision.namespace.clone(), decision.placement.clone())).or_insert(home);
                }
            }
            Payload::Observed(Fact::Hub(hub::Fact::Drpc(drpc))) => {
                let is_same =
                    |first: &DrpcFact| first.meta.namespace == drpc.meta.namespace && first.meta.name == drpc.meta.name;
                if !firsts.iter().any(is_same) {
                    firsts.push((**drpc).clone());
                }
            }
            _ => {}
        }
    }
    if firsts.is_empty() {
        return Err(Untold("no application is protected in it".to_owned()));
    }
    let mut tale = Tale::default();
    let names: BTreeSet<&String> = firsts.iter().map(|drpc| &drpc.spec.policy).collect();
    let mut intervals = BTreeSet::new();
    let mut pairs: BTreeSet<Vec<String>> = BTreeSet::new();
    for name in names {
        let policy = policies.get(name).ok_or_else(|| Untold(format!("it does not show the DRPolicy {name}")))?;
        let mut clusters: Vec<String> = policy.spec.clusters.iter().map(ToString::to_string).collect();
        clusters.sort();
        if clusters.len() != 2 {
            return Err(Untold(format!("DRPolicy {name} has {} clusters, and a world has pairs", clusters.len())));
        }
        if policy.spec.interval.is_empty() {
            return Err(Untold(format!("DRPolicy {name} replicates synchronously, which a world does not")));
        }
        intervals.insert(policy.spec.interval.clone());
        pairs.insert(clusters);
    }
    tale.clusters = pairs.into_iter().flatten().collect();
    let different: BTreeSet<&String> = tale.clusters.iter().collect();
    if different.len() != tale.clusters.len() {
        return Err(Untold(format!("clusters are in several pairs: {}", tale.clusters.join(", "))));
    }
    tale.interval = intervals.first().cloned().unwrap_or_default();
    if intervals.len() > 1 {
        assumed.push(format!("all policies have the interval {}", tale.interval));
    }
    for drpc in &firsts {
        let application = application(drpc, &firsts, &homes, &mut assumed)?;
        if !tale.clusters.contains(&application.on) {
            let (drpc, on) = (&application.drpc, &application.on);
            return Err(Untold(format!("{drpc} is on {on}, which is no cluster of its policy")));
        }
        tale.applications.push(application);
    }
    tale.assumed = assumed;
    Ok(tale)
}

fn application(
    drpc: &DrpcFact,
    all: &[DrpcFact],
    homes: &BTreeMap<(String, String), String>,
    assumed: &mut Vec<String>,
) -> Result<Application, Untold> {
    let (namespace, name) = (&drpc.meta.namespace, &drpc.meta.name);
    let aggregate = Aggregate::new(Controller::Drpc, namespace, name);
    let alike = all.iter().filter(|other| other.meta.name == *name).count();
    let known = if alike > 1 { format!("{namespace}-{name}") } else { name.clone() };
    if known != *name {
        assumed.push(format!("{aggregate} is called {known}"));
    }
    for (there, what) in [
        (drpc.spec.dry_run, "a test failover"),
        (
            drpc.spec.kube_object_protection != Json::new(&serde_json::Value::Null),
            "the protection of Kubernetes objects",
        ),
        (!drpc.spec.protected_namespaces.is_empty(), "the protection of several namespaces"),
    ] {
        if there {
            assumed.push(format!("{known} has no part in {what}, which the world does not have"));
        }
    }
    let placed = homes.get(&(namespace.clone(), drpc.spec.placement.clone()));
    let before = !drpc.status.phase.is_empty();
    if before && drpc.status.progression != "Completed" {
        let progression = &drpc.status.progression;
        return Err(Untold(format!(
            "when it begins, {aggregate} is at {progression:?}: a world begins with applications at rest"
        )));
    }
    let on = placed.cloned().unwrap_or_else(|| drpc.spec.preferred.clone());
    if before {
        assumed.push(format!(
            "{known} was protected before the log begins (phase {}): it begins as Deployed on {on}",
            drpc.status.phase
        ));
    }
    Ok(Application { drpc: aggregate, name: known, claims: 0, on, before })
}
