//! One row per kind that the operators, the simulated API servers or the tools touch: its group, version and plural.
//!
//! Watches, CRD manifests and object references take these names from here, so that a plural is spelled once.

use kube_core::discovery::ApiResource;

/// How a kind is named in URLs and manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// The version that we read and write.
    pub version: &'static str,
    /// Kind as it stands in `kind:`.
    pub kind: &'static str,
    /// Plural as it stands in URLs and CRD names.
    pub plural: &'static str,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
}

impl Resource {
    /// The value of `apiVersion:`, `v1` or `group/version`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The name of the CRD that defines the kind, `plural.group`; it has no meaning for built-in kinds.
    #[must_use]
    pub fn crd_name(&self) -> String {
        format!("{}.{}", self.plural, self.group)
    }

    /// The same names in the form that dynamic clients take.
    #[must_use]
    pub fn api_resource(&self) -> ApiResource {
        ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version: self.api_version(),
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }
}

/// The row of a kind, by group and kind. Snapshot groups exist in several versions; the first one listed is ours.
#[must_use]
pub fn find(group: &str, kind: &str) -> Option<&'static Resource> {
    ALL.iter().find(|row| row.group == group && row.kind == kind)
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $group:literal $version:literal $kind:literal $plural:literal $scope:ident;)*) => {
        $($(#[$doc])* pub const $name: Resource = Resource {
            group: $group, version: $version, kind: $kind, plural: $plural, namespaced: kinds!(@ $scope),
        };)*

        /// Every row, Ramen's own first.
        pub const ALL: &[Resource] = &[$($name),*];
    };
    (@ namespaced) => { true };
    (@ cluster) => { false };
}

