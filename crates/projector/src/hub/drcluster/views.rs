//! Views of a cluster's inventory: its DRClusterConfig, and each class that this lists (spec hub 2.1, 9.1).
//!
//! They serve the policies, but belong to the cluster: two policies that share a cluster share them too. All classes
//! are asked for at once, and a view whose class is no longer listed goes (spec hub 13, H20 and H23).

use ramen_api::{
    Resource, kinds,
    ramen::wire::{label, name},
};
use ramen_events::{
    Command,
    hub::{self, ClusterConfigSeen, ViewAnswer, ViewFact, ViewScope, ViewWish},
};

use crate::{FEWER_WRITES, domain::Decision};

use super::{Cluster, inventory, works};

/// A kind of class that views show.
pub struct ClassKind {
    /// How its views are named.
    pub kind: name::ClassKind,
    /// How the API server names it.
    pub resource: &'static Resource,
    /// The label of its views.
    pub label: &'static str,
    /// Where a DRClusterConfig lists it.
    pub listed: fn(&ClusterConfigSeen) -> &Vec<String>,
}

/// The kinds of classes that peer classes are made from.
pub const CLASSES: [ClassKind; 5] = [
    ClassKind {
        kind: name::ClassKind::Storage,
        resource: &kinds::STORAGE_CLASS,
        label: label::VIEW_STORAGE_CLASS,
        listed: |config| &config.storage_classes,
    },
    ClassKind {
        kind: name::ClassKind::Snapshot,
        resource: &kinds::VOLUME_SNAPSHOT_CLASS,
        label: label::VIEW_VOLUME_SNAPSHOT_CLASS,
        listed: |config| &config.snapshot_classes,
    },
    ClassKind {
        kind: name::ClassKind::Replication,
        resource: &kinds::VOLUME_REPLICATION_CLASS,
        label: label::VIEW_VOLUME_REPLICATION_CLASS,
        listed: |config| &config.replication_classes,
    },
    ClassKind {
        kind: name::ClassKind::GroupSnapshot,
        resource: &kinds::VOLUME_GROUP_SNAPSHOT_CLASS,
        label: label::VIEW_VOLUME_GROUP_SNAPSHOT_CLASS,
        listed: |config| &config.group_snapshot_classes,
    },
    ClassKind {
        kind: name::ClassKind::GroupReplication,
        resource: &kinds::VOLUME_GROUP_REPLICATION_CLASS,
        label: label::VIEW_VOLUME_GROUP_REPLICATION_CLASS,
        listed: |config| &config.group_replication_classes,
    },
];

/// Seconds between reads of a configuration that the cluster has not filled in yet.
const FAST: i64 = 1;

/// How long a cluster may take to fill it in before it is read for the first time, in milliseconds.
const FILLED_MS: u64 = 500;

/// Creates what is needed, drops what is not.
pub fn ensure(cluster: &Cluster<'_>, decision: &mut Decision) {
    let listed = cluster.hub.policies_of(&cluster.name.0).next().is_some();
    if !listed && cluster.fact.cidrs.is_empty() {
        return;
    }
    // Before the object is there, its view would answer "not found" and then rest for half a minute.
    let work = cluster.hub.work(&cluster.name, name::DR_CLUSTER_CONFIG_WORK);
    if !work.is_some_and(|known| works::is_applied(&known.fact)) {
        return;
    }
    let config = inventory::config_of(cluster.hub, &cluster.name);
    // The cluster needs a moment to fill it in. Whoever reads too early has to read again and again.
    let filled = work.map_or(cluster.ask.now, |known| known.at.plus_ms(FILLED_MS));
    if cluster.ask.decider >= FEWER_WRITES && config.is_none() && cluster.ask.now < filled {
        decision.ask_again(filled, "the cluster fills in its DRClusterConfig");
        return;
    }
    let view = cluster.hub.view(&cluster.name, &name::dr_cluster_config_view(&cluster.name.0));
    let unread =
        cluster.ask.decider >= FEWER_WRITES && view.is_none_or(|view| matches!(view.fact.answer, ViewAnswer::Silent));
    let interval = if unread || config.is_some_and(|config| config.processed) { 0 } else { FAST };
    let wish = cluster.wish(
        name::dr_cluster_config_view(&cluster.name.0),
        &kinds::DR_CLUSTER_CONFIG,
        &cluster.name.0,
        "",
        interval,
    );
    want(cluster, wish, decision);
    let Some(config) = config.filter(|config| config.processed) else { return };
    for class in &CLASSES {
        for listed in (class.listed)(config) {
            let view = name::class_view(class.kind, listed);
            let resource = cluster.api_of(class, &view);
            want(cluster, cluster.wish(view, resource, listed, class.label, 0), decision);
        }
    }
    for known in cluster.hub.views.get(&cluster.name).into_iter().flat_map(|views| views.values()) {
        if is_class_view(&known.fact) && !is_listed(&known.fact, config) {
            delete(cluster, &known.fact, decision);
        }
    }
}

