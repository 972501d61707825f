//! `whatif --go-on`: the logs retold, played as they are and as the user wants them.

use std::{collections::BTreeMap, fs, io::Write};

use anyhow::{Context, Result};
use ramen_events::{Aggregate, Command, Payload, Time, hub, spoke};
use serde_json::json;

use super::{Arguments, entries_until, records_until, told};
use crate::{
    Exit,
    alter::Change,
    cmd::Format,
    merge::Merged,
    moment::{Moment, clock_text},
    open::{Log, Usage},
    rerun::{Line, Script},
    retell::{self, Application, Scripts, Tale, Telling, Told, Untold, file},
    words,
    world::{
        Clocks, agree,
        course::{Course, Standing},
        pace, parting,
        play::{self, Played},
    },
};

/// Seeds of the worlds in which it is played beside the first: there, things take other times.
const OTHERS: std::ops::RangeInclusive<u64> = 1..=4;

/// What came of it.
pub(super) struct GoneOn {
    /// The logs, retold.
    pub(super) tale: Tale,
    /// As the user wants it; as it is, without changes.
    pub(super) changed: Tale,
    /// The scenario that was played last.
    pub(super) scenario: String,
    /// When the two part; `None` when nothing that matters was changed.
    pub(super) parting: Option<Time>,
    /// Something was to be changed.
    pub(super) is_asked: bool,
    /// When the log ends.
    pub(super) end: Time,
    /// What differs between the log and the world without the change, up to where it is changed.
    pub(super) differences: Vec<String>,
    /// The world as the user wants it.
    pub(super) played: Played,
    /// Other worlds, by their seeds: whether it ends the same there.
    pub(super) others: Vec<(u64, bool)>,
    /// The applications: in the log, in the world.
    pub(super) courses: Vec<(Application, Course, Course)>,
    /// Writes lost without the change, by application.
    pub(super) lost_before: Vec<(String, u64)>,
    /// Commands that only the world without the change, or only that with it, decided on.
    pub(super) commands: Vec<Only>,
    /// Names of logs.
    pub(super) logs: Vec<String>,
}

/// A command of one world only.
pub(super) struct Only {
    /// It is of the world with the change.
    pub(super) new: bool,
    /// When, on the log's clock.
    pub(super) time: Time,
    /// Which operator's.
    pub(super) log: String,
    /// Whose.
    pub(super) aggregate: String,
    /// The command in words.
    pub(super) says: String,
}

/// Runs it.
pub(super) fn run(arguments: &Arguments, merged: &Merged, changes: &[Change], out: &mut dyn Write) -> Result<Exit> {
    let gone_on = match GoneOn::new(merged, arguments.until.as_ref(), changes) {
        Ok(gone_on) => gone_on,
        Err(err) if err.is::<Untold>() => {
            let world = json!({"world": {"verdict": "not retold", "differences": [err.to_string()]}});
            match arguments.output {
                Format::Json => writeln!(out, "{world}")?,
                Format::Table => eprintln!("ramen-replay: {err:#}"),
            }
            return Ok(Exit::NotRetold);
        }
        Err(err) => return Err(err),
    };
    if let Some(file) = &arguments.scenario {
        fs::write(file, &gone_on.scenario).with_context(|| format!("could not write {}", file.display()))?;
    }
    match arguments.output {
        Format::Json => writeln!(out, "{}", told::json(&gone_on))?,
        Format::Table => told::print(&gone_on, arguments.scenario.as_deref(), out)?,
    }
    Ok(gone_on.exit())
}

impl GoneOn {
    fn new(merged: &Merged, until: Option<&Moment>, changes: &[Change]) -> Result<Self> {
        let hub = merged.logs.iter().position(Log::is_hub).ok_or_else(|| {
            Usage("--go-on needs the hub's log: it says what people asked for and what there is".to_owned())
        })?;
        let telling = Telling { merged, hub, entries: entries_until(merged, until)? };
        let tale = retell::retell(&telling, &Scripts::new())?;
        let mut changed = if changes.is_empty() {
            tale.clone()
        } else {
            let mut changed = retell::retell(&telling, &scripts(merged, until, changes)?)?;
            changed.change(changes, &telling)?;
            changed
        };
        let end = telling.end();
        let logs: Vec<String> = merged.logs.iter().map(|log| log.name().to_owned()).collect();
        let name = |told: &Told| recorded(&logs, told);
        let text =
            |tale: &Tale, title: &str, seed, entries: &[file::Entry]| file::scenario(tale, title, seed, entries, &name);

        let entries = pace::paced(&telling, &tale);
        let pacing = play::play(&text(&tale, "the pace of the world", 0, &entries), &tale)?;
        let (begin, clocks) = pace::found(&tale, &entries, &pacing.acts);
        let comment = |time: Time| clock_text(time);
        let goes_on = pace::goes_on(&telling, &tale);
        let fixed = |tale: &Tale| pace::fixed(tale, &clocks, begin, goes_on, &comment);
        changed.assumed.extend(pace::shortened(&tale, &entries));

        let control = play::play(&text(&tale, "a log, retold", 0, &fixed(&tale)), &tale)?;
        let parting = parting(&tale, &changed);
        let title = if changes.is_empty() {
            "A log, retold".to_owned()
        } else {
            let wishes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            format!("A log, retold, and {}", wishes.join("; "))
        };
        let scenario = text(&changed, &title, 0, &fixed(&changed));
        let played = play::play(&scenario, &changed)?;
        let mut others = Vec::new();
        for seed in OTHERS {
            let other = play::play(&text(&changed, &title, seed, &fixed(&changed)), &changed)?;
            others
                .push((seed, ends(&other, &changed) == ends(&played, &changed) && other.violation == played.violation));
        }

        let mut differences: Vec<String> = control.violation.iter().cloned().collect();
        let mut courses = Vec::new();
        for application in &tale.applications {
            let drpc = in_world(application);
            let log = Course::of(merged, &application.drpc, None, Some(end));
            let without = Course::of(&control.merged, &drpc, Some(&clocks), None);
            differences.extend(agree::differences(&application.name, &log, &without, parting, end));
            courses.push((application.clone(), log, Course::of(&played.merged, &drpc, Some(&clocks), None)));
        }
        Ok(Self {
            commands: if parting.is_some() { commands(&control, &played, &clocks) } else { Vec::new() },
            lost_before: control.lost,
            logs,
            is_asked: !changes.is_empty(),
            tale,
            changed,
            scenario,
            parting,
            end,
            differences,
            played,
            others,
            courses,
        })
    }

