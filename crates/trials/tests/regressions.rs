//! Seeds that once broke a rule, kept for ever: see `regressions.txt`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

use ramen_trials::{
    crowd::{self, Stop},
    seeds::{self, Class},
};

const SEEDS: &str = include_str!("../regressions.txt");

/// A debug build takes ten times as long: it runs every so manieth, and says so.
const EVERY: usize = if cfg!(debug_assertions) { 4 } else { 1 };

#[test]
fn no_seed_that_once_broke_a_rule_does_so_again() {
    let lines = SEEDS.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let seeds: Vec<(u64, &[Class], &str)> = lines
        .map(|line| {
            let (seed, was) = line.split_once('#').unwrap_or((line, ""));
            let (seed, classes) = match seed.trim().strip_suffix("classes").and_then(|seed| seed.split_once("of")) {
                Some((seed, classes)) => (seed, &Class::ALL[..classes.trim().parse().unwrap()]),
                None => (seed, Class::ALL),
            };
            (seed.trim().trim_start_matches("seed").trim().parse().unwrap(), classes, was)
        })
        .collect();
    let tried: Vec<(u64, &[Class], &str)> = seeds.iter().copied().step_by(EVERY).collect();
    if EVERY > 1 {
        println!("SKIPPED: {} of {} seeds; a release build runs all", seeds.len() - tried.len(), seeds.len());
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let stop = Stop { failures: usize::MAX, after: None };
    let sum = crowd::run_all(tried.len(), cores, stop, &|index| seeds::plan(tried[index].0, tried[index].1));
    let told = |failed: &crowd::Failed| {
        let (seed, _, was) = tried[failed.index];
        format!("seed {seed} (it once was:{was}): {}", failed.violation)
    };
    let broken: Vec<String> = sum.failed.iter().map(told).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
