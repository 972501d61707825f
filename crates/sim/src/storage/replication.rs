//! csi-addons' VolumeReplication controller on the simulated storage, one per cluster.
//!
//! Rules: spec vrg 10.2. Two flavours differ in what they report and when: [`Flavour::Recorded`] is the simulated
//! controller of the golden recording, [`Flavour::CsiAddons`] the real one.

mod report;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ramen_api::ramen::wire::label;
use serde_json::{Value, json};

use self::report::Verdict;
use super::site::{Refusal, Trouble};
use super::volume::Storage;
use crate::agents::object;
use crate::agents::{Agent, AgentWorld, Side, earlier};
use crate::api::{Api, ApiError, Object, Resource};
use crate::kinds;
use crate::time::Time;

const VR_FINALIZER: &str = "replication.storage.openshift.io";
const PVC_FINALIZER: &str = "replication.storage.openshift.io/pvc-protection";
const PVC_ANNOTATION: &str = "replication.storage.openshift.io/volume-replication-name";

/// Whose behaviour the controller shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// As in the golden recording: a secondary that receives counts as healthy, promotion says `Validated`.
    Recorded,
    /// As csi-addons with an RBD driver: a secondary that receives stays `Resyncing`, promotion leaves `Validated`.
    CsiAddons,
}

/// How the controller behaves, and how long things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whose reports.
    pub flavour: Flavour,
    /// Whether replications and claims bear csi-addons' finalizers.
    pub finalizers: bool,
    /// What a promotion or demotion takes.
    pub operation: Duration,
    /// From a demotion to the next look.
    pub after_demotion: Duration,
    /// From one look at a resynchronization to the next.
    pub resync_retry: Duration,
    /// How often a primary's counters are refreshed; by the class's interval when `None`.
    pub refresh: Option<Duration>,
    /// Limit of the back-off after failures.
    pub longest_back_off: Duration,
}

impl Settings {
    /// The behaviour and times of the golden recording.
    #[must_use]
    pub fn recorded() -> Self {
        Self {
            flavour: Flavour::Recorded,
            finalizers: false,
            operation: Duration::from_secs(1),
            after_demotion: Duration::from_secs(1),
            resync_retry: Duration::from_secs(1),
            refresh: Some(Duration::from_secs(20)),
            longest_back_off: Duration::from_secs(10),
        }
    }

    /// The behaviour and times of csi-addons.
    #[must_use]
    pub fn csi_addons() -> Self {
        Self {
            flavour: Flavour::CsiAddons,
            finalizers: true,
            operation: Duration::from_secs(1),
            after_demotion: Duration::from_secs(15),
            resync_retry: Duration::from_secs(30),
            refresh: None,
            longest_back_off: Duration::from_mins(5),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::recorded()
    }
}

/// What the controller remembers of one VolumeReplication.
#[derive(Debug, Default)]
struct Known {
    handle: String,
    generation: i64,
    due: Option<Time>,
    failures: u32,
}

/// The agent.
pub struct ReplicationController {
    name: String,
    site: String,
    settings: Settings,
    known: BTreeMap<String, Known>,
}

/// What a replication works on.
struct Source {
    handle: String,
    /// What the class says of where to, if it does.
    relation: Option<String>,
    interval: Duration,
    refresh: Duration,
}

impl ReplicationController {
    /// The controller of one cluster.
    #[must_use]
    pub fn new(cluster: &str, settings: Settings) -> Self {
        Self {
            name: format!("{cluster}/volume-replication"),
            site: cluster.to_owned(),
            settings,
            known: BTreeMap::new(),
        }
    }

    /// Replications that went without a finalizer: their mirroring ends as far as the storage allows.
    fn forget_gone(&mut self, replications: &[Arc<Object>], storage: &mut Storage, now: Time) {
        let (site, finalizers) = (&self.site, self.settings.finalizers);
        self.known.retain(|uid, known| {
            let there = replications.iter().any(|replication| object::uid(replication) == uid);
            if !there && !finalizers && !known.handle.is_empty() {
                // Refused for a secondary that is not safe yet; without a finalizer nobody is left to be told.
                let _refused = storage.disable(site, &known.handle, now);
            }
            there
        });
    }

