//! Open Cluster Management: how the hub places applications, writes to clusters and reads them back.

pub mod managed_cluster;
pub mod manifest_work;
pub mod placement;
pub mod view;

pub use managed_cluster::{ClusterClaim, ManagedCluster};
pub use manifest_work::{AppliedManifestWork, ManifestWork};
pub use placement::{Placement, PlacementDecision, PlacementRule};
pub use view::ManagedClusterView;
