//! Plays a scenario.

use std::{fmt, time::Duration};

use super::{Entry, Scenario, check::word};
use crate::{
    happening::Happening,
    hazards::Frequency,
    plan::{Act, Plan, Timed},
    run::{Undone, Violation},
    span,
    trial::{Nobody, Verdict, trial, trial_without_rest},
    until::Until,
};

/// How a scenario went.
pub struct Played {
    /// The universe at its end, and the rule or expectation that did not hold.
    pub verdict: Verdict,
    /// Where in its file it stopped going as it should, if it did before its end.
    pub place: Option<Place>,
    /// What did not hold at the very end.
    pub end: Vec<Unmet>,
    /// What the file says that made no difference: faults that never came, mishaps that never happened.
    pub notes: Vec<String>,
}

/// Something that did not hold at the very end.
#[derive(Clone, Debug)]
pub struct Unmet {
    /// What was expected.
    pub expected: String,
    /// What was there instead.
    pub there: String,
    /// The line of the file that expects it.
    pub line: u64,
}

/// Where in its file a scenario stopped going as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before its timeline: applications were being deployed and protected.
    Beginning,
    /// An entry of the timeline asks for what did not come.
    At {
        /// Which, counted from 1.
        entry: usize,
        /// The line of the file that asks for it.
        line: u64,
    },
    /// A rule was broken before an entry of the timeline had its turn.
    Before {
        /// Which, counted from 1.
        entry: usize,
        /// The line of the file at which it begins.
        line: u64,
    },
    /// A fault could not befall the world.
    Fault {
        /// The line of the file that asks for it.
        line: u64,
    },
    /// After its timeline: everything was being mended, and came to rest.
    Rest,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beginning => f.write_str("before the timeline, while applications were deployed and protected"),
            Self::At { entry, line } => write!(f, "at entry {entry} of the timeline, line {line}"),
            Self::Before { entry, line } => write!(f, "before entry {entry} of the timeline, line {line}"),
            Self::Fault { line } => write!(f, "among the faults, line {line}"),
            Self::Rest => f.write_str("after the timeline"),
        }
    }
}

impl Played {
    /// Whether all went as expected.
    pub fn is_good(&self) -> bool {
        self.verdict.violation.is_none() && self.end.is_empty()
    }
}

impl Scenario {
    /// The scenario as a plan.
    pub fn plan(&self) -> Plan {
        let mut story = vec![Act::when(Until::Validated, [])];
        for application in &self.applications {
            let (app, on) = (application.name.value.clone(), application.on.value.clone());
            let under = application.under.as_ref().map(|policy| policy.value.clone());
            let claims = application.claims.value;
            let deploy = Happening::Deploy { app: app.clone(), claims, on: on.clone(), under: under.clone() };
            story.push(Act::when(Until::Now, [deploy]));
            if application.protected {
                let protect = Happening::Protect { app: app.clone(), on: on.clone(), under };
                story.push(Act::when(Until::Runs { app, on }, [protect]));
            }
        }
        story.extend(self.timeline.iter().map(|entry| &entry.value).map(|entry| Act {
            when: entry.when.as_ref().map_or(Until::Now, |when| when.value.clone()),
            after: entry.after.0,
            patience: entry.patience.map(|span| span.0),
            within: entry.limit().map(|span| span.0),
            expect: entry.expect.iter().map(|expected| expected.value.clone()).collect(),
            what: entry.what.iter().map(|what| what.value.clone()).collect(),
        }));
        let faults = self
            .faults
            .iter()
            .flat_map(|fault| fault.what.iter().map(|what| Timed { at: fault.at.0, what: what.value.clone() }));
        Plan {
            seed: self.seed,
            outline: self.world.value.clone(),
            story,
            faults: faults.collect(),
            rules: self.mishaps.iter().map(|rule| rule.value.clone()).collect(),
            strict: true,
        }
    }
}

impl Scenario {
    /// How many acts of the plan come before those of the timeline.
    pub(super) fn prologue(&self) -> usize {
        1 + self.applications.iter().map(|application| 1 + usize::from(application.protected)).sum::<usize>()
    }

