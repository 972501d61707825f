//! Which records to show.

use anyhow::Result;
use clap::Args;
use ramen_events::{Cause, CommandId, Payload, Record, Time};

use crate::{
    merge::{Entry, Merged},
    moment::Moment,
    open::Usage,
    words,
};

/// Filters; a record is shown if it passes all of them
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which records")]
pub struct Filter {
    /// About this object or aggregate: part of its name, such as `app-1`, `drpc/` or `ManifestWork c1/`
    #[arg(long, value_name = "TEXT")]
    about: Vec<String>,

    /// Written by the operator of this cluster; `hub` for the hub's
    #[arg(long, value_name = "NAME")]
    cluster: Vec<String>,

    /// Of this kind: Observed, Gone, TimerFired, Commanded, Finished, Moved, Started, Synced, Lost, or the name of a
    /// command
    #[arg(long, value_name = "KIND", ignore_case = true)]
    kind: Vec<String>,

    /// Of commands, and their outcomes, with this id, or whose id starts like this
    #[arg(long, value_name = "ID")]
    command: Option<String>,

    /// Caused by this record, directly: 120, or hub#120
    #[arg(long, value_name = "RECORD")]
    cause: Option<Moment>,

    /// From this moment on
    #[arg(long, value_name = "MOMENT")]
    since: Option<Moment>,

    /// Up to this moment
    #[arg(long, value_name = "MOMENT")]
    until: Option<Moment>,
}

/// A filter whose moments were looked up.
pub struct Checked<'a> {
    filter: &'a Filter,
    merged: &'a Merged,
    since: Option<Time>,
    until: Option<Time>,
    first: usize,
    last: usize,
    cause: Option<usize>,
}

impl Filter {
    /// Looks up what the filter names.
    ///
    /// # Errors
    /// [`Usage`] when it names what is not there.
    pub fn check<'a>(&'a self, merged: &'a Merged) -> Result<Checked<'a>> {
        let end = merged.entries.last().map_or(Time(0), |entry| entry.time);
        let names: Vec<&str> = merged.logs.iter().map(crate::open::Log::name).collect();
        if let Some(stranger) = self.cluster.iter().find(|name| !names.contains(&name.as_str())) {
            let message = format!("--cluster {stranger}: there are only logs of {}", names.join(", "));
            return Err(Usage(message).into());
        }
        let entry = |moment: &Option<Moment>| moment.as_ref().map(|m| find(merged, m)).transpose().map(Option::flatten);
        let time = |moment: &Option<Moment>| moment.as_ref().and_then(|moment| moment.time(end));
        Ok(Checked {
            filter: self,
            merged,
            since: time(&self.since),
            until: time(&self.until),
            first: entry(&self.since)?.unwrap_or(0),
            last: entry(&self.until)?.unwrap_or(usize::MAX),
            cause: entry(&self.cause)?,
        })
    }
}

/// The entry that a moment names; `None` when it is a time.
///
/// # Errors
/// [`Usage`] when there is no such record.
pub fn find(merged: &Merged, moment: &Moment) -> Result<Option<usize>> {
    let Moment::Record(name, seq) = moment else { return Ok(None) };
    let log = match name {
        Some(name) => merged.logs.iter().position(|log| log.name() == name),
        None => (!merged.logs.is_empty()).then_some(0),
    };
    let found = log.and_then(|log| merged.at(log, *seq));
    match found {
        Some(found) => Ok(Some(found)),
        None => {
            let spans = merged.logs.iter().map(|log| {
                let (first, last) = (log.history.base().seq.next(), log.history.head().seq);
                format!("{name}#{first} to {name}#{last}", name = log.name())
            });
            Err(Usage(format!("there is no {moment}: the records are {}", spans.collect::<Vec<_>>().join(", "))).into())
        }
    }
}

impl Checked<'_> {
    /// Whether an entry passes.
    pub fn passes(&self, index: usize) -> bool {
        let Some(entry) = self.merged.entries.get(index) else { return false };
        let filter = self.filter;
        (self.first..=self.last).contains(&index)
            && self.since.is_none_or(|since| entry.time >= since)
            && self.until.is_none_or(|until| entry.time <= until)
            && any(&filter.cluster, |name| self.merged.log_name(entry) == name)
            && any(&filter.kind, |kind| is_of_kind(entry, kind))
            && any(&filter.about, |about| is_about(entry, about))
            && filter.command.as_ref().is_none_or(|id| is_of_command(entry, id))
            && self.cause.is_none_or(|cause| self.is_caused_by(entry, cause))
    }

    fn is_caused_by(&self, entry: &Entry, cause: usize) -> bool {
        let direct = match &entry.record.cause {
            Cause::Outside => None,
            Cause::Local(seq) => self.merged.at(entry.log, *seq),
            Cause::Remote { command, .. } => self.merged.commanded(*command),
        };
        direct == Some(cause)
    }
}

/// Nothing asked for means everything.
fn any(wanted: &[String], matches: impl Fn(&str) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(|wanted| matches(wanted))
}

/// Whether an entry is of this kind, or a command of this name.
pub fn is_of_kind(entry: &Entry, kind: &str) -> bool {
    let command = match &entry.record.payload {
        Payload::Commanded { command, .. } => command.name(),
        _ => "",
    };
    entry.record.payload.name().eq_ignore_ascii_case(kind) || command.eq_ignore_ascii_case(kind)
}

/// Whether an entry is about an object or aggregate whose name holds this.
pub fn is_about(entry: &Entry, about: &str) -> bool {
    concerns(&entry.record, about)
}

/// Whether a record is about an object or aggregate whose name holds this.
pub fn concerns(record: &Record, about: &str) -> bool {
    let contains = |text: &str| text.to_ascii_lowercase().contains(&about.to_ascii_lowercase());
    contains(&words::about(record)) || record.aggregate.as_ref().is_some_and(|a| contains(&a.to_string()))
}

fn is_of_command(entry: &Entry, start: &str) -> bool {
    let is = |id: &CommandId| id.to_string().starts_with(start);
    match (&entry.record.payload, &entry.record.cause) {
        (Payload::Commanded { id, .. } | Payload::Finished { id, .. }, _) => is(id),
        (_, Cause::Remote { command, .. }) => is(command),
        _ => false,
    }
}
