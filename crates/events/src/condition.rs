//! Conditions, as objects of the world carry them.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::stamp::Time;

/// Status of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Nobody knows.
    Unknown,
}

impl ConditionStatus {
    /// As written on the wire; anything unknown there reads as [`ConditionStatus::Unknown`].
    pub fn parse(text: &str) -> Self {
        match text {
            "True" => Self::True,
            "False" => Self::False,
            _ => Self::Unknown,
        }
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// One condition of an object's status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Condition {
    /// The condition's type.
    pub kind: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// One word, from the controller's vocabulary.
    pub reason: String,
    /// For people.
    pub message: String,
    /// The generation of the object that was looked at; 0 when not told.
    pub generation: i64,
    /// Last transition.
    pub since: Time,
}

impl Condition {
    /// Whether it is `True` and was judged at `generation`.
    pub fn is_true_at(&self, generation: i64) -> bool {
        self.status == ConditionStatus::True && self.generation == generation
    }
}
