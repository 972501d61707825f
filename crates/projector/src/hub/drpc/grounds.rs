//! What the commands of a DRPC stand on (spec drpc 10; S1).

use ramen_events::{
    Kind, ObjectId,
    hub::{Command, ObjectRef, WorkContent},
};

use crate::hub::state::Hub;

/// The DRPC, and the work with the VRG of each cluster: what one cluster is asked for, and where the application is placed,
/// follows from what the DRPC asks for and from what all clusters were asked for last. A hub that was replaced, and goes on
/// with what its watches told before, would else ask for a second primary.
pub fn grounds(hub: &Hub, drpc: &ObjectRef, command: &Command) -> Vec<ObjectId> {
    match command {
        Command::ApplyVrgWork(_) | Command::WriteDecision { .. } => {}
        _ => return Vec::new(),
    }
    let works = hub.index.works_by_drpc.get(drpc).into_iter().flatten();
    let with_vrg = works.filter(|(cluster, name)| {
        hub.work(cluster, name).is_some_and(|work| matches!(work.fact.content, WorkContent::Vrg { .. }))
    });
    let works = with_vrg.map(|(cluster, name)| ObjectId::new(Kind::ManifestWork, cluster.as_str(), name));
    [ObjectId::new(Kind::Drpc, &drpc.namespace, &drpc.name)].into_iter().chain(works).collect()
}
