//! Reads what only the operator of a managed cluster reads of objects; the rest is in [`ramen_ports::fields`].

use ramen_api::path::At as _;
use ramen_events::spoke::Key;
use serde_json::Value;

pub use ramen_ports::fields::*;

/// Text at a JSON pointer, if there is one that is not empty.
pub fn filled(object: &Value, pointer: &str) -> Option<String> {
    object.at(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Namespace and name.
pub fn key(object: &Value) -> Key {
    Key::new(text(object, "/metadata/namespace"), text(object, "/metadata/name"))
}

/// The annotation of this name.
pub fn annotation(object: &Value, name: &str) -> String {
    object
        .at("/metadata/annotations")
        .and_then(|annotations| annotations.get(name))
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
