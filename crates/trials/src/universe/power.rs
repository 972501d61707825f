//! What is lost and comes back: clusters, links, the hub and what it is rebuilt from.

use std::{sync::atomic::Ordering, time::Duration};

use ramen_sim::{
    agents::object,
    api::{Api, Resource},
    kinds,
    s3::Fault,
    storage::Trouble,
    time::Time,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Due, HUB, Universe, setting};
use crate::happening::attached::detach;

/// From power to the start of an operator.
pub const BOOT: Duration = Duration::from_secs(3);

/// From what a lost hub is rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rebuilt {
    /// From its Kubernetes objects as they are; the operator's event log is gone.
    Objects,
    /// From the backup of its objects that was made last, and what users keep that is not in it; the event log is gone. As
    /// hubs are backed up: labels, annotations and specs, but no status, no ManifestWorks, no views and none of Ramen's
    /// PlacementDecisions (spec drpc 7).
    Backup,
    /// From what users have in their repositories (specs of policy, clusters, placements and DRPCs) and from the
    /// managed clusters and stores.
    Clusters,
}

/// Kinds that users keep in a repository, in the order in which they apply them.
const KEPT: &[Resource] = &[
    kinds::NAMESPACE,
    kinds::DR_CLUSTER,
    kinds::DR_POLICY,
    kinds::APPLICATION_SET,
    kinds::PLACEMENT,
    kinds::PLACEMENT_DECISION,
    kinds::DRPC,
];

/// Kinds that a hub's backup holds, in the order in which they are restored.
const BACKED_UP: &[Resource] =
    &[kinds::NAMESPACE, kinds::DR_CLUSTER, kinds::DR_POLICY, kinds::APPLICATION_SET, kinds::PLACEMENT, kinds::DRPC];

