//! What people follow: each application with its actions, and what the managed clusters did for them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use ramen_events::{Aggregate, Controller, Time};

use crate::{
    merge::Merged,
    open::{Log, Usage},
    walks::{self, Step, Walk},
};

/// All applications of the logs.
pub struct Story {
    /// The applications, by DRPC; VRGs whose DRPC is not known stand alone.
    pub applications: Vec<Application>,
    /// There are others, which were not asked for.
    pub partial: bool,
    /// When the logs begin.
    pub start: Time,
    /// When they end.
    pub end: Time,
    /// Up to when each log tells something: what goes on then is not known to go on later.
    ends: Vec<Time>,
    logs: Vec<String>,
}

/// An application: a DRPC on the hub and its VRGs, or as much of that as the logs hold.
pub struct Application {
    /// The DRPC, or the VRG if there is none.
    pub aggregate: Aggregate,
    /// One lane for each log in which it has walks; the DRPC's first.
    pub lanes: Vec<Lane>,
}

/// One aggregate in one log.
pub struct Lane {
    /// Which log.
    pub log: usize,
    /// Who.
    pub aggregate: Aggregate,
    /// Its walks, in order of time.
    pub walks: Vec<Walk>,
}

/// One action of an application, with what the clusters did meanwhile.
pub struct Block<'a> {
    /// The walk that the block is about.
    pub walk: &'a Walk,
    others: Vec<&'a Walk>,
    end: Time,
}

/// One step in a block.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// The walk that it belongs to.
    pub walk: &'a Walk,
    /// The step.
    pub step: &'a Step,
}

impl Story {
    /// Reads it off the records; `about` keeps applications whose name contains it.
    ///
    /// # Errors
    /// [`Usage`] when there is no such application.
    pub fn of(merged: &Merged, about: Option<&str>) -> Result<Self> {
        let owners = walks::owners(merged);
        let mut by_application: BTreeMap<(bool, Aggregate), Vec<Lane>> = BTreeMap::new();
        for ((log, aggregate), walks) in walks::walks(merged) {
            let owner = match aggregate.controller {
                Controller::Drpc => (false, aggregate.clone()),
                Controller::Vrg => {
                    let vrg = (aggregate.namespace.clone(), aggregate.name.clone());
                    owners.get(&vrg).map_or((true, aggregate.clone()), |owner| (false, owner.clone()))
                }
                _ => continue,
            };
            by_application.entry(owner).or_default().push(Lane { log, aggregate, walks });
        }
        let all = by_application.into_iter().map(|((_, aggregate), mut lanes)| {
            lanes.sort_by_key(|lane| (lane.aggregate.controller != Controller::Drpc, lane.log));
            Application { aggregate, lanes }
        });
        let (kept, left): (Vec<_>, Vec<_>) =
            all.partition(|application| about.is_none_or(|about| application.aggregate.to_string().contains(about)));
        if let (Some(about), true) = (about, kept.is_empty()) {
            let names: BTreeSet<String> = left.iter().map(|application| application.aggregate.to_string()).collect();
            let names = if names.is_empty() { "no application".to_owned() } else { Vec::from_iter(names).join(", ") };
            return Err(Usage(format!("nothing is about {about:?}; there is {names}")).into());
        }
        let spans = || (0..merged.logs.len()).filter_map(|log| merged.span_of(log));
        let end = spans().map(|(_, end)| end).max().unwrap_or_default();
        // Of a whole log the silence at its end tells that nothing happened.
        let end_of = |(log, of): (usize, &Log)| match of.wrong {
            None => end,
            Some(_) => merged.span_of(log).map_or(end, |(_, end)| end),
        };
        Ok(Self {
            partial: !left.is_empty(),
            applications: kept,
            start: spans().map(|(start, _)| start).min().unwrap_or_default(),
            end,
            ends: merged.logs.iter().enumerate().map(end_of).collect(),
            logs: merged.logs.iter().map(Log::name).map(str::to_owned).collect(),
        })
    }

    /// The name of a log.
    pub fn log(&self, log: usize) -> &str {
        self.logs.get(log).map_or("?", String::as_str)
    }

    /// Up to when a log tells something.
    pub fn end_of(&self, log: usize) -> Time {
        self.ends.get(log).copied().unwrap_or(self.end)
    }

    /// All actions, application by application, in order of time.
    pub fn blocks(&self) -> Vec<Block<'_>> {
        self.applications.iter().flat_map(|application| application.blocks(self)).collect()
    }
}

impl Application {
    /// Whether it is a DRPC, and not a VRG whose DRPC is not known.
    pub fn is_drpc(&self) -> bool {
        self.aggregate.controller == Controller::Drpc
    }

    /// Its actions: those of the DRPC; of VRGs that stand alone, all of theirs.
    pub fn blocks(&self, story: &Story) -> Vec<Block<'_>> {
        let has_drpc = self.is_drpc();
        let is_main = |lane: &&Lane| !has_drpc || lane.aggregate == self.aggregate;
        let main = self.lanes.iter().filter(is_main).flat_map(|lane| &lane.walks);
        let mut blocks: Vec<Block<'_>> = main
            .map(|walk| Block { walk, others: self.during(walk, story, has_drpc), end: story.end_of(walk.log) })
            .collect();
        blocks.sort_by_key(|block| block.walk.from);
        blocks
    }

    /// What the other lanes did during a walk.
    fn during(&self, walk: &Walk, story: &Story, wanted: bool) -> Vec<&Walk> {
        let others = self.lanes.iter().filter(|lane| wanted && lane.aggregate != self.aggregate);
        let end = |walk: &Walk| walk.end(story.end_of(walk.log));
        let overlaps = |other: &&Walk| other.from < end(walk) && end(other) > walk.from;
        others.flat_map(|lane| &lane.walks).filter(overlaps).collect()
    }
}

impl<'a> Block<'a> {
    /// The steps, in order of time: those of the walk, and those of the clusters that began meanwhile.
    pub fn rows(&self) -> Vec<Row<'a>> {
        let span = self.walk.from..=self.walk.end(self.end);
        let own = self.walk.steps.iter().map(|step| Row { walk: self.walk, step });
        let others = self.others.iter().flat_map(|walk| walk.steps.iter().map(|step| Row { walk, step }));
        let mut rows: Vec<Row<'a>> = own.chain(others.filter(|row| span.contains(&row.step.from))).collect();
        rows.sort_by_key(|row| (row.step.from, row.step.entry));
        rows
    }
}
