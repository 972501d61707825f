//! The end of a protection: what goes in which order, and what must not stay.

use ramen_api::{
    kinds,
    ramen::wire::{annotation, finalizer},
};
use ramen_events::{Kind, hub, spoke};
use ramen_ports::{Effect, StoreOperation, Target};
use serde_json::json;

use crate::{
    defect::{Defect, SOUND},
    json::{CLAIM_FINALIZER, has_finalizer, show_finalizer},
};

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "VRG left behind",
        what: "the ManifestWork of a VRG is never deleted",
        rules: &["L1 every action ends"],
        act: |done| {
            if let Some(hub::Command::DeleteWork { name, .. }) = done.hub()
                && name.ends_with("-vrg-mw")
            {
                done.effects.clear();
            }
        },
        ..SOUND
    },
    Defect {
        name: "primary goes with its replica",
        what: "the ManifestWork of the primary VRG is deleted together with that of its replica",
        rules: &["S12 replicas go before the primary"],
        act: |done| {
            if let Some(hub::Command::DeleteWork { cluster, name, .. }) = done.hub()
                && name.ends_with("-vrg-mw")
            {
                let (namespace, name) = (if cluster.0 == "c1" { "c2" } else { "c1" }.to_owned(), name.clone());
                let target = Target { resource: &kinds::MANIFEST_WORK, namespace, name };
                done.effects.insert(0, Effect::Delete { target, uid: None });
            }
        },
        ..SOUND
    },
    Defect {
        name: "DRPC let go too early",
        what: "the DRPC's finalizer is taken off with the first VRG, not after the last one",
        rules: &["S12 nothing is left of a deleted DRPC"],
        act: |done| {
            if let Some(hub::Command::DeleteWork { name, .. }) = done.hub()
                && let Some(app) = name.strip_suffix("-vrg-mw").and_then(|name| name.split('-').next_back())
            {
                let target =
                    Target { resource: &kinds::DR_PLACEMENT_CONTROL, namespace: "apps".into(), name: app.into() };
                done.effects.push(Effect::Merge { target, body: json!({"metadata": {"finalizers": null}}) });
            }
        },
        ..SOUND
    },
    Defect {
        name: "DRPC never held",
        what: "a DRPC gets no finalizer, and is believed to have one",
        rules: &["S12 nothing is left of a deleted DRPC"],
        see: |seen| {
            if seen.kind == Kind::Drpc {
                show_finalizer(seen.object, finalizer::DRPC, true);
            }
            true
        },
        act: |done| {
            for body in done.writes("DRPlacementControl").filter(|body| !body["metadata"]["finalizers"].is_null()) {
                body["metadata"]["finalizers"] = json!([]);
            }
        },
        ..SOUND
    },
    Defect {
        name: "VRG let go first",
        what: "the VRG's finalizer is taken off before its VolumeReplications are gone",
        rules: &["VS7 nothing is left on claims", "VS8 a VRG goes last"],
        act: |done| {
            if let Some(spoke::Command::DeleteReplication { key, .. }) = done.spoke() {
                let (namespace, name) = (key.namespace.clone(), key.namespace.clone());
                let target = Target { resource: &kinds::VOLUME_REPLICATION_GROUP, namespace, name };
                done.effects.insert(0, Effect::Merge { target, body: json!({"metadata": {"finalizers": null}}) });
            }
        },
        ..SOUND
    },
    Defect {
        name: "claims never let go",
        what: "a claim that is released keeps the finalizer, and is believed to have lost it",
        rules: &["VS7 nothing is left on claims", "L1 every action ends"],
        see: |seen| {
            if seen.kind == Kind::PersistentVolumeClaim {
                let protected = seen.object["metadata"]["annotations"].get(annotation::PVC_PROTECTED).is_some();
                if has_finalizer(seen.object, CLAIM_FINALIZER) && !protected {
                    show_finalizer(seen.object, CLAIM_FINALIZER, false);
                }
            }
            true
        },
        act: |done| {
            if let Some(spoke::Command::ReleaseVolume { .. }) = done.spoke() {
                for metadata in done.writes("PersistentVolumeClaim").filter_map(|body| body["metadata"].as_object_mut())
                {
                    metadata.remove("finalizers");
                    metadata.remove("resourceVersion");
                }
            }
        },
        ..SOUND
    },
    Defect {
        name: "copies left behind",
        what: "the copies of an application that is no longer protected stay in the stores",
        rules: &["CS7 nothing is left in stores"],
        act: |done| {
            done.effects.retain(|effect| match effect {
                Effect::Store { operation: StoreOperation::Fenced { operation, .. }, .. } => {
                    !matches!(**operation, StoreOperation::DeleteAll(_))
                }
                _ => true,
            });
        },
        ..SOUND
    },
];
