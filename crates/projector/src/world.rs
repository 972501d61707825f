//! The part of the projected state that all controllers share, and the one way from a record to decisions.

use std::collections::{BTreeMap, BTreeSet};

use bincode::{Decode, Encode};
use ramen_events::{Aggregate, Cause, CommandId, Epoch, Payload, Position, Record, Seq, Time};
use serde::Serialize;

use crate::{
    domain::{Ask, Change, Domain},
    flights::{Clearance, Flights},
};

/// Everything that follows from a log up to one record.
#[derive(Clone, Debug, Default, Encode, Decode, Serialize)]
#[bincode(
    encode_bounds = "D: Encode",
    decode_bounds = "D: Decode<__Context>",
    borrow_decode_bounds = "D: bincode::BorrowDecode<'__de, __Context>"
)]
pub struct World<D> {
    /// The controllers' own state.
    pub domain: D,
    /// Commands in flight and their history.
    pub flights: Flights,
    /// Where each aggregate stands in its runbook.
    #[serde(serialize_with = "crate::json::by_text")]
    pub positions: BTreeMap<Aggregate, Position>,
    /// Whether the world was listed since the start: before that, nothing is decided, since what is not known may
    /// well exist.
    pub synced: bool,
    /// Version of the deciders that write: decisions of an earlier one are made again as that one made them.
    pub decider: u32,
    /// Epoch of the process that writes.
    pub epoch: Epoch,
    /// The last record folded in.
    pub head: Seq,
    /// The time of that record.
    pub now: Time,
}

/// What follows from asking one aggregate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// Records to append, in this order, with the question's record as cause.
    pub payloads: Vec<Payload>,
    /// When to ask again, and why.
    pub again: Option<(Time, String)>,
}

impl<D: Domain> World<D> {
    /// Folds a record in and tells whom to ask because of it, in the order in which to ask.
    pub fn apply(&mut self, record: &Record) -> BTreeSet<Aggregate> {
        self.head = record.seq;
        self.now = record.stamp.time;
        let mut touched = BTreeSet::new();
        match &record.payload {
            Payload::Started { epoch, decider, .. } => {
                self.epoch = *epoch;
                self.decider = *decider;
                self.synced = false;
                self.flights.lose_all();
            }
            Payload::Synced => {
                self.synced = true;
                touched = self.domain.aggregates();
            }
            Payload::Observed(fact) => self.change(Change::Observed(fact), &mut touched),
            Payload::Gone(object) => self.change(Change::Gone(object), &mut touched),
            Payload::TimerFired { .. } => touched.extend(record.aggregate.clone()),
            // Nothing to fold: what is known is what the log still holds, and the world is listed anew before anything
            // is decided.
            Payload::Lost { .. } => {}
            Payload::Commanded { id, slot, command } => {
                if let Some(aggregate) = &record.aggregate {
                    self.flights.depart(aggregate, slot, *id, command, self.now);
                }
            }
            Payload::Finished { id, slot, outcome } => {
                if let Some(aggregate) = &record.aggregate
                    && let Some(command) = self.flights.arrive(aggregate, slot, *id, outcome, self.now)
                {
                    let change = Change::Finished { aggregate, command: &command, outcome };
                    self.change(change, &mut touched);
                    touched.insert(aggregate.clone());
                }
            }
            Payload::Moved(position) => {
                if let Some(aggregate) = &record.aggregate {
                    self.positions.insert(aggregate.clone(), position.clone());
                    self.domain.apply(self.now, Change::Moved { aggregate, position });
                }
            }
        }
        touched.retain(|aggregate| {
            let exists = self.domain.exists(aggregate);
            if !exists {
                self.flights.forget(aggregate);
                self.positions.remove(aggregate);
            }
            exists
        });
        if !self.synced {
            touched.clear();
        }
        touched
    }

    fn change(&mut self, change: Change<'_>, touched: &mut BTreeSet<Aggregate>) {
        touched.append(&mut self.domain.touched(change));
        self.domain.apply(self.now, change);
        touched.append(&mut self.domain.touched(change));
    }

    /// Asks one aggregate, because of the record folded in last (or of decisions that followed from it).
    ///
    /// `cause` is the record that the question comes from, which ids of commands are derived from. The caller appends
    /// the payloads and folds them in before it asks anybody else.
    pub fn decide(&self, aggregate: &Aggregate, cause: Seq) -> Decided {
        let position = self.positions.get(aggregate);
        let decision = self.domain.decide(Ask {
            now: self.now,
            decider: self.decider,
            position,
            flights: &self.flights,
            aggregate,
        });
        let mut decided = Decided { payloads: Vec::new(), again: decision.again.map(|again| (again.at, again.why)) };
        if let Some(mut wanted) = decision.position {
            let same_step = position
                .is_some_and(|p| p.runbook == wanted.runbook && p.action == wanted.action && p.step == wanted.step);
            wanted.since = if same_step { position.map_or(self.now, |p| p.since) } else { self.now };
            if position != Some(&wanted) {
                decided.payloads.push(Payload::Moved(wanted));
            }
        }
        let mut taken = BTreeSet::new();
        for wish in decision.commands {
            if !taken.insert(wish.slot.clone()) {
                continue; // the first wish for a slot wins; the others come when they are still wanted afterwards
            }
            let bytes = wish.command.bytes();
            let digest = ramen_events::BlobId::of(&bytes);
            match self.flights.clearance(aggregate, &wish.slot, digest, self.now) {
                Clearance::Busy => {}
                Clearance::NotBefore(at) => {
                    if decided.again.as_ref().is_none_or(|(other, _)| at < *other) {
                        decided.again = Some((at, format!("retry {}", wish.slot)));
                    }
                }
                Clearance::Go => {
                    let id = CommandId::derive(&aggregate.to_string(), cause, &bytes);
                    decided.payloads.push(Payload::Commanded { id, slot: wish.slot, command: wish.command });
                }
            }
        }
        decided
    }

    /// The cause that records of a decision carry.
    pub fn cause(seq: Seq) -> Cause {
        Cause::Local(seq)
    }
}
