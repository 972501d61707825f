//! Placement decisions: where the application runs, and what is noted on the DRPC before that changes (spec drpc 3.5).

use std::collections::BTreeMap;

use ramen_api::ramen::wire::{RETAINED_FOR_FAILOVER, annotation};
use ramen_events::{
    ClusterName, Command, Kind,
    hub::{self, DecisionEntry, Meta, MetaPatch, ObjectRef, PlacementKind},
};
use serde::{Deserialize, Serialize};

use crate::domain::{Decision, Wanted};

use super::{
    Drpc,
    action::Action,
    site::{Decided, Site, home, is_retained},
};

/// Slot of placement decisions.
pub const SLOT: &str = "decision";
/// Slot of what is noted on the DRPC.
pub const NOTES: &str = "meta";

/// `dr-action-count`: how often each action was carried out, and the last phase that was counted (spec drpc 9). The
/// names are the wire's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counted {
    /// How many failovers.
    pub failover: u64,
    /// How many relocations.
    pub relocate: u64,
    #[serde(rename = "lastPhase")]
    last_phase: String,
}

impl Counted {
    /// As the annotation tells; what cannot be read counts from zero.
    pub fn of(meta: &Meta) -> Self {
        serde_json::from_str(meta.annotation(annotation::DR_ACTION_COUNT)).unwrap_or_default()
    }
}

/// Notes the new home and the action, and counts it, in one write: this is the moment at which an action takes effect, so
/// each is counted once however often it is decided.
pub fn mark(drpc: &Drpc, decision: &mut Decision) {
    let meta = &drpc.fact.meta;
    let mut counted = Counted::of(meta);
    let phase = match drpc.action() {
        Action::Failover => {
            counted.failover += 1;
            "FailingOver"
        }
        Action::Relocate => {
            counted.relocate += 1;
            "Relocating"
        }
        Action::Deploy => "Deploying",
    };
    phase.clone_into(&mut counted.last_phase);
    let count = serde_json::to_string(&counted).unwrap_or_default();
    let patch = MetaPatch {
        kind: Kind::Drpc,
        object: drpc.key.clone(),
        uid: meta.uid.clone(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::from([
            (annotation::LAST_APP_CLUSTER.to_owned(), drpc.target().to_owned()),
            (annotation::LAST_ACTION.to_owned(), drpc.fact.spec.action.clone()),
            (annotation::DR_ACTION_COUNT.to_owned(), count),
        ]),
        finalizers: None,
        owners: None,
    };
    decision.want(NOTES, Command::Hub(hub::Command::PatchMeta(Box::new(patch))));
}

/// Whether a command notes a new home on the DRPC.
pub fn notes_home(command: &Command) -> bool {
    let Command::Hub(hub::Command::PatchMeta(patch)) = command else { return false };
    patch.kind == Kind::Drpc && patch.annotations.contains_key(annotation::LAST_APP_CLUSTER)
}

/// The placement names the target. In a failover the old home keeps the workload, in the same write, until its volumes
/// are handed over; entries of earlier failovers stay until then too.
pub fn decide(drpc: &Drpc, decision: &mut Decision) {
    let target = ClusterName(drpc.target().to_owned());
    let decided = &drpc.decided;
    let named = decided.current() == Some(&target);
    let failover = drpc.action() == Action::Failover;
    write(drpc, (!named).then(|| entries(decided, &target, failover)), decision);
}

/// The entries that bring an application to a cluster; in a failover the old home keeps it, too.
fn entries(decided: &Decided, target: &ClusterName, failover: bool) -> Vec<DecisionEntry> {
    let rule = decided.kind == PlacementKind::Rule;
    let keeps = |entry: &&DecisionEntry| !rule && entry.cluster != *target;
    let retain = |entry: &DecisionEntry| DecisionEntry {
        cluster: entry.cluster.clone(),
        reason: RETAINED_FOR_FAILOVER.to_owned(),
    };
    let old = decided.entries.iter().filter(keeps).filter(|entry| failover || is_retained(entry)).map(retain);
    old.chain([naming(target)]).collect()
}

/// The commands that bring the application to another cluster than the one that the placement is seen to name, for one who
/// has to know whether one of them was given.
pub fn placing(drpc: &Drpc) -> impl Iterator<Item = Command> {
    let others = drpc.listed_sites().iter().filter(|site| drpc.decided.current() != Some(&site.name));
    let ways = |site: &Site| {
        [entries(&drpc.decided, &site.name, true), entries(&drpc.decided, &site.name, false), vec![naming(&site.name)]]
    };
    others.flat_map(ways).filter_map(|entries| command(drpc, Some(entries)))
}

/// Whether a command brings the application to another cluster than the one that the placement is seen to name.
pub fn names_other_home(drpc: &Drpc, command: &Command) -> bool {
    let Command::Hub(hub::Command::WriteDecision { entries: Some(entries), .. }) = command else { return false };
    let named = home(entries);
    named.is_some() && named != drpc.decided.current()
}

/// The placement names a cluster, and nothing else.
pub fn place(drpc: &Drpc, home: &ClusterName, decision: &mut Decision) {
    write(drpc, Some(vec![naming(home)]), decision);
}

/// The entry of a cluster that is to run the application.
pub fn naming(cluster: &ClusterName) -> DecisionEntry {
    DecisionEntry { cluster: cluster.clone(), reason: cluster.0.clone() }
}

/// Old homes give the workload up.
pub fn release(drpc: &Drpc, decision: &mut Decision) {
    let kept = drpc.decided.entries.iter().filter(|entry| !is_retained(entry)).cloned().collect();
    write(drpc, Some(kept), decision);
}

/// No cluster is to run the application.
pub fn clear(drpc: &Drpc, decision: &mut Decision) {
    decision.commands.extend(clearing(drpc).map(|command| Wanted { slot: SLOT.to_owned(), command }));
}

/// The command that clears the placement, for one who has to know whether it was given.
pub fn clearing(drpc: &Drpc) -> Option<Command> {
    command(drpc, Some(drpc.decided.retained().cloned().collect()))
}

fn write(drpc: &Drpc, entries: Option<Vec<DecisionEntry>>, decision: &mut Decision) {
    decision.commands.extend(command(drpc, entries).map(|command| Wanted { slot: SLOT.to_owned(), command }));
}

fn command(drpc: &Drpc, entries: Option<Vec<DecisionEntry>>) -> Option<Command> {
    let placement = drpc.placement.as_ref().filter(|_| drpc.decided.ambiguity.is_empty())?;
    let decided = &drpc.decided;
    Some(Command::Hub(hub::Command::WriteDecision {
        placement: ObjectRef::new(&placement.meta.namespace, &placement.meta.name),
        kind: placement.kind,
        uid: placement.meta.uid.clone(),
        decision: decided.object.clone().unwrap_or_else(|| decided.free_name.clone()),
        create: decided.object.is_none(),
        label: decided.object.is_some() && !decided.labelled,
        entries,
    }))
}
