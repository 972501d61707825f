//! Who uses volumes.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Key;

/// A pod that uses claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Pod {
    /// Namespace and name.
    pub key: Key,
    /// Names of the claims that it uses, sorted.
    pub claims: Vec<String>,
    /// Whether it has ended for good, so that it uses them no longer.
    pub finished: bool,
}

/// A volume attached to a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Attachment {
    /// Name of the VolumeAttachment.
    pub name: String,
    /// The volume.
    pub volume: String,
    /// The node.
    pub node: String,
}
