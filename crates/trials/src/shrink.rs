//! Makes a failing plan smaller: fewer applications, acts, faults and mishaps, while it still breaks the same rule.

use std::collections::BTreeSet;

use crate::{
    plan::Plan,
    run::Violation,
    trial::{Nobody, trial},
};

/// The smallest plan found that breaks the same rule, within so many trials.
pub fn shrink(plan: &Plan, violation: &Violation, trials: usize) -> (Plan, Violation) {
    shrink_by(plan, violation, trials, &mut |plan| trial(plan, &mut Nobody).violation)
}

fn shrink_by(
    plan: &Plan,
    violation: &Violation,
    trials: usize,
    trial: &mut dyn FnMut(&Plan) -> Option<Violation>,
) -> (Plan, Violation) {
    let mut shrinking = Shrinking { smallest: plan.clone(), shown: violation.clone(), trials, trial };
    shrinking.boldly();
    // What was needed for something that is gone by now may go, too.
    while shrinking.all_in_turn() {}
    (shrinking.smallest, shrinking.shown)
}

struct Shrinking<'a> {
    smallest: Plan,
    shown: Violation,
    trials: usize,
    trial: &'a mut dyn FnMut(&Plan) -> Option<Violation>,
}

impl Shrinking<'_> {
    /// Takes a smaller plan if it breaks the same rule.
    fn try_out(&mut self, candidate: Plan) {
        if self.trials == 0 {
            return;
        }
        self.trials -= 1;
        if let Some(found) = (self.trial)(&candidate).filter(|found| found.rule == self.shown.rule) {
            (self.smallest, self.shown) = (candidate, found);
        }
    }

    /// Whole kinds of trouble, whole applications, and the second pair of clusters.
    fn boldly(&mut self) {
        if !self.smallest.rules.is_empty() {
            self.try_out(Plan { rules: Vec::new(), ..self.smallest.clone() });
        }
        if !self.smallest.faults.is_empty() {
            self.try_out(Plan { faults: Vec::new(), ..self.smallest.clone() });
        }
        let apps = apps(&self.smallest);
        for app in apps.iter().filter(|_| apps.len() > 1) {
            self.try_out(without_app(&self.smallest, app));
        }
        if self.smallest.outline.pairs > 1 {
            let mut smaller = self.smallest.clone();
            (smaller.outline.pairs, smaller.outline.shared) = (1, false);
            self.try_out(smaller);
        }
    }

    /// Leaves out what can be, many things at a time first, then one by one; whether anything was.
    fn all_in_turn(&mut self) -> bool {
        let before = self.smallest.clone();
        self.thin(|plan| plan.faults.len(), |plan, from, to| drop(plan.faults.drain(from..to)));
        self.thin(|plan| plan.rules.len(), |plan, from, to| drop(plan.rules.drain(from..to)));
        self.thin(|plan| plan.story.len(), |plan, from, to| drop(plan.story.drain(from..to)));
        self.smallest != before && self.trials > 0
    }

    fn thin(&mut self, len: fn(&Plan) -> usize, leave_out: fn(&mut Plan, usize, usize)) {
        let mut many = len(&self.smallest).div_ceil(2);
        while many > 0 {
            // From the end on: what comes last is most often what nobody gets to any more.
            let mut to = len(&self.smallest);
            while to > 0 {
                let from = to.saturating_sub(many);
                let mut candidate = self.smallest.clone();
                leave_out(&mut candidate, from, to);
                self.try_out(candidate);
                to = from;
            }
            many /= 2;
        }
    }
}

/// The applications that a plan is about.
fn apps(plan: &Plan) -> BTreeSet<String> {
    let acts = plan.story.iter().flat_map(|act| &act.what);
    acts.filter_map(|what| what.app()).map(str::to_owned).collect()
}

/// The same without one application: what is done to it, and what waits for it.
fn without_app(plan: &Plan, app: &str) -> Plan {
    let mut plan = plan.clone();
    plan.faults.retain(|fault| fault.what.app() != Some(app));
    for act in &mut plan.story {
        act.what.retain(|what| what.app() != Some(app));
        act.expect.retain(|until| until.app() != Some(app));
    }
    plan.story.retain(|act| act.when.app() != Some(app) && !(act.what.is_empty() && act.expect.is_empty()));
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        happening::Happening,
        plan::{Act, Timed},
        seeds::{self, Class},
        until::Until,
    };

    fn broken() -> Violation {
        Violation { rule: "X this is broken", what: String::new() }
    }

    fn relocates(plan: &Plan, app: &str) -> bool {
        let acts = plan.story.iter().flat_map(|act| &act.what);
        acts.into_iter().any(|what| matches!(what, Happening::Relocate { app: of, .. } if of == app))
    }

    #[test]
    fn what_a_failure_does_not_need_is_left_out() {
        let app = |name: &str| name.to_owned();
        let mut plan = seeds::plan(7, Class::ALL);
        for name in ["shop", "till", "cart"] {
            let on = "c1".to_owned();
            let deploy = Happening::Deploy { app: app(name), claims: 1, on: on.clone(), under: None };
            plan.story.push(Act::when(Until::Now, [deploy]));
            let runs = Until::Runs { app: app(name), on };
            plan.story.push(Act::when(runs, [Happening::Relocate { app: app(name), to: "c2".to_owned() }]));
        }
        let lost = Happening::Lose { cluster: "c2".to_owned() };
        plan.faults.extend((0..9).map(|at| Timed { at, what: Happening::BackUpHub }));
        plan.faults.push(Timed { at: 3, what: lost.clone() });
        let mut fails = |plan: &Plan| {
            let bad = relocates(plan, "till") && plan.faults.iter().any(|fault| fault.what == lost);
            bad.then(broken)
        };
        let (small, _) = shrink_by(&plan, &broken(), 80, &mut fails);
        assert_eq!(small.rules, []);
        assert_eq!(small.faults, [Timed { at: 3, what: lost.clone() }]);
        let left: Vec<&str> = small.story.iter().flat_map(|act| &act.what).map(|what| what.app().unwrap()).collect();
        assert_eq!(left, ["till"]);
    }

    #[test]
    fn another_broken_rule_is_another_failure() {
        let plan = seeds::plan(7, Class::ALL);
        let mut fails = |_: &Plan| Some(Violation { rule: "Y that is broken", what: String::new() });
        let (small, shown) = shrink_by(&plan, &broken(), 80, &mut fails);
        assert_eq!((small, shown.rule), (plan, "X this is broken"));
    }

    #[test]
    fn it_ends_when_trials_are_used_up() {
        let (plan, mut trials) = (seeds::plan(7, Class::ALL), 0);
        let mut fails = |_: &Plan| {
            trials += 1;
            None
        };
        shrink_by(&plan, &broken(), 5, &mut fails);
        assert_eq!(trials, 5);
    }
}
