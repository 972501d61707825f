//! `verify`: is this log what it was, and do its facts still lead to its decisions?

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    io::Write,
    iter,
    num::NonZero,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::Result;
use clap::Args;
use ramen_events::{
    Operator, Payload, Record, Seq,
    capture::{self, Reader},
    log::{History, SnapshotName},
};
use ramen_projector::{DECIDER_VERSION, OLDEST_DECIDER, hub::Hub, spoke::Spoke};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::{
    Divergence, Exit, Verifier,
    anchors::{Anchors, Standing},
    blobs::Missing,
    cmd::Format,
    open::Log,
    state::{self, State},
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
    for finding in verify(&arguments.files, anchors.as_ref()) {
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

/// Verifies files piece by piece, as many pieces at a time as there are cores. Findings in the order of the files.
fn verify(files: &[PathBuf], anchors: Option<&Anchors>) -> Vec<Finding> {
    let opened = side_by_side(files, |file| Opened::open(file));
    let whole = opened.iter().enumerate().filter_map(|(index, opened)| Some((index, opened.as_ref().ok()?)));
    let mut pieces: Vec<(usize, Piece<'_>)> =
        whole.flat_map(|(index, opened)| opened.pieces().into_iter().map(move |piece| (index, piece))).collect();
    // The longest come first, so that no core is idle while another is left with one of them.
    pieces.sort_by_key(|(_, piece)| Reverse(piece.records()));
    let outcomes = side_by_side(&pieces, |(_, piece)| piece.replay());
    let places = pieces.iter().map(|(index, piece)| (*index, piece.first));
    let mut outcomes: BTreeMap<(usize, Seq), Result<Outcome, String>> = places.zip(outcomes).collect();
    let mut findings = Vec::with_capacity(files.len());
    for (index, (file, opened)) in files.iter().zip(&opened).enumerate() {
        let later = outcomes.split_off(&(index + 1, Seq(0)));
        let of_file = std::mem::replace(&mut outcomes, later).into_values();
        findings.push(match opened {
            Err(problem) => unreadable(file, problem.clone()),
            Ok(opened) => opened.finding(file, of_file, anchors),
        });
    }
    findings
}

/// Does something for each task, on all cores. Results in the order of the tasks, which are taken in that order.
fn side_by_side<T: Sync, R: Send>(tasks: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let take = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        tasks.get(index).map(|task| (index, work(task)))
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..cores.min(tasks.len())).map(|_| scope.spawn(|| iter::from_fn(take).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
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

/// A file whose digest is right, or whose records were all looked at.
struct Opened {
    capture: Reader,
    missing: Missing,
    /// Keeps the capture of a folder as long as it is read.
    _copy: Option<NamedTempFile>,
}

impl Opened {
    fn open(file: &Path) -> Result<Self, String> {
        let copy = folder(file).map_err(|err| format!("{err:#}"))?;
        let capture = Reader::open_quickly(copy.as_ref().map_or(file, NamedTempFile::path)).map_err(in_words)?;
        let missing = Missing::of(&capture).map_err(told)?;
        Ok(Self { capture, missing, _copy: copy })
    }

    /// The records in pieces: each begins with a state that the file gives, and tells whether the next one is true. So all of
    /// them are, if each piece is good: the first begins where the log does, or with what a slice is believed of.
    fn pieces(&self) -> Vec<Piece<'_>> {
        let capture = &self.capture;
        let (base, head) = (capture.base().seq, capture.head().seq);
        // The form of states of other deciders is not known.
        let known = |name: &SnapshotName| name.decider == DECIDER_VERSION && name.seq > base && name.seq <= head;
        // A capture that can't be read any more is found out by whoever reads it.
        let states: Vec<SnapshotName> = capture.snapshots().unwrap_or_default().into_iter().filter(known).collect();
        let starts = iter::once(None).chain(states.iter().copied().map(Some));
        let ends = states.iter().copied().map(Some).chain([None]);
        let all = starts.zip(ends).map(|(start, end)| Piece {
            of: self,
            start,
            end,
            first: start.map_or(base, |name| name.seq).next(),
            last: end.map_or(head, |name| name.seq),
        });
        all.filter(|piece| piece.start.is_none() || piece.first <= piece.last).collect()
    }

    /// What comes of its pieces, in their order.
    fn finding(
        &self,
        file: &Path,
        outcomes: impl Iterator<Item = Result<Outcome, String>>,
        anchors: Option<&Anchors>,
    ) -> Finding {
        let capture = &self.capture;
        let (mut compared, mut divergence, mut missing) = (0, None, None);
        for outcome in outcomes {
            match outcome {
                // The digest was right, so somebody made it like that: looked at record by record, it says where.
                Err(problem) => {
                    return unreadable(file, Reader::open(capture.path()).map_or_else(in_words, |_| problem));
                }
                Ok(outcome) => {
                    compared += outcome.compared;
                    divergence = outcome.divergence;
                    // What comes after a state that is not true means nothing.
                    if let Some(seq) = outcome.untrue
                        && divergence.as_ref().is_none_or(|divergence| divergence.seq > seq)
                    {
                        return unreadable(file, untrue(seq));
                    }
                    missing = missing.or(outcome.missing);
                }
            }
            if divergence.is_some() {
                break;
            }
        }
        if let Some(words) = missing.filter(|_| divergence.is_none()) {
            return unreadable(file, words);
        }
        let owner = capture.header().owner.as_ref();
        let standing = match anchors.zip(owner).map(|(anchors, owner)| anchors.check(owner, capture)).transpose() {
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
}

fn in_words(err: capture::Error) -> String {
    let remedy = err.remedy();
    format!("{:#}; {remedy}", anyhow::Error::new(err))
}

fn told(err: ramen_events::log::Error) -> String {
    let remedy = err.remedy();
    format!("{err}; {remedy}")
}

/// What is said of a state that does not follow from the records.
fn untrue(seq: Seq) -> String {
    format!(
        "the state after record {seq} that it carries is not what its records lead to, so `state` would show what never \
         was; capture the log again: its records are as they were written"
    )
}

/// Records from one state that a file gives to the next.
struct Piece<'a> {
    of: &'a Opened,
    /// The state before its first record; `None`: that before the first record of the file.
    start: Option<SnapshotName>,
    /// The state after its last record, if the file gives one.
    end: Option<SnapshotName>,
    first: Seq,
    last: Seq,
}

impl Piece<'_> {
    fn records(&self) -> u64 {
        (self.last.0 + 1).saturating_sub(self.first.0)
    }

    /// Folds its records and decides again, up to the first divergence.
    fn replay(&self) -> Result<Outcome, String> {
        let capture = &self.of.capture;
        let mut replay = self.begin()?;
        // What an input before this piece leads to is compared where that piece is: it goes on to the next input.
        let mut asked = self.start.is_none();
        for record in capture.scan(self.first) {
            let (record, _) = record.map_err(told)?;
            asked |= record.payload.is_input();
            if record.seq > self.last {
                if asked {
                    replay.record(&record);
                }
                if record.payload.is_input() || replay.divergence.is_some() {
                    break;
                }
                continue;
            }
            replay.missing.next(&record);
            if asked {
                replay.record(&record);
            } else {
                replay.verifier.fold(&record);
            }
            if replay.divergence.is_some() {
                break;
            }
            if let Some(name) = self.end.filter(|name| name.seq == record.seq) {
                let state = capture.snapshot(name).map_err(told)?;
                if state.is_none_or(|state| state.bytes != replay.verifier.state()) {
                    replay.untrue = Some(name.seq);
                    break;
                }
            }
        }
        Ok(Outcome {
            compared: replay.verifier.compared(),
            missing: replay.missing.words(),
            untrue: replay.untrue,
            divergence: replay.divergence,
        })
    }

    /// Where its records begin.
    fn begin(&self) -> Result<Replay, String> {
        let capture = &self.of.capture;
        let operator = capture.header().owner.as_ref().map_or(Operator::Hub, |owner| owner.operator);
        let state = match self.start {
            None => before(capture, operator)?,
            Some(name) => {
                let saved = capture.snapshot(name).map_err(told)?;
                let state = saved.and_then(|saved| State::decode(operator, &saved.bytes));
                state.ok_or_else(|| untrue(name.seq))?
            }
        };
        let verifier = AnyVerifier::new(state);
        let ours = match self.start {
            Some(_) => is_ours(&verifier.decider()),
            // A slice tells who was at work when it begins.
            None => capture.header().deciders.first().is_none_or(is_ours),
        };
        Ok(Replay { verifier, ours, missing: self.of.missing.clone(), untrue: None, divergence: None })
    }
}

/// What was found in a piece. The state is not kept.
struct Outcome {
    compared: u64,
    /// What is missing first, in words.
    missing: Option<String>,
    /// The record after which the file gives another state than the records lead to.
    untrue: Option<Seq>,
    divergence: Option<Divergence>,
}

/// Folds records and decides again, up to the first divergence.
struct Replay {
    verifier: AnyVerifier,
    /// Decisions of other deciders are theirs: they are folded, not compared.
    ours: bool,
    missing: Missing,
    /// The record after which the file gives another state than the records lead to.
    untrue: Option<Seq>,
    divergence: Option<Divergence>,
}

/// Of whichever operator.
enum AnyVerifier {
    Hub(Box<Verifier<Hub>>),
    Spoke(Box<Verifier<Spoke>>),
}

impl Replay {
    fn record(&mut self, record: &Record) {
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
    fn new(state: State) -> Self {
        match state {
            State::Hub(world) => Self::Hub(Box::new(Verifier::new(*world))),
            State::Spoke(world) => Self::Spoke(Box::new(Verifier::new(*world))),
        }
    }

    /// Version of the deciders that were at work last.
    fn decider(&self) -> u32 {
        match self {
            Self::Hub(verifier) => verifier.world().decider,
            Self::Spoke(verifier) => verifier.world().decider,
        }
    }

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
fn before(capture: &Reader, operator: Operator) -> Result<State, String> {
    let base = capture.base();
    if base.seq == Seq(0) {
        return Ok(State::empty(operator));
    }
    let name = SnapshotName { seq: base.seq, decider: DECIDER_VERSION };
    let snapshot = capture.snapshot(name).map_err(told)?.filter(|snapshot| snapshot.hash == base.hash);
    let snapshot = snapshot.ok_or_else(|| {
        format!(
            "it starts after record {} without a snapshot of the state there (capture it again, whole or with one)",
            base.seq
        )
    })?;
    State::decode(operator, &snapshot.bytes).ok_or_else(|| {
        format!("the snapshot at record {} cannot be understood: it is no state of this version", base.seq)
    })
}
