//! What objects and answers tell: pure functions from one object to at most one fact, one file a subject.

use ramen_events::{Fact, Kind, hub};
use ramen_ports::Observation;
use serde_json::Value;

mod authors;
mod cluster;
mod config;
mod drpc;
mod placement;
mod policy;
mod stored;
mod view;
mod vrg;
mod work;

pub use stored::answers;

/// What an object of a watched kind tells; `namespace` is the operator's own.
pub fn object(kind: Kind, object: &Value, namespace: &str) -> Option<Observation> {
    let fact = match kind {
        Kind::ConfigMap => config::config_map(object, namespace)?,
        Kind::Secret => config::secret(object),
        Kind::Drpc => drpc::observe(object),
        Kind::DrPolicy => policy::observe(object),
        Kind::DrCluster => cluster::dr_cluster(object),
        Kind::ManagedCluster => cluster::managed(object),
        Kind::Placement | Kind::PlacementRule => placement::placement(kind, object),
        Kind::PlacementDecision => placement::decision(object),
        Kind::ApplicationSet => placement::application_set(object)?,
        Kind::ManifestWork => work::observe(object),
        Kind::ManagedClusterView => view::observe(object),
        _ => return None,
    };
    Some(observation(fact))
}

/// What an object of a watched kind tells that no decision needs.
pub fn remark(kind: Kind, object: &Value) -> Option<Observation> {
    (kind == Kind::Drpc).then(|| authors::of_drpc(object))?.map(observation)
}

fn observation(fact: hub::Fact) -> Observation {
    Observation::from(Fact::Hub(fact))
}
