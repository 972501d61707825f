//! Tracing to stderr.
//!
//! Fields have the same names everywhere: `drpc vrg cluster action step seq command cause`. INFO tells one DR action in
//! some ten lines, DEBUG each record; a heartbeat tells nothing.

use clap::ValueEnum;
use ramen_events::{Aggregate, Cause, Controller, Payload, Position, Record};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::metrics::outcome_word;

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A filter that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{filter:?} is no log filter")]
pub struct BadFilter {
    filter: String,
    #[source]
    err: tracing_subscriber::filter::ParseError,
}

/// Sets up tracing for the process; a second call changes nothing. `filter` is like `info,ramen_runtime=debug`.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(format: Format, filter: &str) -> Result<(), BadFilter> {
    let filter = EnvFilter::try_new(filter).map_err(|err| BadFilter { filter: filter.to_owned(), err })?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    // It fails only if a subscriber is there already: then that one stays.
    let _ = match format {
        Format::Text => registry.with(lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))).try_init(),
        Format::Json => registry.with(lines.json()).try_init(),
    };
    Ok(())
}

/// Whether [`tell`] would show anything of the record as tracing is set up now.
pub(crate) fn is_told(record: &Record) -> bool {
    match &record.payload {
        Payload::Moved(position) if entered(record, position) => tracing::enabled!(tracing::Level::INFO),
        Payload::Started { .. } | Payload::Synced => tracing::enabled!(tracing::Level::INFO),
        Payload::Lost { .. } => tracing::enabled!(tracing::Level::WARN),
        Payload::Finished { outcome, .. } if !outcome.is_done() => tracing::enabled!(tracing::Level::INFO),
        _ => tracing::enabled!(tracing::Level::DEBUG),
    }
}

/// Tells of one durable record.
pub(crate) fn tell(record: &Record) {
    let (drpc, vrg, other) = names(record.aggregate.as_ref());
    let seq = record.seq.0;
    let cause = match &record.cause {
        Cause::Outside => None,
        Cause::Local(seq) => Some(seq.to_string()),
        Cause::Remote { cluster, command } => Some(format!("{cluster}/{command}")),
    };
    match &record.payload {
        Payload::Moved(position) => {
            let wait = position.wait.as_ref();
            let action = &position.action;
            let runbook = position.runbook.as_str();
            let step = if position.step.is_empty() { "done" } else { &position.step };
            let cluster = wait.and_then(|wait| wait.on.as_ref()).map(|cluster| cluster.as_str());
            let wait = wait.map(|wait| wait.what.as_str());
            // Within a step what is waited for may change often; people follow the steps.
            if entered(record, position) {
                tracing::info!(seq, drpc, vrg, other, cause, %action, runbook, step, cluster, wait, "step");
            } else {
                tracing::debug!(seq, drpc, vrg, other, cause, %action, runbook, step, cluster, wait, "waits");
            }
        }
        Payload::Finished { id, slot, outcome } if !outcome.is_done() => {
            let (outcome, error) = (outcome_word(outcome), outcome.message());
            tracing::info!(seq, drpc, vrg, other, cause, command = %id, slot, outcome, error, "failed");
        }
        Payload::Finished { id, slot, .. } => {
            tracing::debug!(seq, drpc, vrg, other, cause, command = %id, slot, "done");
        }
        Payload::Commanded { id, slot, command } => {
            tracing::debug!(seq, drpc, vrg, other, cause, command = %id, slot, what = command.name(), "commanded");
        }
        Payload::Observed(fact) => tracing::debug!(seq, cause, object = %fact.object(), "observed"),
        Payload::Gone(object) => tracing::debug!(seq, cause, %object, "gone"),
        Payload::TimerFired { why, .. } => tracing::debug!(seq, drpc, vrg, other, cause, why, "timer"),
        Payload::Started { epoch, .. } => tracing::info!(seq, %epoch, "started"),
        Payload::Synced => tracing::info!(seq, "every watched kind was listed; decisions begin"),
        Payload::Lost { records } => {
            tracing::warn!(seq, records, "the volume lost records that it had promised to keep; all is looked at anew");
        }
    }
}

/// Whether the step was entered with this record.
fn entered(record: &Record, position: &Position) -> bool {
    position.since == record.stamp.time
}

type Named = Option<String>;

/// The aggregate under the field that readers look for.
fn names(aggregate: Option<&Aggregate>) -> (Named, Named, Named) {
    let Some(aggregate) = aggregate else { return (None, None, None) };
    let name = format!("{}/{}", aggregate.namespace, aggregate.name);
    match aggregate.controller {
        Controller::Drpc => (Some(name), None, None),
        Controller::Vrg => (None, Some(name), None),
        _ => (None, None, Some(aggregate.to_string())),
    }
}
