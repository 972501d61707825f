//! Plays the story and compares every object that the operators write with a recording of the same story as Ramen
//! plays it: names, labels, annotations, finalizers, spec fields, condition types, statuses and reasons, phases.
//!
//! The recording (`golden/recorded`) holds the objects at five milestones. What may differ is listed, each with its
//! reason, in `golden/differences.rs`; an unlisted difference fails, and so does a listed one that no longer occurs.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

#[path = "golden/differences.rs"]
mod differences;
#[path = "golden/flatten.rs"]
mod flatten;

use std::{collections::BTreeSet, fmt::Write, fs, path::Path, process::Command};

use differences::DIFFERENCES;
use flatten::Snapshot;

const MILESTONES: [&str; 5] = ["protected", "failed-over", "healed", "relocated", "unprotected"];

#[test]
fn objects_at_each_milestone_are_those_of_ramen_but_for_listed_differences() {
    let out = tempfile::tempdir().expect("a folder for the demo's output");
    let demo = Command::new(env!("CARGO_BIN_EXE_ramen-demo"))
        .args(["--apps", "1", "--pvcs", "2", "--out"])
        .arg(out.path())
        .output()
        .expect("ramen-demo starts");
    assert!(demo.status.success(), "the demo failed:\n{}", String::from_utf8_lossy(&demo.stderr));

    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/recorded");
    let mut report = String::new();
    let mut used = BTreeSet::new();
    for milestone in MILESTONES {
        let file = format!("{milestone}.json");
        let golden = Snapshot::read(&recorded.join(&file));
        let ours = Snapshot::read(&out.path().join("milestones").join(&file));
        for line in golden.differences(&ours) {
            match DIFFERENCES.iter().position(|known| known.covers(milestone, &line)) {
                Some(index) => drop(used.insert(index)),
                None => writeln!(report, "{milestone}: {line}").expect("writing to a string"),
            }
        }
    }
    if let Ok(keep) = std::env::var("GOLDEN_REPORT") {
        fs::write(keep, &report).expect("the report is written");
    }
    assert!(report.is_empty(), "differences that are not listed (- Ramen, + ours):\n{report}");
    let unused: Vec<_> = DIFFERENCES
        .iter()
        .enumerate()
        .filter(|(i, known)| !known.in_some_runs && !used.contains(i))
        .map(|(_, d)| d)
        .collect();
    assert!(unused.is_empty(), "listed, but no longer different: {unused:#?}");
}
