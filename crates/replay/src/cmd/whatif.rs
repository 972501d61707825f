//! `whatif`: the log's inputs, changed, folded and decided again; and, if wanted, what comes of it in a simulated world.

mod go_on;
mod told;

use std::{io::Write, path::PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use ramen_events::{Payload, Record, Seq};
use serde_json::{Value, json};

use crate::{
    Exit,
    alter::{self, Change},
    changes,
    cmd::Format,
    compare::{self, Commands, Difference, Fate},
    filter::find,
    input::Input,
    merge::Merged,
    moment::{Moment, clock_text},
    open::Usage,
    rerun::{Baseline, Decision, Rerun, Split, Tally, fold},
    state::State,
    table::{BAD, BOLD, Cell, DIM, GOOD, NAME, Table, WAITING, styled, terminal_width},
    words,
};

/// Changes what was seen, decides again, and shows which decisions would have been others
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Inputs can be changed: what was observed, what became of commands, timers, starts. Decisions follow \
                  from them.\n\n\
                  How far it holds: up to the first decision that differs, exactly. After that the world is not there \
                  to be asked. What was observed stays as recorded; what became of a command follows the command if it \
                  is decided earlier or later; a command that the log has no outcome of stays in flight. The output \
                  says how often each was the case.\n\n\
                  With --go-on the simulated world is asked: the logs are retold as a scenario (clusters, applications, \
                  what people asked for, what was lost and came back), and the operators of production play it twice, \
                  without the change and with it. The first play has to agree with the log up to the change, or the \
                  second one proves nothing. All that the world needs and the logs do not say is told as assumed.\n\n\
                  Examples:\n  ramen-replay whatif hub.ramenlog --drop 181\n  \
                  ramen-replay whatif hub.ramenlog --delay 181=30s --until 12:05\n  \
                  ramen-replay whatif hub.ramenlog --patch 180+ spec.action=Relocate\n  \
                  ramen-replay show hub.ramenlog --since 120 --until 120 -o json > fact.json; \
                  ramen-replay whatif hub.ramenlog --add fact.json@150\n  \
                  ramen-replay whatif *.ramenlog --drop hub#181 --move c1#90=97\n  \
                  ramen-replay whatif *.ramenlog --patch hub#180+ spec.action=Relocate --go-on\n  \
                  ramen-replay whatif *.ramenlog --go-on --scenario incident.yaml; ramen-sim play incident.yaml\n\n\
                  Exit codes: 0 the same decisions (with --go-on: the same story); 1 others; 2 a file is damaged, cut off, \
                  or not a log; 3 the simulated world does not tell the story of the logs; 64 wrong usage."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    wishes: Wishes,

    /// Only what was seen up to this moment
    #[arg(long, value_name = "MOMENT")]
    until: Option<Moment>,

    /// Go on in the simulated world: play there what people did and what befell, without the changes and with them
    #[arg(long, conflicts_with = "with_version")]
    go_on: bool,

    /// Write what is played, with the changes, as a scenario that `ramen-sim play` takes
    #[arg(long, value_name = "FILE.yaml", requires = "go_on")]
    scenario: Option<PathBuf>,

    /// How it is printed; a table shows the first 40 commands and fields
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

/// What is to be changed; a record is 120, or hub#120 among several logs
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Changes")]
struct Wishes {
    /// Leave this record out
    #[arg(long, value_name = "SEQ")]
    drop: Vec<String>,

    /// Have this record come later, by 250ms, 30s, 5m, 1m30s
    #[arg(long, value_name = "SEQ=DURATION")]
    delay: Vec<String>,

    /// Have this record come right after another one
    #[arg(long = "move", value_name = "SEQ=AFTER_SEQ")]
    moved: Vec<String>,

    /// Have this record say something else: a field of it (spec.action, status.conditions[Available].status, outcome),
    /// named as in `show -o json`; SEQ+ changes the later records about that object, too, as long as they say the same
    /// there
    #[arg(long, num_args = 2, value_names = ["SEQ[+]", "FIELD=VALUE"])]
    patch: Vec<String>,

    /// Add the record in this file, as `show -o json` prints records, right after this one
    #[arg(long, value_name = "FILE@SEQ")]
    add: Vec<String>,

    /// Have the deciders of this version decide
    #[arg(long, value_name = "VERSION")]
    with_version: Option<u32>,
}

/// How many commands, and how many fields of the state, a table shows.
const SHOWN: usize = 40;
/// Fields of a state that change with others.
const BOOKKEEPING: [&str; 8] = [
    "since",
    "generation",
    "last_update",
    "observed_generation",
    "action_start",
    "action_duration",
    "last_group_sync",
    "created",
];

/// What came of one log.
struct Found<'a> {
    merged: &'a Merged,
    log: usize,
    wishes: Vec<String>,
    /// The log is not what its own inputs lead to, unchanged.
    diverges: bool,
    records: usize,
    run: Rerun,
    commands: Commands,
    states: Vec<changes::Change>,
}

