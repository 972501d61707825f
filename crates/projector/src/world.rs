//! The part of the projected state that all controllers share, and the one way from a record to decisions.

use std::collections::{BTreeMap, BTreeSet};

use bincode::{Decode, Encode, de::Decoder, error::DecodeError};
use ramen_events::{Aggregate, Cause, CommandId, Epoch, Fact, ObjectId, Payload, Position, Record, Seq, Time};
use serde::Serialize;

use crate::{
    domain::{Ask, Change, Domain},
    flights::{Clearance, Flights},
};

/// Everything that follows from a log up to one record.
#[derive(Clone, Debug, Default, Encode, Serialize)]
#[bincode(encode_bounds = "D: Encode")]
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
    /// The last remark on each object; no decision reads it. Snapshots of before there were remarks end here.
    #[serde(serialize_with = "crate::json::by_text")]
    pub remarks: BTreeMap<ObjectId, Fact>,
    /// When the process that writes began. Snapshots of before decisions depended on that end here.
    pub started: Time,
}

impl<D: Decode<C>, C> Decode<C> for World<D> {
    fn decode<R: Decoder<Context = C>>(decoder: &mut R) -> Result<Self, DecodeError> {
        Ok(Self {
            domain: D::decode(decoder)?,
            flights: Decode::decode(decoder)?,
            positions: Decode::decode(decoder)?,
            synced: Decode::decode(decoder)?,
            decider: Decode::decode(decoder)?,
            epoch: Decode::decode(decoder)?,
            head: Decode::decode(decoder)?,
            now: Decode::decode(decoder)?,
            remarks: later_field(Decode::decode(decoder))?,
            started: later_field(Decode::decode(decoder))?,
        })
    }
}

/// A field that snapshots have only since it was added: those of before end where it would stand.
fn later_field<T: Default>(decoded: Result<T, DecodeError>) -> Result<T, DecodeError> {
    match decoded {
        Err(DecodeError::UnexpectedEnd { .. }) => Ok(T::default()),
        decoded => decoded,
    }
}

/// What follows from asking one aggregate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// Records to append, in this order, with the question's record as cause.
    pub payloads: Vec<Payload>,
    /// The gate that is shut, where the position does not tell which it is.
    pub gate: Option<&'static str>,
    /// When to ask again, and why.
    pub again: Option<(Time, String)>,
}

impl<D: Domain> World<D> {
    /// Whether a fact says something that the state does not hold yet. What is no news costs no record.
    pub fn is_news(&self, fact: &Fact) -> bool {
        if fact.is_remark() { self.remarks.get(&fact.object()) != Some(fact) } else { self.domain.is_news(fact) }
    }

    /// Folds a record in and tells whom to ask because of it, in the order in which to ask.
    pub fn apply(&mut self, record: &Record) -> BTreeSet<Aggregate> {
        self.head = record.seq;
        self.now = record.stamp.time;
        let mut touched = BTreeSet::new();
        match &record.payload {
            Payload::Started { epoch, decider, .. } => {
                self.epoch = *epoch;
                self.decider = *decider;
                self.started = self.now;
                self.synced = false;
                self.flights.lose_all();
            }
            Payload::Synced => {
                self.synced = true;
                touched = self.domain.aggregates();
            }
            // Nobody decides anything because of it.
            Payload::Observed(fact) if fact.is_remark() => {
                self.remarks.insert(fact.object(), fact.clone());
            }
            Payload::Observed(fact) => self.change(Change::Observed(fact), &mut touched),
            Payload::Gone(object) => {
                self.remarks.remove(object);
                self.change(Change::Gone(object), &mut touched);
            }
            Payload::TimerFired { .. } => touched.extend(record.aggregate.clone()),
            // Nothing to fold: what is known is what the log still holds, and the world is listed anew before anything
            // is decided.
            Payload::Lost { .. } => {}
            Payload::Commanded { id, slot, command } => {
                if let Some(aggregate) = &record.aggregate {
                    self.flights.depart(aggregate, slot, *id, command, (self.now, self.decider));
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
        let decision = self.domain.decide(self.ask(aggregate));
        let again = decision.again.map(|again| (again.at, again.why));
        let mut decided = Decided { payloads: Vec::new(), gate: decision.gate, again };
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
            let wanted = (&wish.command, ramen_events::BlobId::of(&bytes));
            match self.flights.clearance(aggregate, &wish.slot, wanted, (self.now, self.decider)) {
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

    fn ask<'a>(&'a self, aggregate: &'a Aggregate) -> Ask<'a> {
        Ask {
            now: self.now,
            started: self.started,
            decider: self.decider,
            position: self.positions.get(aggregate),
            flights: &self.flights,
            aggregate,
        }
    }

    /// The cause that records of a decision carry.
    pub fn cause(seq: Seq) -> Cause {
        Cause::Local(seq)
    }
}

#[cfg(test)]
mod tests {
    use ramen_events::{
        ClusterName, Kind, Operator, Origin, Stamp,
        hub::{AuthorsFact, Fact as HubFact, ObjectRef},
    };

    use super::*;
    use crate::hub::Hub;

    fn record(payload: Payload) -> Record {
        let origin = Origin { operator: Operator::Hub, cluster: ClusterName::from("hub"), epoch: Epoch(1) };
        Record { seq: Seq(1), stamp: Stamp::default(), origin, aggregate: None, cause: Cause::Outside, payload }
    }

    fn remark(uid: &str) -> Fact {
        let drpc = ObjectRef::new("apps", "app");
        Fact::Hub(HubFact::Authors(AuthorsFact { drpc, uid: uid.to_owned(), authors: Vec::new() }))
    }

    #[test]
    fn a_remark_is_news_once_and_asks_nobody() {
        let mut world = World::<Hub> { synced: true, ..World::default() };
        assert!(world.is_news(&remark("1")));
        assert_eq!(world.apply(&record(Payload::Observed(remark("1")))), BTreeSet::new());
        assert!(!world.is_news(&remark("1")) && world.is_news(&remark("2")));
        world.apply(&record(Payload::Gone(ObjectId::new(Kind::Drpc, "apps", "app"))));
        assert!(world.is_news(&remark("1")), "it was about an object that is gone");
    }

    #[test]
    fn a_snapshot_of_before_there_were_remarks_is_still_understood() {
        let config = bincode::config::standard();
        let mut world = World::<Hub> { head: Seq(7), ..World::default() };
        let mut bytes = bincode::encode_to_vec(&world, config).unwrap();
        assert_eq!((bytes.pop(), bytes.pop()), (Some(0), Some(0)), "neither a start nor remarks");
        let (old, _): (World<Hub>, usize) = bincode::decode_from_slice(&bytes, config).unwrap();
        assert_eq!((old.head, old.remarks.len()), (Seq(7), 0));
        world.apply(&record(Payload::Observed(remark("1"))));
        let start = Payload::Started { operator: Operator::Hub, epoch: Epoch(2), decider: 11 };
        world.apply(&Record { stamp: Stamp { time: Time(9), ..Stamp::default() }, ..record(start) });
        let bytes = bincode::encode_to_vec(&world, config).unwrap();
        let (new, _): (World<Hub>, usize) = bincode::decode_from_slice(&bytes, config).unwrap();
        assert_eq!((&new.remarks, new.started), (&world.remarks, Time(9)));
        let (old, _): (World<Hub>, usize) = bincode::decode_from_slice(&bytes[..bytes.len() - 1], config).unwrap();
        assert_eq!((old.remarks, old.started), (world.remarks, Time(0)), "a snapshot of before starts counted");
    }
}
