//! `timeline`: how applications went through their runbooks, and what each step waited for.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anstyle::Style;
use anyhow::{Context, Result};
use clap::Args;
use ramen_events::{Record, Time};
use serde_json::{Value, json};

use crate::{
    Exit,
    cmd::Format,
    filter,
    input::Input,
    merge::Merged,
    moment::{clock_text, day_text, span_text},
    open::Log,
    page::{self, Headline},
    story::{Block, Row, Story},
    table::{BOLD, DIM, GOOD, NAME, WAITING, styled, terminal_width},
    walks::{self, Step},
    words::wait_text,
};

/// Shows each application's actions as bars: hub and managed clusters in one causal order, with what each step waited for
#[derive(Clone, Debug, Args)]
#[command(after_help = "Give the logs of the hub and of all managed clusters for the whole picture.\n\n\
                  Examples:\n  ramen-replay timeline *.ramenlog --about app-1\n  \
                  ramen-replay timeline *.ramenlog --html incident.html\n\n\
                  A page of logs with more than 100,000 records holds the steps of all applications and says what it leaves out; with \
                  --about it holds everything about those.\n\n\
                  Exit codes: 0 shown; 2 a file is damaged, cut off, or not a log; 64 wrong usage.")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,

    /// Only applications whose name contains this; a page then holds only what concerns them, and what led to that
    #[arg(long, value_name = "TEXT")]
    about: Option<String>,

    /// Write one HTML page that needs nothing else: it can be mailed, opened without network, and printed
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// How it is printed
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

/// Columns of bars where the terminal does not say.
const BAR: usize = 48;
/// Waits of a step that are shown: the longest.
const WAITS: usize = 2;

/// Runs it.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    let about = arguments.about.as_deref();
    if let Some(file) = &arguments.html {
        page(&arguments.input, about, None, file, out)?;
        return Ok(Exit::Good);
    }
    // Lines are made of steps.
    let merged = arguments.input.merge(arguments.input.open()?, &|record| walks::tell(record))?;
    let story = Story::of(&merged, about)?;
    for block in story.blocks() {
        match arguments.output {
            Format::Json => writeln!(out, "{}", value(&merged, &story, &block))?,
            Format::Table => print(&merged, &story, &block, out)?,
        }
    }
    Ok(Exit::Good)
}

/// Draws the timeline of logs as one HTML page; what a person should know of it goes to `out`.
///
/// # Errors
/// When a log can't be read, or the page can't be written.
pub fn draw(logs: Vec<PathBuf>, headline: Headline, file: &Path, out: &mut dyn Write) -> Result<()> {
    page(&Input::of(logs, false), None, Some(headline), file, out)
}

fn page(
    input: &Input,
    about: Option<&str>,
    headline: Option<Headline>,
    file: &Path,
    out: &mut dyn Write,
) -> Result<()> {
    let logs = input.open()?;
    let long = logs.iter().map(Log::records).sum::<u64>() > page::MOST;
    // A page is made of steps, too, if there is more than it can hold.
    let wanted =
        |record: &Record| !long || walks::tell(record) || about.is_some_and(|about| filter::concerns(record, about));
    let merged = input.merge(logs, &wanted)?;
    let story = Story::of(&merged, about)?;
    let told = || format!("could not write {}", file.display());
    let mut page = BufWriter::new(File::create(file).with_context(told)?);
    page::html(&merged, &story, headline, &mut page).with_context(told)?;
    let page = page.into_inner().with_context(told)?;
    writeln!(out, "{}: {} KB", file.display(), page.metadata()?.len() / 1000)?;
    if let Some(left_out) = page::left_out(&merged, &story) {
        writeln!(out, "{left_out}")?;
    }
    Ok(())
}

fn print(merged: &Merged, story: &Story, block: &Block<'_>, out: &mut dyn Write) -> Result<()> {
    let walk = block.walk;
    let end = walk.end(story.end_of(walk.log));
    let took = span_text(walk.ms(story.end_of(walk.log)));
    let ended = match (walk.complete, walk.until) {
        (true, _) => styled(GOOD, "complete"),
        // Whoever has been contacted goes on with what was asked.
        (false, Some(_)) if walk.runbook == "contact" => styled(GOOD, "answered"),
        (false, Some(_)) => styled(WAITING, "left for something else"),
        (false, None) => styled(WAITING, "goes on"),
    };
    writeln!(
        out,
        "{}  {}  {} {} to {}  {took}  {ended}  {}",
        styled(BOLD, &walk.aggregate),
        styled(BOLD, &walk.action),
        day_text(walk.from),
        clock_text(walk.from),
        clock_text(end),
        styled(NAME, merged.name(walk.entry)),
    )?;
    let rows = block.rows();
    let name = rows.iter().map(|row| row.step.name.chars().count()).max().unwrap_or_default();
    let log = rows.iter().map(|row| story.log(row.walk.log).len()).max().unwrap_or_default();
    let width = terminal_width().map_or(BAR, |width| width.saturating_sub(name + log + 17).clamp(16, 100));
    for Row { walk: of, step } in rows {
        let (from, until) = (step.from, step.until.unwrap_or(story.end_of(of.log)));
        let bar = bar(walk.from, end, from, until, width);
        let style = if of.log == walk.log { BOLD } else { Style::new() };
        writeln!(
            out,
            "  {}  {:name$}  {:>9}  {}",
            styled(DIM, format!("{:log$}", story.log(of.log))),
            step.name,
            span_text(until.ms_since(from)),
            styled(style, bar),
        )?;
        waits(step, story.end_of(of.log), log, out)?;
    }
    writeln!(out)?;
    Ok(())
}

