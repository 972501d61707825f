//! The kinds that the world's inhabitants touch, and how a manifest's kind is found among them.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::Value;

use crate::api::{Api, Resource};

const fn namespaced(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Resource {
    Resource { group, version, kind, plural, namespaced: true }
}

const fn cluster(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Resource {
    Resource { group, version, kind, plural, namespaced: false }
}

/// Namespaces.
pub const NAMESPACE: Resource = cluster("", "v1", "Namespace", "namespaces");
/// Nodes.
pub const NODE: Resource = cluster("", "v1", "Node", "nodes");
/// Persistent volumes.
pub const PV: Resource = cluster("", "v1", "PersistentVolume", "persistentvolumes");
/// Claims of persistent volumes.
pub const PVC: Resource = namespaced("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims");
/// Pods.
pub const POD: Resource = namespaced("", "v1", "Pod", "pods");
/// Config maps.
pub const CONFIG_MAP: Resource = namespaced("", "v1", "ConfigMap", "configmaps");
/// Secrets.
pub const SECRET: Resource = namespaced("", "v1", "Secret", "secrets");
/// Service accounts.
pub const SERVICE_ACCOUNT: Resource = namespaced("", "v1", "ServiceAccount", "serviceaccounts");
/// Services.
pub const SERVICE: Resource = namespaced("", "v1", "Service", "services");
/// Deployments.
pub const DEPLOYMENT: Resource = namespaced("apps", "v1", "Deployment", "deployments");
/// Storage classes.
pub const STORAGE_CLASS: Resource = cluster("storage.k8s.io", "v1", "StorageClass", "storageclasses");
/// Volume attachments.
pub const VOLUME_ATTACHMENT: Resource = cluster("storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments");
/// Leases.
pub const LEASE: Resource = namespaced("coordination.k8s.io", "v1", "Lease", "leases");
/// Custom resource definitions.
pub const CRD: Resource =
    cluster("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");
/// Cluster roles.
pub const CLUSTER_ROLE: Resource = cluster("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles");
/// Cluster role bindings.
pub const CLUSTER_ROLE_BINDING: Resource =
    cluster("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings");
/// Roles.
pub const ROLE: Resource = namespaced("rbac.authorization.k8s.io", "v1", "Role", "roles");
/// Role bindings.
pub const ROLE_BINDING: Resource = namespaced("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings");

/// What the hub wants on a managed cluster.
pub const MANIFEST_WORK: Resource =
    namespaced("work.open-cluster-management.io", "v1", "ManifestWork", "manifestworks");
/// What the work agent applied on its cluster.
pub const APPLIED_MANIFEST_WORK: Resource =
    cluster("work.open-cluster-management.io", "v1", "AppliedManifestWork", "appliedmanifestworks");
/// An object of a managed cluster, seen from the hub.
pub const VIEW: Resource =
    namespaced("view.open-cluster-management.io", "v1beta1", "ManagedClusterView", "managedclusterviews");
/// A managed cluster.
pub const MANAGED_CLUSTER: Resource =
    cluster("cluster.open-cluster-management.io", "v1", "ManagedCluster", "managedclusters");
/// A claim that a managed cluster makes about itself.
pub const CLUSTER_CLAIM: Resource =
    cluster("cluster.open-cluster-management.io", "v1alpha1", "ClusterClaim", "clusterclaims");
/// Where an application should run.
pub const PLACEMENT: Resource = namespaced("cluster.open-cluster-management.io", "v1beta1", "Placement", "placements");
/// Where an application was decided to run.
pub const PLACEMENT_DECISION: Resource =
    namespaced("cluster.open-cluster-management.io", "v1beta1", "PlacementDecision", "placementdecisions");
/// An Argo CD application per cluster of a decision.
pub const APPLICATION_SET: Resource = namespaced("argoproj.io", "v1alpha1", "ApplicationSet", "applicationsets");
/// Replication of one volume.
pub const VOLUME_REPLICATION: Resource =
    namespaced("replication.storage.openshift.io", "v1alpha1", "VolumeReplication", "volumereplications");
/// How volumes are replicated.
pub const VOLUME_REPLICATION_CLASS: Resource =
    cluster("replication.storage.openshift.io", "v1alpha1", "VolumeReplicationClass", "volumereplicationclasses");
/// Disaster recovery of one application.
pub const DRPC: Resource = namespaced("ramendr.openshift.io", "v1alpha1", "DRPlacementControl", "drplacementcontrols");
/// A pair of clusters and their schedule.
pub const DR_POLICY: Resource = cluster("ramendr.openshift.io", "v1alpha1", "DRPolicy", "drpolicies");
/// A cluster that takes part in disaster recovery.
pub const DR_CLUSTER: Resource = cluster("ramendr.openshift.io", "v1alpha1", "DRCluster", "drclusters");
/// What a cluster tells about its classes.
pub const DR_CLUSTER_CONFIG: Resource =
    cluster("ramendr.openshift.io", "v1alpha1", "DRClusterConfig", "drclusterconfigs");
/// The volumes of an application on one cluster.
pub const VRG: Resource =
    namespaced("ramendr.openshift.io", "v1alpha1", "VolumeReplicationGroup", "volumereplicationgroups");
/// A storage system's mode for a failover.
pub const MAINTENANCE_MODE: Resource =
    cluster("ramendr.openshift.io", "v1alpha1", "MaintenanceMode", "maintenancemodes");

/// Kinds that every API server serves without a custom resource definition.
const BUILT_IN: &[Resource] = &[
    NAMESPACE,
    NODE,
    PV,
    PVC,
    POD,
    CONFIG_MAP,
    SECRET,
    SERVICE_ACCOUNT,
    SERVICE,
    DEPLOYMENT,
    STORAGE_CLASS,
    VOLUME_ATTACHMENT,
    LEASE,
    CRD,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    ROLE,
    ROLE_BINDING,
];

/// What a client's discovery remembers of the kinds that one API server serves.
#[derive(Debug, Default)]
pub struct Discovery(Mutex<Vec<Resource>>);

impl Discovery {
    /// Finds the kind named in a manifest or a view; `None` when this server does not serve it. Custom kinds are read
    /// from the server's definitions, once.
    #[must_use]
    pub fn find(&self, api: &dyn Api, group: &str, version: &str, kind: &str) -> Option<Resource> {
        self.served(api, group, version, &|resource| resource.kind == kind)
    }

    /// Finds a kind by its name in paths.
    #[must_use]
    pub fn find_plural(&self, api: &dyn Api, group: &str, version: &str, plural: &str) -> Option<Resource> {
        self.served(api, group, version, &|resource| resource.plural == plural)
    }

    fn served(&self, api: &dyn Api, group: &str, version: &str, is_it: &dyn Fn(&Resource) -> bool) -> Option<Resource> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |resource: &&Resource| resource.group == group && resource.version == version && is_it(resource);
        if let Some(found) = BUILT_IN.iter().chain(known.iter()).find(fits) {
            return Some(*found);
        }
        if group.is_empty() || BUILT_IN.iter().any(|resource| resource.group == group) {
            return None;
        }
        let definitions = api.list(&CRD, None, None).ok()?;
        let found =
            definitions.iter().filter_map(|definition| custom(definition, group, version)).find(|r| fits(&r))?;
        known.push(found);
        Some(found)
    }
}

/// Splits an `apiVersion` into group and version.
#[must_use]
pub fn group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

fn custom(definition: &Value, group: &str, version: &str) -> Option<Resource> {
    let spec = definition.get("spec")?;
    if spec.get("group")?.as_str()? != group {
        return None;
    }
    let names = spec.get("names")?;
    spec.get("versions")?
        .as_array()?
        .iter()
        .find(|entry| entry["name"] == version && entry["served"] != Value::Bool(false))?;
    Some(Resource {
        group: interned(group),
        version: interned(version),
        kind: interned(names.get("kind")?.as_str()?),
        plural: interned(names.get("plural")?.as_str()?),
        namespaced: spec["scope"] == "Namespaced",
    })
}

/// A text that lives as long as the process. Only names of kinds get here, so there are few.
fn interned(text: &str) -> &'static str {
    static TEXTS: OnceLock<Mutex<BTreeMap<String, &'static str>>> = OnceLock::new();
    let mut texts = TEXTS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text) {
        return known;
    }
    let leaked: &'static str = Box::leak(text.to_owned().into_boxed_str());
    texts.insert(text.to_owned(), leaked);
    leaked
}
