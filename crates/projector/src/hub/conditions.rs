//! Conditions that we report, and what to tell people when one turns bad.

use ramen_api::ramen::wire::reason;
use ramen_events::{
    Condition, ConditionStatus, Time,
    hub::{Event, Meta},
};

/// Reasons that stand for many faults.
const GENERAL: [&str; 2] = [reason::ERROR, reason::VALIDATION_FAILED];

/// Whole seconds, as the wire has them: what we compare with what we read back.
pub fn seconds(time: Time) -> Time {
    Time(time.0 - time.0 % 1000)
}

/// Writes the conditions of one object. The order of first writing is kept: it is wire contract for some kinds.
pub struct Conditions<'a> {
    now: Time,
    generation: i64,
    before: &'a [Condition],
    after: Vec<Condition>,
}

impl<'a> Conditions<'a> {
    /// Starts from what is there. Each condition that is written gets the object's generation.
    pub fn new(now: Time, meta: &Meta, before: &'a [Condition]) -> Self {
        Self { now: seconds(now), generation: meta.generation, before, after: before.to_vec() }
    }

    /// What a condition said before.
    pub fn before(&self, kind: &str) -> Option<&'a Condition> {
        self.before.iter().find(|condition| condition.kind == kind)
    }

    /// Sets a condition. Its time moves when its status or generation does (spec hub 0, set B).
    pub fn set(&mut self, kind: &str, status: ConditionStatus, reason: &str, message: impl Into<String>) {
        let same = |c: &&Condition| c.kind == kind && c.status == status && c.generation == self.generation;
        let since = self.before.iter().find(same).map_or(self.now, |before| before.since);
        let (message, generation) = (message.into(), self.generation);
        match self.after.iter_mut().find(|there| there.kind == kind) {
            Some(there) => {
                if there.reason != reason {
                    reason.clone_into(&mut there.reason);
                }
                (there.status, there.message, there.generation, there.since) = (status, message, generation, since);
            }
            None => {
                let (kind, reason) = (kind.to_owned(), reason.to_owned());
                self.after.push(Condition { kind, status, reason, message, generation, since });
            }
        }
    }

    /// Sets it to true.
    pub fn yes(&mut self, kind: &str, reason: &str, message: impl Into<String>) {
        self.set(kind, ConditionStatus::True, reason, message);
    }

    /// Sets it to false.
    pub fn no(&mut self, kind: &str, reason: &str, message: impl Into<String>) {
        self.set(kind, ConditionStatus::False, reason, message);
    }

    /// Says that nobody knows.
    pub fn unknown(&mut self, kind: &str, reason: &str, message: impl Into<String>) {
        self.set(kind, ConditionStatus::Unknown, reason, message);
    }

    /// Sets a condition to what it said before, at the present generation.
    pub fn keep(&mut self, kind: &str) -> bool {
        let Some(before) = self.before(kind) else { return false };
        self.set(kind, before.status, &before.reason, &before.message);
        true
    }

    /// Takes a condition away.
    pub fn remove(&mut self, kind: &str) {
        self.after.retain(|condition| condition.kind != kind);
    }

    /// All of them.
    pub fn finish(self) -> Vec<Condition> {
        self.after
    }
}

/// Tells people about conditions that turned to one of `bad` reasons since they were last written: once per turn, and
/// anew when a reason that stands for many faults tells of another one.
pub fn turned_bad(before: &[Condition], after: &[Condition], bad: &[&str]) -> Vec<Event> {
    let told = |now: &Condition| {
        before.iter().any(|b| {
            let another = GENERAL.contains(&now.reason.as_str()) && b.message != now.message;
            b.kind == now.kind && b.status == now.status && b.reason == now.reason && !another
        })
    };
    after
        .iter()
        .filter(|now| now.status != ConditionStatus::True && bad.contains(&now.reason.as_str()) && !told(now))
        .map(|now| Event { warning: true, reason: now.reason.clone(), message: now.message.clone() })
        .collect()
}
