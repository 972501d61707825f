//! What the commands of a DRPC stand on (spec drpc 10; S1, S6).

use ramen_events::{
    Kind, ObjectId,
    hub::{Command, ObjectRef, PlacementKind, WorkContent},
};

use crate::{domain::Ground, hub::state::Hub};

/// The DRPC, and the work with the VRG of each cluster: what one cluster is asked for, and where the application is placed,
/// follows from what the DRPC asks for and from what all clusters were asked for last. A hub that was replaced, and goes on
/// with what its watches told before, would else ask for a second primary. A placement's decision is all status: what is
/// written of it stands on the very version that was seen.
pub fn grounds(hub: &Hub, drpc: &ObjectRef, command: &Command) -> Vec<Ground> {
    let decision = match command {
        Command::ApplyVrgWork(_) => None,
        Command::WriteDecision { placement, kind: PlacementKind::Rule, .. } => {
            Some(ObjectId::new(Kind::PlacementRule, &placement.namespace, &placement.name))
        }
        Command::WriteDecision { placement, decision, .. } => {
            Some(ObjectId::new(Kind::PlacementDecision, &placement.namespace, decision))
        }
        _ => return Vec::new(),
    };
    let works = hub.index.works_by_drpc.get(drpc).into_iter().flatten();
    let with_vrg = works.filter(|(cluster, name)| {
        hub.work(cluster, name).is_some_and(|work| matches!(work.fact.content, WorkContent::Vrg { .. }))
    });
    let works = with_vrg.map(|(cluster, name)| ObjectId::new(Kind::ManifestWork, cluster.as_str(), name));
    let asked = [ObjectId::new(Kind::Drpc, &drpc.namespace, &drpc.name)].into_iter().chain(works);
    asked.map(Ground::Spec).chain(decision.map(Ground::Whole)).collect()
}
