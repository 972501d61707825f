//! OCM's work agent, one per managed cluster: brings ManifestWorks onto its cluster and tells the hub what became of
//! them.
//!
//! ```text
//!   hub, namespace = cluster                     cluster
//!   ManifestWork ──finalizer──> apply ─────────> objects, AppliedManifestWork (record and owner)
//!        ^                                          │
//!        └── Applied, Available, feedback values ───┘
//! ```
//!
//! Rules: spec hub 8.2; what feedback does was read off OCM's agent (`pkg/work/spoke` of open-cluster-management-io/ocm, 2026).

mod apply;
mod available;
mod feedback;
mod finalize;
mod json_path;
mod resource_meta;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use self::available::{Seen, Watched};
use self::update::LastApplied;
use crate::agents::{Agent, AgentWorld, Side, conditions, earlier, object};
use crate::api::{Api, ApiError, Object, Resource};
use crate::kinds::{self, Discovery};
use crate::rng::Rng;
use crate::time::Time;

/// Finalizer of the agent on a ManifestWork.
pub const WORK_FINALIZER: &str = "cluster.open-cluster-management.io/manifest-work-cleanup";
/// Finalizer of the agent on its record.
pub const APPLIED_FINALIZER: &str = "cluster.open-cluster-management.io/applied-manifest-work-cleanup";

/// How often the agent looks; defaults are OCM's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Between two looks at the objects of a work; with up to nine tenths more at random.
    pub status: Duration,
    /// Between two applies of an unchanged work; with up to half more at random.
    pub resync: Duration,
    /// From the change of a watched object to its feedback.
    pub watch: Duration,
    /// How long a record outlives its work that is missing on the hub.
    pub eviction: Duration,
    /// Limit of watched namespaces and kinds; what is beyond is polled.
    pub watches: usize,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            status: Duration::from_secs(10),
            resync: Duration::from_mins(4),
            watch: Duration::from_millis(50),
            eviction: Duration::from_hours(1),
            watches: 50,
        }
    }
}

/// Who the agent is, to its hub and on its cluster.
#[derive(Debug)]
struct Identity {
    agent_id: String,
    hub_hash: String,
    kinds: Discovery,
}

impl Identity {
    fn record_name(&self, work: &str) -> String {
        format!("{}-{work}", self.hub_hash)
    }
}

#[derive(Default)]
struct Known {
    /// Version of the work when its objects were last looked at.
    looked: String,
    look_at: Option<Time>,
    watched: Vec<Watched>,
    seen: Option<Seen>,
    /// Uid, generation and labels that were last applied.
    applied: Option<(String, i64, Value)>,
    apply_at: Option<Time>,
    failures: u32,
}

/// The agent.
pub struct WorkAgent {
    name: String,
    cluster: String,
    identity: Identity,
    timing: Timing,
    rng: Rng,
    known: BTreeMap<String, Known>,
    last: LastApplied,
    /// Records whose deletion is under way: how often they were looked at.
    ending: BTreeMap<String, u32>,
    /// Records without a work, and since when.
    stray: BTreeMap<String, Time>,
}

impl WorkAgent {
    /// The agent of a cluster that is managed by the hub at `hub_url`.
    #[must_use]
    pub fn new(cluster: &str, hub_url: &str, seed: u64, timing: Timing) -> Self {
        let name = format!("{cluster}/work");
        let hub_hash = update::hex(&Sha256::digest(hub_url.as_bytes()));
        Self {
            cluster: cluster.to_owned(),
            identity: Identity { agent_id: hub_hash.clone(), hub_hash, kinds: Discovery::default() },
            timing,
            rng: Rng::for_entity(seed, &name),
            known: BTreeMap::new(),
            last: LastApplied::default(),
            ending: BTreeMap::new(),
            stray: BTreeMap::new(),
            name,
        }
    }

    /// One look at one work; when to look again.
    fn step(&mut self, work: &Arc<Object>, now: Time, world: &AgentWorld<'_>) -> Result<Option<Time>, ApiError> {
        if object::deleting(work) {
            finalize::work(&self.identity, work, now, world)?;
            return Ok(None);
        }
        let mut work = work.clone();
        if !object::has_finalizer(&work, WORK_FINALIZER) {
            let patch = object::finalizer_added(&work, WORK_FINALIZER);
            let (namespace, name) = (Some(self.cluster.as_str()), object::name(&work).to_owned());
            work = world.hub.merge_patch(&kinds::MANIFEST_WORK, namespace, &name, &patch, None)?;
        }
        let mut known = self.known.remove(object::name(&work)).unwrap_or_default();
        let outcome = self.keep_up(&mut known, &mut work, now, world);
        let next = earlier(known.look_at, known.apply_at);
        self.known.insert(object::name(&work).to_owned(), known);
        outcome.map(|watch| earlier(next, watch))
    }

    fn keep_up(
        &mut self,
        known: &mut Known,
        work: &mut Arc<Object>,
        now: Time,
        world: &AgentWorld<'_>,
    ) -> Result<Option<Time>, ApiError> {
        let changed = changed(&mut known.watched, world.own);
        let due = known.look_at.is_some_and(|due| due <= now);
        let mut watch = None;
        if known.looked != object::version(work) || due {
            self.look(known, work, now, world)?;
        } else if changed {
            // Looked at a moment later, as an informer and a queue would.
            watch = Some(now + self.timing.watch);
            known.look_at = earlier(known.look_at, watch);
        }
        let labels = &work["metadata"]["labels"];
        let fresh = !known.applied.as_ref().is_some_and(|(uid, generation, applied)| {
            uid == object::uid(work) && *generation == object::generation(work) && applied == labels
        });
        if fresh || known.apply_at.is_some_and(|due| due <= now) {
            if fresh {
                known.failures = 0;
            }
            let spec = (object::uid(work).to_owned(), object::generation(work), labels.clone());
            self.apply(known, work, now, world)?;
            known.applied = Some(spec);
            self.look(known, work, now, world)?;
        }
        Ok(watch)
    }

