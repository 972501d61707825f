//! One trial: a plan is run, everything is mended, and everything has to come to rest, with all rules checked on the way.

use std::{fmt, sync::Arc};

use ramen_events::log::MemoryStore;
use ramen_sim::time::Time;

use crate::{
    check::{self, Checks},
    plan::Plan,
    run::{self, Undone, Violation, Watcher},
    tamper::Tamper,
    universe::Universe,
};

/// How a trial ended.
pub struct Verdict {
    /// The universe at its end.
    pub universe: Universe,
    /// The rule that was broken, if one was.
    pub violation: Option<Violation>,
    /// When each act was done.
    pub acts: Vec<Time>,
    /// What could not be carried out, if that is the violation.
    pub undone: Option<Undone>,
}

/// Runs a plan, mends everything, and lets it come to rest. `also` looks at every event besides the rules.
pub fn trial(plan: &Plan, also: &mut dyn Watcher) -> Verdict {
    trial_with(plan, also, None)
}

/// The same, with operators that are tampered with.
pub fn trial_with(plan: &Plan, also: &mut dyn Watcher, tamper: Option<&Arc<dyn Tamper>>) -> Verdict {
    let mut checks = if tamper.is_some_and(|by| by.may_storm()) { Checks::but_for_storms() } else { Checks::default() };
    let ended = run::run_with(plan, &mut [&mut checks, also], tamper);
    let (mut universe, mut violation) = (ended.universe, ended.violation);
    if violation.is_none() {
        universe.mend();
        universe.spread();
        let rested = check::at_rest(&mut universe, &mut |universe, turn| {
            checks.look(universe, turn)?;
            also.look(universe, turn)
        });
        violation = rested.and_then(|()| checks.at_rest(&universe)).err();
    }
    Verdict { universe, violation, acts: ended.acts, undone: ended.undone }
}

/// Runs a plan and leaves everything as it is then.
pub fn trial_without_rest(plan: &Plan, also: &mut dyn Watcher) -> Verdict {
    let mut checks = Checks::default();
    let ended = run::run(plan, &mut [&mut checks, also]);
    Verdict { universe: ended.universe, violation: ended.violation, acts: ended.acts, undone: ended.undone }
}

/// Nobody who looks besides the rules.
pub struct Nobody;

impl Watcher for Nobody {
    fn look(&mut self, _: &Universe, _: &crate::universe::Turn) -> Result<(), Violation> {
        Ok(())
    }
}

impl Verdict {
    /// The logs of the operators: whose, and what is on its disk.
    pub fn logs(&self) -> Vec<(String, MemoryStore)> {
        self.universe.logs()
    }

    /// The logs of operators that were replaced, and may not have known it.
    pub fn replaced_logs(&self) -> Vec<(String, MemoryStore)> {
        self.universe.replaced_logs()
    }

    /// The last mishaps before the end.
    pub fn last_mishaps(&self, count: usize) -> Vec<(Time, String)> {
        let all = self.universe.mishaps();
        all.get(all.len().saturating_sub(count)..).unwrap_or_default().to_vec()
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}
