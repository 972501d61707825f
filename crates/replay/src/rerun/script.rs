//! The inputs of a log in the order in which they are to come, and changes of them.

use std::collections::BTreeMap;

use ramen_events::{Aggregate, Payload, Record, Seq, Time};

use super::Line;

/// When an input comes: at its time; at the same time in the order of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// When.
    pub time: Time,
    /// The line that it is, or that it comes after.
    seq: Seq,
    /// Counts what comes after the same line.
    sub: u32,
}

/// What was done to an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Nothing.
    Kept,
    /// It says something else.
    Altered,
    /// It was added, or comes from another place.
    Put,
    /// It is left out.
    Left,
    /// It was here, and comes at another place.
    Vacated,
}

/// An input of a run.
#[derive(Clone, Debug)]
pub struct Input {
    /// What it says.
    pub record: Record,
    /// Its number in the log as it was recorded; `None` for one that was added.
    pub from: Option<Seq>,
    /// Its number among the lines that the run is compared with.
    pub base: Option<Seq>,
    /// What was done to it.
    pub part: Part,
}

/// Inputs, in order.
#[derive(Clone, Debug, Default)]
pub struct Script {
    queue: BTreeMap<Key, Input>,
    /// Where each line of the log stands, by its number as recorded: inputs and decisions.
    places: BTreeMap<Seq, Key>,
    /// Recorded timers still to come.
    timers: BTreeMap<(Aggregate, Time), usize>,
    added: u32,
}

impl Script {
    /// The inputs among these lines.
    pub fn of(lines: &[Line]) -> Self {
        let mut script = Self::default();
        let mut begun = false;
        for line in lines {
            let record = &line.record;
            let key = Key { time: record.stamp.time, seq: record.seq, sub: 0 };
            if let Some(from) = line.from {
                script.places.insert(from, key);
            }
            // A log that starts in the middle may start with decisions: there is nothing to decide them from.
            begun |= record.payload.is_input();
            if begun && !record.payload.is_input() {
                continue;
            }
            let input = Input { record: record.clone(), from: line.from, base: Some(record.seq), part: Part::Kept };
            script.put(key, input);
        }
        script
    }

    /// When the next one comes.
    pub fn next_time(&self) -> Option<Time> {
        self.queue.first_key_value().map(|(key, _)| key.time)
    }

    /// The next one.
    pub fn pop(&mut self) -> Option<(Key, Input)> {
        let (key, input) = self.queue.pop_first()?;
        if let Some(name) = timer(&input)
            && let Some(count) = self.timers.get_mut(&name)
        {
            *count = count.saturating_sub(1);
        }
        Some((key, input))
    }

    /// Puts one in.
    pub fn put(&mut self, key: Key, input: Input) {
        if let Some(name) = timer(&input) {
            *self.timers.entry(name).or_default() += 1;
        }
        self.queue.insert(key, input);
    }

    /// Takes one out.
    pub fn remove(&mut self, key: &Key) -> Option<Input> {
        let input = self.queue.remove(key)?;
        if let Some(name) = timer(&input)
            && let Some(count) = self.timers.get_mut(&name)
        {
            *count = count.saturating_sub(1);
        }
        Some(input)
    }

    /// Whether the record has a timer for this moment that is still to come.
    pub fn has_timer(&self, aggregate: &Aggregate, wanted: Time) -> bool {
        self.timers.get(&(aggregate.clone(), wanted)).is_some_and(|count| *count > 0)
    }

    /// All inputs still to come.
    pub fn inputs(&self) -> impl Iterator<Item = (&Key, &Input)> {
        self.queue.iter()
    }

    /// One input, by its number as recorded; `None` when that is a decision, or nothing.
    pub fn input(&mut self, from: Seq) -> Option<&mut Input> {
        self.queue.get_mut(self.places.get(&from)?)
    }

    /// Leaves an input out.
    pub fn leave(&mut self, from: Seq) {
        let Some(key) = self.places.get(&from).copied() else { return };
        if let Some(mut input) = self.remove(&key) {
            input.part = Part::Left;
            self.put(key, input);
        }
    }

    /// Has an input come later.
    pub fn delay(&mut self, from: Seq, ms: u64) {
        let Some(key) = self.places.get(&from).copied() else { return };
        self.added += 1;
        self.shift(from, key, Key { time: key.time.plus_ms(ms), seq: key.seq, sub: self.added });
    }

    /// Has an input come right after another record.
    pub fn put_after(&mut self, from: Seq, after: Seq) {
        let (Some(key), Some(place)) = (self.places.get(&from).copied(), self.places.get(&after).copied()) else {
            return;
        };
        self.added += 1;
        self.shift(from, key, Key { sub: self.added, ..place });
    }

    fn shift(&mut self, from: Seq, here: Key, there: Key) {
        let Some(input) = self.remove(&here) else { return };
        self.put(here, Input { part: Part::Vacated, ..input.clone() });
        self.put(there, Input { part: Part::Put, ..input });
        self.places.insert(from, there);
    }

    /// Adds an input right after a record.
    pub fn add_after(&mut self, after: Seq, record: Record) {
        let Some(place) = self.places.get(&after).copied() else { return };
        self.added += 1;
        self.put(Key { sub: self.added, ..place }, Input { record, from: None, base: None, part: Part::Put });
    }

    /// Has deciders of another version decide, from the first start on.
    pub fn set_decider(&mut self, version: u32) {
        for input in self.queue.values_mut() {
            if let Payload::Started { decider, .. } = &mut input.record.payload
                && *decider != version
            {
                *decider = version;
                input.part = if input.part == Part::Kept { Part::Altered } else { input.part };
            }
        }
    }

    /// Keeps the inputs that pass, and leaves the others out.
    pub fn retain(&mut self, mut passes: impl FnMut(&Input) -> bool) {
        let queue = std::mem::take(&mut self.queue);
        self.timers.clear();
        for (key, mut input) in queue {
            if input.part != Part::Vacated && !passes(&input) {
                input.part = Part::Left;
            }
            self.put(key, input);
        }
    }
}

impl Key {
    /// The line that it is, or that it comes after.
    pub fn seq(self) -> Seq {
        self.seq
    }

    /// The same place, later by this many milliseconds (or earlier).
    pub fn shifted(self, ms: i64) -> Self {
        Self { time: Time(self.time.0.saturating_add_signed(ms)), ..self }
    }
}

/// The name of a timer that is to fire.
fn timer(input: &Input) -> Option<(Aggregate, Time)> {
    match (&input.record.payload, &input.record.aggregate, input.part) {
        (_, _, Part::Left | Part::Vacated) => None,
        (Payload::TimerFired { wanted, .. }, Some(aggregate), _) => Some((aggregate.clone(), *wanted)),
        _ => None,
    }
}
