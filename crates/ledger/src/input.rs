//! What the pipeline takes in, and what it hands to the executor.

use std::sync::Arc;

use ramen_api::kinds::Resource;
use ramen_events::{Aggregate, Command, CommandId, ObjectId, Outcome, Seq};
use ramen_ports::{Answer, Effect, Requirement};
use serde_json::Value;

/// Something that happened outside. Watches are named by their place in the operator's table; objects are never changed,
/// and shared with whoever told of them.
#[derive(Debug)]
pub enum Input {
    /// A watch starts to read a list.
    ListStarted(usize),
    /// The list shows an object.
    Listed(usize, Arc<Value>),
    /// The list is complete.
    ListDone(usize),
    /// The API server does not serve the kind: it has no objects.
    NotServed(usize),
    /// A watch shows an object that is new or changed.
    Changed(usize, Arc<Value>),
    /// A watch saw an object go.
    Deleted(usize, Arc<Value>),
    /// A command was carried out, or not.
    Answered(Box<Answered>),
    /// An object was looked up.
    Looked(Box<Looked>),
}

/// A command on its way to the executor.
#[derive(Clone, Debug)]
pub struct Flight {
    /// Who wants it.
    pub aggregate: Aggregate,
    /// Its identity.
    pub id: CommandId,
    /// What it acts on, within the aggregate.
    pub slot: String,
    /// The command.
    pub command: Command,
    /// The record that commanded it.
    pub seq: Seq,
    /// What has to be as it was seen when this was decided, or it is not carried out.
    pub grounds: Vec<Requirement>,
}

impl Flight {
    /// The calls that carry it out: what it stands on is asked first, then comes what it was `rendered` to.
    pub fn effects(&self, mut rendered: Vec<Effect>) -> Vec<Effect> {
        for ground in &self.grounds {
            ground.guard(&mut rendered);
        }
        self.grounds.iter().cloned().map(Effect::Require).chain(rendered).collect()
    }

    /// Whether it stands on this object.
    pub(crate) fn stands_on(&self, sight: &Sight) -> bool {
        self.grounds.iter().any(|ground| {
            let target = &ground.target;
            *target.resource == *sight.resource && target.namespace == sight.namespace && target.name == sight.name
        })
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Answered {
    /// The command.
    pub flight: Flight,
    /// Its end.
    pub outcome: Outcome,
    /// One per effect that was carried out.
    pub answers: Vec<Answer>,
    /// What the API server showed of the objects that the command is about.
    pub sights: Vec<Sight>,
}

/// What an API server said of one object in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// Its kind.
    pub resource: &'static Resource,
    /// Its namespace, or empty.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The object; `None`: it is not there.
    pub object: Option<Arc<Value>>,
}

/// An object to look up, because lists and answers disagree about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Which.
    pub id: ObjectId,
    /// Its kind.
    pub resource: &'static Resource,
    /// The version known when the question came up. If it still is when the answer comes, the answer is the truth.
    pub version: Option<u64>,
}

/// The answer to a look.
#[derive(Debug)]
pub struct Looked {
    /// The question.
    pub look: Look,
    /// The object; `None`: it is not there.
    pub object: Option<Arc<Value>>,
}
