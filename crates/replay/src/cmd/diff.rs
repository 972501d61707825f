//! `diff`: what is different between two moments of a log, or between two logs.

use std::{
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use clap::Args;
use ramen_events::{Aggregate, Controller};
use serde_json::json;

use crate::{
    Exit,
    changes::{self, Change},
    cmd::{
        Format,
        state::{find, seq_at},
    },
    judged::{Judged, Verdict},
    kubectl::Kubectl,
    moment::Moment,
    object,
    open::{Log, Usage},
    state::State,
    table::{BAD, BOLD, DIM, WAITING, styled},
};

/// Compares what was known at two moments: of one log, or of two; or what was known with what is now in a cluster
#[derive(Clone, Debug, Args)]
#[command(after_help = "A side is a log, and a moment after an @ if it is not the end of the log.\n\n\
                  With --live, the status of a DRPC or VRG at that moment is compared with that in the cluster, which kubectl \
                  is asked for. What the cluster wrote after the log's end is no contradiction, and is told as such.\n\n\
                  Examples:\n  ramen-replay diff hub.ramenlog@120 hub.ramenlog@180\n  \
                  ramen-replay diff hub.ramenlog@12:00:05 hub.ramenlog --about app-1\n  \
                  ramen-replay diff monday/hub.ramenlog tuesday/hub.ramenlog\n  \
                  ramen-replay diff hub.ramenlog --live drpc/apps/app-1 --context hub\n\n\
                  Exit codes: 0 compared; 1 with --live: the cluster shows what the log should have seen, and did not; 2 a file \
                  is damaged, cut off, or not a log, or the cluster can't be asked; 64 wrong usage.")]
pub(super) struct Arguments {
    /// A log, or LOG@MOMENT
    #[arg(value_name = "A")]
    a: String,

    /// A log, or LOG@MOMENT; a moment alone (@180) is one of the first log
    #[arg(value_name = "B", required_unless_present = "live", conflicts_with = "live")]
    b: Option<String>,

    /// Compare with the cluster: this DRPC or VRG (drpc/NAMESPACE/NAME, or a part of that), or all that the log knows
    #[arg(long, value_name = "OBJECT", num_args = 0..=1, default_missing_value = "")]
    live: Option<String>,

    /// With --live: the context of the cluster that the log is of; the current one if it is left out
    #[arg(long, value_name = "CONTEXT")]
    context: Option<String>,

    /// With --live: a kubeconfig; KUBECONFIG, as for kubectl, if it is left out
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

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
    if arguments.live.is_none() && (arguments.context.is_some() || arguments.kubeconfig.is_some()) {
        return Err(Usage("--context and --kubeconfig are for --live".to_owned()).into());
    }
    let (path, at) = side(&arguments.a);
    let no_log = || Usage("the first side has to name a log".to_owned());
    let (other, other_at) = match (&arguments.live, &arguments.b) {
        (Some(object), _) => return live(arguments, &path.ok_or_else(no_log)?, at, object, out),
        (None, None) => return Err(Usage("give a second side, or --live".to_owned()).into()),
        (None, Some(b)) => match side(b) {
            (None, at) => (path.clone(), at),
            found => found,
        },
    };
    let path = path.ok_or_else(no_log)?;
    let other = other.unwrap_or_else(|| path.clone());
    let a = state(&path, at, arguments.salvage)?;
    let b = state(&other, other_at, arguments.salvage)?;
    let mut differences = changes::between(&a.0.json()?, &b.0.json()?);
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

/// How long the cluster may take for an answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Compares objects of a log with those in the cluster.
fn live(arguments: &Arguments, path: &Path, at: Option<&str>, name: &str, out: &mut dyn Write) -> Result<Exit> {
    let (state, title) = state(path, at, arguments.salvage)?;
    let objects = if name.is_empty() {
        let is_ours = |aggregate: &Aggregate| matches!(aggregate.controller, Controller::Drpc | Controller::Vrg);
        state.aggregates().into_iter().filter(is_ours).collect()
    } else {
        vec![find(&state, name)?]
    };
    if objects.is_empty() {
        return Err(Usage(format!("{title} knows no DRPC and no VRG")).into());
    }
    let kubectl = Kubectl::new(arguments.kubeconfig.as_slice(), PATIENCE);
    let mut exit = Exit::Good;
    for aggregate in objects {
        let known = object::of(&state, &aggregate)?;
        let found = kubectl.find(arguments.context.as_deref(), &aggregate)?;
        let mut judged = Judged::new(state.now(), &known, found.as_ref());
        judged.changes.retain(|change| is_wanted(change, arguments));
        if judged.verdict == Verdict::Contradicts && !judged.changes.is_empty() {
            exit = Exit::Diverged;
        }
        match arguments.output {
            Format::Json => {
                let mut value = json!(judged);
                if let Some(fields) = value.as_object_mut() {
                    fields.insert("object".to_owned(), json!(aggregate.to_string()));
                    fields.insert("record".to_owned(), json!(state.head()));
                }
                writeln!(out, "{value}")?;
            }
            Format::Table => {
                let style = if judged.verdict == Verdict::Contradicts { BAD } else { WAITING };
                writeln!(out, "{}  {}", styled(BOLD, &aggregate), styled(style, &judged.words))?;
                if !judged.changes.is_empty() {
                    writeln!(out, "{}", styled(DIM, format!("− {title}\n+ the cluster, now")))?;
                }
                changes::print(&judged.changes, out)?;
            }
        }
    }
    Ok(exit)
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
fn state(path: &Path, at: Option<&str>, salvage: bool) -> Result<(State, String)> {
    let at = at.map(str::parse::<Moment>).transpose().map_err(|err| Usage(format!("@{}: {err}", at.unwrap_or(""))))?;
    let log = Log::open(path, salvage)?;
    log.warn();
    let seq = seq_at(&log, at.as_ref())?;
    let state = State::at(&log, seq)?;
    let title = format!("{} after record {seq} ({})", path.display(), state.now());
    Ok((state, title))
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
