//! Copies in the stores: of each volume with its claim, and of the VRG (spec vrg 3.7).
//!
//! A copy is current when its content is: what a restore would use, by digest, per store. One store that is down keeps
//! `ClusterDataProtected` false, but holds up no other.

use ramen_api::ramen::wire::{annotation, condition, reason};
use ramen_events::{
    BlobId, Command as AnyCommand, Time,
    spoke::{Command, VrgStatus},
};

use super::round::{Has, Round, There};
use crate::{
    domain::Wanted,
    spoke::{
        state::Holding,
        vrg::{
            stores::{self, StoreRef},
            verdict::Verdict,
            view::{View, Volume},
        },
    },
};

/// How far the copies of one claim are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive {
    /// What brings them on.
    pub wants: Vec<Wanted>,
    /// What its condition says; `None` while the first upload runs.
    pub verdict: Option<Verdict>,
    /// Stores that do not have it yet.
    pub missing: Vec<String>,
    /// What stores it once more where it is already.
    pub repeats: Vec<Wanted>,
    /// When that is due, where a store was out too long for the others' moment.
    pub repeats_at: Option<Time>,
    /// When to look again although nothing happened.
    pub again: Option<Time>,
}

impl Archive {
    /// Whether all stores have it and it is noted.
    pub fn is_done(&self) -> bool {
        self.missing.is_empty() && self.wants.is_empty() && self.verdict.as_ref().is_some_and(Verdict::holds)
    }
}

/// Looks after the copies of a protected claim.
pub fn volume(view: &View<'_>, volume: &Volume<'_>) -> Archive {
    let mut archive = Archive::default();
    let Some((pv, pv_blob, pvc_blob)) =
        volume.pv.and_then(|pv| Some((pv, pv.blob?, volume.pvc.blob?))).filter(|_| !volume.pvc.is_deleting())
    else {
        return archive;
    };
    if volume.pvc.resizing {
        archive.missing.push("all stores, until its volume is resized".to_owned());
        return archive;
    }
    if is_not_synchronized(view, volume) {
        archive.missing.push("all stores, once its volume was synchronized for the first time".to_owned());
        archive.again = patience_ends(volume).filter(|due| view.ask.decider >= RESUMED_SINCE && view.now() < *due);
        return archive;
    }
    let mut both = Vec::with_capacity(64);
    both.extend_from_slice(&pv.content.0);
    both.extend_from_slice(&volume.pvc.content.0);
    let round = Round::of(view);
    let first = BlobId::of(&both);
    let mut problems = Vec::new();
    for store in &view.stores {
        let slot = volume.upload_slot(store.name);
        let held = match view.work.copies.get(&(store.name.to_owned(), volume.key.clone())) {
            Some(Holding::Has(has)) => Some(*has),
            _ => None,
        };
        let There { has, content, repeats_at } = round.there(view, &slot, held, first);
        if has == Has::This {
            archive.repeats_at = archive.repeats_at.into_iter().chain(repeats_at).min();
            continue;
        }
        if has == Has::Other {
            archive.missing.push(store.name.to_owned());
            problems.extend(stores::failure(view, store, &slot));
        }
        if let Ok(reachable) = store.store {
            let wants = if has == Has::Other { &mut archive.wants } else { &mut archive.repeats };
            wants.push(Wanted {
                slot,
                command: view.as_writer(Command::Upload {
                    vrg: view.vrg.key.clone(),
                    store: Box::new(reachable.clone()),
                    pvc: volume.key.clone(),
                    volume: pv.name.clone(),
                    pv_blob,
                    pvc_blob,
                    content,
                }),
            });
        }
    }
    archive.verdict = if view.stores.is_empty() {
        Some(Verdict::no(reason::UPLOAD_ERROR, no_store(view)))
    } else if !problems.is_empty() {
        Some(Verdict::no(reason::UPLOAD_ERROR, problems.join("; ")))
    } else if archive.missing.is_empty() {
        note(volume, &mut archive.wants, view)
    } else {
        None
    };
    archive
}

/// The first version of the deciders that knows a VRG that is meant to have no store.
const NO_STORE_SINCE: u32 = 9;

