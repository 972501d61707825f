//! What the hub operator reads and writes, against objects of a recorded installation (`tests/data`) and against the
//! agents that its works and views are for.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail them")]

mod agents;
mod answers;
mod objects;
mod render;
mod round_trip;

use ramen_events::{BlobId, Command, CommandId, Fact, Kind, hub};
use ramen_hub::HubOperator;
use ramen_ports::{Blobs, Effect, Operator as _};
use serde_json::Value;
use uuid::Uuid;

/// The operator's namespace.
pub const SYSTEM: &str = "ramen-system";

/// The id of the command that is rendered.
pub fn id() -> CommandId {
    CommandId(Uuid::from_u128(7))
}

/// A recorded object.
pub fn recorded(name: &str) -> Value {
    let path = format!("{}/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|err| panic!("{path}: {err}"));
    serde_json::from_str(&text).unwrap_or_else(|err| panic!("{path}: {err}"))
}

/// What an object tells, if it tells anything.
pub fn told(kind: Kind, object: &Value) -> Option<hub::Fact> {
    match HubOperator::new(SYSTEM).observe(kind, object)?.fact {
        Fact::Hub(fact) => Some(fact),
        Fact::Spoke(fact) => panic!("a fact of another operator: {fact:?}"),
    }
}

/// What is remarked on an object, if anything is.
pub fn remarked(kind: Kind, object: &Value) -> Option<hub::Fact> {
    match HubOperator::new(SYSTEM).remark(kind, object)?.fact {
        Fact::Hub(fact) => Some(fact),
        Fact::Spoke(fact) => panic!("a fact of another operator: {fact:?}"),
    }
}

/// What a command comes down to.
pub fn calls(command: hub::Command) -> Vec<Effect> {
    HubOperator::new(SYSTEM).render(id(), &Command::Hub(command), &NoBlobs).unwrap()
}

struct NoBlobs;

impl Blobs for NoBlobs {
    fn get(&self, _id: BlobId) -> Option<Vec<u8>> {
        None
    }
}

/// The body of an effect.
pub fn body(effect: &Effect) -> &Value {
    match effect {
        Effect::Apply { body, .. }
        | Effect::Create { body, .. }
        | Effect::Merge { body, .. }
        | Effect::MergeStatus { body, .. } => body,
        other => panic!("no body in {other:?}"),
    }
}

/// The object that an effect would leave, as it is watched.
pub fn applied(effect: &Effect) -> Value {
    let (Effect::Apply { target, body } | Effect::Create { target, body }) = effect else {
        panic!("not a whole object: {effect:?}")
    };
    let mut object = body.clone();
    object["apiVersion"] = target.resource.api_version().into();
    object["kind"] = target.resource.kind.into();
    object["metadata"]["name"] = target.name.clone().into();
    if !target.namespace.is_empty() {
        object["metadata"]["namespace"] = target.namespace.clone().into();
    }
    object
}
