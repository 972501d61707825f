//! `why`: what an application waits for, and how it came to that.

use std::io::Write;

use anyhow::Result;
use clap::Args;
use ramen_events::{Aggregate, Controller, Kind, ObjectId, Payload, Time};

use crate::{
    Exit,
    cmd::Format,
    filter::find,
    input::Input,
    merge::Merged,
    moment::{Moment, clock_text},
    open::Usage,
    past::Folding,
    table::{self, terminal_width},
    why::{self, At},
    why_lines,
};

/// Explains why an application is where it is: which gate is shut, since when, what was seen, what a person can do
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "With the logs of the managed clusters it goes on there: what the VolumeReplicationGroup itself \
                  waits for.\n\n\
                  Examples:\n  ramen-replay why app-1 *.ramenlog\n  \
                  ramen-replay why drpc/apps/app-1 *.ramenlog --at 12:00:05 --not Completed\n  \
                  ramen-replay why vrg/app-1/app-1 c1.ramenlog --at 120\n\n\
                  Exit codes: 0 explained; 2 a file is damaged, cut off, or not a log; 64 wrong usage."
)]
pub(super) struct Arguments {
    /// The DRPlacementControl or VolumeReplicationGroup: drpc/NAMESPACE/NAME, vrg/NAMESPACE/NAME, or a part of that
    #[arg(value_name = "OBJECT")]
    object: String,

    #[command(flatten)]
    input: Input,

    /// When: a record (hub#120), a time (2026-01-31T12:00:05.250Z), or a time of day (12:00:05); the end if left out
    #[arg(long, value_name = "MOMENT")]
    at: Option<Moment>,

    /// Why is it not in this state: a phase (Relocated), Completed, a step of its runbook, or a condition (PeerReady)
    #[arg(long, value_name = "STATE")]
    not: Option<String>,

    /// How it is printed
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

/// Runs it.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    let merged = arguments.input.read()?;
    let at = At { not: arguments.not.as_deref(), ..moment(&merged, arguments.at.as_ref())? };
    let mut answers = Vec::new();
    let subjects = subjects(&merged, &arguments.object)?;
    for (log, aggregate) in &subjects {
        answers.extend(why::answer(&merged, &mut Folding(&merged), *log, aggregate, at)?);
    }
    if let ([], Some((_, aggregate))) = (answers.as_slice(), subjects.first()) {
        writeln!(out, "{}", absent(&merged, aggregate, at))?;
    }
    for answer in &answers {
        match arguments.output {
            Format::Json => writeln!(out, "{}", serde_json::to_string(answer)?)?,
            Format::Table => table::print_lines(&why_lines::answer(answer, terminal_width()), out)?,
        }
    }
    Ok(Exit::Good)
}

/// The last entry at a moment, and the moment.
fn moment(merged: &Merged, at: Option<&Moment>) -> Result<At<'static>> {
    let of =
        |entry: usize| At { not: None, entry, time: merged.entries.get(entry).map_or(Time(0), |entry| entry.time) };
    let Some(at) = at else { return Ok(of(merged.entries.len().saturating_sub(1))) };
    if let Some(index) = find(merged, at)? {
        return Ok(of(index));
    }
    let end = merged.entries.iter().map(|entry| entry.time).max().unwrap_or_default();
    let time = at.time(end).unwrap_or(end);
    let start = merged.entries.first().map(|entry| clock_text(entry.time)).unwrap_or_default();
    match merged.entries.iter().rposition(|entry| entry.time <= time) {
        Some(entry) => Ok(At { not: None, entry, time: time.min(end) }),
        None => Err(Usage(format!("{at} is before the logs begin ({start})")).into()),
    }
}

/// Why there is nothing to explain: it was not there yet, or is gone.
fn absent(merged: &Merged, aggregate: &Aggregate, at: At<'_>) -> String {
    let kind = if aggregate.controller == Controller::Drpc { Kind::Drpc } else { Kind::Vrg };
    let object = ObjectId::new(kind, &aggregate.namespace, &aggregate.name);
    let before = merged.entries.iter().enumerate().take(at.entry + 1).rev();
    let gone = before.into_iter().find(|(_, entry)| matches!(&entry.record.payload, Payload::Gone(o) if *o == object));
    match gone {
        Some((index, entry)) => format!(
            "{aggregate} is gone since {} ({}); --at asks about an earlier moment",
            clock_text(entry.time),
            merged.name(index)
        ),
        None => format!("{aggregate} is not there yet; --at asks about a later moment"),
    }
}

/// Whom a name means: a DRPC rather than its VRGs; a VRG on each cluster of which there is a log.
pub(super) fn subjects(merged: &Merged, name: &str) -> Result<Vec<(usize, Aggregate)>> {
    let mut all: Vec<(usize, Aggregate)> = Vec::new();
    for entry in &merged.entries {
        if let (Payload::Moved(_), Some(aggregate)) = (&entry.record.payload, &entry.record.aggregate) {
            let wanted = matches!(aggregate.controller, Controller::Drpc | Controller::Vrg);
            if wanted && !all.iter().any(|(log, other)| *log == entry.log && other == aggregate) {
                all.push((entry.log, aggregate.clone()));
            }
        }
    }
    let exact = |(_, aggregate): &&(usize, Aggregate)| aggregate.to_string() == name || aggregate.name == name;
    let part = |(_, aggregate): &&(usize, Aggregate)| aggregate.to_string().contains(name);
    let mut found: Vec<_> = all.iter().filter(exact).cloned().collect();
    if found.is_empty() {
        found = all.iter().filter(part).cloned().collect();
    }
    if found.iter().any(|(_, aggregate)| aggregate.controller == Controller::Drpc) {
        found.retain(|(_, aggregate)| aggregate.controller == Controller::Drpc);
    }
    let first = found.first().map(|(_, aggregate)| aggregate.clone());
    if first.is_none() || found.iter().any(|(_, aggregate)| Some(aggregate) != first.as_ref()) {
        let of = if found.is_empty() { &all } else { &found };
        let mut names: Vec<String> = of.iter().map(|(_, aggregate)| aggregate.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        let names = if names.is_empty() { "none at all".to_owned() } else { names.join(", ") };
        return Err(Usage(format!("{name:?} does not name one application; there is {names}")).into());
    }
    Ok(found)
}
