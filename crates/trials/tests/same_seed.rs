//! A run is a function of its seed: two runs write the same logs, byte for byte.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

use ramen_events::{
    Seq, capture,
    log::{History as _, MemoryLog},
};
use ramen_trials::{
    seeds::{self, Class},
    trial::{Nobody, trial},
};

/// A seed with crashes, a rival and watches that miss things, and short enough.
const SEED: u64 = 17;

fn logs() -> Vec<(String, Vec<u8>)> {
    let verdict = trial(&seeds::plan(SEED, Class::ALL), &mut Nobody);
    let logs = verdict.logs().into_iter();
    logs.map(|(whose, disk)| {
        let log = MemoryLog::open(&disk);
        let mut bytes = Vec::new();
        capture::write(&log, Seq(1), log.head().seq, &mut bytes).unwrap();
        (whose, bytes)
    })
    .collect()
}

#[test]
fn two_runs_of_one_seed_write_the_same_logs() {
    let (first, second) = (logs(), logs());
    assert!(first.iter().all(|(_, log)| log.len() > 1000), "the operators wrote logs");
    for ((whose, one), (_, other)) in first.iter().zip(&second) {
        assert!(one == other, "the logs of {whose} differ");
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
    assert_eq!(all.story, fewer.story);
    let others: Vec<_> = all.faults.iter().filter(|fault| fewer.faults.contains(fault)).collect();
    assert_eq!(others.len(), fewer.faults.len());
}
