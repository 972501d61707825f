//! Where applications run: Placement, PlacementRule, their decisions, and what follows them.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{ClusterName, hub::Meta};

/// The two kinds of placement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
pub enum PlacementKind {
    /// OCM Placement, with PlacementDecisions.
    #[default]
    Placement,
    /// PlacementRule, with decisions in its status.
    Rule,
}

/// A Placement or PlacementRule as the API server has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct PlacementFact {
    /// Which kind.
    pub kind: PlacementKind,
    /// Metadata.
    pub meta: Meta,
    /// `spec.schedulerName` of a PlacementRule.
    pub scheduler: String,
    /// `status.decisions` of a PlacementRule: names of clusters.
    pub decisions: Vec<ClusterName>,
}

/// A PlacementDecision as the API server has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct DecisionFact {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The Placement that its label names.
    pub placement: String,
    /// Whether the label that keeps it out of backups is there.
    pub excluded_from_backup: bool,
    /// `status.decisions`.
    pub entries: Vec<DecisionEntry>,
}

/// One cluster of a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
pub struct DecisionEntry {
    /// The cluster.
    pub cluster: ClusterName,
    /// `reason`: `RetainedForFailover` for an old home, else the cluster's name.
    pub reason: String,
}

/// An ApplicationSet whose first generator follows a Placement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ApplicationSetFact {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The Placement's name.
    pub placement: String,
    /// `spec.template.spec.destination.namespace`.
    pub destination_namespace: String,
}
