//! How many claims applications have, and which came and went while nothing else happened.

use std::collections::BTreeSet;

use ramen_events::{Aggregate, Fact, Payload, Time, hub, spoke};
use ramen_trials::happening::Happening;

use super::{Place, Tale, Telling, Told};

/// Claims as a DRPC shows them.
struct Shown {
    time: Time,
    record: Place,
    /// Nothing is left to do: the list is whole.
    rests: bool,
    claims: BTreeSet<String>,
}

/// Reads them.
pub(super) fn read(telling: &Telling<'_>, tale: &mut Tale) {
    let mut happenings = Vec::new();
    let mut assumed = Vec::new();
    for application in &mut tale.applications {
        let shown = shown(telling, &application.drpc.namespace, &application.drpc.name);
        // The VRG tells of its claims one by one while they are protected for the first time.
        let asked =
            tale.happenings.iter().filter(|told| is_action(&told.what, &application.name)).map(|told| told.time);
        let asked = asked.min().unwrap_or(Time(u64::MAX));
        let mut known: BTreeSet<String> = BTreeSet::new();
        let settling = shown.first().map_or(0, |first| first.time.0 + SETTLING);
        for one in shown.iter().filter(|one| one.time < asked && one.time.0 <= settling) {
            known.extend(one.claims.iter().cloned());
        }
        if known.is_empty() {
            known
                .extend(shown.iter().find(|one| !one.claims.is_empty()).into_iter().flat_map(|one| one.claims.clone()));
        }
        if known.is_empty() {
            known = seen_on(telling, &application.on, &application.drpc.name);
        }
        application.claims = known.len().max(1);
        let name = &application.name;
        if known.is_empty() {
            assumed.push(format!("{name} has one claim: the logs do not say how many"));
        } else if !known.iter().enumerate().all(|(at, claim)| *claim == format!("data-{at}")) {
            let called: Vec<String> =
                known.iter().enumerate().map(|(at, claim)| format!("{claim} is called data-{at}")).collect();
            assumed.push(format!("claims of {name}: {}", called.join(", ")));
        }
        for one in shown.iter().filter(|one| one.rests && one.time.0 > settling) {
            let told = |what| Told { time: one.time, what, record: Some(one.record), changed: false };
            for claim in one.claims.difference(&known) {
                let added = told(Happening::AddClaim { app: name.clone() });
                let (time, record) = first_seen(telling, claim, &application.drpc).unwrap_or((one.time, one.record));
                happenings.push(Told { time, record: Some(record), ..added });
                // GitOps looks at once.
                let home =
                    telling.merged.logs.get(record.0).filter(|log| !log.is_hub()).map(|log| log.name().to_owned());
                let look = home.map(|cluster| told(Happening::HubLink { cluster, works: true }));
                happenings.extend(look.map(|look| Told { time, record: Some(record), ..look }));
            }
            if one.claims.len() < known.len() && one.claims.is_subset(&known) && !one.claims.is_empty() {
                happenings.push(told(Happening::DropClaim { app: name.clone() }));
                assumed.push(format!("the claim that {name} dropped was its last one"));
            }
            if !one.claims.is_empty() {
                known.clone_from(&one.claims);
            }
        }
    }
    tale.happenings.extend(happenings);
    tale.assumed.extend(assumed);
}

/// For how long after the first status more claims are those that were there from the beginning, in milliseconds.
const SETTLING: u64 = 30_000;

fn is_action(what: &Happening, app: &str) -> bool {
    match what {
        Happening::Failover { app: of, .. }
        | Happening::Relocate { app: of, .. }
        | Happening::Unprotect { app: of } => of == app,
        _ => false,
    }
}

fn shown(telling: &Telling<'_>, namespace: &str, name: &str) -> Vec<Shown> {
    let facts = telling.of(telling.hub).filter_map(|(_, entry)| match &entry.record.payload {
        Payload::Observed(Fact::Hub(hub::Fact::Drpc(drpc)))
            if drpc.meta.namespace == namespace && drpc.meta.name == name =>
        {
            let resource = drpc.status.resource.as_ref()?;
            Some(Shown {
                time: entry.time,
                record: (entry.log, entry.record.seq),
                rests: drpc.status.progression == "Completed"
                    && drpc.status.observed_generation == drpc.meta.generation
                    && drpc.status.conditions.iter().all(|c| c.is_true_at(drpc.meta.generation)),
                claims: resource.protected_pvcs.iter().cloned().collect(),
            })
        }
        _ => None,
    });
    facts.collect()
}

/// When a claim of an application was first seen by a managed cluster, and where.
fn first_seen(telling: &Telling<'_>, claim: &str, drpc: &Aggregate) -> Option<(Time, Place)> {
    let owners = telling.merged.owners();
    let of = |key: &spoke::Key| {
        key.name == claim && owners.iter().any(|((namespace, _), owner)| owner == drpc && *namespace == key.namespace)
    };
    let seen = telling.all().find(|(_, entry)| {
        matches!(&entry.record.payload, Payload::Observed(Fact::Spoke(spoke::Fact::Pvc(pvc))) if of(&pvc.key))
    });
    seen.map(|(_, entry)| (entry.time, (entry.log, entry.record.seq)))
}

/// Claims that a VRG of this name showed in the log of its cluster.
fn seen_on(telling: &Telling<'_>, cluster: &str, vrg: &str) -> BTreeSet<String> {
    let Some(log) = telling.log_of(cluster) else { return BTreeSet::new() };
    let lists = telling.of(log).filter_map(|(_, entry)| match &entry.record.payload {
        Payload::Observed(Fact::Spoke(spoke::Fact::Vrg(seen) | spoke::Fact::FencedVrg { vrg: seen, .. }))
            if seen.key.name == vrg =>
        {
            seen.status.as_ref().map(|status| &status.pvcs)
        }
        _ => None,
    });
    lists.flatten().map(|pvc| pvc.key.name.clone()).collect()
}