    fn look(
        &mut self,
        known: &mut Known,
        work: &mut Arc<Object>,
        now: Time,
        world: &AgentWorld<'_>,
    ) -> Result<(), ApiError> {
        if conditions::find(object::list(work, "/status/conditions"), "Applied").is_none() {
            return Ok(());
        }
        let seen = match known.seen.take().filter(|seen| seen.is_still_so(work, world.own)) {
            Some(seen) => seen,
            None => available::look(&self.identity.kinds, work, now, world)?,
        };
        *work = seen.work.clone();
        known.watched = self.allowed(seen.watched.clone());
        known.seen = Some(seen);
        known.looked = object::version(work).to_owned();
        known.look_at = Some(now + self.rng.between(self.timing.status, self.timing.status * 19 / 10));
        Ok(())
    }

    /// What may be watched: as many kinds and namespaces as the limit allows, those of other works first.
    fn allowed(&self, mut wanted: Vec<Watched>) -> Vec<Watched> {
        let place = |object: &Watched| (object.resource, object.namespace.clone());
        let mut places: BTreeSet<_> = self.known.values().flat_map(|known| &known.watched).map(place).collect();
        wanted.retain(|object| {
            places.contains(&place(object)) || (places.len() < self.timing.watches && places.insert(place(object)))
        });
        wanted
    }

    fn apply(
        &mut self,
        known: &mut Known,
        work: &mut Arc<Object>,
        now: Time,
        world: &AgentWorld<'_>,
    ) -> Result<(), ApiError> {
        let applied = apply::apply(&self.identity, &mut self.last, work, now, world)?;
        *work = applied.work;
        known.failures = if applied.complete { 0 } else { known.failures + 1 };
        let pause = if applied.complete {
            self.rng.between(self.timing.resync, self.timing.resync * 3 / 2)
        } else {
            finalize::pause(known.failures).min(self.timing.resync)
        };
        known.apply_at = Some(now + pause);
        Ok(())
    }

    /// Goes on with records whose deletion was asked, and evicts those whose work is missing for long.
    fn end_records(
        &mut self,
        works: &[Arc<Object>],
        now: Time,
        world: &AgentWorld<'_>,
    ) -> Result<Option<Time>, ApiError> {
        let prefix = self.identity.record_name("");
        let records = world.own.see_all(&kinds::APPLIED_MANIFEST_WORK, None)?;
        let mut next = None;
        for record in records.iter().filter(|record| object::name(record).starts_with(&prefix)) {
            let name = object::name(record);
            if object::deleting(record) {
                let looks = self.ending.entry(name.to_owned()).or_default();
                if finalize::record(&self.identity, record, world.own)? {
                    self.ending.remove(name);
                    next = earlier(next, Some(now));
                } else {
                    next = earlier(next, Some(now + finalize::pause(*looks)));
                    *looks += 1;
                }
                continue;
            }
            let work_name = object::text(record, "/spec/manifestWorkName");
            if works.iter().any(|work| object::name(work) == work_name) {
                self.stray.remove(name);
                continue;
            }
            let end = *self.stray.entry(name.to_owned()).or_insert(now) + self.timing.eviction;
            if end <= now {
                world.own.delete(&kinds::APPLIED_MANIFEST_WORK, None, name, Some(object::uid(record)))?;
                next = earlier(next, Some(now));
            } else {
                next = earlier(next, Some(end));
            }
        }
        Ok(next)
    }
}

/// Whether a watched object changed since it was last told of.
fn changed(watched: &mut [Watched], own: &dyn Api) -> bool {
    let mut changed = false;
    for object in watched {
        let live = own.see(&object.resource, object.namespace.as_deref(), &object.name);
        // A deletion makes no feedback: the next look in turn sees it.
        if let Ok(live) = live {
            let version = object::version(&live);
            changed |= version != object.version;
            version.clone_into(&mut object.version);
        }
    }
    changed
}

impl Agent for WorkAgent {
    fn name(&self) -> &str {
        &self.name
    }

    fn watches(&self) -> Vec<(Side, Resource)> {
        let mut watches = vec![(Side::Hub, kinds::MANIFEST_WORK), (Side::Own, kinds::APPLIED_MANIFEST_WORK)];
        let watched = self.known.values().flat_map(|known| &known.watched);
        let kinds: BTreeSet<Resource> = watched.map(|object| object.resource).collect();
        watches.extend(kinds.into_iter().map(|kind| (Side::Own, kind)));
        watches
    }

    fn run(&mut self, now: Time, world: &AgentWorld<'_>) -> Option<Time> {
        let soon = Some(now + Duration::from_millis(100));
        let Ok(works) = world.hub.see_all(&kinds::MANIFEST_WORK, Some(&self.cluster)) else {
            return Some(now + Duration::from_secs(1));
        };
        self.known.retain(|name, _| works.iter().any(|work| object::name(work) == name));
        let mut next = None;
        for work in &works {
            next = earlier(next, self.step(work, now, world).unwrap_or(soon));
        }
        earlier(next, self.end_records(&works, now, world).unwrap_or(soon))
    }
}
