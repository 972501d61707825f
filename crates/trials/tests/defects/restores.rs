//! Volumes and claims from their copies.

use ramen_events::{Outcome, spoke};
use ramen_ports::{Answer, StoreAnswer};
use serde_json::json;

use crate::defect::{Defect, SOUND, spoke_command};

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "restored volume held for nobody",
        what: "volumes are restored without the reference to their claim",
        rules: &[""],
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
        rules: &[""],
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
        rules: &[""],
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
        rules: &["L1 every action ends"],
        act: |done| {
            if let Some(spoke::Command::RestorePv { .. } | spoke::Command::RestorePvc { .. }) = done.spoke() {
                done.effects.clear();
            }
        },
        ..SOUND
    },
    Defect {
        name: "silent store taken for an empty one",
        what: "a store that does not answer counts as one that holds nothing",
        rules: &["L1 every action ends"],
        hear: |heard| {
            if let Some(spoke::Command::FetchStored { .. }) = spoke_command(heard.command)
                && *heard.outcome != Outcome::Done
            {
                *heard.answers = vec![Answer::Store(StoreAnswer::Objects(Vec::new()))];
            }
        },
        ..SOUND
    },
];
