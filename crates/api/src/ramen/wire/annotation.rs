//! Annotation keys, and the values that matter.

/// The value of flags.
pub const TRUE: &str = "true";

/// On works, views, Placements and managed namespaces: the DRPC's name.
pub const DRPC_NAME: &str = "drplacementcontrol.ramendr.openshift.io/drpc-name";
/// On works, views, Placements and managed namespaces: the DRPC's namespace.
pub const DRPC_NAMESPACE: &str = "drplacementcontrol.ramendr.openshift.io/drpc-namespace";
/// On a DRPC, by the controller: the VRG's namespace, pinned.
pub const APP_NAMESPACE: &str = "drplacementcontrol.ramendr.openshift.io/app-namespace";
/// On a DRPC, by the controller: the cluster that the last placement decision named.
pub const LAST_APP_CLUSTER: &str = "drplacementcontrol.ramendr.openshift.io/last-app-deployment-cluster";
/// On a DRPC, by the controller: the action of the last placement decision; may be empty.
pub const LAST_ACTION: &str = "drplacementcontrol.ramendr.openshift.io/last-action";
/// On a DRPC, by the controller: counted actions as JSON (spec drpc 9).
pub const DR_ACTION_COUNT: &str = "drplacementcontrol.ramendr.openshift.io/dr-action-count";
/// On a DRPC and its VRG during a test failover, `true`; `false` on the VRG ends the test.
pub const TEST_FAILOVER: &str = "drplacementcontrol.ramendr.openshift.io/test-failover-dryrun";
/// On a DRPC, by the user, copied to the VRG: consistency groups wanted.
pub const IS_CG_ENABLED: &str = "drplacementcontrol.ramendr.openshift.io/is-cg-enabled";
/// On a DRPC, by the user, copied to the VRG: only the value `false` turns Submariner off.
pub const IS_SUBMARINER_ENABLED: &str = "drplacementcontrol.ramendr.openshift.io/is-submariner-enabled";
/// On a DRPC, by the user, copied to the VRG: VolSync for all claims.
pub const USE_VOLSYNC: &str = "drplacementcontrol.ramendr.openshift.io/use-volsync-for-pvc-protection";
/// On a DRPC, by the user, copied to the VRG: VolSync sends differences of snapshots.
pub const ENABLE_DIFF: &str = "drplacementcontrol.ramendr.openshift.io/enable-diff";
/// The four annotations that are copied from a DRPC to its VRGs, empty where the DRPC lacks them (spec drpc 3.1).
pub const COPIED_TO_VRG: [&str; 4] = [IS_CG_ENABLED, IS_SUBMARINER_ENABLED, USE_VOLSYNC, ENABLE_DIFF];
/// On a VRG, by the hub: the command that wrote it; not Ramen's. Its answer proves which wish it belongs to, and the
/// operator of the cluster records it as the cause of what it does.
pub const HUB_COMMAND: &str = "drplacementcontrol.ramendr.openshift.io/hub-command";
/// On a VRG, by the hub: the epoch of its role, a number that only grows from one home of the application to the next; not
/// Ramen's. A primary that was given none has 0. The operator of the cluster writes to stores only while nobody with a
/// higher one has taken them over.
pub const STORE_EPOCH: &str = "drplacementcontrol.ramendr.openshift.io/store-epoch";
/// On a view, by the hub: the freshness that is wanted; not Ramen's. Any change of a view makes its agent read anew.
pub const WANTED_FRESHNESS: &str = "drplacementcontrol.ramendr.openshift.io/wanted-freshness";
/// On a DRPC or a DRPolicy: how long an application may take to be available again, such as `15m`: audits hold what was
/// reached against it. Ours, not Ramen's.
pub const RTO_TARGET: &str = "ramendr.openshift.io/rto-target";
/// On a DRPC or a DRPolicy: how much of the last writes may be lost, such as `5m`. Ours, not Ramen's.
pub const RPO_TARGET: &str = "ramendr.openshift.io/rpo-target";
/// On a VRG: the cluster that it was written for.
pub const DESTINATION_CLUSTER: &str = "drplacementcontrol.ramendr.openshift.io/destination-cluster";
/// On a VRG: UID of the DRPC that owns it.
pub const DRPC_UID: &str = "drplacementcontrol.ramendr.openshift.io/drpc-uid";