    fn look_at(&mut self, replication: &Value, now: Time, world: &AgentWorld<'_>) -> Option<Time> {
        let known = self.known.entry(object::uid(replication).to_owned()).or_default();
        let generation = object::generation(replication);
        if known.generation != generation {
            known.generation = generation;
            known.failures = 0;
            let change = object::text(replication, "/status/state").to_lowercase()
                != object::text(replication, "/spec/replicationState");
            known.due = Some(if change { now + self.settings.operation } else { now });
        }
        if object::deleting(replication) && known.due.is_none() {
            known.due = Some(now);
        }
        if known.due.is_none_or(|due| due > now) {
            return known.due;
        }
        let outcome = if object::deleting(replication) {
            release(&self.site, replication, now, world)
        } else {
            let (pass, handle) = pass(&self.site, &self.settings, replication, now, world);
            if let Some(handle) = handle {
                known.handle = handle;
            }
            pass
        };
        known.due = match outcome {
            Ok(next) => {
                known.failures = 0;
                next
            }
            Err(Failure) => {
                known.failures += 1;
                let pause = Duration::from_millis(250) * 2_u32.saturating_pow(known.failures.min(12));
                Some(now + pause.min(self.settings.longest_back_off))
            }
        };
        known.due
    }
}

impl Agent for ReplicationController {
    fn name(&self) -> &str {
        &self.name
    }

    fn watches(&self) -> Vec<(Side, Resource)> {
        vec![(Side::Own, kinds::VOLUME_REPLICATION)]
    }

