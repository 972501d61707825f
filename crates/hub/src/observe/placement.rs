//! Placement, PlacementRule, PlacementDecision, ApplicationSet.

use ramen_api::ramen::wire::label;
use ramen_events::{
    ClusterName, Kind,
    hub::{ApplicationSetFact, DecisionEntry, DecisionFact, Fact, Meta, PlacementFact, PlacementKind},
};
use serde_json::Value;

use crate::fields::{list, map, meta, text};

/// What a Placement or PlacementRule tells.
pub fn placement(kind: Kind, object: &Value) -> Fact {
    let kind = if kind == Kind::PlacementRule { PlacementKind::Rule } else { PlacementKind::Placement };
    let decisions = match kind {
        PlacementKind::Rule => list(object, "/status/decisions"),
        PlacementKind::Placement => &[],
    };
    Fact::Placement(Box::new(PlacementFact {
        kind,
        // A placement's spec is for OCM: that it changed is no news here.
        meta: Meta { generation: 0, ..meta(object) },
        scheduler: text(object, "/spec/schedulerName"),
        decisions: decisions.iter().map(|decision| ClusterName(text(decision, "/clusterName"))).collect(),
    }))
}

/// What a PlacementDecision tells.
pub fn decision(object: &Value) -> Fact {
    let labels = map(object, "/metadata/labels");
    let entries = list(object, "/status/decisions").iter().map(|entry| DecisionEntry {
        cluster: ClusterName(text(entry, "/clusterName")),
        reason: text(entry, "/reason"),
    });
    Fact::Decision(DecisionFact {
        namespace: text(object, "/metadata/namespace"),
        name: text(object, "/metadata/name"),
        placement: labels.get(label::PLACEMENT).cloned().unwrap_or_default(),
        excluded_from_backup: labels.get(label::EXCLUDE_FROM_BACKUP).is_some_and(|value| value == label::TRUE),
        entries: entries.collect(),
    })
}

/// What an ApplicationSet tells, if its first generator follows a Placement (spec drpc 2.5).
pub fn application_set(object: &Value) -> Option<Fact> {
    let generator = list(object, "/spec/generators").first()?;
    let labels = map(generator, "/clusterDecisionResource/labelSelector/matchLabels");
    Some(Fact::ApplicationSet(ApplicationSetFact {
        namespace: text(object, "/metadata/namespace"),
        name: text(object, "/metadata/name"),
        placement: labels.get(label::PLACEMENT)?.clone(),
        destination_namespace: text(object, "/spec/template/spec/destination/namespace"),
    }))
}
