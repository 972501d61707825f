//! What is another's, or the users'.

use ramen_api::{kinds, ramen::wire::name};
use ramen_events::hub;
use ramen_ports::{Effect, Target};
use ramen_sim::world::OPERATOR_NAMESPACE;
use serde_json::json;

use crate::defect::{Defect, SOUND};

fn work(cluster: &str, name: &str) -> Target {
    Target { resource: &kinds::MANIFEST_WORK, namespace: cluster.to_owned(), name: name.to_owned() }
}

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "others' VRGs withdrawn",
        what: "with the VRG of one DRPC the hub withdraws those of the others from the same cluster",
        rules: &["S13 each DRPC for itself"],
        act: |done| match done.hub() {
            Some(hub::Command::ApplyVrgWork(asked)) => {
                let known = done.memory.recall(&asked.cluster.0).unwrap_or_default();
                if !known.split_whitespace().any(|name| name == asked.name) {
                    done.memory.note(asked.cluster.0.clone(), &format!("{known} {}", asked.name));
                }
            }
            Some(hub::Command::DeleteWork { cluster, name, .. }) if name.ends_with("-vrg-mw") => {
                let known = done.memory.recall(&cluster.0).unwrap_or_default();
                let others = known.split_whitespace().filter(|other| other != name);
                let others = others.map(|other| Effect::Delete { target: work(&cluster.0, other), uid: None });
                let others: Vec<Effect> = others.collect();
                done.effects.extend(others);
            }
            _ => {}
        },
        ..SOUND
    },
    Defect {
        name: "works of all clusters withdrawn",
        what: "with one DRCluster the hub withdraws what it put on the other clusters, too",
        rules: &["HS6 each cluster for itself"],
        act: |done| {
            if let Some(hub::Command::DeleteWork { name, .. }) = done.hub()
                && name == name::DR_CLUSTER_CONFIG_WORK
            {
                let all = ["c1", "c2"]
                    .map(|cluster| Effect::Delete { target: work(cluster, name::DR_CLUSTER_CONFIG_WORK), uid: None });
                done.effects.extend(all);
            }
        },
        ..SOUND
    },
    Defect {
        name: "credentials taken away",
        what: "with each report on a cluster the hub deletes the Secret of its store",
        rules: &["HS7 what is protected stays"],
        act: |done| {
            if let Some(hub::Command::WriteClusterStatus { cluster, .. }) = done.hub() {
                let (namespace, name) = (OPERATOR_NAMESPACE.to_owned(), format!("s3-{cluster}"));
                let target = Target { resource: &kinds::SECRET, namespace, name };
                done.effects.push(Effect::Delete { target, uid: None });
            }
        },
        ..SOUND
    },
    Defect {
        name: "configuration written back",
        what: "with each report on a cluster the hub writes its configuration as it understands it",
        rules: &["HS8 what users wrote stays"],
        act: |done| {
            if let Some(hub::Command::WriteClusterStatus { .. }) = done.hub() {
                let namespace = OPERATOR_NAMESPACE.to_owned();
                let target = Target { resource: &kinds::CONFIG_MAP, namespace, name: name::HUB_CONFIG_MAP.to_owned() };
                let body = json!({"data": {name::CONFIG_KEY: "kind: RamenConfig\nmaxConcurrentReconciles: 1\n"}});
                done.effects.push(Effect::Merge { target, body });
            }
        },
        ..SOUND
    },
];
