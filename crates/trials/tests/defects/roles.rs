//! Which cluster is primary, and when the hub believes that it is.

use ramen_api::kinds;
use ramen_events::{Kind, hub};
use ramen_ports::{Effect, Target};
use serde_json::json;

use crate::{
    defect::{Defect, SOUND},
    json::{believe, believe_accepted, feedback, vrg_in, vrg_of},
};

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "secondary believed as soon as asked",
        what: "the hub takes each VRG that a relocation asked to be secondary for one that has handed its volumes over",
        rules: &["S2 relocate after the other has stepped down"],
        see: |seen| {
            let relocates = vrg_of(seen.object).is_some_and(|vrg| vrg["spec"]["action"] == "Relocate");
            if seen.kind == Kind::ManifestWork && relocates {
                believe(seen.object, "secondary", "Secondary", &["DataReady", "DataProtected"]);
            }
            true
        },
        ..SOUND
    },
    Defect {
        name: "replica asked to be primary",
        what: "the ManifestWork of each secondary asks for a primary",
        rules: &["S1 one primary"],
        act: |done| {
            if let Some(vrg) = vrg_in(done.effects) {
                vrg["spec"]["replicationState"] = json!("primary");
            }
        },
        ..SOUND
    },
    Defect {
        name: "acceptance believed as soon as asked",
        what: "the hub takes the workload off a cluster before its VRG has heard that it is to be secondary",
        rules: &["S6 the workload goes after the VRG has accepted that", "L1 every action ends"],
        see: |seen| {
            if seen.kind == Kind::ManifestWork {
                believe_accepted(seen.object, "secondary");
            }
            true
        },
        ..SOUND
    },
    Defect {
        name: "preparation believed as soon as asked",
        what: "the hub takes the workload off the source of a relocation before its VRG has heard of a final synchronization",
        rules: &["S6 the workload goes after the VRG has accepted that"],
        see: |seen| {
            let prepares = |vrg: &mut serde_json::Value| vrg["spec"]["prepareForFinalSync"] == true;
            if seen.kind == Kind::ManifestWork
                && vrg_of(seen.object).is_some_and(prepares)
                && believe_accepted(seen.object, "primary")
            {
                feedback(seen.object, "prepareForFinalSyncComplete", &json!(true));
            }
            true
        },
        ..SOUND
    },
    Defect {
        name: "old primary never demoted",
        what: "no VRG that was primary is asked to be secondary",
        rules: &["L1 every action ends"],
        act: |done| {
            let operator = done.operator;
            let Some(hub::Command::ApplyVrgWork(work)) = done.hub() else { return };
            let (about, state) =
                (format!("{operator} {} {}", work.cluster, work.name), work.manifest.spec.state.clone());
            if state == "primary" {
                done.memory.note(about, &state);
            } else if done.memory.recall(&about).is_some() {
                done.effects.clear();
            }
        },
        ..SOUND
    },
    Defect {
        name: "old primary deleted instead of demoted",
        what: "the ManifestWork of a VRG that was primary and is to be secondary is deleted",
        rules: &["S13 each DRPC for itself", "L1 every action ends"],
        act: |done| {
            let Some(hub::Command::ApplyVrgWork(work)) = done.hub() else { return };
            let about = format!("{} {}", work.cluster, work.name);
            let before = done.memory.note(about, &work.manifest.spec.state);
            if before.as_deref() == Some("primary") && work.manifest.spec.state == "secondary" {
                let (resource, namespace) = (&kinds::MANIFEST_WORK, work.cluster.0.clone());
                let target = Target { resource, namespace, name: work.name.clone() };
                *done.effects = vec![Effect::Delete { target, uid: None }];
            }
        },
        ..SOUND
    },
    Defect {
        name: "every action a failover",
        what: "VRGs are always asked for with action Failover, which lets storage promote by force",
        rules: &["VS14 force is for failovers", "L1 every action ends"],
        act: |done| {
            if let Some(vrg) = vrg_in(done.effects) {
                vrg["spec"]["action"] = json!("Failover");
            }
        },
        ..SOUND
    },
    Defect {
        name: "target believed ready as soon as asked",
        what: "the hub places the application on its new home before the volumes are there",
        rules: &["S5 the workload comes after its volumes"],
        see: |seen| {
            if seen.kind == Kind::ManifestWork {
                believe(seen.object, "primary", "Primary", &["DataReady", "ClusterDataReady"]);
            }
            true
        },
        ..SOUND
    },
];
