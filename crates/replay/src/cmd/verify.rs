//! `verify`: is this log what it was, and do its facts still lead to its decisions?

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Args;
use ramen_events::{
    Operator, Payload, Seq,
    capture::Reader,
    log::{History, Snapshot},
};
use ramen_projector::{DECIDER_VERSION, Domain, OLDEST_DECIDER, World, hub::Hub, spoke::Spoke};
use serde::Serialize;

use crate::{Divergence, Exit, Verifier, blobs::Missing, cmd::Format};

/// Checks the hash chain, folds, decides again and compares each decision with the recorded one
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// Capture files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How results are printed
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

/// What was found in one file.
#[derive(Debug, Serialize)]
struct Finding {
    file: PathBuf,
    verdict: Verdict,
    /// Records read.
    records: u64,
    /// Decisions that were made again and are the same.
    compared: u64,
    /// Hash of the last record.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<String>,
    /// The first difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    divergence: Option<Divergence>,
    /// What is wrong with the file, and what a person can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Same,
    Diverged,
    Unreadable,
}

/// Runs it over all files; the worst finding is the exit code.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    let mut exit = Exit::Good;
    for file in &arguments.files {
        let finding = verify(file);
        exit = exit.max(match finding.verdict {
            Verdict::Same => Exit::Good,
            Verdict::Diverged => Exit::Diverged,
            Verdict::Unreadable => Exit::Unreadable,
        });
        match arguments.output {
            Format::Json => writeln!(out, "{}", serde_json::to_string(&finding)?)?,
            Format::Table => finding.print(out)?,
        }
    }
    Ok(exit)
}

impl Finding {
    fn print(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let file = self.file.display();
        match (self.verdict, &self.divergence, &self.problem) {
            (Verdict::Same, ..) => writeln!(
                out,
                "same        {file}: {} records, {} decisions made again, head {}",
                self.records,
                self.compared,
                self.head.as_deref().unwrap_or("-")
            ),
            (_, Some(divergence), _) => {
                writeln!(out, "diverged    {file}: at record {} of {}", divergence.seq, divergence.aggregate)?;
                writeln!(out, "  wanted    {}", divergence.wanted)?;
                writeln!(out, "  recorded  {}", divergence.recorded)
            }
            (_, _, problem) => writeln!(out, "unreadable  {file}: {}", problem.as_deref().unwrap_or("unknown")),
        }
    }
}

fn verify(file: &Path) -> Finding {
    let unreadable = |problem| Finding {
        file: file.to_owned(),
        verdict: Verdict::Unreadable,
        records: 0,
        compared: 0,
        head: None,
        divergence: None,
        problem: Some(problem),
    };
    let capture = match Reader::open(file) {
        Ok(capture) => capture,
        Err(err) => {
            let remedy = err.remedy();
            return unreadable(format!("{:#}; {remedy}", anyhow::Error::new(err)));
        }
    };
    let header = capture.header().clone();
    let replayed = match header.owner.as_ref().map(|owner| owner.operator) {
        None => Ok(Replayed { compared: 0, divergence: None }),
        Some(Operator::Hub) => replay::<Hub>(&capture),
        Some(Operator::Spoke) => replay::<Spoke>(&capture),
    };
    match replayed {
        Err(problem) => unreadable(problem),
        Ok(replayed) => Finding {
            file: file.to_owned(),
            verdict: if replayed.divergence.is_some() { Verdict::Diverged } else { Verdict::Same },
            records: header.records(),
            compared: replayed.compared,
            head: Some(capture.head().hash.to_string()),
            divergence: replayed.divergence,
            problem: None,
        },
    }
}

struct Replayed {
    compared: u64,
    divergence: Option<Divergence>,
}

/// Replays a capture from its start, or from the snapshot that stands before its first record.
fn replay<D: Domain>(capture: &Reader) -> Result<Replayed, String> {
    let base = capture.base();
    let world = if base.seq == Seq(0) { World::<D>::default() } else { before(capture)? };
    let mut verifier = Verifier::new(world);
    let told = |err: ramen_events::log::Error| format!("{err}; {}", err.remedy());
    let mut missing = Missing::of(capture).map_err(told)?;
    // Decisions of other deciders are theirs: they are folded, not compared.
    let is_ours = |decider: &u32| (OLDEST_DECIDER..=DECIDER_VERSION).contains(decider);
    // A slice tells who was at work when it begins.
    let mut ours = capture.header().deciders.first().is_none_or(is_ours);
    for record in capture.scan(base.seq.next()) {
        let (record, _) = record.map_err(told)?;
        missing.next(&record);
        if let Payload::Started { decider, .. } = record.payload {
            ours = is_ours(&decider);
        }
        if !ours {
            verifier.fold(&record);
        } else if let Err(divergence) = verifier.next(&record) {
            return Ok(Replayed { compared: verifier.compared(), divergence: Some(divergence) });
        }
    }
    match missing.words() {
        Some(words) => Err(words),
        None => Ok(Replayed { compared: verifier.compared(), divergence: None }),
    }
}

/// The state before the first record of a slice.
fn before<D: Domain>(capture: &Reader) -> Result<World<D>, String> {
    let base = capture.base().seq;
    let snapshot: Option<Snapshot> = capture.latest_snapshot(DECIDER_VERSION).map_err(|err| err.to_string())?;
    let snapshot = snapshot.filter(|snapshot| snapshot.seq == base).ok_or_else(|| {
        format!(
            "it starts after record {base} without a snapshot of the state there (capture it again, whole or with one)"
        )
    })?;
    bincode::decode_from_slice(&snapshot.bytes, bincode::config::standard())
        .map(|(world, _)| world)
        .map_err(|err| format!("the snapshot at record {base} cannot be understood: {err}"))
}
