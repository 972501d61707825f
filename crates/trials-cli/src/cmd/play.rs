//! `ramen-sim play`.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use clap::{ArgGroup, Args};
use ramen_replay::{Headline, Mark};
use ramen_trials::{
    plan::Plan,
    scenario::{self, Played, Scenario, Told},
    span,
    trial::{Nobody, Verdict, trial},
};
use serde_json::{Value, json};

use super::{Exit, report};
use crate::streams::{Patient, complain};

/// Plays scenarios from files and says what went otherwise than expected, and why
#[derive(Args)]
#[command(group = ArgGroup::new("played").required(true).multiple(true).args(["files", "plan"]))]
pub struct Play {
    /// Scenarios; `docs/scenarios.md` describes them
    #[arg(value_name = "FILE.yaml")]
    files: Vec<PathBuf>,

    /// A plan, as failing seeds leave it
    #[arg(long, value_name = "FILE.json", conflicts_with = "files")]
    plan: Option<PathBuf>,

    /// Draw the timeline of the scenario, of one only: one HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Folder for the logs of scenarios; none are written if not given
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,

    /// `table` for people, `json` for programs
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"],
          conflicts_with = "plan")]
    output: String,
}

impl Play {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        if let Some(plan) = &self.plan {
            return self.plan(plan, out);
        }
        if let Err(why) = self.goes_together() {
            complain(why);
            return Ok(Exit::Usage);
        }
        let (mut went, mut refused, mut unreadable) = (Vec::new(), 0, false);
        // All are read before the first is played: what is wrong with the last would else be heard of late.
        let mut scenarios = Vec::new();
        for file in &self.files {
            match scenario::read(file) {
                Ok(scenario) => scenarios.push((file, scenario)),
                Err(err) => {
                    complain(format_args!("{:#}", anyhow::Error::from(err)));
                    refused += 1;
                }
            }
        }
        for (file, scenario) in &scenarios {
            let played = scenario::play(scenario);
            let (name, wrong) = (stem(file), wrong(&played));
            let took = played.verdict.universe.elapsed();
            let one = Went { file, title: &scenario.title, took, wrong, notes: played.notes };
            if !self.is_for_programs() {
                self.tell(out, &one)?;
            }
            let marks = marks(scenario, &played.verdict);
            let headline = Headline { marks, ..headline(&scenario.title, one.wrong.clone()) };
            if let Err(err) = self.leave(&played.verdict, &name, headline) {
                complain(format_args!("{err:#}"));
                unreadable = true;
            }
            went.push(one);
        }
        if self.is_for_programs() {
            let all: Vec<Value> = went.iter().map(Went::json).collect();
            writeln!(out, "{:#}", json!({ "scenarios": all, "refused": refused }))?;
        } else if self.files.len() > 1 {
            sum(out, &went, refused)?;
        }
        Ok(match (went.iter().any(Went::is_failed), unreadable || refused > 0) {
            (true, _) => Exit::Broken,
            (false, true) => Exit::Unreadable,
            (false, false) => Exit::Good,
        })
    }

    fn is_for_programs(&self) -> bool {
        self.output == "json"
    }

    /// Tells how a scenario went.
    fn tell(&self, out: &mut dyn Write, went: &Went<'_>) -> io::Result<()> {
        writeln!(out, "{} ({} simulated)", went.line(), span::took(went.took))?;
        went.wrong.iter().try_for_each(|line| writeln!(out, "  {line}"))?;
        went.notes.iter().try_for_each(|note| writeln!(out, "  note: {note}"))?;
        if went.is_failed() && self.html.is_none() && self.logs.is_none() {
            let file = went.file.display();
            writeln!(out, "  look closer: ramen-sim play --html incident.html --logs out {file}")?;
        }
        Ok(())
    }

    /// Whether what is asked for does not overwrite itself.
    fn goes_together(&self) -> Result<(), String> {
        if self.html.is_some() && self.files.len() > 1 {
            let how = "--logs leaves the logs of all, and `ramen-replay timeline --html` draws them";
            return Err(format!("--html draws one scenario, and there are {}: {how}", self.files.len()));
        }
        let Some(folder) = &self.logs else { return Ok(()) };
        let mut by_name = BTreeMap::new();
        for file in &self.files {
            if let Some(other) = by_name.insert(stem(file), file) {
                let (one, other, folder) = (other.display(), file.display(), folder.join(stem(file)));
                let how = "play them one by one, with another --logs each";
                return Err(format!("{one} and {other} would both leave their logs in {}: {how}", folder.display()));
            }
        }
        Ok(())
    }

    fn plan(&self, file: &Path, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let plan: Plan = serde_json::from_str(&text).with_context(|| {
            let how = "a plan is JSON, as failing seeds leave it; scenarios are played without --plan";
            format!("{} is no plan: {how}", file.display())
        })?;
        let verdict = trial(&plan, &mut Nobody);
        let Some(violation) = &verdict.violation else {
            writeln!(out, "all rules held for {} simulated", span::took(verdict.universe.elapsed()))?;
            self.leave(&verdict, "plan", headline(&file.display().to_string(), Vec::new()))?;
            return Ok(Exit::Good);
        };
        writeln!(out, "FAILED  {violation}")?;
        let waits = waits(&verdict);
        waits.iter().try_for_each(|line| writeln!(out, "  {line}"))?;
        let wrong = [vec![violation.to_string()], waits].concat();
        self.leave(&verdict, "plan", headline(&file.display().to_string(), wrong))?;
        Ok(Exit::Broken)
    }

    /// Leaves what was asked for: logs, and the drawn timeline.
    fn leave(&self, verdict: &Verdict, name: &str, headline: Headline) -> anyhow::Result<()> {
        let mut left = None;
        if let Some(folder) = &self.logs {
            let folder = folder.join(name);
            std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            left = Some(report::captures(verdict, &folder, "")?);
            report::replaced(verdict, &folder, "")?;
        }
        let Some(page) = &self.html else { return Ok(()) };
        if let Some(folder) = page.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let files = match left {
            Some(files) => files,
            None => report::captures(verdict, folder.path(), "")?,
        };
        let files = files.into_iter().map(PathBuf::from).collect();
        ramen_replay::draw(files, headline, page, &mut Patient::new("standard error", io::stderr()))
            .context("cannot draw the timeline")
    }
}