/// Objects as somebody keeps them outside the hub.
pub type Copies = Vec<(&'static Resource, Value)>;

impl Universe {
    /// A managed cluster, or the hub, loses power without warning.
    pub fn lose(&mut self, name: &str) {
        let now = self.now();
        if let Some(place) = self.places.get_mut(name).filter(|place| place.up) {
            (place.up, place.lost) = (false, Some(now));
        }
        self.storage().set_up(name, false);
        for inhabitant in self.inhabitants.iter_mut().filter(|inhabitant| inhabitant.home == name) {
            inhabitant.agent.power_lost();
            inhabitant.due = None;
        }
        for index in 0..self.operators.len() {
            if self.operators.get(index).is_some_and(|operated| operated.home == name) {
                self.kill(index, usize::MAX);
            }
        }
    }

    /// It has power again, with everything that was on its disks.
    pub fn bring_back(&mut self, name: &str) {
        if let Some(place) = self.places.get_mut(name) {
            place.up = true;
        }
        self.storage().set_up(name, true);
        self.rouse(name);
        for index in 0..self.operators.len() {
            if self.operators.get(index).is_some_and(|operated| operated.home == name && !operated.rival) {
                self.enqueue(BOOT, Due::Start { process: index });
            }
        }
    }

    /// All agents of a cluster look; those of all clusters, if it is the hub.
    fn rouse(&mut self, name: &str) {
        for index in 0..self.inhabitants.len() {
            if self.inhabitants.get(index).is_some_and(|inhabitant| name == HUB || inhabitant.home == name) {
                let at = self.now() + self.lag(1, 2000);
                self.plan_agent(index, at);
            }
        }
    }

    /// Cuts or mends the way between a cluster's agents and the hub.
    pub fn set_hub_link(&mut self, name: &str, works: bool) {
        if let Some(place) = self.places.get_mut(name) {
            place.hub_link = works;
        }
        if works {
            self.rouse(name);
        }
    }

    /// Cuts or mends the way between an operator and one store, or all of them.
    pub fn set_store_link(&mut self, name: &str, profile: Option<&str>, works: bool) {
        let all = || self.stores.profiles().map(str::to_owned).collect();
        let concerned: Vec<String> = profile.map_or_else(all, |profile| vec![profile.to_owned()]);
        let now = self.now();
        let Some(place) = self.places.get_mut(name) else { return };
        for profile in concerned {
            if works {
                if place.cut_off_stores.remove(&profile) {
                    self.stores.note_recovery(&profile, now);
                }
            } else {
                self.stores.note_trouble(&profile);
                place.cut_off_stores.insert(profile);
            }
        }
    }

    /// Cuts or mends the way between the sites' storage.
    pub fn set_storage_link(&mut self, works: bool) {
        self.storage().set_link(works);
        for name in self.managed().map(str::to_owned).collect::<Vec<_>>() {
            self.rouse(&name);
        }
    }

    /// Breaks or mends a site's storage.
    pub fn set_storage(&mut self, name: &str, trouble: Option<Trouble>) {
        self.storage().set_trouble(name, trouble);
        self.rouse(name);
    }

    /// Stops or restarts one of a cluster's agents.
    pub fn set_agent(&mut self, cluster: &str, agent: &str, works: bool) {
        let name = format!("{cluster}/{agent}");
        if !works {
            self.paused.insert(name);
        } else if self.paused.remove(&name) {
            self.rouse(cluster);
        }
    }

    /// Breaks or mends a store.
    pub fn set_store(&mut self, profile: &str, fault: Fault) {
        let before = self.stores.with(profile, |bucket| bucket.fault());
        if fault != Fault::None {
            self.stores.note_trouble(profile);
        } else if before.is_some_and(|before| before != Fault::None) {
            self.stores.note_recovery(profile, self.now());
        }
        self.stores.with(profile, |bucket| bucket.set_fault(fault));
    }

    /// Sets a cluster's clock ahead, or back when negative, by milliseconds.
    pub fn set_skew(&mut self, name: &str, ms: i64) {
        if let Some(place) = self.places.get(name) {
            place.skew.store(ms, Ordering::Relaxed);
        }
    }

    /// Backs up the hub's objects.
    pub fn back_up(&mut self) {
        let labels = ["namespace", "labels", "annotations", "finalizers"];
        self.backup = Some(self.copies(BACKED_UP, |object| part(object, &labels)));
    }

    /// The hub is lost for good and rebuilt at once; whoever needs it longer loses it first.
    pub fn rebuild_hub(&mut self, from: Rebuilt) {
        self.lose(HUB);
        for operated in self.operators.iter_mut().filter(|operated| operated.home == HUB) {
            operated.process.lose_disk();
        }
        let seed = self.rng.next_u64();
        self.hub_forgot += u32::from(from != Rebuilt::Objects);
        match from {
            Rebuilt::Objects => {}
            Rebuilt::Backup => {
                if let Some(backup) = self.backup.clone() {
                    let kept = self.kept_by_users();
                    self.bare_hub(seed);
                    self.apply_what_is_missing(&backup);
                    self.apply_what_is_missing(&kept);
                }
            }
            Rebuilt::Clusters => {
                let kept = self.kept_by_users();
                self.bare_hub(seed);
                self.apply_what_is_missing(&kept);
            }
        }
        self.bring_back(HUB);
        // Everybody sees other objects than before.
        let homes: Vec<String> = self.places.keys().cloned().collect();
        homes.iter().for_each(|home| self.rouse(home));
    }

    /// A hub as it is before anybody protects anything.
    fn bare_hub(&self, seed: u64) {
        let mut bare = setting::template(&self.outline).hub.clone();
        bare.reseed(seed);
        self.cluster(HUB).with(|server, _| *server = bare);
    }

    /// What the hub lacks is created: what is there already stays.
    fn apply_what_is_missing(&self, copies: &Copies) {
        for (kind, object) in copies {
            let _ = self.cluster(HUB).create(kind, object);
        }
    }

    fn kept_by_users(&self) -> Copies {
        self.copies(KEPT, |object| {
            let mut metadata = part(object, &["namespace", "labels"]);
            // Who the cluster scheduler is, users say in an annotation; the rest of them is Ramen's.
            let key = "cluster.open-cluster-management.io/experimental-scheduling-disable";
            let disabled = &object["metadata"]["annotations"][key];
            if !disabled.is_null() {
                metadata["annotations"][key] = disabled.clone();
            }
            metadata
        })
    }

    /// The hub's objects of some kinds with their specs and what is kept of their metadata.
    fn copies(&self, kinds: &'static [Resource], metadata: impl Fn(&Value) -> Value) -> Copies {
        let hub = self.cluster(HUB);
        let mut copies = Vec::new();
        for kind in kinds {
            for object in hub.list(kind, None, None).unwrap_or_default() {
                if object::deleting(&object) {
                    continue;
                }
                let mut written = json!({
                    "apiVersion": kind.api_version(), "kind": kind.kind, "metadata": metadata(&object),
                });
                if !object["spec"].is_null() {
                    written["spec"] = object["spec"].clone();
                }
                copies.push((kind, written));
            }
        }
        copies
    }

    /// Everything works again that can be mended: power, links, stores, storage, agents. Clocks stay as they are.
    pub fn mend(&mut self) {
        let names: Vec<String> = self.places.keys().cloned().collect();
        for name in &names {
            if !self.is_up(name) {
                self.bring_back(name);
            }
            self.set_hub_link(name, true);
            self.set_store_link(name, None, true);
            self.set_storage(name, None);
            // Most have nothing to let go.
            let _ = detach(self, None, name);
            for agent in ["view", "work"] {
                self.set_agent(name, agent, true);
            }
        }
        self.set_storage_link(true);
        let profiles: Vec<String> = self.stores.profiles().map(str::to_owned).collect();
        for profile in profiles {
            self.set_store(&profile, Fault::None);
        }
        self.calm();
        // Whoever was replaced hears of it at last.
        let rivals = self.operators.iter().enumerate().filter(|(_, operated)| operated.rival);
        let retired: Vec<Due> = rivals.map(|(process, _)| Due::Retire { process }).collect();
        retired.into_iter().for_each(|due| self.enqueue(Duration::ZERO, due));
        // An operator that died of a mishap is started again anyway; one that was never started is started now.
        for index in 0..self.operators.len() {
            if self.operators.get(index).is_some_and(|operated| !operated.rival && !operated.process.is_up()) {
                self.enqueue(BOOT, Due::Start { process: index });
            }
        }
    }

    /// The moment at which everything began.
    pub fn begin(&self) -> Time {
        self.begin
    }

    /// An operator dies and loses its log, and is started again.
    pub fn lose_log(&mut self, home: &str) {
        self.crash(home, usize::MAX);
        for operated in self.operators.iter_mut().filter(|operated| operated.home == home) {
            operated.process.lose_disk();
        }
    }
}

/// An object's name and these fields of its metadata.
fn part(object: &Value, fields: &[&str]) -> Value {
    let mut metadata = json!({ "name": object::name(object) });
    for field in fields {
        if !object["metadata"][*field].is_null() {
            metadata[*field] = object["metadata"][*field].clone();
        }
    }
    metadata
}
