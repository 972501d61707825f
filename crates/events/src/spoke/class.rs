//! Classes of storage and of replication.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// A StorageClass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct StorageClass {
    /// Its name.
    pub name: String,
    /// The CSI driver.
    pub provisioner: String,
    /// Labels of our API group.
    pub labels: BTreeMap<String, String>,
    /// The parameters that a restored volume takes over: the cluster id and the names of secrets.
    pub parameters: BTreeMap<String, String>,
}

/// A VolumeReplicationClass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ReplicationClass {
    /// Its name.
    pub name: String,
    /// The CSI driver.
    pub provisioner: String,
    /// All labels: a VRG selects by them.
    pub labels: BTreeMap<String, String>,
    /// Parameter `schedulingInterval`; empty when it has none.
    pub interval: String,
    /// Whether it is preferred among several.
    pub is_default: bool,
}
