//! What the pipeline takes in, and what it hands to the executor.

use ramen_api::kinds::Resource;
use ramen_events::{Aggregate, Command, CommandId, ObjectId, Outcome, Seq};
use ramen_ports::Answer;
use serde_json::Value;

/// Something that happened outside. Watches are named by their place in the operator's table.
#[derive(Debug)]
pub(crate) enum Input {
    /// A watch starts to read a list.
    ListStarted(usize),
    /// The list shows an object.
    Listed(usize, Value),
    /// The list is complete.
    ListDone(usize),
    /// The API server does not serve the kind: it has no objects.
    NotServed(usize),
    /// A watch shows an object that is new or changed.
    Changed(usize, Value),
    /// A watch saw an object go.
    Deleted(usize, Value),
    /// A command was carried out, or not.
    Answered(Box<Answered>),
    /// An object was looked up.
    Looked(Box<Looked>),
}

/// A command on its way to the executor.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    /// Who wants it.
    pub(crate) aggregate: Aggregate,
    /// Its identity.
    pub(crate) id: CommandId,
    /// What it acts on, within the aggregate.
    pub(crate) slot: String,
    /// The command.
    pub(crate) command: Command,
    /// The record that commanded it.
    pub(crate) seq: Seq,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The command.
    pub(crate) flight: Flight,
    /// Its end.
    pub(crate) outcome: Outcome,
    /// One per effect that was carried out.
    pub(crate) answers: Vec<Answer>,
    /// What the API server showed of the objects that the command is about.
    pub(crate) sights: Vec<Sight>,
}

/// What an API server said of one object in an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sight {
    /// Its kind.
    pub(crate) resource: &'static Resource,
    /// Its namespace, or empty.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) name: String,
    /// The object; `None`: it is not there.
    pub(crate) object: Option<Value>,
}

/// An object to look up, because lists and answers disagree about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Which.
    pub(crate) id: ObjectId,
    /// Its kind.
    pub(crate) resource: &'static Resource,
    /// The version known when the question came up. If it still is when the answer comes, the answer is the truth.
    pub(crate) version: Option<u64>,
}

/// The answer to a look.
#[derive(Debug)]
pub(crate) struct Looked {
    /// The question.
    pub(crate) look: Look,
    /// The object; `None`: it is not there.
    pub(crate) object: Option<Value>,
}
