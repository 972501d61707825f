//! `ramen-sim run`.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use ramen_trials::{
    crowd::{self, Stop, Sum},
    kept::{self, Kept},
    seeds::{self, Class},
    span::Span,
    trial::{Nobody, trial},
};
use serde_json::{Value, json};

use super::{
    Exit,
    chosen::{Chosen, Seeds},
    cores, jobs, report, some,
};
use crate::streams::{complain, tell};

/// Runs random stories under random faults, each a function of its seed
#[derive(Args)]
pub struct Run {
    /// Seeds to run, the last of them not included: `0..1000`
    #[arg(long, value_name = "A..B", default_value = "0..200", conflicts_with = "seed")]
    seeds: Seeds,

    /// One seed to run
    #[arg(long, value_name = "N", value_parser = seed)]
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
    #[arg(long, value_name = "FILE.ramenlog", requires = "seed", conflicts_with_all = ["seeds", "list"],
          value_parser = log_file)]
    log: Option<PathBuf>,

    /// Folder for the logs of failing seeds
    #[arg(long, value_name = "DIR", default_value = "sim-out")]
    out: PathBuf,

    /// Trials at a time; as many as there are cores if not given
    #[arg(long, value_name = "N", value_parser = jobs())]
    jobs: Option<usize>,

    /// Start no more trials after this time: `5m`
    #[arg(long = "for", value_name = "SPAN", value_parser = limit)]
    limit: Option<Span>,

    /// Stop after so many failing seeds
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = some())]
    failures: usize,

    /// Do not make failing plans smaller
    #[arg(long)]
    no_shrink: bool,

    /// Show which steps were reached, and which gates were shut, under which faults
    #[arg(long)]
    coverage: bool,

    /// End with exit code 1 if so many trials ran and none of them reached some step; the steps are named
    #[arg(long, value_name = "N", value_parser = some())]
    need_coverage: Option<usize>,

    /// `table` for people, `json` for programs, coverage included
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    output: String,
}

/// The number of a seed.
fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is no seed: write a whole number, 0 or more"))
}

/// A time in which something can run.
fn limit(text: &str) -> Result<Span, String> {
    let span: Span = text.parse()?;
    if span == Span::default() { Err("nothing runs in no time: write 1s or more".to_owned()) } else { Ok(span) }
}

/// A name from which those of the logs can be made.
fn log_file(text: &str) -> Result<PathBuf, String> {
    let file = PathBuf::from(text);
    if file.is_dir() {
        return Err(format!("that is a folder: name a file in it, {}", file.join("run.ramenlog").display()));
    }
    if file.extension() != Some(OsStr::new("ramenlog")) {
        return Err(format!("logs are called .ramenlog: name it {text}.ramenlog"));
    }
    Ok(file)
}

/// The seeds that a file lists.
fn listed(file: &Path) -> anyhow::Result<Vec<Kept>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    kept::parse(&text).map_err(|why| anyhow::anyhow!("{}: {why}", file.display()))
}

