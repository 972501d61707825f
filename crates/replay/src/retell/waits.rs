//! What managed clusters waited for so long that something must have been wrong: pods that did not stop, data that did
//! not pass, storage that did not do what it was asked.

use ramen_events::{Controller, Time};
use ramen_trials::happening::{Happening, StorageFault};

use super::{Tale, Telling, Told};
use crate::{
    moment::{clock_text, span_text},
    walks::{self, Step},
};

/// What takes longer does so for a reason, in milliseconds.
const LONG: u64 = 20_000;
/// From when something is mended to when that shows, in milliseconds.
const SHOWS: u64 = 2_000;

/// What must have been wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Pod,
    Link,
    Hanging,
    Failing,
}

impl Wrong {
    /// What makes a VRG wait for this.
    fn of(what: &str) -> Option<Self> {
        if what.contains("to stop using it") || what.contains("the claim to be deleted") {
            Some(Self::Pod)
        } else if what.contains("last data to reach") || what.contains("the other side does not answer") {
            Some(Self::Link)
        } else if what.contains("gave no answer in time") {
            Some(Self::Hanging)
        } else if ["failed to promote", "failed to demote", "failed to resync"].iter().any(|text| what.contains(text)) {
            Some(Self::Failing)
        } else {
            None
        }
    }
}

/// A long wait.
struct Spell {
    wrong: Wrong,
    from: Time,
    until: Option<Time>,
    /// The entries that tell of its begin and of its end.
    entries: (usize, Option<usize>),
}

/// Reads it.
pub(super) fn read(telling: &Telling<'_>, tale: &mut Tale) {
    let end = telling.end();
    let mut known: Vec<(Happening, Time)> = Vec::new();
    for ((log, aggregate), walks) in walks::walks(telling.merged) {
        let vrg = (aggregate.namespace.clone(), aggregate.name.clone());
        let owner = telling.merged.owners().get(&vrg).filter(|_| aggregate.controller == Controller::Vrg);
        let application = tale.applications.iter().find(|application| Some(&application.drpc) == owner);
        let Some(app) = application.map(|application| application.name.clone()) else { continue };
        let cluster = telling.merged.logs.get(log).map_or("?", crate::open::Log::name).to_owned();
        let all = walks.iter().flat_map(|walk| &walk.steps).flat_map(spells).filter(|spell| spell.from <= end);
        for spell in joined(all) {
            let until = spell.until.filter(|until| *until <= end);
            let lasts = until.unwrap_or(end).ms_since(spell.from);
            let silent = tale.happenings.iter().any(|told| is_loss(told, &cluster, spell.from, until.unwrap_or(end)));
            if lasts < LONG || silent {
                continue;
            }
            let asked = tale.happenings.iter().filter(|told| told.time <= spell.from && told.what.is_users());
            let asked = asked.map(|told| told.time).max().unwrap_or(spell.from);
            let on = cluster.clone();
            let storage = |fault| Happening::Storage { cluster: on.clone(), fault };
            let (from, begins, ends, words) = match spell.wrong {
                Wrong::Pod => (
                    asked,
                    Happening::Stubborn { app: app.clone(), on: on.clone() },
                    Happening::Evict { app: app.clone(), on: on.clone() },
                    format!("a pod of {app} on {cluster} does not stop"),
                ),
                Wrong::Link => (
                    spell.from,
                    Happening::StorageLink { works: false },
                    Happening::StorageLink { works: true },
                    "the sites' storage does not reach each other".to_owned(),
                ),
                Wrong::Hanging => (
                    asked,
                    storage(StorageFault::Hanging),
                    storage(StorageFault::None),
                    format!("the storage of {cluster} answers too late"),
                ),
                Wrong::Failing => (
                    asked,
                    storage(StorageFault::Failing),
                    storage(StorageFault::None),
                    format!("the storage of {cluster} fails"),
                ),
            };
            // Applications that share a site's storage wait for the same.
            let overlaps = |(what, until): &(Happening, Time)| *what == begins && *until >= spell.from;
            if known.iter().any(overlaps) {
                continue;
            }
            known.push((begins.clone(), until.unwrap_or(end)));
            let record = telling.input_before(log, spell.entries.0);
            tale.happenings.push(Told { time: from, what: begins, record, changed: false });
            if let Some(until) = until {
                let time = Time(until.0.saturating_sub(SHOWS)).max(spell.from);
                let record = spell.entries.1.and_then(|index| telling.input_before(log, index));
                tale.happenings.push(Told { time, what: ends, record, changed: false });
            }
            let upto = until.map_or("to the end".to_owned(), |until| format!("until {}", clock_text(until)));
            tale.assumed.push(format!("{words} {upto}: {cluster} waited for {} as it does then", span_text(lasts)));
        }
    }
}

/// Whether a cluster was without power or cut off meanwhile, which explains any wait.
fn is_loss(told: &Told, cluster: &str, from: Time, until: Time) -> bool {
    matches!(&told.what, Happening::Lose { cluster: lost } if lost == cluster) && told.time >= from && told.time < until
}

/// Waits that have the same reason and follow each other: what was wrong does not end with an action.
fn joined(spells: impl Iterator<Item = Spell>) -> Vec<Spell> {
    let mut joined: Vec<Spell> = Vec::new();
    for spell in spells {
        let follows = |last: &&mut Spell| {
            last.wrong == spell.wrong && last.until.is_some_and(|until| spell.from.ms_since(until) <= SHOWS)
        };
        match joined.last_mut().filter(follows) {
            Some(last) => {
                last.until = spell.until;
                last.entries.1 = spell.entries.1;
            }
            None => joined.push(spell),
        }
    }
    joined
}

/// Waits of a step that have the same reason, as one.
fn spells(step: &Step) -> Vec<Spell> {
    let mut spells: Vec<Spell> = Vec::new();
    for (at, waiting) in step.waits.iter().enumerate() {
        let Some(wrong) = Wrong::of(&waiting.wait.what) else { continue };
        let ended = step.waits.get(at + 1).map(|next| next.entry).or(step.left);
        match spells.last_mut() {
            Some(last) if last.wrong == wrong => {
                last.until = waiting.until;
                last.entries.1 = ended;
            }
            _ => {
                spells.push(Spell { wrong, from: waiting.from, until: waiting.until, entries: (waiting.entry, ended) })
            }
        }
    }
    spells
}
