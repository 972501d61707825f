//! What came of the simulated world, for people and for programs.

use std::{io::Write, path::Path};

use anyhow::Result;
use ramen_events::Time;
use serde_json::{Value, json};

use super::go_on::{GoneOn, recorded};
use crate::{
    Exit,
    moment::{clock_text, span_text},
    retell::{Told, file},
    table::{BAD, BOLD, Cell, DIM, GOOD, NAME, Table, WAITING, styled},
    words,
    world::{
        agree::{self, Row, lasted},
        course::Stage,
    },
};

/// How many commands a table shows.
const SHOWN: usize = 40;

/// What any simulated world assumes.
const ALWAYS: [&str; 4] = [
    "each application writes to each of its volumes once a second; its pod stops at once when it is deleted",
    "storage, agents and API servers take their time as in the recording of a laboratory; stores answer at once",
    "volumes are replicated one by one by csi-addons, and nothing else is on the clusters",
    "people do what they did at the same moments, whatever comes of it; nobody does what conditions say",
];

fn plain() -> anstyle::Style {
    anstyle::Style::new()
}

/// Prints it as tables.
pub(super) fn print(gone: &GoneOn, scenario: Option<&Path>, out: &mut dyn Write) -> Result<()> {
    let title = |out: &mut dyn Write, text: &str| writeln!(out, "\n{}", styled(DIM, text));
    writeln!(out, "{}", styled(BOLD, "in the simulated world"))?;
    let mut line = |name: &str, style, text: &str| {
        writeln!(out, "  {}  {}", styled(DIM, format!("{name:9}")), styled(style, text))
    };
    line("made of", plain(), &made_of(gone))?;
    let upto =
        gone.parting.map_or_else(|| "from beginning to end".to_owned(), |at| format!("up to {}", clock_text(at)));
    if gone.differences.is_empty() {
        line(
            "agrees",
            GOOD,
            &format!("{}it tells the story of the log {upto}", if gone.is_asked { "without the change " } else { "" }),
        )?;
    } else {
        line(
            "differs",
            BAD,
            &format!("it does not tell the story of the log {upto}, so what comes of it proves nothing"),
        )?;
        for difference in &gone.differences {
            line("", BAD, difference)?;
        }
    }
    if gone.is_asked && gone.parting.is_none() {
        line("changed", WAITING, "nothing: what people asked for and what befell is the same")?;
    }
    if let Some(file) = scenario {
        line("written", plain(), &format!("{0} (ramen-sim play {0})", file.display()))?;
    }
    title(out, "WHAT HAPPENS (− only in the log, + only in the world)")?;
    happenings(gone).print(out)?;
    for (application, log, world) in &gone.courses {
        title(
            out,
            &format!("WHAT COMES OF IT FOR {} (times on the log's clock, and how long it lasts)", application.drpc),
        )?;
        steps(gone, &log.stages, &world.stages).print(out)?;
    }
    title(out, "IN THE END")?;
    ends(gone).print(out)?;
    let otherwise: Vec<String> =
        gone.others.iter().filter(|(_, same)| !same).map(|(seed, _)| seed.to_string()).collect();
    if otherwise.is_empty() {
        let text = format!("it ends the same in {} other worlds, in which things take other times", gone.others.len());
        writeln!(out, "{}", styled(DIM, text))?;
    } else {
        let text = format!(
            "it ends otherwise in {} of {} other worlds, in which things take other times: those of seed {}",
            otherwise.len(),
            gone.others.len(),
            otherwise.join(", ")
        );
        writeln!(out, "{}", styled(WAITING, text))?;
    }
    if let Some(violation) = &gone.played.violation {
        writeln!(out, "  {}  {}", styled(BAD, "a rule does not hold:"), violation)?;
    }
    for (_, _, world) in &gone.courses {
        for waits in &world.waits {
            writeln!(
                out,
                "  {}  {} on {} at {}: waiting for {} since {}",
                styled(WAITING, "waits"),
                waits.aggregate,
                waits.log,
                waits.step,
                words::wait_text(&waits.wait),
                clock_text(waits.since)
            )?;
            if !waits.wait.remedy.is_empty() {
                writeln!(out, "         if it lasts: {}", waits.wait.remedy)?;
            }
        }
    }
    if !gone.commands.is_empty() {
        title(out, "COMMANDS THAT MOVE APPLICATIONS (− only without the change, + only with it)")?;
        commands(gone).print(out)?;
        if let Some(more) = gone.commands.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            writeln!(out, "{}", styled(DIM, format!("… {more} more; -o json has all of them")))?;
        }
    }
    title(out, "ASSUMED")?;
    for assumed in assumed(gone) {
        writeln!(out, "  {assumed}")?;
    }
    Ok(())
}

