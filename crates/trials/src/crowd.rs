//! Many trials, side by side on all cores, with their progress told.

use std::{
    io::{IsTerminal, Write as _},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    coverage::{Collector, Coverage},
    plan::Plan,
    run::Violation,
    trial::trial,
};

/// How often progress is told.
const TELL: Duration = Duration::from_secs(5);

/// A trial that failed.
pub struct Failed {
    /// Which one.
    pub index: usize,
    /// What it was.
    pub plan: Plan,
    /// The rule that was broken.
    pub violation: Violation,
}

/// What became of many trials.
#[derive(Default)]
pub struct Sum {
    /// How many ran.
    pub trials: usize,
    /// Events in all of them.
    pub events: u64,
    /// Virtual time of all of them.
    pub virtual_time: Duration,
    /// Real time.
    pub took: Duration,
    /// What was reached.
    pub coverage: Coverage,
    /// Those that failed, by number.
    pub failed: Vec<Failed>,
}

/// When to stop before all trials ran.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// After so many failures.
    pub failures: usize,
    /// After so much time; trials under way end.
    pub after: Option<Duration>,
}

/// Runs `count` trials on so many threads, or fewer where that is more than there are trials; `plan` tells what the i-th one is.
pub fn run_all(count: usize, jobs: usize, end: Stop, plan: &(dyn Fn(usize) -> Plan + Sync)) -> Sum {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let sum = Mutex::new(Sum::default());
    let start = Instant::now();
    let told = Mutex::new(start);
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(count).max(1) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    // One is run always: none would tell nothing.
                    let late = index > 0 && end.after.is_some_and(|after| start.elapsed() > after);
                    if index >= count || late || stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let plan = plan(index);
                    let mut collector = Collector::new(&plan);
                    let verdict = trial(&plan, &mut collector);
                    let coverage = std::mem::take(&mut collector.coverage);
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    sum.trials += 1;
                    sum.events += verdict.universe.events;
                    sum.virtual_time += verdict.universe.elapsed();
                    sum.coverage.add(&coverage);
                    if let Some(violation) = verdict.violation {
                        alarm(plan.seed, &violation);
                        sum.failed.push(Failed { index, plan, violation });
                        if sum.failed.len() >= end.failures {
                            stop.store(true, Ordering::Relaxed);
                        }
                    }
                    tell(&sum, count, start, &told);
                }
            });
        }
    });
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.took = start.elapsed();
    sum.failed.sort_by_key(|failed| failed.index);
    sum
}

/// Says at once what broke; the end may be hours away.
fn alarm(seed: u64, violation: &Violation) {
    let mut err = std::io::stderr();
    let begin = if err.is_terminal() { "\r" } else { "" };
    // Progress is a courtesy.
    let _ = writeln!(err, "{begin}seed {seed} breaks {}", violation.rule);
}

fn tell(sum: &Sum, count: usize, start: Instant, told: &Mutex<Instant>) {
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    if told.elapsed() < TELL {
        return;
    }
    *told = Instant::now();
    let rate = sum.trials as f64 / start.elapsed().as_secs_f64();
    let mut err = std::io::stderr();
    let (begin, end) = if err.is_terminal() { ("\r", "") } else { ("", "\n") };
    // Progress is a courtesy.
    let _ =
        write!(err, "{begin}{} of {count} trials, {rate:.1} per second, {} failed{end}", sum.trials, sum.failed.len());
    let _ = err.flush();
}
