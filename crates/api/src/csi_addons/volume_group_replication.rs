//! VolumeGroupReplication: the role of several volumes that are replicated as one (spec vrg 3.5, 10.3).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{LocalObjectReference, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, Time};

use crate::kinds;
use crate::ramen::wire::state::{ReplicationState, State};
use crate::rest::{foreign_object, foreign_part};

foreign_object! {
    /// The role of a group of volumes.
    VolumeGroupReplication is kinds::VOLUME_GROUP_REPLICATION, namespaced;
    /// The role that is wanted.
    #[serde(default)]
    spec: VolumeGroupReplicationSpec,
    /// The role that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<VolumeGroupReplicationStatus>,
}

foreign_part! {
    /// The role that is wanted.
    VolumeGroupReplicationSpec;
    /// Whether a diverged secondary may be overwritten without being asked.
    #[serde(default)]
    auto_resync: bool,
    /// Whether something other than csi-addons replicates.
    #[serde(skip_serializing_if = "Option::is_none")]
    external: Option<bool>,
    /// The role.
    #[serde(default)]
    replication_state: ReplicationState,
    /// The claims.
    #[serde(default)]
    source: VolumeGroupSource,
    /// How the group is replicated.
    #[serde(default)]
    volume_group_replication_class_name: String,
    /// What storage knows of the group; filled by csi-addons.
    #[serde(skip_serializing_if = "Option::is_none")]
    volume_group_replication_content_name: Option<String>,
    /// How the volumes are replicated.
    #[serde(default)]
    volume_replication_class_name: String,
    /// The group's VolumeReplication; filled by csi-addons.
    #[serde(skip_serializing_if = "Option::is_none")]
    volume_replication_name: Option<String>,
}

foreign_part! {
    /// The claims of a group.
    VolumeGroupSource;
    /// Selects them.
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<LabelSelector>,
}

foreign_part! {
    /// The role that a group has.
    VolumeGroupReplicationStatus;
    /// As of a VolumeReplication.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<Condition>,
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
    /// The claims of the group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    persistent_volume_claims_ref_list: Vec<LocalObjectReference>,
    /// The role.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
}

foreign_object! {
    /// What storage knows of a group.
    VolumeGroupReplicationContent is kinds::VOLUME_GROUP_REPLICATION_CONTENT, cluster;
    /// The group.
    #[serde(default)]
    spec: VolumeGroupReplicationContentSpec,
    /// Its volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<VolumeGroupReplicationContentStatus>,
}

foreign_part! {
    /// The group.
    VolumeGroupReplicationContentSpec;
    /// The driver.
    #[serde(default)]
    provisioner: String,
    /// The volumes.
    #[serde(default)]
    source: VolumeGroupContentSource,
    /// What the driver wants to know of the group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    volume_group_attributes: BTreeMap<String, String>,
    /// How the group is replicated.
    #[serde(skip_serializing_if = "Option::is_none")]
    volume_group_replication_class_name: Option<String>,
    /// The group's handle.
    #[serde(default)]
    volume_group_replication_handle: String,
    /// The group's VolumeGroupReplication.
    #[serde(skip_serializing_if = "Option::is_none")]
    volume_group_replication_ref: Option<ObjectReference>,
}

foreign_part! {
    /// The volumes of a group.
    VolumeGroupContentSource;
    /// Their handles.
    #[serde(default)]
    volume_handles: Vec<String>,
}

foreign_part! {
    /// The volumes of a group.
    VolumeGroupReplicationContentStatus;
    /// The group's handle on the other side; not all drivers tell it.
    #[serde(rename = "destinationVolumeGroupID", skip_serializing_if = "Option::is_none")]
    destination_volume_group_id: Option<String>,
    /// What the PersistentVolumes are on the other side; not all drivers tell it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    persistent_volume_mapping_list: Vec<VolumeMapping>,
    /// The PersistentVolumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    persistent_volume_ref_list: Vec<LocalObjectReference>,
}

foreign_part! {
    /// What one volume of a group is on the other side.
    VolumeMapping;
    /// The PersistentVolume.
    #[serde(default)]
    name: String,
    /// Its handle there.
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_volume_handle: Option<String>,
    /// Its handle here.
    #[serde(skip_serializing_if = "Option::is_none")]
    volume_handle: Option<String>,
}
