//! What was known of an aggregate after any entry of the logs: the state, and which records it goes back to.

use std::{collections::BTreeMap, rc::Rc};

use anyhow::Result;
use ramen_events::{Aggregate, ObjectId, Payload, Position, Record};

use crate::{merge::Merged, state::State};

/// What is known of one aggregate after an entry: what an answer is made of.
#[derive(Clone)]
pub struct Known {
    /// The state of its log then.
    pub state: Rc<State>,
    /// The last entry of its log that counts.
    pub last: usize,
    /// The last entry about each object that concerned it.
    pub objects: BTreeMap<ObjectId, usize>,
    /// The entry that brought it to its step.
    pub entered: Option<usize>,
    /// The entry that told last where it stands.
    pub moved: Option<usize>,
}

/// Where answers get to know from what was known.
pub trait Past {
    /// What is known of an aggregate of a log after an entry; `None` when the log tells nothing of it by then.
    ///
    /// # Errors
    /// When the log starts in the middle without a snapshot.
    fn known(&mut self, log: usize, aggregate: &Aggregate, entry: usize) -> Result<Option<Known>>;
}

/// Folds the log from its start each time: for whoever asks once.
pub struct Folding<'a>(pub &'a Merged);

impl Past for Folding<'_> {
    fn known(&mut self, log: usize, aggregate: &Aggregate, entry: usize) -> Result<Option<Known>> {
        let Some(of) = self.0.logs.get(log) else { return Ok(None) };
        let mut state = State::at(of, of.history.base().seq)?;
        let mut trail = Trail::default();
        let mut last = None;
        for (index, entry) in self.0.entries.iter().enumerate().take(entry.saturating_add(1)) {
            if entry.log == log {
                last = Some(index);
                let before = Standpoint::of(&state, aggregate);
                let touched = state.apply(&entry.record);
                trail.follow(index, &entry.record, aggregate, touched.contains(aggregate), before.as_ref());
            }
        }
        Ok(last.and_then(|last| trail.known(Rc::new(state), aggregate, last)))
    }
}

/// Where an aggregate stood: its runbook, action and step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standpoint(String, String, String);

impl Standpoint {
    /// In a state.
    pub fn of(state: &State, aggregate: &Aggregate) -> Option<Self> {
        state.position(aggregate).map(Self::at)
    }

    fn at(position: &Position) -> Self {
        Self(position.runbook.clone(), position.action.0.clone(), position.step.clone())
    }
}

/// All entries of a log that have to do with one aggregate.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    all: Vec<usize>,
    objects: BTreeMap<ObjectId, Vec<usize>>,
    entered: Vec<usize>,
    moved: Vec<usize>,
}

impl Trail {
    /// Takes the next record, which was just folded in: whether it touched the aggregate, and where that stood before.
    pub fn follow(
        &mut self,
        index: usize,
        record: &Record,
        aggregate: &Aggregate,
        touched: bool,
        before: Option<&Standpoint>,
    ) {
        let own = record.aggregate.as_ref() == Some(aggregate);
        if touched || own {
            self.all.push(index);
        }
        match &record.payload {
            Payload::Observed(fact) if touched => self.objects.entry(fact.object()).or_default().push(index),
            Payload::Gone(object) if touched => self.objects.entry(object.clone()).or_default().push(index),
            Payload::Moved(position) if own => {
                self.moved.push(index);
                if before != Some(&Standpoint::at(position)) {
                    self.entered.push(index);
                }
            }
            _ => {}
        }
    }

    /// Entries that concern the aggregate.
    pub fn all(&self) -> &[usize] {
        &self.all
    }

    /// Whether it ever stood anywhere.
    pub fn has_moved(&self) -> bool {
        !self.moved.is_empty()
    }

    /// Entries that brought it to another step.
    pub fn entered(&self) -> &[usize] {
        &self.entered
    }

    /// What is known after an entry, with the state there; `None` when the aggregate is not there.
    pub fn known(&self, state: Rc<State>, aggregate: &Aggregate, last: usize) -> Option<Known> {
        let latest = |all: &[usize]| all.iter().take(all.partition_point(|index| *index <= last)).next_back().copied();
        let objects = self.objects.iter().filter_map(|(object, all)| Some((object.clone(), latest(all)?))).collect();
        let (entered, moved) = (latest(&self.entered), latest(&self.moved));
        state.aggregates().contains(aggregate).then_some(Known { state, last, objects, entered, moved })
    }
}
