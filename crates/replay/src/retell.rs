//! Logs retold as a scenario: a world, what people did in it, and what befell it, each at its time.
//!
//! ```text
//!   records ──> Setting (policies, clusters, applications)  ──┐
//!          └──> happenings: people │ power │ stores │ claims ──┴──> Tale ──> scenario (YAML)
//! ```
//!
//! What the operators decided and what the world answered is left out: that follows. A happening names the record that
//! it was read off, so that it can be changed or left out as that record is. Whatever a log does not say and a world
//! needs is assumed, and told.

mod claims;
pub mod file;
mod people;
mod power;
mod setting;
mod stores;
mod waits;

use std::collections::{BTreeMap, BTreeSet};

use ramen_events::{Aggregate, Payload, Seq, Time};
use ramen_trials::happening::Happening;

use crate::{
    alter::Change,
    merge::{Entry, Merged},
    open::Usage,
    rerun::Script,
};

/// A record of a log: which log, which record.
pub type Place = (usize, Seq);

/// Something that was done or that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub time: Time,
    /// What.
    pub what: Happening,
    /// The record that it was read off; `None` when it is assumed without one.
    pub record: Option<Place>,
    /// It is another one than the log has: the user wants it so.
    pub changed: bool,
}

/// An application of the logs, and of the world.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its DRPC, as the log names it.
    pub drpc: Aggregate,
    /// Its name in the world.
    pub name: String,
    /// How many claims it has.
    pub claims: usize,
    /// Where it runs at first.
    pub on: String,
    /// It was protected before the log begins.
    pub before: bool,
}

/// Logs, retold.
#[derive(Clone, Debug, Default)]
pub struct Tale {
    /// Clusters, two a pair.
    pub clusters: Vec<String>,
    /// Time between two synchronizations, as a policy says it.
    pub interval: String,
    /// The applications.
    pub applications: Vec<Application>,
    /// What happened, in order.
    pub happenings: Vec<Told>,
    /// What the logs do not say.
    pub assumed: Vec<String>,
}

/// The records that are retold.
pub struct Telling<'a> {
    /// All logs.
    pub merged: &'a Merged,
    /// The hub's log.
    pub hub: usize,
    /// Which entries: up to a moment.
    pub entries: Vec<usize>,
}

