//! Marks on the DRPC and its placement: finalizers, labels, annotations, the owner (spec drpc 2.2). They come before
//! anything that would have to be cleaned up, each object in one write.

use std::collections::BTreeMap;

use ramen_api::{
    kinds,
    ramen::wire::{annotation, finalizer, label},
};
use ramen_events::{
    Command, Json, Kind, Time,
    hub::{self, MetaPatch, ObjectRef, PlacementFact, PlacementKind},
};
use serde_json::json;

use crate::domain::Decision;

use super::{Drpc, validate};

/// Whether all marks are there.
pub fn are_set(drpc: &Drpc) -> bool {
    let Some(placement) = &drpc.placement else { return false };
    is_drpc_marked(drpc, placement) && is_placement_marked(drpc, placement)
}

fn is_drpc_marked(drpc: &Drpc, placement: &PlacementFact) -> bool {
    let meta = &drpc.fact.meta;
    meta.has_finalizer(finalizer::DRPC)
        && meta.label(label::BACKUP) == label::BACKUP_RAMEN
        && !meta.annotation(annotation::APP_NAMESPACE).is_empty()
        && is_owned(drpc, placement)
}

fn is_placement_marked(drpc: &Drpc, placement: &PlacementFact) -> bool {
    placement.meta.has_finalizer(finalizer::DRPC) && placement.meta.annotation(annotation::DRPC_NAME) == drpc.key.name
}

/// Some owner has the placement's name, or another controller owns the DRPC already.
fn is_owned(drpc: &Drpc, placement: &PlacementFact) -> bool {
    drpc.fact.meta.owners.iter().any(|owner| {
        let owner = owner.value();
        owner["name"] == placement.meta.name.as_str() || owner["controller"] == true
    })
}

/// How long an ApplicationSet may come after its DRPlacementControl, in seconds: GitOps creates both at once, in any order.
const SET_PATIENCE: u64 = 5;
/// The first version of the deciders that waits for it.
const PATIENT_SINCE: u32 = 3;

/// Until when to wait for an ApplicationSet. What is settled here is settled for good: in the wrong namespace nothing would
/// be protected.
pub fn wait_for_application_set(drpc: &Drpc) -> Option<Time> {
    let due = drpc.asked.since.plus_seconds(SET_PATIENCE);
    (drpc.decider >= PATIENT_SINCE && drpc.guesses_namespace && drpc.asked.first && drpc.now < due).then_some(due)
}

/// Wants what is missing.
pub fn set(drpc: &Drpc, decision: &mut Decision) {
    let Some(placement) = &drpc.placement else { return };
    if !is_placement_marked(drpc, placement) {
        let annotations = BTreeMap::from([
            (annotation::DRPC_NAME.to_owned(), drpc.key.name.clone()),
            (annotation::DRPC_NAMESPACE.to_owned(), drpc.key.namespace.clone()),
        ]);
        let finalizers = with_ours(&placement.meta.finalizers);
        decision.want("placement", patch_placement(placement, annotations, finalizers));
    }
    if !is_drpc_marked(drpc, placement) {
        let mut owners = drpc.fact.meta.owners.clone();
        if !is_owned(drpc, placement) {
            owners.push(owner(placement));
        }
        let patch = MetaPatch {
            kind: Kind::Drpc,
            object: drpc.key.clone(),
            uid: drpc.fact.meta.uid.clone(),
            labels: BTreeMap::from([(label::BACKUP.to_owned(), label::BACKUP_RAMEN.to_owned())]),
            annotations: BTreeMap::from([(annotation::APP_NAMESPACE.to_owned(), drpc.vrg_namespace.clone())]),
            finalizers: Some(with_ours(&drpc.fact.meta.finalizers)),
            owners: Some(owners),
        };
        decision.want("meta", Command::Hub(hub::Command::PatchMeta(Box::new(patch))));
    }
}

/// The first version of the deciders that holds a DRPC on to before it can be used.
const HELD_SINCE: u32 = 4;

/// Holds on to a DRPC while its policy is looked at. On a hub that was rebuilt that takes a while, and clusters may have the
/// application: whoever deletes the DRPC in between means that, too. `true` while it is not held on to yet: what is wrong is
/// told after that, since people act on what they are told.
pub fn hold(drpc: &Drpc, decision: &mut Decision) -> bool {
    let meta = &drpc.fact.meta;
    let held = drpc.placement.is_some() && validate::policy_is_looked_at(drpc);
    let missing = held && drpc.decider >= HELD_SINCE && !meta.has_finalizer(finalizer::DRPC);
    if missing {
        decision.want("meta", finalizers(drpc, with_ours(&meta.finalizers)));
    }
    missing
}

/// Takes our finalizer off the placement, if it is there.
pub fn release_placement(drpc: &Drpc, decision: &mut Decision) {
    if let Some(placement) = &drpc.placement {
        let finalizers = without_ours(&placement.meta.finalizers);
        decision.want("placement", patch_placement(placement, BTreeMap::new(), finalizers));
    }
}

/// Takes our finalizer off the DRPC.
pub fn release(drpc: &Drpc, decision: &mut Decision) {
    decision.want("meta", finalizers(drpc, without_ours(&drpc.fact.meta.finalizers)));
}

/// Sets the finalizers of the DRPC, and nothing else of it.
fn finalizers(drpc: &Drpc, finalizers: Vec<String>) -> Command {
    Command::Hub(hub::Command::PatchMeta(Box::new(MetaPatch {
        kind: Kind::Drpc,
        object: drpc.key.clone(),
        uid: drpc.fact.meta.uid.clone(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        finalizers: Some(finalizers),
        owners: None,
    })))
}

fn patch_placement(
    placement: &PlacementFact,
    annotations: BTreeMap<String, String>,
    finalizers: Vec<String>,
) -> Command {
    Command::Hub(hub::Command::PatchMeta(Box::new(MetaPatch {
        kind: match placement.kind {
            PlacementKind::Placement => Kind::Placement,
            PlacementKind::Rule => Kind::PlacementRule,
        },
        object: ObjectRef::new(&placement.meta.namespace, &placement.meta.name),
        uid: placement.meta.uid.clone(),
        labels: BTreeMap::new(),
        annotations,
        finalizers: Some(finalizers),
        owners: None,
    })))
}

fn with_ours(finalizers: &[String]) -> Vec<String> {
    let mut all = finalizers.to_vec();
    if !all.iter().any(|f| f == finalizer::DRPC) {
        all.push(finalizer::DRPC.to_owned());
    }
    all
}

fn without_ours(finalizers: &[String]) -> Vec<String> {
    finalizers.iter().filter(|f| *f != finalizer::DRPC).cloned().collect()
}

/// The placement as controller: deleting it deletes the DRPC.
fn owner(placement: &PlacementFact) -> Json {
    let resource = match placement.kind {
        PlacementKind::Placement => &kinds::PLACEMENT,
        PlacementKind::Rule => &kinds::PLACEMENT_RULE,
    };
    Json::new(&json!({
        "apiVersion": resource.api_version(),
        "kind": resource.kind,
        "name": placement.meta.name,
        "uid": placement.meta.uid,
        "controller": true,
        "blockOwnerDeletion": true,
    }))
}
