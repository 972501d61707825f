//! Nobody asks for the same again and again, whatever is broken: the world is in trouble already.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use ramen_events::{Aggregate, Payload};
use ramen_sim::time::Time;

use super::violated;
use crate::{
    run::Violation,
    universe::{Turn, Universe},
};

/// How long it is looked back.
const SPAN: Duration = Duration::from_mins(1);
/// How many commands of one name may be given in one slot of one aggregate in that time. Pauses between attempts double from a
/// quarter of a second to half a minute; things that really change come on top of that.
const MOST: usize = 40;

/// Who commands what, of whom, in which slot.
type Key = (String, Option<Aggregate>, String, &'static str);

/// When commands were given of late.
#[derive(Default)]
pub(super) struct Storms {
    given: BTreeMap<Key, VecDeque<Time>>,
    allowed: bool,
}

impl Storms {
    /// Sees none.
    pub(super) fn allowed() -> Self {
        Self { allowed: true, ..Self::default() }
    }

    pub(super) fn look(&mut self, universe: &Universe, turn: &Turn) -> Result<(), Violation> {
        let now = universe.now();
        for (by, records) in &turn.appended {
            // Two that believe that they lead overwrite what the other wrote, until one of them hears of the other.
            if universe.has_rival(by) {
                self.given.retain(|(operator, ..), _| operator != by);
                continue;
            }
            // Pauses begin anew with the process.
            if records.iter().any(|record| matches!(record.payload, Payload::Started { .. })) {
                self.given.retain(|(operator, ..), _| operator != by);
            }
            for record in records {
                let Payload::Commanded { slot, command, .. } = &record.payload else { continue };
                let key = (by.clone(), record.aggregate.clone(), slot.clone(), command.name());
                let given = self.given.entry(key).or_default();
                given.push_back(now);
                while given.front().is_some_and(|first| now.since(*first) > SPAN) {
                    given.pop_front();
                }
                if given.len() > MOST && !self.allowed {
                    let of = record.aggregate.as_ref().map(Aggregate::to_string).unwrap_or_default();
                    let what = format!(
                        "{} times {} in {slot} of {of} by the operator on {by} in one minute",
                        given.len(),
                        command.name()
                    );
                    return violated("N2 nobody storms", what);
                }
            }
        }
        Ok(())
    }
}
