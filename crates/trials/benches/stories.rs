//! How many complete stories one core runs in a second: protect, failover, heal, relocate, unprotect, with all rules
//! checked after every event.
//!
//! `STORIES=20 stories` runs that many without criterion, for a profiler.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark stops at the first failure; criterion's macros")]

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group};
use mimalloc::MiMalloc;
use ramen_trials::{check::Checks, plan, run};

/// As in `ramen-sim`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Claims of the application.
const CLAIMS: usize = 2;

fn story(seed: u64) -> u64 {
    let verdict = run::run(&plan::canonical(seed, CLAIMS), &mut [&mut Checks::default()]);
    assert_eq!(verdict.violation, None, "seed {seed}");
    verdict.universe.events
}

fn stories(c: &mut Criterion) {
    let mut group = c.benchmark_group("trials");
    group.sample_size(20).measurement_time(Duration::from_secs(10)).throughput(Throughput::Elements(1));
    let mut seed = 0;
    group.bench_function("stories", |bencher| {
        bencher.iter(|| {
            seed += 1;
            story(seed)
        });
    });
    group.finish();
}

criterion_group!(benches, stories);

fn main() {
    if let Some(count) = std::env::var("STORIES").ok().and_then(|count| count.parse().ok()) {
        println!("{} events", (0..count).map(story).sum::<u64>());
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
