//! What must hold for storage that wants to be told of failovers: judged by what the hub asks for, and by what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ramen_api::{
    kinds::MAINTENANCE_MODE,
    path::At as _,
    ramen::wire::{condition::FAILOVER_ACTIVATED, name},
};
use ramen_sim::{
    agents::conditions,
    api_server::{kinds::TypeName, object},
    kinds,
    time::Time,
};
use serde_json::Value;

use super::{Lasting, all, placed::vrg_of, text, type_name, violated};
use crate::{
    run::Violation,
    universe::{HUB, Universe},
};

/// How long what was known before may still be acted upon: watches that are late, commands on their way.
const NEWS: Duration = Duration::from_secs(15);
/// How long a request may outlast the failover, in milliseconds: operators that have to start again, an API server that
/// refuses.
const LINGERS: u64 = 5 * 60_000;

const REQUESTED: &str = "HS9 storage is asked for failovers only";

/// What was seen last of failovers, and of the storage that wants to hear of them.
#[derive(Default)]
pub(super) struct Modes {
    /// When a DRPC last asked for a failover to a cluster.
    asked: BTreeMap<(String, String), Time>,
    /// Since when the view of an application on a cluster shows a primary whose storage wants to be told.
    wants: BTreeMap<(String, String), Time>,
    /// Works that ask for a primary, whatever for.
    promoted: BTreeSet<(String, String)>,
    /// Requests that were seen.
    requests: BTreeSet<(String, String)>,
}

impl Modes {
    pub(super) fn look(
        &mut self,
        universe: &Universe,
        touched: &BTreeSet<TypeName>,
        lasting: &mut Lasting,
    ) -> Result<(), Violation> {
        if !universe.outline().maintenance_modes {
            return Ok(());
        }
        let touches = |kind| touched.contains(&type_name(kind));
        if touches(&kinds::DRPC) || touches(&kinds::MANIFEST_WORK) {
            self.failovers(universe);
            self.requests(universe, lasting)?;
        }
        if touches(&kinds::VIEW) {
            self.views(universe);
        }
        if touches(&kinds::MANIFEST_WORK) { self.promotions(universe) } else { Ok(()) }
    }

    fn failovers(&mut self, universe: &Universe) {
        for drpc in all(universe, HUB, &kinds::DRPC, None) {
            let drpc = drpc.value();
            if text(drpc, "/spec/action") == "Failover" {
                let about = (text(drpc, "/metadata/name").to_owned(), text(drpc, "/spec/failoverCluster").to_owned());
                self.asked.insert(about, universe.now());
            }
        }
    }

    /// Nothing is asked of a cluster's storage unless a DRPC asks for a failover to it, and it ends with that.
    fn requests(&mut self, universe: &Universe, lasting: &mut Lasting) -> Result<(), Violation> {
        let works = all(universe, HUB, &kinds::MANIFEST_WORK, None);
        let mut present = BTreeSet::new();
        for work in works.iter().filter(|work| mode_of(work.value()).is_some()) {
            let (cluster, work) =
                (text(work.value(), "/metadata/namespace").to_owned(), text(work.value(), "/metadata/name").to_owned());
            let last = self.asked.iter().filter(|((_, to), _)| *to == cluster).map(|(_, at)| *at).max();
            let is_new = !self.requests.contains(&(cluster.clone(), work.clone()));
            if is_new && last.is_none_or(|last| universe.now().since(last) > NEWS) {
                return violated(REQUESTED, format!("{work} for {cluster} is new, though nothing fails over to it"));
            }
            present.insert((cluster, work));
        }
        for (cluster, work) in self.requests.union(&present) {
            let fails_over = all(universe, HUB, &kinds::DRPC, None).iter().any(|drpc| {
                text(drpc.value(), "/spec/action") == "Failover"
                    && text(drpc.value(), "/spec/failoverCluster") == cluster
            });
            let there = present.contains(&(cluster.clone(), work.clone())) && universe.is_up(HUB);
            let bad = (there && !fails_over).then(|| "nothing fails over to the cluster any more".to_owned());
            lasting.note(REQUESTED, (cluster, work.clone()), bad, universe.now(), LINGERS);
        }
        self.requests = present;
        Ok(())
    }

    fn views(&mut self, universe: &Universe) {
        let mut now = BTreeSet::new();
        for view in all(universe, HUB, &kinds::VIEW, None) {
            let Some(vrg) = view.value().at("/status/result").filter(|vrg| vrg["kind"] == "VolumeReplicationGroup")
            else {
                continue;
            };
            let read = view.value().at("/status/conditions").and_then(Value::as_array);
            let is_read = read.is_some_and(|read| conditions::is_true(read, "Processing"));
            if is_read && text(vrg, "/spec/replicationState") == "primary" && wants_to_be_told(vrg) {
                let app = text(vrg, "/metadata/name").to_owned();
                now.insert((app, text(view.value(), "/metadata/namespace").to_owned()));
            }
        }
        self.wants.retain(|about, _| now.contains(about));
        for about in now {
            self.wants.entry(about).or_insert(universe.now());
        }
    }

