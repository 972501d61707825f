//! When a condition held: from which record to which.

use anyhow::Result;
use ramen_events::{Seq, Time};

use crate::{
    predicate::{Object, Predicate, Watch},
    rerun::Line,
    state::State,
};

/// A time through which a condition held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// The record after which it held; `None` when it held before the log begins.
    pub from: Option<Seq>,
    /// When that was.
    pub since: Time,
    /// The record after which it held no more; `None` when it held to the end.
    pub to: Option<Seq>,
    /// When that was; the time of the last record when it held to the end.
    pub until: Time,
}

impl Spell {
    /// How long it lasted at least, in milliseconds.
    pub fn ms(&self) -> u64 {
        self.until.ms_since(self.since)
    }
}

/// All spells of a condition that last long enough, and the objects that were never there.
pub struct Spells<'a> {
    /// The spells, in order.
    pub long: Vec<Spell>,
    /// The longest that did not last long enough.
    pub too_short: Option<Spell>,
    /// Objects that the log never shows.
    pub unseen: Vec<&'a Object>,
}

/// Folds a log, and notes when the condition held.
///
/// # Errors
/// None that is known.
pub fn find<'a>(predicate: &'a Predicate, start: &State, lines: &[Line]) -> Result<Spells<'a>> {
    let mut state = start.clone();
    let mut watch = Watch::new(&predicate.test, &state);
    let mut spells = Spells { long: Vec::new(), too_short: None, unseen: Vec::new() };
    let mut now = state.now();
    let mut open = watch.holds().then_some((None, now));
    for Line { record, from } in lines {
        state.apply(record);
        now = record.stamp.time;
        let seq = from.or(Some(record.seq));
        match (watch.follow(record, &state), open) {
            (true, None) => open = Some((seq, now)),
            (false, Some((from, since))) => {
                spells.note(Spell { from, since, to: seq, until: now }, predicate.lasting);
                open = None;
            }
            _ => {}
        }
    }
    if let Some((from, since)) = open {
        spells.note(Spell { from, since, to: None, until: now }, predicate.lasting);
    }
    spells.unseen = watch.unseen();
    Ok(spells)
}

impl Spells<'_> {
    fn note(&mut self, spell: Spell, lasting: u64) {
        if spell.ms() >= lasting {
            self.long.push(spell);
        } else if self.too_short.is_none_or(|other| other.ms() < spell.ms()) {
            self.too_short = Some(spell);
        }
    }
}
