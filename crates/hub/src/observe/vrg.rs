//! A VRG: in a work, in a view, in a store.

use ramen_api::path::At as _;
use ramen_api::ramen::wire::annotation;
use ramen_events::hub::{ProtectedPvc, StoredVrg, VrgManifest, VrgSeen, VrgStatus};
use serde_json::Value;

use crate::{
    fields::{conditions, deleting, flag, list, map, maybe_text, number, text, texts, time, verbatim},
    vrg_spec,
};

/// The VRG as it was asked for, and the command that asked.
pub fn manifest(object: &Value) -> (VrgManifest, String) {
    let mut annotations = map(object, "/metadata/annotations");
    let command = annotations.remove(annotation::HUB_COMMAND).unwrap_or_default();
    let manifest = VrgManifest {
        namespace: text(object, "/metadata/namespace"),
        name: text(object, "/metadata/name"),
        labels: map(object, "/metadata/labels"),
        annotations,
        spec: vrg_spec::read(object.get("spec").unwrap_or(&Value::Null)),
    };
    (manifest, command)
}

/// The VRG as a cluster has it.
pub fn seen(object: &Value) -> VrgSeen {
    let (manifest, command) = manifest(object);
    VrgSeen {
        uid: text(object, "/metadata/uid"),
        generation: number(object, "/metadata/generation"),
        deleting: deleting(object),
        command,
        manifest,
        status: object.get("status").filter(|status| !text(status, "/state").is_empty()).map(status),
    }
}

fn status(status: &Value) -> VrgStatus {
    VrgStatus {
        state: text(status, "/state"),
        observed_generation: number(status, "/observedGeneration"),
        last_update: time(status, "/lastUpdateTime"),
        conditions: conditions(status, "/conditions"),
        prepare_complete: flag(status, "/prepareForFinalSyncComplete"),
        final_sync_complete: flag(status, "/finalSyncComplete"),
        last_group_sync: time(status, "/lastGroupSyncTime"),
        last_group_sync_duration: maybe_text(status, "/lastGroupSyncDuration"),
        last_group_sync_bytes: status.at("/lastGroupSyncBytes").and_then(Value::as_i64),
        captured: time(status, "/kubeObjectProtection/captureToRecoverFrom/endTime"),
        protected_pvcs: list(status, "/protectedPVCs").iter().map(protected_pvc).collect(),
        pvc_groups: verbatim(status, "/pvcgroups"),
    }
}

fn protected_pvc(value: &Value) -> ProtectedPvc {
    ProtectedPvc {
        namespace: text(value, "/namespace"),
        name: text(value, "/name"),
        storage_class: text(value, "/storageClassName"),
        provisioner: text(value, "/csiProvisioner"),
        replication_id: text(value, "/replicationID/id"),
        failover_mode: ["/replicationID/modes", "/storageID/modes"]
            .into_iter()
            .any(|modes| texts(value, modes).iter().any(|mode| mode == "Failover")),
        by_vol_sync: flag(value, "/protectedByVolSync"),
    }
}

/// The VRG as a store has it; `None` when it is none.
pub fn stored(object: &Value) -> Option<StoredVrg> {
    let annotations = map(object, "/metadata/annotations");
    let of = |key: &str| annotations.get(key).cloned().unwrap_or_default();
    Some(StoredVrg {
        state: maybe_text(object, "/spec/replicationState")?,
        action: text(object, "/spec/action"),
        destination: of(annotation::DESTINATION_CLUSTER),
        drpc_uid: of(annotation::DRPC_UID),
        last_update: time(object, "/status/lastUpdateTime"),
    })
}
