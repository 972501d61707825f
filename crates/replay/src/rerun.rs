//! A log's inputs, changed or not, folded and decided again by the operators' own code.
//!
//! ```text
//!   recorded lines ──> Script (inputs, altered) ──> fold, decide ──> lines, where they split from the recorded ones
//! ```
//!
//! Up to the first decision that differs, everything is as it was recorded, in the recorded order. From there on the
//! record is no longer of this run, and the world is not there to be asked. What is assumed then:
//!
//! - What was *observed* stays as it was recorded: objects do not react to other commands.
//! - What became of a *command* follows the command: if it is decided at another time, its outcome comes as much later
//!   or earlier ([`outcomes`]). A command that the log has no outcome of stays in flight.
//! - *Timers* fire when the decisions of this run asked for it, not when those of the record did.
//! - Facts that are no news to this run make no record, as in an operator.

mod baseline;
mod outcomes;
mod script;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ramen_events::{Aggregate, Cause, Clock, ObjectId, Origin, Payload, Record, Seq, Stamp, Time};
use ramen_ledger::{SHORTEST_WAIT_MS, Timers, Wish};
use ramen_projector::{Domain, World};
use serde::Serialize;

use crate::state::State;

pub use baseline::{Baseline, fold};
pub use script::{Input, Key, Part, Script};

use outcomes::Outcomes;

/// A record of a run, and the recorded one that it stands for.
#[derive(Clone, Debug)]
pub struct Line {
    /// The record.
    pub record: Record,
    /// Its number in the log as it was recorded; `None` for what only this run has.
    pub from: Option<Seq>,
}

impl Line {
    /// Records as they stand in their log.
    pub fn recorded(records: impl IntoIterator<Item = Record>) -> Vec<Self> {
        records.into_iter().map(|record| Self { from: Some(record.seq), record }).collect()
    }
}

/// A decision: whose, and what.
pub type Decision = (Aggregate, Payload);

/// Tells whether two decisions are the same.
pub type Same = fn(&Decision, &Decision) -> bool;

/// The first decision that differs.
#[derive(Clone, Debug)]
pub struct Split {
    /// The input that it follows from, by its number in the recorded log; `None` for one that was added.
    pub input: Option<Seq>,
    /// When.
    pub time: Time,
    /// The recorded decision; `None` when nothing (more) was decided there.
    pub was: Option<(Option<Seq>, Decision)>,
    /// The decision of this run; `None` when nothing (more) is decided there.
    pub now: Option<Decision>,
}

/// What a run could not take over from the record, and what it assumed instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Outcomes that came earlier or later than recorded, because their commands did.
    pub outcomes_moved: usize,
    /// Outcomes taken over from a command of the same kind in the same slot whose contents were others.
    pub outcomes_assumed: usize,
    /// Recorded outcomes of commands that this run does not decide on.
    pub outcomes_left_out: usize,
    /// Commands of this run that the log has no outcome of: they stay in flight, and hold up their slot.
    pub commands_open: usize,
    /// Recorded timers that nobody asked for in this run.
    pub timers_left_out: usize,
    /// Timers that only this run asked for.
    pub timers_added: usize,
    /// Recorded facts that are no news to this run.
    pub facts_without_news: usize,
}

/// What came of a run.
pub struct Rerun {
    /// Its records, numbered and stamped as an operator would have written them.
    pub lines: Vec<Line>,
    /// Where it leaves the recorded run; `None` when all decisions are the same.
    pub split: Option<Split>,
    /// What was assumed after that.
    pub tally: Tally,
    /// The state at its end.
    pub state: State,
    /// Decisions that must have been made, but that the recorded log lost, by the input that they follow from.
    pub lost: Lost,
}

/// Decisions that a process made, or was about to make, when it died; see [`crate::Verifier`].
pub type Lost = BTreeMap<Seq, Vec<Decision>>;

