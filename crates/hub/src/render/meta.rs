//! Marks on objects: one merge patch each.

use ramen_events::hub::MetaPatch;
use ramen_ports::{Effect, RenderError};
use serde_json::{Map, Value, json};

use super::{resource, target};

/// A patch of metadata. The UID guards against another object of the same name.
pub fn patch(patch: &MetaPatch) -> Result<Effect, RenderError> {
    let mut metadata = Map::new();
    metadata.insert("uid".into(), json!(patch.uid));
    if !patch.labels.is_empty() {
        metadata.insert("labels".into(), json!(patch.labels));
    }
    if !patch.annotations.is_empty() {
        metadata.insert("annotations".into(), json!(patch.annotations));
    }
    if let Some(finalizers) = &patch.finalizers {
        metadata.insert("finalizers".into(), json!(finalizers));
    }
    if let Some(owners) = &patch.owners {
        metadata
            .insert("ownerReferences".into(), owners.iter().map(|owner| owner.value()).collect::<Vec<Value>>().into());
    }
    Ok(Effect::Merge {
        target: target(resource(patch.kind)?, &patch.object.namespace, &patch.object.name),
        body: json!({"metadata": metadata}),
    })
}