fn made_of(gone: &GoneOn) -> String {
    let tale = &gone.tale;
    let applications = tale.applications.iter().map(|application| {
        let claims =
            if application.claims == 1 { "1 claim".to_owned() } else { format!("{} claims", application.claims) };
        format!("{} with {claims} on {}", application.name, application.on)
    });
    format!(
        "{}, synchronized every {}; {}",
        tale.clusters.join(", "),
        tale.interval,
        applications.collect::<Vec<_>>().join(", ")
    )
}

/// What happens in the log only (−), in the world only (+), in both.
fn marked(gone: &GoneOn) -> Vec<(&'static str, &Told)> {
    let mut left: Vec<&Told> = gone.changed.happenings.iter().collect();
    let mut all: Vec<(&str, &Told)> = Vec::new();
    for told in &gone.tale.happenings {
        let same = left.iter().position(|other| other.time == told.time && other.what == told.what);
        if let Some(at) = same {
            left.remove(at);
        }
        all.push((if same.is_some() { "" } else { "−" }, told));
    }
    all.extend(left.into_iter().map(|told| ("+", told)));
    all.sort_by_key(|(_, told)| told.time);
    all
}

fn happenings(gone: &GoneOn) -> Table {
    let mut table = Table::new(&["", "TIME", "RECORD", "WHAT"]);
    for (sign, told) in marked(gone) {
        let style = match sign {
            "−" => BAD,
            "+" => GOOD,
            _ => plain(),
        };
        table.row(vec![
            (sign.to_owned(), style),
            (clock_text(told.time), DIM),
            (recorded(&gone.logs, told), NAME),
            (file::words(&told.what), style),
        ]);
    }
    table
}

fn steps(gone: &GoneOn, log: &[Stage], world: &[Stage]) -> Table {
    let mut table = Table::new(&["", "ACTION", "STEP", "IN THE LOG", "", "IN THE WORLD", "", "WAITING THERE FOR"]);
    let mut action = "";
    for row in agree::rows(log, world) {
        let Some(stage) = row.log.or(row.world) else { continue };
        let (sign, style) = sign(&row, gone.end);
        let shown = if stage.action == action { String::new() } else { stage.action.clone() };
        action = &stage.action;
        let [from, took] = times(row.log, gone.end);
        let [world_from, world_took] = times(row.world, gone.end);
        table.row(vec![
            (sign.to_owned(), style),
            (shown, plain()),
            (stage.name.clone(), style),
            (from, DIM),
            (took, plain()),
            (world_from, DIM),
            (world_took, plain()),
            (waited(row.world, gone.end), DIM),
        ]);
    }
    table
}

/// What a step waited for, if that took a while.
fn waited(stage: Option<&Stage>, end: Time) -> String {
    let long = stage.filter(|stage| stage.until.is_none() || lasted(stage, end) >= agree::PASSING);
    long.and_then(|stage| stage.wait.as_ref()).map(words::wait_text).unwrap_or_default()
}

fn sign(row: &Row<'_>, end: Time) -> (&'static str, anstyle::Style) {
    match (row.log, row.world) {
        _ if !row.differs(end) => ("", plain()),
        (Some(_), None) => ("−", BAD),
        (None, Some(_)) => ("+", GOOD),
        _ => ("≠", WAITING),
    }
}

fn times(stage: Option<&Stage>, end: Time) -> [String; 2] {
    match stage {
        None => [String::new(), String::new()],
        Some(stage) if stage.until.is_none() => [clock_text(stage.from), "goes on".to_owned()],
        Some(stage) => [clock_text(stage.from), span_text(lasted(stage, end))],
    }
}

