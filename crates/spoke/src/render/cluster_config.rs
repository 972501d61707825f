//! DRClusterConfig, and the operator's ConfigMap.

use ramen_api::{
    kinds,
    ramen::{
        config::{RamenConfig, Role},
        wire::name,
    },
};
use ramen_events::spoke::{ClusterConfigStatus, Key};
use ramen_ports::{Effect, RenderError};
use serde_json::{Value, json};

use super::{cluster_scoped, namespaced, status::conditions};

/// The operator's ConfigMap with the defaults. One that exists is never changed.
pub fn default_config(namespace: &str) -> Result<Effect, RenderError> {
    let yaml = RamenConfig::defaults(Role::Cluster)
        .and_then(|config| config.to_yaml())
        .map_err(|err| RenderError(format!("the default configuration can't be written: {err}")))?;
    let key = Key::new(namespace, name::CLUSTER_CONFIG_MAP);
    Ok(Effect::Create {
        target: namespaced(&kinds::CONFIG_MAP, &key),
        body: json!({ "data": { name::CONFIG_KEY: yaml } }),
    })
}

/// What the cluster offers. Empty lists are struck out.
pub fn status(name: &str, status: &ClusterConfigStatus) -> Effect {
    let names = |names: &[String]| if names.is_empty() { Value::Null } else { json!(names) };
    let details: Vec<Value> = status
        .access_details
        .iter()
        .map(|(provisioner, cidrs)| json!({ "storageProvisioner": provisioner, "cidrs": cidrs }))
        .collect();
    let networks: Vec<Value> = status
        .networks
        .iter()
        .map(|(namespace, name, cni)| json!({ "namespace": namespace, "name": name, "cniType": cni }))
        .collect();
    let filled = |list: Vec<Value>| if list.is_empty() { Value::Null } else { Value::Array(list) };
    Effect::MergeStatus {
        target: cluster_scoped(&kinds::DR_CLUSTER_CONFIG, name),
        body: json!({ "status": {
            "conditions": conditions(&status.conditions),
            "storageClasses": names(&status.storage_classes),
            "volumeSnapshotClasses": names(&status.snapshot_classes),
            "volumeGroupSnapshotClasses": names(&status.group_snapshot_classes),
            "volumeReplicationClasses": names(&status.replication_classes),
            "volumeGroupReplicationClasses": names(&status.group_replication_classes),
            "networkFenceClasses": names(&status.fence_classes),
            "storageAccessDetails": filled(details),
            "networkAttachments": filled(networks),
        } }),
    }
}
