//! `test`: an incident's capture becomes a regression test of the project.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use clap::Args;
use ramen_events::{Aggregate, BlobId, Cause, CommandId, Payload, Record, Seq, Stamp};

use crate::{
    Exit,
    anonymise::{Anonymiser, Names, Patterns, alike},
    changes,
    cmd::whatif,
    fixture::{self, Expected},
    goal::{self, Divergent, Goal},
    input::Input,
    minimise::minimise,
    moment::Moment,
    open::{Log, Usage},
    predicate,
    rerun::{Baseline, Decision, Line, Rerun},
    span,
    state::State,
    table::{BAD, BOLD, DIM, GOOD, styled},
};

/// Turns a capture into a regression test: as small as it gets, without the names in it, with what is expected beside it
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "What must stay while everything else is left out: the first decision that does not follow from what \
                  was seen, if there is one; else the condition given with --holds; else where the applications (or \
                  --drpc) stand in the end.\n\n\
                  Names of objects, namespaces, clusters, stores, buckets, endpoints, volume handles and labels are \
                  replaced, the same everywhere, and so are UUIDs, digests, addresses and host names; whole objects in \
                  blobs become stubs. Times stay, and so do other words in messages that come from outside: look \
                  through it with `show` before you pass it on.\n\n\
                  Examples:\n  ramen-replay test hub.ramenlog --name stuck-cleanup --until 12:05 --drpc app-1\n  \
                  ramen-replay test hub.ramenlog --name slow-failover --holds \
                  'drpc/app-1.position.step == \"Cleaning Up\" for 5m'\n  \
                  ramen-replay test --check replay-fixtures/*.expected.json\n\n\
                  Exit codes: 0 written, or all is as expected; 1 something is not as expected; 2 a file is damaged, cut \
                  off, or not a log; 64 wrong usage."
)]
pub(super) struct Arguments {
    /// A capture file, or the data directory of a stopped operator
    #[arg(value_name = "LOG", required_unless_present = "check")]
    log: Option<PathBuf>,

    /// What the test is called: lower-case letters, digits and hyphens
    #[arg(long, value_name = "NAME", required_unless_present = "check")]
    name: Option<String>,

    /// Only what happened up to this moment
    #[arg(long, value_name = "MOMENT")]
    until: Option<Moment>,

    /// Of the applications, only the DRPlacementControl or VolumeReplicationGroup of this name has to stand where it does
    #[arg(long, value_name = "NAME", conflicts_with = "holds")]
    drpc: Option<String>,

    /// A condition that has to hold, as `bisect` takes it
    #[arg(long, value_name = "CONDITION")]
    holds: Option<String>,

    /// Names that stay; * stands for anything
    #[arg(long, value_name = "PATTERN")]
    keep: Vec<String>,

    /// Folder for both files
    #[arg(long, value_name = "FOLDER", default_value = "replay-fixtures")]
    out: PathBuf,

    /// How long to look for what can be left out
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = span::parse)]
    within: u64,

    /// Instead: check fixtures
    #[arg(long, value_name = "EXPECTED.json", num_args = 1.., conflicts_with_all = ["log", "name"])]
    check: Vec<PathBuf>,
}

/// Runs it.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    match (&arguments.log, &arguments.name) {
        (Some(log), Some(name)) => make(arguments, log, name, out),
        _ => check(&arguments.check, out),
    }
}

fn check(files: &[PathBuf], out: &mut dyn Write) -> Result<Exit> {
    let mut exit = Exit::Good;
    for file in files {
        let (expected, found) = fixture::read(file)?;
        let differences = expected.compare(&found)?;
        let name = file.display();
        if differences.is_empty() {
            writeln!(out, "{}  {name}: {}", styled(GOOD, "as expected"), expected.about)?;
            continue;
        }
        exit = Exit::Diverged;
        writeln!(out, "{}  {name}: {}", styled(BAD, "not as expected"), expected.about)?;
        changes::print(&differences, out)?;
    }
    Ok(exit)
}

