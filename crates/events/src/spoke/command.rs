//! What the operator of a managed cluster wants done.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{ClusterConfigStatus, Fence, Key, Role, Store, VrgStatus};
use crate::{BlobId, ObjectId, Time};

/// What the operator of a managed cluster wants done. The order is part of the stored form: append only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum Command {
    /// Sets the finalizers of a VRG or DRClusterConfig to this list.
    SetFinalizers {
        /// The object.
        object: ObjectId,
        /// The whole list.
        finalizers: Vec<String>,
        /// Only if it is still this version.
        resource_version: String,
    },
    /// Writes a VRG's status, and reports what changed with it.
    WriteVrgStatus {
        /// The VRG.
        vrg: Key,
        /// Its identity.
        uid: String,
        /// The status.
        status: Box<VrgStatus>,
        /// Events for people.
        notices: Vec<Notice>,
    },
    /// Makes a volume survive its claim, and marks the claim as protected by a VRG (spec vrg 3.3).
    ProtectVolume {
        /// The claim.
        pvc: Key,
        /// The claim's finalizers, ours included.
        finalizers: Vec<String>,
        /// Only if the claim is still this version.
        resource_version: String,
        /// The VRG that becomes its owner.
        owner: Key,
        /// The volume to retain; `None` when its policy is `Retain` already.
        retain: Option<String>,
    },
    /// Undoes the protection: the volume's policy, the claim's marks (spec vrg 3.3).
    ReleaseVolume {
        /// The claim.
        pvc: Key,
        /// The claim's finalizers without ours; `None` when it had none of ours.
        finalizers: Option<Vec<String>>,
        /// Only if the claim is still this version.
        resource_version: String,
        /// The volume whose marks go; `None` when it has none, or is gone.
        volume: Option<String>,
        /// Whether its policy goes back to `Delete`.
        restore_policy: bool,
    },
    /// Creates a VolumeReplication, or brings its role to this.
    ApplyReplication {
        /// Namespace and name, those of the claim.
        pvc: Key,
        /// The VRG that owns it.
        owner: Key,
        /// The VRG's identity.
        owner_uid: String,
        /// VolumeReplicationClass.
        class: String,
        /// The role wanted.
        role: Role,
        /// Whether the storage may throw away local data to follow the primary.
        auto_resync: bool,
    },
    /// Deletes a VolumeReplication.
    DeleteReplication {
        /// Namespace and name.
        key: Key,
        /// Only if it is still this one.
        uid: String,
    },
    /// Stores a volume and its claim.
    Upload {
        /// The VRG.
        vrg: Key,
        /// Where to.
        store: Box<Store>,
        /// The claim.
        pvc: Key,
        /// The volume's name.
        volume: String,
        /// The volume.
        pv_blob: BlobId,
        /// The claim.
        pvc_blob: BlobId,
        /// Digest of what a restore would use of both.
        content: BlobId,
    },
    /// Notes on claim and volume that all stores have them.
    MarkArchived {
        /// The claim.
        pvc: Key,
        /// Hash of its spec.
        hash: String,
        /// The volume.
        volume: String,
        /// Its generation.
        generation: i64,
    },
    /// Stores the VRG's copy.
    UploadVrg {
        /// The VRG.
        vrg: Key,
        /// Where to.
        store: Box<Store>,
        /// The object without status.
        body: BlobId,
        /// The status that goes with it.
        status: Box<VrgStatus>,
        /// Digest of what a reader would use of both.
        content: BlobId,
    },
    /// Asks a store what it holds of a VRG.
    FetchStored {
        /// The VRG.
        vrg: Key,
        /// Its identity.
        vrg_uid: String,
        /// Its generation.
        generation: i64,
        /// Whom.
        store: Box<Store>,
    },
    /// Deletes a claim's and its volume's copies.
    DeleteStored {
        /// The VRG.
        vrg: Key,
        /// Where.
        store: Box<Store>,
        /// The claim.
        pvc: Key,
        /// The volume's name; empty when it is not known.
        volume: String,
    },
    /// Deletes all copies of a VRG.
    DeleteAllStored {
        /// The VRG.
        vrg: Key,
        /// Where.
        store: Box<Store>,
    },
    /// Creates a volume from its copy, with the parameters of the StorageClass here.
    RestorePv {
        /// The copy.
        blob: BlobId,
        /// Name of the volume.
        name: String,
        /// The CSI driver of the StorageClass here.
        provisioner: String,
        /// Parameters of the StorageClass here.
        parameters: BTreeMap<String, String>,
    },
    /// Creates a claim from its copy, protected from the start.
    RestorePvc {
        /// The copy.
        blob: BlobId,
        /// Namespace and name.
        key: Key,
        /// The VRG that owns it.
        owner: Key,
    },
    /// Frees a restored volume of a claim that is gone, so that the restored one can be bound to it.
    ClearClaim {
        /// The volume.
        volume: String,
        /// The claim that it shall wait for.
        claim: Key,
        /// Only if the volume is still this version.
        resource_version: String,
    },
    /// Notes the volume's handle on the other side.
    NoteDestination {
        /// The volume.
        volume: String,
        /// The handle.
        handle: String,
    },
    /// Creates the operator's ConfigMap with the defaults.
    CreateConfig,
    /// Publishes what the cluster offers.
    WriteClusterConfigStatus {
        /// Name of the DRClusterConfig.
        name: String,
        /// What it offers.
        status: Box<ClusterConfigStatus>,
    },
    /// Deletes a ClusterClaim that an old version left.
    DeleteClusterClaim {
        /// Its name.
        name: String,
    },
    /// Touches a claim whose volume is bound to it, so that the volume controller completes its half of the binding. What
    /// is written goes away again with [`Command::MarkArchived`].
    CompleteBinding {
        /// The claim.
        pvc: Key,
        /// When, in whole seconds: a later touch is another one.
        at: Time,
    },
    /// A command to a store, given as this primary. The same command by itself is given as one that is not known, with
    /// epoch 0.
    Fenced {
        /// As whom.
        fence: Fence,
        /// The command.
        command: Box<Command>,
    },
    /// Restores a volume or a claim whose copy all stores of the VRG hold: what is created says so from the start, as
    /// [`Command::MarkArchived`] would say later.
    RestoreArchived {
        /// `RestorePv` or `RestorePvc`.
        restore: Box<Command>,
    },
}

