//! What a fixture is to show: what must stay the same while everything else goes.

use std::collections::BTreeMap;

use anyhow::Result;
use ramen_events::{Aggregate, Controller, Payload, Position, Record, Seq, Time};

use crate::{
    open::Usage,
    predicate::Predicate,
    rerun::{Decision, Line, Rerun, Split, same},
    spells,
    state::State,
};

/// What must stay.
#[derive(Clone, Debug)]
pub enum Goal {
    /// The log's decision differs from that of its inputs.
    Diverges(Box<Divergent>),
    /// A condition holds for long enough.
    Holds(Box<Predicate>),
    /// These aggregates stand there in the end.
    Stands(BTreeMap<Aggregate, Position>),
}

/// A decision that does not follow from what was seen.
#[derive(Clone, Debug)]
pub struct Divergent {
    /// The input that it follows from.
    pub input: Seq,
    /// Decisions recorded after that input.
    pub recorded: Vec<Decision>,
    /// The recorded one that differs; `None` if something else was recorded, or nothing.
    pub was: Option<Decision>,
    /// What is wanted instead.
    pub now: Option<Decision>,
    /// The input that came next.
    pub next: Option<Record>,
}

impl Divergent {
    /// Of a log, and where it differs from what its inputs lead to.
    pub fn new(lines: &[Line], split: &Split) -> Option<Self> {
        let input = split.input?;
        let mut after = lines.iter().skip_while(|line| line.from != Some(input)).skip(1).map(|line| &line.record);
        let mut recorded = Vec::new();
        let next = after.find(|record| {
            if let (false, Some(aggregate)) = (record.payload.is_input(), &record.aggregate) {
                recorded.push((aggregate.clone(), record.payload.clone()));
            }
            record.payload.is_input()
        });
        let was = split.was.as_ref().map(|(_, was)| was.clone());
        Some(Self { input, recorded, was, now: split.now.clone(), next: next.cloned() })
    }

    /// How many of the recorded decisions are the same as those of a run that ends with that input; `None` if what
    /// comes then is not the same difference.
    pub fn agreed(&self, decided: &[Decision]) -> Option<usize> {
        let same = self.recorded.iter().zip(decided).take_while(|(was, now)| alike(was, now)).count();
        let equal = |a: Option<&Decision>, b: Option<&Decision>| match (a, b) {
            (Some(a), Some(b)) => alike(a, b),
            (None, None) => true,
            _ => false,
        };
        let differs = equal(self.recorded.get(same), self.was.as_ref()) && equal(decided.get(same), self.now.as_ref());
        (differs && (self.was.is_some() || self.now.is_some())).then_some(same)
    }
}

impl Goal {
    /// That applications stand where they stand at the end of a run: all, or those of this name.
    ///
    /// # Errors
    /// [`Usage`] when there is none.
    pub fn stands(run: &Rerun, name: Option<&str>) -> Result<Self, Usage> {
        let all = stands(&run.lines);
        let names: Vec<String> = all.keys().map(ToString::to_string).collect();
        let chosen: BTreeMap<Aggregate, Position> = all
            .into_iter()
            .filter(|(aggregate, _)| name.is_none_or(|name| aggregate.name == name || aggregate.to_string() == name))
            .collect();
        match name {
            Some(name) if chosen.is_empty() => {
                let names = if names.is_empty() { "none at all".to_owned() } else { names.join(", ") };
                Err(Usage(format!("--drpc {name}: no application of that name did anything; there is {names}")))
            }
            _ => Ok(Self::Stands(chosen)),
        }
    }

    /// Whether a run still shows it.
    pub fn is_met(&self, start: &State, run: &Rerun) -> bool {
        match self {
            Self::Diverges(divergent) => {
                decided_after(&run.lines, divergent.input).is_some_and(|decided| divergent.agreed(&decided).is_some())
            }
            Self::Holds(predicate) => {
                spells::find(predicate, start, &run.lines).is_ok_and(|spells| !spells.long.is_empty())
            }
            Self::Stands(wanted) => {
                let found = stands(&run.lines);
                wanted.iter().all(|(aggregate, position)| {
                    found.get(aggregate).is_some_and(|found| timeless(found.clone()) == timeless(position.clone()))
                })
            }
        }
    }
}

/// The decisions after the last input of a run; `None` when that is another input.
pub fn decided_after(lines: &[Line], input: Seq) -> Option<Vec<Decision>> {
    let at = lines.iter().rposition(|line| line.record.payload.is_input())?;
    let decisions = lines.get(at + 1..).unwrap_or_default().iter().map(|line| &line.record);
    (lines.get(at)?.from == Some(input))
        .then(|| decisions.filter_map(|record| Some((record.aggregate.clone()?, record.payload.clone()))).collect())
}

/// Where DRPCs and VRGs moved last.
pub fn stands(lines: &[Line]) -> BTreeMap<Aggregate, Position> {
    let mut stands = BTreeMap::new();
    for Line { record, .. } in lines {
        if let (Payload::Moved(position), Some(aggregate)) = (&record.payload, &record.aggregate)
            && matches!(aggregate.controller, Controller::Drpc | Controller::Vrg)
        {
            stands.insert(aggregate.clone(), position.clone());
        }
    }
    stands
}

/// Whether two decisions are the same, but for the time since when something lasts.
fn alike(a: &Decision, b: &Decision) -> bool {
    let without = |(aggregate, payload): &Decision| {
        let payload = match payload {
            Payload::Moved(position) => Payload::Moved(timeless(position.clone())),
            other => other.clone(),
        };
        (aggregate.clone(), payload)
    };
    same(&without(a), &without(b))
}

fn timeless(position: Position) -> Position {
    Position { since: Time(0), ..position }
}
