//! State as JSON: maps whose keys are no texts become objects, keys are written as people write them.

use std::{collections::BTreeMap, sync::Arc};

use ramen_events::{Aggregate, Kind, ObjectId, spoke::Key};
use serde::{Serialize, Serializer};

/// A key as text.
pub(crate) trait Text {
    /// The text.
    fn text(&self) -> String;
}

impl Text for Aggregate {
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Text for ObjectId {
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Text for Key {
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Text for (Kind, String) {
    fn text(&self) -> String {
        format!("{:?} {}", self.0, self.1)
    }
}

impl Text for (String, Key) {
    fn text(&self) -> String {
        format!("{} {}", self.0, self.1)
    }
}

/// For `#[serde(serialize_with)]`: what is shared, as if it were not.
pub(crate) fn shared<T: Serialize, S: Serializer>(shared: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error> {
    T::serialize(shared, serializer)
}

/// For `#[serde(serialize_with)]`: a map of what is shared, as if it were not.
pub(crate) fn shared_values<K: Serialize, V: Serialize, S: Serializer>(
    map: &BTreeMap<K, Arc<V>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(map.iter().map(|(key, value)| (key, &**value)))
}

/// For `#[serde(serialize_with)]`.
pub(crate) fn by_text<K: Text, V: Serialize, S: Serializer>(
    map: &BTreeMap<K, V>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(map.iter().map(|(key, value)| (key.text(), value)))
}
