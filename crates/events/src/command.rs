//! Commands: what a decision wants to be done.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{hub, spoke};

/// A wish, complete enough to be carried out without asking anybody.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum Command {
    /// Of the hub operator.
    Hub(hub::Command),
    /// Of the operator of a managed cluster.
    Spoke(spoke::Command),
}

impl Command {
    /// Its stored bytes, from which its id and its digest are derived.
    pub fn bytes(&self) -> Vec<u8> {
        #[expect(clippy::expect_used, reason = "encoding derived types into memory has no failing case")]
        bincode::encode_to_vec(self, bincode::config::standard()).expect("a command encodes")
    }

    /// Whether it writes the status of an object: what is told, with the times at which it became so.
    pub fn writes_status(&self) -> bool {
        match self {
            Self::Hub(command) => command.writes_status(),
            Self::Spoke(command) => command.writes_status(),
        }
    }

    /// The command's name, for tables and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hub(command) => command.name(),
            Self::Spoke(command) => command.name(),
        }
    }
}
