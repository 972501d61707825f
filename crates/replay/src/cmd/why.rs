//! `why`: what an application waits for, and how it came to that.

use std::io::Write;

use anyhow::Result;
use clap::Args;
use ramen_events::{Aggregate, Controller, Kind, ObjectId, Payload, Time};

use crate::{
    Exit,
    causes::How,
    changes::cut,
    cmd::Format,
    filter::find,
    input::Input,
    merge::Merged,
    moment::{Moment, clock_text, span_text},
    open::Usage,
    table::{BAD, BOLD, DIM, GOOD, NAME, WAITING, styled, terminal_width},
    why::{self, Answer, At, Standing, Told},
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

/// Links of a chain that are shown: the first ones, and the last ones.
const FIRST: usize = 4;
const LAST: usize = 10;

/// Runs it.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    let merged = arguments.input.read()?;
    let at = At { not: arguments.not.as_deref(), ..moment(&merged, arguments.at.as_ref())? };
    let mut answers = Vec::new();
    let subjects = subjects(&merged, &arguments.object)?;
    for (log, aggregate) in &subjects {
        answers.extend(why::answer(&merged, *log, aggregate, at)?);
    }
    if let ([], Some((_, aggregate))) = (answers.as_slice(), subjects.first()) {
        writeln!(out, "{}", absent(&merged, aggregate, at))?;
    }
    for answer in &answers {
        match arguments.output {
            Format::Json => writeln!(out, "{}", serde_json::to_string(answer)?)?,
            Format::Table => print(answer, out)?,
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
fn subjects(merged: &Merged, name: &str) -> Result<Vec<(usize, Aggregate)>> {
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

fn print(answer: &Answer, out: &mut dyn Write) -> Result<()> {
    let name = format!("{} on {}", answer.aggregate, answer.cluster);
    writeln!(out, "{}  {}", styled(BOLD, name), styled(DIM, format!("{} {}", clock_text(answer.at), answer.record)))?;
    stand(answer, "", out)?;
    for other in &answer.elsewhere {
        let name = format!("{} on {}", other.aggregate, other.cluster);
        writeln!(
            out,
            "\n  {}  {}",
            styled(BOLD, name),
            styled(DIM, format!("{} {}", clock_text(other.at), other.record))
        )?;
        stand(other, "  ", out)?;
    }
    if !answer.chain.is_empty() {
        writeln!(out, "\n  {}", styled(DIM, "how it came to this"))?;
        chain(&answer.chain, out)?;
    }
    writeln!(out)?;
    Ok(())
}

/// Where it stands, and what has to do with that.
fn stand(answer: &Answer, indent: &str, out: &mut dyn Write) -> Result<()> {
    let Some(standing) = &answer.standing else {
        return Ok(writeln!(out, "{indent}  it has not begun anything yet")?);
    };
    let Standing { runbook, action, step, .. } = standing;
    let lasts = span_text(answer.at.ms_since(standing.since));
    let action = format!("{runbook} ({action})");
    if step.is_empty() {
        let since = clock_text(standing.since);
        writeln!(out, "{indent}  {action} is {} since {since}: nothing is waited for", styled(GOOD, "complete"))?;
    } else {
        let since = clock_text(standing.since);
        writeln!(out, "{indent}  {action} is at step {} since {since}, for {lasts}", styled(BOLD, step))?;
    }
    let mut line = |title: &str, text: &str| writeln!(out, "{indent}  {}  {text}", styled(DIM, format!("{title:12}")));
    if let Some(wait) = &standing.waits_for {
        let on = standing.on.as_ref().map(|on| format!(" on {on}")).unwrap_or_default();
        line("waits for", &styled(WAITING, format!("{wait}{on}")))?;
        let waits = span_text(answer.at.ms_since(standing.waits_since));
        line("since", &format!("{} ({waits})", clock_text(standing.waits_since)))?;
    }
    if let Some(remedy) = &standing.remedy {
        line("if it lasts", remedy)?;
    }
    for not in &answer.not {
        line("why not", &styled(BOLD, not))?;
    }
    for failing in &answer.failing {
        line("failed", &styled(BAD, failing))?;
    }
    if let Some(went_on) = &answer.went_on {
        let to = &went_on.to;
        let (after, time) = (span_text(went_on.after_ms), clock_text(to.time));
        let to = format!("{}  {}", styled(NAME, &to.record), fitted(&to.says, indent.len() + 54));
        line("went on", &format!("{after} later, at {time} {to}"))?;
        if let Some(because) = &went_on.because {
            line(
                "  because",
                &format!("{}  {}", styled(NAME, &because.record), fitted(&because.says, indent.len() + 26)),
            )?;
        }
    }
    for (index, seen) in answer.observed.iter().enumerate() {
        let title = if index == 0 { "last seen" } else { "" };
        let told = &seen.told;
        let text = fitted(&told.says, indent.len() + 44);
        line(title, &format!("{} {}  {text}", styled(DIM, clock_text(told.time)), styled(NAME, &told.record)))?;
    }
    Ok(())
}

/// What a line of the terminal holds beside `used` columns.
fn fitted(text: &str, used: usize) -> String {
    cut(text, terminal_width().map_or(180, |width| width.saturating_sub(used).max(40)))
}

/// Prints what led to something.
pub(super) fn chain(chain: &[Told], out: &mut dyn Write) -> Result<()> {
    let width = chain.iter().map(|told| told.record.len()).max().unwrap_or_default();
    for (index, told) in chain.iter().enumerate() {
        if chain.len() > FIRST + LAST + 1 && index >= FIRST && index < chain.len() - LAST {
            if index == FIRST {
                writeln!(out, "    {}", styled(DIM, format!("… {} more …", chain.len() - FIRST - LAST)))?;
            }
            continue;
        }
        let mark = match (told.request, told.how) {
            (true, _) => {
                let by = told.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                styled(BOLD, format!("  ← asked for{by}"))
            }
            (_, How::Followed) => styled(DIM, "  (likely)"),
            _ => String::new(),
        };
        let record = styled(NAME, format!("{:width$}", told.record));
        let text = fitted(&told.says, width + 24);
        writeln!(out, "    {}  {record}  {text}{mark}", styled(DIM, clock_text(told.time)))?;
    }
    Ok(())
}