/// Runs it.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    let changes = arguments.wishes.changes()?;
    let merged = arguments.input.read()?;
    for change in &changes {
        let name = &change.place().log;
        if let Some(name) = name.as_ref().filter(|name| !merged.logs.iter().any(|log| log.name() == name.as_str())) {
            return Err(Usage(format!("{change}: there is no log of {name}")).into());
        }
    }
    let mut exit = Exit::Good;
    for log in 0..merged.logs.len() {
        let found = look(arguments, &changes, &merged, log)?;
        if found.run.split.is_some() {
            exit = Exit::Diverged;
        }
        match arguments.output {
            Format::Json => writeln!(out, "{}", found.json())?,
            Format::Table => found.print(arguments.go_on, out)?,
        }
    }
    if arguments.go_on { go_on::run(arguments, &merged, &changes, out) } else { Ok(exit) }
}

impl Wishes {
    fn changes(&self) -> Result<Vec<Change>> {
        let wrong = |option: &str, text: &str, why: String| Usage(format!("--{option} {text}: {why}"));
        let each = |option: &'static str, texts: &[String], read: fn(&str) -> Result<Change, String>| {
            let read = |text: &String| read(text).map_err(|why| wrong(option, text, why));
            texts.iter().map(read).collect::<Result<Vec<_>, _>>()
        };
        // What is said first, then where it is said, then whether at all.
        let mut changes = Vec::new();
        for pair in self.patch.chunks(2) {
            if let [place, text] = pair {
                changes
                    .push(Change::patch(place, text).map_err(|why| wrong("patch", &format!("{place} {text}"), why))?);
            }
        }
        changes.extend(each("delay", &self.delay, Change::delay)?);
        changes.extend(each("move", &self.moved, Change::moved)?);
        changes.extend(each("add", &self.add, Change::add)?);
        changes.extend(each("drop", &self.drop, |text| text.parse().map(Change::Drop))?);
        Ok(changes)
    }
}

fn look<'a>(arguments: &Arguments, changes: &[Change], merged: &'a Merged, log: usize) -> Result<Found<'a>> {
    let of = merged.logs.get(log).context("a log")?;
    let records = records_until(merged, log, arguments.until.as_ref())?;
    let start = State::at(of, of.history.base().seq)?;
    let told = |err: anyhow::Error| anyhow!("{}: {err:#}", of.path.display());
    let mut wishes = Vec::new();
    let baseline = Baseline::new(start, records.iter().cloned()).map_err(told)?;
    let mut script = baseline.script();
    for change in changes {
        let name = &change.place().log;
        if name.as_ref().map_or(log == 0, |name| name == of.name()) {
            change.apply(&mut script, &records)?;
            wishes.push(change.to_string());
        }
    }
    if let Some(version) = arguments.wishes.with_version {
        alter::check_version(version)?;
        wishes.push(format!("decided by version {version}"));
    }
    let diverges = baseline.again.split.is_some();
    // Without a change the question is whether the log is what its inputs lead to.
    let (run, before) = if wishes.is_empty() {
        let Baseline { start, recorded, again } = baseline;
        let end = fold(&start, &recorded);
        (again, (end, recorded))
    } else {
        let run = match arguments.wishes.with_version {
            Some(version) => baseline.run_as(version, script),
            None => baseline.run(script),
        };
        let lines = baseline.lines().to_vec();
        (run, (fold(&baseline.start, &lines), lines))
    };
    let commands = compare::commands(&before.1, &run.lines);
    let states = compare::states((&before.0, &before.1), (&run.state, &run.lines))?;
    Ok(Found { merged, log, wishes, diverges, records: records.len(), run, commands, states })
}

