//! ManagedClusterView: a copy on the hub of an object of a cluster, refreshed by the cluster's view agent (spec hub 9.2).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::Value;

use crate::kinds;
use crate::rest::{foreign_object, foreign_part};

foreign_object! {
    /// A copy of one object of the cluster whose namespace this is in.
    ManagedClusterView is kinds::MANAGED_CLUSTER_VIEW, namespaced;
    /// Which object.
    #[serde(default)]
    spec: ManagedClusterViewSpec,
    /// The copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<ManagedClusterViewStatus>,
}

foreign_part! {
    /// What is copied.
    ManagedClusterViewSpec;
    /// Which object, and how often it is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<ViewScope>,
}

foreign_part! {
    /// An object by kind and name.
    ViewScope;
    /// API group; absent for the core group.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_group: Option<String>,
    /// Kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// Short name or plural, instead of a kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    /// Seconds between reads; 30 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    update_interval_seconds: Option<i32>,
    /// API version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

foreign_part! {
    /// What the agent read.
    ManagedClusterViewStatus;
    /// `Processing`: whether the last read succeeded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<Condition>,
    /// The object. It stays when a later read fails, and is stale then.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
}