fn ends(gone: &GoneOn) -> Table {
    let mut table = Table::new(&["", "IN THE LOG", "IN THE WORLD", "RUNS ON", "WRITES LOST"]);
    for (application, log, world) in &gone.courses {
        let name = &application.name;
        let runs =
            gone.played.runs.iter().find(|(app, _)| app == name).map(|(_, on)| on.join(", ")).unwrap_or_default();
        let runs = if runs.is_empty() { "nowhere".to_owned() } else { runs };
        let lost = |of: &[(String, u64)]| of.iter().find(|(app, _)| app == name).map_or(0, |(_, lost)| *lost);
        let (now, before) = (lost(&gone.played.lost), lost(&gone.lost_before));
        let lost = if now == before { now.to_string() } else { format!("{now} ({before} without the change)") };
        let style = if log.standing == world.standing { plain() } else { WAITING };
        let cells: Vec<Cell> = vec![
            (name.clone(), BOLD),
            (log.standing.words(), plain()),
            (world.standing.words(), style),
            (runs, style),
            (lost, plain()),
        ];
        table.row(cells);
    }
    table
}

fn commands(gone: &GoneOn) -> Table {
    let mut table = Table::new(&["", "TIME", "BY", "WHOSE", "COMMAND"]);
    for only in gone.commands.iter().take(SHOWN) {
        let (sign, style) = if only.new { ("+", GOOD) } else { ("−", BAD) };
        table.row(vec![
            (sign.to_owned(), style),
            (clock_text(only.time), DIM),
            (only.log.clone(), plain()),
            (only.aggregate.clone(), plain()),
            (only.says.clone(), style),
        ]);
    }
    table
}

fn assumed(gone: &GoneOn) -> Vec<String> {
    gone.changed.assumed.iter().cloned().chain(ALWAYS.map(str::to_owned)).collect()
}

/// All of it as one JSON value.
pub(super) fn json(gone: &GoneOn) -> Value {
    let time = |time: Time| time.to_string();
    let stage = |stage: &Stage| {
        json!({
            "action": stage.action, "step": stage.name,
            "from": time(stage.from), "until": stage.until.map(time),
        })
    };
    let verdict = match gone.exit() {
        Exit::Good => "same",
        Exit::Diverged => "differs",
        _ => "not retold",
    };
    let happenings: Vec<Value> = marked(gone)
        .into_iter()
        .map(|(sign, told)| {
            let only = match sign {
                "−" => Some("log"),
                "+" => Some("world"),
                _ => None,
            };
            let record = Some(recorded(&gone.logs, told)).filter(|record| !record.is_empty());
            json!({"time": time(told.time), "record": record, "what": told.what, "says": file::words(&told.what), "only_in": only})
        })
        .collect();
    let applications: Vec<Value> = gone
        .courses
        .iter()
        .map(|(application, log, world)| {
            let name = &application.name;
            let lost = |of: &[(String, u64)]| of.iter().find(|(app, _)| app == name).map(|(_, lost)| *lost);
            let waits = world.waits.iter().map(|waits| {
                json!({
                    "log": waits.log, "aggregate": waits.aggregate.to_string(), "step": waits.step,
                    "since": time(waits.since), "what": waits.wait.what,
                    "on": waits.wait.on.as_ref().map(ToString::to_string), "remedy": waits.wait.remedy,
                })
            });
            json!({
                "drpc": application.drpc.to_string(),
                "name": name,
                "log": {"steps": log.stages.iter().map(stage).collect::<Vec<_>>(), "end": log.standing},
                "world": {
                    "steps": world.stages.iter().map(stage).collect::<Vec<_>>(),
                    "end": world.standing,
                    "runs_on": gone.played.runs.iter().find(|(app, _)| app == name).map(|(_, on)| on),
                    "writes_lost": lost(&gone.played.lost),
                    "writes_lost_without_the_change": lost(&gone.lost_before),
                    "waits": waits.collect::<Vec<_>>(),
                },
            })
        })
        .collect();
    let commands: Vec<Value> = gone
        .commands
        .iter()
        .map(|only| {
            json!({
                "fate": if only.new { "new" } else { "gone" }, "time": time(only.time), "log": only.log,
                "aggregate": only.aggregate, "says": only.says,
            })
        })
        .collect();
    json!({
        "world": {
            "verdict": verdict,
            "agrees_until": gone.differences.is_empty().then(|| time(gone.parting.unwrap_or(gone.end))),
            "differences": gone.differences,
            "clusters": gone.tale.clusters,
            "interval": gone.tale.interval,
            "happenings": happenings,
            "applications": applications,
            "commands": commands,
            "rule_broken": gone.played.violation,
            "other_worlds": gone.others.iter().map(|(seed, same)| json!({"seed": seed, "ends_the_same": same})).collect::<Vec<_>>(),
            "assumed": assumed(gone),
            "scenario": gone.scenario,
        }
    })
}
