//! The part of an object's metadata that decisions need.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Json, Kind, ObjectId, Time};

/// Metadata without what changes for reasons that are not ours: resource version, managed fields, and labels and
/// annotations that no controller of ours reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Meta {
    /// Namespace, or empty.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Identity; another object of the same name has another.
    pub uid: String,
    /// Counts changes of the spec.
    pub generation: i64,
    /// When it was created.
    pub created: Time,
    /// Since when it is being deleted.
    pub deleting: Option<Time>,
    /// Labels that we read or write.
    pub labels: BTreeMap<String, String>,
    /// Annotations that we read or write.
    pub annotations: BTreeMap<String, String>,
    /// All finalizers, in their order.
    pub finalizers: Vec<String>,
    /// All owner references, as they stand.
    pub owners: Vec<Json>,
}

impl Meta {
    /// Names the object.
    pub fn object(&self, kind: Kind) -> ObjectId {
        ObjectId::new(kind, &self.namespace, &self.name)
    }

    /// The value of an annotation, empty when absent.
    pub fn annotation(&self, key: &str) -> &str {
        self.annotations.get(key).map_or("", String::as_str)
    }

    /// The value of a label, empty when absent.
    pub fn label(&self, key: &str) -> &str {
        self.labels.get(key).map_or("", String::as_str)
    }

    /// Whether a finalizer is there.
    pub fn has_finalizer(&self, finalizer: &str) -> bool {
        self.finalizers.iter().any(|f| f == finalizer)
    }
}

/// Another object by namespace and name. As text, and so as key of a map, it is `namespace/name`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct ObjectRef {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectRef {
    /// Names an object.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl From<ObjectRef> for String {
    fn from(object: ObjectRef) -> Self {
        object.to_string()
    }
}

impl From<String> for ObjectRef {
    fn from(text: String) -> Self {
        let (namespace, name) = text.split_once('/').unwrap_or(("", &text));
        Self::new(namespace, name)
    }
}

impl std::fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
