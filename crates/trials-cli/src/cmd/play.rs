//! `ramen-sim play`.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use ramen_replay::{Headline, Mark};
use ramen_trials::{
    plan::Plan,
    scenario::{self, Played, Scenario, Told},
    trial::{Nobody, Verdict, trial},
};

use super::{Exit, report};
use crate::streams::{Patient, complain};

/// Plays scenarios from files and says what went otherwise than expected, and why
#[derive(Args)]
pub struct Play {
    /// Scenarios; `docs/scenarios.md` describes them
    #[arg(value_name = "FILE.yaml", required_unless_present = "plan")]
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
        let (mut broken, mut unreadable) = (false, false);
        // All are read before the first is played: what is wrong with the last would else be heard of late.
        let mut scenarios = Vec::new();
        for file in &self.files {
            match scenario::read(file) {
                Ok(scenario) => scenarios.push((stem(file), scenario)),
                Err(err) => {
                    complain(format_args!("{:#}", anyhow::Error::from(err)));
                    unreadable = true;
                }
            }
        }
        for (name, scenario) in &scenarios {
            let played = scenario::play(scenario);
            let wrong = wrong(&played);
            broken |= !played.is_good();
            tell(out, name, scenario, &played, &wrong)?;
            let headline = Headline { marks: marks(scenario, &played.verdict), ..headline(&scenario.title, wrong) };
            if let Err(err) = self.leave(&played.verdict, name, headline) {
                complain(format_args!("{err:#}"));
                unreadable = true;
            }
        }
        Ok(match (broken, unreadable) {
            (true, _) => Exit::Broken,
            (false, true) => Exit::Unreadable,
            (false, false) => Exit::Good,
        })
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
        let plan: Plan = serde_json::from_str(&text).with_context(|| format!("{} is no plan", file.display()))?;
        let verdict = trial(&plan, &mut Nobody);
        let Some(violation) = &verdict.violation else {
            writeln!(out, "all rules held for {}", minutes(verdict.universe.elapsed()))?;
            self.leave(&verdict, "plan", headline(&file.display().to_string(), Vec::new()))?;
            return Ok(Exit::Good);
        };
        writeln!(out, "BROKEN  {violation}")?;
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
        }
        let Some(page) = &self.html else { return Ok(()) };
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let files = match left {
            Some(files) => files,
            None => report::captures(verdict, folder.path(), "")?,
        };
        let files = files.into_iter().map(PathBuf::from).collect();
        ramen_replay::draw(files, headline, page, &mut Patient::new(io::stderr())).context("cannot draw the timeline")
    }
}

/// What a scenario is called by its file.
fn stem(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Tells how a scenario went.
fn tell(
    out: &mut dyn Write,
    name: &str,
    scenario: &Scenario,
    played: &Played,
    wrong: &[String],
) -> std::io::Result<()> {
    let took = minutes(played.verdict.universe.elapsed());
    let how = if played.is_good() { "good  " } else { "FAILED" };
    writeln!(out, "{how}  {name}: {} ({took})", scenario.title)?;
    wrong.iter().try_for_each(|line| writeln!(out, "  {line}"))
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

fn minutes(span: Duration) -> String {
    format!("{} min {} s simulated", span.as_secs() / 60, span.as_secs() % 60)
}