/// The longest waits of a step.
fn waits(step: &Step, end: Time, indent: usize, out: &mut dyn Write) -> Result<()> {
    let ms =
        |index: usize| step.waits.get(index).map_or(0, |waiting| waiting.until.unwrap_or(end).ms_since(waiting.from));
    let mut longest: Vec<usize> = (0..step.waits.len()).collect();
    longest.sort_by_key(|index| std::cmp::Reverse(ms(*index)));
    longest.truncate(WAITS);
    longest.sort_unstable();
    let more = step.waits.len() - longest.len();
    for index in &longest {
        let Some(waiting) = step.waits.get(*index) else { continue };
        let for_what = format!("{:>9}  for {}", span_text(ms(*index)), wait_text(&waiting.wait));
        writeln!(out, "  {}", styled(DIM, format!("{:indent$}  {for_what}", "")))?;
    }
    if more > 0 {
        let more = if more == 1 { "a shorter one".to_owned() } else { format!("{more} shorter ones") };
        writeln!(out, "  {}", styled(DIM, format!("{:indent$}  {:>9}  and {more}", "", "")))?;
    }
    Ok(())
}

/// A bar between two moments, on a line that stands for all of it. The finest mark is an eighth of a character.
fn bar(start: Time, end: Time, from: Time, until: Time, width: usize) -> String {
    const PARTS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
    let all = end.ms_since(start).max(1);
    let at = |time: Time| usize::try_from(time.ms_since(start).min(all) * (8 * width as u64) / all).unwrap_or(0);
    // What took no time is still to be seen.
    let first = at(from).min((8 * width).saturating_sub(1));
    let last = at(until).max(first + 1);
    let cell = |cell: usize| {
        let (start, end) = (first.max(8 * cell), last.min(8 * cell + 8));
        match end.checked_sub(start) {
            None | Some(0) => '·',
            _ if last > 8 * cell + 8 => '█',
            // Marks grow from the left: a bar that began earlier fills the cell up to its end.
            Some(part) if first >= 8 * cell => PARTS.get(part - 1).copied().unwrap_or('█'),
            Some(_) => PARTS.get(end - 8 * cell - 1).copied().unwrap_or('█'),
        }
    };
    (0..width).map(cell).collect()
}

fn value(merged: &Merged, story: &Story, block: &Block<'_>) -> Value {
    let walk = block.walk;
    let time = |time: Time| format!("{}T{}Z", day_text(time), clock_text(time));
    let steps = block.rows().into_iter().map(|Row { walk, step }| {
        let waits = step.waits.iter().map(|waiting| {
            json!({
                "for": waiting.wait.what,
                "on": waiting.wait.on,
                "remedy": waiting.wait.remedy,
                "from": time(waiting.from),
                "until": waiting.until.map(time),
                "record": merged.name(waiting.entry),
            })
        });
        json!({
            "cluster": story.log(walk.log),
            "aggregate": walk.aggregate.to_string(),
            "step": step.name,
            "from": time(step.from),
            "until": step.until.map(time),
            "record": merged.name(step.entry),
            "waits": waits.collect::<Vec<_>>(),
        })
    });
    json!({
        "cluster": story.log(walk.log),
        "aggregate": walk.aggregate.to_string(),
        "runbook": walk.runbook,
        "action": walk.action,
        "from": time(walk.from),
        "until": walk.until.map(time),
        "complete": walk.complete,
        "record": merged.name(walk.entry),
        "steps": steps.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_where_their_time_is() {
        let bar = |from, until| bar(Time(0), Time(100), Time(from), Time(until), 10);
        assert_eq!(bar(0, 100), "██████████");
        assert_eq!(bar(50, 75), "·····██▌··");
        assert_eq!(bar(20, 20), "··▏·······");
        assert_eq!(bar(100, 100), "·········▏");
    }
}
