//! Which steps and gates of which runbooks were reached while which faults were about: what is never reached is never tested.

mod table;

use std::collections::{BTreeMap, BTreeSet};

use ramen_events::Payload;

use crate::{
    plan::Plan,
    run::{Violation, Watcher},
    seeds::Class,
    universe::{Turn, Universe},
};

/// How often each step was entered, and each gate found shut, by the classes of faults that had struck by then. `None`: no
/// fault at all.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    steps: Reached<(String, String)>,
    /// By runbook, and what the gate waits for, without names.
    gates: Reached<(String, String)>,
}

type Reached<K> = BTreeMap<K, BTreeMap<Option<Class>, u64>>;

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

    /// The classes of faults that have struck: that were to befall the world by now, and mishaps that did happen.
    fn struck(&self, universe: &Universe) -> BTreeSet<Class> {
        let elapsed = u64::try_from(universe.elapsed().as_millis()).unwrap_or(u64::MAX);
        let faults = self.plan.faults.iter().filter(|fault| fault.at <= elapsed);
        let of_faults = faults.filter_map(|fault| Class::of(&fault.what));
        let of_mishaps = universe.struck().iter().filter_map(|mishap| Class::of_mishap(*mishap));
        let outline = &self.plan.outline;
        let of_world = [(outline.shared, Class::Sharing), (outline.maintenance_modes, Class::Modes)];
        let of_world = of_world.into_iter().filter_map(|(is_so, class)| is_so.then_some(class));
        of_faults.chain(of_mishaps).chain(of_world).collect()
    }
}

impl Watcher for Collector<'_> {
    fn look(&mut self, universe: &Universe, turn: &Turn) -> Result<(), Violation> {
        for (home, records) in &turn.appended {
            for record in records {
                let Payload::Moved(position) = &record.payload else { continue };
                if position.step.is_empty() {
                    continue;
                }
                let struck = self.struck(universe);
                let classes: Vec<Option<Class>> =
                    if struck.is_empty() { vec![None] } else { struck.into_iter().map(Some).collect() };
                let book = || position.runbook.clone();
                let gate = turn.gates.iter().find(|(at, _)| at.0 == *home && at.1 == record.seq).map(|(_, gate)| *gate);
                let step = gate.map_or_else(|| position.step.clone(), |gate| until(&position.step, gate));
                let step = self.coverage.steps.entry((book(), step)).or_default();
                classes.iter().for_each(|class| *step.entry(*class).or_default() += 1);
                if let Some(wait) = &position.wait {
                    let gate = self.coverage.gates.entry((book(), without_names(&wait.what))).or_default();
                    classes.iter().for_each(|class| *gate.entry(*class).or_default() += 1);
                }
            }
        }
        Ok(())
    }
}

impl Coverage {
    /// Adds what another run reached.
    pub fn add(&mut self, other: &Self) {
        for (all, more) in [(&mut self.steps, &other.steps), (&mut self.gates, &other.gates)] {
            for (what, by_class) in more {
                let counts = all.entry(what.clone()).or_default();
                for (class, count) in by_class {
                    *counts.entry(*class).or_default() += count;
                }
            }
        }
    }

    /// How many steps there are.
    pub fn steps() -> usize {
        existing().len()
    }

    /// Steps that exist and were never reached: runbook and step.
    pub fn holes(&self) -> Vec<(String, String)> {
        existing().into_iter().filter(|step| !self.steps.contains_key(step)).collect()
    }

    /// The tables: a row a step, then a row a gate that was shut; a column a class of faults; a dot where it was never
    /// reached under that.
    pub fn table(&self) -> String {
        let mut steps = self.steps.clone();
        for step in existing() {
            steps.entry(step).or_default();
        }
        format!("{}\n{}", table::rows("STEP", "/", &steps), table::rows("GATE", " waits for ", &self.gates))
    }

    /// The same for programs.
    pub fn json(&self) -> serde_json::Value {
        let rows = |named: &str, reached: &Reached<(String, String)>| -> Vec<serde_json::Value> {
            let row = |((book, what), by_class): (&(String, String), &BTreeMap<Option<Class>, u64>)| {
                let counts = by_class.iter().map(|(class, count)| {
                    let class = class.map_or_else(|| "none".to_owned(), Class::word);
                    (class, serde_json::json!(count))
                });
                let counts: serde_json::Map<_, _> = counts.collect();
                serde_json::json!({ "runbook": book, named: what, "reached": counts })
            };
            reached.iter().map(row).collect()
        };
        [rows("step", &self.steps), rows("gate", &self.gates)].concat().into()
    }
}

/// What a gate waits for, without the names of what it waits for this time, and without what others said; the first, if it
/// waits for several things.
fn without_names(what: &str) -> String {
    let words = [" (", ", ", "; "].iter().fold(what, |words, end| words.split(end).next().unwrap_or_default());
    let is_name = |word: &str| word != "S3" && word.contains(|c: char| c.is_ascii_digit() || c == '"');
    let word = |word: &str| match word.strip_suffix(':') {
        Some(name) if is_name(name) => "…:".to_owned(),
        _ if is_name(word) => "…".to_owned(),
        _ => word.to_owned(),
    };
    words.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// All steps of all runbooks, as they are counted; and the one that comes before them.
fn existing() -> Vec<(String, String)> {
    let hub = ["deploy", "failover", "relocate", "deletion"].into_iter().flat_map(|book| {
        let gates = ramen_projector::hub::drpc_gates(book).into_iter();
        gates.map(move |(step, gate)| (book.to_owned(), until(step, gate)))
    });
    let spoke = ["primary", "secondary", "deletion"].into_iter().flat_map(|book| {
        let steps = ramen_projector::spoke::vrg_steps(book).into_iter();
        steps.map(move |step| (book.to_owned(), step.to_owned()))
    });
    let contact = ("contact".to_owned(), "FirstContact".to_owned());
    std::iter::once(contact).chain(hub).chain(spoke).collect()
}

/// A step in words. Several of the hub's show the same progression; the gate tells which it is.
fn until(step: &str, gate: &str) -> String {
    format!("{step} until {}", gate.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    #[rstest]
    #[case("claim data-0: its VolumeReplication to be gone (and 1 more)", "claim …: its VolumeReplication to be gone")]
    #[case("copies to be deleted from S3 store s3-c2", "copies to be deleted from S3 store …")]
    #[case("claim data-1 to be created, claim data-0 to be created", "claim … to be created")]
    #[case("volumes to be restored and primary (DataReady is Error: no)", "volumes to be restored and primary")]
    fn a_gate_is_the_same_for_whatever_it_waits(#[case] what: &str, #[case] gate: &str) {
        assert_eq!(super::without_names(what), gate);
    }
}
