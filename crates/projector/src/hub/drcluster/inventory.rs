//! What a cluster offers for DR, as its views show it.

use ramen_api::ramen::wire::name;
use ramen_events::{
    ClusterName,
    hub::{ClassSeen, ClusterConfigSeen, ViewAnswer, ViewedObject},
};

use crate::hub::state::Hub;

use super::views::{CLASSES, ClassKind};

/// A class by name.
pub type Named<'a> = (&'a str, &'a ClassSeen);

/// The classes of one cluster, each kind in the order of its names.
#[derive(Clone, Debug, Default)]
pub struct Inventory<'a> {
    /// Name of the cluster.
    pub cluster: String,
    /// Identity of the cluster.
    pub id: String,
    /// StorageClasses.
    pub storage: Vec<Named<'a>>,
    /// VolumeSnapshotClasses.
    pub snapshot: Vec<Named<'a>>,
    /// VolumeGroupSnapshotClasses.
    pub group_snapshot: Vec<Named<'a>>,
    /// VolumeReplicationClasses.
    pub replication: Vec<Named<'a>>,
    /// VolumeGroupReplicationClasses.
    pub group_replication: Vec<Named<'a>>,
}

/// The identity that a cluster claims; `Err` with why there is none.
pub fn identity(hub: &Hub, cluster: &ClusterName) -> Result<String, String> {
    let Some(managed) = hub.managed.get(&cluster.0) else {
        return Err(format!("ManagedCluster {cluster} is not there; register the cluster with the hub"));
    };
    if !managed.joined {
        return Err(format!("waiting for ManagedCluster {cluster} to join"));
    }
    if managed.id.is_empty() {
        return Err(format!("waiting for ManagedCluster {cluster} to claim id.k8s.io"));
    }
    Ok(managed.id.clone())
}

/// The DRClusterConfig of a cluster, if its view shows it.
pub fn config_of<'a>(hub: &'a Hub, cluster: &ClusterName) -> Option<&'a ClusterConfigSeen> {
    match &hub.view(cluster, &name::dr_cluster_config_view(&cluster.0))?.fact.answer {
        ViewAnswer::Found(ViewedObject::ClusterConfig(config)) => Some(config),
        _ => None,
    }
}

/// All classes of a cluster; `Err` with what is waited for. Nothing is said about a part of them.
pub fn of<'a>(hub: &'a Hub, cluster: &ClusterName) -> Result<Inventory<'a>, String> {
    let id = identity(hub, cluster)?;
    let config = config_of(hub, cluster).ok_or_else(|| waiting_for(hub, cluster, "DRClusterConfig", &cluster.0))?;
    if !config.processed {
        return Err(format!("waiting for cluster {cluster} to discover its classes: {}", config.message));
    }
    let mut inventory = Inventory { cluster: cluster.0.clone(), id, ..Inventory::default() };
    for class in &CLASSES {
        let seen = classes(hub, cluster, class, config)?;
        match class.kind {
            name::ClassKind::Storage => inventory.storage = seen,
            name::ClassKind::Snapshot => inventory.snapshot = seen,
            name::ClassKind::GroupSnapshot => inventory.group_snapshot = seen,
            name::ClassKind::Replication => inventory.replication = seen,
            name::ClassKind::GroupReplication => inventory.group_replication = seen,
            name::ClassKind::NetworkFence => {}
        }
    }
    Ok(inventory)
}

fn classes<'a>(
    hub: &'a Hub,
    cluster: &ClusterName,
    class: &ClassKind,
    config: &'a ClusterConfigSeen,
) -> Result<Vec<Named<'a>>, String> {
    let one = |listed: &'a String| {
        let view = hub.view(cluster, &name::class_view(class.kind, listed)).map(|known| &known.fact.answer);
        match view {
            Some(ViewAnswer::Found(ViewedObject::Class(seen))) => Ok((listed.as_str(), seen)),
            _ => Err(waiting_for(hub, cluster, class.resource.kind, listed)),
        }
    };
    (class.listed)(config).iter().map(one).collect()
}

/// What a view that shows nothing says.
fn waiting_for(hub: &Hub, cluster: &ClusterName, kind: &str, object: &str) -> String {
    let same = |fact: &ramen_events::hub::ViewFact| fact.scope_kind == kind && fact.scope_name == object;
    let views = hub.views.get(cluster).into_iter().flat_map(|views| views.values());
    let told = match views.map(|known| &*known.fact).find(|fact| same(fact)).map(|fact| &fact.answer) {
        Some(ViewAnswer::NotFound) => ", which is not there",
        Some(ViewAnswer::Failed { message, .. }) => {
            return format!("waiting for {kind} {object} of cluster {cluster}: {message}");
        }
        _ => "",
    };
    format!("waiting for the view of {kind} {object} of cluster {cluster}{told}")
}
