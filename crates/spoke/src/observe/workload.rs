//! Pods and attachments: who uses volumes.

use ramen_events::spoke::{Attachment, Fact, Pod};
use serde_json::Value;

use crate::fields::{filled, key, list, text};

/// A pod that uses claims; others tell nothing.
pub fn pod(object: &Value) -> Option<Fact> {
    let mut claims: Vec<String> = list(object, "/spec/volumes")
        .iter()
        .filter_map(|volume| filled(volume, "/persistentVolumeClaim/claimName"))
        .collect();
    claims.sort_unstable();
    claims.dedup();
    if claims.is_empty() {
        return None;
    }
    let finished = matches!(text(object, "/status/phase").as_str(), "Succeeded" | "Failed");
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
