//! The state of each log after any entry. Nothing is folded from the beginning after the logs were read once: check points
//! were kept then, and finer ones are kept around where it was asked last.

use std::{collections::BTreeMap, rc::Rc};

use anyhow::Result;
use ramen_events::Aggregate;

use crate::{
    merge::Merged,
    past::{Known, Past, Standpoint, Trail},
    state::State,
};

/// How many check points a log has. They are kept as bytes: a state of a thousand applications takes megabytes.
const POINTS: usize = 32;
/// How many finer ones lie between two of them.
const FINE: usize = 8;
/// How many records lie between two finer check points at least.
const LEAST: usize = 8;

/// The way of all logs.
pub struct Course<'a> {
    merged: &'a Merged,
    tracks: Vec<Track>,
    /// Records folded in so far.
    folded: usize,
}

struct Track {
    /// How many records lie between two check points.
    stride: usize,
    /// States after 0, `stride`, twice `stride`… records, as operators save them.
    points: Vec<Vec<u8>>,
    /// The check point that the finer ones come after.
    segment: usize,
    /// States after that check point, each as many records after the one before.
    fine: Vec<Rc<State>>,
    /// The state asked for last, after how many records.
    last: (usize, Rc<State>),
    trails: BTreeMap<Aggregate, Trail>,
}

impl<'a> Course<'a> {
    /// Folds all logs once.
    ///
    /// # Errors
    /// When a log starts in the middle without a snapshot.
    pub fn new(merged: &'a Merged) -> Result<Self> {
        let mut course = Self { merged, tracks: Vec::new(), folded: 0 };
        for log in 0..merged.logs.len() {
            let track = course.track(log)?;
            course.tracks.push(track);
        }
        Ok(course)
    }

    fn track(&mut self, log: usize) -> Result<Track> {
        let stride = self.merged.entries_of(log).len().div_ceil(POINTS).max(FINE * LEAST);
        let mut trails: BTreeMap<Aggregate, Trail> = BTreeMap::new();
        let mut points = Vec::new();
        let mut state = start(self.merged, log)?;
        let first = Rc::new(state.clone());
        for (count, &index) in self.merged.entries_of(log).iter().enumerate() {
            if count % stride == 0 {
                points.push(state.bytes());
            }
            let Some(entry) = self.merged.entries.get(index) else { continue };
            let own = entry.record.aggregate.as_ref();
            let before = own.and_then(|own| Standpoint::of(&state, own));
            let mut touched = state.apply(&entry.record);
            self.folded += 1;
            let news = own.filter(|own| !touched.contains(own));
            if let Some(own) = news {
                trails.entry(own.clone()).or_default().follow(index, &entry.record, own, false, before.as_ref());
            }
            while let Some(aggregate) = touched.pop_first() {
                let trail = trails.entry(aggregate.clone()).or_default();
                trail.follow(index, &entry.record, &aggregate, true, before.as_ref());
            }
        }
        Ok(Track { stride, points, segment: usize::MAX, fine: Vec::new(), last: (0, first), trails })
    }

    /// The state of a log after an entry of any log.
    pub fn state(&mut self, log: usize, entry: usize) -> Option<Rc<State>> {
        let count = self.merged.entries_of(log).partition_point(|index| *index <= entry);
        self.after(log, count)
    }

    /// The state of a log after so many of its records.
    fn after(&mut self, log: usize, count: usize) -> Option<Rc<State>> {
        let track = self.tracks.get_mut(log)?;
        if track.last.0 == count {
            return Some(track.last.1.clone());
        }
        let entries = self.merged.entries_of(log);
        let step = track.stride.div_ceil(FINE).max(LEAST);
        let segment = (count / track.stride).min(track.points.len().saturating_sub(1));
        let apply = |state: &mut State, from: usize, to: usize| {
            let records = entries.get(from..to).unwrap_or_default();
            records.iter().filter_map(|index| self.merged.entries.get(*index)).for_each(|entry| {
                state.apply(&entry.record);
            });
            records.len()
        };
        if segment != track.segment {
            let operator = self.merged.logs.get(log)?.owner.operator;
            let mut state = State::decode(operator, track.points.get(segment)?)?;
            let begin = segment * track.stride;
            let end = (begin + track.stride).min(entries.len());
            track.fine = vec![Rc::new(state.clone())];
            for from in (begin..end).step_by(step) {
                let to = (from + step).min(end);
                self.folded += apply(&mut state, from, to);
                track.fine.push(Rc::new(state.clone()));
            }
            track.segment = segment;
        }
        let beyond = count - segment * track.stride;
        let nearest = (beyond / step).min(track.fine.len().saturating_sub(1));
        let mut state = track.fine.get(nearest)?.clone();
        let from = segment * track.stride + nearest * step;
        if from < count {
            self.folded += apply(Rc::make_mut(&mut state), from, count);
        }
        track.last = (count, state.clone());
        Some(state)
    }

    /// What concerns an aggregate of a log.
    pub fn trail(&self, log: usize, aggregate: &Aggregate) -> Option<&Trail> {
        self.tracks.get(log)?.trails.get(aggregate)
    }

    /// All aggregates of a log that ever stood anywhere in a runbook.
    pub fn moving(&self, log: usize) -> impl Iterator<Item = &Aggregate> {
        let trails = self.tracks.get(log).into_iter().flat_map(|track| &track.trails);
        trails.filter(|(_, trail)| trail.has_moved()).map(|(aggregate, _)| aggregate)
    }

    /// How many records were folded in so far.
    #[cfg(test)]
    pub fn folded(&self) -> usize {
        self.folded
    }
}

impl Past for Course<'_> {
    fn known(&mut self, log: usize, aggregate: &Aggregate, entry: usize) -> Result<Option<Known>> {
        let entries = self.merged.entries_of(log);
        let Some(last) = entries.partition_point(|index| *index <= entry).checked_sub(1) else { return Ok(None) };
        let (Some(&last), Some(state)) = (entries.get(last), self.state(log, entry)) else { return Ok(None) };
        Ok(self.trail(log, aggregate).and_then(|trail| trail.known(state, aggregate, last)))
    }
}

/// The state before the first record of a log.
///
/// # Errors
/// When it starts in the middle without a snapshot.
pub fn start(merged: &Merged, log: usize) -> Result<State> {
    let log = merged.logs.get(log).ok_or_else(|| anyhow::anyhow!("there is no such log"))?;
    State::at(log, log.history.base().seq)
}
