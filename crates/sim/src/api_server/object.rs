//! Stored objects, and plain reading of their metadata.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::managed::Managers;

/// One version of one object. It never changes; its JSON text is made once, by whoever needs it first, outside of the
/// server's lock.
///
/// Who owns which field is kept beside it: that list is often longer than the rest, each write needs it as sets, and
/// but for clients over HTTP hardly anybody looks at it.
pub struct Object {
    value: Arc<Value>,
    managers: Arc<Managers>,
    version: u64,
    text: OnceLock<Bytes>,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("version", &self.version).field("value", &self.value).finish_non_exhaustive()
    }
}

impl PartialEq for Object {
    /// Who owns which field does not count.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Object {
    pub(super) fn new(value: Value, managers: Arc<Managers>, version: u64) -> Self {
        Self { value: Arc::new(value), managers, version, text: OnceLock::new() }
    }

    /// An object that a server told.
    pub(crate) fn told(mut value: Value) -> Self {
        let managers = Managers::of(&value);
        if let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            meta.remove("managedFields");
        }
        let version = meta_text(&value, "resourceVersion").parse().unwrap_or_default();
        Self::new(value, Arc::new(managers), version)
    }

    /// The object, without `metadata.managedFields`.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The same, to keep.
    #[must_use]
    pub fn shared(&self) -> Arc<Value> {
        self.value.clone()
    }

    /// The object as clients see it, with `metadata.managedFields`.
    #[must_use]
    pub fn whole(&self) -> Value {
        let mut whole = Value::clone(&self.value);
        self.managers.write(&mut whole);
        whole
    }

    pub(super) fn managers(&self) -> &Arc<Managers> {
        &self.managers
    }

    /// Its resource version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Its JSON text.
    #[must_use]
    pub fn text(&self) -> Bytes {
        self.text.get_or_init(|| Bytes::from(self.whole().to_string())).clone()
    }
}

impl Deref for Object {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
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
