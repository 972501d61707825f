//! Placement decisions (spec drpc 3.5).

use ramen_api::{kinds, ramen::wire::label};
use ramen_events::hub::{DecisionEntry, ObjectRef};
use ramen_ports::Effect;
use serde_json::{Value, json};

use super::{created_by_ramen, target};

/// Where a decision is written.
pub struct Decision<'a> {
    /// The placement.
    pub placement: &'a ObjectRef,
    /// Its identity.
    pub uid: &'a str,
    /// Name of the PlacementDecision.
    pub name: &'a str,
}

impl Decision<'_> {
    /// Writes a PlacementDecision: the object if it is not there, a label that it lacks, and the clusters.
    pub fn write(&self, create: bool, add_label: bool, entries: Option<&[DecisionEntry]>) -> Vec<Effect> {
        let object = target(&kinds::PLACEMENT_DECISION, &self.placement.namespace, self.name);
        let mut effects = Vec::new();
        if create {
            effects.push(Effect::Create { target: object.clone(), body: self.new_object() });
        } else if add_label {
            let body = json!({"metadata": {"labels": {(label::EXCLUDE_FROM_BACKUP): label::TRUE}}});
            effects.push(Effect::Merge { target: object.clone(), body });
        }
        if let Some(entries) = entries {
            let decisions: Vec<Value> =
                entries.iter().map(|entry| json!({"clusterName": entry.cluster.0, "reason": entry.reason})).collect();
            effects.push(Effect::MergeStatus { target: object, body: json!({"status": {"decisions": decisions}}) });
        }
        effects
    }

    fn new_object(&self) -> Value {
        let mut labels = created_by_ramen();
        labels[label::PLACEMENT] = json!(self.placement.name);
        labels[label::EXCLUDE_FROM_BACKUP] = json!(label::TRUE);
        json!({
            "metadata": {
                "labels": labels,
                "ownerReferences": [{
                    "apiVersion": kinds::PLACEMENT.api_version(),
                    "kind": kinds::PLACEMENT.kind,
                    "name": self.placement.name,
                    "uid": self.uid,
                    "controller": true,
                    "blockOwnerDeletion": true,
                }],
            },
        })
    }

    /// Writes the decision of a PlacementRule.
    pub fn write_rule(&self, entries: Option<&[DecisionEntry]>) -> Vec<Effect> {
        let Some(entries) = entries else { return Vec::new() };
        let cluster =
            |entry: &DecisionEntry| json!({"clusterName": entry.cluster.0, "clusterNamespace": entry.cluster.0});
        let decisions: Vec<Value> = entries.iter().map(cluster).collect();
        vec![Effect::MergeStatus {
            target: target(&kinds::PLACEMENT_RULE, &self.placement.namespace, &self.placement.name),
            body: json!({"status": {"decisions": decisions}}),
        }]
    }
}
