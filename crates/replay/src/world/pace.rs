//! When things happen in the world: what the log showed when they happened there.

use ramen_events::{Fact, Kind, Payload, Time, hub};
use ramen_trials::{happening::Happening, span::Span, until::Until};

use super::Clocks;
use crate::retell::{
    Application, Tale, Telling, Told,
    file::{self, Entry},
};

/// How much longer than in the log people wait for what the log showed, in milliseconds.
const PATIENCE: u64 = 120_000;
/// How long the world goes on after the last thing that happens, beside the interval of the policy, in milliseconds.
const REST: u64 = 600_000;

/// How long nothing happens at most, beside two intervals of the policy, while everything is at rest, in milliseconds.
const QUIET: u64 = 1_800_000;

/// Something that a DRPC shows, and since when it does.
#[derive(Clone, Debug)]
struct Shown {
    since: Time,
    /// One after the other.
    until: Vec<Until>,
}

/// The timeline in which everything waits for what the log showed when it happened.
pub fn paced(telling: &Telling<'_>, tale: &Tale) -> Vec<Entry> {
    let shown: Vec<(&Application, Vec<Shown>)> =
        tale.applications.iter().map(|application| (application, shown(telling, application))).collect();
    let mut entries: Vec<Entry> = Vec::new();
    let mut before: Option<Time> = None;
    for (time, told) in file::moments(&tale.happenings) {
        let mut when = Vec::new();
        for one in &told {
            if let Happening::Protect { app, on, .. } = &one.what {
                when.push(Until::Runs { app: app.clone(), on: on.clone() });
            }
        }
        // What was shown before the last thing happened was waited for then.
        let is_new = |shown: &&Shown| before.is_none_or(|before| shown.since > before);
        let last = |(application, all): &(&Application, Vec<Shown>)| {
            let last = all.iter().rfind(|shown| shown.since <= time).filter(is_new)?;
            let is_acted =
                tale.happenings.iter().any(|told| told.time < time && is_about(&told.what, &application.name));
            let until = match last.until.as_slice() {
                // However it came there, it begins as deployed.
                [Until::Settled { app, .. }] if application.before && !is_acted => {
                    vec![Until::Settled { app: app.clone(), phase: "Deployed".to_owned() }]
                }
                other => other.to_vec(),
            };
            Some(Shown { since: last.since, until })
        };
        let mut waited: Vec<Shown> = shown.iter().filter_map(last).collect();
        waited.sort_by_key(|shown| shown.since);
        let quiet = if rests(&shown, time) { quiet(tale) } else { u64::MAX };
        let since = waited.last().map(|shown| shown.since).into_iter().chain(before).max();
        when.extend(waited.into_iter().flat_map(|shown| shown.until));
        entries.push(Entry {
            when,
            after: since.map_or(0, |since| time.ms_since(since)).min(quiet),
            patience: PATIENCE + before.map_or(0, |before| time.ms_since(before)),
            told,
            comment: String::new(),
        });
        before = Some(time);
    }
    entries
}

/// How long nothing happens at most, while everything is at rest.
fn quiet(tale: &Tale) -> u64 {
    QUIET + 2 * interval(tale)
}

fn interval(tale: &Tale) -> u64 {
    tale.interval.parse::<Span>().map_or(0, |span| span.0)
}

/// Whether nothing goes on at a time.
fn rests(shown: &[(&Application, Vec<Shown>)], time: Time) -> bool {
    shown.iter().all(|(_, all)| {
        let last = all.iter().rfind(|shown| shown.since <= time);
        last.is_none_or(|last| matches!(last.until.as_slice(), [Until::Settled { .. } | Until::Unprotected { .. }]))
    })
}

/// Up to when the world has to go on, so that it shows what the log does; `None` when the log ends at rest.
pub fn goes_on(telling: &Telling<'_>, tale: &Tale) -> Option<Time> {
    let shown: Vec<(&Application, Vec<Shown>)> =
        tale.applications.iter().map(|application| (application, shown(telling, application))).collect();
    (!rests(&shown, telling.end())).then(|| telling.end())
}

