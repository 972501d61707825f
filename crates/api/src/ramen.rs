//! Ramen's own API: its CRDs, one a file, the parts that several of them share, and the rest of its wire contract.
//!
//! Optional scalars and structs are `Option`; optional lists and maps are empty where they are absent, and absent where
//! they are empty, as upstream writes them.

pub mod config;
pub mod drcluster;
pub mod drclusterconfig;
pub mod drpc;
pub mod drpolicy;
pub mod kube_object_protection;
pub mod maintenance_mode;
pub mod peer_class;
pub mod protected_pvc;
pub mod protected_vrg_list;
pub mod replication_group_destination;
pub mod replication_group_source;
pub mod s3_keys;
pub mod static_ip;
pub mod vol_sync;
pub mod vrg;
pub mod wire;

pub use config::RamenConfig;
pub use drcluster::{DrCluster, DrClusterSpec, DrClusterStatus};
pub use drclusterconfig::{DrClusterConfig, DrClusterConfigSpec, DrClusterConfigStatus};
pub use drpc::{DrPlacementControl, DrPlacementControlSpec, DrPlacementControlStatus};
pub use drpolicy::{DrPolicy, DrPolicySpec, DrPolicyStatus};
pub use maintenance_mode::{MaintenanceMode, MaintenanceModeSpec, MaintenanceModeStatus};
pub use peer_class::PeerClass;
pub use protected_pvc::ProtectedPvc;
pub use protected_vrg_list::{ProtectedVolumeReplicationGroupList, StoredVrg};
pub use replication_group_destination::ReplicationGroupDestination;
pub use replication_group_source::ReplicationGroupSource;
pub use vrg::{VolumeReplicationGroup, VolumeReplicationGroupSpec, VolumeReplicationGroupStatus};