    fn run(&mut self, now: Time, world: &AgentWorld<'_>) -> Option<Time> {
        let Ok(replications) = world.own.see_all(&kinds::VOLUME_REPLICATION, None) else {
            return Some(now + Duration::from_secs(1));
        };
        if world.storage().trouble(&self.site) == Some(Trouble::Silent) {
            return Some(now + Duration::from_secs(1));
        }
        self.forget_gone(&replications, &mut world.storage(), now);
        let mut next = None;
        for replication in &replications {
            next = earlier(next, self.look_at(replication, now, world));
        }
        next
    }
}

/// The pass did not get through; it is repeated with growing pauses. What failed is in the object's status.
struct Failure;

impl From<ApiError> for Failure {
    fn from(_: ApiError) -> Self {
        Self
    }
}

type Outcome = Result<Option<Time>, Failure>;

fn pass(
    site: &str,
    settings: &Settings,
    replication: &Value,
    now: Time,
    world: &AgentWorld<'_>,
) -> (Outcome, Option<String>) {
    let primary = object::text(replication, "/spec/replicationState") == "primary";
    let source = match source(world.own, replication, settings) {
        Ok(source) => source,
        Err(why) => {
            let verdict = if primary { Verdict::PromotionFailed(why) } else { Verdict::DemotionFailed(why) };
            return (report(world.own, replication, &verdict, settings, now).and(Err(Failure)), None);
        }
    };
    if settings.finalizers && mark(world.own, replication).is_err() {
        return (Err(Failure), Some(source.handle));
    }
    let (verdict, next) = {
        let mut storage = world.storage();
        if primary {
            as_primary(site, replication, &source, &mut storage, now)
        } else {
            as_secondary(site, settings, replication, &source, &mut storage, now)
        }
    };
    let failed = verdict.is_failure();
    let written = report(world.own, replication, &verdict, settings, now);
    let outcome = match written {
        Ok(()) if failed && next.is_none() => Err(Failure),
        Ok(()) => Ok(next),
        Err(failure) => Err(failure),
    };
    (outcome, Some(source.handle))
}

fn as_primary(
    site: &str,
    replication: &Value,
    source: &Source,
    storage: &mut Storage,
    now: Time,
) -> (Verdict, Option<Time>) {
    let refresh = Some(now + source.refresh);
    if object::text(replication, "/status/state") != "Primary" {
        let related = source.relation.as_ref().map_or(Ok(()), |id| storage.relate(site, &source.handle, id));
        match related.and_then(|()| storage.enable(site, &source.handle, source.interval, now)) {
            Err(Refusal::FailedPrecondition(why)) => return (Verdict::PrerequisiteMissing(why), None),
            Err(why) => return (Verdict::PromotionFailed(why.to_string()), None),
            Ok(()) => {}
        }
        let promoted = match storage.promote(site, &source.handle, false, now) {
            Err(Refusal::FailedPrecondition(_)) => storage.promote(site, &source.handle, true, now),
            other => other,
        };
        if let Err(why) = promoted {
            return (Verdict::PromotionFailed(why.to_string()), None);
        }
    }
    match storage.info(site, &source.handle, now) {
        Ok(info) => (Verdict::Primary { synced: Some(info.last), replicating: Some(info.healthy) }, refresh),
        Err(_) => (Verdict::Primary { synced: None, replicating: None }, refresh),
    }
}

fn as_secondary(
    site: &str,
    settings: &Settings,
    replication: &Value,
    source: &Source,
    storage: &mut Storage,
    now: Time,
) -> (Verdict, Option<Time>) {
    if let Err(why) = storage.demote(site, &source.handle, now) {
        return (Verdict::DemotionFailed(why.to_string()), None);
    }
    if object::text(replication, "/status/state") != "Secondary" {
        return (Verdict::Demoted, Some(now + settings.after_demotion));
    }
    let retry = Some(now + settings.resync_retry);
    let force = replication["spec"]["autoResync"] == true || replication["spec"]["replicationState"] == "resync";
    match storage.resync(site, &source.handle, force, now) {
        Ok(true) => (Verdict::Settled, None),
        Ok(false) if settings.flavour == Flavour::Recorded => {
            if storage.receiving(site, &source.handle) {
                (Verdict::Settled, None)
            } else {
                (Verdict::Demoted, retry)
            }
        }
        // The driver reads from its own state that data come in: without a way to the other side there is none.
        Ok(false) if !storage.reaches_peer(site, &source.handle) => {
            let why = "no local sync information: the other side does not answer".to_owned();
            (Verdict::ResyncFailed(why), Some(now + settings.after_demotion))
        }
        Ok(false) => (Verdict::Resyncing, retry),
        Err(why) => (Verdict::ResyncFailed(why.to_string()), Some(now + settings.after_demotion)),
    }
}

fn release(site: &str, replication: &Value, now: Time, world: &AgentWorld<'_>) -> Outcome {
    if !object::has_finalizer(replication, VR_FINALIZER) {
        return Ok(None);
    }
    let namespace = Some(object::namespace(replication));
    let claim_name = object::text(replication, "/spec/dataSource/name");
    match world.own.see(&kinds::PVC, namespace, claim_name) {
        Ok(claim) => {
            if let Some(handle) = handle_of(world.own, &claim) {
                world.storage().disable(site, &handle, now).map_err(|_| Failure)?;
            }
            let mut patch = object::finalizer_removed(&claim, PVC_FINALIZER);
            patch["metadata"]["annotations"] = json!({PVC_ANNOTATION: null});
            world.own.merge_patch(&kinds::PVC, namespace, claim_name, &patch, None)?;
        }
        Err(ApiError::NotFound) => {}
        Err(_) => return Err(Failure),
    }
    let patch = object::finalizer_removed(replication, VR_FINALIZER);
    let name = object::name(replication);
    world.own.merge_patch(&kinds::VOLUME_REPLICATION, namespace, name, &patch, None)?;
    Ok(None)
}

fn mark(api: &dyn Api, replication: &Value) -> Result<(), Failure> {
    let namespace = Some(object::namespace(replication));
    let claim_name = object::text(replication, "/spec/dataSource/name");
    let claim = api.see(&kinds::PVC, namespace, claim_name)?;
    if !object::has_finalizer(&claim, PVC_FINALIZER) {
        let mut patch = object::finalizer_added(&claim, PVC_FINALIZER);
        patch["metadata"]["annotations"] = json!({PVC_ANNOTATION: object::name(replication)});
        api.merge_patch(&kinds::PVC, namespace, claim_name, &patch, None)?;
    }
    if !object::has_finalizer(replication, VR_FINALIZER) {
        let patch = object::finalizer_added(replication, VR_FINALIZER);
        api.merge_patch(&kinds::VOLUME_REPLICATION, namespace, object::name(replication), &patch, None)?;
    }
    Ok(())
}

/// The volume behind a replication, or why there is none.
fn source(api: &dyn Api, replication: &Value, settings: &Settings) -> Result<Source, String> {
    let class_name = object::text(replication, "/spec/volumeReplicationClass");
    let class = api
        .see(&kinds::VOLUME_REPLICATION_CLASS, None, class_name)
        .map_err(|_| format!("VolumeReplicationClass {class_name} is missing"))?;
    let claim_name = object::text(replication, "/spec/dataSource/name");
    let claim = api
        .see(&kinds::PVC, Some(object::namespace(replication)), claim_name)
        .map_err(|_| format!("PersistentVolumeClaim {claim_name} is missing"))?;
    if object::text(&claim, "/status/phase") != "Bound" {
        return Err(format!("PersistentVolumeClaim {claim_name} is not bound"));
    }
    let handle = handle_of(api, &claim).ok_or_else(|| format!("PersistentVolumeClaim {claim_name} has no volume"))?;
    let scheduled = interval(object::text(&class, "/spec/parameters/schedulingInterval"));
    let interval = scheduled.unwrap_or(Duration::from_hours(1));
    let half = if interval < Duration::from_mins(2) { interval } else { interval / 2 };
    let relation = object::label(&class, label::REPLICATION_ID);
    let relation = (!relation.is_empty()).then(|| relation.to_owned());
    Ok(Source { handle, relation, interval, refresh: settings.refresh.unwrap_or(half) })
}

fn handle_of(api: &dyn Api, claim: &Value) -> Option<String> {
    let volume = api.see(&kinds::PV, None, object::text(claim, "/spec/volumeName")).ok()?;
    let handle = object::text(&volume, "/spec/csi/volumeHandle");
    (!handle.is_empty()).then(|| handle.to_owned())
}

fn report(
    api: &dyn Api,
    replication: &Value,
    verdict: &Verdict,
    settings: &Settings,
    now: Time,
) -> Result<(), Failure> {
    // Read again: marking may have changed the object. A changed generation is seen by the next look.
    let (namespace, name) = (Some(object::namespace(replication)), object::name(replication));
    let mut current = api.see(&kinds::VOLUME_REPLICATION, namespace, name)?.value().clone();
    if object::uid(&current) != object::uid(replication) {
        return Err(Failure);
    }
    let generation = object::generation(replication);
    let before = current["status"].clone();
    verdict.write(object::map_at(&mut current, "status"), generation, settings.flavour, now);
    if current["status"] == before {
        return Ok(());
    }
    api.update_status(&kinds::VOLUME_REPLICATION, &current)?;
    Ok(())
}

/// Reads a Go duration of hours, minutes, seconds and milliseconds; `None` if it is none.
#[must_use]
pub fn interval(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: u32 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match rest.get(..letters)? {
            "h" => Duration::from_hours(1),
            "m" => Duration::from_mins(1),
            "s" => Duration::from_secs(1),
            "ms" => Duration::from_millis(1),
            _ => return None,
        };
        total += unit.checked_mul(count)?;
        rest = rest.get(letters..)?;
    }
    (total > Duration::ZERO).then_some(total)
}