/// The VRG names no profile but `NoS3`: that it has no store is no oversight (spec spoke config C23).
fn is_meant(view: &View<'_>) -> bool {
    view.ask.decider >= NO_STORE_SINCE && view.stores.is_empty() && !view.vrg.spec.s3_profiles.is_empty()
}

/// Why a claim has no copies. Without them the other cluster would not find its volume.
fn no_store(view: &View<'_>) -> String {
    let named = match is_meant(view) {
        true => "spec.s3Profiles is NoS3, no store, so the other cluster would not find its volume",
        false => "spec.s3Profiles names no store",
    };
    format!("{named}: name at least one S3 profile")
}

/// The first version of the deciders that stores nothing of a volume that the other cluster has nothing of.
const SYNCHRONIZED_SINCE: u32 = 3;

/// The other cluster has nothing of a new volume before its first synchronization. If its copies were stored, a failover
/// would restore a claim whose volume is not there, and wait for it for ever. Whether a driver tells of synchronizations at
/// all is seen from other volumes of its class.
fn is_not_synchronized(view: &View<'_>, volume: &Volume<'_>) -> bool {
    let known = [annotation::RESTORED, annotation::ARCHIVED];
    if view.ask.decider < SYNCHRONIZED_SINCE || known.iter().any(|key| volume.pvc.annotations.contains_key(*key)) {
        return false;
    }
    let class = match (volume.replication, &volume.class) {
        (Some(vr), _) if vr.last_sync_time.is_some() => return false,
        (Some(vr), _) => vr.class.as_str(),
        (None, Ok(choice)) => choice.replication.name.as_str(),
        (None, Err(_)) => return false,
    };
    if view.state.replications.values().any(|vr| vr.class == class && vr.last_sync_time.is_some()) {
        return true;
    }
    view.ask.decider >= RESUMED_SINCE && is_not_resumed(view, volume, class)
}

/// The first version of the deciders that waits for it right after a failover, too.
const RESUMED_SINCE: u32 = 4;
/// How long a new volume's copies wait for a driver that may never tell, in seconds from when it became primary.
const RESUMPTION_PATIENCE: u64 = 600;

/// Right after a failover no volume of the class was synchronized again, so nothing tells yet whether the driver does. As
/// long as restored volumes wait for their first synchronization, a new one was not synchronized either.
fn is_not_resumed(view: &View<'_>, volume: &Volume<'_>, class: &str) -> bool {
    let waits = |other: &Volume<'_>| {
        let restored = other.is_restored();
        restored && other.replication.is_some_and(|vr| vr.class == class && vr.last_sync_time.is_none())
    };
    let patient = patience_ends(volume).is_none_or(|due| view.now() < due);
    patient && view.volumes.iter().any(waits)
}

/// When a volume's copies are stored although nobody told of a synchronization; `None` before it is primary.
fn patience_ends(volume: &Volume<'_>) -> Option<Time> {
    let completed = volume.replication?.current(condition::COMPLETED)?;
    Some(completed.since.plus_seconds(RESUMPTION_PATIENCE))
}

/// All stores have it: that is noted on claim and volume, as upstream does.
fn note(volume: &Volume<'_>, wants: &mut Vec<Wanted>, view: &View<'_>) -> Option<Verdict> {
    let pv = volume.pv?;
    let noted =
        |annotations: &std::collections::BTreeMap<String, String>| annotations.get(annotation::ARCHIVED).cloned();
    let generation = pv.generation;
    let slot = format!("archived/{}", volume.key);
    let stores: Vec<&str> = view.stores.iter().map(|store| store.name).collect();
    if noted(&volume.pvc.annotations).as_ref() != Some(&volume.pvc.spec_hash)
        || noted(&pv.annotations) != Some(format!("archiveV1-{generation}"))
    {
        let failure = view.failure_text(&slot).map(|text| {
            Verdict::no(reason::ANNOTATION_FAILED, format!("stored, but it could not be noted on the claim: {text}"))
        });
        wants.push(Wanted {
            slot,
            command: AnyCommand::Spoke(Command::MarkArchived {
                pvc: volume.key.clone(),
                hash: volume.pvc.spec_hash.clone(),
                volume: pv.name.clone(),
                generation,
            }),
        });
        if failure.is_some() {
            return failure;
        }
    }
    Some(Verdict::yes(reason::UPLOADED, format!("claim and volume are in S3 store {}", stores.join(", "))))
}

