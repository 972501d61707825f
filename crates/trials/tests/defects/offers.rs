//! What clusters offer, and what the hub makes of it.

use ramen_api::ramen::wire::name;
use ramen_events::Kind;
use serde_json::json;

use crate::{
    defect::{Defect, SOUND},
    json::text,
};

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "classes overlooked",
        what: "the operator of a cluster sees no storage classes",
        rules: &["CS1 what is published is there"],
        see: |seen| seen.kind != Kind::StorageClass,
        ..SOUND
    },
    Defect {
        name: "offer told in other words each time",
        what: "each time a cluster publishes its classes a condition says something else",
        rules: &["CS2 the same offer in the same words"],
        act: |done| {
            let before: u64 = done.memory.recall(done.operator).and_then(|count| count.parse().ok()).unwrap_or(0);
            let (memory, operator) = (done.memory, done.operator.to_owned());
            for body in done.writes("DRClusterConfig") {
                let told = body["status"]["conditions"].as_array_mut();
                for condition in told.into_iter().flatten() {
                    condition["message"] = json!(format!("published {before} times"));
                    memory.note(operator.clone(), &(before + 1).to_string());
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "another relation published",
        what: "peer classes name a relation that no class of the clusters has",
        rules: &["HS1 the same classes, the same peers"],
        act: |done| {
            for body in done.writes("DRPolicy") {
                for class in body["status"]["async"]["peerClasses"].as_array_mut().into_iter().flatten() {
                    class["replicationID"] = json!("rid-of-others");
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "cluster believed ready as soon as asked",
        what: "the hub takes what it asked a cluster for as applied, whether or not its agent heard of it",
        rules: &["HS14 validated means applied"],
        see: |seen| {
            let own = [name::DR_CLUSTER_WORK, name::DR_CLUSTER_CONFIG_WORK];
            if seen.kind == Kind::ManifestWork && own.contains(&text(seen.object, "/metadata/name")) {
                let generation = seen.object["metadata"]["generation"].clone();
                let yes = |kind: &str| {
                    json!({
                        "type": kind, "status": "True", "reason": "Believed", "message": "",
                        "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z",
                    })
                };
                seen.object["status"]["conditions"] = json!([yes("Applied"), yes("Available")]);
            }
            true
        },
        ..SOUND
    },
];
