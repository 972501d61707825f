//! Classes.

use ramen_api::ramen::wire::{self, annotation, label};
use ramen_events::{
    Kind,
    spoke::{Fact, ListedClass, ReplicationClass, StorageClass},
};
use serde_json::Value;

use crate::fields::{annotation, map, text};

/// Prefix of the parameters that name secrets.
const CSI_PARAMETERS: &str = "csi.storage.k8s.io/";
/// Parameter that names the storage cluster.
const CLUSTER_ID: &str = "clusterID";

pub fn storage(object: &Value) -> Fact {
    Fact::StorageClass(StorageClass {
        name: text(object, "/metadata/name"),
        provisioner: text(object, "/provisioner"),
        labels: map(object, "/metadata/labels").into_iter().filter(|(name, _)| name.starts_with(wire::GROUP)).collect(),
        parameters: map(object, "/parameters")
            .into_iter()
            .filter(|(name, _)| name == CLUSTER_ID || name.starts_with(CSI_PARAMETERS))
            .collect(),
    })
}

pub fn replication(object: &Value) -> Fact {
    let parameters = map(object, "/spec/parameters");
    Fact::ReplicationClass(ReplicationClass {
        name: text(object, "/metadata/name"),
        provisioner: text(object, "/spec/provisioner"),
        labels: map(object, "/metadata/labels"),
        interval: parameters.get(wire::SCHEDULING_INTERVAL_PARAMETER).cloned().unwrap_or_default(),
        is_default: annotation(object, annotation::IS_DEFAULT_CLASS) == annotation::TRUE,
    })
}

/// A class of which only the name is published (spec spoke-config 1.4).
pub fn listed(kind: Kind, object: &Value) -> Fact {
    let (place, mark) = match kind {
        Kind::VolumeGroupReplicationClass => ("/metadata/labels", label::GROUP_REPLICATION_ID),
        Kind::NetworkFenceClass => ("/metadata/annotations", label::STORAGE_ID),
        _ => ("/metadata/labels", label::STORAGE_ID),
    };
    Fact::ListedClass(ListedClass {
        kind,
        name: text(object, "/metadata/name"),
        listed: map(object, place).contains_key(mark),
        provisioner: text(object, "/spec/provisioner"),
    })
}
