//! `ramen-sim run`.

use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use ramen_trials::{
    crowd::{self, Stop},
    kept::{self, Kept},
    seeds::{self, Class},
    span::Span,
    trial::{Nobody, trial},
};

use super::{Exit, cores, report};

/// Runs random stories under random faults, each a function of its seed
#[derive(Args)]
pub struct Run {
    /// Seeds to run: `0..1000`
    #[arg(long, value_name = "A..B", default_value = "0..200", conflicts_with = "seed")]
    seeds: Range,

    /// One seed to run
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Run the seeds listed in this file, one a line, with `#` comments: `seed 17`, or `seed 4 of 10 classes` with the first
    /// ten classes of faults only
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "seeds", "faults"])]
    list: Option<PathBuf>,

    /// Leave out the seeds listed in this file, one a line, with `#` comments: those that are known to break a rule still
    #[arg(long, value_name = "FILE", conflicts_with = "seed")]
    except: Option<PathBuf>,

    /// Classes of faults; all if not given, `none` for none
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    faults: Option<Vec<String>>,

    /// Where the logs of the run go, with --seed: FILE-hub.ramenlog and so on
    #[arg(long, value_name = "FILE.ramenlog", requires = "seed", conflicts_with_all = ["seeds", "list"])]
    log: Option<PathBuf>,

    /// Folder for the logs of failing seeds
    #[arg(long, value_name = "DIR", default_value = "sim-out")]
    out: PathBuf,

    /// Trials at a time; as many as there are cores if not given
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,

    /// Start no more trials after this time: `5m`
    #[arg(long = "for", value_name = "SPAN")]
    limit: Option<Span>,

    /// Stop after so many failing seeds
    #[arg(long, value_name = "N", default_value_t = 3)]
    failures: usize,

    /// Do not make failing plans smaller
    #[arg(long)]
    no_shrink: bool,

    /// Show which steps were reached, and which gates were shut, under which faults
    #[arg(long)]
    coverage: bool,

    /// `table` for people, `json` for programs
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    output: String,
}

/// Seeds from one to before another.
#[derive(Clone, Debug)]
struct Range(std::ops::Range<u64>);

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no range of seeds: write 0..1000");
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse().map_err(|_| wrong());
        let (from, to) = (number(from)?, number(to)?);
        if from < to { Ok(Self(from..to)) } else { Err(wrong()) }
    }
}

/// The seeds that a file lists.
fn listed(file: &Path) -> anyhow::Result<Vec<Kept>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    kept::parse(&text).map_err(|why| anyhow::anyhow!("{}: {why}", file.display()))
}

impl Run {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let classes = match self.classes() {
            Ok(classes) => classes,
            Err(why) => {
                eprintln!("ramen-sim: {why}");
                return Ok(Exit::Usage);
            }
        };
        if let Some(seed) = self.seed {
            self.save(seed, &classes)?;
        }
        let except: BTreeSet<u64> = match &self.except {
            Some(file) => listed(file)?.into_iter().map(|kept| kept.seed).collect(),
            None => BTreeSet::new(),
        };
        let trials: Vec<(u64, &[Class])> = if let Some(list) = &self.list {
            let all = listed(list)?.into_iter().map(|kept| (kept.seed, kept.classes));
            all.filter(|(seed, _)| !except.contains(seed)).collect()
        } else if let Some(seed) = self.seed {
            vec![(seed, classes.as_slice())]
        } else {
            let range = self.seeds.0.clone();
            range.filter(|seed| !except.contains(seed)).map(|seed| (seed, classes.as_slice())).collect()
        };
        let jobs = self.jobs.unwrap_or_else(cores);
        let after = self.limit.map(|limit| Duration::from_millis(limit.0));
        let stop = Stop { failures: self.failures, after };
        let plan = |index: usize| seeds::plan(trials[index].0, trials[index].1);
        let sum = crowd::run_all(trials.len(), jobs, stop, &plan);
        let json = self.output == "json";
        let mut failures = Vec::new();
        for failed in &sum.failed {
            let (seed, classes) = trials[failed.index];
            let repeat = format!("ramen-sim run --seed {seed}{}", switches(classes));
            let folder = self.out.join(format!("seed-{seed}"));
            // Programs read the sum; plan and logs are left for people all the same.
            let told: &mut dyn Write = if json { &mut std::io::sink() } else { &mut *out };
            report::failure(told, failed, &repeat, &folder, !self.no_shrink)?;
            let (rule, what) = (failed.violation.rule, &failed.violation.what);
            failures.push(serde_json::json!({
                "seed": seed, "rule": rule, "what": what, "repeat": repeat, "plan": folder.join("plan.json"), "logs": folder,
            }));
        }
        if json {
            let never = sum.coverage.holes().into_iter().map(|(book, step)| format!("{book}/{step}"));
            let report = serde_json::json!({
                "trials": sum.trials, "events": sum.events, "seconds": sum.took.as_secs_f64(),
                "virtualSeconds": sum.virtual_time.as_secs_f64(), "failed": failures, "coverage": sum.coverage.json(),
                "neverReached": never.collect::<Vec<_>>(),
            });
            writeln!(out, "{report:#}")?;
        } else {
            if self.coverage {
                report::coverage(out, &sum)?;
            }
            report::sum(out, &sum)?;
            if !except.is_empty() {
                writeln!(out, "{} seeds that are known to break a rule were left out", except.len())?;
            }
        }
        Ok(if sum.failed.is_empty() { Exit::Good } else { Exit::Broken })
    }

    fn classes(&self) -> Result<Vec<Class>, String> {
        let Some(names) = &self.faults else { return Ok(Class::ALL.to_vec()) };
        if names.iter().all(|name| name == "none") {
            return Ok(Vec::new());
        }
        names
            .iter()
            .map(|name| {
                let class = Class::ALL.iter().find(|class| class.word() == *name).copied();
                class.ok_or_else(|| {
                    let all: Vec<String> = Class::ALL.iter().map(|class| class.word()).collect();
                    format!("{name:?} is no class of faults: there are {} and none", all.join(", "))
                })
            })
            .collect()
    }

    /// Writes the logs of one seed.
    fn save(&self, seed: u64, classes: &[Class]) -> anyhow::Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        let folder = log.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(".".as_ref());
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let stem = log.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let verdict = trial(&seeds::plan(seed, classes), &mut Nobody);
        for file in report::captures(&verdict, folder, &format!("{stem}-"))? {
            eprintln!("wrote {file}");
        }
        Ok(())
    }
}

/// What has to be said on the command line for these classes of faults.
fn switches(classes: &[Class]) -> String {
    if classes.len() == Class::ALL.len() {
        return String::new();
    }
    let names: Vec<String> = classes.iter().map(|class| class.word()).collect();
    format!(" --faults {}", if names.is_empty() { "none".to_owned() } else { names.join(",") })
}
