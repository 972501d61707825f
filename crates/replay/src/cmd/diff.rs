//! `diff`: what is different between two moments of a log, or between two logs.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use crate::{
    Exit,
    changes::{self, Change},
    cmd::{Format, state::seq_at},
    moment::Moment,
    open::{Log, Usage},
    state::State,
    table::{DIM, styled},
};

/// Compares what was known at two moments: of one log, or of two
#[derive(Clone, Debug, Args)]
#[command(after_help = "A side is a log, and a moment after an @ if it is not the end of the log.\n\n\
                  Examples:\n  ramen-replay diff hub.ramenlog@120 hub.ramenlog@180\n  \
                  ramen-replay diff hub.ramenlog@12:00:05 hub.ramenlog --about app-1\n  \
                  ramen-replay diff monday/hub.ramenlog tuesday/hub.ramenlog\n\n\
                  Exit codes: 0 compared; 2 a file is damaged, cut off, or not a log; 64 wrong usage.")]
pub(super) struct Arguments {
    /// A log, or LOG@MOMENT
    #[arg(value_name = "A")]
    a: String,

    /// A log, or LOG@MOMENT; a moment alone (@180) is one of the first log
    #[arg(value_name = "B")]
    b: String,

    /// Only what stands at paths that contain this
    #[arg(long, value_name = "TEXT")]
    about: Option<String>,

    /// Also what only the operator needs: indexes, attempts, resource versions, hashes
    #[arg(long)]
    all: bool,

    /// How differences are printed
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,

    /// Of damaged captures, read what is provably intact
    #[arg(long)]
    salvage: bool,
}

/// Runs it.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    let (path, at) = side(&arguments.a);
    let (other, other_at) = match side(&arguments.b) {
        (None, at) => (path.clone(), at),
        found => found,
    };
    let path = path.ok_or_else(|| Usage("the first side has to name a log".to_owned()))?;
    let other = other.unwrap_or_else(|| path.clone());
    let a = state(&path, at, arguments.salvage)?;
    let b = state(&other, other_at, arguments.salvage)?;
    let mut differences = changes::between(&a.0, &b.0);
    differences.retain(|change| is_wanted(change, arguments));
    match arguments.output {
        Format::Json => {
            for change in &differences {
                writeln!(out, "{}", json!(change))?;
            }
        }
        Format::Table => print(&differences, &a.1, &b.1, out)?,
    }
    Ok(Exit::Good)
}

/// A log's path, and a moment in it. What stands behind the last @ is part of the path if there is such a file.
fn side(text: &str) -> (Option<PathBuf>, Option<&str>) {
    match text.rsplit_once('@') {
        Some(_) if Path::new(text).exists() => (Some(PathBuf::from(text)), None),
        Some(("", moment)) => (None, Some(moment)),
        Some((path, moment)) => (Some(PathBuf::from(path)), Some(moment)),
        None => (Some(PathBuf::from(text)), None),
    }
}

/// The state of a log at a moment, and what to call it.
fn state(path: &Path, at: Option<&str>, salvage: bool) -> Result<(Value, String)> {
    let at = at.map(str::parse::<Moment>).transpose().map_err(|err| Usage(format!("@{}: {err}", at.unwrap_or(""))))?;
    let log = Log::open(path, salvage)?;
    log.warn();
    let seq = seq_at(&log, at.as_ref())?;
    let state = State::at(&log, seq)?;
    Ok((state.json()?, format!("{} after record {seq} ({})", path.display(), state.now())))
}

fn is_wanted(change: &Change, arguments: &Arguments) -> bool {
    let path = change.path.as_str();
    (arguments.all || !changes::is_inner(path))
        && arguments.about.as_ref().is_none_or(|about| path.contains(about.as_str()))
}

fn print(differences: &[Change], a: &str, b: &str, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "{}", styled(DIM, format!("− {a}\n+ {b}")))?;
    if differences.is_empty() {
        writeln!(out, "no difference")?;
    }
    changes::print(differences, out)?;
    Ok(())
}