/// The entries of all logs, up to a moment.
fn entries_until(merged: &Merged, until: Option<&Moment>) -> Result<Vec<usize>> {
    let end = merged.entries.iter().map(|entry| entry.time).max().unwrap_or_default();
    let last = until.map(|until| find(merged, until)).transpose()?.flatten();
    let time = until.and_then(|until| until.time(end));
    let entries =
        merged.entries.iter().enumerate().filter(|(index, entry)| {
            last.is_none_or(|last| *index <= last) && time.is_none_or(|time| entry.time <= time)
        });
    Ok(entries.map(|(index, _)| index).collect())
}

/// The records of a log, up to a moment.
///
/// # Errors
/// [`Usage`] when there are none.
pub(super) fn records_until(merged: &Merged, log: usize, until: Option<&Moment>) -> Result<Vec<Record>> {
    let entries = entries_until(merged, until)?.into_iter().filter_map(|index| merged.entries.get(index));
    let records: Vec<Record> = entries.filter(|entry| entry.log == log).map(|entry| (*entry.record).clone()).collect();
    if records.is_empty() {
        let name = merged.logs.get(log).map(crate::open::Log::name).unwrap_or_default();
        return Err(Usage(format!("{name} has no records up to that moment")).into());
    }
    Ok(records)
}

