//! A run is a function of its seed: two runs write the same logs, byte for byte.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should say so and stop")]

use ramen_events::{
    Payload, Seq, capture,
    log::{History as _, MemoryLog},
};
use ramen_trials::{
    happening::Happening,
    hazards::Mishap,
    seeds::{self, Class},
    trial::{Nobody, Verdict, trial},
};
use rstest::rstest;

/// A seed with stores that fail.
const SEED: u64 = 369;

/// What an operator's log holds.
#[derive(PartialEq)]
struct Log {
    whose: String,
    records: Vec<u8>,
    snapshots: Vec<(Seq, Vec<u8>)>,
    starts: Vec<Seq>,
}

fn logs(verdict: &Verdict) -> Vec<Log> {
    let logs = verdict.logs().into_iter().chain(verdict.replaced_logs());
    logs.map(|(whose, disk)| {
        let log = MemoryLog::open(&disk);
        let mut records = Vec::new();
        capture::write(&log, Seq(1), log.head().seq, &mut records).unwrap();
        let snapshots = log.snapshots().unwrap().into_iter().filter_map(|name| log.snapshot(name).unwrap());
        let snapshots = snapshots.map(|snapshot| (snapshot.seq, snapshot.bytes)).collect();
        let all = log.scan(Seq(1)).map(|record| record.unwrap().0);
        let starts = all.filter(|record| matches!(record.payload, Payload::Started { .. })).map(|record| record.seq);
        Log { whose, records, snapshots, starts: starts.collect() }
    })
    .collect()
}

/// A run in which a mishap struck, and an operator went on from a snapshot: the first among the seeds whose plans provide for
/// it. Which one that is changes whenever decisions do.
fn run_with(mishap: Mishap) -> (u64, Verdict) {
    let provides = |seed: &u64| seeds::plan(*seed, Class::ALL).rules.iter().any(|rule| rule.mishap == mishap);
    let runs = (0..3000).filter(provides).map(|seed| (seed, run(seed)));
    let went_on = |log: &Log| log.snapshots.iter().any(|(at, _)| log.starts.iter().any(|start| start > at));
    let mut fit = runs.filter(|(_, run)| run.universe.struck().contains(&mishap) && logs(run).iter().any(went_on));
    fit.next().expect("a seed in which that happens")
}

fn run(seed: u64) -> Verdict {
    trial(&seeds::plan(seed, Class::ALL), &mut Nobody)
}

#[rstest]
#[case::operators_die(Mishap::CrashBefore)]
#[case::operators_die_and_lose_tails(Mishap::CrashLosingTail)]
fn two_runs_of_one_seed_write_the_same_logs(#[case] mishap: Mishap) {
    let (seed, first) = run_with(mishap);
    let second = run(seed);
    assert_eq!(first.universe.mishaps(), second.universe.mishaps());
    let (first, second) = (logs(&first), logs(&second));
    assert_eq!(first.len(), second.len());
    for (one, other) in first.iter().zip(&second) {
        assert!(one == other, "the logs of {} differ", one.whose);
    }
}

#[test]
fn another_seed_is_another_run() {
    let plan = |seed| seeds::plan(seed, Class::ALL);
    assert_ne!(plan(SEED).story, plan(SEED + 1).story);
}

#[test]
fn leaving_a_class_of_faults_out_changes_nothing_else() {
    let without = Class::ALL.iter().copied().filter(|class| *class != Class::Stores).collect::<Vec<_>>();
    let (all, fewer) = (seeds::plan(SEED, Class::ALL), seeds::plan(SEED, &without));
    assert_eq!((&all.outline, &all.story, &all.rules), (&fewer.outline, &fewer.story, &fewer.rules));
    let (others, left_out): (Vec<_>, Vec<_>) = all.faults.iter().partition(|fault| fewer.faults.contains(fault));
    assert_eq!(others.len(), fewer.faults.len());
    assert!(left_out.iter().any(|fault| Class::of(&fault.what) == Some(Class::Stores)), "stores fail with it");
    let of_a_store = |what: &Happening| matches!(what, Happening::Store { .. } | Happening::EmptyStore { .. });
    assert!(left_out.iter().all(|fault| of_a_store(&fault.what)), "{left_out:?}");
}
