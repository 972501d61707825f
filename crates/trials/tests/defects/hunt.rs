//! Runs plans with a defect until a rule is broken.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use ramen_trials::{
    run::Violation,
    tamper::Tamper,
    trial::{Nobody, trial, trial_with},
};

use crate::{
    defect::{AtWork, Defect},
    plans::Which,
};

/// What became of a defect.
pub struct Hunted {
    /// It.
    pub defect: &'static Defect,
    caught: Option<(Which, Violation)>,
    /// Trials with the defect.
    pub trials: usize,
}

impl Hunted {
    /// The plan in which it was caught; empty when it was not.
    pub fn caught_in(&self) -> String {
        self.caught.as_ref().map(|(which, _)| which.name()).unwrap_or_default()
    }

    /// What is wrong, if something is.
    pub fn complaint(&self) -> Option<String> {
        let name = self.defect.name;
        let Some((which, violation)) = &self.caught else {
            let trials = self.trials;
            return Some(format!("NOT CAUGHT in {trials} trials: {name}. A rule is missing, or this is no defect"));
        };
        if self.defect.rules.contains(&violation.rule) {
            return None;
        }
        let (plan, rules) = (which.name(), self.defect.rules.join("\" or \""));
        Some(format!(
            "CAUGHT BY ANOTHER RULE: {name}, in {plan}, by {violation}. If that is as good as \"{rules}\", name it in the \
             defect's row"
        ))
    }
}

/// How plans end without a defect; what fails anyway proves nothing.
#[derive(Default)]
struct Sound(Mutex<BTreeMap<Which, bool>>);

impl Sound {
    fn passes(&self, which: &Which) -> bool {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(passes) = known().get(which) {
            return *passes;
        }
        let violation = trial(&which.plan(), &mut Nobody).violation;
        if let Some(violation) = &violation {
            eprintln!("{} is of no use, since it fails without any defect: {violation}", which.name());
            let is_story = !matches!(which, Which::Calm(_) | Which::Stormy(_));
            assert!(!is_story, "the stories have to pass");
        }
        known().insert(which.clone(), violation.is_none());
        violation.is_none()
    }
}

/// Hunts all of them, side by side on all cores; where it is `known` which plan caught a defect, that one comes first.
pub fn hunt(defects: &[&'static Defect], seeds: u64, known: &BTreeMap<String, String>) -> Vec<Hunted> {
    let (next, sound, hunted) = (AtomicUsize::new(0), Sound::default(), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(defect) = defects.get(index) else { return };
                    let found = one(defect, seeds, known.get(defect.name), &sound);
                    eprintln!("{}", line(&found));
                    hunted.lock().unwrap_or_else(PoisonError::into_inner).insert(index, found);
                }
            });
        }
    });
    hunted.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

fn one(defect: &'static Defect, seeds: u64, known: Option<&String>, sound: &Sound) -> Hunted {
    let mut trials = 0;
    let mut plans = Which::all(seeds);
    plans.sort_by_key(|which| known != Some(&which.name()));
    for which in plans {
        let tamper: Arc<dyn Tamper> = Arc::new(AtWork::new(defect));
        trials += 1;
        let violation = trial_with(&which.plan(), &mut Nobody, Some(&tamper)).violation;
        if let Some(violation) = violation
            && sound.passes(&which)
        {
            return Hunted { defect, caught: Some((which, violation)), trials };
        }
    }
    Hunted { defect, caught: None, trials }
}

/// Defect, rule that caught it, plan, trials needed.
pub fn table(hunted: &[Hunted]) -> String {
    let mut table = String::from("\n");
    for found in hunted {
        let _ = writeln!(table, "{}", line(found));
    }
    table
}

fn line(found: &Hunted) -> String {
    let (rule, plan) = match &found.caught {
        Some((which, violation)) => (violation.rule, which.name()),
        None => ("NOT CAUGHT", String::new()),
    };
    format!("{:<64} {rule:<46} {plan:<42} {:>3} trials", found.defect.name, found.trials)
}