impl Found<'_> {
    fn name(&self) -> &str {
        self.merged.logs.get(self.log).map_or("?", crate::open::Log::name)
    }

    /// The name of a record, as it was recorded.
    fn record(&self, seq: Option<Seq>) -> Option<String> {
        seq.map(|seq| format!("{}#{seq}", self.name()))
    }

    fn entry(&self, seq: Seq) -> Option<usize> {
        self.merged.at(self.log, seq)
    }

    fn json(&self) -> Value {
        let decision = |(aggregate, payload): &Decision| json!({"aggregate": aggregate.to_string(), "says": says(payload), "payload": payload});
        let first = self.run.split.as_ref().map(|split| {
            json!({
                "because": self.record(split.input),
                "time": ramen_events::Stamp { time: split.time, count: 0 }.to_string(),
                "record": self.record(split.was.as_ref().and_then(|(seq, _)| *seq)),
                "was": split.was.as_ref().map(|(_, was)| decision(was)),
                "now": split.now.as_ref().map(decision),
            })
        });
        json!({
            "log": self.name(),
            "changes": self.wishes,
            "verdict": if self.run.split.is_some() { "differs" } else { "same" },
            "diverges_unchanged": self.diverges,
            "records": self.records,
            "first": first,
            "commands": {
                "same": self.commands.same,
                "at_other_time": self.commands.at_other_time,
                "different": self.commands.different,
            },
            "states": self.states,
            "assumed": self.run.tally,
        })
    }

    /// `brief`: only where the first difference is, since the world tells what comes of it.
    fn print(&self, brief: bool, out: &mut dyn Write) -> Result<()> {
        let name = styled(BOLD, self.name());
        let asked = if self.wishes.is_empty() { "nothing changed".to_owned() } else { self.wishes.join("; ") };
        writeln!(out, "{name}  {}", styled(DIM, format!("{} records, {asked}", self.records)))?;
        if self.diverges && !self.wishes.is_empty() {
            let text =
                "unchanged, the log is not what its inputs lead to (see verify); compared with what they lead to now";
            writeln!(out, "{}", styled(WAITING, text))?;
        }
        match &self.run.split {
            None => {
                writeln!(out, "{}  all {} commands are decided as before", styled(GOOD, "same"), self.commands.same)?
            }
            Some(split) => self.print_first(split, out)?,
        }
        if brief {
            return Ok(writeln!(out)?);
        }
        self.print_commands(out)?;
        self.print_states(out)?;
        if self.run.split.is_some() {
            self.print_limits(out)?;
        }
        writeln!(out)?;
        Ok(())
    }

    fn print_first(&self, split: &Split, out: &mut dyn Write) -> Result<()> {
        let mut line = |title: &str, style, record: &str, text: &str| {
            let text = format!(
                "{}{text}",
                if record.is_empty() { String::new() } else { format!("{}  ", styled(NAME, record)) }
            );
            writeln!(out, "  {}  {}", styled(DIM, format!("{title:10}")), styled(style, fitted(&text)))
        };
        let because = match split.input.and_then(|seq| self.entry(seq)) {
            Some(index) => {
                let about = self.merged.entries.get(index).map(|entry| words::about(&entry.record)).unwrap_or_default();
                (self.merged.name(index), format!("{about}: {}", words::says(self.merged, index)))
            }
            None => (String::new(), "what was added, or a timer".to_owned()),
        };
        let plain = anstyle::Style::new();
        line("differs", BOLD, "", &format!("from {} on", clock_text(split.time)))?;
        line("because of", plain, &because.0, &because.1)?;
        let was = split.was.as_ref().map(|(_, was)| was);
        let record = self.record(split.was.as_ref().and_then(|(seq, _)| *seq));
        let title = record.map_or_else(|| "before".to_owned(), |record| format!("before: {record}"));
        print_decisions([&title, "now"], was, split.now.as_ref(), out)
    }

    fn print_states(&self, out: &mut dyn Write) -> Result<()> {
        if self.states.is_empty() {
            return Ok(());
        }
        let is_told = |change: &&changes::Change| {
            let last = change.path.rsplit('.').next().unwrap_or_default();
            !BOOKKEEPING.contains(&last)
        };
        let told: Vec<changes::Change> = self.states.iter().filter(is_told).take(SHOWN).cloned().collect();
        writeln!(out, "\n{}", styled(DIM, "STATE AT THE END (decided: the statuses that were written last)"))?;
        changes::print(&told, out)?;
        if let Some(more) = self.states.len().checked_sub(told.len()).filter(|more| *more > 0) {
            writeln!(
                out,
                "{}",
                styled(DIM, format!("… {more} more, most of them times and generations; -o json has all of them"))
            )?;
        }
        Ok(())
    }

    fn print_commands(&self, out: &mut dyn Write) -> Result<()> {
        let Commands { different, same, at_other_time } = &self.commands;
        if different.is_empty() && *at_other_time == 0 {
            return Ok(());
        }
        let count = |fate| different.iter().filter(|difference| difference.fate == fate).count();
        let (gone, new, changed) = (count(Fate::Gone), count(Fate::New), count(Fate::Changed));
        let title = format!(
            "COMMANDS: {gone} gone, {new} new, {changed} with other contents, {same} the same ({at_other_time} of them at \
             another time)"
        );
        writeln!(out, "\n{}", styled(DIM, title))?;
        let mut table = Table::new(&["", "TIME", "RECORD", "WHOSE", "COMMAND", "WHAT IS DIFFERENT"]);
        for difference in different.iter().take(SHOWN) {
            table.row(self.row(difference));
        }
        if !different.is_empty() {
            table.print(out)?;
        }
        if let Some(more) = different.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            writeln!(out, "{}", styled(DIM, format!("… {more} more; -o json has all of them")))?;
        }
        Ok(())
    }

    fn row(&self, difference: &Difference) -> Vec<Cell> {
        let (sign, style) = match difference.fate {
            Fate::Gone => ("−", BAD),
            Fate::New => ("+", GOOD),
            Fate::Changed => ("≠", WAITING),
        };
        let changes =
            difference.changes.iter().take(FIELDS).map(|change| change.line(40)).collect::<Vec<_>>().join("; ");
        let more = difference.changes.len().saturating_sub(FIELDS);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        vec![
            (sign.to_owned(), style),
            (clock_text(difference.time), DIM),
            (self.record(difference.record).unwrap_or_default(), NAME),
            (difference.aggregate.clone(), anstyle::Style::new()),
            (difference.says.clone(), style),
            (format!("{changes}{more}"), anstyle::Style::new()),
        ]
    }

    /// What was assumed after the first difference.
    fn print_limits(&self, out: &mut dyn Write) -> Result<()> {
        writeln!(out, "\n{}", styled(DIM, "HOW FAR THIS HOLDS"))?;
        writeln!(
            out,
            "  Exact up to the first difference. After it, what was observed is what was recorded: the world did"
        )?;
        writeln!(out, "  not react to other commands.")?;
        for line in limits(&self.run.tally) {
            writeln!(out, "  {line}")?;
        }
        Ok(())
    }
}

