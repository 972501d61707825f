//! What became of a command.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The answer to a command. Texts never hold credentials.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub enum Outcome {
    /// Took effect.
    Done,
    /// Somebody else wrote the object first: look again, then decide again.
    Conflict {
        /// Which object, and who holds it when that is known.
        message: String,
    },
    /// The other side understood and said no.
    Refused {
        /// HTTP status code.
        code: u16,
        /// One word: the API's reason, or the store's error code.
        reason: String,
        /// The text that came with it.
        message: String,
    },
    /// Nobody answered, and the request cannot have taken effect.
    Unreachable {
        /// What failed.
        message: String,
    },
    /// It may or may not have taken effect: only observation can tell.
    Unknown {
        /// Why that is so.
        message: String,
    },
}

impl Outcome {
    /// Whether the command took effect.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// The text of a failure.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Done => None,
            Self::Conflict { message }
            | Self::Refused { message, .. }
            | Self::Unreachable { message }
            | Self::Unknown { message } => Some(message),
        }
    }
}