impl<'a> Telling<'a> {
    /// The entries with their places in the merged order.
    fn all(&self) -> impl Iterator<Item = (usize, &'a Entry)> + '_ {
        self.entries.iter().filter_map(|index| Some((*index, self.merged.entries.get(*index)?)))
    }

    /// Those of one log.
    fn of(&self, log: usize) -> impl Iterator<Item = (usize, &'a Entry)> + '_ {
        self.all().filter(move |(_, entry)| entry.log == log)
    }

    /// The last input of a log up to an entry: what a user can name, to change what was read off it.
    fn input_before(&self, log: usize, index: usize) -> Option<Place> {
        let inputs = self.of(log).take_while(|(at, _)| *at <= index).filter(|(_, e)| e.record.payload.is_input());
        inputs.last().map(|(_, entry)| (log, entry.record.seq))
    }

    fn log_of(&self, cluster: &str) -> Option<usize> {
        self.merged.logs.iter().position(|log| log.name() == cluster)
    }

    /// When the last of the records was written.
    pub fn end(&self) -> Time {
        self.all().map(|(_, entry)| entry.time).max().unwrap_or_default()
    }
}

/// Logs that cannot be retold, and why.
#[derive(Debug, thiserror::Error)]
#[error("the logs cannot be retold as a scenario: {0}")]
pub struct Untold(pub String);

/// The changes that a user wants, by log, as scripts of that log's inputs.
pub type Scripts = BTreeMap<usize, Script>;

/// Retells logs. `scripts` are the inputs of logs in which what people asked for is changed.
///
/// # Errors
/// When they do not say what a world is to be made of, or tell of one that cannot be made.
pub fn retell(telling: &Telling<'_>, scripts: &Scripts) -> Result<Tale, Untold> {
    let mut tale = setting::set(telling)?;
    let asked = people::asked(telling, &tale, scripts);
    tale.assumed.extend(asked.assumed);
    tale.happenings = asked.happenings;
    claims::read(telling, &mut tale);
    // Clusters that were failed over from, as the log has it, whatever a user would rather have asked for.
    let recorded = if scripts.is_empty() {
        tale.happenings.clone()
    } else {
        people::asked(telling, &tale, &Scripts::new()).happenings
    };
    power::read(telling, &recorded, &mut tale);
    stores::read(telling, &mut tale);
    waits::read(telling, &mut tale);
    tale.order();
    Ok(tale)
}

impl Tale {
    /// Leaves out, delays and moves what was read off records that the user wants left out, delayed, moved. What people
    /// asked for was changed when it was read.
    ///
    /// # Errors
    /// [`Usage`] when nothing was read off such a record: what follows from the world cannot be changed there.
    pub fn change(&mut self, changes: &[Change], telling: &Telling<'_>) -> Result<(), Usage> {
        let known: BTreeSet<Place> = self.happenings.iter().filter_map(|told| told.record).collect();
        let of = |place: &crate::alter::Place| -> Place {
            let log = place.log.as_ref().and_then(|name| telling.merged.logs.iter().position(|l| l.name() == name));
            (log.unwrap_or(0), place.seq)
        };
        for change in changes {
            let place = of(change.place());
            if is_drpc(telling, place) || matches!(change, Change::Add(..)) {
                continue;
            }
            if !known.contains(&place) || matches!(change, Change::Patch { .. }) {
                return Err(self.refuse(change, telling));
            }
            match change {
                Change::Drop(_) => self.happenings.retain(|told| told.record != Some(place)),
                Change::Delay(_, ms) => self.postpone(place, |time| time.plus_ms(*ms)),
                Change::Move(_, after) => {
                    let (log, seq) = of(after);
                    let time =
                        telling.merged.at(log, seq).and_then(|at| telling.merged.entries.get(at)).map(|e| e.time);
                    self.postpone(place, |was| time.unwrap_or(was));
                }
                Change::Patch { .. } | Change::Add(..) => {}
            }
        }
        self.order();
        Ok(())
    }

    /// In order of time. What befalls comes before what people ask for because of it.
    fn order(&mut self) {
        self.happenings.sort_by_key(|told| (told.time, told.what.is_users()));
    }

    fn postpone(&mut self, place: Place, to: impl Fn(Time) -> Time) {
        for told in self.happenings.iter_mut().filter(|told| told.record == Some(place)) {
            told.time = to(told.time);
            told.changed = true;
        }
    }

    fn refuse(&self, change: &Change, telling: &Telling<'_>) -> Usage {
        let can: Vec<String> = self
            .happenings
            .iter()
            .filter_map(|told| {
                let (log, seq) = told.record?;
                let name = telling.merged.logs.get(log)?.name();
                Some(format!("{name}#{seq} ({})", file::words(&told.what)))
            })
            .collect();
        Usage(format!(
            "{change}: with --go-on, only what people asked for and what befell clusters and stores can be changed; all else \
             follows from that in the simulated world. There is {}",
            if can.is_empty() { "nothing of that kind".to_owned() } else { can.join(", ") }
        ))
    }
}

/// Whether a record shows a DRPC.
fn is_drpc(telling: &Telling<'_>, (log, seq): Place) -> bool {
    let entry = telling.merged.at(log, seq).and_then(|at| telling.merged.entries.get(at));
    entry.is_some_and(|entry| match &entry.record.payload {
        Payload::Observed(fact) => fact.object().kind == ramen_events::Kind::Drpc && !fact.is_remark(),
        Payload::Gone(object) => object.kind == ramen_events::Kind::Drpc,
        _ => false,
    })
}
