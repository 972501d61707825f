//! What decisions are about: one object of one controller.

use std::fmt;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The eight controllers, and the installation that they share. The order is part of the stored form: append only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub enum Controller {
    /// DRPolicy, on the hub.
    DrPolicy,
    /// DRCluster, on the hub.
    DrCluster,
    /// DRPlacementControl, on the hub.
    Drpc,
    /// VolumeReplicationGroup, on managed clusters.
    Vrg,
    /// DRClusterConfig, on managed clusters.
    DrClusterConfig,
    /// ReplicationGroupSource, on managed clusters.
    ReplicationGroupSource,
    /// ReplicationGroupDestination, on managed clusters.
    ReplicationGroupDestination,
    /// ProtectedVolumeReplicationGroupList, on managed clusters.
    ProtectedVrgList,
    /// The installation itself: its configuration, on hub and managed clusters.
    Installation,
}

impl Controller {
    /// The short name that logs, tables and ids use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DrPolicy => "drpolicy",
            Self::DrCluster => "drcluster",
            Self::Drpc => "drpc",
            Self::Vrg => "vrg",
            Self::DrClusterConfig => "drclusterconfig",
            Self::ReplicationGroupSource => "replicationgroupsource",
            Self::ReplicationGroupDestination => "replicationgroupdestination",
            Self::ProtectedVrgList => "protectedvrglist",
            Self::Installation => "installation",
        }
    }
}

/// One object that a controller is responsible for. Its text form is `drpc/namespace/name`, or `drpolicy/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Aggregate {
    /// Who decides.
    pub controller: Controller,
    /// Namespace of the object, or empty.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
}

impl Aggregate {
    /// Names an aggregate.
    pub fn new(controller: Controller, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { controller, namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}/{}", self.controller.as_str(), self.name)
        } else {
            write!(f, "{}/{}/{}", self.controller.as_str(), self.namespace, self.name)
        }
    }
}