/// Deletes all of them.
pub fn delete_all(cluster: &Cluster<'_>, decision: &mut Decision) {
    for known in cluster.hub.views.get(&cluster.name).into_iter().flat_map(|views| views.values()) {
        if is_class_view(&known.fact) || known.fact.name == name::dr_cluster_config_view(&cluster.name.0) {
            delete(cluster, &known.fact, decision);
        }
    }
}

/// Deletes a view.
pub fn delete(cluster: &Cluster<'_>, view: &ViewFact, decision: &mut Decision) {
    if !view.deleting {
        let command = hub::Command::DeleteView { cluster: cluster.name.clone(), name: view.name.clone() };
        decision.want(format!("view/{}", view.name), Command::Hub(command));
    }
}

fn is_class_view(view: &ViewFact) -> bool {
    view.for_policies && CLASSES.iter().any(|class| class.resource.kind == view.scope_kind)
}

fn is_listed(view: &ViewFact, config: &ClusterConfigSeen) -> bool {
    CLASSES
        .iter()
        .filter(|class| class.resource.kind == view.scope_kind)
        .any(|class| (class.listed)(config).contains(&view.scope_name))
}

fn want(cluster: &Cluster<'_>, wish: ViewWish, decision: &mut Decision) {
    let known = cluster.hub.view(&cluster.name, &wish.name).map(|known| &*known.fact);
    let same = known.is_some_and(|fact| {
        fact.deleting
            || (fact.scope_group == wish.scope.group
                && fact.scope_kind == wish.scope.kind
                && fact.scope_name == wish.scope.name
                && fact.interval == wish.interval
                && fact.for_policies
                && (!wish.for_cluster || !fact.dr_cluster.is_empty()))
    });
    if !same {
        let slot = format!("view/{}", wish.name);
        decision.want(slot, Command::Hub(hub::Command::ApplyView(Box::new(wish))));
    }
}

impl Cluster<'_> {
    fn wish(&self, view: String, resource: &Resource, object: &str, label: &str, interval: i64) -> ViewWish {
        ViewWish {
            cluster: self.name.clone(),
            name: view,
            scope: ViewScope {
                group: resource.group.to_owned(),
                version: resource.version.to_owned(),
                kind: resource.kind.to_owned(),
                namespace: String::new(),
                name: object.to_owned(),
            },
            drpc: None,
            for_policies: true,
            for_cluster: label.is_empty() && !self.fact.cidrs.is_empty(),
            label: label.to_owned(),
            interval,
        }
    }

    /// The API that a class is read from. Group snapshots have a public and a private one: the private one is tried
    /// when the cluster says that it does not know the public one.
    fn api_of(&self, class: &ClassKind, view: &str) -> &'static Resource {
        let private = &kinds::VOLUME_GROUP_SNAPSHOT_CLASS_PRIVATE;
        let known = self.hub.view(&self.name, view).map(|known| &*known.fact);
        let is_private = known.is_some_and(|fact| fact.scope_group == private.group);
        let unknown_kind = known.is_some_and(|fact| {
            matches!(&fact.answer, ViewAnswer::Failed { reason, .. }
                if reason == ramen_api::ramen::wire::reason::RESOURCE_GVK_INVALID)
        });
        let grouped = matches!(class.kind, name::ClassKind::GroupSnapshot);
        if grouped && (is_private || unknown_kind) { private } else { class.resource }
    }
}
