//! Commands in flight, and the patience after failures.
//!
//! Deciders are level-triggered: they say what they want every time. What keeps that from becoming a storm is here,
//! once for all controllers: one command at a time per slot; after a failure a pause that doubles; and the same pause
//! when a command was done but is wanted again unchanged, since then it did not have the effect that was expected.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use ramen_events::{Aggregate, BlobId, Command, CommandId, Outcome, Time};
use serde::Serialize;

/// First pause after a failure, in milliseconds; doubles up to [`LONGEST_PAUSE_MS`].
const FIRST_PAUSE_MS: u64 = 250;
/// Longest pause between attempts, in milliseconds.
const LONGEST_PAUSE_MS: u64 = 30_000;
/// Pause after a write conflict, in milliseconds: the fresh object is usually already known.
const CONFLICT_PAUSE_MS: u64 = 50;
/// The first version of the deciders that remembers how storing a VRG's copy failed when the copy changes.
const COPIES_KEEP_FAILURES_SINCE: u32 = 11;

/// The first version of the deciders that remembers how writing a status failed when there is something else to write.
const STATUSES_KEEP_FAILURES_SINCE: u32 = 13;

/// Whether another wish of that kind in the same slot counts as a repetition after the failure of the last one. What is told of a
/// VRG's copy that can't be stored is a part of the copy: that must not make its failure look like news, or each telling would
/// lead to the next attempt, and that to the next telling. A status that can't be written says another time each second; the
/// object that it conflicts with is known in a moment.
fn fails_still(attempt: &Attempt, command: &Command, decider: u32) -> bool {
    let Some(failure) = &attempt.failure else { return false };
    let copy = decider >= COPIES_KEEP_FAILURES_SINCE && matches!(command, Command::Spoke(it) if it.is_vrg_copy());
    let refused = decider >= STATUSES_KEEP_FAILURES_SINCE && !matches!(failure, Outcome::Conflict { .. });
    copy || (refused && command.writes_status())
}

/// How the last command of a slot went.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Attempt {
    /// Which command.
    pub id: CommandId,
    /// The command itself while it is in flight: its outcome is folded with it.
    #[serde(skip)]
    pub command: Option<Command>,
    /// Digest of the command: the same wish again has the same.
    pub digest: BlobId,
    /// When it was decided.
    pub decided: Time,
    /// How it ended; `None` while in flight.
    pub outcome: Option<Outcome>,
    /// Ends without the wanted effect in a row, for this wish.
    pub failures: u32,
    /// Since when it fails, if it does.
    pub failing_since: Option<Time>,
    /// How it failed last; kept while a repetition is in flight, so that what is told of it does not flicker.
    pub failure: Option<Outcome>,
    /// Not before this moment again, for the same wish.
    pub not_before: Time,
}

/// All slots of all aggregates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Flights {
    #[serde(serialize_with = "crate::json::by_text")]
    slots: BTreeMap<Aggregate, BTreeMap<String, Attempt>>,
}

/// Whether a wish may become a command now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clearance {
    /// Go.
    Go,
    /// The slot is busy; its outcome will ask again.
    Busy,
    /// Wait until then.
    NotBefore(Time),
}

impl Flights {
    /// The last attempt in a slot.
    pub fn last(&self, aggregate: &Aggregate, slot: &str) -> Option<&Attempt> {
        self.slots.get(aggregate)?.get(slot)
    }

    /// Slots of an aggregate whose last finished attempt failed, with how: what conditions and `why` tell. A repetition
    /// in flight does not hide it.
    pub fn failing(&self, aggregate: &Aggregate) -> impl Iterator<Item = (&str, &Attempt)> {
        self.of(aggregate).filter(|(_, attempt)| attempt.failure.is_some())
    }

    /// The last attempt in each slot of an aggregate.
    pub fn of(&self, aggregate: &Aggregate) -> impl Iterator<Item = (&str, &Attempt)> {
        self.slots.get(aggregate).into_iter().flatten().map(|(slot, attempt)| (slot.as_str(), attempt))
    }

    /// Whether anything of the aggregate is in flight.
    pub fn in_flight(&self, aggregate: &Aggregate) -> usize {
        self.slots.get(aggregate).map_or(0, |slots| slots.values().filter(|a| a.outcome.is_none()).count())
    }

