//! The kinds that the operator of a managed cluster watches.

use ramen_api::{
    kinds,
    ramen::wire::{condition, label},
};
use ramen_events::Kind;
use ramen_ports::Watch;
use serde_json::Value;

use crate::fields::list;

/// One row a kind. Secrets and ConfigMaps are watched in the operator's own namespace only. Kinds that a cluster may lack
/// are watched as soon as they appear (spec spoke-config C7).
pub fn table(namespace: &str) -> Vec<Watch> {
    vec![
        Watch::all(Kind::Vrg, &kinds::VOLUME_REPLICATION_GROUP),
        Watch::all(Kind::DrClusterConfig, &kinds::DR_CLUSTER_CONFIG),
        Watch::all(Kind::PersistentVolumeClaim, &kinds::PERSISTENT_VOLUME_CLAIM),
        Watch::all(Kind::PersistentVolume, &kinds::PERSISTENT_VOLUME),
        Watch::all(Kind::Pod, &kinds::POD),
        Watch::all(Kind::StorageClass, &kinds::STORAGE_CLASS),
        Watch::all(Kind::ConfigMap, &kinds::CONFIG_MAP).in_namespace(namespace),
        Watch::all(Kind::Secret, &kinds::SECRET).in_namespace(namespace),
        Watch::all(Kind::VolumeAttachment, &kinds::VOLUME_ATTACHMENT).optional(),
        Watch::all(Kind::VolumeReplication, &kinds::VOLUME_REPLICATION).optional(),
        Watch::all(Kind::VolumeReplicationClass, &kinds::VOLUME_REPLICATION_CLASS).optional(),
        Watch::all(Kind::VolumeGroupReplicationClass, &kinds::VOLUME_GROUP_REPLICATION_CLASS).optional(),
        Watch::all(Kind::VolumeSnapshotClass, &kinds::VOLUME_SNAPSHOT_CLASS).optional(),
        Watch::all(Kind::VolumeGroupSnapshotClass, &kinds::VOLUME_GROUP_SNAPSHOT_CLASS).optional(),
        Watch::all(Kind::NetworkFenceClass, &kinds::NETWORK_FENCE_CLASS).optional(),
        // Of a node, only the networks of its fence classes are told.
        Watch::all(Kind::CsiAddonsNode, &kinds::CSI_ADDONS_NODE).optional().once(Kind::NetworkFenceClass),
        Watch::all(Kind::NetworkAttachmentDefinition, &kinds::NETWORK_ATTACHMENT_DEFINITION).optional(),
        // What an old version left is gone as soon as a configuration was processed.
        Watch::all(Kind::ClusterClaim, &kinds::CLUSTER_CLAIM)
            .labelled(format!("{}=ramen", label::CLUSTER_CLAIM_OWNER))
            .optional()
            .once_when(Kind::DrClusterConfig, is_unprocessed),
    ]
}

fn is_unprocessed(config: &Value) -> bool {
    let is_processed = |told: &Value| told["type"] == condition::PROCESSED && told["status"] == "True";
    !list(config, "/status/conditions").iter().any(is_processed)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::is_unprocessed;

    #[rstest]
    #[case::new(json!({}), true)]
    #[case::refused(json!({"conditions": [{"type": "Processed", "status": "False"}]}), true)]
    #[case::processed(json!({"conditions": [{"type": "Other", "status": "False"}, {"type": "Processed", "status": "True"}]}), false)]
    fn what_old_versions_left_is_looked_for_until_a_configuration_was_processed(
        #[case] status: Value,
        #[case] wanted: bool,
    ) {
        assert_eq!(is_unprocessed(&json!({"status": status})), wanted);
    }
}
