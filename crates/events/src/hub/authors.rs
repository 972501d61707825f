//! Who wrote what a DRPlacementControl asks for.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Time, hub::ObjectRef};

/// The field managers that own what a DRPlacementControl asks for: the part of `metadata.managedFields` that readers of a
/// log need. No decision reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct AuthorsFact {
    /// The DRPlacementControl.
    pub drpc: ObjectRef,
    /// Its identity.
    pub uid: String,
    /// Those that own a field that says what to do, the latest last.
    pub authors: Vec<Author>,
}

/// A field manager: the name of a program, not of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Author {
    /// Its name, such as `kubectl-edit`.
    pub manager: String,
    /// How it wrote: `Apply` or `Update`.
    pub operation: String,
    /// When it last changed one of its fields, by the API server's clock, in whole seconds.
    pub at: Option<Time>,
    /// Which of `action`, `failoverCluster` and `preferredCluster` of the spec it owns.
    pub fields: Vec<String>,
}