    /// Where it stopped.
    fn place(&self, verdict: &Verdict, violation: &Violation) -> Place {
        if let Some(Undone::Fault(undone)) = &verdict.undone {
            let at_once = self.faults.iter().filter(|fault| fault.at.0 == undone.at);
            let asked = at_once.flat_map(|fault| &fault.what).find(|what| what.value == undone.what);
            return Place::Fault { line: asked.map_or(0, |what| what.referenced.line()) };
        }
        let Some(index) = verdict.acts.len().checked_sub(self.prologue()) else { return Place::Beginning };
        let Some(entry) = self.timeline.get(index) else { return Place::Rest };
        let line = entry.referenced.line();
        if !violation.is_the_storys() {
            return Place::Before { entry: index + 1, line };
        }
        Place::At { entry: index + 1, line: unmet_line(&entry.value, verdict).unwrap_or(line) }
    }
}

/// The line of what an entry asks for and did not get.
fn unmet_line(entry: &Entry, verdict: &Verdict) -> Option<u64> {
    if let Some(Undone::Act(index)) = verdict.undone {
        return entry.what.get(index).map(|what| what.referenced.line());
    }
    let holds = |until: &Until| until.holds(&verdict.universe).is_ok();
    // Who has patience goes on without the moment: then only an expectation can fail.
    let came = entry.patience.is_some() || entry.when.as_ref().is_none_or(|when| holds(&when.value));
    let asked = if came { entry.expect.iter().find(|expected| !holds(&expected.value)) } else { entry.when.as_ref() };
    asked.map(|until| until.referenced.line())
}

/// Plays a scenario to its end. A request that cannot be carried out fails it.
pub fn play(scenario: &Scenario) -> Played {
    play_plan(scenario, &scenario.plan())
}

/// Plays one that was made from logs: of what it asks for, not all may find its object there in time.
pub fn play_retold(scenario: &Scenario) -> Played {
    play_plan(scenario, &Plan { strict: false, ..scenario.plan() })
}

fn play_plan(scenario: &Scenario, plan: &Plan) -> Played {
    let verdict = if scenario.rests { trial(plan, &mut Nobody) } else { trial_without_rest(plan, &mut Nobody) };
    let place = verdict.violation.as_ref().map(|violation| scenario.place(&verdict, violation));
    let end = if place.is_some() { Vec::new() } else { unmet(scenario, &verdict) };
    let notes = if verdict.acts.len() == plan.story.len() { notes(scenario, &verdict) } else { Vec::new() };
    Played { verdict, place, end, notes }
}

/// What was written down for a timeline and never came in it.
fn notes(scenario: &Scenario, verdict: &Verdict) -> Vec<String> {
    let universe = &verdict.universe;
    let over = verdict.acts.last().map(|last| last.since(universe.begin())).unwrap_or_default();
    let late = scenario.faults.iter().filter(|fault| Duration::from_millis(fault.at.0) > over);
    let late = late.filter_map(|fault| Some((fault.at, fault.what.first()?.referenced.line())));
    let late = late.map(|(at, line)| {
        format!("line {line}: the fault at {at} never came: the timeline was over after {}", span::took(over))
    });
    let spared = scenario.mishaps.iter().zip(universe.fared()).filter(|(_, fared)| !fared.struck);
    let spared = spared.map(|(rule, fared)| {
        let (line, mishap) = (rule.referenced.line(), word(&rule.value.mishap));
        let why = match rule.value.frequency {
            _ if fared.met == 0 => "there were no such points".to_owned(),
            Frequency::Nth(nth) => format!("nth is {nth}, counted from 0, and there were {} such points", fared.met),
            Frequency::PerMille(_) => format!("chance spared all {} such points", fared.met),
        };
        format!("line {line}: {mishap} never happened: {why}")
    });
    late.chain(spared).collect()
}

/// What does not hold at the very end.
fn unmet(scenario: &Scenario, verdict: &Verdict) -> Vec<Unmet> {
    let unmet = scenario.end.iter().filter_map(|expected| {
        let there = expected.value.holds(&verdict.universe).err()?;
        Some(Unmet { expected: expected.value.to_string(), there, line: expected.referenced.line() })
    });
    unmet.collect()
}