/// An event for people.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Notice {
    /// Whether a person should look.
    pub warning: bool,
    /// One word.
    pub reason: String,
    /// For people.
    pub message: String,
}

impl Command {
    /// The command's name, for tables and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SetFinalizers { .. } => "SetFinalizers",
            Self::WriteVrgStatus { .. } => "WriteVrgStatus",
            Self::ProtectVolume { .. } => "ProtectVolume",
            Self::ReleaseVolume { .. } => "ReleaseVolume",
            Self::ApplyReplication { .. } => "ApplyReplication",
            Self::DeleteReplication { .. } => "DeleteReplication",
            Self::Upload { .. } => "Upload",
            Self::MarkArchived { .. } => "MarkArchived",
            Self::UploadVrg { .. } => "UploadVrg",
            Self::FetchStored { .. } => "FetchStored",
            Self::DeleteStored { .. } => "DeleteStored",
            Self::DeleteAllStored { .. } => "DeleteAllStored",
            Self::RestorePv { .. } => "RestorePv",
            Self::RestorePvc { .. } => "RestorePvc",
            Self::ClearClaim { .. } => "ClearClaim",
            Self::NoteDestination { .. } => "NoteDestination",
            Self::CreateConfig => "CreateConfig",
            Self::WriteClusterConfigStatus { .. } => "WriteClusterConfigStatus",
            Self::DeleteClusterClaim { .. } => "DeleteClusterClaim",
            Self::CompleteBinding { .. } => "CompleteBinding",
            Self::Fenced { command, .. } | Self::RestoreArchived { restore: command } => command.name(),
        }
    }

    /// Whether it writes the status of an object.
    pub fn writes_status(&self) -> bool {
        matches!(self, Self::WriteVrgStatus { .. } | Self::WriteClusterConfigStatus { .. })
    }

    /// Whether it stores a VRG's own copy.
    pub fn is_vrg_copy(&self) -> bool {
        match self {
            Self::Fenced { command, .. } => command.is_vrg_copy(),
            Self::UploadVrg { .. } => true,
            _ => false,
        }
    }
}
