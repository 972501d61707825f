//! Which steps of which runbooks were reached while which faults were about: what is never reached is never tested.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use ramen_events::Payload;

use crate::{
    plan::Plan,
    run::{Violation, Watcher},
    seeds::Class,
    universe::{Turn, Universe},
};

/// How often each step was entered, by the classes of faults that had struck by then. `None`: no fault at all.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    steps: BTreeMap<(String, String), BTreeMap<Option<Class>, u64>>,
}

/// Collects the coverage of one plan.
pub struct Collector<'a> {
    plan: &'a Plan,
    /// What was found.
    pub coverage: Coverage,
}

impl<'a> Collector<'a> {
    /// A collector for a run of this plan.
    pub fn new(plan: &'a Plan) -> Self {
        Self { plan, coverage: Coverage::default() }
    }

    /// The classes of faults that have struck.
    fn struck(&self, universe: &Universe) -> BTreeSet<Class> {
        let elapsed = u64::try_from(universe.elapsed().as_millis()).unwrap_or(u64::MAX);
        let faults = self.plan.faults.iter().filter(|fault| fault.at <= elapsed);
        let rules = self.plan.rules.iter().filter(|rule| rule.from <= elapsed);
        let of_faults = faults.filter_map(|fault| Class::of(&fault.what));
        let of_rules = rules.filter_map(|rule| Class::of_mishap(rule.mishap));
        let outline = &self.plan.outline;
        let of_world = [(outline.shared, Class::Sharing), (outline.maintenance_modes, Class::Modes)];
        let of_world = of_world.into_iter().filter_map(|(is_so, class)| is_so.then_some(class));
        of_faults.chain(of_rules).chain(of_world).collect()
    }
}

impl Watcher for Collector<'_> {
    fn look(&mut self, universe: &Universe, turn: &Turn) -> Result<(), Violation> {
        for (_, records) in &turn.appended {
            for record in records {
                let Payload::Moved(position) = &record.payload else { continue };
                if position.step.is_empty() {
                    continue;
                }
                let struck = self.struck(universe);
                let step = self.coverage.steps.entry((position.runbook.clone(), position.step.clone())).or_default();
                if struck.is_empty() {
                    *step.entry(None).or_default() += 1;
                }
                for class in struck {
                    *step.entry(Some(class)).or_default() += 1;
                }
            }
        }
        Ok(())
    }
}

impl Coverage {
    /// Adds what another run reached.
    pub fn add(&mut self, other: &Self) {
        for (step, by_class) in &other.steps {
            let step = self.steps.entry(step.clone()).or_default();
            for (class, count) in by_class {
                *step.entry(*class).or_default() += count;
            }
        }
    }

    /// Steps that exist and were never reached: runbook and step.
    pub fn holes(&self) -> Vec<(&'static str, &'static str)> {
        existing().into_iter().filter(|(book, step)| !self.reached(book, step)).collect()
    }

    fn reached(&self, book: &str, step: &str) -> bool {
        self.steps.contains_key(&(book.to_owned(), step.to_owned()))
    }

    /// The table: a row a step, a column a class of faults; a dot where a step was never reached under it.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let widest = existing().iter().map(|(book, step)| book.len() + step.len() + 1).max().unwrap_or(0).max(40);
        let _ = write!(text, "{:widest$}  {:>9}", "STEP", "none");
        for class in Class::ALL {
            let _ = write!(text, " {:>9}", format!("{class:?}").to_lowercase());
        }
        text.push('\n');
        let mut rows: BTreeSet<(String, String)> = self.steps.keys().cloned().collect();
        rows.extend(existing().into_iter().map(|(book, step)| (book.to_owned(), step.to_owned())));
        for (book, step) in rows {
            let counts = self.steps.get(&(book.clone(), step.clone()));
            let count = |class: Option<Class>| counts.and_then(|counts| counts.get(&class)).copied();
            let shown = |class| count(class).map_or_else(|| "·".to_owned(), |count| count.to_string());
            let _ = write!(text, "{:widest$}  {:>9}", format!("{book}/{step}"), shown(None));
            for class in Class::ALL {
                let _ = write!(text, " {:>9}", shown(Some(*class)));
            }
            text.push('\n');
        }
        text
    }

    /// The same for programs.
    pub fn json(&self) -> serde_json::Value {
        let rows = self.steps.iter().map(|((book, step), by_class)| {
            let counts = by_class.iter().map(|(class, count)| {
                let class = class.map_or_else(|| "none".to_owned(), |class| format!("{class:?}").to_lowercase());
                (class, serde_json::json!(count))
            });
            let counts: serde_json::Map<_, _> = counts.collect();
            serde_json::json!({ "runbook": book, "step": step, "reached": counts })
        });
        rows.collect()
    }
}

/// All steps of all runbooks, by the names under which they are recorded.
fn existing() -> Vec<(&'static str, &'static str)> {
    let hub = ["deploy", "failover", "relocate", "deletion"].map(|book| (book, ramen_projector::hub::drpc_steps(book)));
    let spoke = ["primary", "secondary", "deletion"].map(|book| (book, ramen_projector::spoke::vrg_steps(book)));
    hub.into_iter().chain(spoke).flat_map(|(book, steps)| steps.into_iter().map(move |step| (book, step))).collect()
}
