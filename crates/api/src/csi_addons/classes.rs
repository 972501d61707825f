//! Classes: how volumes and groups of a driver are replicated, and how its clients are fenced.
//!
//! Vendors label them with the ids by which the hub relates classes of two clusters (spec s3 2).

use std::collections::BTreeMap;

use crate::kinds;
use crate::rest::{foreign_object, foreign_part};

foreign_part! {
    /// A driver and what it is told.
    ClassSpec;
    /// Parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<String, String>,
    /// The driver.
    #[serde(default)]
    provisioner: String,
}

foreign_object! {
    /// How volumes are replicated.
    VolumeReplicationClass is kinds::VOLUME_REPLICATION_CLASS, cluster;
    /// The class.
    #[serde(default)]
    spec: ClassSpec,
}

foreign_object! {
    /// How groups are replicated.
    VolumeGroupReplicationClass is kinds::VOLUME_GROUP_REPLICATION_CLASS, cluster;
    /// The class.
    #[serde(default)]
    spec: ClassSpec,
}

foreign_object! {
    /// How a driver's clients are fenced.
    NetworkFenceClass is kinds::NETWORK_FENCE_CLASS, cluster;
    /// The class.
    #[serde(default)]
    spec: ClassSpec,
}
