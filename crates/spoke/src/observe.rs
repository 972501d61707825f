//! What objects and answers tell: pure functions from one object to at most one fact, one file a subject.

use ramen_events::{BlobId, Cause, Fact, Kind, spoke};
use ramen_ports::Observation;
use serde_json::Value;

mod classes;
mod cluster_config;
mod config;
mod replication;
mod stored;
mod volumes;
mod vrg;
mod workload;

pub(crate) use volumes::spec_hash;

pub use stored::answers;

/// What an object of a watched kind tells; `namespace` is the operator's own.
pub fn object(kind: Kind, object: &Value, namespace: &str) -> Option<Observation> {
    match kind {
        Kind::Vrg => Some(vrg::observe(object)),
        Kind::PersistentVolumeClaim => Some(volumes::claim(object)),
        Kind::PersistentVolume => Some(volumes::volume(object)),
        Kind::VolumeReplication => Some(fact(replication::observe(object))),
        Kind::VolumeReplicationClass => Some(fact(classes::replication(object))),
        Kind::StorageClass => Some(fact(classes::storage(object))),
        Kind::Pod => workload::pod(object).map(fact),
        Kind::VolumeAttachment => workload::attachment(object).map(fact),
        Kind::ConfigMap => config::config_map(object, namespace),
        Kind::Secret => config::secret(object).map(fact),
        Kind::DrClusterConfig => Some(fact(cluster_config::observe(object))),
        Kind::VolumeSnapshotClass
        | Kind::VolumeGroupSnapshotClass
        | Kind::VolumeGroupReplicationClass
        | Kind::NetworkFenceClass => Some(fact(classes::listed(kind, object))),
        Kind::CsiAddonsNode => Some(fact(cluster_config::access_node(object))),
        Kind::NetworkAttachmentDefinition => Some(fact(cluster_config::network(object))),
        Kind::ClusterClaim => cluster_config::old_claim(object).map(fact),
        _ => None,
    }
}

fn fact(fact: spoke::Fact) -> Observation {
    Observation::from(Fact::Spoke(fact))
}

/// An observation whose fact names objects by hash.
fn with_blobs(fact: spoke::Fact, blobs: Vec<Vec<u8>>) -> Observation {
    Observation { fact: Fact::Spoke(fact), blobs, cause: Cause::Outside }
}

/// An object's canonical bytes: keys sorted, no blanks.
fn bytes(object: &Value) -> Vec<u8> {
    object.to_string().into_bytes()
}

/// An object as it is stored: without what only its API server needs.
fn stored_form(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        metadata.remove("resourceVersion");
    }
    object
}

/// The digest of a value.
fn digest(value: &Value) -> BlobId {
    BlobId::of(&bytes(value))
}
