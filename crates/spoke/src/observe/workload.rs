//! Pods and attachments: who uses volumes.

use ramen_events::spoke::{Attachment, Fact, Pod};
use serde_json::Value;

use crate::fields::{filled, key, text};

/// A pod that uses claims; others tell nothing.
pub fn pod(object: &Value) -> Option<Fact> {
    let mut claims: Vec<String> = ramen_ports::claims(object).map(str::to_owned).collect();
    claims.sort_unstable();
    claims.dedup();
    if claims.is_empty() {
        return None;
    }
    let finished = ramen_ports::has_ended(object);
    Some(Fact::Pod(Pod { key: key(object), claims, finished }))
}

/// An attachment of a volume; those of inline volumes tell nothing.
pub fn attachment(object: &Value) -> Option<Fact> {
    let volume = filled(object, "/spec/source/persistentVolumeName")?;
    Some(Fact::Attachment(Attachment {
        name: text(object, "/metadata/name"),
        volume,
        node: text(object, "/spec/nodeName"),
    }))
}
