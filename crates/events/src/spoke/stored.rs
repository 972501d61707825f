//! What a store holds of a VRG.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Key;
use crate::{BlobId, Kind, ObjectId, Time};

/// A store's answer to the question what it holds of a VRG.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct StoredSet {
    /// The VRG.
    pub vrg: Key,
    /// Its identity.
    pub vrg_uid: String,
    /// The generation of the VRG for which was asked.
    pub asked_for: i64,
    /// Name of the store's profile.
    pub profile: String,
    /// Volumes.
    pub volumes: Vec<StoredVolume>,
    /// Claims.
    pub claims: Vec<StoredClaim>,
    /// The VRG's own copy.
    pub copy: Option<StoredVrg>,
    /// Keys whose objects can't be read, each with the reason.
    pub unreadable: Vec<(String, String)>,
}

impl StoredSet {
    /// The pseudo object that the fact is about.
    pub fn object(&self) -> ObjectId {
        ObjectId::new(Kind::StoredObject, &self.vrg.namespace, format!("{}/{}", self.vrg.name, self.profile))
    }
}

/// A volume's copy.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct StoredVolume {
    /// Name of the volume.
    pub name: String,
    /// The claim that it belongs to; `None` when it names none, which makes it useless.
    pub claim: Option<Key>,
    /// Its StorageClass.
    pub storage_class: String,
    /// CSI driver.
    pub driver: String,
    /// CSI volume handle, as it will be here.
    pub handle: String,
    /// CSI file system type.
    pub fs_type: String,
    /// Access modes.
    pub access_modes: Vec<String>,
    /// `Filesystem` or `Block`.
    pub volume_mode: String,
    /// The object.
    pub blob: BlobId,
}

/// A claim's copy.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct StoredClaim {
    /// Namespace and name.
    pub key: Key,
    /// The volume that it was bound to.
    pub volume: String,
    /// When the claim was made: it is made anew each time the application moves, so a later one is of a later home.
    pub created: Option<Time>,
    /// The object.
    pub blob: BlobId,
}

/// What is read of a VRG's copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct StoredVrg {
    /// Identity of the DRPC that it belonged to; empty when it does not say.
    pub drpc_uid: String,
    /// The cluster that wrote it.
    pub cluster: String,
    /// `status.lastUpdateTime`.
    pub updated: Option<Time>,
}
