//! The kinds that every cluster serves without a CustomResourceDefinition.

use super::kinds::{Generation, Registry, ResourceType, TypeName, Version};

/// Where objects live.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Namespaced,
    Cluster,
}
use Scope::{Cluster, Namespaced};

/// One row of the table.
struct Row {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    scope: Scope,
    short: &'static [&'static str],
    /// Has `/status`.
    status: bool,
    /// Has a generation, raised by spec changes.
    generation: bool,
    all: bool,
    create_only: bool,
    fields: &'static [&'static str],
}

const fn row(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    scope: Scope,
) -> Row {
    Row {
        group,
        version,
        kind,
        plural,
        scope,
        short: &[],
        status: false,
        generation: false,
        all: false,
        create_only: false,
        fields: &[],
    }
}

impl Row {
    const fn short(mut self, names: &'static [&'static str]) -> Self {
        self.short = names;
        self
    }
    const fn status(mut self) -> Self {
        self.status = true;
        self
    }
    const fn generation(mut self) -> Self {
        self.generation = true;
        self
    }
    const fn all(mut self) -> Self {
        self.all = true;
        self
    }
    const fn create_only(mut self) -> Self {
        self.create_only = true;
        self
    }
    const fn fields(mut self, names: &'static [&'static str]) -> Self {
        self.fields = names;
        self
    }
}

const EVENT_FIELDS: &[&str] = &[
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
];
const REGARDING_FIELDS: &[&str] = &[
    "regarding.kind",
    "regarding.namespace",
    "regarding.name",
    "regarding.uid",
    "regarding.apiVersion",
    "regarding.resourceVersion",
    "regarding.fieldPath",
    "reason",
    "reportingController",
    "type",
];
const POD_FIELDS: &[&str] = &[
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
];
const RBAC: &str = "rbac.authorization.k8s.io";

const ROWS: &[Row] = &[
    row("", "v1", "Namespace", "namespaces", Cluster).short(&["ns"]).status().fields(&["status.phase"]),
    row("", "v1", "Node", "nodes", Cluster).short(&["no"]).status().fields(&["spec.unschedulable"]),
    row("", "v1", "PersistentVolume", "persistentvolumes", Cluster).short(&["pv"]).status(),
    row("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", Namespaced).short(&["pvc"]).status(),
    row("", "v1", "Pod", "pods", Namespaced).short(&["po"]).status().generation().all().fields(POD_FIELDS),
    row("", "v1", "ConfigMap", "configmaps", Namespaced).short(&["cm"]),
    row("", "v1", "Secret", "secrets", Namespaced).fields(&["type"]),
    row("", "v1", "Event", "events", Namespaced).short(&["ev"]).fields(EVENT_FIELDS),
    row("", "v1", "ServiceAccount", "serviceaccounts", Namespaced).short(&["sa"]),
    row("", "v1", "Service", "services", Namespaced).short(&["svc"]).status().all(),
    row("", "v1", "Endpoints", "endpoints", Namespaced).short(&["ep"]),
    row("events.k8s.io", "v1", "Event", "events", Namespaced).short(&["ev"]).fields(REGARDING_FIELDS),
    row("apps", "v1", "Deployment", "deployments", Namespaced).short(&["deploy"]).status().generation().all(),
    row("apps", "v1", "ReplicaSet", "replicasets", Namespaced).short(&["rs"]).status().generation().all(),
    row("apps", "v1", "StatefulSet", "statefulsets", Namespaced).short(&["sts"]).status().generation().all(),
    row("apps", "v1", "DaemonSet", "daemonsets", Namespaced).short(&["ds"]).status().generation().all(),
    row("batch", "v1", "Job", "jobs", Namespaced).status().generation().all(),
    row("storage.k8s.io", "v1", "StorageClass", "storageclasses", Cluster).short(&["sc"]),
    row("storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments", Cluster).status(),
    row("storage.k8s.io", "v1", "CSIDriver", "csidrivers", Cluster),
    row("storage.k8s.io", "v1", "CSINode", "csinodes", Cluster),
    row("coordination.k8s.io", "v1", "Lease", "leases", Namespaced),
    row("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", Namespaced).short(&["netpol"]).generation(),
    row("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", Namespaced)
        .short(&["pdb"])
        .status()
        .generation(),
    row(RBAC, "v1", "ClusterRole", "clusterroles", Cluster),
    row(RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", Cluster),
    row(RBAC, "v1", "Role", "roles", Namespaced),
    row(RBAC, "v1", "RoleBinding", "rolebindings", Namespaced),
    row("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", Cluster).create_only(),
    row("authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", Cluster).create_only(),
    row("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", Cluster).create_only(),
    row("authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", Cluster).create_only(),
    row("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", Cluster)
        .short(&["crd", "crds"])
        .status()
        .generation(),
];

/// A registry with the built-in kinds.
#[must_use]
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    for row in ROWS {
        // One store, two faces: events are kept in their core form.
        let home = if row.kind == "Event" { "" } else { row.group };
        registry.insert(ResourceType {
            group: row.group.to_owned(),
            kind: row.kind.to_owned(),
            list_kind: format!("{}List", row.kind),
            plural: row.plural.to_owned(),
            singular: row.kind.to_lowercase(),
            short_names: row.short.iter().map(|&name| name.to_owned()).collect(),
            categories: if row.all { vec!["all".to_owned()] } else { Vec::new() },
            namespaced: row.scope == Namespaced,
            custom: false,
            generation: if row.generation { Generation::Spec } else { Generation::None },
            create_only: row.create_only,
            versions: vec![Version {
                name: row.version.to_owned(),
                served: true,
                schema: None,
                document: None,
                columns: Vec::new(),
                status: row.status,
                fields: row.fields.iter().map(|&field| field.to_owned()).collect(),
            }],
            stored_as: TypeName::new(home, row.plural),
        });
    }
    registry
}
