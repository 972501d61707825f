//! Runs a plan: acts and faults at their moments, checks after every event, and what must be true at the end.

use std::{sync::Arc, time::Duration};

use ramen_sim::time::Time;

use crate::{
    plan::{Plan, Timed},
    tamper::Tamper,
    universe::{Turn, Universe},
};

/// How long an act that does not say how long may be waited for, beside the pause before it, before a run counts as one that
/// does not end.
const LIMIT: Duration = Duration::from_hours(3);

/// The rule that a scenario's own expectations break.
const EXPECTED: &str = "expected";
/// The rule that a story breaks whose next moment cannot come any more.
const GOES_ON: &str = "goes-on";
/// The rule that a story breaks whose next moment does not come.
const ENDS: &str = "ends";

/// Somebody who looks at every event of a run.
pub trait Watcher {
    /// Looks at what an event changed.
    ///
    /// # Errors
    /// What must not be.
    fn look(&mut self, universe: &Universe, turn: &Turn) -> Result<(), Violation>;
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule that does not hold: its short name.
    pub rule: &'static str,
    /// What was seen.
    pub what: String,
}

impl Violation {
    /// Whether it is the story that did not go on as it says, as opposed to a rule that always has to hold.
    pub fn is_the_storys(&self) -> bool {
        [EXPECTED, GOES_ON, ENDS].contains(&self.rule)
    }
}

/// How a run ended.
pub struct Ended {
    /// The universe as it was at the end.
    pub universe: Universe,
    /// What must not be, if it was.
    pub violation: Option<Violation>,
    /// When each act was done.
    pub acts: Vec<Time>,
    /// What could not be carried out, if that is the violation.
    pub undone: Option<Undone>,
}

/// A request that could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// By its number in the act that was to be done next.
    Act(usize),
    /// One of the faults.
    Fault(Timed),
}

/// Runs a plan to its end.
pub fn run(plan: &Plan, watchers: &mut [&mut dyn Watcher]) -> Ended {
    run_with(plan, watchers, None)
}

/// The same, with operators that are tampered with.
pub fn run_with(plan: &Plan, watchers: &mut [&mut dyn Watcher], tamper: Option<&Arc<dyn Tamper>>) -> Ended {
    let mut universe = Universe::new_with(&plan.outline, plan.seed, &plan.rules, tamper);
    universe.strict = plan.strict;
    let mut undone = None;
    let mut faults = plan.faults.clone();
    faults.sort();
    faults.reverse();
    let mut acts = Vec::new();
    let mut entered = universe.now();
    let mut ready: Option<Time> = None;
    // Whether the act's moment may have come since it was last asked: only if something changed.
    let mut news = true;
    let begin = universe.begin();
    let violation = loop {
        let Some(act) = plan.story.get(acts.len()) else { break None };
        // The act's moment.
        let patient_until = act.patience.map(|patience| entered + Duration::from_millis(patience));
        let asked = ready.is_none() && std::mem::take(&mut news);
        if ready.is_none()
            && (asked && act.when.holds(&universe).is_ok() || patient_until.is_some_and(|end| end <= universe.now()))
        {
            let unmet = act.expect.iter().filter_map(|expected| {
                let there = expected.holds(&universe).err()?;
                Some(format!("{expected}; but {there}"))
            });
            let unmet: Vec<String> = unmet.collect();
            if !unmet.is_empty() {
                let what = format!("when {}: {}", act.when, unmet.join("; and "));
                break Some(Violation { rule: EXPECTED, what });
            }
            ready = Some(universe.now() + Duration::from_millis(act.after));
        }
        if let Some(within) = act.within.filter(|_| ready.is_none())
            && universe.now().since(entered) > Duration::from_millis(within)
        {
            let there = act.when.holds(&universe).err().unwrap_or_default();
            let (moment, within) = (&act.when, crate::span::Span(within));
            break Some(Violation { rule: EXPECTED, what: format!("within {within}: {moment}; but {there}") });
        }
        if ready.is_some_and(|ready| ready <= universe.now()) {
            let stopped = act.what.iter().position(|what| {
                what.befall(&mut universe);
                universe.refused.is_some()
            });
            if let Some(what) = universe.refused.take() {
                undone = stopped.map(Undone::Act);
                break Some(Violation { rule: EXPECTED, what });
            }
            entered = universe.now();
            acts.push(entered);
            (ready, news) = (None, true);
            continue;
        }
        let fault = faults.last().map(|fault| begin + Duration::from_millis(fault.at));
        let stop = [ready, patient_until.filter(|_| ready.is_none()), fault].into_iter().flatten().min();
        match (universe.next(), stop) {
            (Some(next), Some(stop)) if stop < next => universe.pass_to(stop),
            (None, Some(stop)) => universe.pass_to(stop),
            (None, None) => {
                let why = act.when.holds(&universe).err().unwrap_or_default();
                break Some(Violation { rule: GOES_ON, what: format!("nothing happens any more, but {why}") });
            }
            (Some(_), _) => {
                let Some(turn) = universe.turn() else { continue };
                news |= !turn.touched.is_empty();
                if let Some(violation) = watchers.iter_mut().find_map(|watcher| watcher.look(&universe, &turn).err()) {
                    break Some(violation);
                }
            }
        }
        while faults.last().is_some_and(|fault| begin + Duration::from_millis(fault.at) <= universe.now()) {
            if let Some(fault) = faults.pop() {
                fault.what.befall(&mut universe);
                news = true;
                if undone.is_none() && universe.refused.is_some() {
                    undone = Some(Undone::Fault(fault));
                }
            }
        }
        if let Some(what) = universe.refused.take() {
            break Some(Violation { rule: EXPECTED, what });
        }
        let limit = LIMIT + Duration::from_millis(act.after + act.patience.unwrap_or_default());
        if act.within.is_none() && universe.now().since(entered) > limit {
            let (moment, why) = (&act.when, act.when.holds(&universe).err().unwrap_or_default());
            break Some(Violation { rule: ENDS, what: format!("still waiting after 3h: {moment}; but {why}") });
        }
    };
    Ended { universe, violation, acts, undone }
}
