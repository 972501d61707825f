//! What the scripts of the page work on. Names are short: there may be many thousand of each.

use std::collections::BTreeMap;

use ramen_events::{Aggregate, Payload};
use serde::Serialize;
use serde_json::Value;

use crate::{
    causes::{self, How},
    changes::{Change, brief, cut},
    merge::{Entry, Merged},
    object,
    open::Log,
    page::Mark,
    state::State,
    story::Story,
    walks::{self, Step, Walk},
    words,
};

/// How long details may be, in characters.
const DETAIL: usize = 3_000;
/// How many events a page may have with their details; with more, it says what each says in one line.
const DETAILED: usize = 50_000;
/// How many changes of a fact are kept.
const CHANGES: usize = 24;
/// How long a line of an event may be.
const SAYS: usize = 260;

#[derive(Serialize)]
pub struct Data {
    /// Milliseconds since the epoch; all other times count from here.
    start: u64,
    length: u64,
    logs: Vec<String>,
    kinds: Vec<&'static str>,
    abouts: Vec<String>,
    groups: Vec<Group>,
    lanes: Vec<LaneData>,
    events: Vec<Event>,
    /// What people did and what befell the world: from, until, what, whether it befell the world.
    marks: Vec<(u64, Option<u64>, String, bool)>,
}

#[derive(Serialize)]
struct Group {
    name: String,
    lanes: Vec<usize>,
}

#[derive(Serialize)]
struct LaneData {
    log: usize,
    name: String,
    /// Up to when its log tells something.
    end: u64,
    walks: Vec<WalkData>,
}

#[derive(Serialize)]
struct WalkData {
    runbook: String,
    action: String,
    from: u64,
    until: Option<u64>,
    complete: bool,
    entry: usize,
    steps: Vec<StepData>,
}

#[derive(Serialize)]
struct StepData {
    name: String,
    from: u64,
    until: Option<u64>,
    entry: usize,
    left: Option<usize>,
    /// What for, where, what a person can do, from, until, which event tells of it.
    waits: Vec<(String, String, String, u64, Option<u64>, usize)>,
}

/// Its place among all entries (others refer to it by that), log, number, time, kind, about, what led to it, command or outcome that belongs to it, whether it
/// failed (1) and whether its cause is only likely (2), words,
/// details, lanes.
#[derive(Serialize)]
struct Event(usize, usize, u64, u64, usize, usize, Option<usize>, Option<usize>, u8, String, Value, Vec<usize>);

/// Gives each text a number.
#[derive(Default)]
struct Names<T> {
    names: Vec<T>,
    numbers: BTreeMap<T, usize>,
}

impl<T: Ord + Clone> Names<T> {
    fn number(&mut self, name: T) -> usize {
        *self.numbers.entry(name.clone()).or_insert_with(|| {
            self.names.push(name);
            self.names.len() - 1
        })
    }
}

/// All of it.
pub fn of(merged: &Merged, story: &Story, marks: &[Mark]) -> Data {
    let start = story.start.0;
    let length = story.end.0.saturating_sub(start).max(1);
    let ms = |time: ramen_events::Time| time.0.saturating_sub(start).min(length);
    let marks = marks.iter().map(|mark| (ms(mark.from), mark.until.map(ms), mark.words.clone(), mark.is_fault));
    let mut lanes = Vec::new();
    let mut groups = Vec::new();
    let mut lane_of: BTreeMap<(usize, Aggregate), usize> = BTreeMap::new();
    for application in &story.applications {
        let first = lanes.len();
        for lane in &application.lanes {
            lane_of.insert((lane.log, lane.aggregate.clone()), lanes.len());
            let walks = lane.walks.iter().map(|walk| walk_data(walk, start)).collect();
            let end = story.end_of(lane.log).0.saturating_sub(start);
            lanes.push(LaneData { log: lane.log, name: lane.aggregate.to_string(), end, walks });
        }
        groups.push(Group { name: application.aggregate.to_string(), lanes: (first..lanes.len()).collect() });
    }
    let (mut kinds, mut abouts) = (Names::default(), Names::default());
    let concerns = concerns(merged, &lane_of);
    let kept = kept(merged, story, &concerns);
    let mut events = Vec::new();
    let mut all_news = words::News::new(merged);
    let detailed = kept.iter().filter(|kept| **kept).count() <= DETAILED;
    for (index, (entry, on)) in merged.entries.iter().zip(concerns).enumerate() {
        if !kept.get(index).copied().unwrap_or_default() {
            continue;
        }
        let news = match &entry.record.payload {
            Payload::Observed(_) => all_news.of(index),
            Payload::Gone(_) => {
                all_news.forget(index);
                None
            }
            _ => None,
        };
        let (link, failed) = link(merged, entry);
        let cause = causes::before(merged, index);
        events.push(Event(
            index,
            entry.log,
            entry.record.seq.0,
            entry.time.0.saturating_sub(start),
            kinds.number(words::kind(entry)),
            abouts.number(words::about(&entry.record)),
            cause.map(|(cause, _)| cause),
            link,
            u8::from(failed) + 2 * u8::from(cause.is_some_and(|(_, how)| how == How::Followed)),
            cut(&words::says_of(merged, index, news.as_deref()), SAYS),
            if detailed { detail(news, entry) } else { Value::Null },
            on,
        ));
    }
    Data {
        start,
        length,
        logs: merged.logs.iter().map(Log::name).map(str::to_owned).collect(),
        kinds: kinds.names,
        abouts: abouts.names,
        groups,
        lanes,
        events,
        marks: marks.collect(),
    }
}