    /// When a command of the aggregate was decided last, those in this slot aside.
    pub fn newest(&self, aggregate: &Aggregate, but: &str) -> Option<Time> {
        let slots = self.slots.get(aggregate)?;
        slots.iter().filter(|(slot, _)| *slot != but).map(|(_, attempt)| attempt.decided).max()
    }

    /// May this wish become a command at `now`, by deciders of this version?
    pub fn clearance(
        &self,
        aggregate: &Aggregate,
        slot: &str,
        (command, digest): (&Command, BlobId),
        (now, decider): (Time, u32),
    ) -> Clearance {
        let Some(attempt) = self.last(aggregate, slot) else { return Clearance::Go };
        match &attempt.outcome {
            None => Clearance::Busy,
            Some(_) if fails_still(attempt, command, decider) && now < attempt.not_before => {
                Clearance::NotBefore(attempt.not_before)
            }
            // Nothing was heard: asking for something else will not be heard either.
            Some(Outcome::Unreachable { .. }) if now < attempt.not_before => Clearance::NotBefore(attempt.not_before),
            Some(_) if attempt.digest == digest && now < attempt.not_before => Clearance::NotBefore(attempt.not_before),
            Some(_) => Clearance::Go,
        }
    }

    /// A wish became a command, by deciders of this version.
    pub(crate) fn depart(
        &mut self,
        aggregate: &Aggregate,
        slot: &str,
        id: CommandId,
        command: &Command,
        (now, decider): (Time, u32),
    ) {
        let digest = BlobId::of(&command.bytes());
        let slots = self.slots.entry(aggregate.clone()).or_default();
        // A wish that comes back after a long rest starts afresh.
        let before = slots.get(slot).filter(|attempt| {
            (attempt.digest == digest || fails_still(attempt, command, decider))
                && now < attempt.not_before.plus_ms(LONGEST_PAUSE_MS)
        });
        let attempt = Attempt {
            id,
            command: Some(command.clone()),
            digest,
            decided: now,
            outcome: None,
            failures: before.map_or(0, |attempt| attempt.failures),
            failing_since: before.and_then(|attempt| attempt.failing_since),
            failure: before.and_then(|attempt| attempt.failure.clone()),
            not_before: now,
        };
        slots.insert(slot.to_owned(), attempt);
    }

    /// A command ended. Returns it, so that its outcome can be folded; `None` when it is not the one in flight (it
    /// belongs to a process that died).
    pub(crate) fn arrive(
        &mut self,
        aggregate: &Aggregate,
        slot: &str,
        id: CommandId,
        outcome: &Outcome,
        now: Time,
    ) -> Option<Command> {
        let attempt = self.slots.get_mut(aggregate)?.get_mut(slot)?;
        if attempt.id != id || attempt.outcome.is_some() {
            return None;
        }
        let pause = match outcome {
            // Wanted again although done: it had no effect. The first repetition may be a matter of order.
            Outcome::Done => pause(attempt.failures),
            Outcome::Conflict { .. } => CONFLICT_PAUSE_MS << attempt.failures.min(8),
            _ => pause(attempt.failures),
        };
        attempt.failures = attempt.failures.saturating_add(1);
        let is_met = matches!(&attempt.command, Some(Command::Hub(command)) if command.is_met_by(outcome));
        if outcome.is_done() || is_met {
            attempt.failing_since = None;
            attempt.failure = None;
        } else {
            attempt.failing_since.get_or_insert(now);
            attempt.failure = Some(outcome.clone());
        }
        attempt.not_before = now.plus_ms(pause);
        attempt.outcome = Some(outcome.clone());
        attempt.command.take()
    }

    /// The aggregate is no more.
    pub(crate) fn forget(&mut self, aggregate: &Aggregate) {
        self.slots.remove(aggregate);
    }

    /// A process died: nothing is in flight any more, and nothing is known of what was.
    pub(crate) fn lose_all(&mut self) {
        self.slots.clear();
    }
}

/// The pause after `failures` earlier ones, in milliseconds.
fn pause(failures: u32) -> u64 {
    (FIRST_PAUSE_MS << failures.min(16)).min(LONGEST_PAUSE_MS)
}

#[cfg(test)]
mod tests {
    use ramen_events::{Controller, hub};
    use rstest::rstest;

    use super::*;

    fn wish() -> Command {
        Command::Hub(hub::Command::CreateConfig)
    }

    fn of(command: &Command) -> (&Command, BlobId) {
        (command, BlobId::of(&command.bytes()))
    }

    fn other() -> Command {
        Command::Hub(hub::Command::CreateOpsNamespace { name: "other".into() })
    }

