//! Stored objects, and plain reading of their metadata.

use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::{Map, Value};

/// One version of one object. It never changes; its JSON text is made once, by whoever needs it first, outside of the
/// server's lock.
pub struct Object {
    value: Value,
    version: u64,
    text: OnceLock<Bytes>,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("version", &self.version).field("value", &self.value).finish_non_exhaustive()
    }
}

impl Object {
    pub(super) fn new(value: Value, version: u64) -> Self {
        Self { value, version, text: OnceLock::new() }
    }

    /// The object.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Its resource version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Its JSON text.
    #[must_use]
    pub fn text(&self) -> Bytes {
        self.text.get_or_init(|| Bytes::from(self.value.to_string())).clone()
    }
}

/// A text in an object's metadata; empty when absent.
#[must_use]
pub fn meta_text<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get("metadata").and_then(|meta| meta.get(field)).and_then(Value::as_str).unwrap_or_default()
}

/// Name of an object; empty when absent.
#[must_use]
pub fn name(object: &Value) -> &str {
    meta_text(object, "name")
}

/// Namespace of an object; empty when absent.
#[must_use]
pub fn namespace(object: &Value) -> &str {
    meta_text(object, "namespace")
}

/// Uid of an object; empty when absent.
#[must_use]
pub fn uid(object: &Value) -> &str {
    meta_text(object, "uid")
}

/// Whether deletion was asked for.
#[must_use]
pub fn is_deleting(object: &Value) -> bool {
    !meta_text(object, "deletionTimestamp").is_empty()
}

/// The finalizers of an object.
#[must_use]
pub fn finalizers(object: &Value) -> Vec<&str> {
    let list = object.get("metadata").and_then(|meta| meta.get("finalizers")).and_then(Value::as_array);
    list.map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// The owner references of an object.
#[must_use]
pub fn owners(object: &Value) -> &[Value] {
    let list = object.get("metadata").and_then(|meta| meta.get("ownerReferences")).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// `metadata` as a map, made when missing or of another type.
pub fn meta_mut(object: &mut Value) -> &mut Map<String, Value> {
    map_mut(object, "metadata")
}

/// A field as a map, made when missing or of another type.
pub fn map_mut<'a>(object: &'a mut Value, field: &str) -> &'a mut Map<String, Value> {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let slot = &mut object[field];
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    #[expect(clippy::expect_used, reason = "the slot was made an object on the line above")]
    slot.as_object_mut().expect("an object")
}

/// Puts back a field as it was in `old`: its value, or its absence.
pub fn restore(object: &mut Value, old: &Value, field: &str) {
    let Some(map) = object.as_object_mut() else { return };
    match old.get(field) {
        Some(value) => {
            map.insert(field.to_owned(), value.clone());
        }
        None => {
            map.remove(field);
        }
    }
}
