//! `ramen-sim exhaustive`.

use std::{io::Write, path::PathBuf};

use clap::{Args, builder::RangedU64ValueParser};
use ramen_trials::{
    crowd::{self, Stop},
    exhaustive, scenario,
};
use serde_json::json;

use super::{Exit, cores, jobs, report, some};

/// Plays the story of the demo with each mishap at each point where it can happen, one at a time
#[derive(Args)]
pub struct Exhaustive {
    /// Only every so manieth variant, for a quick look
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = some())]
    every: usize,

    /// Claims of the application
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = claims())]
    claims: usize,

    /// VolumeReplications behave as those of csi-addons, conditions and all, instead of as in recorded runs of Ramen
    #[arg(long)]
    csi_addons: bool,

    /// Folder for the logs of failing variants
    #[arg(long, value_name = "DIR", default_value = "sim-out")]
    out: PathBuf,

    /// Trials at a time; as many as there are cores if not given
    #[arg(long, value_name = "N", value_parser = jobs())]
    jobs: Option<usize>,

    /// Stop after so many failing variants
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = some())]
    failures: usize,

    /// Show which steps were reached under which faults
    #[arg(long)]
    coverage: bool,

    /// `table` for people, `json` for programs, coverage included
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    output: String,
}

/// As many claims as a scenario may have.
fn claims() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(*scenario::CLAIMS.start() as u64..=*scenario::CLAIMS.end() as u64)
}

impl Exhaustive {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let variants: Vec<_> =
            exhaustive::variants(self.claims, self.csi_addons).into_iter().step_by(self.every).collect();
        let plan = |index: usize| variants[index].plan.clone();
        let stop = Stop { failures: self.failures, after: None };
        let sum = crowd::run_all(variants.len(), self.jobs.unwrap_or_else(cores), stop, &plan);
        let as_json = self.output == "json";
        let (mut failures, mut nowhere) = (Vec::new(), std::io::sink());
        for failed in &sum.failed {
            let name = variants.get(failed.index).map(|variant| variant.name.as_str()).unwrap_or_default();
            let folder = self.out.join(name.replace(' ', "-").to_lowercase());
            let repeat = format!("ramen-sim play --plan {}/plan.json   # {name}", folder.display());
            // Programs read the sum; plans and logs are left for people all the same.
            let told: &mut dyn Write = if as_json { &mut nowhere } else { &mut *out };
            report::failure(told, failed, &repeat, &folder, false)?;
            failures.push(report::failed(failed, json!({ "variant": name }), &repeat, &folder));
        }
        if as_json {
            writeln!(out, "{:#}", report::json(&sum, failures))?;
        } else {
            if self.coverage {
                report::coverage(out, &sum)?;
                report::holes(out, &sum)?;
            }
            report::sum(out, &sum)?;
        }
        Ok(if sum.failed.is_empty() { Exit::Good } else { Exit::Broken })
    }
}