fn make(arguments: &Arguments, path: &Path, name: &str, out: &mut dyn Write) -> Result<Exit> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(Usage(format!("--name {name}: use lower-case letters, digits and hyphens")).into());
    }
    let capture = arguments.out.join(format!("{name}.ramenlog"));
    if capture.exists() {
        return Err(Usage(format!("{} is there already: choose another --name", capture.display())).into());
    }
    let condition = arguments
        .holds
        .as_deref()
        .map(|text| predicate::parse(text).map_err(|wrong| Usage(format!("--holds: {wrong}"))));
    let condition = condition.transpose()?;
    let merged = Input::of(vec![path.to_owned()], false).read()?;
    let log = merged.logs.first().ok_or_else(|| anyhow!("no log"))?;
    if log.history.base().seq > Seq(0) {
        let first = log.history.base().seq.next();
        let message = format!(
            "{} begins with record {first}: the state before that cannot be made smaller; capture the log from its start",
            path.display()
        );
        return Err(Usage(message).into());
    }
    let records = whatif::records_until(&merged, 0, arguments.until.as_ref())?;
    let told = |err: anyhow::Error| anyhow!("{}: {err:#}", path.display());
    let whole = Baseline::new(State::empty(log.owner.operator), records.iter().cloned()).map_err(told)?;
    let goal = goal(arguments, &whole, condition)?;
    let small = smallest(arguments, &whole, &goal)?;
    let fixture = Anonymous::new(arguments, log, &small, &goal)?;
    let about = about(&goal, &fixture);
    let expected = Expected::of(about, log.owner.operator, &fixture.records, fixture.condition.as_deref())?;
    let holds = expected.holds.as_ref().is_none_or(|holds| holds.lasts);
    if matches!(goal, Goal::Diverges(_)) != expected.diverges.is_some() || !holds {
        return Err(anyhow!("what was made of {} does not show any more what it is to show", path.display()));
    }
    let (left, names) = (fixture.records.len(), fixture.names);
    fixture::write(&arguments.out, name, fixture.records, fixture.blobs, &expected)?;
    writeln!(out, "{}  {}", styled(BOLD, capture.display()), expected.about)?;
    writeln!(out, "  {left} of {} records, {names} names replaced", records.len())?;
    writeln!(out, "  {}", styled(DIM, format!("ramen-replay show {}", capture.display())))?;
    let expected = arguments.out.join(format!("{name}.expected.json"));
    writeln!(out, "  {}", styled(DIM, format!("ramen-replay test --check {}", expected.display())))?;
    Ok(Exit::Good)
}

/// What must stay.
fn goal(arguments: &Arguments, whole: &Baseline, condition: Option<predicate::Predicate>) -> Result<Goal> {
    if let Some(split) = &whole.again.split {
        let divergent = Divergent::new(&whole.recorded, split);
        return divergent
            .map(|divergent| Goal::Diverges(Box::new(divergent)))
            .ok_or_else(|| anyhow!("it cannot be told what the difference follows from"));
    }
    let goal = match condition {
        Some(predicate) => Goal::Holds(Box::new(predicate)),
        None => Goal::stands(&whole.again, arguments.drpc.as_deref())?,
    };
    if goal.is_met(&whole.start, &whole.again) {
        return Ok(goal);
    }
    Err(Usage("--holds: it never holds in this log (`bisect` tells more)".to_owned()).into())
}

