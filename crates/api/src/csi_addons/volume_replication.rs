//! VolumeReplication: the role of one volume (spec vrg 3.4, 10.2).

use k8s_openapi::api::core::v1::TypedLocalObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::kinds;
use crate::ramen::wire::state::{ReplicationState, State};
use crate::rest::{foreign_object, foreign_part};

foreign_object! {
    /// The role of one volume; named like its claim.
    VolumeReplication is kinds::VOLUME_REPLICATION, namespaced;
    /// The role that is wanted.
    #[serde(default)]
    spec: VolumeReplicationSpec,
    /// The role that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<VolumeReplicationStatus>,
}

foreign_part! {
    /// The role that is wanted.
    VolumeReplicationSpec;
    /// Whether a diverged secondary may be overwritten without being asked.
    #[serde(default)]
    auto_resync: bool,
    /// The claim.
    #[serde(default)]
    data_source: TypedLocalObjectReference,
    /// Handle of a replication that exists; filled by csi-addons.
    #[serde(skip_serializing_if = "Option::is_none")]
    replication_handle: Option<String>,
    /// The role.
    #[serde(default)]
    replication_state: ReplicationState,
    /// How it is replicated.
    #[serde(default)]
    volume_replication_class: String,
}

foreign_part! {
    /// The role that a volume or group has.
    VolumeReplicationStatus;
    /// `Completed`, `Degraded`, `Resyncing`, `Validated` and others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<Condition>,
    /// The volume's handle on the other side; not all drivers tell it.
    #[serde(rename = "destinationVolumeID", skip_serializing_if = "Option::is_none")]
    destination_volume_id: Option<String>,
    /// When the last request was carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_completion_time: Option<Time>,
    /// When the last request was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_start_time: Option<Time>,
    /// Bytes that the last synchronization sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sync_bytes: Option<i64>,
    /// How long the last synchronization took.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sync_duration: Option<String>,
    /// Up to when the secondary is synchronized.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sync_time: Option<Time>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The generation that was worked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_generation: Option<i64>,
    /// The role.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
}