/// How many fields of a changed command are told.
const FIELDS: usize = 3;

/// A tally in words.
fn limits(tally: &Tally) -> Vec<String> {
    let Tally {
        outcomes_moved,
        outcomes_assumed,
        outcomes_left_out,
        commands_open,
        timers_left_out,
        timers_added,
        facts_without_news,
    } = *tally;
    let lines = [
        (outcomes_moved, "an outcome came at another time than recorded, as its command did"),
        (outcomes_assumed, "an outcome is assumed: it was recorded for a command of that kind with other contents"),
        (outcomes_left_out, "a recorded outcome is left out: its command is not decided on"),
        (commands_open, "a command has no known outcome: it stays in flight, and nothing follows in its slot"),
        (timers_left_out, "a recorded timer is left out: nobody asked for it"),
        (timers_added, "a timer fires that did not"),
        (facts_without_news, "a recorded fact is no news"),
    ];
    lines.into_iter().filter(|(count, _)| *count > 0).map(|(count, text)| format!("{count:>4} × {text}")).collect()
}

/// A decision in words.
pub(super) fn says(payload: &Payload) -> String {
    match payload {
        Payload::Commanded { command, .. } => words::commanded(command),
        Payload::Moved(position) => words::moved(position),
        other => other.name().to_owned(),
    }
}

/// What a line of the terminal holds.
pub(super) fn fitted(text: &str) -> String {
    changes::cut(text, terminal_width().map_or(200, |width| width.saturating_sub(14).max(60)))
}

/// Prints two decisions, one below the other, and what is different in them if they are of a kind.
pub(super) fn print_decisions(
    titles: [&str; 2],
    was: Option<&Decision>,
    now: Option<&Decision>,
    out: &mut dyn Write,
) -> Result<()> {
    let decided = |decision: Option<&Decision>| {
        decision
            .map_or_else(|| "nothing is decided".to_owned(), |(whose, payload)| format!("{whose}: {}", says(payload)))
    };
    let width = titles.iter().map(|title| title.len()).max().unwrap_or_default().max(10);
    for ((title, decision), style) in titles.iter().zip([was, now]).zip([BAD, GOOD]) {
        let text = fitted(&decided(decision));
        writeln!(out, "  {}  {}", styled(DIM, format!("{title:width$}")), styled(style, text))?;
    }
    if let (Some((_, Payload::Commanded { command: was, .. })), Some((_, Payload::Commanded { command: now, .. }))) =
        (was, now)
    {
        for change in changes::between(&words::body(was), &words::body(now)).iter().take(FIELDS) {
            writeln!(out, "  {:width$}  {}", "", change.line(60))?;
        }
    }
    Ok(())
}
