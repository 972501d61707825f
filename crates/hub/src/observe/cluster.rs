//! DRCluster and ManagedCluster.

use ramen_api::ramen::wire::{CLUSTER_ID_CLAIM, condition};
use ramen_events::{
    ConditionStatus,
    hub::{DrClusterFact, DrClusterStatus, Fact, ManagedClusterFact},
};
use serde_json::Value;

use crate::fields::{conditions, list, meta, text, texts, verbatim};

/// What a DRCluster tells.
pub fn dr_cluster(object: &Value) -> Fact {
    let status = object.get("status").filter(|status| status.is_object()).map(|_| DrClusterStatus {
        phase: text(object, "/status/phase"),
        conditions: conditions(object, "/status/conditions"),
        maintenance_modes: verbatim(object, "/status/maintenanceModes"),
    });
    Fact::DrCluster(Box::new(DrClusterFact {
        meta: meta(object),
        profile: text(object, "/spec/s3ProfileName"),
        fence: text(object, "/spec/clusterFence"),
        cidrs: texts(object, "/spec/cidrs"),
        status,
    }))
}

/// What a ManagedCluster tells.
pub fn managed(object: &Value) -> Fact {
    let conditions = conditions(object, "/status/conditions");
    let status = |kind: &str| conditions.iter().find(|condition| condition.kind == kind).map(|c| c.status);
    let claims = list(object, "/status/clusterClaims").iter();
    let id = claims.filter(|claim| text(claim, "/name") == CLUSTER_ID_CLAIM).map(|claim| text(claim, "/value")).next();
    Fact::ManagedCluster(ManagedClusterFact {
        name: text(object, "/metadata/name"),
        joined: status(condition::MANAGED_CLUSTER_JOINED) == Some(ConditionStatus::True),
        available: status(condition::MANAGED_CLUSTER_AVAILABLE),
        id: id.unwrap_or_default(),
    })
}
