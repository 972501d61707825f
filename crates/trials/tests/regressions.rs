//! Seeds that once broke a rule, kept for ever: see `regressions.txt`. Continuous integration runs all of them, in a release
//! build: `ramen-sim run --list crates/trials/regressions.txt`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

use ramen_trials::{
    crowd::{self, Stop},
    kept::{self, Kept},
    plan::Plan,
    seeds,
    trial::{Nobody, trial},
};

const SEEDS: &str = include_str!("../regressions.txt");

/// Plans that no seed makes, or as small as they get, that once broke a rule: which, and what it was.
const PLANS: [(&str, &str); 3] = [
    (
        include_str!("../regressions/late-put.plan.json"),
        "a put of the old home came after its successor took a store that had been out for a minute, and stayed there",
    ),
    (
        include_str!("../regressions/placed-elsewhere.plan.json"),
        "a failover was replaced while the hub wrote the placement: each cluster was asked to step down for the other",
    ),
    (
        include_str!("../regressions/one-store-further.plan.json"),
        "a failover took all from one store, and the other one, which answered, held a claim more",
    ),
];

/// A debug build takes ten times as long: it runs every so manieth, and says so.
const EVERY: usize = if cfg!(debug_assertions) { 4 } else { 1 };

#[test]
fn no_seed_that_once_broke_a_rule_does_so_again() {
    let all = kept::parse(SEEDS).unwrap();
    let tried: Vec<&Kept> = all.iter().step_by(EVERY).collect();
    if EVERY > 1 {
        println!("SKIPPED: {} of {} seeds; a release build runs all", all.len() - tried.len(), all.len());
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let stop = Stop { failures: usize::MAX, after: None };
    let sum = crowd::run_all(tried.len(), cores, stop, &|index| seeds::plan(tried[index].seed, tried[index].classes));
    let told = |failed: &crowd::Failed| {
        let Kept { seed, was, .. } = tried[failed.index];
        format!("seed {seed} (it once was: {was}): {}", failed.violation)
    };
    let broken: Vec<String> = sum.failed.iter().map(told).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn no_plan_that_once_broke_a_rule_does_so_again() {
    for (plan, was) in PLANS {
        let plan: Plan = serde_json::from_str(plan).unwrap();
        let broken = trial(&plan, &mut Nobody).violation;
        assert!(broken.is_none(), "{} (it once was: {was})", broken.unwrap());
    }
}