/// What a scenario is called by its file.
fn stem(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// How a scenario went.
struct Went<'a> {
    file: &'a Path,
    title: &'a str,
    took: Duration,
    /// What went otherwise than expected; nothing if all went well.
    wrong: Vec<String>,
    notes: Vec<String>,
}

impl Went<'_> {
    fn is_failed(&self) -> bool {
        !self.wrong.is_empty()
    }

    fn line(&self) -> String {
        let how = if self.is_failed() { "FAILED" } else { "good  " };
        format!("{how}  {}: {}", stem(self.file), self.title)
    }

    fn json(&self) -> Value {
        let Self { file, title, took, wrong, notes } = self;
        json!({
            "file": file, "title": title, "good": !self.is_failed(), "virtualSeconds": took.as_secs_f64(), "wrong": wrong,
            "notes": notes,
        })
    }
}

/// The closing lines: those that failed once more, and how many went how.
fn sum(out: &mut dyn Write, went: &[Went<'_>], refused: usize) -> io::Result<()> {
    writeln!(out)?;
    let failed: Vec<_> = went.iter().filter(|one| one.is_failed()).collect();
    failed.iter().try_for_each(|one| writeln!(out, "{}", one.line()))?;
    let all = report::counted(went.len() + refused, "scenario");
    writeln!(out, "{all}: {} good, {} failed, {refused} refused", went.len() - failed.len(), failed.len())
}

/// What went otherwise than expected, where, and what operators waited for then; nothing if all went well.
fn wrong(played: &Played) -> Vec<String> {
    if played.is_good() {
        return Vec::new();
    }
    let broken = played.verdict.violation.iter().map(ToString::to_string);
    let place = played.place.iter().map(ToString::to_string);
    let end = played
        .end
        .iter()
        .map(|unmet| format!("at the end, line {}: {}; but {}", unmet.line, unmet.expected, unmet.there));
    broken.chain(place).chain(end).chain(waits(&played.verdict)).collect()
}

/// What operators wait for and fail at.
fn waits(verdict: &Verdict) -> Vec<String> {
    verdict.universe.waits().into_iter().map(|(whose, wait)| format!("{whose}: {wait}")).collect()
}

/// What the page says at its top.
fn headline(title: &str, wrong: Vec<String>) -> Headline {
    let title = if wrong.is_empty() { title.to_owned() } else { format!("FAILED: {title}") };
    Headline { title, warnings: wrong, marks: Vec::new() }
}

/// What the logs do not tell.
fn marks(scenario: &Scenario, verdict: &Verdict) -> Vec<Mark> {
    let told = scenario.told(verdict).into_iter();
    told.map(|Told { from, until, words, is_fault }| Mark { from, until, words, is_fault }).collect()
}
