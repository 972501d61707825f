//! What is printed about trials that failed, and the files that are left.

use std::{io::Write, path::Path};

use anyhow::Context as _;
use ramen_events::{
    Seq, capture,
    log::{History as _, MemoryLog, MemoryStore},
};
use ramen_trials::{
    coverage::Coverage,
    crowd::{Failed, Sum},
    shrink,
    trial::{Nobody, Verdict, trial},
};
use serde_json::{Value, json};

/// How many trials it may take to make a plan smaller.
const SHRINKING: usize = 80;

/// Tells of one failed trial: the rule, the line that repeats it, the smallest plan that does, what was waited for, and
/// where its logs are.
///
/// # Errors
/// When a file cannot be written.
pub fn failure(out: &mut dyn Write, failed: &Failed, repeat: &str, logs: &Path, shrinks: bool) -> anyhow::Result<()> {
    let Failed { plan, violation, .. } = failed;
    writeln!(out, "FAILED  {violation}")?;
    writeln!(out, "  repeat with: {repeat}")?;
    let (plan, violation) =
        if shrinks { shrink::shrink(plan, violation, SHRINKING) } else { (plan.clone(), violation.clone()) };
    let verdict = trial(&plan, &mut Nobody);
    if shrinks {
        writeln!(
            out,
            "  smallest plan found ({} acts, {} faults, {} mishaps): {violation}",
            plan.story.len(),
            plan.faults.len(),
            plan.rules.len()
        )?;
    }
    for act in &plan.story {
        writeln!(out, "    {}", serde_json::to_string(act)?)?;
    }
    for fault in &plan.faults {
        writeln!(out, "    at {} ms: {}", fault.at, serde_json::to_string(&fault.what)?)?;
    }
    for rule in &plan.rules {
        writeln!(out, "    {}", serde_json::to_string(rule)?)?;
    }
    for (whose, wait) in verdict.universe.waits() {
        writeln!(out, "  {whose}: {wait}")?;
    }
    for (at, mishap) in verdict.last_mishaps(8) {
        writeln!(out, "  {at} {mishap}")?;
    }
    std::fs::create_dir_all(logs).with_context(|| format!("cannot make {}", logs.display()))?;
    let written = logs.join("plan.json");
    std::fs::write(&written, serde_json::to_string_pretty(&plan)?)
        .with_context(|| format!("cannot write {}", written.display()))?;
    for file in captures(&verdict, logs, "")?.into_iter().chain(replaced(&verdict, logs, "")?) {
        writeln!(out, "  {file}")?;
    }
    Ok(())
}

/// The same for programs: what names the trial, and what became of it.
pub fn failed(failed: &Failed, mut named: Value, repeat: &str, folder: &Path) -> Value {
    named["rule"] = json!(failed.violation.rule);
    named["what"] = json!(failed.violation.what);
    named["repeat"] = json!(repeat);
    named["plan"] = json!(folder.join("plan.json"));
    named["logs"] = json!(folder);
    named
}

/// What became of all trials, for programs.
pub fn json(sum: &Sum, failures: Vec<Value>) -> Value {
    let never = sum.coverage.holes().into_iter().map(|(book, step)| format!("{book}/{step}"));
    json!({
        "trials": sum.trials, "events": sum.events, "seconds": sum.took.as_secs_f64(),
        "virtualSeconds": sum.virtual_time.as_secs_f64(), "failed": failures, "coverage": sum.coverage.json(),
        "neverReached": never.collect::<Vec<_>>(),
    })
}

/// So many of these.
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Writes the logs of a trial's operators; their paths.
///
/// # Errors
/// When a file cannot be written.
pub fn captures(verdict: &Verdict, folder: &Path, prefix: &str) -> anyhow::Result<Vec<String>> {
    let path = |whose: String| folder.join(format!("{prefix}{whose}.ramenlog"));
    verdict.logs().into_iter().map(|(whose, disk)| written(&disk, &path(whose))).collect()
}

/// Writes the logs of operators that were replaced, in a folder of their own: they are no part of the story that the others
/// tell together. Their paths.
///
/// # Errors
/// When a file cannot be written.
pub fn replaced(verdict: &Verdict, folder: &Path, prefix: &str) -> anyhow::Result<Vec<String>> {
    let (logs, folder) = (verdict.replaced_logs(), folder.join("replaced"));
    if !logs.is_empty() {
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let path = |number: usize, whose: String| folder.join(format!("{prefix}{whose}-{}.ramenlog", number + 1));
    logs.into_iter().enumerate().map(|(number, (whose, disk))| written(&disk, &path(number, whose))).collect()
}

fn written(disk: &MemoryStore, path: &Path) -> anyhow::Result<String> {
    let (log, shown) = (MemoryLog::open(disk), path.display().to_string());
    capture::write_file(&log, Seq(1), log.head().seq, path).with_context(|| format!("cannot write {shown}"))?;
    Ok(shown)
}

/// Which steps were reached and which gates shut.
///
/// # Errors
/// When nobody reads them.
pub fn coverage(out: &mut dyn Write, sum: &Sum) -> std::io::Result<()> {
    write!(out, "{}", sum.coverage.table())
}

/// Which steps were never reached.
///
/// # Errors
/// When nobody reads them.
pub fn holes(out: &mut dyn Write, sum: &Sum) -> std::io::Result<()> {
    sum.coverage.holes().iter().try_for_each(|(book, step)| writeln!(out, "never reached: {book}/{step}"))
}

/// The closing lines.
///
/// # Errors
/// When nobody reads them.
pub fn sum(out: &mut dyn Write, sum: &Sum) -> std::io::Result<()> {
    let (holes, all) = (sum.coverage.holes().len(), Coverage::steps());
    if sum.trials > 1 {
        writeln!(out, "{} of {all} steps were reached (--coverage shows which, and under which faults)", all - holes)?;
    }
    let seconds = sum.took.as_secs_f64();
    writeln!(
        out,
        "{}, {} failed; {} events, {:.1} virtual hours in {seconds:.1} s: {:.1} trials per second",
        counted(sum.trials, "trial"),
        sum.failed.len(),
        sum.events,
        sum.virtual_time.as_secs_f64() / 3600.0,
        sum.trials as f64 / seconds.max(0.001),
    )
}