/// How far the VRG's copies are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VrgArchive {
    /// What brings them on.
    pub wants: Vec<Wanted>,
    /// What the condition says of them; `None` while they are not due.
    pub verdict: Option<Verdict>,
    /// Whether an upload is under way that will probably end soon.
    pub under_way: bool,
    /// What stores it once more where it is already.
    pub repeats: Vec<Wanted>,
    /// When that is due, where a store was out too long for the others' moment.
    pub repeats_at: Option<Time>,
}

impl VrgArchive {
    /// As it will be once the copy that is being made is stored everywhere: what that copy itself says.
    pub fn stored() -> Self {
        Self { verdict: Some(Verdict::yes(reason::UPLOADED, "VRG is stored")), ..Self::default() }
    }
}

/// The slot of the VRG's upload to a store.
pub fn vrg_slot(profile: &str) -> String {
    format!("store/{profile}/vrg")
}

/// Looks after the VRG's own copies; `status` is the one to store.
pub fn vrg(view: &View<'_>, status: &VrgStatus) -> VrgArchive {
    let mut archive = VrgArchive::default();
    let round = Round::of(view);
    let first = digest(view, status);
    let (mut problems, mut missing) = (Vec::new(), Vec::new());
    for store in &view.stores {
        let slot = vrg_slot(store.name);
        let held = view.work.vrg_copies.get(store.name).copied();
        let There { has, content, repeats_at } = round.there(view, &slot, held, first);
        if has == Has::This {
            archive.repeats_at = archive.repeats_at.into_iter().chain(repeats_at).min();
            problems.extend(unknown(view, store));
            continue;
        }
        if has == Has::Other {
            missing.push(store.name);
            match stores::failure(view, store, &slot) {
                Some(problem) => problems.push(problem),
                None => archive.under_way = true,
            }
        }
        if let Ok(reachable) = store.store {
            let wants = if has == Has::Other { &mut archive.wants } else { &mut archive.repeats };
            wants.push(Wanted {
                slot,
                command: view.as_writer(Command::UploadVrg {
                    vrg: view.vrg.key.clone(),
                    store: Box::new(reachable.clone()),
                    body: view.vrg.body,
                    status: Box::new(status.clone()),
                    content,
                }),
            });
        }
    }
    archive.verdict = Some(if view.stores.is_empty() {
        match is_meant(view) {
            true => Verdict::yes(reason::UNUSED, "spec.s3Profiles is NoS3, no store: nothing is stored"),
            false => Verdict::no(reason::VRG_CAPTURE_ERROR, no_store(view)),
        }
    } else if !problems.is_empty() {
        Verdict::no(reason::VRG_CAPTURE_ERROR, format!("VRG copy: {}", problems.join("; ")))
    } else if missing.is_empty() {
        Verdict::yes(reason::UPLOADED, "VRG is stored")
    } else {
        Verdict::no(reason::UPLOADING, format!("VRG copy of generation {} is on its way", view.vrg.generation))
    });
    archive
}

/// The first version of the deciders that tells of a store that the operator does not know how to reach while nothing is to be
/// stored.
const UNKNOWN_STORE_SINCE: u32 = 13;

/// Why nobody here could look whether a store still has what was stored, nor store what changes next.
fn unknown(view: &View<'_>, store: &StoreRef<'_>) -> Option<String> {
    store.store.as_ref().err().filter(|_| view.ask.decider >= UNKNOWN_STORE_SINCE).cloned()
}

/// Digest of what a reader of the VRG's copy would use. Times of synchronizations are left out: they alone are no reason
/// to store it again.
fn digest(view: &View<'_>, status: &VrgStatus) -> BlobId {
    let mut text = view.vrg.body.0.to_vec();
    let mut add = |part: &str| {
        text.extend_from_slice(part.as_bytes());
        text.push(0);
    };
    add(&status.state);
    add(&status.observed_generation.to_string());
    for condition in status.conditions.iter().chain(status.pvcs.iter().flat_map(|pvc| &pvc.conditions)) {
        add(&condition.kind);
        add(condition.status.as_str());
        add(&condition.reason);
        add(&condition.generation.to_string());
    }
    for pvc in &status.pvcs {
        add(&pvc.key.to_string());
    }
    BlobId::of(&text)
}
