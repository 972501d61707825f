//! What is said about one thing: a condition before it has a type and a time.

use ramen_api::ramen::wire::reason;
use ramen_events::{Condition, ConditionStatus, Time};

/// Status, reason and message of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it holds.
    pub status: ConditionStatus,
    /// From the vocabulary of spec vrg 7.3.
    pub reason: String,
    /// For people. It does not change by itself.
    pub message: String,
}

impl Verdict {
    /// It holds.
    pub fn yes(reason: &str, message: impl Into<String>) -> Self {
        Self { status: ConditionStatus::True, reason: reason.to_owned(), message: message.into() }
    }

    /// It does not hold.
    pub fn no(reason: &str, message: impl Into<String>) -> Self {
        Self { status: ConditionStatus::False, reason: reason.to_owned(), message: message.into() }
    }

    /// Nobody knows.
    pub fn unknown(reason: &str, message: impl Into<String>) -> Self {
        Self { status: ConditionStatus::Unknown, reason: reason.to_owned(), message: message.into() }
    }

    /// An expected wait.
    pub fn progressing(message: impl Into<String>) -> Self {
        Self::no(reason::PROGRESSING, message)
    }

    /// Something a person has to look at.
    pub fn error(message: impl Into<String>) -> Self {
        Self::no(reason::ERROR, message)
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.status == ConditionStatus::True
    }

    /// Whether the hub reads it as an error rather than as progress.
    pub fn is_bad(&self) -> bool {
        self.status != ConditionStatus::True
            && (reason::ERRORS.contains(&self.reason.as_str())
                || self.reason == reason::PEER_CLASS_NOT_FOUND
                || self.reason == reason::VRG_CAPTURE_ERROR
                || self.reason == reason::CAPTURE_ERROR)
    }

    /// The condition of type `kind` that says so about `generation`. Its transition time stays while status and generation
    /// stay (spec vrg 0.2).
    pub fn condition(&self, kind: &str, generation: i64, before: Option<&Condition>, now: Time) -> Condition {
        let since = before
            .filter(|before| before.status == self.status && before.generation == generation)
            .map_or_else(|| whole_seconds(now), |before| before.since);
        Condition {
            kind: kind.to_owned(),
            status: self.status,
            reason: self.reason.clone(),
            message: self.message.clone(),
            generation,
            since,
        }
    }
}

/// A moment as it comes back from an object, where times have whole seconds.
pub fn whole_seconds(now: Time) -> Time {
    Time(now.0 / 1000 * 1000)
}
