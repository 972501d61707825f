//! What a set of controllers brings to the pipeline: state, fold, decisions.

use std::collections::BTreeSet;

use bincode::{Decode, Encode};
use ramen_events::{Aggregate, Command, Fact, Kind, ObjectId, Operator, Outcome, Position, Time};

use crate::flights::Flights;

/// What happened, as far as a domain's fold cares.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// An object shows something new.
    Observed(&'a Fact),
    /// An object is gone.
    Gone(&'a ObjectId),
    /// A command of `aggregate` was carried out, or not.
    Finished {
        /// Whose command it was.
        aggregate: &'a Aggregate,
        /// The command.
        command: &'a Command,
        /// What became of it.
        outcome: &'a Outcome,
    },
    /// The aggregate moved in its runbook.
    Moved {
        /// Which aggregate.
        aggregate: &'a Aggregate,
        /// Where it stands now.
        position: &'a Position,
    },
}

/// The question that a decider is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The time of the record that caused the question.
    pub now: Time,
    /// When the process that asks began: what one before it asked for may still be on its way.
    pub started: Time,
    /// Which version of the deciders is asked.
    pub decider: u32,
    /// Where the aggregate stood in its runbook when it last moved.
    pub position: Option<&'a Position>,
    /// What is in flight for this aggregate, and how earlier attempts ended.
    pub flights: &'a Flights,
    /// Whom the question is about.
    pub aggregate: &'a Aggregate,
}

/// One wish of a decision. Commands in different slots may run at the same time, in any order; in one slot, one at a
/// time. What must come after something else has to be gated on an observation, not on order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What the command acts on, within the aggregate: `status`, `work/c1/vrg`, `pvc/ns/name`.
    pub slot: String,
    /// What to do.
    pub command: Command,
}

/// A moment at which the decider wants to be asked again even if nothing happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    /// When.
    pub at: Time,
    /// Why, for the log.
    pub why: String,
}

/// What a decider wants, in full: level-triggered, compared with what was observed, not with what it said before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// All that is wanted now. Those in flight, or waiting out a failure, are left out by [`crate::World`].
    pub commands: Vec<Wanted>,
    /// Where the aggregate stands in its runbook, if it runs one (`since` is filled in by [`crate::World`]).
    pub position: Option<Position>,
    /// The name of the gate that is shut there, where steps share the names of progressions. Not recorded: who counts what is
    /// reached asks for it.
    pub gate: Option<&'static str>,
    /// When to ask again.
    pub again: Option<Again>,
}

impl Decision {
    /// Adds a wish.
    pub fn want(&mut self, slot: impl Into<String>, command: Command) {
        self.commands.push(Wanted { slot: slot.into(), command });
    }

    /// Asks to be asked again at `at`, or earlier if something else already wants that.
    pub fn ask_again(&mut self, at: Time, why: impl Into<String>) {
        if self.again.as_ref().is_none_or(|again| at < again.at) {
            self.again = Some(Again { at, why: why.into() });
        }
    }
}

/// One series of a gauge. Series of one name have the same help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// Its name, without the prefix that all metrics have.
    pub name: &'static str,
    /// What it tells.
    pub help: &'static str,
    /// Names and values of its labels, in order.
    pub labels: Vec<(&'static str, String)>,
    /// Its value, in thousandths: there are no floats here.
    pub thousandths: i64,
}

/// What a command stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ground {
    /// What this object was asked for, by its generation. Reports in its status do not count.
    Spec(ObjectId),
    /// All that this object says, by its version: for those that tell what counts in their status. A command that writes this
    /// very object overwrites nothing that it did not know.
    Whole(ObjectId),
}

/// A set of controllers: the hub's, or those of a managed cluster. Everything in it is pure.
pub trait Domain: Clone + Default + Encode + Decode<()> {
    /// Which operator runs these controllers.
    const OPERATOR: Operator;

    /// Whether a fact says something that the state does not hold yet. What is no news costs no record.
    fn is_news(&self, fact: &Fact) -> bool;

    /// Folds one change in. `now` is the time of its record.
    fn apply(&mut self, now: Time, change: Change<'_>);

    /// Whom to ask after `change`. Called before *and* after it is applied, so that both the old and the new relations
    /// between objects are found. Costs no more than the aggregates that it names.
    fn touched(&self, change: Change<'_>) -> BTreeSet<Aggregate>;

    /// Everybody: asked after a start, once the world was listed.
    fn aggregates(&self) -> BTreeSet<Aggregate>;

    /// Whether the aggregate is still there to be decided for.
    fn exists(&self, aggregate: &Aggregate) -> bool;

    /// Objects of a kind that the state holds facts of: what a fresh list does not show is gone.
    fn known(&self, kind: Kind) -> BTreeSet<ObjectId>;

    /// What is to be shown to Prometheus. Called when it asks, not per event: it may cost as much as all aggregates.
    fn gauges(&self) -> Vec<Gauge> {
        Vec::new()
    }

    /// What a command of `aggregate` stands on: it is carried out only if nothing of that changed since it was decided. For
    /// commands that must not be carried out by whoever was replaced and does not know it yet.
    fn grounds(&self, aggregate: &Aggregate, command: &Command) -> Vec<Ground> {
        let _ = (aggregate, command);
        Vec::new()
    }

    /// What `ask.aggregate` wants now.
    fn decide(&self, ask: Ask<'_>) -> Decision;
}
