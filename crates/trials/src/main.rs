//! `ramen-sim`.

use std::time::Instant;

use ramen_trials::{plan, run, seeds, trial, shrink};

fn main() {
    let start = Instant::now();
    let mode = std::env::args().nth(1).unwrap_or_default();
    let a: u64 = std::env::args().nth(2).and_then(|n| n.parse().ok()).unwrap_or(0);
    let b: u64 = std::env::args().nth(3).and_then(|n| n.parse().ok()).unwrap_or(1);
    let (mut events, mut secs, mut bad) = (0, 0.0, 0);
    for seed in a..b {
        if mode == "story" {
            let ended = run::run(&plan::canonical(seed, 2), &mut [&mut ramen_trials::check::Checks::default()]);
            events += ended.universe.events;
            secs += ended.universe.elapsed().as_secs_f64();
            if let Some(v) = ended.violation {
                println!("seed {seed}: {v}");
                for (at, what) in ended.universe.waits() { println!("  {at} {what}"); }
            }
            if b - a == 1 { println!("{:?}", ended.acts.iter().map(|a| a.0 - 1_767_225_600_000).collect::<Vec<_>>()); }
            continue;
        }
        let plan = seeds::plan(seed, seeds::Class::ALL);
        let verdict = trial::trial(&plan, &mut trial::Nobody);
        events += verdict.universe.events;
        secs += verdict.universe.elapsed().as_secs_f64();
        if let Some(v) = verdict.violation {
            bad += 1;
            println!("seed {seed}: {v}");
            if mode == "shrink" {
                let (small, v) = shrink::shrink(&plan, &v, 300);
                println!("{v}");
                println!("{}", serde_json::to_string_pretty(&small).unwrap_or_default());
                let again = trial::trial(&small, &mut trial::Nobody);
                for (at, what) in again.universe.waits() { println!("  {at} {what}"); }
                for (at, what) in again.last_mishaps(20) { println!("  {} {what}", at.0 - 1_767_225_600_000); }
            }
        }
    }
    println!("{} runs, {bad} bad, {events} events, {:.0} virtual s in {:?}", b - a, secs, start.elapsed());
}