    /// A failover asks for a primary only when storage that the hub knows to want that was told, and is prepared. Who was asked to
    /// be one all along has nothing to promote: a failover back to it takes back the one before.
    fn promotions(&mut self, universe: &Universe) -> Result<(), Violation> {
        let works = all(universe, HUB, &kinds::MANIFEST_WORK, None);
        let asks = |work: &Value, app: &str, on: &str| {
            vrg_of(work).is_some_and(|vrg| text(vrg, "/metadata/name") == app)
                && text(work, "/metadata/namespace") == on
                && vrg_of(work).is_some_and(|vrg| text(vrg, "/spec/replicationState") == "primary")
        };
        let mut promoted = BTreeSet::new();
        for work in &works {
            let is_asked = |vrg: &&Value| text(vrg, "/spec/replicationState") == "primary";
            let Some(vrg) = vrg_of(work.value()).filter(is_asked) else { continue };
            let (app, to) = (text(vrg, "/metadata/name"), text(work.value(), "/metadata/namespace"));
            let about = (app.to_owned(), to.to_owned());
            let wants = self.wants.iter().any(|((of, on), since)| {
                of == app
                    && on != to
                    && universe.now().since(*since) > NEWS
                    && works.iter().any(|work| asks(work.value(), app, on))
            });
            let fails_over = text(vrg, "/spec/action") == "Failover";
            if fails_over && wants && !self.promoted.contains(&about) && !is_prepared(universe, to) {
                return violated(
                    "S7 storage that wants to be told of a failover is told before",
                    format!("{app} is to be primary on {to}, whose storage is not prepared"),
                );
            }
            promoted.insert(about);
        }
        self.promoted = promoted;
        Ok(())
    }
}

/// The MaintenanceMode that a ManifestWork carries.
fn mode_of(work: &Value) -> Option<&Value> {
    let manifests = work.at("/spec/workload/manifests")?.as_array()?;
    manifests.iter().find(|manifest| manifest["kind"] == MAINTENANCE_MODE.kind)
}

fn wants_to_be_told(vrg: &Value) -> bool {
    let claims = vrg.at("/status/protectedPVCs").and_then(Value::as_array);
    claims.into_iter().flatten().any(|claim| {
        let modes = ["/replicationID/modes", "/storageID/modes"].into_iter().filter_map(|modes| claim.at(modes));
        modes.filter_map(Value::as_array).flatten().any(|mode| mode == "Failover")
    })
}

fn is_prepared(universe: &Universe, cluster: &str) -> bool {
    all(universe, cluster, &MAINTENANCE_MODE, None).iter().any(|mode| {
        let told = mode.value().at("/status/conditions").and_then(Value::as_array);
        told.is_some_and(|told| conditions::is_true(told, FAILOVER_ACTIVATED)) && !object::is_deleting(mode.value())
    })
}

/// What is still asked of storage, or still looked at, though everything is at rest.
pub(super) fn left(universe: &Universe) -> Option<String> {
    if !universe.outline().maintenance_modes {
        return None;
    }
    for work in all(universe, HUB, &kinds::MANIFEST_WORK, None) {
        if mode_of(work.value()).is_some() {
            let (name, of) = (text(work.value(), "/metadata/name"), text(work.value(), "/metadata/namespace"));
            return Some(format!("storage of {of} is still asked to prepare for a failover by {name}"));
        }
    }
    for view in all(universe, HUB, &kinds::VIEW, None) {
        let (view, of) = (text(view.value(), "/metadata/name"), text(view.value(), "/metadata/namespace"));
        if name::maintenance_mode_of_view(view).is_some() {
            return Some(format!("view {view} of {of} still looks at what nobody asks for"));
        }
    }
    for cluster in universe.managed() {
        if let Some(mode) = all(universe, cluster, &MAINTENANCE_MODE, None).first() {
            return Some(format!("MaintenanceMode {} is left on {cluster}", text(mode.value(), "/metadata/name")));
        }
    }
    for cluster in all(universe, HUB, &kinds::DR_CLUSTER, None) {
        let told = cluster.value().at("/status/maintenanceModes").and_then(Value::as_array);
        if told.is_some_and(|told| !told.is_empty()) {
            let name = text(cluster.value(), "/metadata/name");
            return Some(format!("DRCluster {name} still tells of storage that is prepared for a failover"));
        }
    }
    None
}
