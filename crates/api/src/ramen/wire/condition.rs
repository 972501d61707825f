//! Condition types.

/// DRPC, first in order: the application runs where it was asked to.
pub const AVAILABLE: &str = "Available";
/// DRPC, second in order (a printer column counts on it): the peer could take over.
pub const PEER_READY: &str = "PeerReady";
/// DRPC, third in order: the application could be recovered elsewhere.
pub const PROTECTED: &str = "Protected";
/// DRPC: all applications of a shared volume group ask for the same.
pub const GLOBAL_ACTION: &str = "GlobalAction";
/// DRPC: the network mapping could be read.
pub const NETWORK_MAPPING_LOADED: &str = "NetworkMappingLoaded";
/// The conditions that each DRPC has, in the order that is wire contract (spec drpc 0).
pub const OF_DRPC: [&str; 3] = [AVAILABLE, PEER_READY, PROTECTED];

/// DRPolicy and DRCluster: usable for DR. VolumeReplication: prerequisites are met.
pub const VALIDATED: &str = "Validated";
/// DRPolicy: networks exist on both clusters.
pub const NETWORK_ATTACHMENTS_VALIDATED: &str = "NetworkAttachmentsValidated";
/// DRCluster: cut off from storage.
pub const FENCED: &str = "Fenced";
/// DRCluster: nothing is left of a fencing.
pub const CLEAN: &str = "Clean";
/// DRCluster: CIDRs agree with those detected.
pub const CIDRS_VALIDATED: &str = "CIDRsValidated";

/// DRClusterConfig: discovery done.
pub const PROCESSED: &str = "Processed";
/// DRClusterConfig: meant for S3, never evaluated.
pub const REACHABLE: &str = "Reachable";
/// MaintenanceMode: storage is ready for a failover.
pub const FAILOVER_ACTIVATED: &str = "FailoverActivated";

/// VRG and claim: volumes have the role that was asked for.
pub const DATA_READY: &str = "DataReady";
/// VRG and claim: volumes are synchronized.
pub const DATA_PROTECTED: &str = "DataProtected";
/// VRG: volumes and claims are restored.
pub const CLUSTER_DATA_READY: &str = "ClusterDataReady";
/// VRG: API objects are recovered.
pub const KUBE_OBJECTS_READY: &str = "KubeObjectsReady";
/// VRG and claim: objects are in all stores.
pub const CLUSTER_DATA_PROTECTED: &str = "ClusterDataProtected";
/// VRG: VMs are cleaned up after an action.
pub const AUTO_CLEANUP: &str = "AutoCleanup";
/// VRG: nothing on the cluster stands in the way of a restore.
pub const NO_CLUSTER_DATA_CONFLICT: &str = "NoClusterDataConflict";
/// VRG: hooks ran.
pub const HOOKS_READY: &str = "HooksReady";
/// The conditions that each VRG has from its first pass, in their order (spec vrg 0.2).
pub const OF_VRG: [&str; 8] = [
    DATA_READY,
    DATA_PROTECTED,
    CLUSTER_DATA_READY,
    KUBE_OBJECTS_READY,
    CLUSTER_DATA_PROTECTED,
    AUTO_CLEANUP,
    NO_CLUSTER_DATA_CONFLICT,
    HOOKS_READY,
];
/// VRG of a shared group: all VRGs want the same role.
pub const GLOBAL_STATE: &str = "GlobalState";
/// VRG of a shared group: its claims are free to be demoted.
pub const GLOBAL_SECONDARY: &str = "GlobalSecondary";
/// VRG, claim and VolumeReplication: the volume's handle on the other side is known.
pub const DESTINATION_INFO_AVAILABLE: &str = "DestinationInfoAvailable";
/// Claim under VolSync: the sender is set up.
pub const REPLICATION_SOURCE_SETUP: &str = "ReplicationSourceSetup";
/// Claim under VolSync: the volume is restored.
pub const PVS_RESTORED: &str = "PVsRestored";

/// VolumeReplication: the last request was carried out.
pub const COMPLETED: &str = "Completed";
/// VolumeReplication: the volume is out of date or broken.
pub const DEGRADED: &str = "Degraded";
/// VolumeReplication: the volume is being rebuilt.
pub const RESYNCING: &str = "Resyncing";
/// VolumeReplication, primary only: data flows.
pub const REPLICATING: &str = "Replicating";

/// ManifestWork: written to the cluster.
pub const APPLIED: &str = "Applied";
/// ManifestWork: being deleted.
pub const DELETING: &str = "Deleting";
/// A manifest of a work: feedback values were read.
pub const STATUS_FEEDBACK_SYNCED: &str = "StatusFeedbackSynced";
/// ManagedClusterView: the last read.
pub const PROCESSING: &str = "Processing";
/// ManagedCluster: registered.
pub const MANAGED_CLUSTER_JOINED: &str = "ManagedClusterJoined";
/// ManagedCluster: its agent's lease is fresh.
pub const MANAGED_CLUSTER_AVAILABLE: &str = "ManagedClusterConditionAvailable";