/// Runs a script from a state. `base` are the lines that it is compared with.
fn run(start: &State, base: &[Line], script: Script, known: (&Lost, Same)) -> Rerun {
    match start {
        State::Hub(world) => {
            let (ended, world) = Run::new((**world).clone(), base, script, known).finish();
            ended.with(State::Hub(Box::new(world)))
        }
        State::Spoke(world) => {
            let (ended, world) = Run::new((**world).clone(), base, script, known).finish();
            ended.with(State::Spoke(Box::new(world)))
        }
    }
}

/// The decisions that follow from one input, as recorded.
#[derive(Default)]
struct Segment {
    decisions: VecDeque<(Option<Seq>, Decision)>,
    /// A process ended after it: more may have been decided than is recorded.
    open_end: bool,
}

struct Run<D> {
    world: World<D>,
    clock: Clock,
    script: Script,
    /// By the number of the input among the base lines.
    segments: BTreeMap<Seq, Segment>,
    lost: Lost,
    same: Same,
    outcomes: Outcomes,
    timers: Timers,
    /// Wishes whose moment has come, and whose recorded timer is still to come.
    awaited: BTreeMap<Aggregate, Wish>,
    /// New numbers of base lines.
    numbers: BTreeMap<Seq, Seq>,
    /// Objects that were seen, and not seen to go.
    told: BTreeSet<ObjectId>,
    lines: Vec<Line>,
    split: Option<Split>,
    tally: Tally,
    /// Something was changed before here.
    changed: bool,
    /// The record that the run starts after.
    start: Seq,
    origin: Option<Origin>,
    found_lost: Lost,
}

/// A run without its state.
struct Ended {
    lines: Vec<Line>,
    split: Option<Split>,
    tally: Tally,
    lost: Lost,
}

impl Ended {
    fn with(self, state: State) -> Rerun {
        Rerun { lines: self.lines, split: self.split, tally: self.tally, state, lost: self.lost }
    }
}

impl<D: Domain> Run<D> {
    fn new(world: World<D>, base: &[Line], script: Script, (lost, same): (&Lost, Same)) -> Self {
        let stamp = Stamp { time: world.now, count: 0 };
        Self {
            clock: Clock::after(stamp),
            start: world.head,
            world,
            segments: segments(base),
            outcomes: Outcomes::new(base, &script),
            script,
            lost: lost.clone(),
            same,
            timers: Timers::default(),
            awaited: BTreeMap::new(),
            numbers: BTreeMap::new(),
            told: BTreeSet::new(),
            lines: Vec::with_capacity(base.len()),
            split: None,
            tally: Tally::default(),
            changed: false,
            origin: base.first().map(|line| line.record.origin.clone()),
            found_lost: Lost::new(),
        }
    }

    fn finish(mut self) -> (Ended, World<D>) {
        while let Some(next) = self.script.next_time() {
            if self.split.is_some() && self.fire_before(next) {
                continue; // what it led to may come before what was next
            }
            let Some((key, input)) = self.script.pop() else { break };
            self.take(key, input);
        }
        self.tally.outcomes_left_out = self.outcomes.never_wanted();
        let ended = Ended { lines: self.lines, split: self.split, tally: self.tally, lost: self.found_lost };
        (ended, self.world)
    }

    fn take(&mut self, key: Key, input: Input) {
        self.changed |= input.part != Part::Kept;
        let base = input.base;
        match input.part {
            Part::Left => {
                if let (Payload::TimerFired { .. }, Some(aggregate)) = (&input.record.payload, &input.record.aggregate)
                {
                    self.timers.set(aggregate, None);
                }
                self.skip(&input, key.time);
            }
            Part::Vacated => self.skip(&input, key.time),
            Part::Kept | Part::Altered | Part::Put => {
                let compared = base.filter(|_| input.part != Part::Put);
                match self.admit(&input, key) {
                    Some(record) => self.enter(record, input.from, base, compared, key.time),
                    None => self.skip(&input, key.time),
                }
            }
        }
    }

    /// An input that this run does not have: what was decided because of it is not decided here.
    fn skip(&mut self, input: &Input, time: Time) {
        let segment = input.base.and_then(|base| self.segments.get(&base));
        if let (Some(was), None) = (segment.and_then(|segment| segment.decisions.front()), &self.split) {
            self.split = Some(Split { input: input.from, time, was: Some(was.clone()), now: None });
        }
    }

