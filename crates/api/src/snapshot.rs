//! Classes of snapshots. Vendors label them with storage ids, as they do replication classes.

use std::collections::BTreeMap;

use crate::kinds;
use crate::rest::foreign_object;

foreign_object! {
    /// How snapshots of a driver are taken.
    VolumeSnapshotClass is kinds::VOLUME_SNAPSHOT_CLASS, cluster;
    /// What happens to a snapshot whose object is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_policy: Option<String>,
    /// The driver.
    #[serde(default)]
    driver: String,
    /// Parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<String, String>,
}

foreign_object! {
    /// How group snapshots of a driver are taken.
    VolumeGroupSnapshotClass is kinds::VOLUME_GROUP_SNAPSHOT_CLASS, cluster;
    /// What happens to a snapshot whose object is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_policy: Option<String>,
    /// The driver.
    #[serde(default)]
    driver: String,
    /// Parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<String, String>,
}
