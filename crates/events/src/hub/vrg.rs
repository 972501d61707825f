//! A VolumeReplicationGroup: as the hub wants it, and as a cluster shows it.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{Condition, Json, Time, hub::PeerClass};

/// The VRG in a ManifestWork.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct VrgManifest {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations, save the one that carries our command.
    pub annotations: BTreeMap<String, String>,
    /// What is asked of the cluster.
    pub spec: VrgSpec,
}

/// `spec` of a VRG: the fields that the hub decides, the rest verbatim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct VrgSpec {
    /// `replicationState`: `primary` or `secondary`.
    pub state: String,
    /// `action`; empty when absent.
    pub action: String,
    /// `pvcSelector`, verbatim.
    pub pvc_selector: Json,
    /// `s3Profiles`.
    pub s3_profiles: Vec<String>,
    /// `async`.
    pub asynchronous: Option<AsyncSpec>,
    /// `prepareForFinalSync`.
    pub prepare_for_final_sync: bool,
    /// `runFinalSync`.
    pub run_final_sync: bool,
    /// `dryRun`.
    pub dry_run: bool,
    /// `protectedNamespaces`.
    pub protected_namespaces: Vec<String>,
    /// `kubeObjectProtection`, verbatim; null when absent.
    pub kube_object_protection: Json,
    /// All other fields, verbatim: an object.
    pub rest: Json,
}

/// `spec.async` of a VRG.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct AsyncSpec {
    /// `schedulingInterval`.
    pub interval: String,
    /// `replicationClassSelector`, verbatim.
    pub replication_class_selector: Json,
    /// `volumeSnapshotClassSelector`, verbatim.
    pub volume_snapshot_class_selector: Json,
    /// `volumeGroupSnapshotClassSelector`, verbatim.
    pub volume_group_snapshot_class_selector: Json,
    /// `peerClasses`.
    pub peer_classes: Vec<PeerClass>,
}

/// A VRG as a view shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct VrgSeen {
    /// Identity.
    pub uid: String,
    /// Generation.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The command of the hub that it carries; empty when absent.
    pub command: String,
    /// What was asked of it, as the cluster has it.
    pub manifest: VrgManifest,
    /// What it reports; `None` before its first report.
    pub status: Option<VrgStatus>,
}

/// `status` of a VRG: what decisions and the status mirror need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct VrgStatus {
    /// `state`.
    pub state: String,
    /// `observedGeneration`.
    pub observed_generation: i64,
    /// `lastUpdateTime`.
    pub last_update: Option<Time>,
    /// `conditions`.
    pub conditions: Vec<Condition>,
    /// `prepareForFinalSyncComplete`.
    pub prepare_complete: bool,
    /// `finalSyncComplete`.
    pub final_sync_complete: bool,
    /// `lastGroupSyncTime`.
    pub last_group_sync: Option<Time>,
    /// `lastGroupSyncDuration`.
    pub last_group_sync_duration: Option<String>,
    /// `lastGroupSyncBytes`.
    pub last_group_sync_bytes: Option<i64>,
    /// `kubeObjectProtection.captureToRecoverFrom.endTime`.
    pub captured: Option<Time>,
    /// `protectedPVCs`, in their order.
    pub protected_pvcs: Vec<ProtectedPvc>,
    /// `pvcgroups`, verbatim; null when absent.
    pub pvc_groups: Json,
}

/// One claim that a VRG protects.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
pub struct ProtectedPvc {
    /// Namespace of the claim.
    pub namespace: String,
    /// Name of the claim.
    pub name: String,
    /// Its storage class; empty when not told.
    pub storage_class: String,
    /// The driver; empty when not told.
    pub provisioner: String,
    /// Identity of the replication relation; empty when not told.
    pub replication_id: String,
    /// Whether storage wants to be told before a failover: its replication class says so, or its storage class (spec spoke
    /// config C24).
    pub failover_mode: bool,
    /// Whether VolSync protects it.
    pub by_vol_sync: bool,
}