    /// The record that an input becomes; `None` when this run would not record it.
    fn admit(&mut self, input: &Input, key: Key) -> Option<Record> {
        let mut record = input.record.clone();
        if let Cause::Local(seq) = record.cause
            && seq > self.start
        {
            record.cause = self.numbers.get(&seq).map_or(Cause::Outside, |seq| Cause::Local(*seq));
        }
        match &mut record.payload {
            Payload::Finished { id, .. } => {
                // Held until its command is decided on, if it is.
                let (new, seq) = self.outcomes.arrives(*id, key, input)?;
                *id = new;
                if let Some(seq) = seq {
                    record.cause = Cause::Local(seq);
                }
            }
            Payload::TimerFired { wanted, .. } if self.split.is_some() => {
                let asked = self.awaited.remove(record.aggregate.as_ref()?).filter(|wish| wish.at == *wanted);
                match asked {
                    Some(wish) => record.cause = Cause::Local(wish.asked_by),
                    None if input.part == Part::Kept => {
                        self.tally.timers_left_out += 1;
                        return None;
                    }
                    None => {}
                }
            }
            Payload::Observed(fact) => {
                self.outcomes.rename(fact);
                if self.changed && !self.world.is_news(fact) {
                    self.tally.facts_without_news += 1;
                    return None;
                }
            }
            Payload::Gone(object) if self.changed && !self.is_told(object) => {
                self.tally.facts_without_news += 1;
                return None;
            }
            Payload::Started { .. } => {
                self.timers = Timers::default();
                self.awaited.clear();
            }
            _ => {}
        }
        Some(record)
    }

    /// Whether an object was seen, and not seen to go since.
    fn is_told(&self, object: &ObjectId) -> bool {
        self.told.contains(object) || self.start > Seq(0) && self.world.domain.known(object.kind).contains(object)
    }

    /// Fires the timers that are due before `next`, save those whose recorded firing is still to come.
    fn fire_before(&mut self, next: Time) -> bool {
        while let Some((aggregate, wish)) = self.timers.due(next) {
            if !self.world.domain.exists(&aggregate) {
                continue;
            }
            if self.script.has_timer(&aggregate, wish.at) {
                self.awaited.insert(aggregate, wish);
                continue;
            }
            let Some(origin) = self.origin.clone() else { return false };
            self.tally.timers_added += 1;
            let record = Record {
                seq: Seq(0),
                stamp: Stamp::default(),
                origin,
                aggregate: Some(aggregate),
                cause: Cause::Local(wish.asked_by),
                payload: Payload::TimerFired { wanted: wish.at, why: wish.why },
            };
            self.enter(record, None, None, None, wish.at);
            return true;
        }
        false
    }

    /// Folds an input in, and decides for all whom it touches. `compared` names the recorded decisions.
    fn enter(&mut self, record: Record, from: Option<Seq>, base: Option<Seq>, compared: Option<Seq>, time: Time) {
        self.origin = Some(record.origin.clone());
        let (cause, touched) = self.append(record, from, time);
        if let Some(base) = base {
            self.numbers.insert(base, cause);
        }
        let mut segment = compared.and_then(|base| self.segments.remove(&base)).unwrap_or_default();
        let beyond = compared.and_then(|base| self.lost.remove(&base)).unwrap_or_default();
        let mut beyond = beyond.iter();
        for aggregate in touched {
            let decided = self.world.decide(&aggregate, cause);
            for payload in decided.payloads {
                let now = (aggregate.clone(), payload);
                if self.split.is_some() {
                    self.decide(now, None, cause, time);
                    continue;
                }
                match segment.decisions.pop_front() {
                    Some((seq, was)) if (self.same)(&was, &now) => self.decide(now, Some((seq, was)), cause, time),
                    // The process died here. What it did not record, it did not do.
                    None if segment.open_end && !self.changed => {
                        if let Some(base) = compared {
                            self.found_lost.entry(base).or_default().push(now);
                        }
                    }
                    None if segment.open_end && beyond.next().is_some_and(|lost| (self.same)(lost, &now)) => {}
                    was => {
                        self.split = Some(Split { input: from, time, was, now: Some(now.clone()) });
                        self.decide(now, None, cause, time);
                    }
                }
            }
            let soonest = self.world.now.plus_ms(SHORTEST_WAIT_MS);
            let wish = decided.again.map(|(at, why)| Wish { at: at.max(soonest), why, asked_by: cause });
            self.timers.set(&aggregate, wish);
            self.awaited.remove(&aggregate);
        }
        if let (Some(was), None) = (segment.decisions.pop_front(), &self.split) {
            self.split = Some(Split { input: from, time, was: Some(was), now: None });
        }
    }

