//! `ramen-sim play`.

use std::{
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use clap::{Args, Parser as _};
use ramen_trials::{
    plan::Plan,
    scenario,
    trial::{Nobody, Verdict, trial},
};

use super::{Exit, report};

/// Plays scenarios from files and says what went otherwise than expected, and why
#[derive(Args)]
pub struct Play {
    /// Scenarios; `docs/scenarios.md` describes them
    #[arg(value_name = "FILE.yaml", required_unless_present = "plan")]
    files: Vec<PathBuf>,

    /// A plan, as failing seeds leave it
    #[arg(long, value_name = "FILE.json", conflicts_with = "files")]
    plan: Option<PathBuf>,

    /// Draw the timeline of the (last) scenario: one HTML page
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
        let mut good = true;
        for file in &self.files {
            let scenario = scenario::read(file)?;
            let played = scenario::play(&scenario);
            let took = played.verdict.universe.elapsed();
            let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            if played.is_good() {
                writeln!(out, "good    {name}: {} ({})", scenario.title, minutes(took))?;
            } else {
                good = false;
                writeln!(out, "FAILED  {name}: {} ({})", scenario.title, minutes(took))?;
                if let Some(violation) = &played.verdict.violation {
                    writeln!(out, "  {violation}")?;
                }
                for (expected, there) in &played.end {
                    writeln!(out, "  at the end: {expected}; but {there}")?;
                }
                for (whose, wait) in played.verdict.universe.waits() {
                    writeln!(out, "  {whose}: {wait}")?;
                }
            }
            self.leave(&played.verdict, &name)?;
        }
        Ok(if good { Exit::Good } else { Exit::Broken })
    }

    fn plan(&self, file: &Path, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let plan: Plan = serde_json::from_str(&text).with_context(|| format!("{} is no plan", file.display()))?;
        let verdict = trial(&plan, &mut Nobody);
        self.leave(&verdict, "plan")?;
        let Some(violation) = &verdict.violation else {
            writeln!(out, "all rules held for {}", minutes(verdict.universe.elapsed()))?;
            return Ok(Exit::Good);
        };
        writeln!(out, "BROKEN  {violation}")?;
        for (whose, wait) in verdict.universe.waits() {
            writeln!(out, "  {whose}: {wait}")?;
        }
        Ok(Exit::Broken)
    }

    /// Leaves what was asked for: logs, and the drawn timeline.
    fn leave(&self, verdict: &Verdict, name: &str) -> anyhow::Result<()> {
        if let Some(folder) = &self.logs {
            let folder = folder.join(name);
            std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            report::captures(verdict, &folder, "")?;
        }
        if let Some(page) = &self.html {
            let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
            let files = report::captures(verdict, folder.path(), "")?;
            let mut arguments = vec!["ramen-replay".to_owned(), "timeline".to_owned()];
            arguments.extend(files);
            arguments.extend(["--html".to_owned(), page.display().to_string()]);
            let arguments = ramen_replay::Arguments::try_parse_from(arguments).context("cannot draw the timeline")?;
            ramen_replay::run(&arguments, &mut std::io::stderr()).context("cannot draw the timeline")?;
        }
        Ok(())
    }
}

fn minutes(span: Duration) -> String {
    format!("{} min {} s simulated", span.as_secs() / 60, span.as_secs() % 60)
}
