//! `verify`: is this log what it was, and do its facts still lead to its decisions?

use std::{
    cmp::Reverse,
    fs,
    io::Write,
    iter,
    num::NonZero,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread::{self, Scope, ScopedJoinHandle},
};

use anyhow::Result;
use clap::Args;
use ramen_events::{
    Operator, Payload, Record, Seq,
    capture::{self, Item, Reader},
    log::{History, Snapshot, SnapshotName},
};
use ramen_projector::{DECIDER_VERSION, Domain, OLDEST_DECIDER, World, hub::Hub, spoke::Spoke};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::{
    Divergence, Exit, Verifier,
    anchors::{Anchors, Standing},
    blobs::Missing,
    cmd::Format,
    open::Log,
    state,
};

/// Checks the hash chain, folds, decides again and compares each decision with the recorded one
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "A chain of hashes is whole in a log that was cut off or rewritten, too. What operators note of its end in \
                        the archive's store (objects below anchors/) and on their Lease shows that:\n  \
                        ramen-replay verify hub.ramenlog --anchors anchors/\n  \
                        kubectl -n ramen-system get lease -o json | ramen-replay verify hub.ramenlog --anchors -\n\n\
                        Exit codes: 0 all is as it was recorded, and as anchored; 1 deciding again gives something else; 2 a \
                        file is damaged, cut off, or not a log, or not what was anchored, or no anchor tells; 64 wrong usage."
)]
pub(super) struct Arguments {
    /// Capture files, folders with segments of an archive, or data directories of operators
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Anchors to hold the logs against: a file, or a folder of them; `-` is stdin
    #[arg(long, value_name = "FILE_OR_DIR")]
    anchors: Option<PathBuf>,

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
    /// How it stands to its anchors, if any were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    anchors: Option<String>,
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
    /// It is whole, but not what was anchored, or no anchor tells.
    Unproven,
    Unreadable,
}

/// Runs it over all files; the worst finding is the exit code.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    let mut exit = Exit::Good;
    let anchors = arguments.anchors.as_deref().map(Anchors::read).transpose()?;
    for finding in side_by_side(&arguments.files, anchors.as_ref()) {
        exit = exit.max(match finding.verdict {
            Verdict::Same => Exit::Good,
            Verdict::Diverged => Exit::Diverged,
            Verdict::Unproven | Verdict::Unreadable => Exit::Unreadable,
        });
        match arguments.output {
            Format::Json => writeln!(out, "{}", serde_json::to_string(&finding)?)?,
            Format::Table => finding.print(out)?,
        }
    }
    Ok(exit)
}

/// Verifies as many files at a time as there are cores: they have nothing in common. The largest come first, so that no core
/// is idle while another is left with one of them. Findings in the order of the files.
fn side_by_side(files: &[PathBuf], anchors: Option<&Anchors>) -> Vec<Finding> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut queue: Vec<(usize, &PathBuf)> = files.iter().enumerate().collect();
    queue.sort_by_cached_key(|(_, file)| Reverse(fs::metadata(file).map_or(0, |about| about.len())));
    let next = AtomicUsize::new(0);
    let work = || {
        let take = || {
            let (index, file) = queue.get(next.fetch_add(1, Ordering::Relaxed))?;
            Some((*index, verify(file, anchors)))
        };
        iter::from_fn(take).collect::<Vec<_>>()
    };
    let mut found: Vec<(usize, Finding)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores.min(files.len())).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, finding)| finding).collect()
}

impl Finding {
    fn print(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let file = self.file.display();
        match (self.verdict, &self.divergence, &self.problem) {
            (Verdict::Same | Verdict::Unproven, ..) => {
                let word = if self.verdict == Verdict::Same { "same      " } else { "not proven" };
                let (records, compared) = (self.records, self.compared);
                let head = self.head.as_deref().unwrap_or("-");
                writeln!(out, "{word}  {file}: {records} records, {compared} decisions made again, head {head}")?;
                self.anchors.iter().try_for_each(|words| writeln!(out, "  anchors   {words}"))
            }
            (_, Some(divergence), _) => {
                writeln!(out, "diverged    {file}: at record {} of {}", divergence.seq, divergence.aggregate)?;
                writeln!(out, "  wanted    {}", divergence.wanted)?;
                writeln!(out, "  recorded  {}", divergence.recorded)?;
                self.anchors.iter().try_for_each(|words| writeln!(out, "  anchors   {words}"))
            }
            (_, _, problem) => writeln!(out, "unreadable  {file}: {}", problem.as_deref().unwrap_or("unknown")),
        }
    }
}

fn verify(file: &Path, anchors: Option<&Anchors>) -> Finding {
    match folder(file) {
        Ok(None) => verify_file(file, anchors),
        Ok(Some(copy)) => Finding { file: file.to_owned(), ..verify_file(copy.path(), anchors) },
        Err(err) => unreadable(file, format!("{err:#}")),
    }
}

fn unreadable(file: &Path, problem: String) -> Finding {
    Finding {
        file: file.to_owned(),
        verdict: Verdict::Unreadable,
        records: 0,
        compared: 0,
        head: None,
        anchors: None,
        divergence: None,
        problem: Some(problem),
    }
}

