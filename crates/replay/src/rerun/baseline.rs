//! A log that is run again, unchanged or as a script says.

use anyhow::{Result, bail};
use ramen_events::{Payload, Record};
use ramen_projector::{DECIDER_VERSION, OLDEST_DECIDER};

use super::{Line, Lost, Rerun, Same, Script, run, same};
use crate::state::State;

/// A log that can be run again.
pub struct Baseline {
    /// The state before its first line.
    pub start: State,
    /// Its lines.
    pub recorded: Vec<Line>,
    /// What came of running it again unchanged.
    pub again: Rerun,
}

impl Baseline {
    /// Of the records of a log that follow the state `start`.
    ///
    /// # Errors
    /// When they were decided by deciders that this program does not have.
    pub fn new(start: State, records: impl IntoIterator<Item = Record>) -> Result<Self> {
        Self::compared(start, records, same)
    }

    /// As [`Baseline::new`], with another notion of which decisions are the same.
    ///
    /// # Errors
    /// As there.
    pub fn compared(start: State, records: impl IntoIterator<Item = Record>, same: Same) -> Result<Self> {
        let recorded = Line::recorded(records);
        for Line { record, .. } in &recorded {
            if let Payload::Started { decider, .. } = record.payload
                && !(OLDEST_DECIDER..=DECIDER_VERSION).contains(&decider)
            {
                let seq = record.seq;
                bail!(
                    "record {seq} and those after it were decided by deciders of version {decider}, this program has \
                     {OLDEST_DECIDER} to {DECIDER_VERSION}; use the ramen-replay of that release"
                );
            }
        }
        let again = run(&start, &recorded, Script::of(&recorded), (&Lost::new(), same));
        Ok(Self { start, recorded, again })
    }

    /// What changed runs are compared with: the recorded lines if they are what their inputs lead to; else what they
    /// lead to now.
    pub fn lines(&self) -> &[Line] {
        if self.again.split.is_some() { &self.again.lines } else { &self.recorded }
    }

    /// Their inputs, to be changed.
    pub fn script(&self) -> Script {
        Script::of(self.lines())
    }

    /// Runs a script made of them.
    pub fn run(&self, script: Script) -> Rerun {
        run(&self.start, self.lines(), script, (&self.again.lost, same))
    }

    /// Runs a script made of them with the deciders of another version.
    pub fn run_as(&self, version: u32, mut script: Script) -> Rerun {
        let mut start = self.start.clone();
        start.set_decider(version);
        script.set_decider(version);
        run(&start, self.lines(), script, (&self.again.lost, same))
    }
}

/// The state after lines that follow a state.
pub fn fold(start: &State, lines: &[Line]) -> State {
    let mut state = start.clone();
    for line in lines {
        state.apply(&line.record);
    }
    state
}
