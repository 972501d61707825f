//! `show`: what is in a log.

use std::io::Write;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use crate::{
    Exit,
    cmd::Format,
    filter::Filter,
    input::Input,
    merge::{Entry, Merged},
    moment::{clock_text, day_text},
    table::{BAD, BOLD, Cell, DIM, NAME, Table, WAITING, styled},
    words,
};

/// Shows records: what was learned, decided and done, in causal order
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  ramen-replay show hub.ramenlog --about app-1 --kind Moved\n  \
                  ramen-replay show *.ramenlog --since 12:00:05 --until hub#160 -o json | jq .payload\n  \
                  ramen-replay show *.ramenlog --cause hub#120\n\n\
                  Exit codes: 0 shown; 2 a file is damaged, cut off, or not a log; 64 wrong usage.")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    filter: Filter,

    /// How records are printed
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

/// Runs it.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    let merged = arguments.input.read()?;
    let filter = arguments.filter.check(&merged)?;
    let shown = (0..merged.entries.len()).filter(|index| filter.passes(*index));
    match arguments.output {
        Format::Json => {
            for index in shown {
                writeln!(out, "{}", value(&merged, index)?)?;
            }
        }
        Format::Table => print(&merged, &shown.collect::<Vec<_>>(), out)?,
    }
    Ok(Exit::Good)
}

/// An entry as JSON: the record, with the names that other commands take.
fn value(merged: &Merged, index: usize) -> Result<Value> {
    let Some(entry) = merged.entries.get(index) else { return Ok(Value::Null) };
    let mut value = serde_json::to_value(&entry.record)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("record".into(), json!(merged.name(index)));
        fields.insert("time".into(), json!(entry.record.stamp.to_string()));
        fields.insert("about".into(), json!(words::about(entry)));
        fields.insert("says".into(), json!(words::says(merged, index)));
    }
    Ok(value)
}

fn print(merged: &Merged, shown: &[usize], out: &mut dyn Write) -> Result<()> {
    let mut day = String::new();
    let mut table = Table::new(&["TIME", "RECORD", "BECAUSE OF", "KIND", "ABOUT", "WHAT IT SAYS"]);
    for &index in shown {
        let Some(entry) = merged.entries.get(index) else { continue };
        let today = day_text(entry.time);
        if today != day {
            if !day.is_empty() {
                table.print(out)?;
                table.clear();
            }
            writeln!(out, "{}", styled(BOLD, format!("{today} (UTC)")))?;
            day = today;
        }
        table.row(row(merged, index, entry));
    }
    table.print(out)?;
    Ok(())
}

fn row(merged: &Merged, index: usize, entry: &Entry) -> Vec<Cell> {
    use ramen_events::Payload as P;
    let plain = anstyle::Style::new();
    let style = match &entry.record.payload {
        P::Finished { outcome, .. } if !outcome.is_done() => BAD,
        P::Finished { .. } | P::TimerFired { .. } => DIM,
        P::Moved(position) if position.wait.is_some() => WAITING,
        P::Moved(_) | P::Commanded { .. } => BOLD,
        _ => plain,
    };
    vec![
        (clock_text(entry.time), DIM),
        (merged.name(index), NAME),
        (words::because(merged, index), DIM),
        (words::kind(entry).to_owned(), style),
        (words::about(entry), plain),
        (words::says(merged, index), style),
    ]
}
