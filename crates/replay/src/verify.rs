//! Folds a log, decides again, and compares each decision with the recorded one.

use std::collections::VecDeque;

use ramen_events::{Aggregate, Payload, Record, Seq};
use ramen_projector::{Domain, World};
use serde::Serialize;

/// The first place where deciding again gives something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// The record at which it shows.
    pub seq: Seq,
    /// Whom the decision is about.
    pub aggregate: String,
    /// What the deciders want here; `nothing` when they want nothing.
    pub wanted: String,
    /// What the log holds.
    pub recorded: String,
}

/// Compares the decisions of a log with those that its facts lead to, record by record.
///
/// A process may die between a fact and the decisions that follow from it (they are appended together, but a lost tail
/// can cut anywhere): missing decisions are accepted before a `Started` record and at the end of the log, nowhere else.
#[derive(Debug)]
pub struct Verifier<D> {
    world: World<D>,
    /// Aggregates that the last input touched and that were not asked yet.
    to_ask: VecDeque<Aggregate>,
    /// Decisions that must come next.
    wanted: VecDeque<(Aggregate, Payload)>,
    cause: Seq,
    compared: u64,
}

impl<D: Domain> Verifier<D> {
    /// Goes on from a state: the empty one, or a snapshot.
    pub fn new(world: World<D>) -> Self {
        Self { world, to_ask: VecDeque::new(), wanted: VecDeque::new(), cause: Seq::default(), compared: 0 }
    }

    /// The state after the records so far.
    pub fn world(&self) -> &World<D> {
        &self.world
    }

    /// How many decisions were compared.
    pub fn compared(&self) -> u64 {
        self.compared
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// The divergence, if the record is not what follows from those before it.
    pub fn next(&mut self, record: &Record) -> Result<(), Divergence> {
        if record.payload.is_input() {
            let died = matches!(record.payload, Payload::Started { .. });
            if let (Some((aggregate, wanted)), false) = (self.next_wanted(), died) {
                return Err(Divergence {
                    seq: record.seq,
                    aggregate: aggregate.to_string(),
                    wanted: describe(wanted),
                    recorded: format!("no decision here, but {}", record.payload.name()),
                });
            }
            self.wanted.clear();
            self.cause = record.seq;
            self.to_ask = self.world.apply(record).into_iter().collect();
            return Ok(());
        }
        let recorded_for = record.aggregate.as_ref().map(ToString::to_string).unwrap_or_default();
        match self.next_wanted() {
            Some((aggregate, wanted)) if Some(aggregate) == record.aggregate.as_ref() && *wanted == record.payload => {
                self.wanted.pop_front();
                self.compared += 1;
                self.world.apply(record);
                Ok(())
            }
            Some((aggregate, wanted)) => Err(Divergence {
                seq: record.seq,
                aggregate: aggregate.to_string(),
                wanted: describe(wanted),
                recorded: if aggregate.to_string() == recorded_for {
                    describe(&record.payload)
                } else {
                    format!("{recorded_for}: {}", describe(&record.payload))
                },
            }),
            None => Err(Divergence {
                seq: record.seq,
                aggregate: recorded_for,
                wanted: "nothing".to_owned(),
                recorded: describe(&record.payload),
            }),
        }
    }

    /// Takes the next record as it is: decisions of other deciders are folded, not compared.
    pub fn fold(&mut self, record: &Record) {
        self.wanted.clear();
        self.to_ask.clear();
        self.world.apply(record);
    }

    /// The decision that must come next; asks aggregates one after the other until one wants something.
    fn next_wanted(&mut self) -> Option<&(Aggregate, Payload)> {
        while self.wanted.is_empty() {
            let aggregate = self.to_ask.pop_front()?;
            let decided = self.world.decide(&aggregate, self.cause);
            self.wanted.extend(decided.payloads.into_iter().map(|payload| (aggregate.clone(), payload)));
        }
        self.wanted.front()
    }
}

/// A decision in one line.
fn describe(payload: &Payload) -> String {
    match payload {
        Payload::Commanded { slot, command, .. } => {
            let body = serde_json::to_string(command).unwrap_or_default();
            format!("{} in slot {slot}: {body}", command.name())
        }
        Payload::Moved(position) => {
            let step = if position.step.is_empty() { "done" } else { &position.step };
            let wait = position.wait.as_ref().map(|wait| format!(", {}", wait.sentence(position.since)));
            format!("step {step} of {} ({}){}", position.runbook, position.action, wait.unwrap_or_default())
        }
        other => other.name().to_owned(),
    }
}
