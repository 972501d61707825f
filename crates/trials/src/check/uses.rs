//! What must hold when a volume is asked to be demoted or promoted: judged by what is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ramen_api::path::At as _;
use ramen_events::{
    Command, Payload,
    spoke::{self, Key, Role},
};
use ramen_sim::{
    api_server::{kinds::TypeName, object},
    kinds,
    time::Time,
};
use serde_json::Value;

use super::{all, one, text, type_name, violated};
use crate::{
    run::Violation,
    universe::{HUB, Turn, Universe},
};

/// How long somebody may use a volume when it is demoted: who looks has to write what follows. Clusters' clocks tell when
/// something was made, in whole seconds.
const JUST_NOW: Duration = Duration::from_secs(3);

/// What was seen of VolumeReplications last.
#[derive(Default)]
pub(super) struct Uses {
    /// Those that are to be secondary: cluster, namespace and name.
    secondary: BTreeSet<(String, String, String)>,
}

impl Uses {
    /// No volume is promoted for a claim that is not bound to a volume that is bound to it (VS1).
    pub(super) fn promoted(universe: &Universe, turn: &Turn) -> Result<(), Violation> {
        for (cluster, records) in turn.appended.iter().filter(|(by, _)| by != HUB) {
            for record in records {
                let Payload::Commanded { command: Command::Spoke(command), .. } = &record.payload else { continue };
                let spoke::Command::ApplyReplication { pvc, role: Role::Primary, .. } = command else { continue };
                if is_unbound(universe, cluster, pvc) {
                    return violated(
                        "VS1 no volume is promoted unbound",
                        format!(
                            "the volume of {pvc} on {cluster} is to be primary, and claim and volume are not bound to each \
                             other"
                        ),
                    );
                }
            }
        }
        Ok(())
    }

    /// No volume is demoted while a pod uses it, or a node holds it (VS2).
    pub(super) fn demoted(
        &mut self,
        universe: &Universe,
        cluster: &str,
        touched: &BTreeSet<TypeName>,
    ) -> Result<(), Violation> {
        if !touched.contains(&type_name(&kinds::VOLUME_REPLICATION)) {
            return Ok(());
        }
        let mut claims = BTreeMap::new();
        for replication in all(universe, cluster, &kinds::VOLUME_REPLICATION, None) {
            let replication = replication.value();
            if text(replication, "/spec/replicationState") == "secondary" {
                let (namespace, name) = (text(replication, "/metadata/namespace"), text(replication, "/metadata/name"));
                let claim = Key::new(namespace, text(replication, "/spec/dataSource/name"));
                claims.insert((cluster.to_owned(), namespace.to_owned(), name.to_owned()), claim);
            }
        }
        let user = claims
            .iter()
            .filter(|(place, _)| !self.secondary.contains(*place))
            .find_map(|(_, claim)| Some((claim, user(universe, cluster, claim)?)));
        if let Some((claim, user)) = user {
            return violated(
                "VS2 no volume is demoted in use",
                format!("the volume of {claim} on {cluster} is to be secondary, while {user} uses it"),
            );
        }
        self.secondary.retain(|(on, ..)| on != cluster);
        self.secondary.extend(claims.into_keys());
        Ok(())
    }
}

/// Whether a claim waits for a volume, or a volume for it.
fn is_unbound(universe: &Universe, cluster: &str, claim: &Key) -> bool {
    let Some(claim) = one(universe, cluster, &kinds::PVC, &claim.namespace, &claim.name) else { return false };
    let volume = one(universe, cluster, &kinds::PV, "", text(claim.value(), "/spec/volumeName"));
    let of_volume = volume.as_ref().map(|volume| text(volume.value(), "/spec/claimRef/uid"));
    text(claim.value(), "/status/phase") != "Bound" || of_volume != Some(text(claim.value(), "/metadata/uid"))
}

/// Who uses a claim, and did so before just now.
fn user(universe: &Universe, cluster: &str, claim: &Key) -> Option<String> {
    // Its cluster's clock says when something was made, so that one says how long ago that was.
    let now = universe.cluster(cluster).now();
    let has_been = |used: &Value| {
        let made = Time::parse(text(used, "/metadata/creationTimestamp"));
        made.is_some_and(|made| now.since(made) > JUST_NOW)
    };
    let mounts = |pod: &Value| {
        let volumes = pod.at("/spec/volumes").and_then(Value::as_array);
        volumes.into_iter().flatten().any(|volume| text(volume, "/persistentVolumeClaim/claimName") == claim.name)
    };
    let pods = all(universe, cluster, &kinds::POD, Some(&claim.namespace));
    if let Some(pod) = pods.iter().map(|pod| pod.value()).find(|pod| mounts(pod) && has_been(pod)) {
        return Some(format!("pod {}", object::meta_text(pod, "name")));
    }
    let bound = one(universe, cluster, &kinds::PVC, &claim.namespace, &claim.name)?;
    let volume = text(bound.value(), "/spec/volumeName");
    let holds = |held: &Value| !volume.is_empty() && text(held, "/spec/source/persistentVolumeName") == volume;
    let attachments = all(universe, cluster, &kinds::VOLUME_ATTACHMENT, None);
    let held = attachments.iter().map(|held| held.value()).find(|held| holds(held) && has_been(held))?;
    Some(format!("node {}", text(held, "/spec/nodeName")))
}
