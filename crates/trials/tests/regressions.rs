//! Seeds that once broke a rule, kept for ever: see `regressions.txt`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

use ramen_trials::{
    seeds::{self, Class},
    trial::{Nobody, trial},
};

const SEEDS: &str = include_str!("../regressions.txt");

#[test]
fn no_seed_that_once_broke_a_rule_does_so_again() {
    let lines = SEEDS.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut broken = Vec::new();
    for line in lines {
        let (seed, was) = line.split_once('#').unwrap_or((line, ""));
        let seed: u64 = seed.trim().trim_start_matches("seed").trim().parse().unwrap();
        if let Some(violation) = trial(&seeds::plan(seed, Class::ALL), &mut Nobody).violation {
            broken.push(format!("seed {seed} (it once was:{was}): {violation}"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
