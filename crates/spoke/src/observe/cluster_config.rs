//! DRClusterConfig and what it publishes.

use ramen_api::ramen::wire::label;
use ramen_events::spoke::{AccessNode, ClusterConfig, ClusterConfigStatus, Fact, Network};
use serde_json::Value;

use crate::fields::{conditions, deleting, filled, key, list, map, number, text, texts};

pub fn observe(object: &Value) -> Fact {
    Fact::ClusterConfig(Box::new(ClusterConfig {
        name: text(object, "/metadata/name"),
        uid: text(object, "/metadata/uid"),
        generation: number(object, "/metadata/generation"),
        resource_version: text(object, "/metadata/resourceVersion"),
        deleting: deleting(object),
        finalizers: texts(object, "/metadata/finalizers"),
        status: object.pointer("/status").filter(|status| status.get("conditions").is_some()).map(status),
    }))
}

fn status(status: &Value) -> ClusterConfigStatus {
    ClusterConfigStatus {
        conditions: conditions(status, "/conditions"),
        storage_classes: texts(status, "/storageClasses"),
        snapshot_classes: texts(status, "/volumeSnapshotClasses"),
        group_snapshot_classes: texts(status, "/volumeGroupSnapshotClasses"),
        replication_classes: texts(status, "/volumeReplicationClasses"),
        group_replication_classes: texts(status, "/volumeGroupReplicationClasses"),
        fence_classes: texts(status, "/networkFenceClasses"),
        access_details: list(status, "/storageAccessDetails")
            .iter()
            .map(|details| (text(details, "/storageProvisioner"), texts(details, "/cidrs")))
            .collect(),
        networks: list(status, "/networkAttachments")
            .iter()
            .map(|network| (text(network, "/namespace"), text(network, "/name"), text(network, "/cniType")))
            .collect(),
    }
}

pub fn access_node(object: &Value) -> Fact {
    let clients = list(object, "/status/networkFenceClientStatus")
        .iter()
        .map(|client| {
            let cidrs = list(client, "/clientDetails").iter().flat_map(|details| texts(details, "/cidrs")).collect();
            (text(client, "/networkFenceClassName"), cidrs)
        })
        .collect();
    Fact::AccessNode(AccessNode { key: key(object), clients })
}

pub fn network(object: &Value) -> Fact {
    let labels = map(object, "/metadata/labels");
    let config: Value = serde_json::from_str(&text(object, "/spec/config")).unwrap_or_default();
    let cni_type = filled(&config, "/type").or_else(|| filled(&config, "/plugins/0/type"));
    Fact::Network(Network {
        key: key(object),
        listed: labels.get(label::DR_NETWORK).map(String::as_str) == Some(label::TRUE),
        cni_type: cni_type.unwrap_or_else(|| "unknown".to_owned()),
    })
}

/// A ClusterClaim of an old version (spec spoke-config 1.7); others tell nothing.
pub fn old_claim(object: &Value) -> Option<Fact> {
    let owner = map(object, "/metadata/labels").get(label::CLUSTER_CLAIM_OWNER).cloned();
    (owner.as_deref() == Some("ramen")).then(|| Fact::OldClusterClaim { name: text(object, "/metadata/name") })
}
