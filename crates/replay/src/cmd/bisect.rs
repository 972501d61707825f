//! `bisect`: the first record after which a condition holds, or the first decision that two versions differ in.

use std::{io::Write, path::PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use ramen_events::{Aggregate, Seq, Stamp};
use serde_json::{Value, json};

use crate::{
    Exit, alter,
    causes::{self, How},
    cmd::{Format, whatif},
    input::Input,
    merge::Merged,
    moment::{clock_text, span_text},
    open::Usage,
    predicate::{self, Object, Predicate},
    rerun::{Baseline, Decision, Line, Split},
    spells::{self, Spell, Spells},
    state::State,
    table::{self, BOLD, DIM, NAME, WAITING, styled, terminal_width},
    why::told,
    why_lines,
};

/// Finds the first record after which a condition holds, or the first decision that two versions differ in
#[derive(Clone, Debug, Args)]
#[command(after_help = "Conditions:\n  drpc/app.status.progression == \"Cleaning Up\" for 5m\n  \
                  vrg/ns/app.status.conditions[DataReady].status != True\n  \
                  drpc/app.position.waits exists and not drpc/app.status.phase == Deployed\n\n  \
                  An object is kind/name or kind/namespace/name; a name with dots stands in quotes. DRPC, VRG, \
                  DRPolicy, DRCluster and DRClusterConfig look as kubectl shows them (status, metadata), with what is \
                  asked (spec) and where they stand (position.runbook, .action, .step, .waits.for, .waits.on). Other \
                  kinds have the fields that `show -o json` prints. [x] is the element of a list whose type, kind, name \
                  or key is x. There are ==, !=, exists, and, or, not, parentheses, and at the end: for DURATION.\n\n\
                  Examples:\n  ramen-replay bisect hub.ramenlog 'drpc/app-1.status.phase == FailedOver'\n  \
                  ramen-replay bisect hub.ramenlog 'drpc/app-1.position.step == \"Cleaning Up\" for 30s' c1.ramenlog\n  \
                  ramen-replay bisect hub.ramenlog --versions 1 2\n\n\
                  Exit codes: 0 the condition holds somewhere, or both versions decide the same; 1 it never holds, or \
                  they differ; 2 a file is damaged, cut off, or not a log; 64 wrong usage.")]
pub(super) struct Arguments {
    /// The log that is searched: a capture file, or the data directory of a stopped operator
    #[arg(value_name = "LOG")]
    log: PathBuf,

    /// What has to hold, in quotes
    #[arg(value_name = "CONDITION", required_unless_present = "versions")]
    condition: Option<String>,

    /// Other logs of the installation, for causes that lie there
    #[arg(value_name = "OTHER_LOG")]
    others: Vec<PathBuf>,

    /// Instead of a condition: the first decision that deciders of these two versions differ in
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with = "condition")]
    versions: Vec<u32>,

    /// Of damaged captures, read what is provably intact
    #[arg(long)]
    salvage: bool,

    /// How it is printed
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

/// A log that is searched, among others.
struct Search<'a> {
    merged: &'a Merged,
    log: usize,
    start: State,
    lines: Vec<Line>,
    arguments: &'a Arguments,
}

/// Runs it.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    let predicate = arguments.condition.as_deref().map(predicate::parse).transpose();
    let predicate = predicate.map_err(|wrong| Usage(format!("the condition: {wrong}")))?;
    arguments.versions.iter().try_for_each(|version| alter::check_version(*version))?;
    let paths = [arguments.log.clone()].into_iter().chain(arguments.others.iter().cloned());
    let merged = Input::of(paths.collect(), arguments.salvage).read()?;
    let log = merged.logs.iter().position(|log| log.path == arguments.log).context("the log")?;
    let of = merged.logs.get(log).context("the log")?;
    let start = State::at(of, of.history.base().seq)?;
    let lines = Line::recorded(whatif::records_until(&merged, log, None)?);
    let search = Search { merged: &merged, log, start, lines, arguments };
    match (predicate, arguments.versions.as_slice()) {
        (Some(predicate), _) => search.condition(&predicate, out),
        (None, [a, b]) => search.versions(*a, *b, out),
        (None, _) => Err(Usage("give a condition, or --versions A B".to_owned()).into()),
    }
}

