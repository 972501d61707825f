//! `state`: what was known at a moment.

use std::{io::Write, path::PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};
use ramen_events::{Aggregate, Seq};

use crate::{
    Exit,
    moment::Moment,
    object,
    open::{Log, Usage},
    state::State,
};

/// Shows what an operator knew at a moment: all of it, or the status of one object as it stood there
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  ramen-replay state hub.ramenlog --at 12:00:05 | jq '.domain.drpcs | keys'\n  \
                  ramen-replay state hub.ramenlog --at 230 drpc/apps/app-1\n  \
                  ramen-replay state c1.ramenlog --at 2026-01-31T12:00:05Z vrg/app-1/app-1 -o json\n\n\
                  Exit codes: 0 shown; 2 the file is damaged, cut off, or not a log; 64 wrong usage.")]
pub(super) struct Arguments {
    /// Capture file, or data directory of a stopped operator
    #[arg(value_name = "LOG")]
    log: PathBuf,

    /// One object: drpc/NAMESPACE/NAME, vrg/NAMESPACE/NAME, drpolicy/NAME, drcluster/NAME or drclusterconfig/NAME
    #[arg(value_name = "OBJECT")]
    object: Option<String>,

    /// When: a record (120), a time (2026-01-31T12:00:05.250Z), or a time of day (12:00:05); the end if it is left out
    #[arg(long, value_name = "MOMENT")]
    at: Option<Moment>,

    /// How it is printed; an object as YAML, everything as JSON, if it is left out
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,

    /// Of a damaged capture, read what is provably intact
    #[arg(long)]
    salvage: bool,
}

/// How a state is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// As kubectl prints objects
    Yaml,
    /// For programs
    Json,
}

/// Runs it.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    let log = Log::open_part(&arguments.log, arguments.salvage)?;
    log.warn();
    let state = state_at(&log, arguments.at.as_ref())?;
    eprintln!("ramen-replay: {} after record {} ({})", log.owner, state.head(), state.now());
    let (value, format) = match &arguments.object {
        None => (state.json()?, arguments.output.unwrap_or(Format::Json)),
        Some(name) => {
            let aggregate = find(&state, name)?;
            let object = object::of(&state, &aggregate)?;
            (object, arguments.output.unwrap_or(Format::Yaml))
        }
    };
    match format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?,
        Format::Yaml => write!(out, "{}", serde_norway::to_string(&value)?)?,
    }
    Ok(Exit::Good)
}

/// The state at a moment.
fn state_at(log: &Log, at: Option<&Moment>) -> Result<State> {
    match at.and_then(|at| Some((at, at.time(log.history.head().stamp.time)?))) {
        None => State::at(log, seq_at(log, at)?),
        Some((at, time)) => State::until(log, time)?.ok_or_else(|| outside(log, &at.to_string()).into()),
    }
}

fn outside(log: &Log, what: &str) -> Usage {
    let (from, head) = (log.history.base().seq.next(), log.history.head());
    let (to, end) = (head.seq, head.stamp);
    Usage(format!("{what} is not in {}: it has records {from} to {to}, until {end}", log.path.display()))
}

/// The last record at a moment.
///
/// # Errors
/// [`Usage`] when the log does not reach that far.
pub(super) fn seq_at(log: &Log, at: Option<&Moment>) -> Result<Seq> {
    let (base, head) = (log.history.base(), log.history.head());
    let Some(at) = at else { return Ok(head.seq) };
    if let Moment::Record(name, seq) = at {
        let mine = name.as_ref().is_none_or(|name| name == log.name());
        return if mine && *seq > base.seq && *seq <= head.seq {
            Ok(*seq)
        } else {
            Err(outside(log, &at.to_string()).into())
        };
    }
    let time = at.time(head.stamp.time).unwrap_or(head.stamp.time);
    let mut last = None;
    for record in log.history.scan(base.seq.next()) {
        let (record, _) = record?;
        if record.stamp.time > time {
            break;
        }
        last = Some(record.seq);
    }
    last.ok_or_else(|| outside(log, &at.to_string()).into())
}

/// The aggregate of this name, or part of a name, if only one has it.
///
/// # Errors
/// [`Usage`] with those that are there.
pub(super) fn find(state: &State, name: &str) -> Result<Aggregate> {
    let all = state.aggregates();
    if let Some(exact) = all.iter().find(|aggregate| aggregate.to_string() == name) {
        return Ok(exact.clone());
    }
    let alike: Vec<&Aggregate> = all.iter().filter(|aggregate| aggregate.to_string().contains(name)).collect();
    match alike.as_slice() {
        [one] => Ok((*one).clone()),
        several => {
            let several = if several.is_empty() { all.iter().collect() } else { several.to_vec() };
            let names = several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let names = if names.is_empty() { "nothing yet".to_owned() } else { names };
            Err(Usage(format!("no single object is called {name:?} at this moment; there is {names}")).into())
        }
    }
}