    /// Appends a decision. `was` is the recorded one that it repeats, while the run follows the record.
    fn decide(&mut self, now: Decision, was: Option<(Option<Seq>, Decision)>, cause: Seq, time: Time) {
        let Some(origin) = self.origin.clone() else { return };
        let (aggregate, payload) = now;
        let command = match &payload {
            Payload::Commanded { id, slot, command } => Some((*id, slot.clone(), command.clone())),
            _ => None,
        };
        let record = Record {
            seq: Seq(0),
            stamp: Stamp::default(),
            origin,
            aggregate: Some(aggregate.clone()),
            cause: Cause::Local(cause),
            payload,
        };
        let from = was.as_ref().and_then(|(seq, _)| *seq);
        let (seq, _) = self.append(record, from, time);
        let Some((id, slot, command)) = command else { return };
        let repeated = match was {
            Some((_, (_, Payload::Commanded { id, .. }))) => Some(id),
            _ => None,
        };
        let found = match repeated {
            Some(was) => self.outcomes.repeats(was, (id, seq)),
            None => self.outcomes.decides(&aggregate, &slot, &command, (id, seq), self.world.now),
        };
        let Some(found) = found else {
            self.tally.commands_open += 1;
            return;
        };
        self.numbers.insert(found.base, seq);
        self.tally.outcomes_assumed += usize::from(!found.exact);
        self.tally.commands_open += usize::from(repeated.is_none() && !self.outcomes.is_known(found.id));
        self.tally.outcomes_moved += usize::from(self.outcomes.reschedule(&found, &mut self.script, time));
    }

    fn append(&mut self, mut record: Record, from: Option<Seq>, time: Time) -> (Seq, BTreeSet<Aggregate>) {
        record.seq = self.world.head.next();
        record.stamp = self.clock.tick(time);
        match &record.payload {
            Payload::Observed(fact) => drop(self.told.insert(fact.object())),
            Payload::Gone(object) => drop(self.told.remove(object)),
            _ => {}
        }
        let touched = self.world.apply(&record);
        let seq = record.seq;
        self.lines.push(Line { record, from });
        (seq, touched)
    }
}

/// The decisions of a log, by the input that they follow from.
fn segments(lines: &[Line]) -> BTreeMap<Seq, Segment> {
    let mut segments: BTreeMap<Seq, Segment> = BTreeMap::new();
    let mut input = None;
    for line in lines {
        let record = &line.record;
        if record.payload.is_input() {
            if let (Payload::Started { .. }, Some(segment)) =
                (&record.payload, input.and_then(|i| segments.get_mut(&i)))
            {
                segment.open_end = true;
            }
            input = Some(record.seq);
            segments.insert(record.seq, Segment::default());
        } else if let (Some(segment), Some(aggregate)) = (input.and_then(|i| segments.get_mut(&i)), &record.aggregate) {
            segment.decisions.push_back((line.from, (aggregate.clone(), record.payload.clone())));
        }
    }
    if let Some(segment) = input.and_then(|input| segments.get_mut(&input)) {
        segment.open_end = true;
    }
    segments
}

/// Whether two decisions are the same: ids of commands are derived from numbers of records, which may differ.
pub fn same((whose, was): &Decision, (other, now): &Decision) -> bool {
    let alike = match (was, now) {
        (
            Payload::Commanded { slot, command, .. },
            Payload::Commanded { slot: other_slot, command: other_command, .. },
        ) => slot == other_slot && command == other_command,
        (was, now) => was == now,
    };
    whose == other && alike
}
