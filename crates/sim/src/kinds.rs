//! The kinds that the world's inhabitants touch, and how a manifest's kind is found among them.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

pub use ramen_api::kinds::{
    APPLICATION_SET, APPLIED_MANIFEST_WORK, CLUSTER_CLAIM, CLUSTER_ROLE, CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION as CRD,
    DEPLOYMENT, DR_CLUSTER, DR_CLUSTER_CONFIG, DR_PLACEMENT_CONTROL as DRPC, DR_POLICY, LEASE, MANAGED_CLUSTER,
    MANAGED_CLUSTER_VIEW as VIEW, MANIFEST_WORK, NAMESPACE, PERSISTENT_VOLUME as PV, PERSISTENT_VOLUME_CLAIM as PVC,
    PLACEMENT, PLACEMENT_DECISION, POD, SECRET, SERVICE, STORAGE_CLASS, VOLUME_ATTACHMENT, VOLUME_REPLICATION,
    VOLUME_REPLICATION_CLASS, VOLUME_REPLICATION_GROUP as VRG,
};
use serde_json::Value;

use crate::api::{Api, Resource};

const RBAC: &str = "rbac.authorization.k8s.io";

/// Nodes.
pub const NODE: Resource = built_in("", "Node", "nodes", false);
/// Service accounts.
pub const SERVICE_ACCOUNT: Resource = built_in("", "ServiceAccount", "serviceaccounts", true);
/// Cluster role bindings.
pub const CLUSTER_ROLE_BINDING: Resource = built_in(RBAC, "ClusterRoleBinding", "clusterrolebindings", false);
/// Roles.
pub const ROLE: Resource = built_in(RBAC, "Role", "roles", true);
/// Role bindings.
pub const ROLE_BINDING: Resource = built_in(RBAC, "RoleBinding", "rolebindings", true);

const fn built_in(group: &'static str, kind: &'static str, plural: &'static str, namespaced: bool) -> Resource {
    Resource { group, version: "v1", kind, plural, namespaced }
}

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
        let definitions = api.see_all(&CRD, None).ok()?;
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
