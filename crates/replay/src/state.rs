//! The projected state at a moment of a log, of whichever operator.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use ramen_events::{Aggregate, Operator, Position, Record, Seq, Time, capture::Fold, log::SnapshotName};
use ramen_projector::{DECIDER_VERSION, Domain, Flights, World, hub::Hub, spoke::Spoke};
use serde_json::Value;

use crate::open::Log;

/// The state of the hub operator, or of a managed cluster's.
#[derive(Clone)]
pub enum State {
    /// Of the hub.
    Hub(Box<World<Hub>>),
    /// Of a managed cluster.
    Spoke(Box<World<Spoke>>),
}

impl State {
    /// The state before anything happened.
    pub fn empty(operator: Operator) -> Self {
        match operator {
            Operator::Hub => Self::Hub(Box::default()),
            Operator::Spoke => Self::Spoke(Box::default()),
        }
    }

    /// The state of a log after record `seq`: from the newest snapshot before that, or from its start.
    ///
    /// # Errors
    /// When the log can't be read, or starts in the middle without a snapshot.
    pub fn at(log: &Log, seq: Seq) -> Result<Self> {
        let mut state = Self::before(log, seq)?;
        for record in log.history.scan(state.head().next()) {
            let (record, _) = record.with_context(|| format!("could not read {}", log.path.display()))?;
            if record.seq > seq {
                break;
            }
            state.apply(&record);
        }
        Ok(state)
    }

    /// The state of a log at a time: after all records that are no later; `None` when there are none.
    ///
    /// # Errors
    /// As [`State::at`].
    pub fn until(log: &Log, time: Time) -> Result<Option<Self>> {
        let base = log.history.base().seq;
        let mut state = match Self::newest(log, time)? {
            Some(state) => state,
            None => Self::before(log, base)?,
        };
        for record in log.history.scan(state.head().next()) {
            let (record, _) = record.with_context(|| format!("could not read {}", log.path.display()))?;
            if record.stamp.time > time {
                break;
            }
            state.apply(&record);
        }
        Ok(Some(state).filter(|state| state.head() > base))
    }

    /// The newest state that is at hand, no later than `seq`.
    fn before(log: &Log, seq: Seq) -> Result<Self> {
        let history = &log.history;
        for name in history.snapshots()?.into_iter().rev() {
            if name.seq <= seq
                && let Some(state) = Self::saved(log, name)?
            {
                return Ok(state);
            }
        }
        if history.base().seq > Seq(0) {
            let base = history.base().seq;
            bail!(
                "{}: it starts after record {base} without a snapshot of the state there; capture it again, whole or \
                 with one",
                log.path.display()
            );
        }
        Ok(Self::empty(log.owner.operator))
    }

    /// The newest state that is at hand, no later than `time`. What is saved is in order of time: few are looked at.
    fn newest(log: &Log, time: Time) -> Result<Option<Self>> {
        let mut names = log.history.snapshots()?;
        let mut newest = None;
        while let Some(&name) = names.get(names.len() / 2) {
            let middle = names.len() / 2;
            match Self::saved(log, name)? {
                None => {
                    names.remove(middle);
                }
                Some(state) if state.now() <= time => {
                    newest = Some(state);
                    names.drain(..=middle);
                }
                Some(_) => names.truncate(middle),
            }
        }
        Ok(newest)
    }

    /// What a log has saved under this name; `None` when it is damaged, or none of this version.
    fn saved(log: &Log, name: SnapshotName) -> Result<Option<Self>> {
        if name.decider != DECIDER_VERSION {
            return Ok(None);
        }
        let Some(snapshot) = log.history.snapshot(name)? else { return Ok(None) };
        let state = Self::decode(log.owner.operator, &snapshot.bytes);
        if let Some(state) = state.as_ref().filter(|state| state.head() != name.seq) {
            bail!(
                "{}: what it gives as the state after record {} is the state after record {}: it is not what a fold \
                 gives; `verify` tells more",
                log.path.display(),
                name.seq,
                state.head()
            );
        }
        Ok(state)
    }

    /// One that was saved; `None` when these bytes are none of this version.
    pub fn decode(operator: Operator, bytes: &[u8]) -> Option<Self> {
        // The chain does not prove it: what it claims to be long must not cost more than the largest state.
        fn world<D: Domain>(bytes: &[u8]) -> Option<Box<World<D>>> {
            let limited = bincode::config::standard().with_limit::<{ 1 << 30 }>();
            bincode::decode_from_slice(bytes, limited).ok().map(|(world, _)| Box::new(world))
        }
        match operator {
            Operator::Hub => world(bytes).map(Self::Hub),
            Operator::Spoke => world(bytes).map(Self::Spoke),
        }
    }

    /// Folds a record in; tells whom it concerns.
    pub fn apply(&mut self, record: &Record) -> BTreeSet<Aggregate> {
        match self {
            Self::Hub(world) => world.apply(record),
            Self::Spoke(world) => world.apply(record),
        }
    }

    /// Has deciders of this version decide from here on, until a start says otherwise.
    pub fn set_decider(&mut self, version: u32) {
        match self {
            Self::Hub(world) => world.decider = version,
            Self::Spoke(world) => world.decider = version,
        }
    }

    /// The last record folded in.
    pub fn head(&self) -> Seq {
        match self {
            Self::Hub(world) => world.head,
            Self::Spoke(world) => world.head,
        }
    }

    /// The time of that record.
    pub fn now(&self) -> Time {
        match self {
            Self::Hub(world) => world.now,
            Self::Spoke(world) => world.now,
        }
    }

    /// Where an aggregate stands in its runbook.
    pub fn position(&self, aggregate: &Aggregate) -> Option<&Position> {
        match self {
            Self::Hub(world) => world.positions.get(aggregate),
            Self::Spoke(world) => world.positions.get(aggregate),
        }
    }

    /// What is in flight, and how attempts ended.
    pub fn flights(&self) -> &Flights {
        match self {
            Self::Hub(world) => &world.flights,
            Self::Spoke(world) => &world.flights,
        }
    }

    /// All aggregates that are there.
    pub fn aggregates(&self) -> BTreeSet<Aggregate> {
        match self {
            Self::Hub(world) => world.domain.aggregates(),
            Self::Spoke(world) => world.domain.aggregates(),
        }
    }

    /// All of it, in the form in which operators save it.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Hub(world) => bytes(world.as_ref()),
            Self::Spoke(world) => bytes(world.as_ref()),
        }
    }

    /// All of it, as JSON.
    ///
    /// # Errors
    /// None that is known.
    pub fn json(&self) -> Result<Value> {
        Ok(match self {
            Self::Hub(world) => serde_json::to_value(world)?,
            Self::Spoke(world) => serde_json::to_value(world)?,
        })
    }
}

impl Fold for State {
    fn decider(&self) -> u32 {
        DECIDER_VERSION
    }

    fn apply(&mut self, record: &Record) {
        Self::apply(self, record);
    }

    fn state(&self) -> Vec<u8> {
        self.bytes()
    }
}

/// A state in the form in which operators save it.
pub fn bytes<D: Domain>(world: &World<D>) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "encoding derived types into memory has no failing case")]
    bincode::encode_to_vec(world, bincode::config::standard()).expect("a state encodes")
}