/// For each entry the lanes that it concerns.
fn concerns(merged: &Merged, lane_of: &BTreeMap<(usize, Aggregate), usize>) -> Vec<Vec<usize>> {
    // A state is folded of all records, or not at all.
    let whole = merged.logs.iter().filter(|_| !merged.is_partial());
    let mut states: Vec<State> = whole.map(|log| State::empty(log.owner.operator)).collect();
    let of = |entry: &Entry| {
        let touched = states.get_mut(entry.log).map(|state| state.apply(&entry.record)).unwrap_or_default();
        let all = touched.iter().chain(&entry.record.aggregate);
        let lanes = all.filter_map(|aggregate| lane_of.get(&(entry.log, aggregate.clone())).copied());
        let mut lanes: Vec<usize> = lanes.collect();
        lanes.sort_unstable();
        lanes.dedup();
        lanes
    };
    merged.entries.iter().map(of).collect()
}

/// Which entries the page holds: all; if it is about some applications, what concerns them and what led to that.
fn kept(merged: &Merged, story: &Story, concerns: &[Vec<usize>]) -> Vec<bool> {
    // Of long logs, only that was read which concerns them.
    let read = |index| {
        merged.is_partial() && merged.entries.get(index).is_some_and(|entry: &Entry| !walks::tell(&entry.record))
    };
    let of = |(index, lanes): (usize, &Vec<usize>)| !story.partial || !lanes.is_empty() || read(index);
    let mut kept: Vec<bool> = concerns.iter().enumerate().map(of).collect();
    // Causes lie before their effects.
    for index in (0..kept.len()).rev().filter(|_| story.partial) {
        if kept.get(index).copied().unwrap_or_default()
            && let Some((cause, _)) = causes::before(merged, index)
            && let Some(cause) = kept.get_mut(cause)
        {
            *cause = true;
        }
    }
    kept
}

fn walk_data(walk: &Walk, start: u64) -> WalkData {
    WalkData {
        runbook: walk.runbook.clone(),
        action: walk.action.clone(),
        from: walk.from.0.saturating_sub(start),
        until: walk.until.map(|until| until.0.saturating_sub(start)),
        complete: walk.complete,
        entry: walk.entry,
        steps: walk.steps.iter().map(|step| step_data(step, start)).collect(),
    }
}

fn step_data(step: &Step, start: u64) -> StepData {
    let ms = |time: ramen_events::Time| time.0.saturating_sub(start);
    let waits = step.waits.iter().map(|waiting| {
        let wait = &waiting.wait;
        let on = wait.on.as_ref().map(ToString::to_string).unwrap_or_default();
        (wait.what.clone(), on, wait.remedy.clone(), ms(waiting.from), waiting.until.map(ms), waiting.entry)
    });
    StepData {
        name: step.name.clone(),
        from: ms(step.from),
        until: step.until.map(ms),
        entry: step.entry,
        left: step.left,
        waits: waits.collect(),
    }
}

/// The outcome of a command, or the command of an outcome; and whether it failed.
fn link(merged: &Merged, entry: &Entry) -> (Option<usize>, bool) {
    match &entry.record.payload {
        Payload::Commanded { id, .. } => (merged.finished(*id), false),
        Payload::Finished { id, outcome, .. } => (merged.commanded(*id), !outcome.is_done()),
        _ => (None, false),
    }
}

/// What changed, as rows of three; or the whole, as text.
fn detail(news: Option<Vec<Change>>, entry: &Entry) -> Value {
    match &entry.record.payload {
        Payload::Observed(fact) => match news {
            Some(changes) => {
                let text = |value: &Option<Value>| value.as_ref().map_or_else(String::new, |value| brief(value, 240));
                let rows = changes.iter().take(CHANGES);
                rows.map(|change| serde_json::json!([change.path, text(&change.before), text(&change.after)])).collect()
            }
            None => pretty(&object::filled(words::contents(serde_json::to_value(fact).unwrap_or_default()))),
        },
        Payload::Commanded { command, .. } => pretty(&object::filled(words::body(command))),
        _ => Value::Null,
    }
}

fn pretty(value: &Value) -> Value {
    Value::String(cut(&serde_json::to_string_pretty(value).unwrap_or_default(), DETAIL))
}
