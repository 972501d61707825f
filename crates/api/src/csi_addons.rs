//! csi-addons: replication and fencing of CSI volumes.

pub mod classes;
pub mod fencing;
pub mod volume_group_replication;
pub mod volume_replication;

pub use classes::{NetworkFenceClass, VolumeGroupReplicationClass, VolumeReplicationClass};
pub use fencing::{CsiAddonsNode, NetworkFence};
pub use volume_group_replication::{VolumeGroupReplication, VolumeGroupReplicationContent};
pub use volume_replication::VolumeReplication;
