//! What must hold when a cluster's operator asks for the demotion or promotion of a volume: judged by what is there.

use std::time::Duration;

use ramen_api::path::At as _;
use ramen_events::{
    Command, Payload,
    spoke::{self, Key, Role},
};
use ramen_sim::{api_server::object, kinds, time::Time};
use serde_json::Value;

use super::{all, one, text, violated};
use crate::{
    run::Violation,
    universe::{HUB, Turn, Universe},
};

/// How long a pod may be there unknown: watches that are late, operators that have to start again.
const NEWS: Duration = Duration::from_secs(60);

/// A volume is not demoted while a pod uses it that has been there for a while (VS2), nor promoted for a claim that is not
/// bound to a volume that is bound to it (VS1).
pub(super) fn look(universe: &Universe, turn: &Turn) -> Result<(), Violation> {
    for (cluster, records) in turn.appended.iter().filter(|(by, _)| by != HUB) {
        for record in records {
            let Payload::Commanded { command: Command::Spoke(command), .. } = &record.payload else { continue };
            let spoke::Command::ApplyReplication { pvc, role, .. } = command else { continue };
            if *role == Role::Secondary
                && let Some(pod) = user(universe, cluster, pvc)
            {
                return violated(
                    "VS2 no volume is demoted in use",
                    format!("the volume of {pvc} on {cluster} is to be secondary, while pod {pod} uses it"),
                );
            }
            if *role == Role::Primary && is_unbound(universe, cluster, pvc) {
                return violated(
                    "VS1 no volume is promoted unbound",
                    format!(
                        "the volume of {pvc} on {cluster} is to be primary, and claim and volume are not bound to each other"
                    ),
                );
            }
        }
    }
    Ok(())
}

/// Whether a claim waits for a volume, or a volume for it.
fn is_unbound(universe: &Universe, cluster: &str, claim: &Key) -> bool {
    let Some(claim) = one(universe, cluster, &kinds::PVC, &claim.namespace, &claim.name) else { return false };
    let volume = one(universe, cluster, &kinds::PV, "", text(claim.value(), "/spec/volumeName"));
    let of_volume = volume.as_ref().map(|volume| text(volume.value(), "/spec/claimRef/uid"));
    text(claim.value(), "/status/phase") != "Bound" || of_volume != Some(text(claim.value(), "/metadata/uid"))
}

/// The pod that uses a claim.
fn user(universe: &Universe, cluster: &str, claim: &Key) -> Option<String> {
    let pods = all(universe, cluster, &kinds::POD, Some(&claim.namespace));
    let uses = |pod: &Value| {
        let volumes = pod.at("/spec/volumes").and_then(Value::as_array);
        volumes.into_iter().flatten().any(|volume| text(volume, "/persistentVolumeClaim/claimName") == claim.name)
    };
    // Its cluster's clock says when it was made, so that one says how long ago that was.
    let now = universe.cluster(cluster).now();
    let has_been = |pod: &Value| {
        let made = Time::parse(text(pod, "/metadata/creationTimestamp"));
        made.is_some_and(|made| now.since(made) > NEWS)
    };
    let pod = pods.into_iter().find(|pod| uses(pod.value()) && has_been(pod.value()))?;
    Some(object::meta_text(pod.value(), "name").to_owned())
}
