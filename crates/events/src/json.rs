//! A piece of an object that decisions carry along without looking into it.

use std::fmt;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// JSON text in canonical form (keys sorted, no blanks), so that equal values are equal texts.
///
/// Events are stored in a format that is not self-describing; a selector, a resource request or a recipe reference
/// that we only pass on is therefore kept as text instead of being modelled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Json(String);

impl Json {
    /// Keeps a value. `serde_json` sorts the keys of objects, which makes the text canonical.
    pub fn new(value: &Value) -> Self {
        Self(value.to_string())
    }

    /// The value; `null` cannot come from [`Json::new`] being unreadable, since its own output always parses.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or(Value::Null)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Json {
    fn default() -> Self {
        Self("null".to_owned())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Json {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|value| Self::new(&value))
    }
}
