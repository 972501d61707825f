//! Facts and commands of the hub operator.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::ObjectId;

/// What the hub operator learns. The order is part of the stored form: append only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum Fact {}

impl Fact {
    /// The object that the fact is about.
    pub fn object(&self) -> ObjectId {
        match *self {}
    }
}

/// What the hub operator wants done. The order is part of the stored form: append only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum Command {}

impl Command {
    /// The command's name, for tables and logs.
    pub fn name(&self) -> &'static str {
        match *self {}
    }
}
