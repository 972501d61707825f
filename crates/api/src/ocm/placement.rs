//! Placement, its older form PlacementRule, and the decisions that we take for both (spec drpc 3.5).

use crate::kinds;
use crate::rest::{foreign_object, foreign_part};

foreign_object! {
    /// Which clusters an application should run on.
    Placement is kinds::PLACEMENT, namespaced;
    /// What the user wants.
    #[serde(default)]
    spec: PlacementSpec,
    /// OCM's status; we decide instead, and never read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<serde_json::Value>,
}

foreign_part! {
    /// What the user wants.
    PlacementSpec;
    /// How many clusters; DR wants 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    number_of_clusters: Option<i32>,
}

foreign_object! {
    /// The clusters chosen for a Placement. It is named by label, and there may be several.
    PlacementDecision is kinds::PLACEMENT_DECISION, namespaced;
    /// The decision; a subresource.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<PlacementDecisionStatus>,
}

foreign_part! {
    /// The decision.
    PlacementDecisionStatus;
    /// The clusters.
    #[serde(default)]
    decisions: Vec<ClusterDecision>,
}

foreign_part! {
    /// One cluster.
    ClusterDecision;
    /// The cluster.
    cluster_name: String,
    /// Why; `RetainedForFailover` keeps the workload there beside the new home.
    #[serde(default)]
    reason: String,
}

foreign_object! {
    /// The older form of a Placement.
    PlacementRule is kinds::PLACEMENT_RULE, namespaced;
    /// What the user wants.
    #[serde(default)]
    spec: PlacementRuleSpec,
    /// The decision; a subresource.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<PlacementRuleStatus>,
}

foreign_part! {
    /// What the user wants.
    PlacementRuleSpec;
    /// How many clusters; DR wants 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_replicas: Option<i32>,
    /// The clusters to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    clusters: Vec<NamedCluster>,
    /// Who decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduler_name: Option<String>,
}

foreign_part! {
    /// A cluster by name.
    NamedCluster;
    /// The cluster.
    name: String,
}

foreign_part! {
    /// The decision.
    PlacementRuleStatus;
    /// The clusters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<PlacementRuleDecision>,
}

foreign_part! {
    /// One cluster.
    PlacementRuleDecision;
    /// The cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_name: Option<String>,
    /// The cluster's namespace on the hub; the same name.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_namespace: Option<String>,
}