/// A folder with segments of an archive, or an operator's data directory, as a capture.
fn folder(path: &Path) -> Result<Option<NamedTempFile>> {
    if !path.is_dir() {
        return Ok(None);
    }
    let log = Log::open(path, false)?;
    let copy = NamedTempFile::new()?;
    let (first, last) = (log.history.base().seq.next(), log.history.head().seq);
    capture::write_file(log.history.as_ref(), first, last, copy.path())?;
    Ok(Some(copy))
}

fn verify_file(file: &Path, anchors: Option<&Anchors>) -> Finding {
    // In one go: each record is checked when it is read, and folded and compared behind that, on another core.
    let (opened, replay) = thread::scope(|scope| {
        let mut behind: Option<Result<Behind<'_>, String>> = None;
        let opened = Reader::follow(file, &mut |capture, item| {
            let begin = || Replay::before(capture).map(|replay| Behind::new(scope, replay));
            if let Ok(behind) = behind.get_or_insert_with(begin) {
                behind.next(item);
            }
        });
        (opened, behind.map(|behind| behind.map(Behind::end)))
    });
    let capture = match opened {
        Ok(capture) => capture,
        Err(err) => {
            let remedy = err.remedy();
            return unreadable(file, format!("{:#}; {remedy}", anyhow::Error::new(err)));
        }
    };
    let (compared, divergence) = match replay.transpose() {
        Err(problem) => return unreadable(file, problem),
        Ok(None) => (0, None),
        Ok(Some(replay)) => match (replay.divergence, replay.untrue, replay.missing.words()) {
            (None, Some(seq), _) => return unreadable(file, untrue(seq)),
            (None, None, Some(words)) => return unreadable(file, words),
            (divergence, ..) => (replay.verifier.compared(), divergence),
        },
    };
    let owner = capture.header().owner.as_ref();
    let standing = anchors.zip(owner).map(|(anchors, owner)| anchors.check(owner, &capture)).transpose();
    let standing = match standing {
        Ok(standing) => standing,
        Err(err) => return unreadable(file, format!("{err:#}")),
    };
    let verdict = match (&divergence, &standing) {
        (Some(_), _) => Verdict::Diverged,
        (None, None | Some(Standing::Holds { .. })) => Verdict::Same,
        (None, Some(_)) => Verdict::Unproven,
    };
    Finding {
        file: file.to_owned(),
        verdict,
        records: capture.header().records(),
        compared,
        head: Some(capture.head().hash.to_string()),
        anchors: standing.map(|standing| standing.words(capture.head().seq)),
        divergence,
        problem: None,
    }
}

/// What is said of a state that does not follow from the records.
fn untrue(seq: Seq) -> String {
    format!(
        "the state after record {seq} that it carries is not what its records lead to, so `state` would show what never \
         was; capture the log again: its records are as they were written"
    )
}

/// Folds a capture and decides again, up to the first divergence.
struct Replay {
    verifier: AnyVerifier,
    /// Decisions of other deciders are theirs: they are folded, not compared.
    ours: bool,
    missing: Missing,
    /// The snapshot among the records that comes next.
    snapshot: Option<Snapshot>,
    /// The first record after which the file gives another state than the records lead to.
    untrue: Option<Seq>,
    divergence: Option<Divergence>,
}

/// A replay on a thread of its own. It gets records in parts, and holds up whoever reads them too fast.
struct Behind<'s> {
    part: Vec<Item>,
    parts: SyncSender<Vec<Item>>,
    thread: ScopedJoinHandle<'s, Replay>,
}

impl<'s> Behind<'s> {
    /// Records of a part: so many that handing one over costs nothing beside it.
    const PART: usize = 256;
    /// Parts that may wait.
    const WAITING: usize = 8;

    fn new<'e>(scope: &'s Scope<'s, 'e>, mut replay: Replay) -> Self {
        let (parts, waiting) = sync_channel::<Vec<Item>>(Self::WAITING);
        let thread = scope.spawn(move || {
            waiting.iter().flatten().for_each(|item| replay.next(&item));
            replay
        });
        Self { part: Vec::with_capacity(Self::PART), parts, thread }
    }

    fn next(&mut self, item: Item) {
        self.part.push(item);
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
        let told = |err: ramen_events::log::Error| format!("{err}; {}", err.remedy());
        let name = capture.header().snapshot.filter(|name| name.seq > capture.base().seq);
        let snapshot = name.map(|name| capture.snapshot(name)).transpose().map_err(told)?.flatten();
        Ok(Self { verifier, ours, missing, snapshot, untrue: None, divergence: None })
    }

    fn next(&mut self, item: &Item) {
        match item {
            // After a divergence nothing is folded.
            _ if self.divergence.is_some() => {}
            Item::Record(record) => {
                self.record(record);
                if let Some(snapshot) = self.snapshot.take_if(|snapshot| snapshot.seq == record.seq) {
                    self.compare(&snapshot);
                }
            }
            Item::Milestone(snapshot) => self.compare(snapshot),
        }
    }

    /// A state that the file gives has to be the one that its records lead to; the form of those of other deciders is not known.
    fn compare(&mut self, snapshot: &Snapshot) {
        if self.divergence.is_none() && snapshot.decider == DECIDER_VERSION && snapshot.bytes != self.verifier.state() {
            self.untrue.get_or_insert(snapshot.seq);
        }
    }

    fn record(&mut self, record: &Record) {
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

    fn state(&self) -> Vec<u8> {
        match self {
            Self::Hub(verifier) => state::bytes(verifier.world()),
            Self::Spoke(verifier) => state::bytes(verifier.world()),
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
