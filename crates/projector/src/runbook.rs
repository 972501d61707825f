//! Ordered work as a table: steps with a gate, commands and the progression that they show.
//!
//! A decider walks its runbook from the top each time and acts on the first step whose gate is shut. So the code reads
//! as the operator's manual would; `status.progression`, condition messages, `ramen-replay` and per-step durations
//! come from one list and cannot disagree.

use ramen_events::{ActionId, ClusterName, Position, Time, Wait};

/// One step of a runbook over the view `T` of an aggregate.
#[derive(Debug)]
pub struct Step<T: ?Sized + 'static, W: 'static> {
    /// The step's name: the progression that it shows.
    pub name: &'static str,
    /// The name of its gate: tells apart steps that show the same progression.
    pub done_when: &'static str,
    /// What must be observed for the step to be done.
    pub gate: fn(&T) -> Gate,
    /// The commands that bring it about, added to `W`. Only what is missing is wanted.
    pub act: fn(&T, &mut W),
}

/// A row of a runbook: the progression that it shows, the gate that says when it is done, and what brings it about.
macro_rules! step {
    ($name:expr, $gate:ident, $act:expr) => {
        $crate::runbook::Step { name: $name, done_when: stringify!($gate), gate: $gate, act: $act }
    };
}
pub(crate) use step;

/// Whether a step is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It is.
    Open,
    /// It is not; a shut gate always has words.
    Shut(Wait),
}

impl Gate {
    /// Open if `done`, else shut with these words.
    pub fn when(done: bool, wait: impl FnOnce() -> Wait) -> Self {
        if done { Self::Open } else { Self::Shut(wait()) }
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}

/// Words for a shut gate.
pub fn wait(what: impl Into<String>, on: Option<&ClusterName>, remedy: impl Into<String>) -> Wait {
    Wait { what: what.into(), on: on.cloned(), remedy: remedy.into() }
}

/// The step to act on: the first whose gate is shut. `None`: the runbook is complete.
pub fn current<'b, T: ?Sized, W>(book: &'b [Step<T, W>], view: &T) -> Option<(&'b Step<T, W>, Wait)> {
    book.iter().find_map(|step| match (step.gate)(view) {
        Gate::Open => None,
        Gate::Shut(wait) => Some((step, wait)),
    })
}

/// The position to record for what [`current`] found. [`crate::World`] keeps `since` while the step stays the same.
pub fn position<T: ?Sized, W>(
    runbook: &str,
    action: &ActionId,
    found: Option<&(&Step<T, W>, Wait)>,
    now: Time,
) -> Position {
    Position {
        runbook: runbook.to_owned(),
        action: action.clone(),
        step: found.map_or_else(String::new, |(step, _)| step.name.to_owned()),
        wait: found.map(|(_, wait)| wait.clone()),
        since: now,
    }
}