/// A run of as few inputs as are needed.
fn smallest(arguments: &Arguments, whole: &Baseline, goal: &Goal) -> Result<Rerun> {
    let end = match goal {
        Goal::Diverges(divergent) => Some(divergent.input),
        _ => None,
    };
    let lines =
        whole.recorded.iter().map(|line| &line.record).take_while(|record| end.is_none_or(|end| record.seq <= end));
    let records: Vec<Record> = lines.cloned().collect();
    let base = Baseline::new(whole.start.clone(), records.iter().cloned())?;
    let started = records.iter().position(|record| matches!(record.payload, Payload::Started { .. }));
    let first = started.and_then(|index| records.get(index)).map(|record| record.seq);
    let needed = |seq: Seq| Some(seq) == end || Some(seq) == first;
    let run = |kept: &BTreeSet<Seq>| {
        let mut script = base.script();
        script.retain(|input| input.from.is_some_and(|seq| needed(seq) || kept.contains(&seq)));
        base.run(script)
    };
    let mut watch = Progress::new(arguments.within);
    let holds = |kept: &BTreeSet<Seq>| goal.is_met(&base.start, &run(kept));
    // What is about one thing goes together first; then each on its own.
    let mut groups: BTreeMap<String, Vec<Seq>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.payload.is_input() && !needed(record.seq)) {
        groups.entry(subject(record)).or_default().push(record.seq);
    }
    let flat = |groups: &[Vec<Seq>]| groups.iter().flatten().copied().collect::<BTreeSet<Seq>>();
    let groups = minimise(
        groups.into_values().collect(),
        |groups| holds(&flat(groups)),
        |left| watch.goes_on(&format!("{left} objects left")),
    );
    let kept = minimise(
        flat(&groups).into_iter().collect(),
        |left: &[Seq]| holds(&left.iter().copied().collect()),
        |left| watch.goes_on(&format!("{left} inputs left")),
    );
    watch.end(records.len(), kept.len());
    Ok(run(&kept.into_iter().collect()))
}

/// What an input is about.
fn subject(record: &Record) -> String {
    match &record.payload {
        Payload::Observed(fact) => fact.object().to_string(),
        Payload::Gone(object) => object.to_string(),
        Payload::Finished { slot, .. } => {
            format!("{slot} of {}", record.aggregate.as_ref().map(Aggregate::to_string).unwrap_or_default())
        }
        payload => payload.name().to_owned(),
    }
}

/// Tells on stderr how far it is, and when the time is up.
struct Progress {
    end: Instant,
    told: Instant,
    tried: usize,
    up: bool,
    terminal: bool,
}

impl Progress {
    fn new(ms: u64) -> Self {
        let now = Instant::now();
        let terminal = io::stderr().is_terminal();
        Self { end: now + Duration::from_millis(ms), told: now, tried: 0, up: false, terminal }
    }

    fn goes_on(&mut self, what: &str) -> bool {
        let now = Instant::now();
        self.tried += 1;
        self.up |= now >= self.end;
        let pause = if self.terminal { 1 } else { 10 };
        if now.duration_since(self.told) >= Duration::from_secs(pause) {
            self.told = now;
            let (start, end) = if self.terminal { ("\r\x1b[K", "") } else { ("", "\n") };
            eprint!("{start}ramen-replay: {} tries, {what}{end}", self.tried);
        }
        !self.up
    }

    fn end(&self, before: usize, left: usize) {
        let start = if self.terminal { "\r\x1b[K" } else { "" };
        let up = if self.up { "; the time was up before all was tried (--within)" } else { "" };
        eprintln!("{start}ramen-replay: of {before} records, {left} inputs are needed, after {} tries{up}", self.tried);
    }
}

/// A fixture without names.
struct Anonymous {
    records: Vec<Record>,
    blobs: Vec<Vec<u8>>,
    condition: Option<String>,
    names: usize,
}

impl Anonymous {
    fn new(arguments: &Arguments, log: &Log, small: &Rerun, goal: &Goal) -> Result<Self> {
        let mut names = Names::new(Patterns(arguments.keep.clone()));
        for line in &small.lines {
            names.collect(&line.record)?;
        }
        for word in &names.words {
            eprintln!("ramen-replay: the name {word:?} stays: it is a word of the operators");
        }
        let mut anonymiser = Anonymiser::new(&names);
        let originals: Vec<Record> = small.lines.iter().map(|line| line.record.clone()).collect();
        let known: Vec<BlobId> = log.history.blobs()?.into_iter().map(|(id, _)| id).collect();
        let blobs: Vec<Vec<u8>> =
            fixture::blobs(&originals, &known)?.into_iter().map(|id| anonymiser.blob(id)).collect();
        let renamed = originals.iter().map(|record| anonymiser.record(record)).collect::<Result<Vec<_>>>();
        let renamed = renamed.map_err(|err| anyhow!("{err:#}; --keep keeps a name"))?;
        // Decided again from the renamed inputs: ids and what is derived from names come out right.
        let again = Baseline::compared(State::empty(log.owner.operator), renamed, alike)?.again;
        unchanged(&again)?;
        let mut lines = again.lines;
        if let Goal::Diverges(divergent) = goal {
            diverge(&mut lines, divergent, small, &mut anonymiser)?;
        }
        let records: Vec<Record> = lines.into_iter().map(|line| line.record).collect();
        let condition = arguments.holds.as_deref().map(|text| anonymiser.condition(text));
        for record in &records {
            let text = serde_json::to_string(record)?;
            if let Some(name) = anonymiser.left_in(&text).first() {
                return Err(anyhow!("the name {name:?} would still be in record {}", record.seq));
            }
        }
        Ok(Self { records, blobs, condition, names: anonymiser.count() })
    }
}