/// Quiet times that are shorter in the world, in words.
pub fn shortened(tale: &Tale, entries: &[Entry]) -> Option<String> {
    let is_cut = |entry: &&Entry| entry.after == quiet(tale);
    let count = entries.iter().filter(is_cut).count();
    let span = crate::moment::span_text(quiet(tale));
    let times = if count == 1 { "a quiet time is".to_owned() } else { format!("{count} quiet times are") };
    (count > 0).then(|| format!("{times} cut to {span}: nothing went on, and nothing happened"))
}

/// The timeline at fixed moments. `end` is when the log ends, if the world has to go on up to then.
pub fn fixed(
    tale: &Tale,
    clocks: &Clocks,
    begin: Time,
    end: Option<Time>,
    comment: &dyn Fn(Time) -> String,
) -> Vec<Entry> {
    let mut before = begin;
    let mut entries: Vec<Entry> = Vec::new();
    for (time, told) in file::moments(&tale.happenings) {
        let at = clocks.in_world(time).max(before);
        entries.push(Entry { after: at.ms_since(before), told, comment: comment(time), ..Entry::default() });
        before = at;
    }
    let rest = (REST + interval(tale)).max(end.map_or(0, |end| clocks.in_world(end).ms_since(before)));
    entries.push(Entry { after: rest, comment: "to see what comes of it".to_owned(), ..Entry::default() });
    entries
}

fn is_about(what: &Happening, name: &str) -> bool {
    match what {
        Happening::Protect { app, .. }
        | Happening::Failover { app, .. }
        | Happening::Relocate { app, .. }
        | Happening::Withdraw { app }
        | Happening::Unprotect { app } => app == name,
        _ => false,
    }
}

/// What a DRPC showed, one after the other.
fn shown(telling: &Telling<'_>, application: &Application) -> Vec<Shown> {
    let app = application.name.clone();
    let mut all: Vec<Shown> = Vec::new();
    for index in &telling.entries {
        let Some(entry) = telling.merged.entries.get(*index).filter(|entry| entry.log == telling.hub) else { continue };
        let until = match &entry.record.payload {
            Payload::Observed(Fact::Hub(hub::Fact::Drpc(drpc)))
                if drpc.meta.namespace == application.drpc.namespace && drpc.meta.name == application.drpc.name =>
            {
                let (generation, status) = (drpc.meta.generation, &drpc.status);
                let is = |kind: &str| status.condition(kind).is_some_and(|found| found.is_true_at(generation));
                let is_current = status.conditions.iter().any(|condition| condition.generation == generation);
                match status.progression.as_str() {
                    _ if !is_current => continue,
                    "" => continue,
                    "Completed" if is("Available") && is("PeerReady") && is("Protected") => {
                        vec![Until::Settled { app: app.clone(), phase: status.phase.clone() }]
                    }
                    // The action before was completed, too.
                    "Completed" => vec![
                        Until::Available { app: app.clone(), phase: status.phase.clone() },
                        Until::Progression { app: app.clone(), is: "Completed".to_owned() },
                    ],
                    progression => vec![Until::Progression { app: app.clone(), is: progression.to_owned() }],
                }
            }
            Payload::Gone(gone)
                if gone.kind == Kind::Drpc
                    && gone.namespace == application.drpc.namespace
                    && gone.name == application.drpc.name =>
            {
                vec![Until::Unprotected { app: app.clone() }]
            }
            _ => continue,
        };
        if all.last().is_none_or(|last| last.until != until) {
            all.push(Shown { since: entry.time, until });
        }
    }
    all
}

/// The moments of entries that wait, as found: the log's and the world's.
pub fn found(tale: &Tale, entries: &[Entry], acts: &[Time]) -> (Time, Clocks) {
    let first = 1 + tale.applications.iter().map(|application| 1 + usize::from(application.before)).sum::<usize>();
    let begin = acts.get(first - 1).copied().unwrap_or_default();
    let mut at = first;
    let mut known: Vec<(Time, Time)> = Vec::new();
    for entry in entries {
        at += entry.when.len().max(1);
        let told: Option<&Told> = entry.told.first();
        if let (Some(told), Some(act)) = (told, acts.get(at - 1)) {
            known.push((told.time, *act));
        }
    }
    (begin, Clocks::new(known))
}
