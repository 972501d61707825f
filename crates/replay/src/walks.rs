//! How aggregates went through their runbooks: walks, steps, waits, read off the records that say where each stood.

use std::collections::BTreeMap;

use ramen_events::{Aggregate, Command, Controller, Kind, Payload, Position, Record, Time, Wait, hub};

use crate::merge::Merged;

/// One aggregate, one runbook, one action.
#[derive(Clone, Debug)]
pub struct Walk {
    /// In which log.
    pub log: usize,
    /// Who.
    pub aggregate: Aggregate,
    /// Name of the runbook.
    pub runbook: String,
    /// Identity of the action.
    pub action: String,
    /// When it began.
    pub from: Time,
    /// When it was complete for the last time, or was left for something else; `None` while it goes on.
    pub until: Option<Time>,
    /// It was completed.
    pub complete: bool,
    /// The entry that began it.
    pub entry: usize,
    /// Its steps, in order of time.
    pub steps: Vec<Step>,
}

/// A stay at one step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// When it was entered.
    pub from: Time,
    /// When it was left; `None` while it lasts.
    pub until: Option<Time>,
    /// The entry that tells that it was entered.
    pub entry: usize,
    /// The entry that tells that it was left.
    pub left: Option<usize>,
    /// What was waited for, one after the other.
    pub waits: Vec<Waiting>,
}

/// One wait of a step.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// What for.
    pub wait: Wait,
    /// Since when.
    pub from: Time,
    /// Until when; `None` while it lasts.
    pub until: Option<Time>,
    /// The entry that tells of it.
    pub entry: usize,
}

impl Walk {
    /// How long it took, up to `end` if it goes on.
    pub fn ms(&self, end: Time) -> u64 {
        self.until.unwrap_or(end).ms_since(self.from)
    }

    /// Its end, or `end` while it goes on.
    pub fn end(&self, end: Time) -> Time {
        self.until.unwrap_or(end)
    }
}

/// Whether walks, or whose they are, are read off such a record.
pub fn tell(record: &Record) -> bool {
    match &record.payload {
        Payload::Moved(_) => true,
        Payload::Gone(object) => matches!(object.kind, Kind::Drpc | Kind::Vrg),
        Payload::Commanded { command, .. } => matches!(command, Command::Hub(hub::Command::ApplyVrgWork(_))),
        _ => false,
    }
}

/// All walks, by log and aggregate, in order of time.
pub fn walks(merged: &Merged) -> BTreeMap<(usize, Aggregate), Vec<Walk>> {
    let mut walks: BTreeMap<(usize, Aggregate), Vec<Walk>> = BTreeMap::new();
    for (index, entry) in merged.entries.iter().enumerate() {
        match (&entry.record.payload, &entry.record.aggregate) {
            (Payload::Moved(position), Some(aggregate)) => {
                let all = walks.entry((entry.log, aggregate.clone())).or_default();
                step(all, entry.log, aggregate, position, entry.time, index);
            }
            (Payload::Gone(object), _) => {
                let controller = match object.kind {
                    Kind::Drpc => Controller::Drpc,
                    Kind::Vrg => Controller::Vrg,
                    _ => continue,
                };
                let aggregate = Aggregate::new(controller, &object.namespace, &object.name);
                if let Some(walk) = walks.get_mut(&(entry.log, aggregate)).and_then(|all| all.last_mut()) {
                    // What ends with the object was what its deletion was to come to.
                    walk.complete |= walk.runbook == "deletion";
                    leave(walk, entry.time, index);
                }
            }
            _ => {}
        }
    }
    walks
}

fn step(all: &mut Vec<Walk>, log: usize, aggregate: &Aggregate, position: &Position, time: Time, index: usize) {
    let same = |walk: &Walk| walk.runbook == position.runbook && walk.action == position.action.0;
    if !all.last().is_some_and(same) {
        if let Some(walk) = all.last_mut() {
            leave(walk, time, index);
        }
        all.push(Walk {
            log,
            aggregate: aggregate.clone(),
            runbook: position.runbook.clone(),
            action: position.action.0.clone(),
            from: time,
            until: None,
            complete: false,
            entry: index,
            steps: Vec::new(),
        });
    }
    let Some(walk) = all.last_mut() else { return };
    if position.step.is_empty() {
        leave(walk, time, index);
        walk.complete = true;
        return;
    }
    (walk.until, walk.complete) = (None, false);
    let waiting = position.wait.clone().map(|wait| Waiting { wait, from: time, until: None, entry: index });
    match walk.steps.last_mut() {
        Some(step) if step.name == position.step && step.until.is_none() => {
            end_wait(step, time);
            step.waits.extend(waiting);
        }
        _ => {
            end_step(walk, time, index);
            let waits = waiting.into_iter().collect();
            walk.steps.push(Step {
                name: position.step.clone(),
                from: time,
                until: None,
                entry: index,
                left: None,
                waits,
            });
        }
    }
}

/// The walk ends here, unless it goes on later.
fn leave(walk: &mut Walk, time: Time, index: usize) {
    end_step(walk, time, index);
    walk.until.get_or_insert(time);
}

fn end_step(walk: &mut Walk, time: Time, index: usize) {
    if let Some(step) = walk.steps.last_mut().filter(|step| step.until.is_none()) {
        step.until = Some(time);
        step.left = Some(index);
        end_wait(step, time);
    }
}

fn end_wait(step: &mut Step, time: Time) {
    if let Some(waiting) = step.waits.last_mut() {
        waiting.until.get_or_insert(time);
    }
}

/// The DRPC of each VRG, by namespace and name, as far as the hub's log tells.
pub fn owners(merged: &Merged) -> BTreeMap<(String, String), Aggregate> {
    let mut owners = BTreeMap::new();
    for entry in &merged.entries {
        if let Payload::Commanded { command: Command::Hub(hub::Command::ApplyVrgWork(work)), .. } =
            &entry.record.payload
        {
            let vrg = (work.manifest.namespace.clone(), work.manifest.name.clone());
            owners.insert(vrg, Aggregate::new(Controller::Drpc, &work.drpc.namespace, &work.drpc.name));
        }
    }
    owners
}
