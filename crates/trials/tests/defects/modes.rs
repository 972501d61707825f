//! Storage that wants to be told of failovers.

use ramen_events::{Kind, hub};
use serde_json::json;

use crate::defect::{Defect, SOUND};

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "storage not told of failovers",
        what: "the hub does not see that the storage of a VRG wants to be told",
        rules: &["S7 storage that wants to be told of a failover is told before"],
        see: |seen| {
            if seen.kind == Kind::ManagedClusterView
                && let Some(claims) = seen.object.pointer_mut("/status/result/status/protectedPVCs")
            {
                for claim in claims.as_array_mut().into_iter().flatten() {
                    claim["replicationID"]["modes"] = json!([]);
                }
            }
            true
        },
        ..SOUND
    },
    Defect {
        name: "storage never told that a failover is through",
        what: "the ManifestWork of a MaintenanceMode is never deleted",
        rules: &["HS9 storage is asked for failovers only", "L1 every action ends"],
        act: |done| {
            if let Some(hub::Command::DeleteWork { name, .. }) = done.hub()
                && name.ends_with("-mmode-mw")
            {
                done.effects.clear();
            }
        },
        ..SOUND
    },
];
