//! What VRGs and DRPCs say of themselves.

use ramen_api::ramen::wire::annotation;
use ramen_events::{Kind, spoke};
use serde_json::{Value, json};

use crate::{
    defect::{Defect, Done, SOUND},
    json::{set_condition, text},
};

/// The role that the VRG whose status is written was asked to have when it was seen last.
fn asked(done: &Done<'_>) -> String {
    match done.spoke() {
        Some(spoke::Command::WriteVrgStatus { uid, .. }) => done.memory.recall(uid).unwrap_or_default(),
        _ => String::new(),
    }
}

fn remember_role(seen: &mut crate::defect::Seen<'_>) -> bool {
    if seen.kind == Kind::Vrg {
        let uid = text(seen.object, "/metadata/uid").to_owned();
        seen.memory.note(uid, text(seen.object, "/spec/replicationState"));
    }
    true
}

fn say(done: &mut Done<'_>, condition: &str) {
    for body in done.writes("VolumeReplicationGroup") {
        set_condition(body, condition, "status", &json!("True"));
    }
}

/// Takes the words of all conditions in a status.
fn wordless(status: &mut Value) {
    match status {
        Value::Array(items) => items.iter_mut().for_each(wordless),
        Value::Object(fields) => {
            if fields.contains_key("lastTransitionTime") && fields.contains_key("message") {
                fields.insert("message".to_owned(), json!("nothing to say"));
            }
            fields.values_mut().for_each(wordless);
        }
        _ => {}
    }
}

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "says Secondary as soon as asked",
        what: "a VRG that is asked to be secondary says that it is, without waiting for its volumes",
        rules: &["VS3 Secondary means so"],
        see: remember_role,
        act: |done| {
            if asked(done) == "secondary" {
                say(done, "DataReady");
                say(done, "DataProtected");
                done.writes("VolumeReplicationGroup").for_each(|body| body["status"]["state"] = json!("Secondary"));
            }
        },
        ..SOUND
    },
    Defect {
        name: "says Primary as soon as asked",
        what: "a VRG that is asked to be primary says that its data are ready, without waiting for its volumes",
        rules: &["VS13 ready means writable"],
        see: remember_role,
        act: |done| {
            if asked(done) == "primary" {
                say(done, "DataReady");
                say(done, "ClusterDataReady");
                done.writes("VolumeReplicationGroup").for_each(|body| body["status"]["state"] = json!("Primary"));
            }
        },
        ..SOUND
    },
    Defect {
        name: "says protected without copies",
        what: "ClusterDataProtected is always True",
        rules: &["VS9 protected means stored"],
        act: |done| say(done, "ClusterDataProtected"),
        ..SOUND
    },
    Defect {
        name: "VRGs wait without a word",
        what: "conditions of VRGs and of their claims do not say what is waited for",
        rules: &["VL6 waits are told"],
        act: |done| {
            for body in done.writes("VolumeReplicationGroup") {
                wordless(&mut body["status"]);
            }
        },
        ..SOUND
    },
    Defect {
        name: "status written anew at each look",
        what: "the words of a condition change each time",
        rules: &["VS19 at rest nothing is written"],
        act: |done| {
            let before: u64 = done.memory.recall("looks").and_then(|looks| looks.parse().ok()).unwrap_or(0);
            let looks = (before + 1).to_string();
            done.memory.note("looks".to_owned(), &looks);
            let words = json!(format!("look {looks}"));
            for body in done.writes("VolumeReplicationGroup") {
                set_condition(body, "AutoCleanup", "message", &words);
            }
        },
        ..SOUND
    },
    Defect {
        name: "DRPC says available at once",
        what: "the DRPC shows Available and PeerReady as soon as something is asked",
        rules: &["S20 available means so", "S1 one primary"],
        act: |done| {
            for body in done.writes("DRPlacementControl") {
                set_condition(body, "Available", "status", &json!("True"));
                set_condition(body, "PeerReady", "status", &json!("True"));
            }
        },
        ..SOUND
    },
    Defect {
        name: "conditions in another order",
        what: "PeerReady stands where clients look for Available",
        rules: &["S16 statuses are what clients know"],
        act: |done| {
            for body in done.writes("DRPlacementControl") {
                if let Some(conditions) = body["status"]["conditions"].as_array_mut() {
                    conditions.reverse();
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "action counted twice",
        what: "the DRPC counts two failovers where one was begun",
        rules: &["S17 each action is counted once"],
        act: |done| {
            for body in done.writes("DRPlacementControl") {
                if let Some(count) = body["metadata"]["annotations"].get_mut(annotation::DR_ACTION_COUNT) {
                    let told = count.as_str().unwrap_or_default().replace("\"failover\":1", "\"failover\":2");
                    *count = json!(told);
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "VRG always says Primary",
        what: "a VRG says Primary whatever it is to be",
        rules: &["VS18 a state is the present one"],
        act: |done| done.writes("VolumeReplicationGroup").for_each(|body| body["status"]["state"] = json!("Primary")),
        ..SOUND
    },
    Defect {
        name: "newest synchronization told for all",
        what: "a VRG's lastGroupSyncTime is later than that of some of its claims",
        rules: &["VS18 a state is the present one"],
        act: |done| {
            for body in done.writes("VolumeReplicationGroup") {
                body["status"]["lastGroupSyncTime"] = json!("2030-01-01T00:00:00Z");
            }
        },
        ..SOUND
    },
    Defect {
        name: "VRG's conditions not passed on",
        what: "the DRPC says nothing of what its VRG says",
        rules: &["L5 what is told is so", "VS19 at rest nothing is written"],
        act: |done| {
            for body in done.writes("DRPlacementControl").filter(|body| !body["status"].is_null()) {
                body["status"]["resourceConditions"] = json!(null);
            }
        },
        ..SOUND
    },
    Defect {
        name: "last synchronization stands still",
        what: "a VRG tells the time of its first synchronization for ever",
        rules: &["VL1 at rest all is protected"],
        act: |done| {
            let about = format!("{} synchronized", done.operator);
            let memory = done.memory;
            for body in done.writes("VolumeReplicationGroup") {
                let told = text(body, "/status/lastGroupSyncTime").to_owned();
                if !told.is_empty() {
                    let first = memory.recall(&about).unwrap_or(told);
                    body["status"]["lastGroupSyncTime"] = json!(first);
                    memory.note(about.clone(), &first);
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "waits kept to itself",
        what: "the conditions of a DRPC say nothing but that somebody waits",
        rules: &["L4 waits are told"],
        act: |done| {
            for body in done.writes("DRPlacementControl") {
                for kind in ["Available", "PeerReady", "Protected"] {
                    set_condition(body, kind, "message", &json!("please wait"));
                }
            }
        },
        ..SOUND
    },
];
