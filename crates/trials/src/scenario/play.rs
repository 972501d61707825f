//! Plays a scenario.

use super::Scenario;
use crate::{
    happening::Happening,
    plan::{Act, Plan, Timed},
    trial::{Nobody, Verdict, trial, trial_without_rest},
    until::Until,
};

/// How a scenario went.
pub struct Played {
    /// The universe at its end, and the rule or expectation that did not hold.
    pub verdict: Verdict,
    /// What did not hold at the very end: what was expected, what was there instead.
    pub end: Vec<(String, String)>,
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
            let claims = application.claims;
            let deploy = Happening::Deploy { app: app.clone(), claims, on: on.clone(), under: under.clone() };
            story.push(Act::when(Until::Now, [deploy]));
            if application.protected {
                let protect = Happening::Protect { app: app.clone(), on: on.clone(), under };
                story.push(Act::when(Until::Runs { app, on }, [protect]));
            }
        }
        story.extend(self.timeline.iter().map(|entry| Act {
            when: entry.when.as_ref().map_or(Until::Now, |when| when.value.clone()),
            after: entry.after.0,
            patience: entry.patience.map(|span| span.0),
            within: if entry.patience.is_some() { None } else { Some(entry.within.0) },
            expect: entry.expect.iter().map(|expected| expected.value.clone()).collect(),
            what: entry.what.iter().map(|what| what.value.clone()).collect(),
        }));
        let faults = self
            .faults
            .iter()
            .flat_map(|fault| fault.what.iter().map(|what| Timed { at: fault.at.0, what: what.value.clone() }));
        Plan {
            seed: self.seed,
            outline: self.world.clone(),
            story,
            faults: faults.collect(),
            rules: self.mishaps.iter().map(|rule| rule.value.clone()).collect(),
        }
    }
}

/// Plays a scenario to its end.
pub fn play(scenario: &Scenario) -> Played {
    let plan = scenario.plan();
    let verdict = if scenario.rests { trial(&plan, &mut Nobody) } else { trial_without_rest(&plan, &mut Nobody) };
    let end = match &verdict.violation {
        Some(_) => Vec::new(),
        None => scenario
            .end
            .iter()
            .filter_map(|expected| {
                let there = expected.value.holds(&verdict.universe).err()?;
                Some((expected.value.to_string(), there))
            })
            .collect(),
    };
    Played { verdict, end }
}
