//! Finalizers that we set, or wait for.

/// On a DRPlacementControl, and on the user's Placement or PlacementRule.
pub const DRPC: &str = "drpc.ramendr.openshift.io/finalizer";
/// On a DRPolicy.
pub const DR_POLICY: &str = "drpolicies.ramendr.openshift.io/ramen";
/// On a DRCluster.
pub const DR_CLUSTER: &str = "drclusters.ramendr.openshift.io/ramen";
/// On a DRClusterConfig.
pub const DR_CLUSTER_CONFIG: &str = "drclusterconfigs.ramendr.openshift.io/finalizer";
/// On a VolumeReplicationGroup.
pub const VRG: &str = "volumereplicationgroups.ramendr.openshift.io/vrg-protection";
/// On a claim that is replicated by the storage.
pub const PVC_VOL_REP: &str = "volumereplicationgroups.ramendr.openshift.io/pvc-vr-protection";
/// On a claim that is replicated by VolSync.
pub const PVC_VOL_SYNC: &str = "volumereplicationgroups.ramendr.openshift.io/pvc-volsync-protection";
/// On the hub's S3 secrets.
pub const S3_SECRET: &str = "drpolicies.ramendr.openshift.io/policy-protection";
/// On the hub's S3 secrets that are also distributed in Velero's form.
pub const S3_SECRET_VELERO: &str = "drpolicies.ramendr.openshift.io/policy-protection-velero";
/// Kubernetes' own, on a claim that a pod uses.
pub const PVC_IN_USE: &str = "kubernetes.io/pvc-protection";
/// OCM's, on a ManifestWork whose objects are on the cluster.
pub const MANIFEST_WORK: &str = "cluster.open-cluster-management.io/manifest-work-cleanup";
/// csi-addons' own, on a VolumeReplication.
pub const VOLUME_REPLICATION: &str = "replication.storage.openshift.io";
/// csi-addons' own, on a claim with a VolumeReplication.
pub const PVC_REPLICATED: &str = "replication.storage.openshift.io/pvc-protection";
