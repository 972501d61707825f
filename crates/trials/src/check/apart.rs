//! What one object asks for, and what becomes of it, is no affair of others; and what users wrote stays theirs.

use std::collections::{BTreeMap, BTreeSet};

use ramen_api::ramen::wire::name;
use ramen_sim::{
    api::Resource,
    api_server::{kinds::TypeName, object},
    kinds,
    world::OPERATOR_NAMESPACE,
};
use serde_json::Value;

use super::{
    all, one,
    placed::{homes, vrg_of},
    text, type_name, violated,
};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// Kinds in an operator's namespace that users write for it, and where what they wrote stands.
const WRITTEN: [Resource; 2] = [kinds::CONFIG_MAP, kinds::SECRET];

/// Kinds that go with the application if they go.
const NEEDED: [Resource; 2] = [kinds::VRG, kinds::NAMESPACE];

/// What was there last.
#[derive(Default)]
pub(super) struct Apart {
    /// Works that stay, by cluster and name; with the application whose VRG each holds.
    works: BTreeMap<(String, String), Option<String>>,
    /// How often the hub had been rebuilt by then: what is not there any more went with it.
    forgot: u32,
    /// Names of VRGs and namespaces that stay, by cluster and kind.
    needed: BTreeMap<(String, &'static str), BTreeSet<String>>,
    /// What users wrote before anything began, by cluster.
    written: BTreeMap<String, Vec<(&'static str, String, Value)>>,
}

impl Apart {
    /// Looks at what changed on a cluster, or on the hub.
    pub(super) fn look(
        &mut self,
        universe: &Universe,
        cluster: &str,
        touched: &BTreeSet<TypeName>,
    ) -> Result<(), Violation> {
        if cluster == HUB && touched.contains(&type_name(&kinds::MANIFEST_WORK)) {
            self.works(universe)?;
        }
        for kind in NEEDED.iter().filter(|kind| cluster != HUB && touched.contains(&type_name(kind))) {
            self.needed(universe, cluster, kind)?;
        }
        if WRITTEN.iter().any(|kind| touched.contains(&type_name(kind))) {
            self.stays_written(universe, cluster)?;
        }
        Ok(())
    }

    /// Notes what users wrote: at the first event, before which no operator does anything.
    pub(super) fn look_first(&mut self, universe: &Universe) {
        if self.written.is_empty() {
            let clusters = universe.managed().chain([HUB]);
            self.written = clusters.map(|cluster| (cluster.to_owned(), written(universe, cluster))).collect();
        }
    }

    /// A work goes only when what it was made for goes: a VRG's with its DRPC (S13), the others of a cluster with its
    /// DRCluster (HS6).
    fn works(&mut self, universe: &Universe) -> Result<(), Violation> {
        let mut stay = BTreeMap::new();
        for work in all(universe, HUB, &kinds::MANIFEST_WORK, None) {
            let work = work.value();
            let (cluster, name) = (text(work, "/metadata/namespace"), text(work, "/metadata/name"));
            let app = vrg_of(work).map(|vrg| text(vrg, "/metadata/name").to_owned());
            let of_cluster = matches!(name, name::DR_CLUSTER_WORK | name::DR_CLUSTER_CONFIG_WORK);
            if !object::is_deleting(work) && (of_cluster || app.is_some()) {
                stay.insert((cluster.to_owned(), name.to_owned()), app);
            }
        }
        let before = std::mem::replace(&mut self.works, stay);
        if std::mem::replace(&mut self.forgot, universe.hub_forgot) != universe.hub_forgot {
            return Ok(());
        }
        for ((cluster, work), app) in before.iter().filter(|(place, _)| !self.works.contains_key(place)) {
            let (rule, kind, space, name) = match app {
                Some(app) => ("S13 each DRPC for itself", &kinds::DRPC, "apps", app),
                None => ("HS6 each cluster for itself", &kinds::DR_CLUSTER, "", cluster),
            };
            // A Placement that is deleted ends its protection, and a cluster of another identity gets its work anew.
            let by_hand = match app {
                Some(app) => universe.is_changed_by_hand(HUB, &kinds::PLACEMENT, app),
                None => universe.are_changed_by_hand(&[&kinds::CLUSTER_CLAIM]),
            };
            if by_hand {
                continue;
            }
            if one(universe, HUB, kind, space, name).is_some_and(|made_for| !object::is_deleting(made_for.value())) {
                let what = format!("ManifestWork {work} for {cluster} goes, and {} {name} stays", kind.kind);
                return violated(rule, what);
            }
        }
        Ok(())
    }

    /// The VRG and the namespace of a protected application stay where its home is, whatever happens to the hub (HS7).
    fn needed(&mut self, universe: &Universe, cluster: &str, kind: &'static Resource) -> Result<(), Violation> {
        let there = all(universe, cluster, kind, None);
        let stay = there.iter().filter(|object| !object::is_deleting(object.value()));
        let stay: BTreeSet<String> = stay.map(|object| text(object.value(), "/metadata/name").to_owned()).collect();
        let before = self.needed.insert((cluster.to_owned(), kind.kind), stay.clone()).unwrap_or_default();
        for app in before.difference(&stay) {
            let drpc = one(universe, HUB, &kinds::DRPC, "apps", app);
            let protected = drpc.is_some_and(|drpc| !object::is_deleting(drpc.value()))
                && !universe.is_changed_by_hand(HUB, &kinds::PLACEMENT, app);
            if protected && homes(universe, app) == [cluster] {
                let what =
                    format!("{} {app} goes on {cluster}, where the application is, and its DRPC stays", kind.kind);
                return violated("HS7 what is protected stays", what);
            }
        }
        Ok(())
    }

    /// Configuration and credentials are the users': no operator changes them (HS8) or takes them away (HS7).
    fn stays_written(&self, universe: &Universe, cluster: &str) -> Result<(), Violation> {
        for (kind, name, before) in self.written.get(cluster).into_iter().flatten() {
            let kind = WRITTEN.iter().find(|written| written.kind == *kind);
            if kind.is_some_and(|kind| universe.is_changed_by_hand(cluster, kind, name)) {
                continue;
            }
            let now = kind.and_then(|kind| one(universe, cluster, kind, OPERATOR_NAMESPACE, name));
            let Some(now) = now else {
                return violated("HS7 what is protected stays", format!("{name} on {cluster} is gone"));
            };
            if now.value()["data"] != *before {
                return violated(
                    "HS8 what users wrote stays",
                    format!("{name} on {cluster} is not as it was written any more"),
                );
            }
        }
        Ok(())
    }
}

fn written(universe: &Universe, cluster: &str) -> Vec<(&'static str, String, Value)> {
    let of_kind = |kind: &'static Resource| {
        let objects = all(universe, cluster, kind, Some(OPERATOR_NAMESPACE));
        let noted = |object: &std::sync::Arc<object::Object>| {
            let object = object.value();
            (kind.kind, text(object, "/metadata/name").to_owned(), object["data"].clone())
        };
        objects.iter().map(noted).collect::<Vec<_>>()
    };
    WRITTEN.iter().flat_map(of_kind).collect()
}