/// On works and views that concern a DRCluster: its name.
pub const DR_CLUSTER_NAME: &str = "drcluster.ramendr.openshift.io/drcluster-name";
/// On views that concern the policies of a cluster: the cluster.
pub const DR_POLICY_VIEW: &str = "drpolicy.ramendr.openshift.io";
/// On a DRCluster, for fencing without classes: name of the storage secret.
pub const STORAGE_SECRET_NAME: &str = "drcluster.ramendr.openshift.io/storage-secret-name";
/// On a DRCluster, for fencing without classes: namespace of the storage secret.
pub const STORAGE_SECRET_NAMESPACE: &str = "drcluster.ramendr.openshift.io/storage-secret-namespace";
/// On a DRCluster, for fencing without classes: the storage's cluster id.
pub const STORAGE_CLUSTER_ID: &str = "drcluster.ramendr.openshift.io/storage-clusterid";
/// On a DRCluster, for fencing without classes: the driver.
pub const STORAGE_DRIVER: &str = "drcluster.ramendr.openshift.io/storage-driver";
/// On a governance policy: the secret's resource version, to make it evaluate again.
pub const TRIGGER_UPDATE: &str = "policy.open-cluster-management.io/trigger-update";

/// Required on a user's Placement, present and not `false`: OCM must not decide it.
pub const SCHEDULING_DISABLED: &str = "cluster.open-cluster-management.io/experimental-scheduling-disable";

/// On a claim that is protected, with value `protected`.
pub const PVC_PROTECTED: &str = "volumereplicationgroups.ramendr.openshift.io/vr-protected";
/// The value of [`PVC_PROTECTED`].
pub const PROTECTED: &str = "protected";
/// On an uploaded claim, volume or group: what was uploaded (spec vrg 0).
pub const ARCHIVED: &str = "volumereplicationgroups.ramendr.openshift.io/vr-archived";
/// On a volume whose reclaim policy we changed for storage replication, with value [`RETAINED`].
pub const PV_RETAINED: &str = "volumereplicationgroups.ramendr.openshift.io/vr-retained";
/// On a volume whose reclaim policy we changed for VolSync, with value [`RETAINED`].
pub const PV_RETAINED_VOLSYNC: &str = "volumereplicationgroups.ramendr.openshift.io/volsync-retained";
/// The value of the two annotations above.
pub const RETAINED: &str = "retained";
/// On everything restored from S3, with value [`RESTORED_TRUE`].
pub const RESTORED: &str = "volumereplicationgroups.ramendr.openshift.io/ramen-restore";
/// The value of [`RESTORED`].
pub const RESTORED_TRUE: &str = "True";
/// On a volume: its handle on the other side.
pub const DESTINATION_VOLUME_HANDLE: &str = "ramendr.openshift.io/destination-volume-handle";
/// On a VolumeGroupReplicationContent: its handle on the other side.
pub const DESTINATION_GROUP_HANDLE: &str = "ramendr.openshift.io/destination-volume-group-handle";
/// On a replication class: preferred among several.
pub const IS_DEFAULT_CLASS: &str = "replication.storage.openshift.io/is-default-class";
/// On a claim: the VolumeReplication that csi-addons runs for it.
pub const VOLUME_REPLICATION_NAME: &str = "replication.storage.openshift.io/volume-replication-name";
/// Prefixes of annotations that a restored claim must not keep (spec vrg 4.5).
pub const DROPPED_AT_RESTORE: [&str; 5] = [
    "pv.kubernetes.io",
    "volume.kubernetes.io",
    "replication.storage.openshift.io",
    "volumereplicationgroups.ramendr.openshift.io",
    "volsync.backube",
];

/// Owner of VolSync objects: the VRG's name.
pub const OWNER_NAME: &str = "ramendr.openshift.io/owner-name";
/// Owner of VolSync objects: the VRG's namespace.
pub const OWNER_NAMESPACE: &str = "ramendr.openshift.io/owner-namespace";
/// Halts VolSync's copies of a claim while it has value [`COPY_STOPPED`].
pub const USE_COPY_TRIGGER: &str = "volsync.backube/use-copy-trigger";
/// The value of [`USE_COPY_TRIGGER`].
pub const COPY_STOPPED: &str = "stopped-by-ramen";
/// On a ReplicationGroupSource that has to be made anew, with value [`TRUE`].
pub const MARKED_FOR_DELETION: &str = "ramendr.io/marked-for-deletion";
/// On a destination claim: the annotations that we manage, a sorted comma list.
pub const MANAGED_ANNOTATION_KEYS: &str = "ramendr.openshift.io/managed-annotation-keys";
/// On a capture: the VRG's generation.
pub const VRG_GENERATION: &str = "ramendr.openshift.io/vrg-generation";
/// On a workload that a scale hook brought to zero: its replicas before.
pub const SCALE_HOOK_REPLICAS: &str = "ramendr.io/scale-hook-replicas-count";
