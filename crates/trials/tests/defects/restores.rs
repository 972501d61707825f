//! Volumes and claims from their copies.

use ramen_events::{Kind, spoke};
use ramen_ports::{Answer, StoreAnswer};
use serde_json::json;

use crate::{
    defect::{Defect, SOUND, spoke_command},
    json::text,
};

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "restored volume held for nobody",
        what: "volumes are restored without the reference to their claim",
        rules: &["ends", "L1 every action ends"],
        act: |done| {
            if let Some(spoke::Command::RestorePv { .. }) = done.spoke() {
                for spec in done.writes("PersistentVolume").filter_map(|body| body["spec"].as_object_mut()) {
                    spec.remove("claimRef");
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "another volume restored",
        what: "a restored volume has another handle than its copy says",
        rules: &["ends", "L1 every action ends"],
        act: |done| {
            if let Some(spoke::Command::RestorePv { .. }) = done.spoke() {
                for body in done.writes("PersistentVolume") {
                    body["spec"]["csi"]["volumeHandle"] = json!("another");
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "claim restored without its volume",
        what: "claims are restored without the name of their volume, so that a fresh one is made",
        rules: &["L1 every action ends"],
        act: |done| {
            if let Some(spoke::Command::RestorePvc { .. }) = done.spoke() {
                for spec in done.writes("PersistentVolumeClaim").filter_map(|body| body["spec"].as_object_mut()) {
                    spec.remove("volumeName");
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "nothing restored",
        what: "volumes and claims are not made from their copies",
        rules: &["ends", "L1 every action ends"],
        act: |done| {
            if let Some(spoke::Command::RestorePv { .. } | spoke::Command::RestorePvc { .. }) = done.spoke() {
                done.effects.clear();
            }
        },
        ..SOUND
    },
    Defect {
        name: "part of the copies restored",
        what: "one claim and its volume are left out of what stores are taken to hold",
        rules: &[
            "VS10 the newest copies are restored",
            "D1 no write is lost but by a failover",
            "L1 every action ends",
        ],
        hear: |heard| {
            if let Some(spoke::Command::FetchStored { .. }) = spoke_command(heard.command) {
                heard.answers.iter_mut().for_each(leave_one_out);
            }
        },
        ..SOUND
    },
    Defect {
        name: "volumes mixed up",
        what: "all volumes of a cluster are restored with the handle of the first, and nobody compares",
        rules: &["VS11 a claim is on its own volume"],
        see: |seen| {
            let name = text(seen.object, "/metadata/name").to_owned();
            if seen.kind == Kind::PersistentVolume
                && let Some(own) = seen.memory.recall(&name)
            {
                seen.object["spec"]["csi"]["volumeHandle"] = json!(own);
            }
            true
        },
        act: |done| {
            if !matches!(done.spoke(), Some(spoke::Command::RestorePv { .. })) {
                return;
            }
            let (memory, operator) = (done.memory, done.operator.to_owned());
            for body in done.writes("PersistentVolume") {
                let own = text(body, "/spec/csi/volumeHandle").to_owned();
                memory.note(text(body, "/metadata/name").to_owned(), &own);
                let first = memory.recall(&operator).unwrap_or(own);
                memory.note(operator.clone(), &first);
                body["spec"]["csi"]["volumeHandle"] = json!(first);
            }
        },
        ..SOUND
    },
];

fn leave_one_out(answer: &mut Answer) {
    let Answer::Store(StoreAnswer::Objects(objects)) = answer else { return };
    let mut claims = objects.iter().filter(|(key, _)| key.contains("/v1.PersistentVolumeClaim/"));
    let Some(claim) = claims.next_back().and_then(|(_, claim)| claim.clone().ok()) else { return };
    let (name, volume) = (text(&claim, "/metadata/name").to_owned(), text(&claim, "/spec/volumeName").to_owned());
    objects.retain(|(key, _)| !key.ends_with(&format!("/{name}")) && !key.ends_with(&format!("/{volume}")));
}
