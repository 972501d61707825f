//! Volumes: their protection, their role, and who still uses them.

use ramen_api::{kinds, ramen::wire::annotation};
use ramen_events::{Kind, spoke};
use ramen_ports::{Effect, Target};
use serde_json::{Value, json};

use crate::{
    defect::{Defect, SOUND, Seen},
    json::{CLAIM_FINALIZER, set_condition, show_finalizer, text},
};

/// Has a VolumeReplication that is to have this role look as if it had it.
fn believe_role(seen: &mut Seen<'_>, role: &str, state: &str) -> bool {
    if seen.kind == Kind::VolumeReplication && text(seen.object, "/spec/replicationState") == role {
        let generation = seen.object["metadata"]["generation"].clone();
        let condition = |kind: &str, status: &str| {
            json!({"type": kind, "status": status, "reason": "Believed", "message": "", "observedGeneration": generation,
                "lastTransitionTime": "2026-01-01T00:00:00Z"})
        };
        let told = [("Completed", "True"), ("Degraded", "False"), ("Resyncing", "False")];
        let conditions: Vec<Value> = told.iter().map(|(kind, status)| condition(kind, status)).collect();
        seen.object["status"]["observedGeneration"] = generation;
        seen.object["status"]["state"] = json!(state);
        seen.object["status"]["conditions"] = json!(conditions);
    }
    true
}

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "volumes never retained",
        what: "the reclaim policy of volumes is left alone, and believed to be Retain",
        rules: &["VS6 replicated volumes are retained"],
        see: |seen| {
            if seen.kind == Kind::PersistentVolume {
                seen.object["spec"]["persistentVolumeReclaimPolicy"] = json!("Retain");
            }
            true
        },
        act: |done| {
            for spec in done.writes("PersistentVolume").filter_map(|body| body["spec"].as_object_mut()) {
                spec.remove("persistentVolumeReclaimPolicy");
            }
        },
        ..SOUND
    },
    Defect {
        name: "claims never held",
        what: "protected claims get no finalizer, and are believed to have one",
        rules: &["VS3 Secondary means so", "L1 every action ends"],
        see: |seen| {
            if seen.kind == Kind::PersistentVolumeClaim
                && seen.object["metadata"]["annotations"].get(annotation::PVC_PROTECTED).is_some()
            {
                show_finalizer(seen.object, CLAIM_FINALIZER, true);
            }
            true
        },
        act: |done| {
            for body in done.writes("PersistentVolumeClaim").filter(|body| body["metadata"]["finalizers"].is_array()) {
                show_finalizer(body, CLAIM_FINALIZER, false);
            }
        },
        ..SOUND
    },
    Defect {
        name: "demotion believed as soon as asked",
        what: "each VolumeReplication that is to be secondary counts as one that is",
        rules: &["D1 no write is lost but by a failover", "VS3 Secondary means so"],
        see: |seen| believe_role(seen, "secondary", "Secondary"),
        ..SOUND
    },
    Defect {
        name: "promotion believed as soon as asked",
        what: "each VolumeReplication that is to be primary counts as one that is",
        rules: &["VS13 ready means writable"],
        see: |seen| believe_role(seen, "primary", "Primary"),
        ..SOUND
    },
    Defect {
        name: "last data not waited for",
        what: "a demoted volume counts as handed over before its last data reached the other cluster",
        rules: &["VS14 force is for failovers", "D1 no write is lost but by a failover"],
        see: |seen| {
            if seen.kind == Kind::VolumeReplication {
                set_condition(seen.object, "Degraded", "status", &json!("False"));
            }
            true
        },
        ..SOUND
    },
    Defect {
        name: "replication deleted instead of demoted",
        what: "where a VolumeReplication is to be made secondary, it is deleted",
        rules: &["L1 every action ends"],
        act: |done| {
            if let Some(spoke::Command::ApplyReplication { pvc, role: spoke::Role::Secondary, .. }) = done.spoke() {
                let (resource, namespace, name) = (&kinds::VOLUME_REPLICATION, pvc.namespace.clone(), pvc.name.clone());
                *done.effects = vec![Effect::Delete { target: Target { resource, namespace, name }, uid: None }];
            }
        },
        ..SOUND
    },
    Defect {
        name: "old primary never resynchronized",
        what: "autoResync is never set, and believed to be as it should",
        rules: &["VL4 a split heals"],
        see: |seen| {
            if seen.kind == Kind::VolumeReplication {
                let about =
                    format!("{}/{}", text(seen.object, "/metadata/namespace"), text(seen.object, "/metadata/name"));
                let role = text(seen.object, "/spec/replicationState").to_owned();
                if let Some(wished) = seen.memory.recall(&format!("{about} {role}")) {
                    seen.object["spec"]["autoResync"] = json!(wished == "true");
                }
            }
            true
        },
        act: |done| {
            if let Some(spoke::Command::ApplyReplication { pvc, role, auto_resync, .. }) = done.spoke() {
                let role = if *role == spoke::Role::Primary { "primary" } else { "secondary" };
                done.memory.note(format!("{pvc} {role}"), &auto_resync.to_string());
                for body in done.writes("VolumeReplication") {
                    body["spec"]["autoResync"] = json!(false);
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "pods never seen",
        what: "no volume is believed to be in use by a pod",
        rules: &["VS2 no volume is demoted in use"],
        see: |seen| !matches!(seen.kind, Kind::Pod | Kind::VolumeAttachment),
        act: |done| done.effects.retain(|effect| !matches!(effect, Effect::RequireUnused(_))),
        ..SOUND
    },
];