    /// Whether applications go another way than in the log, from where something was changed on.
    pub(super) fn differs(&self) -> bool {
        let Some(parting) = self.parting else { return false };
        self.played.violation.is_some()
            || self.courses.iter().any(|(_, log, world)| {
                let rows = agree::rows(&log.stages, &world.stages);
                let late = |row: &agree::Row<'_>| {
                    let time = row.log.or(row.world).map_or(parting, |stage| stage.until.unwrap_or(self.end));
                    time >= parting && row.differs(self.end)
                };
                log.standing != world.standing || rows.iter().any(late)
            })
    }

    /// What it comes down to.
    pub(super) fn exit(&self) -> Exit {
        match (self.differences.is_empty(), self.differs()) {
            (false, _) => Exit::NotRetold,
            (true, true) => Exit::Diverged,
            (true, false) => Exit::Good,
        }
    }
}

/// How applications stand in the end, and where they run.
fn ends(played: &Played, tale: &Tale) -> Vec<(Standing, Vec<String>)> {
    let end = |(application, (_, runs)): (&Application, &(String, Vec<String>))| {
        let standing = Course::of(&played.merged, &in_world(application), None, None).standing;
        (standing, runs.clone())
    };
    tale.applications.iter().zip(&played.runs).map(end).collect()
}

/// An application's DRPC in the world.
fn in_world(application: &Application) -> Aggregate {
    Aggregate::new(application.drpc.controller, "apps", &application.name)
}

/// The inputs of each log, changed.
fn scripts(merged: &Merged, until: Option<&Moment>, changes: &[Change]) -> Result<Scripts> {
    let mut scripts = Scripts::new();
    for change in changes {
        let name = change.place().log.as_ref();
        let log = name.map_or(Some(0), |name| merged.logs.iter().position(|log| log.name() == name));
        let log = log.context("a log of that name")?;
        let records = records_until(merged, log, until)?;
        let script = scripts.entry(log).or_insert_with(|| Script::of(&Line::recorded(records.iter().cloned())));
        change.apply(script, &records)?;
    }
    Ok(scripts)
}

/// The record that something was read off: `hub#179`; empty when there is none.
pub(super) fn recorded(logs: &[String], told: &Told) -> String {
    told.record.map_or_else(String::new, |(log, seq)| format!("{}#{seq}", logs.get(log).map_or("?", String::as_str)))
}

/// Commands that move applications, and that only one of two worlds decided on.
fn commands(without: &Played, with: &Played, clocks: &Clocks) -> Vec<Only> {
    let mut left: BTreeMap<(String, String, String), Vec<Time>> = BTreeMap::new();
    for (key, time) in moving(&without.merged) {
        left.entry(key).or_default().push(time);
    }
    let only = |new, (log, aggregate, says): (String, String, String), time| Only {
        new,
        time: clocks.in_log(time),
        log,
        aggregate,
        says,
    };
    let mut commands = Vec::new();
    for (key, time) in moving(&with.merged) {
        match left.get_mut(&key).filter(|times| !times.is_empty()) {
            Some(times) => drop(times.remove(0)),
            None => commands.push(only(true, key, time)),
        }
    }
    for (key, times) in left {
        commands.extend(times.into_iter().map(|time| only(false, key.clone(), time)));
    }
    commands.sort_by(|a, b| a.time.cmp(&b.time).then_with(|| a.says.cmp(&b.says)));
    commands
}

/// Commands that say where an application is and what its volumes are there.
fn moving(merged: &Merged) -> Vec<((String, String, String), Time)> {
    let mut found = Vec::new();
    for entry in &merged.entries {
        let (Payload::Commanded { command, .. }, Some(aggregate)) = (&entry.record.payload, &entry.record.aggregate)
        else {
            continue;
        };
        let moves = match command {
            Command::Hub(hub::Command::WriteDecision { entries, .. }) => entries.is_some(),
            Command::Hub(command) => {
                matches!(command, hub::Command::ApplyVrgWork(_) | hub::Command::DeleteWork { .. })
            }
            Command::Spoke(command) => {
                matches!(command, spoke::Command::ApplyReplication { .. } | spoke::Command::DeleteReplication { .. })
            }
        };
        if moves {
            let log = merged.log_name(entry).to_owned();
            found.push(((log, aggregate.to_string(), words::commanded(command)), entry.time));
        }
    }
    found
}
