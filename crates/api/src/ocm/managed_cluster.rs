//! ManagedCluster and what a cluster claims about itself.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::kinds;
use crate::rest::{foreign_object, foreign_part};

foreign_object! {
    /// A cluster registered with the hub.
    ManagedCluster is kinds::MANAGED_CLUSTER, cluster;
    /// What the hub wants of it.
    #[serde(default)]
    spec: ManagedClusterSpec,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<ManagedClusterStatus>,
}

impl ManagedCluster {
    /// The value that the cluster claims under a name.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&str> {
        let claims = &self.status.as_ref()?.cluster_claims;
        claims.iter().find(|claim| claim.name == name).map(|claim| claim.value.as_str())
    }
}

foreign_part! {
    /// What the hub wants of a cluster.
    ManagedClusterSpec;
    /// Whether the hub lets it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    hub_accepts_client: Option<bool>,
    /// Seconds between the agent's signs of life; without several in a row the cluster is not available.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_duration_seconds: Option<i32>,
}

foreign_part! {
    /// What a cluster says.
    ManagedClusterStatus;
    /// What it claims about itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cluster_claims: Vec<ManagedClusterClaim>,
    /// `ManagedClusterJoined`, `ManagedClusterConditionAvailable` and others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<Condition>,
}

foreign_part! {
    /// A name and a value.
    ManagedClusterClaim;
    /// Name.
    #[serde(default)]
    name: String,
    /// Value.
    #[serde(default)]
    value: String,
}

foreign_object! {
    /// A claim, on the cluster that makes it.
    ClusterClaim is kinds::CLUSTER_CLAIM, cluster;
    /// The claim.
    #[serde(default)]
    spec: ClusterClaimSpec,
}

foreign_part! {
    /// A claim.
    ClusterClaimSpec;
    /// Value.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}