kinds! {
    /// One application under DR, on the hub.
    DR_PLACEMENT_CONTROL = "ramendr.openshift.io" "v1alpha1" "DRPlacementControl" "drplacementcontrols" namespaced;
    /// A pair of clusters and how often they are synchronized.
    DR_POLICY = "ramendr.openshift.io" "v1alpha1" "DRPolicy" "drpolicies" cluster;
    /// A managed cluster that takes part in DR.
    DR_CLUSTER = "ramendr.openshift.io" "v1alpha1" "DRCluster" "drclusters" cluster;
    /// What a managed cluster offers for DR: storage and snapshot classes, networks.
    DR_CLUSTER_CONFIG = "ramendr.openshift.io" "v1alpha1" "DRClusterConfig" "drclusterconfigs" cluster;
    /// The volumes and objects of one application on one cluster.
    VOLUME_REPLICATION_GROUP =
        "ramendr.openshift.io" "v1alpha1" "VolumeReplicationGroup" "volumereplicationgroups" namespaced;
    /// A request to a storage backend to prepare for a failover.
    MAINTENANCE_MODE = "ramendr.openshift.io" "v1alpha1" "MaintenanceMode" "maintenancemodes" cluster;
    /// Sends the volumes of a consistency group.
    REPLICATION_GROUP_SOURCE =
        "ramendr.openshift.io" "v1alpha1" "ReplicationGroupSource" "replicationgroupsources" namespaced;
    /// Receives the volumes of a consistency group.
    REPLICATION_GROUP_DESTINATION =
        "ramendr.openshift.io" "v1alpha1" "ReplicationGroupDestination" "replicationgroupdestinations" namespaced;
    /// A one-shot query for the VRG copies of an S3 store.
    PROTECTED_VRG_LIST = "ramendr.openshift.io" "v1alpha1" "ProtectedVolumeReplicationGroupList"
        "protectedvolumereplicationgrouplists" cluster;
    /// How to capture and recover an application's objects.
    RECIPE = "ramendr.openshift.io" "v1alpha1" "Recipe" "recipes" namespaced;

    /// Objects that the hub wants on a managed cluster.
    MANIFEST_WORK = "work.open-cluster-management.io" "v1" "ManifestWork" "manifestworks" namespaced;
    /// The agent's own record of a ManifestWork, on the managed cluster.
    APPLIED_MANIFEST_WORK =
        "work.open-cluster-management.io" "v1" "AppliedManifestWork" "appliedmanifestworks" cluster;
    /// A copy on the hub of an object of a managed cluster.
    MANAGED_CLUSTER_VIEW =
        "view.open-cluster-management.io" "v1beta1" "ManagedClusterView" "managedclusterviews" namespaced;
    /// A cluster registered with the hub.
    MANAGED_CLUSTER = "cluster.open-cluster-management.io" "v1" "ManagedCluster" "managedclusters" cluster;
    /// A property that a managed cluster claims.
    CLUSTER_CLAIM = "cluster.open-cluster-management.io" "v1alpha1" "ClusterClaim" "clusterclaims" cluster;
    /// Which clusters an application should run on.
    PLACEMENT = "cluster.open-cluster-management.io" "v1beta1" "Placement" "placements" namespaced;
    /// The clusters chosen for a Placement.
    PLACEMENT_DECISION =
        "cluster.open-cluster-management.io" "v1beta1" "PlacementDecision" "placementdecisions" namespaced;
    /// The older form of a Placement.
    PLACEMENT_RULE = "apps.open-cluster-management.io" "v1" "PlacementRule" "placementrules" namespaced;
    /// A governance policy; carries S3 secrets to the clusters.
    POLICY = "policy.open-cluster-management.io" "v1" "Policy" "policies" namespaced;
    /// Binds a governance policy to a PlacementRule.
    PLACEMENT_BINDING = "policy.open-cluster-management.io" "v1" "PlacementBinding" "placementbindings" namespaced;
    /// An OCM add-on on one cluster.
    MANAGED_CLUSTER_ADDON =
        "addon.open-cluster-management.io" "v1alpha1" "ManagedClusterAddOn" "managedclusteraddons" namespaced;
    /// An Argo CD application per cluster of a decision.
    APPLICATION_SET = "argoproj.io" "v1alpha1" "ApplicationSet" "applicationsets" namespaced;
    /// An operator that OLM keeps installed.
    SUBSCRIPTION = "operators.coreos.com" "v1alpha1" "Subscription" "subscriptions" namespaced;

    /// Replication of one volume.
    VOLUME_REPLICATION =
        "replication.storage.openshift.io" "v1alpha1" "VolumeReplication" "volumereplications" namespaced;
    /// How volumes of a driver are replicated.
    VOLUME_REPLICATION_CLASS =
        "replication.storage.openshift.io" "v1alpha1" "VolumeReplicationClass" "volumereplicationclasses" cluster;
    /// Replication of several volumes as one.
    VOLUME_GROUP_REPLICATION =
        "replication.storage.openshift.io" "v1alpha1" "VolumeGroupReplication" "volumegroupreplications" namespaced;
    /// How groups of volumes of a driver are replicated.
    VOLUME_GROUP_REPLICATION_CLASS = "replication.storage.openshift.io" "v1alpha1" "VolumeGroupReplicationClass"
        "volumegroupreplicationclasses" cluster;
    /// What storage knows of a group of volumes.
    VOLUME_GROUP_REPLICATION_CONTENT = "replication.storage.openshift.io" "v1alpha1"
        "VolumeGroupReplicationContent" "volumegroupreplicationcontents" cluster;
    /// A CSI driver's endpoint with add-on features.
    CSI_ADDONS_NODE = "csiaddons.openshift.io" "v1alpha1" "CSIAddonsNode" "csiaddonsnodes" namespaced;
    /// Cuts a cluster off from its storage.
    NETWORK_FENCE = "csiaddons.openshift.io" "v1alpha1" "NetworkFence" "networkfences" cluster;
    /// How clients of a driver are fenced.
    NETWORK_FENCE_CLASS = "csiaddons.openshift.io" "v1alpha1" "NetworkFenceClass" "networkfenceclasses" cluster;

    /// VolSync's sender.
    REPLICATION_SOURCE = "volsync.backube" "v1alpha1" "ReplicationSource" "replicationsources" namespaced;
    /// VolSync's receiver.
    REPLICATION_DESTINATION =
        "volsync.backube" "v1alpha1" "ReplicationDestination" "replicationdestinations" namespaced;
    /// Makes a service reachable from other clusters.
    SERVICE_EXPORT = "multicluster.x-k8s.io" "v1alpha1" "ServiceExport" "serviceexports" namespaced;
    /// A snapshot of one volume.
    VOLUME_SNAPSHOT = "snapshot.storage.k8s.io" "v1" "VolumeSnapshot" "volumesnapshots" namespaced;
    /// How snapshots of a driver are taken.
    VOLUME_SNAPSHOT_CLASS = "snapshot.storage.k8s.io" "v1" "VolumeSnapshotClass" "volumesnapshotclasses" cluster;
    /// A snapshot of several volumes at one moment.
    VOLUME_GROUP_SNAPSHOT =
        "groupsnapshot.storage.k8s.io" "v1" "VolumeGroupSnapshot" "volumegroupsnapshots" namespaced;
    /// How group snapshots of a driver are taken.
    VOLUME_GROUP_SNAPSHOT_CLASS =
        "groupsnapshot.storage.k8s.io" "v1" "VolumeGroupSnapshotClass" "volumegroupsnapshotclasses" cluster;
    /// The group snapshot class of the private API, used where the public one is absent.
    VOLUME_GROUP_SNAPSHOT_CLASS_PRIVATE = "groupsnapshot.storage.openshift.io" "v1beta1"
        "VolumeGroupSnapshotClass" "volumegroupsnapshotclasses" cluster;
    /// A secondary network.
    NETWORK_ATTACHMENT_DEFINITION =
        "k8s.cni.cncf.io" "v1" "NetworkAttachmentDefinition" "network-attachment-definitions" namespaced;

    /// A capture of API objects.
    VELERO_BACKUP = "velero.io" "v1" "Backup" "backups" namespaced;
    /// Where captures are kept.
    VELERO_BACKUP_STORAGE_LOCATION =
        "velero.io" "v1" "BackupStorageLocation" "backupstoragelocations" namespaced;
    /// A recovery of API objects.
    VELERO_RESTORE = "velero.io" "v1" "Restore" "restores" namespaced;

    /// A piece of storage.
    PERSISTENT_VOLUME = "" "v1" "PersistentVolume" "persistentvolumes" cluster;
    /// A claim on a piece of storage.
    PERSISTENT_VOLUME_CLAIM = "" "v1" "PersistentVolumeClaim" "persistentvolumeclaims" namespaced;
    /// A running workload.
    POD = "" "v1" "Pod" "pods" namespaced;
    /// Configuration data.
    CONFIG_MAP = "" "v1" "ConfigMap" "configmaps" namespaced;
    /// Credentials.
    SECRET = "" "v1" "Secret" "secrets" namespaced;
    /// A namespace.
    NAMESPACE = "" "v1" "Namespace" "namespaces" cluster;
    /// Asks whose a token is.
    TOKEN_REVIEW = "authentication.k8s.io" "v1" "TokenReview" "tokenreviews" cluster;
    /// Asks what somebody may do.
    SUBJECT_ACCESS_REVIEW = "authorization.k8s.io" "v1" "SubjectAccessReview" "subjectaccessreviews" cluster;
    /// A stable address of a workload.
    SERVICE = "" "v1" "Service" "services" namespaced;
    /// An event for people.
    EVENT = "" "v1" "Event" "events" namespaced;
    /// Who is leader.
    LEASE = "coordination.k8s.io" "v1" "Lease" "leases" namespaced;
    /// How volumes are provisioned.
    STORAGE_CLASS = "storage.k8s.io" "v1" "StorageClass" "storageclasses" cluster;
    /// A volume attached to a node.
    VOLUME_ATTACHMENT = "storage.k8s.io" "v1" "VolumeAttachment" "volumeattachments" cluster;
    /// A scaled workload.
    DEPLOYMENT = "apps" "v1" "Deployment" "deployments" namespaced;
    /// A workload that ends.
    JOB = "batch" "v1" "Job" "jobs" namespaced;
    /// Rights of agents.
    CLUSTER_ROLE = "rbac.authorization.k8s.io" "v1" "ClusterRole" "clusterroles" cluster;
    /// A kind that was added to the cluster.
    CUSTOM_RESOURCE_DEFINITION = "apiextensions.k8s.io" "v1" "CustomResourceDefinition"
        "customresourcedefinitions" cluster;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_kind_has_no_group_in_its_api_version() {
        assert_eq!(POD.api_version(), "v1");
        assert_eq!(DR_POLICY.api_version(), "ramendr.openshift.io/v1alpha1");
    }

    #[test]
    fn no_two_rows_name_the_same_url() {
        let mut urls: Vec<_> = ALL.iter().map(|r| (r.group, r.plural)).collect();
        urls.sort_unstable();
        let rows = urls.len();
        urls.dedup();
        assert_eq!(urls.len(), rows);
    }
}
