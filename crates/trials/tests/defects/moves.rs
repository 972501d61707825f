//! The order of a move: final synchronization, placement.

use ramen_events::{Kind, hub};
use ramen_ports::Effect;
use serde_json::{Value, json};

use crate::{
    defect::{Defect, SOUND},
    json::{feedback, set_condition, vrg_in},
};

/// The condition that says that all copies are stored.
const STORED: &str = "ClusterDataProtected";

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "final sync before the placement is cleared",
        what: "where the final synchronization is to be prepared, it is run",
        rules: &["S4 final synchronization in order"],
        act: |done| {
            if let Some(vrg) = vrg_in(done.effects).filter(|vrg| vrg["spec"]["prepareForFinalSync"] == true) {
                vrg["spec"]["prepareForFinalSync"] = json!(false);
                vrg["spec"]["runFinalSync"] = json!(true);
            }
        },
        ..SOUND
    },
    Defect {
        name: "final sync prepared and run at once",
        what: "runFinalSync is set together with prepareForFinalSync",
        rules: &["S4 final synchronization in order"],
        act: |done| {
            if let Some(vrg) = vrg_in(done.effects).filter(|vrg| vrg["spec"]["prepareForFinalSync"] == true) {
                vrg["spec"]["runFinalSync"] = json!(true);
            }
        },
        ..SOUND
    },
    Defect {
        name: "final sync asked of a secondary",
        what: "the source of a relocation is demoted without taking runFinalSync back",
        rules: &["S4 final synchronization in order"],
        act: |done| {
            let Some(hub::Command::ApplyVrgWork(work)) = done.hub() else { return };
            let about = format!("{} {}", work.cluster, work.name);
            let runs = work.manifest.spec.run_final_sync;
            let ran = done.memory.note(about, if runs { "runs" } else { "" });
            if ran.as_deref() == Some("runs")
                && let Some(vrg) = vrg_in(done.effects)
            {
                vrg["spec"]["runFinalSync"] = json!(true);
            }
        },
        ..SOUND
    },
    Defect {
        name: "placement never cleared",
        what: "a relocation leaves the placement decision as it is",
        rules: &["L1 every action ends"],
        act: |done| {
            if let Some(hub::Command::WriteDecision { entries: Some(entries), .. }) = done.hub()
                && entries.is_empty()
            {
                done.effects.retain(|effect| !matches!(effect, Effect::MergeStatus { .. }));
            }
        },
        ..SOUND
    },
    Defect {
        name: "placement names both clusters",
        what: "the new home is decided for beside the old one",
        rules: &["L1 every action ends"],
        act: |done| {
            let Some(hub::Command::WriteDecision { entries: Some(entries), .. }) = done.hub() else { return };
            if entries.is_empty() {
                return;
            }
            let both: Vec<Value> = ["c1", "c2"].iter().map(|c| json!({"clusterName": c, "reason": c})).collect();
            for body in done.writes("PlacementDecision").filter(|body| !body["status"].is_null()) {
                body["status"]["decisions"] = json!(both);
            }
        },
        ..SOUND
    },
    Defect {
        name: "namespace taken along",
        what: "the ManifestWork of the application's namespace does not orphan it: it goes with the work",
        rules: &["D1 no write is lost but by a failover"],
        act: |done| {
            if let Some(hub::Command::ApplyNamespaceWork(_)) = done.hub() {
                for body in done.writes("ManifestWork") {
                    body["spec"]["deleteOption"] = Value::Null;
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "relocation begun unready",
        what: "the hub takes the copies of each primary for stored, as soon as anything is told of it",
        rules: &["S3 a relocation begins at a whole source"],
        see: |seen| {
            if seen.kind == Kind::ManifestWork {
                feedback(seen.object, STORED, &json!("True"));
                feedback(seen.object, &format!("{STORED}Generation"), &json!(1_000_000));
            }
            if seen.kind == Kind::ManagedClusterView && !seen.object["status"]["result"].is_null() {
                let vrg = &mut seen.object["status"]["result"];
                let generation = vrg["metadata"]["generation"].clone();
                set_condition(vrg, STORED, "status", &json!("True"));
                set_condition(vrg, STORED, "observedGeneration", &generation);
            }
            true
        },
        ..SOUND
    },
    Defect {
        name: "another scheme after a failover",
        what: "who takes over is to replicate with an identity that the one before did not use",
        rules: &["S8 one scheme of replication"],
        act: |done| {
            if let Some(vrg) = vrg_in(done.effects).filter(|vrg| vrg["spec"]["action"] == "Failover") {
                for class in vrg["spec"]["async"]["peerClasses"].as_array_mut().into_iter().flatten() {
                    class["replicationID"] = json!("another");
                }
            }
        },
        ..SOUND
    },
];
