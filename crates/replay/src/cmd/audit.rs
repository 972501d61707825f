//! `audit`: evidence of drills and real actions.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use ramen_events::Time;
use serde_json::Value;

use crate::{
    Exit,
    anchors::Anchors,
    audit::{
        self, Scope,
        attest::{self, PublicKey, Signer},
        csv, html,
        report::{Action, Line, NOT_KNOWN, Objective, Report, Verdict},
        targets::Targets,
    },
    filter,
    input::Input,
    merge::Merged,
    moment::{Moment, clock_text, day_text, span_text},
    open::Usage,
    table::{BAD, BOLD, DIM, GOOD, NAME, Table, WAITING, styled},
};

/// Shows what was asked, done and reached, with the records that prove it: evidence of a drill or a real action
#[derive(Clone, Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Give the logs of the hub and of all managed clusters: what a missing log would tell is \"not known\".\n\n\
                  A file of targets (YAML); the most special one counts, and where no RPO is given, the policy's scheduling \
                  interval is it:\n  rto: 15m\n  policies: {gold: {rto: 5m, rpo: 10m}}\n  \
                  applications: {apps/app-1: {rto: 1m}}\n\n\
                  Examples:\n  ramen-replay audit *.ramenlog --drpc apps/app-1 --targets targets.yaml\n  \
                  ramen-replay audit *.ramenlog --format html -o drill.html\n  \
                  ramen-replay audit *.ramenlog --format intoto --sign key.pem -o drill.json\n  \
                  ramen-replay audit verify drill.json --key public.pem *.ramenlog\n\n\
                  Exit codes: 0 shown, whatever the results are; 2 a file is damaged, cut off, or not a log, or (shown all the same) not \
                  what the anchors tell; 64 wrong usage."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Sub>,

    #[command(flatten)]
    asked: Asked,
}

#[derive(Clone, Debug, Subcommand)]
enum Sub {
    Verify(Verify),
}

/// What a report is asked for.
#[derive(Clone, Debug, Args)]
struct Asked {
    #[command(flatten)]
    input: Input,

    /// Only this application: NAMESPACE/NAME of its DRPlacementControl, or part of that
    #[arg(long, value_name = "NAMESPACE/NAME")]
    drpc: Option<String>,

    /// Only applications of this DRPolicy
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,

    /// Only actions that ended later than this
    #[arg(long, value_name = "MOMENT")]
    since: Option<Moment>,

    /// Only actions that were asked for earlier than this
    #[arg(long, value_name = "MOMENT")]
    until: Option<Moment>,

    /// Wanted RTO and RPO (YAML)
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,

    /// What was noted elsewhere of the logs' ends: a file or a folder of anchors; `-` is stdin (see `verify --help`)
    #[arg(long, value_name = "FILE_OR_DIR")]
    anchors: Option<PathBuf>,

    /// In which form
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    format: Format,

    /// Private key that signs `--format intoto`: Ed25519, PKCS#8, PEM
    #[arg(long, value_name = "KEY.pem")]
    sign: Option<PathBuf>,

    /// Write to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// In which form a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, in a terminal
    #[default]
    Table,
    /// One JSON value a line: the report, each log, each action (docs/audit.schema.json)
    Jsonl,
    /// One table, for spreadsheets
    Csv,
    /// One page that needs nothing else: it can be mailed, opened without network, and printed
    Html,
    /// A signed in-toto statement in a DSSE envelope
    Intoto,
}

/// Checks that a signed report is what the key signed, and was made of these logs
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exit codes: 0 it was signed by this key and not changed since; 2 it was not, or a log is another \
                        one; 64 wrong usage."
)]
struct Verify {
    /// The signed report
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Public key: Ed25519, PEM
    #[arg(long, value_name = "PUB.pem")]
    key: PathBuf,

    /// Capture files that the report has to be about
    #[arg(value_name = "LOG")]
    logs: Vec<PathBuf>,
}

/// Runs it.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit> {
    match &arguments.command {
        Some(Sub::Verify(arguments)) => verify(arguments, out),
        None => report(&arguments.asked, out),
    }
}

