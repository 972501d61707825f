//! Label keys, and the values that matter.

/// On everything we create, with value [`TRUE`].
pub const CREATED_BY_RAMEN: &str = "ramendr.openshift.io/created-by-ramen";
/// The value of flags.
pub const TRUE: &str = "true";
/// Makes the hub's backup include an object, with value [`BACKUP_RAMEN`].
pub const BACKUP: &str = "cluster.open-cluster-management.io/backup";
/// The value of [`BACKUP`] on our objects.
pub const BACKUP_RAMEN: &str = "ramen";
/// Keeps an object out of Velero's backups, with value [`TRUE`].
pub const EXCLUDE_FROM_BACKUP: &str = "velero.io/exclude-from-backup";
/// On a PlacementDecision: the Placement's name.
pub const PLACEMENT: &str = "cluster.open-cluster-management.io/placement";
/// On a PlacementDecision of a PlacementRule: the rule's name.
pub const PLACEMENT_RULE: &str = "cluster.open-cluster-management.io/placementrule";
/// On DRPC and VRG of a shared ("global") volume group: the group's name.
pub const GLOBAL_VGR: &str = "ramendr.openshift.io/global-vgr";
/// On a recipe's ManifestWork: the recipe's name.
pub const RECIPE: &str = "recipe";
/// On ClusterRoles that the work agent's role should include, with value [`TRUE`].
pub const AGGREGATE_TO_WORK: &str = "open-cluster-management.io/aggregate-to-work";
/// On ClusterClaims of old versions, to be deleted.
pub const CLUSTER_CLAIM_OWNER: &str = "drclusterconfigs.ramendr.openshift.io/owner";

/// Owner of volumes, replications and captures: the VRG's namespace.
pub const OWNER_NAMESPACE: &str = "ramendr.openshift.io/owner-namespace-name";
/// Owner of volumes, replications and captures: the VRG's name.
pub const OWNER_NAME: &str = "ramendr.openshift.io/owner-name";
/// Owner of VolSync objects: the VRG's name.
pub const VOLSYNC_OWNER_NAME: &str = "volumereplicationgroups-owner";
/// Owner of VolSync objects: the VRG's namespace.
pub const VOLSYNC_OWNER_NAMESPACE: &str = "volumereplicationgroups-owner-namespace";
/// On a grouped claim: the group's id.
pub const CONSISTENCY_GROUP: &str = "ramendr.openshift.io/consistency-group";
/// On a grouped claim: the VolumeGroupReplication's name.
pub const VGR_OWNER: &str = "volumegroupreplication-owner";
/// On objects of a ReplicationGroupDestination: its name.
pub const RGD: &str = "ramendr.openshift.io/rgd";
/// On objects of a ReplicationGroupSource: its name.
pub const RGS: &str = "ramendr.openshift.io/rgs";
/// On a snapshot taken in a test failover, with value [`TRUE`].
pub const DRY_RUN_SNAPSHOT: &str = "ramendr.openshift.io/dry-run-snapshot";
/// On a snapshot taken in a test failover: the VRG's name.
pub const DRY_RUN_VRG: &str = "ramendr.openshift.io/dry-run-vrg";
/// Tells VolSync to keep a snapshot, with value [`TRUE`].
pub const VOLSYNC_DO_NOT_DELETE: &str = "volsync.backube/do-not-delete";
/// VolSync puts it on what it creates, with value `volsync`.
pub const CREATED_BY: &str = "app.kubernetes.io/created-by";
/// The state of a group snapshot that is kept for the next incremental sync: `current` or `previous`.
pub const VGS_STATUS: &str = "ramen.openshift.io/vgs-status";
/// On captures, so that KubeVirt's plugin captures metadata only, with value [`TRUE`].
pub const METADATA_BACKUP: &str = "velero.kubevirt.io/metadataBackup";
/// On a hook's job: the hook.
pub const HOOK_NAME: &str = "ramendr.openshift.io/hook-name";
/// On a hook's job: the job's name in the recipe.
pub const HOOK_JOB_NAME: &str = "ramendr.openshift.io/job-name";
/// On VMs that a capture selects.
pub const VM_SELECTOR: &str = "ramendr.openshift.io/k8s-resource-selector";

/// On classes (an annotation on NetworkFenceClasses): the storage's identity.
pub const STORAGE_ID: &str = "ramendr.openshift.io/storageid";
/// On storage and replication classes: the identity of the replication relation.
pub const REPLICATION_ID: &str = "ramendr.openshift.io/replicationid";
/// On storage and group replication classes: the identity of the group's relation.
pub const GROUP_REPLICATION_ID: &str = "ramendr.openshift.io/groupreplicationid";
/// On storage classes whose replication something else runs; presence counts.
pub const OFFLOADED: &str = "ramendr.openshift.io/offloaded";
/// On group replication classes whose group is shared by applications, with value [`TRUE`].
pub const GLOBAL: &str = "ramendr.openshift.io/global";
/// On classes: comma list of maintenance modes; on works and views: presence marks a MaintenanceMode.
pub const MAINTENANCE_MODES: &str = "ramendr.openshift.io/maintenancemodes";
/// On a NetworkAttachmentDefinition that takes part in DR, with value [`TRUE`].
pub const DR_NETWORK: &str = "ramendr.openshift.io/dr-network";

/// On views of a StorageClass, with an empty value.
pub const VIEW_STORAGE_CLASS: &str = "ramendr.openshift.io/storageclass";
/// On views of a VolumeSnapshotClass, with an empty value.
pub const VIEW_VOLUME_SNAPSHOT_CLASS: &str = "ramendr.openshift.io/volumesnapshotclass";
/// On views of a VolumeGroupSnapshotClass, with an empty value.
pub const VIEW_VOLUME_GROUP_SNAPSHOT_CLASS: &str = "ramendr.openshift.io/volumegroupsnapshotclass";
/// On views of a VolumeReplicationClass, with an empty value.
pub const VIEW_VOLUME_REPLICATION_CLASS: &str = "ramendr.openshift.io/volumereplicationclass";
/// On views of a VolumeGroupReplicationClass, with an empty value.
pub const VIEW_VOLUME_GROUP_REPLICATION_CLASS: &str = "ramendr.openshift.io/volumegroupreplicationclass";
/// On views of a NetworkFenceClass, with an empty value.
pub const VIEW_NETWORK_FENCE_CLASS: &str = "ramendr.openshift.io/networkfenceclass";
