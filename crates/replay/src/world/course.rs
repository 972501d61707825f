//! The course of an application in the logs of a world, real or simulated: its steps, and how it stands at the end.

use ramen_api::ramen::wire::RETAINED_FOR_FAILOVER;
use ramen_events::{Aggregate, Controller, Fact, Kind, Payload, Time, Wait, hub};
use serde::Serialize;

use super::Clocks;
use crate::{
    merge::Merged,
    walks::{self, Walk},
};

/// A stay at one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The action, without the number of the request: `failover-c2`.
    pub action: String,
    /// The step.
    pub name: String,
    /// When it was entered.
    pub from: Time,
    /// When it was left; `None` while it lasts.
    pub until: Option<Time>,
    /// What it waited for longest.
    pub wait: Option<Wait>,
}

/// How an application stands at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Its DRPC is there.
    pub protected: bool,
    /// `phase`.
    pub phase: String,
    /// `progression`.
    pub progression: String,
    /// Where its placement has it run; `None` for nowhere.
    pub home: Option<String>,
}

/// A wait that stays.
#[derive(Clone, Debug)]
pub struct Waits {
    /// In which log.
    pub log: String,
    /// Whose.
    pub aggregate: Aggregate,
    /// At which step.
    pub step: String,
    /// Since when.
    pub since: Time,
    /// What for, and what a person can do.
    pub wait: Wait,
}

/// The course of an application.
#[derive(Clone, Debug)]
pub struct Course {
    /// Steps of its DRPC, in order of time.
    pub stages: Vec<Stage>,
    /// How it stands at the end.
    pub standing: Standing,
    /// What is waited for at the end.
    pub waits: Vec<Waits>,
}

impl Course {
    /// Reads it off logs, of which `clocks` is the world's; `None`: they are on the clock that is shown.
    pub fn of(merged: &Merged, drpc: &Aggregate, clocks: Option<&Clocks>, until: Option<Time>) -> Self {
        let shown = |time: Time| clocks.map_or(time, |clocks| clocks.in_log(time));
        let mut stages = Vec::new();
        let mut waits = Vec::new();
        for ((log, aggregate), walks) in walks::walks(merged) {
            let owner = match aggregate.controller {
                Controller::Drpc => Some(&aggregate),
                Controller::Vrg => merged.owners().get(&(aggregate.namespace.clone(), aggregate.name.clone())),
                _ => None,
            };
            if owner != Some(drpc) {
                continue;
            }
            if aggregate == *drpc {
                stages.extend(walks.iter().flat_map(|walk| stages_of(walk, &shown)));
            }
            let name = merged.logs.get(log).map_or("?", crate::open::Log::name);
            for step in walks.last().into_iter().flat_map(|walk| walk.steps.last()).filter(|step| step.until.is_none())
            {
                waits.extend(step.waits.last().filter(|waiting| waiting.until.is_none()).map(|waiting| Waits {
                    log: name.to_owned(),
                    aggregate: aggregate.clone(),
                    step: step.name.clone(),
                    since: shown(waiting.from),
                    wait: waiting.wait.clone(),
                }));
            }
        }
        if let Some(until) = until {
            stages.retain(|stage: &Stage| stage.from <= until);
        }
        stages.sort_by_key(|stage| stage.from);
        Self { stages, standing: standing(merged, drpc, until), waits }
    }
}

fn stages_of(walk: &Walk, shown: &impl Fn(Time) -> Time) -> Vec<Stage> {
    let action = match walk.action.rsplit_once('-') {
        Some((action, number)) if number.chars().all(|c| c.is_ascii_digit()) => action,
        _ if walk.action.is_empty() => walk.runbook.as_str(),
        _ => walk.action.as_str(),
    };
    let stage = |step: &walks::Step| Stage {
        action: action.to_owned(),
        name: step.name.clone(),
        from: shown(step.from),
        until: step.until.map(shown),
        wait: longest(step),
    };
    walk.steps.iter().map(stage).collect()
}

/// What a step waited for longest; what it waits for still, if it does.
fn longest(step: &walks::Step) -> Option<Wait> {
    let ms = |waiting: &&walks::Waiting| waiting.until.map_or(u64::MAX, |until| until.ms_since(waiting.from));
    step.waits.iter().max_by_key(ms).map(|waiting| waiting.wait.clone())
}

fn standing(merged: &Merged, drpc: &Aggregate, until: Option<Time>) -> Standing {
    let mut standing = Standing::default();
    let mut placement = String::new();
    let mut homes: Vec<(String, Option<String>)> = Vec::new();
    for entry in merged.entries.iter().filter(|entry| until.is_none_or(|until| entry.time <= until)) {
        match &entry.record.payload {
            Payload::Observed(Fact::Hub(hub::Fact::Drpc(seen)))
                if seen.meta.namespace == drpc.namespace && seen.meta.name == drpc.name =>
            {
                standing.protected = true;
                standing.phase.clone_from(&seen.status.phase);
                standing.progression.clone_from(&seen.status.progression);
                placement.clone_from(&seen.spec.placement);
            }
            Payload::Gone(gone)
                if gone.kind == Kind::Drpc && gone.namespace == drpc.namespace && gone.name == drpc.name =>
            {
                standing = Standing::default();
            }
            Payload::Observed(Fact::Hub(hub::Fact::Decision(decision))) if decision.namespace == drpc.namespace => {
                homes.push((decision.placement.clone(), home(decision)));
            }
            _ => {}
        }
    }
    standing.home = homes.into_iter().rfind(|(of, _)| *of == placement).and_then(|(_, home)| home);
    standing
}

/// Where a placement has its application run, old homes left out.
pub fn home(decision: &hub::DecisionFact) -> Option<String> {
    let home = decision.entries.iter().find(|entry| entry.reason != RETAINED_FOR_FAILOVER);
    home.map(|home| home.cluster.to_string())
}