fn report(asked: &Asked, out: &mut dyn Write) -> Result<Exit> {
    // What is wrong with the command line is said before logs are read.
    let signer = match (asked.format, &asked.sign) {
        (Format::Intoto, Some(key)) => Some(Signer::read(key)?),
        (Format::Intoto, None) => return Err(Usage("--format intoto needs a key: --sign KEY.pem".to_owned()).into()),
        (_, Some(_)) => return Err(Usage("--sign is for --format intoto".to_owned()).into()),
        (_, None) => None,
    };
    let targets = asked.targets.as_deref().map(Targets::read).transpose()?.unwrap_or_default();
    let anchors = asked.anchors.as_deref().map(Anchors::read).transpose()?;
    let merged = asked.input.read()?;
    let scope = Scope {
        application: asked.drpc.clone(),
        policy: asked.policy.clone(),
        since: time(&merged, asked.since.as_ref())?,
        until: time(&merged, asked.until.as_ref())?,
    };
    let report = audit::report(&merged, &scope, &targets, anchors.as_ref())?;
    let mut text = Vec::new();
    match (asked.format, signer) {
        (_, Some(signer)) => writeln!(text, "{}", attest::signed(&report, &signer)?)?,
        (Format::Jsonl, _) => lines(&report, &mut text)?,
        (Format::Csv, _) => text.extend(csv::table(&report).into_bytes()),
        (Format::Html, _) => text.extend(html::page(&report).into_bytes()),
        (Format::Table | Format::Intoto, _) => print(&report, &mut text)?,
    }
    match &asked.output {
        None => out.write_all(&text)?,
        Some(file) => {
            // Where it is no terminal, colours are of no use.
            let text =
                if asked.format == Format::Table { anstream::adapter::strip_bytes(&text).into_vec() } else { text };
            fs::write(file, &text).with_context(|| format!("could not write {}", file.display()))?;
            let actions = if report.actions.len() == 1 { "action" } else { "actions" };
            writeln!(out, "{}: {} {actions}", file.display(), report.actions.len())?;
        }
    }
    let mut exit = Exit::Good;
    for log in report.logs.iter().filter(|log| log.anchored.is_none()) {
        if let Some(why) = &log.anchors {
            eprintln!("ramen-replay: {}: {why}", log.file);
            exit = Exit::Unreadable;
        }
    }
    Ok(exit)
}

/// The time of a moment.
fn time(merged: &Merged, moment: Option<&Moment>) -> Result<Option<Time>> {
    let Some(moment) = moment else { return Ok(None) };
    let entry = filter::find(merged, moment)?.and_then(|index| merged.entries.get(index));
    let end = merged.entries.last().map_or(Time(0), |entry| entry.time);
    Ok(entry.map(|entry| entry.time).or_else(|| moment.time(end)))
}

fn lines(report: &Report, out: &mut dyn Write) -> Result<()> {
    let logs = report.logs.iter().map(Line::Log);
    let actions = report.actions.iter().map(Line::Action);
    for line in [Line::Report(&report.head)].into_iter().chain(logs).chain(actions) {
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
    }
    Ok(())
}

fn print(report: &Report, out: &mut dyn Write) -> Result<()> {
    for action in &report.actions {
        of_action(action, out)?;
    }
    if report.actions.is_empty() {
        writeln!(out, "no action falls into this period\n")?;
    }
    writeln!(out, "{}", styled(BOLD, "Logs"))?;
    let mut table = Table::new(&["LOG", "FILE", "RECORDS", "CHAIN", "LAST HASH"]);
    for log in &report.logs {
        let chain = if log.chain_verified { ("verified".to_owned(), GOOD) } else { ("not verified".to_owned(), BAD) };
        let plain = anstyle::Style::new();
        table.row(vec![
            (log.name.clone(), NAME),
            (log.file.clone(), plain),
            (format!("{} to {}", log.first, log.last), plain),
            chain,
            (log.hash.clone(), DIM),
        ]);
    }
    table.print(out)?;
    for log in report.logs.iter().filter(|log| log.anchored.is_some()) {
        writeln!(out, "{}: {}", styled(NAME, &log.name), log.anchors.as_deref().unwrap_or_default())?;
    }
    match report.head.gaps.as_slice() {
        [] => writeln!(out, "no gaps: every log is whole, and none is missing")?,
        gaps => {
            for gap in gaps {
                writeln!(out, "{}  {gap}", styled(WAITING, "gap"))?;
            }
        }
    }
    Ok(())
}

