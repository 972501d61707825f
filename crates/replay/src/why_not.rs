//! Why something is not so: what stands between here and there.

use ramen_events::{Aggregate, Condition, Controller, Position};
use ramen_projector::{hub::drpc_steps, spoke::vrg};

use crate::{open::Usage, state::State};

/// Phases of a DRPC, and the runbook that leads there.
const PHASES: [(&str, &str); 3] = [("Deployed", "deploy"), ("FailedOver", "failover"), ("Relocated", "relocate")];

/// Why an aggregate is not in a state: a phase, `Completed`, a step of its runbook, or a condition. One line each.
///
/// # Errors
/// [`Usage`] when there is no such state.
pub fn lines(state: &State, aggregate: &Aggregate, wanted: &str) -> Result<Vec<String>, Usage> {
    let position = state.position(aggregate);
    let steps = position.map(|position| steps(aggregate, &position.runbook)).unwrap_or_default();
    let is = |word: &str| word.eq_ignore_ascii_case(wanted);
    if let Some(condition) = conditions(state, aggregate).iter().find(|condition| is(&condition.kind)) {
        return Ok(vec![told(condition)]);
    }
    let Some(position) = position else {
        return Ok(vec![format!("{aggregate} has not begun anything yet")]);
    };
    if let Some((phase, runbook)) = PHASES.iter().find(|(phase, _)| is(phase)) {
        if phase_of(state, aggregate) == Some(*phase) {
            let rest =
                if position.step.is_empty() { "nothing is left to do".to_owned() } else { to_come(position, &steps) };
            return Ok(vec![format!("it is: the phase reported is {phase}; {rest}")]);
        }
        if position.runbook != *runbook && position.runbook != "contact" {
            let asked = asked(state, aggregate);
            return Ok(vec![format!("that is what a {runbook} leads to, but {asked}")]);
        }
        return Ok(vec![to_come(position, &steps)]);
    }
    if is("Completed") || is("complete") {
        return Ok(vec![if position.step.is_empty() {
            format!("it is: {} is complete since {}", position.action, position.since)
        } else {
            to_come(position, &steps)
        }]);
    }
    let Some(place) = steps.iter().position(|step| is(step)) else {
        let names = steps.iter().copied().chain(PHASES.map(|(phase, _)| phase)).chain(["Completed"]);
        let kinds = conditions(state, aggregate).into_iter().map(|condition| condition.kind);
        let all: Vec<String> = names.map(str::to_owned).chain(kinds).collect();
        return Err(Usage(format!("--not {wanted}: {aggregate} knows {}", all.join(", "))));
    };
    let here = steps.iter().position(|step| *step == position.step);
    Ok(vec![match here {
        None => format!("{} is complete since {}: that step is past", position.action, position.since),
        Some(here) if here > place => format!("that step is past: it is at {}", position.step),
        Some(here) if here == place => format!("it is at that step since {}", position.since),
        Some(here) => {
            let between = steps.get(here..place).unwrap_or_default().join(", ");
            format!("before that comes {between}; {}", waits(position))
        }
    }])
}

fn steps(aggregate: &Aggregate, runbook: &str) -> Vec<&'static str> {
    if aggregate.controller == Controller::Drpc { drpc_steps(runbook) } else { vrg::steps(runbook) }
}

fn waits(position: &Position) -> String {
    let wait = position.wait.as_ref().map(|wait| wait.sentence(position.since));
    wait.unwrap_or_else(|| format!("it is at {} since {}", position.step, position.since))
}

/// The steps from here to the end.
fn to_come(position: &Position, steps: &[&str]) -> String {
    let here = steps.iter().position(|step| *step == position.step);
    let left = here.and_then(|here| steps.get(here..)).unwrap_or_default();
    let left = if left.is_empty() { position.step.clone() } else { left.join(", ") };
    format!("still to be done: {left}; {}", waits(position))
}

fn asked(state: &State, aggregate: &Aggregate) -> String {
    let State::Hub(world) = state else { return "nobody asked for it".to_owned() };
    match world.domain.asked(&aggregate.namespace, &aggregate.name) {
        Some(asked) if asked.action.is_empty() => format!("spec.action is empty since {}", asked.since),
        Some(asked) => {
            format!("spec.action is {} (to {}) since {}", asked.action, asked.target, asked.since)
        }
        None => "nobody asked for anything".to_owned(),
    }
}

fn phase_of<'a>(state: &'a State, aggregate: &Aggregate) -> Option<&'a str> {
    let State::Hub(world) = state else { return None };
    world.domain.drpc(&aggregate.namespace, &aggregate.name).map(|fact| fact.status.phase.as_str())
}

fn conditions(state: &State, aggregate: &Aggregate) -> Vec<Condition> {
    match state {
        State::Hub(world) => {
            let fact = world.domain.drpc(&aggregate.namespace, &aggregate.name);
            fact.map(|fact| fact.status.conditions.clone()).unwrap_or_default()
        }
        State::Spoke(world) => {
            let key = ramen_events::spoke::Key::new(&aggregate.namespace, &aggregate.name);
            let status = world.domain.vrgs.get(&key).and_then(|vrg| vrg.status.as_ref());
            status.map(|status| status.conditions.clone()).unwrap_or_default()
        }
    }
}

fn told(condition: &Condition) -> String {
    let Condition { kind, status, reason, message, since, .. } = condition;
    format!("condition {kind} is {} ({reason}) since {since}: {message}", status.as_str())
}