impl Search<'_> {
    fn condition(&self, predicate: &Predicate, out: &mut dyn Write) -> Result<Exit> {
        let spells = spells::find(predicate, &self.start, &self.lines)?;
        for object in &spells.unseen {
            let path = self.arguments.log.display();
            eprintln!("ramen-replay: {path} never shows {object}; it shows {}", self.alike(object));
        }
        let first = spells.long.first();
        match self.arguments.output {
            Format::Json => writeln!(out, "{}", self.json(&spells, first))?,
            Format::Table => match first {
                Some(first) => self.print(predicate, &spells, first, out)?,
                None => self.print_never(predicate, &spells, out)?,
            },
        }
        Ok(if first.is_some() { Exit::Good } else { Exit::Diverged })
    }

    /// Objects of the same kind that the log shows.
    fn alike(&self, object: &Object) -> String {
        let mut names: Vec<String> = self
            .lines
            .iter()
            .filter_map(|line| match &line.record.payload {
                ramen_events::Payload::Observed(fact) => Some(fact.object()).filter(|id| id.kind == object.kind),
                _ => None,
            })
            .map(|id| Object { kind: id.kind, namespace: Some(id.namespace).filter(|n| !n.is_empty()), name: id.name })
            .map(|object| object.to_string())
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() { "none of that kind".to_owned() } else { names.join(", ") }
    }

    fn name(&self, seq: Seq) -> String {
        format!("{}#{seq}", self.merged.logs.get(self.log).map_or("?", crate::open::Log::name))
    }

    fn entry(&self, seq: Option<Seq>) -> Option<usize> {
        self.merged.at(self.log, seq?)
    }

    /// The aggregate that a condition is about first, if it is one of ours.
    fn aggregate(&self, predicate: &Predicate, at: Option<Seq>) -> Option<Aggregate> {
        let mut state = self.start.clone();
        for line in self.lines.iter().take_while(|line| at.is_none_or(|at| line.record.seq <= at)) {
            state.apply(&line.record);
        }
        predicate.objects().into_iter().find_map(|object| object.aggregate(&state))
    }

    fn json(&self, spells: &Spells<'_>, first: Option<&Spell>) -> Value {
        let spell = |spell: &Spell| {
            json!({
                "from": spell.from.map(|seq| self.name(seq)),
                "since": Stamp { time: spell.since, count: 0 }.to_string(),
                "to": spell.to.map(|seq| self.name(seq)),
                "until": Stamp { time: spell.until, count: 0 }.to_string(),
                "ms": spell.ms(),
            })
        };
        let chain = first.and_then(|first| self.entry(first.from)).map(|entry| self.chain(entry));
        json!({
            "condition": self.arguments.condition,
            "holds": first.is_some(),
            "first": first.map(spell),
            "last": spells.long.last().map(spell),
            "times": spells.long.len(),
            "too_short": spells.too_short.as_ref().map(spell),
            "chain": chain,
        })
    }

    fn chain(&self, entry: usize) -> Vec<crate::why::Told> {
        let links = causes::chain(self.merged, entry).into_iter();
        links.map(|link| told(self.merged, link.entry, link.how)).collect()
    }

    fn print(&self, predicate: &Predicate, spells: &Spells<'_>, first: &Spell, out: &mut dyn Write) -> Result<()> {
        let Some((seq, entry)) = first.from.and_then(|seq| Some((seq, self.entry(Some(seq))?))) else {
            writeln!(out, "it held already when the log begins")?;
            return self.print_span(spells, first, out);
        };
        let told = told(self.merged, entry, How::Recorded);
        let record = styled(NAME, &told.record);
        writeln!(out, "{record}  {}  is the first record after which it holds", styled(DIM, clock_text(first.since)))?;
        writeln!(out, "  {}", styled(BOLD, whatif::fitted(&told.says)))?;
        self.print_span(spells, first, out)?;
        writeln!(out, "\n  {}", styled(DIM, "how it came to this"))?;
        table::print_lines(&why_lines::chain(&self.chain(entry), terminal_width()), out)?;
        writeln!(out, "\n  {}", styled(DIM, "look next"))?;
        let logs = [&self.arguments.log].into_iter().chain(&self.arguments.others);
        let logs = logs.map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ");
        let log = self.arguments.log.display();
        if let Some(aggregate) = self.aggregate(predicate, Some(seq)) {
            writeln!(out, "    ramen-replay why {aggregate} {logs} --at {}", self.name(seq))?;
        }
        if seq.0 > 1 {
            writeln!(out, "    ramen-replay diff {log}@{} @{seq}", seq.0 - 1)?;
        }
        writeln!(out, "    ramen-replay whatif {log} --drop {}", self.input_before(seq))?;
        Ok(())
    }

    /// The input that a record is, or follows from.
    fn input_before(&self, seq: Seq) -> Seq {
        let before = self.lines.iter().rev().filter(|line| line.record.seq <= seq);
        before.map(|line| &line.record).find(|record| record.payload.is_input()).map_or(seq, |record| record.seq)
    }

    fn print_span(&self, spells: &Spells<'_>, first: &Spell, out: &mut dyn Write) -> Result<()> {
        let span = |spell: &Spell| {
            let (since, lasts) = (clock_text(spell.since), span_text(spell.ms()));
            match spell.to {
                Some(to) => format!("{since} to {} ({lasts}), until {}", clock_text(spell.until), self.name(to)),
                None => format!("{since} to the end of the log at {} ({lasts})", clock_text(spell.until)),
            }
        };
        writeln!(out, "  {}  {}", styled(DIM, "held  "), span(first))?;
        if let [_, .., last] = spells.long.as_slice() {
            writeln!(out, "  {}  {}", styled(DIM, "last  "), span(last))?;
            writeln!(out, "  {}  {} times", styled(DIM, "in all"), spells.long.len())?;
        }
        Ok(())
    }

    fn print_never(&self, predicate: &Predicate, spells: &Spells<'_>, out: &mut dyn Write) -> Result<()> {
        let short = spells.too_short.map(|spell| {
            let from = spell.from.map_or_else(|| "the start".to_owned(), |seq| self.name(seq));
            format!("; the longest that it held is {}, from {from}", span_text(spell.ms()))
        });
        let lasting =
            if predicate.lasting > 0 { format!(" for {}", span_text(predicate.lasting)) } else { String::new() };
        writeln!(out, "{}{lasting}{}", styled(WAITING, "it never holds"), short.unwrap_or_default())?;
        Ok(())
    }

    fn versions(&self, a: u32, b: u32, out: &mut dyn Write) -> Result<Exit> {
        let path = self.arguments.log.display();
        let records = |lines: &[Line]| lines.iter().map(|line| line.record.clone()).collect::<Vec<_>>();
        let baseline =
            Baseline::new(self.start.clone(), records(&self.lines)).map_err(|err| anyhow!("{path}: {err:#}"))?;
        let one = baseline.run_as(a, baseline.script());
        let mut start = self.start.clone();
        start.set_decider(a);
        let of_one = Baseline::new(start, records(&one.lines))?;
        let other = of_one.run_as(b, of_one.script());
        // Numbers of the first run are not those of the log.
        let recorded = |seq: Option<Seq>| {
            let line = one.lines.iter().find(|line| Some(line.record.seq) == seq)?;
            line.from
        };
        let split = other.split.as_ref();
        match (self.arguments.output, split) {
            (Format::Json, _) => {
                let value = self.versions_json(a, b, split, split.and_then(|split| recorded(split.input)));
                writeln!(out, "{value}")?;
            }
            (Format::Table, None) => {
                let decisions = one.lines.iter().filter(|line| !line.record.payload.is_input()).count();
                writeln!(out, "versions {a} and {b} decide the same: {decisions} decisions")?;
            }
            (Format::Table, Some(split)) => self.print_versions(a, b, split, recorded(split.input), out)?,
        }
        Ok(if split.is_some() { Exit::Diverged } else { Exit::Good })
    }

    fn versions_json(&self, a: u32, b: u32, split: Option<&Split>, because: Option<Seq>) -> Value {
        let decision = |(aggregate, payload): &Decision| json!({"aggregate": aggregate.to_string(), "says": whatif::says(payload), "payload": payload});
        json!({
            "versions": [a, b],
            "differ": split.is_some(),
            "because": because.map(|seq| self.name(seq)),
            "time": split.map(|split| Stamp { time: split.time, count: 0 }.to_string()),
            "decisions": split.map(|split| [split.was.as_ref().map(|(_, was)| decision(was)), split.now.as_ref().map(decision)]),
        })
    }

    fn print_versions(&self, a: u32, b: u32, split: &Split, because: Option<Seq>, out: &mut dyn Write) -> Result<()> {
        writeln!(out, "versions {a} and {b} differ from {} on", styled(BOLD, clock_text(split.time)))?;
        if let Some(entry) = self.entry(because) {
            let told = told(self.merged, entry, How::Recorded);
            let text = whatif::fitted(&format!("{}  {}", styled(NAME, &told.record), told.says));
            writeln!(out, "  {}  {text}", styled(DIM, "because of"))?;
        }
        whatif::print_decisions(
            [&format!("version {a}"), &format!("version {b}")],
            split.was.as_ref().map(|(_, was)| was),
            split.now.as_ref(),
            out,
        )?;
        if let Some(because) = because {
            let log = self.arguments.log.display();
            writeln!(out, "\n  {}", styled(DIM, "look next"))?;
            writeln!(out, "    ramen-replay show {log} --cause {}", self.name(because))?;
            writeln!(out, "    ramen-replay whatif {log} --with-version {b}")?;
        }
        Ok(())
    }
}
