//! Claims and volumes.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Key;
use crate::{BlobId, Json};

/// A PersistentVolumeClaim.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Pvc {
    /// Namespace and name.
    pub key: Key,
    /// Its identity.
    pub uid: String,
    /// For patches that must not overwrite what others wrote.
    pub resource_version: String,
    /// When its deletion was asked for, in seconds since the Unix epoch.
    pub deleted_at: Option<u64>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The annotations that are ours.
    pub annotations: BTreeMap<String, String>,
    /// Its finalizers, in order.
    pub finalizers: Vec<String>,
    /// Its StorageClass; empty when it names none.
    pub storage_class: String,
    /// The volume that it is bound to, or wants.
    pub volume: String,
    /// Access modes.
    pub access_modes: Vec<String>,
    /// `spec.resources`.
    pub resources: Json,
    /// `Filesystem` or `Block`.
    pub volume_mode: String,
    /// Whether it is bound.
    pub bound: bool,
    /// Whether its capacity is below its request.
    pub resizing: bool,
    /// Hash of its spec as the annotation `vr-archived` has it (spec vrg 0).
    pub spec_hash: String,
    /// Digest of what a restore would use of it.
    pub content: BlobId,
    /// The whole object, for its copy in the stores; kept once it carries our finalizer.
    pub blob: Option<BlobId>,
}

impl Pvc {
    /// Whether its deletion was asked for.
    pub fn is_deleting(&self) -> bool {
        self.deleted_at.is_some()
    }
}

/// A PersistentVolume.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Pv {
    /// Its name.
    pub name: String,
    /// Its identity.
    pub uid: String,
    /// For patches that must not overwrite what others wrote.
    pub resource_version: String,
    /// Counts changes of the spec; API servers never do so for volumes, so it is 0.
    pub generation: i64,
    /// Whether its deletion was asked for.
    pub deleting: bool,
    /// The annotations that are ours.
    pub annotations: BTreeMap<String, String>,
    /// Its phase.
    pub phase: PvPhase,
    /// The claim that it is, or will be, bound to.
    pub claim: Option<ClaimRef>,
    /// `persistentVolumeReclaimPolicy`.
    pub reclaim_policy: String,
    /// Its StorageClass.
    pub storage_class: String,
    /// CSI driver; empty for another kind of volume.
    pub driver: String,
    /// CSI volume handle.
    pub handle: String,
    /// CSI file system type.
    pub fs_type: String,
    /// Access modes.
    pub access_modes: Vec<String>,
    /// `Filesystem` or `Block`.
    pub volume_mode: String,
    /// Digest of what a restore would use of it.
    pub content: BlobId,
    /// The whole object, for its copy in the stores; kept once it is retained.
    pub blob: Option<BlobId>,
}

/// The claim that a volume names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ClaimRef {
    /// Namespace and name.
    pub key: Key,
    /// Identity of the claim; empty when any claim of that name will do.
    pub uid: String,
}

/// Phase of a volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub enum PvPhase {
    /// Not judged yet.
    #[default]
    Pending,
    /// Free.
    Available,
    /// Bound.
    Bound,
    /// Its claim is gone.
    Released,
    /// It could not be reclaimed.
    Failed,
}

impl PvPhase {
    /// As written on the wire.
    pub fn parse(text: &str) -> Self {
        match text {
            "Available" => Self::Available,
            "Bound" => Self::Bound,
            "Released" => Self::Released,
            "Failed" => Self::Failed,
            _ => Self::Pending,
        }
    }
}
