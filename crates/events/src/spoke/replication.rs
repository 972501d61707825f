//! Replication of one volume, as csi-addons runs it.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Key;
use crate::{Condition, Time};

/// The role of a VRG or of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub enum Role {
    /// Applications may write here.
    Primary,
    /// Receives from the primary.
    Secondary,
}

impl Role {
    /// As written in specs; `None` for any other word.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "primary" => Some(Self::Primary),
            "secondary" => Some(Self::Secondary),
            _ => None,
        }
    }

    /// The word in specs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }
}

/// A VolumeReplication.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct VolumeReplication {
    /// Namespace and name; the name is the claim's.
    pub key: Key,
    /// Its identity.
    pub uid: String,
    /// Counts changes of the spec.
    pub generation: i64,
    /// Whether its deletion was asked for.
    pub deleting: bool,
    /// The VRG that its labels name.
    pub owner: Option<Key>,
    /// The role asked for; `None` for another word.
    pub role: Option<Role>,
    /// Whether the storage may throw away local data to follow the primary.
    pub auto_resync: bool,
    /// Its VolumeReplicationClass.
    pub class: String,
    /// The claim that it is for.
    pub claim: String,
    /// The generation that its status is about.
    pub observed_generation: i64,
    /// `Primary`, `Secondary`, `Unknown`, or empty.
    pub state: String,
    /// For people.
    pub message: String,
    /// Conditions; without times, since their heartbeat is no news.
    pub conditions: Vec<Condition>,
    /// Last synchronization.
    pub last_sync_time: Option<Time>,
    /// Its duration.
    pub last_sync_duration: Option<String>,
    /// Its size in bytes.
    pub last_sync_bytes: Option<i64>,
    /// The volume's handle on the other side; empty when it is not known.
    pub destination_handle: String,
}

impl VolumeReplication {
    /// The condition of this type, if it was judged at the present generation.
    pub fn current(&self, kind: &str) -> Option<&Condition> {
        self.condition(kind).filter(|condition| condition.generation == self.generation)
    }

    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }
}
