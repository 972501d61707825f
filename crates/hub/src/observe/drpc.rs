//! DRPlacementControl.

use ramen_api::path::At as _;
use ramen_events::hub::{DrpcFact, DrpcSpec, DrpcStatus, Fact, ResourceMirror};
use serde_json::Value;

use crate::fields::{conditions, flag, maybe_text, meta, number, text, texts, time, verbatim};

/// What a DRPlacementControl tells.
pub fn observe(object: &Value) -> Fact {
    Fact::Drpc(Box::new(DrpcFact { meta: meta(object), spec: spec(object), status: status(object) }))
}

fn spec(object: &Value) -> DrpcSpec {
    DrpcSpec {
        placement: text(object, "/spec/placementRef/name"),
        placement_namespace: text(object, "/spec/placementRef/namespace"),
        policy: text(object, "/spec/drPolicyRef/name"),
        preferred: text(object, "/spec/preferredCluster"),
        failover: text(object, "/spec/failoverCluster"),
        action: text(object, "/spec/action"),
        pvc_selector: verbatim(object, "/spec/pvcSelector"),
        protected_namespaces: texts(object, "/spec/protectedNamespaces"),
        kube_object_protection: verbatim(object, "/spec/kubeObjectProtection"),
        vol_sync: verbatim(object, "/spec/volSyncSpec"),
        dry_run: flag(object, "/spec/dryRun"),
    }
}

fn status(object: &Value) -> DrpcStatus {
    let mirror = object.at("/status/resourceConditions").filter(|value| !text(value, "/resourceMeta/name").is_empty());
    DrpcStatus {
        phase: text(object, "/status/phase"),
        observed_generation: number(object, "/status/observedGeneration"),
        progression: text(object, "/status/progression"),
        action_start: time(object, "/status/actionStartTime"),
        action_duration: maybe_text(object, "/status/actionDuration"),
        preferred_decision: text(object, "/status/preferredDecision/clusterName"),
        conditions: conditions(object, "/status/conditions"),
        resource: mirror.map(resource),
        last_group_sync: time(object, "/status/lastGroupSyncTime"),
        last_group_sync_duration: maybe_text(object, "/status/lastGroupSyncDuration"),
        last_group_sync_bytes: object.at("/status/lastGroupSyncBytes").and_then(Value::as_i64),
        last_kube_object_protection: time(object, "/status/lastKubeObjectProtectionTime"),
        last_update: time(object, "/status/lastUpdateTime"),
    }
}

fn resource(value: &Value) -> ResourceMirror {
    ResourceMirror {
        namespace: text(value, "/resourceMeta/namespace"),
        name: text(value, "/resourceMeta/name"),
        generation: number(value, "/resourceMeta/generation"),
        protected_pvcs: texts(value, "/resourceMeta/protectedpvcs"),
        pvc_groups: verbatim(value, "/resourceMeta/pvcgroups"),
        conditions: conditions(value, "/conditions"),
    }
}
