//! Part of a log that can be checked by itself: which records, and the state before them.
//!
//! A slice is one window of the log: its records follow each other without gaps, so that their chain can be recomputed.
//! It begins with an input (a fact, an outcome, a timer), and carries the state before that, so that what follows can be
//! decided again. See docs/decisions/0009.

use std::path::Path;

use anyhow::{Context, Result};
use ramen_events::{
    Aggregate, Controller, Fact, Kind, ObjectId, Payload, Record, Seq,
    capture::{self, Header},
    hub,
    hub::ObjectRef,
    spoke,
};

use crate::{
    moment::Moment,
    open::{Log, Usage},
    state::State,
};

/// Reads the name of a DRPlacementControl.
///
/// # Errors
/// How it is written.
pub fn drpc(text: &str) -> Result<ObjectRef, String> {
    match text.trim_start_matches("drpc/").split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => Ok(ObjectRef::new(namespace, name)),
        _ => Err("it is written NAMESPACE/NAME".to_owned()),
    }
}

/// What a slice is asked to hold.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// What concerns this DRPlacementControl.
    pub drpc: Option<ObjectRef>,
    /// From this moment on.
    pub since: Option<Moment>,
    /// From this record on.
    pub from: Option<Seq>,
    /// Up to this record.
    pub to: Option<Seq>,
}

impl Wanted {
    /// Whether it is all of the log.
    pub fn is_all(&self) -> bool {
        self.drpc.is_none() && self.since.is_none() && self.from.is_none() && self.to.is_none()
    }

    /// The first and the last record: all that is asked for, and no more than that takes; `None` when the log holds
    /// nothing of it.
    ///
    /// # Errors
    /// [`Usage`] when the log does not have such records.
    pub fn window(&self, log: &Log) -> Result<Option<(Seq, Seq)>> {
        let (base, head) = (log.history.base(), log.history.head());
        let end = head.stamp.time;
        let first = match &self.since {
            Some(Moment::Record(_, seq)) => *seq,
            _ => self.from.unwrap_or(base.seq.next()),
        };
        let last = self.to.unwrap_or(head.seq);
        let outside = |what: &str| {
            let (from, to) = (base.seq.next(), head.seq);
            Usage(format!("{what}: the log has records {from} to {to}, until {}", head.stamp))
        };
        if first <= base.seq || last > head.seq || first > last {
            return Err(outside("there are no such records").into());
        }
        let since = self.since.as_ref().and_then(|moment| moment.time(end));
        let (mut window, mut input): (Option<(Seq, Seq)>, Seq) = (None, base.seq.next());
        for record in log.history.scan(base.seq.next()) {
            let (record, _) = record?;
            if record.payload.is_input() {
                input = record.seq;
            }
            if record.seq > last {
                break;
            }
            let wanted = record.seq >= first
                && since.is_none_or(|since| record.stamp.time >= since)
                && self.drpc.as_ref().is_none_or(|drpc| concerns(&record, drpc));
            if wanted {
                // A decision without what it follows from could not be decided again.
                window = Some((window.map_or(input, |(first, _)| first), record.seq));
            }
        }
        Ok(window)
    }

    /// Writes what is asked for of a log into a capture file; `None` when the log holds nothing of it.
    ///
    /// # Errors
    /// [`Usage`] when the log does not have such records; when the file can't be written.
    pub fn write(&self, log: &Log, file: &Path) -> Result<Option<Header>> {
        let history = log.history.as_ref();
        let (base, head) = (history.base(), history.head());
        let window = if self.is_all() { Some((base.seq.next(), head.seq)) } else { self.window(log)? };
        let Some((first, last)) = window else { return Ok(None) };
        let header = match State::at(log, Seq(first.0 - 1)) {
            Ok(mut before) => capture::write_along_file(history, first, last, &mut before, file),
            // A log that begins in the middle may have no state there: then the capture has none either.
            Err(_) if first == base.seq.next() => capture::write_file(history, first, last, file),
            Err(err) => return Err(err),
        };
        Ok(Some(header.with_context(|| format!("could not write {}", file.display()))?))
    }
}

/// Whether a record is about a DRPlacementControl, or about its VRG: on managed clusters, the one of that name.
fn concerns(record: &Record, drpc: &ObjectRef) -> bool {
    let aggregate = |aggregate: &Aggregate| match aggregate.controller {
        Controller::Drpc => aggregate.namespace == drpc.namespace && aggregate.name == drpc.name,
        Controller::Vrg => aggregate.name == drpc.name,
        _ => false,
    };
    let object = |object: &ObjectId| match object.kind {
        Kind::Drpc => object.namespace == drpc.namespace && object.name == drpc.name,
        Kind::Vrg => object.name == drpc.name,
        _ => false,
    };
    record.aggregate.as_ref().is_some_and(aggregate)
        || match &record.payload {
            Payload::Observed(Fact::Hub(hub::Fact::Work(work))) => work.drpc.as_ref() == Some(drpc),
            Payload::Observed(Fact::Hub(hub::Fact::View(view))) => view.drpc.as_ref() == Some(drpc),
            Payload::Observed(Fact::Spoke(spoke::Fact::VolumeReplication(replication))) => {
                replication.owner.as_ref().is_some_and(|owner| owner.name == drpc.name)
            }
            Payload::Observed(fact) => object(&fact.object()),
            Payload::Gone(gone) => object(gone),
            _ => false,
        }
}