/// Checks that renamed records are what their inputs lead to.
fn unchanged(again: &Rerun) -> Result<(), Usage> {
    let Some(split) = &again.split else { return Ok(()) };
    let told = |decision: Option<&Decision>| {
        decision.map_or("nothing".to_owned(), |(whose, payload)| format!("{whose}: {}", whatif::says(payload)))
    };
    let was = split.was.as_ref().map(|(_, was)| was);
    let body = |decision: Option<&Decision>| decision.and_then(|(_, payload)| serde_json::to_value(payload).ok());
    let fields = changes::between(&body(was).unwrap_or_default(), &body(split.now.as_ref()).unwrap_or_default());
    let field =
        fields.iter().find(|change| !change.path.ends_with(".id")).map(|field| format!(" ({})", field.line(200)));
    let (was, now) = (told(was), told(split.now.as_ref()));
    Err(Usage(format!(
        "with other names the log leads to other decisions: {now}, not {was}{}; a name that is also a word in messages \
         does that: keep it with --keep",
        field.unwrap_or_default()
    )))
}

/// Puts the recorded decision, which differs, in place of what is wanted.
fn diverge(lines: &mut Vec<Line>, divergent: &Divergent, small: &Rerun, anonymiser: &mut Anonymiser) -> Result<()> {
    let decided = goal::decided_after(&small.lines, divergent.input).unwrap_or_default();
    let agreed = divergent.agreed(&decided).ok_or_else(|| anyhow!("the difference is gone"))?;
    lines.truncate(lines.len().saturating_sub(decided.len()).saturating_add(agreed));
    let input = lines.iter().rev().map(|line| &line.record).find(|record| record.payload.is_input()).cloned();
    let input = input.ok_or_else(|| anyhow!("it has no inputs"))?;
    let last = lines.last().map_or(&input, |line| &line.record);
    let stamp = Stamp { count: last.stamp.count.saturating_add(1), ..last.stamp };
    let place = Record { seq: last.seq.next(), stamp, ..input.clone() };
    let record = match (&divergent.was, &divergent.next) {
        (Some((aggregate, payload)), _) => {
            let old = Record { aggregate: Some(aggregate.clone()), payload: payload.clone(), ..place };
            let mut new = Record { cause: Cause::Local(input.seq), ..anonymiser.record(&old)? };
            if let (Payload::Commanded { id, command, .. }, Some(whose)) = (&mut new.payload, &new.aggregate) {
                *id = CommandId::derive(&whose.to_string(), input.seq, &command.bytes());
            }
            new
        }
        // Something is wanted, and the log goes on with something else.
        (None, Some(next)) => {
            let next = anonymiser.record(next)?;
            Record { aggregate: next.aggregate, payload: next.payload, cause: Cause::Outside, ..place }
        }
        (None, None) => return Err(anyhow!("nothing comes after the difference")),
    };
    lines.push(Line { record, from: None });
    Ok(())
}

fn about(goal: &Goal, fixture: &Anonymous) -> String {
    match (goal, &fixture.condition) {
        (Goal::Diverges(_), _) => "its last decision is not what its inputs lead to".to_owned(),
        (Goal::Holds(_), Some(condition)) => format!("{condition} holds"),
        _ => "it leads to the same decisions".to_owned(),
    }
}
