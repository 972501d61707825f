//! Makes a failing plan smaller: fewer acts, faults and mishaps, while it still breaks the same rule.

use crate::{
    plan::Plan,
    run::Violation,
    trial::{Nobody, trial},
};

/// The smallest plan found that breaks the same rule, within so many trials.
pub fn shrink(plan: &Plan, violation: &Violation, mut trials: usize) -> (Plan, Violation) {
    let (mut smallest, mut shown) = (plan.clone(), violation.clone());
    loop {
        let mut smaller = None;
        for candidate in candidates(&smallest) {
            if trials == 0 {
                return (smallest, shown);
            }
            trials -= 1;
            if let Some(found) = trial(&candidate, &mut Nobody).violation.filter(|found| found.rule == violation.rule) {
                smaller = Some((candidate, found));
                break;
            }
        }
        match smaller {
            Some((plan, violation)) => (smallest, shown) = (plan, violation),
            None => return (smallest, shown),
        }
    }
}

/// Plans with one thing less, the boldest first.
fn candidates(plan: &Plan) -> Vec<Plan> {
    let mut all = Vec::new();
    if !plan.rules.is_empty() {
        all.push(Plan { rules: Vec::new(), ..plan.clone() });
    }
    if !plan.faults.is_empty() {
        all.push(Plan { faults: Vec::new(), ..plan.clone() });
    }
    for half in halves(&plan.faults) {
        all.push(Plan { faults: half, ..plan.clone() });
    }
    for keep in 1..plan.story.len() {
        all.push(Plan { story: plan.story.iter().take(keep).cloned().collect(), ..plan.clone() });
    }
    for index in 0..plan.rules.len() {
        all.push(Plan { rules: without(&plan.rules, index), ..plan.clone() });
    }
    for index in 0..plan.faults.len() {
        all.push(Plan { faults: without(&plan.faults, index), ..plan.clone() });
    }
    for index in 0..plan.story.len() {
        all.push(Plan { story: without(&plan.story, index), ..plan.clone() });
    }
    if plan.outline.pairs > 1 {
        let mut smaller = plan.clone();
        (smaller.outline.pairs, smaller.outline.shared) = (1, false);
        all.push(smaller);
    }
    all
}

fn halves<T: Clone>(list: &[T]) -> Vec<Vec<T>> {
    if list.len() < 4 {
        return Vec::new();
    }
    let (first, second) = list.split_at(list.len() / 2);
    vec![first.to_vec(), second.to_vec()]
}

fn without<T: Clone>(list: &[T], index: usize) -> Vec<T> {
    list.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, item)| item.clone()).collect()
}