fn of_action(action: &Action, out: &mut dyn Write) -> Result<()> {
    let plain = anstyle::Style::new();
    writeln!(out, "{}  {}", styled(BOLD, &action.application), styled(BOLD, html::heading(action)))?;
    let request = &action.request;
    let mut line = |name: &str, text: String| writeln!(out, "  {}  {text}", styled(DIM, format!("{name:<12}")));
    let moment = |when: Time| format!("{} {}", day_text(when), clock_text(when));
    line("asked for", format!("{}  {}", moment(request.when.0), styled(NAME, &request.record)))?;
    for change in &request.changes {
        line("", change.line(100))?;
    }
    if !request.note.is_empty() {
        line("", request.note.clone())?;
    }
    let by = &request.by;
    let told_by = if by.record == NOT_KNOWN { String::new() } else { format!("  {}", styled(NAME, &by.record)) };
    line("asked by", format!("{}{told_by}", by.words()))?;
    line("policy", action.policy.clone())?;
    let moments = [("loss seen", &action.loss), ("available", &action.recovered), ("first pod", &action.pods_seen)];
    for (name, seen) in moments {
        if let Some(seen) = seen {
            line(name, format!("{}  {}  {}", clock_text(seen.when.0), styled(NAME, &seen.record), seen.what))?;
        }
    }
    line("result", format!("{}, {}", action.result.words(), span_text(action.took_ms)))?;
    if !action.objectives.is_empty() {
        writeln!(out)?;
        let mut table = Table::new(&["  OBJECTIVE", "OF", "REACHED", "TARGET", "RESULT", "EVIDENCE"]);
        for objective in &action.objectives {
            table.row(row(objective));
        }
        table.print(out)?;
        notes(&action.objectives, out)?;
    }
    writeln!(out)?;
    let mut table = Table::new(&["  STEP", "CLUSTER", "FROM", "TOOK", "COMMANDS", "RECORD", "WAITED LONGEST FOR"]);
    for step in &action.steps {
        let longest = step.waits.iter().max_by_key(|wait| wait.ms);
        let failed = step.commands.iter().filter(|command| command.outcome != "done").count();
        let count = step.commands.len();
        let commands = if failed > 0 { format!("{count}, {failed} not done") } else { count.to_string() };
        let waited = longest.map(|wait| format!("{}: {}", span_text(wait.ms), wait.what)).unwrap_or_default();
        table.row(vec![
            (format!("  {}", step.step), plain),
            (step.cluster.clone(), plain),
            (clock_text(step.from.0), DIM),
            (span_text(step.ms), plain),
            (commands, if failed > 0 { BAD } else { plain }),
            (step.record.clone(), NAME),
            (waited, DIM),
        ]);
    }
    table.print(out)?;
    for missing in &action.not_protected {
        writeln!(
            out,
            "  {}  {}: {}  {}",
            styled(WAITING, "not protected"),
            missing.what,
            missing.why,
            styled(NAME, &missing.record)
        )?;
    }
    for deviation in &action.deviations {
        let (when, kind) = (clock_text(deviation.when.0), deviation.kind.words());
        writeln!(
            out,
            "  {}  {when}  {}  {}",
            styled(WAITING, kind),
            deviation.what,
            styled(NAME, deviation.evidence.join(" "))
        )?;
    }
    writeln!(out)?;
    Ok(())
}

/// How things were counted, or why they are not known: each note once, with what it is about.
fn notes(objectives: &[Objective], out: &mut dyn Write) -> Result<()> {
    let mut notes: Vec<(&str, Vec<&str>)> = Vec::new();
    for objective in objectives.iter().filter(|objective| !objective.note.is_empty()) {
        let of = if objective.measure.is_rto() { objective.measure.words() } else { &objective.of };
        match notes.iter_mut().find(|(note, _)| *note == objective.note) {
            Some((_, about)) => about.push(of),
            None => notes.push((&objective.note, vec![of])),
        }
    }
    for (note, mut about) in notes {
        about.dedup();
        writeln!(out, "  {}", styled(DIM, format!("{}: {note}", about.join(", "))))?;
    }
    Ok(())
}

fn row(objective: &Objective) -> Vec<crate::table::Cell> {
    let plain = anstyle::Style::new();
    let span = |ms: Option<u64>, none: &str| ms.map_or_else(|| none.to_owned(), span_text);
    let style = match objective.result {
        Verdict::Pass => GOOD,
        Verdict::Fail => BAD,
        Verdict::NotKnown => WAITING,
    };
    vec![
        (format!("  {}", objective.measure.words()), plain),
        (objective.of.clone(), plain),
        (span(objective.reached_ms, "not known"), plain),
        (span(objective.target_ms, "none given"), plain),
        (objective.result.words().to_owned(), style),
        (objective.evidence.join(" "), NAME),
    ]
}

fn verify(arguments: &Verify, out: &mut dyn Write) -> Result<Exit> {
    let key = PublicKey::read(&arguments.key)?;
    let name = arguments.file.display();
    let text = fs::read_to_string(&arguments.file).with_context(|| format!("could not read {name}"))?;
    let statement = attest::checked(&text, &key).with_context(|| name.to_string())?;
    let subjects = statement.get("subject").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    writeln!(out, "signed      {name}: by this key, and not changed since")?;
    for log in &arguments.logs {
        check_log(log, subjects, out)?;
    }
    if arguments.logs.is_empty() {
        for subject in subjects {
            writeln!(out, "is about    {}", subject.get("name").and_then(Value::as_str).unwrap_or("?"))?;
        }
    }
    Ok(Exit::Good)
}

fn check_log(log: &Path, subjects: &[Value], out: &mut dyn Write) -> Result<()> {
    let digest = audit::sha256(log)?;
    let is = |subject: &&Value| subject.pointer("/digest/sha256").and_then(Value::as_str) == Some(&digest);
    let name = log.display();
    anyhow::ensure!(
        subjects.iter().any(|subject| is(&subject)),
        "{name}: the report was not made of this file (SHA-256 {digest}): it is another log, or was changed since"
    );
    Ok(writeln!(out, "same        {name}: the report was made of this file")?)
}