impl Run {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let classes = match self.faults.as_deref().map(classes).transpose() {
            Ok(classes) => classes.unwrap_or_else(|| Class::ALL.to_vec()),
            Err(why) => {
                complain(why);
                return Ok(Exit::Usage);
            }
        };
        if let Some(seed) = self.seed {
            self.save(seed, &classes)?;
        }
        let chosen = self.chosen(&classes)?;
        if chosen.len() == 0 {
            complain("no seed is left to run: --list names none, or --except leaves all of them out");
            return Ok(Exit::Usage);
        }
        let after = self.limit.map(|limit| Duration::from_millis(limit.0));
        let stop = Stop { failures: self.failures, after };
        let plan = |index: usize| {
            let (seed, classes) = chosen.at(index);
            seeds::plan(seed, classes)
        };
        let sum = crowd::run_all(chosen.len(), self.jobs.unwrap_or_else(cores), stop, &plan);
        if self.output == "json" {
            // Programs read the sum; plans and logs are left for people all the same.
            let failures = self.failed(&sum, &chosen, &mut std::io::sink())?;
            writeln!(out, "{:#}", report::json(&sum, failures))?;
        } else {
            self.failed(&sum, &chosen, out)?;
            if self.coverage {
                report::coverage(out, &sum)?;
            }
            if self.coverage || self.need_coverage.is_some() {
                report::holes(out, &sum)?;
            }
            report::sum(out, &sum)?;
            if self.except.is_some() {
                writeln!(out, "left out, since they are known to break a rule: {}", chosen.left_out())?;
            }
        }
        let enough = self.need_coverage.is_some_and(|needed| sum.trials >= needed);
        let untested = enough && !sum.coverage.holes().is_empty();
        Ok(if sum.failed.is_empty() && !untested { Exit::Good } else { Exit::Broken })
    }

    /// The seeds to run.
    fn chosen<'a>(&self, classes: &'a [Class]) -> anyhow::Result<Chosen<'a>> {
        let except: BTreeSet<u64> = match &self.except {
            Some(file) => listed(file)?.into_iter().map(|kept| kept.seed).collect(),
            None => BTreeSet::new(),
        };
        Ok(match (&self.list, self.seed) {
            (Some(list), _) => Chosen::listed(listed(list)?, &except),
            (None, Some(seed)) => Chosen::one(seed, classes),
            (None, None) => Chosen::ranged(&self.seeds, except, classes),
        })
    }

    /// Tells people of each seed that failed, and leaves its plan and logs; the same for programs.
    fn failed(&self, sum: &Sum, chosen: &Chosen<'_>, told: &mut dyn Write) -> anyhow::Result<Vec<Value>> {
        let mut failures = Vec::new();
        for failed in &sum.failed {
            let (seed, classes) = chosen.at(failed.index);
            let repeat = format!("ramen-sim run --seed {seed}{}", switches(classes));
            let folder = self.out.join(format!("seed-{seed}"));
            report::failure(told, failed, &repeat, &folder, !self.no_shrink)?;
            failures.push(report::failed(failed, json!({ "seed": seed }), &repeat, &folder));
        }
        Ok(failures)
    }

    /// Writes the logs of one seed.
    fn save(&self, seed: u64, classes: &[Class]) -> anyhow::Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        let folder = log.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(".".as_ref());
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let stem = log.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let verdict = trial(&seeds::plan(seed, classes), &mut Nobody);
        let prefix = format!("{stem}-");
        let written = report::captures(&verdict, folder, &prefix)?;
        for file in written.into_iter().chain(report::replaced(&verdict, folder, &prefix)?) {
            tell(format_args!("wrote {file}"));
        }
        Ok(())
    }
}

/// The classes of faults of these names, in their own order: a seed's plan depends on it.
fn classes(names: &[String]) -> Result<Vec<Class>, String> {
    let names: BTreeSet<&str> = names.iter().map(|name| name.trim()).collect();
    if names.contains("none") {
        return if names.len() == 1 {
            Ok(Vec::new())
        } else {
            Err("--faults none goes with no other class".to_owned())
        };
    }
    let all = || Class::ALL.iter().copied();
    if let Some(unknown) = names.iter().find(|name| all().all(|class| class.word() != **name)) {
        let known: Vec<String> = all().map(Class::word).collect();
        return Err(format!("{unknown:?} is no class of faults: there are {}, or none", known.join(", ")));
    }
    Ok(all().filter(|class| names.contains(class.word().as_str())).collect())
}

/// What has to be said on the command line for these classes of faults.
fn switches(classes: &[Class]) -> String {
    if classes.len() == Class::ALL.len() {
        return String::new();
    }
    let names: Vec<String> = classes.iter().map(|class| class.word()).collect();
    format!(" --faults {}", if names.is_empty() { "none".to_owned() } else { names.join(",") })
}

#[cfg(test)]
mod tests {
    use ramen_trials::seeds::Class;
    use rstest::rstest;

    use super::{classes, log_file};

    #[rstest]
    #[case::blanks_around(&["stores", " links "], Ok(vec![Class::Links, Class::Stores]))]
    #[case::twice(&["pods", "pods"], Ok(vec![Class::Pods]))]
    #[case::none(&["none"], Ok(vec![]))]
    #[case::none_and_others(&["none", "stores"], Err("--faults none goes with no other class"))]
    #[case::unknown(&["disks"], Err("\"disks\" is no class of faults: there are clusters, hub"))]
    fn classes_are_read(#[case] names: &[&str], #[case] read: Result<Vec<Class>, &str>) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        match (classes(&names), read) {
            (Err(told), Err(begin)) => assert!(told.starts_with(begin), "{told}"),
            (found, expected) => assert_eq!(found, expected.map_err(str::to_owned)),
        }
    }

    #[rstest]
    #[case::no_such_folder_yet("out/x.ramenlog", None)]
    #[case::another_ending("x.log", Some("x.log.ramenlog"))]
    #[case::no_ending("x", Some("x.ramenlog"))]
    #[case::a_folder("/", Some("folder"))]
    #[case::nothing_but_the_ending(".ramenlog", Some(".ramenlog"))]
    fn logs_have_names_of_logs(#[case] name: &str, #[case] told: Option<&str>) {
        match (log_file(name), told) {
            (Err(why), Some(told)) => assert!(why.contains(told), "{why}"),
            (found, told) => assert!(found.is_ok() && told.is_none(), "{found:?}"),
        }
    }
}
