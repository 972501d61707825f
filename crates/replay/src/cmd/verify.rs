//! `verify`: is this log what it was, and do its facts still lead to its decisions?

use std::{
    io::Write,
    num::NonZero,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::mpsc::{SyncSender, sync_channel},
    thread::{self, Scope, ScopedJoinHandle},
};

use anyhow::Result;
use clap::Args;
use ramen_events::{
    Operator, Payload, Record, Seq,
    capture::Reader,
    log::{History, SnapshotName},
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
    // One core each: they have nothing in common.
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    for files in arguments.files.chunks(cores) {
        for finding in side_by_side(files) {
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
    }
    Ok(exit)
}

/// Verifies several files at the same time; findings in their order.
fn side_by_side(files: &[PathBuf]) -> Vec<Finding> {
    thread::scope(|scope| {
        let threads: Vec<_> = files.iter().map(|file| scope.spawn(|| verify(file))).collect();
        let ended = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        ended.collect()
    })
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
    // In one go: each record is checked when it is read, and folded and compared behind that, on another core.
    let (opened, replay) = thread::scope(|scope| {
        let mut behind: Option<Result<Behind<'_>, String>> = None;
        let opened = Reader::follow(file, &mut |capture, record| {
            let begin = || Replay::before(capture).map(|replay| Behind::new(scope, replay));
            if let Ok(behind) = behind.get_or_insert_with(begin) {
                behind.next(record);
            }
        });
        (opened, behind.map(|behind| behind.map(Behind::end)))
    });
    let capture = match opened {
        Ok(capture) => capture,
        Err(err) => {
            let remedy = err.remedy();
            return unreadable(format!("{:#}; {remedy}", anyhow::Error::new(err)));
        }
    };
    let (compared, divergence) = match replay.transpose() {
        Err(problem) => return unreadable(problem),
        Ok(None) => (0, None),
        Ok(Some(replay)) => match (replay.divergence, replay.missing.words()) {
            (None, Some(words)) => return unreadable(words),
            (divergence, _) => (replay.verifier.compared(), divergence),
        },
    };
    Finding {
        file: file.to_owned(),
        verdict: if divergence.is_some() { Verdict::Diverged } else { Verdict::Same },
        records: capture.header().records(),
        compared,
        head: Some(capture.head().hash.to_string()),
        divergence,
        problem: None,
    }
}

/// Folds a capture and decides again, up to the first divergence.
struct Replay {
    verifier: AnyVerifier,
    /// Decisions of other deciders are theirs: they are folded, not compared.
    ours: bool,
    missing: Missing,
    divergence: Option<Divergence>,
}

/// A replay on a thread of its own. It gets records in parts, and holds up whoever reads them too fast.
struct Behind<'s> {
    part: Vec<Record>,
    parts: SyncSender<Vec<Record>>,
    thread: ScopedJoinHandle<'s, Replay>,
}

impl<'s> Behind<'s> {
    /// Records of a part: so many that handing one over costs nothing beside it.
    const PART: usize = 256;
    /// Parts that may wait.
    const WAITING: usize = 8;

    fn new<'e>(scope: &'s Scope<'s, 'e>, mut replay: Replay) -> Self {
        let (parts, waiting) = sync_channel::<Vec<Record>>(Self::WAITING);
        let thread = scope.spawn(move || {
            waiting.iter().flatten().for_each(|record| replay.next(&record));
            replay
        });
        Self { part: Vec::with_capacity(Self::PART), parts, thread }
    }

    fn next(&mut self, record: Record) {
        self.part.push(record);
        if self.part.len() == Self::PART {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(Self::PART));
        // It listens until we hang up; if it panicked, so do we at the end.
        let _ = self.parts.send(part);
    }

    /// What came of it.
    fn end(mut self) -> Replay {
        self.hand_over();
        drop(self.parts);
        self.thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Of whichever operator.
enum AnyVerifier {
    Hub(Box<Verifier<Hub>>),
    Spoke(Box<Verifier<Spoke>>),
}

impl Replay {
    /// Begins with nothing, or with the snapshot that stands before the first record.
    fn before(capture: &Reader) -> Result<Self, String> {
        let operator = capture.header().owner.as_ref().map_or(Operator::Hub, |owner| owner.operator);
        let verifier = match operator {
            Operator::Hub => AnyVerifier::Hub(Box::new(Verifier::new(before(capture)?))),
            Operator::Spoke => AnyVerifier::Spoke(Box::new(Verifier::new(before(capture)?))),
        };
        let missing = Missing::of(capture).map_err(|err| format!("{err}; {}", err.remedy()))?;
        // A slice tells who was at work when it begins.
        let ours = capture.header().deciders.first().is_none_or(is_ours);
        Ok(Self { verifier, ours, missing, divergence: None })
    }

    fn next(&mut self, record: &Record) {
        if self.divergence.is_some() {
            return;
        }
        self.missing.next(record);
        if let Payload::Started { decider, .. } = &record.payload {
            self.ours = is_ours(decider);
        }
        if self.ours {
            self.divergence = self.verifier.next(record).err();
        } else {
            self.verifier.fold(record);
        }
    }
}

fn is_ours(decider: &u32) -> bool {
    (OLDEST_DECIDER..=DECIDER_VERSION).contains(decider)
}

impl AnyVerifier {
    fn next(&mut self, record: &Record) -> Result<(), Divergence> {
        match self {
            Self::Hub(verifier) => verifier.next(record),
            Self::Spoke(verifier) => verifier.next(record),
        }
    }

    fn fold(&mut self, record: &Record) {
        match self {
            Self::Hub(verifier) => verifier.fold(record),
            Self::Spoke(verifier) => verifier.fold(record),
        }
    }

    fn compared(&self) -> u64 {
        match self {
            Self::Hub(verifier) => verifier.compared(),
            Self::Spoke(verifier) => verifier.compared(),
        }
    }
}

/// The state before the first record.
fn before<D: Domain>(capture: &Reader) -> Result<World<D>, String> {
    let base = capture.base();
    if base.seq == Seq(0) {
        return Ok(World::default());
    }
    let told = |err: ramen_events::log::Error| format!("{err}; {}", err.remedy());
    let name = SnapshotName { seq: base.seq, decider: DECIDER_VERSION };
    let snapshot = capture.snapshot(name).map_err(told)?.filter(|snapshot| snapshot.hash == base.hash);
    let snapshot = snapshot.ok_or_else(|| {
        format!(
            "it starts after record {} without a snapshot of the state there (capture it again, whole or with one)",
            base.seq
        )
    })?;
    bincode::decode_from_slice(&snapshot.bytes, bincode::config::standard())
        .map(|(world, _)| world)
        .map_err(|err| format!("the snapshot at record {} cannot be understood: {err}", base.seq))
}
