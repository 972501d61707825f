//! `show`: what is in a log.

use std::{io::Write, thread, time::Duration};

use anyhow::Result;
use clap::Args;
use ramen_events::Seq;
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
                  ramen-replay show *.ramenlog --cause hub#120\n  \
                  ramen-replay show /var/lib/ramen --follow --about app-1\n\n\
                  Exit codes: 0 shown; 2 a file is damaged, cut off, or not a log; 64 wrong usage.")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    filter: Filter,

    /// Go on: show records as they are appended, until interrupted. Of a running operator, a copy of the directory is read
    /// each time that the log has grown
    #[arg(short, long)]
    follow: bool,

    /// How often to look for new records, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "2", requires = "follow", value_parser = seconds)]
    interval: Duration,

    /// How records are printed
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

/// Runs it.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    let mut marks = arguments.input.marks();
    let mut day = String::new();
    let mut seen = show(arguments, arguments.input.read()?, &[], &mut day, out)?;
    if !arguments.follow {
        return Ok(Exit::Good);
    }
    loop {
        out.flush()?;
        thread::sleep(arguments.interval);
        let now = arguments.input.marks();
        if now != marks {
            // What was appended while it is read shows next time.
            marks = now;
            seen = show(arguments, arguments.input.read_again()?, &seen, &mut day, out)?;
        }
    }
}

/// Shows what passes the filter, and of each log, only what comes after what was seen of it. Tells what was seen then;
/// copies of logs in use are gone by then, so that whoever is interrupted while waiting leaves none.
fn show(
    arguments: &Arguments,
    merged: Merged,
    seen: &[Seq],
    day: &mut String,
    out: &mut dyn Write,
) -> Result<Vec<Seq>> {
    let filter = arguments.filter.check(&merged)?;
    let is_new = |index: usize| {
        let entry = merged.entries.get(index);
        entry.is_some_and(|entry| seen.get(entry.log).is_none_or(|seen| entry.record.seq > *seen))
    };
    let shown = (0..merged.entries.len()).filter(|index| is_new(*index) && filter.passes(*index));
    match arguments.output {
        Format::Json => {
            for index in shown {
                writeln!(out, "{}", value(&merged, index)?)?;
            }
        }
        Format::Table => {
            let shown: Vec<usize> = shown.collect();
            if !shown.is_empty() || seen.is_empty() {
                print(&merged, &shown, day, out)?;
            }
        }
    }
    Ok(merged.logs.iter().map(|log| log.history.head().seq).collect())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is no number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|span| !span.is_zero())
        .ok_or("it has to be more than 0".to_owned())
}

/// An entry as JSON: the record, with the names that other commands take.
fn value(merged: &Merged, index: usize) -> Result<Value> {
    let Some(entry) = merged.entries.get(index) else { return Ok(Value::Null) };
    let mut value = serde_json::to_value(&entry.record)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("record".into(), json!(merged.name(index)));
        fields.insert("time".into(), json!(entry.record.stamp.to_string()));
        fields.insert("about".into(), json!(words::about(&entry.record)));
        fields.insert("says".into(), json!(words::says(merged, index)));
    }
    Ok(value)
}

/// `day` is the day that was printed last; titles come again with each day.
fn print(merged: &Merged, shown: &[usize], day: &mut String, out: &mut dyn Write) -> Result<()> {
    let mut table = Table::new(&["TIME", "RECORD", "BECAUSE OF", "KIND", "ABOUT", "WHAT IT SAYS"]);
    let mut titled = day.is_empty();
    for &index in shown {
        let Some(entry) = merged.entries.get(index) else { continue };
        let today = day_text(entry.time);
        if today != *day {
            if !table.is_empty() {
                table.print_under(titled, out)?;
                table.clear();
            }
            titled = true;
            writeln!(out, "{}", styled(BOLD, format!("{today} (UTC)")))?;
            *day = today;
        }
        table.row(row(merged, index, entry));
    }
    table.print_under(titled, out)?;
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
        (words::about(&entry.record), plain),
        (words::says(merged, index), style),
    ]
}