    fn fly(flights: &mut Flights, who: &Aggregate, now: Time, outcome: &Outcome) {
        let id = CommandId::derive("x", ramen_events::Seq(now.0), b"");
        flights.depart(who, "status", id, &wish(), (now, 1));
        flights.arrive(who, "status", id, outcome, now);
    }

    #[test]
    fn pauses_double_while_the_same_wish_fails_and_start_afresh_after_a_rest() {
        let who = Aggregate::new(Controller::Drpc, "ns", "app");
        let (mut flights, refused) =
            (Flights::default(), Outcome::Refused { code: 403, reason: "Forbidden".into(), message: String::new() });
        let mut now = Time(1_000);
        let mut pauses = Vec::new();
        for _ in 0..3 {
            fly(&mut flights, &who, now, &refused);
            let Clearance::NotBefore(at) = flights.clearance(&who, "status", of(&wish()), (now, 1)) else {
                panic!("no pause")
            };
            pauses.push(at.ms_since(now));
            now = at;
        }
        assert_eq!(pauses, [250, 500, 1000]);
        assert_eq!(flights.clearance(&who, "status", of(&other()), (now, 1)), Clearance::Go);
        let later = now.plus_ms(10 * LONGEST_PAUSE_MS);
        fly(&mut flights, &who, later, &refused);
        assert_eq!(
            flights.clearance(&who, "status", of(&wish()), (later, 1)),
            Clearance::NotBefore(later.plus_ms(250))
        );
    }

    fn status(since: u64) -> Command {
        let told = hub::DrClusterStatus { phase: since.to_string(), ..Default::default() };
        let told = Box::new(told);
        Command::Hub(hub::Command::WriteClusterStatus {
            cluster: "c1".into(),
            uid: "1".into(),
            status: told,
            events: vec![],
        })
    }

    #[rstest]
    #[case::refused(Outcome::Refused { code: 500, reason: "InternalError".into(), message: String::new() }, [250, 500, 1000])]
    #[case::it_takes_what_is_there_by_now(Outcome::Conflict { message: String::new() }, [0, 0, 0])]
    fn a_status_that_says_another_time_is_no_other_wish(#[case] outcome: Outcome, #[case] expected: [u64; 3]) {
        let who = Aggregate::new(Controller::DrCluster, "", "c1");
        let (mut flights, mut now, mut pauses) = (Flights::default(), Time(1_000), Vec::new());
        for n in 0..3 {
            let id = CommandId::derive("x", ramen_events::Seq(n), b"");
            flights.depart(&who, "status", id, &status(n), (now, 13));
            flights.arrive(&who, "status", id, &outcome, now);
            let next = match flights.clearance(&who, "status", of(&status(n + 1)), (now, 13)) {
                Clearance::NotBefore(at) => at,
                _ => now,
            };
            pauses.push(next.ms_since(now));
            now = next;
        }
        assert_eq!(pauses, expected);
    }

    #[test]
    fn what_exists_already_is_no_failure() {
        let who = Aggregate::new(Controller::Installation, "", "hub");
        let mut flights = Flights::default();
        let id = CommandId::derive("x", ramen_events::Seq(1), b"");
        let command = Command::Hub(hub::Command::CreateOpsNamespace { name: "ramen-ops".into() });
        flights.depart(&who, "ops-namespace", id, &command, (Time(0), 1));
        flights.arrive(&who, "ops-namespace", id, &Outcome::Conflict { message: "already exists".into() }, Time(1));
        assert_eq!(flights.failing(&who).count(), 0);
    }

    #[test]
    fn a_slot_is_busy_until_its_outcome_is_known() {
        let who = Aggregate::new(Controller::Drpc, "ns", "app");
        let mut flights = Flights::default();
        let id = CommandId::derive("x", ramen_events::Seq(1), b"");
        flights.depart(&who, "status", id, &wish(), (Time(0), 1));
        assert_eq!(flights.clearance(&who, "status", of(&wish()), (Time(99_999), 1)), Clearance::Busy);
        let stranger = CommandId::derive("x", ramen_events::Seq(2), b"");
        assert_eq!(flights.arrive(&who, "status", stranger, &Outcome::Done, Time(1)), None);
        assert_eq!(flights.arrive(&who, "status", id, &Outcome::Done, Time(1)), Some(wish()));
        assert_eq!(flights.clearance(&who, "other", of(&wish()), (Time(1), 1)), Clearance::Go);
    }
}
