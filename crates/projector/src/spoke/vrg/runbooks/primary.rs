//! A primary VRG: its volumes are writable here, replicated to the peer, and described in the stores (spec vrg 3).
//!
//! No volume is asked to become primary before the restore is done and claim and volume are bound to each other (VS1).

use ramen_api::ramen::wire::{annotation, condition, finalizer, reason};
use ramen_events::{
    Command as AnyCommand, ConditionStatus, Wait,
    spoke::{Command, PvPhase, Role, VolumeReplication},
};

use super::{release, restore, secondary, upload};
use crate::{
    domain::{Decision, Wanted},
    runbook::{Gate, Step, step, wait},
    spoke::{
        state::Holding,
        vrg::{
            replication_check::{self, Check},
            scene::{self, Judged, Scene, Stage},
            verdict::{Verdict, whole_seconds},
            view::{Afterwards, Owner, View, Volume},
        },
    },
};

/// Name of the step in which volumes get their marks.
const PROTECTING: &str = "ProtectingVolumes";

/// One after the other.
pub const FIRST: &[Step<Scene, Decision>] = &[
    //   name                             done when        what brings it about
    step!("Validating", is_valid, |_, _| {}),
    step!("AddingFinalizer", is_adopted, adopt),
    step!(restore::STEP, is_restored, restore_volumes),
];

/// Side by side.
pub const TOGETHER: &[Step<Scene, Decision>] = &[
    step!("ReleasingVolumes", nothing_to_release, |s, d| work_on(s, Stage::Releasing, d)),
    step!(PROTECTING, are_protected, |s, d| work_on(s, Stage::Unprotected, d)),
    step!("PromotingVolumes", are_primary, |s, d| work_on(s, Stage::Protected, d)),
    step!("UploadingClusterData", are_stored, store_volumes),
    step!("UploadingVrg", is_stored, store_vrg),
];

/// What a shut gate says of the first volume that keeps it shut.
pub fn volumes_wait(scene: &Scene, shut: impl Fn(&Judged) -> bool) -> Gate {
    let mut shut = scene.volumes.iter().filter(|volume| shut(volume));
    match shut.next() {
        None => Gate::Open,
        Some(first) => {
            let more = match shut.count() {
                0 => String::new(),
                n => format!(" (and {n} more)"),
            };
            Gate::Shut(volume_wait(first, &more))
        }
    }
}

fn volume_wait(volume: &Judged, more: &str) -> Wait {
    let missing = volume.archive.missing.join(", ");
    let what = match (volume.waits_for.as_str(), &volume.archive.verdict) {
        ("", Some(verdict)) if !verdict.holds() => verdict.message.clone(),
        ("", _) if missing.is_empty() => "it to be noted that its copies are stored".to_owned(),
        ("", _) => format!("its copies to be in S3 store {missing}"),
        (what, _) => what.to_owned(),
    };
    wait(format!("claim {}: {what}{more}", volume.key.name), None, "look at the claim's condition in the VRG's status")
}

/// The spec can be used.
pub fn is_valid(scene: &Scene) -> Gate {
    match &scene.invalid {
        None => Gate::Open,
        Some(problem) => Gate::Shut(wait("a valid spec", None, problem.clone())),
    }
}

/// Our finalizer is on the VRG.
pub fn is_adopted(scene: &Scene) -> Gate {
    Gate::when(scene.adopt.is_none(), || wait("finalizer on the VRG", None, ""))
}

/// Sets our finalizer.
pub fn adopt(scene: &Scene, decision: &mut Decision) {
    decision.commands.extend(scene.adopt.clone());
}

fn is_restored(scene: &Scene) -> Gate {
    match scene.restore.as_ref().map(|outlook| &outlook.restore) {
        Some(restore::Restore::Waiting(what)) => Gate::Shut(wait(what.clone(), None, "look at the S3 stores")),
        Some(restore::Restore::Blocked(problem)) => Gate::Shut(wait("volumes to be restored", None, problem.clone())),
        _ => Gate::Open,
    }
}

fn restore_volumes(scene: &Scene, decision: &mut Decision) {
    work_on(scene, Stage::Releasing, decision); // claims of before, which are in the way
    if let Some(outlook) = &scene.restore {
        decision.commands.extend(outlook.wants.iter().cloned());
        if let Some(at) = outlook.again {
            let blocked = matches!(outlook.restore, restore::Restore::Blocked(_));
            let why =
                if blocked { "ask the stores again what they hold" } else { "go on with the stores that answered" };
            decision.ask_again(at, why);
        }
    }
}

fn nothing_to_release(scene: &Scene) -> Gate {
    volumes_wait(scene, |volume| volume.stage == Stage::Releasing)
}

fn are_protected(scene: &Scene) -> Gate {
    volumes_wait(scene, |volume| volume.stage == Stage::Unprotected)
}

fn are_primary(scene: &Scene) -> Gate {
    volumes_wait(scene, |volume| volume.stage == Stage::Protected)
}

fn are_stored(scene: &Scene) -> Gate {
    volumes_wait(scene, |volume| matches!(volume.stage, Stage::Protected | Stage::Settled) && !volume.archive.is_done())
}

fn is_stored(scene: &Scene) -> Gate {
    let verdict = scene.copy.as_ref().and_then(|copy| copy.verdict.as_ref());
    match verdict {
        Some(verdict) if !verdict.holds() => Gate::Shut(wait(verdict.message.clone(), None, "look at the S3 stores")),
        _ => Gate::Open,
    }
}

/// What the volumes in a stage want.
pub fn work_on(scene: &Scene, stage: Stage, decision: &mut Decision) {
    for volume in scene.volumes.iter().filter(|volume| volume.stage == stage) {
        decision.commands.extend(volume.wants.iter().cloned());
        if let Some(at) = volume.again {
            decision.ask_again(at, format!("claim {}: {}", volume.key.name, volume.waits_for));
        }
    }
}

fn store_volumes(scene: &Scene, decision: &mut Decision) {
    for volume in &scene.volumes {
        decision.commands.extend(volume.archive.wants.iter().cloned());
        if let Some(at) = volume.archive.again {
            decision
                .ask_again(at, format!("claim {}: store it though nobody told of a synchronization", volume.key.name));
        }
    }
}

fn store_vrg(scene: &Scene, decision: &mut Decision) {
    decision.commands.extend(scene.copy.iter().flat_map(|copy| copy.wants.iter().cloned()));
}

/// How a primary VRG stands; its own copies are judged afterwards, since they hold its status.
pub fn scene(view: &View<'_>) -> Scene {
    let outlook = restore::look(view);
    let restored = outlook.restore.is_done();
    let mut volumes: Vec<Judged> = view.volumes.iter().map(|volume| judge(view, volume, restored)).collect();
    volumes.append(&mut scene::orphans(view));
    Scene {
        invalid: scene::invalid(view),
        adopt: scene::adopt(view),
        restore: Some(outlook),
        volumes,
        ..Scene::default()
    }
}

/// How one volume stands.
pub fn judge(view: &View<'_>, volume: &Volume<'_>, restored: bool) -> Judged {
    if volume.pvc.is_deleting() && !restored {
        return of_before(view, volume);
    }
    if !volume.selected || volume.pvc.is_deleting() {
        let judged = leaving(view, volume);
        return if restored { judged } else { Judged { wants: Vec::new(), ..judged } };
    }
    if let Owner::Other(other) = &volume.owner {
        return Judged::new(volume.key, Stage::Unprotected)
            .wrong(format!("it belongs to VRG {other}: let only one of the two select it"));
    }
    let class = match (&volume.class, volume.replication) {
        (Ok(choice), _) => choice.replication.name.as_str(),
        // What is replicated already needs no choice.
        (Err(_), Some(vr)) => vr.class.as_str(),
        (Err(unfit), None) => {
            let mut judged = Judged::new(volume.key, Stage::Unprotected).wrong(unfit.message.clone());
            if unfit.reason == reason::PEER_CLASS_NOT_FOUND {
                judged.data_ready = Some(Verdict::unknown(unfit.reason, unfit.message.clone()));
            }
            return judged;
        }
    };
    if !volume.pvc.bound {
        return unbound(view, volume);
    }
    if !volume.is_bound() {
        let what = format!("volume {} to be bound to the claim", volume.pvc.volume);
        return Judged::new(volume.key, Stage::Unprotected).waiting(what);
    }
    if !volume.is_protected() {
        return protect(view, volume);
    }
    let mut judged = match volume.replication {
        Some(vr) => replicated(view, volume, vr),
        None if restored => apply(view, volume, class, Role::Primary, false),
        None => Judged::new(volume.key, Stage::Protected).waiting("the restore to be done"),
    };
    judged.destination = volume.replication.and_then(destination);
    if judged.destination.as_ref().is_none_or(Verdict::holds) {
        judged.archive = upload::volume(view, volume);
        judged.wants.extend(volume.replication.and_then(|vr| note_destination(volume, vr)));
    } else {
        judged.archive.missing.push("all stores, until the volume's handle on the other side is known".to_owned());
    }
    judged
}

/// How long the volume controller may take from a volume's half of a binding to the claim's. Two of its workers can get
/// in each other's way between the two; then it goes on at its next round, 15 s later, or when the claim changes.
const BINDING_PAUSE_MS: u64 = 300;

/// A claim that is not bound. One that was restored is helped on when only its own half of the binding is missing.
fn unbound(view: &View<'_>, volume: &Volume<'_>) -> Judged {
    let judged = Judged::new(volume.key, Stage::Unprotected).waiting("the claim to be bound");
    let half = volume.pv.is_some_and(|pv| {
        let claimed = pv.claim.as_ref().is_some_and(|claim| claim.key == *volume.key && claim.uid == volume.pvc.uid);
        pv.phase == PvPhase::Bound && claimed
    });
    if !half || !volume.is_restored() {
        return judged;
    }
    let due = view.since(PROTECTING).plus_ms(BINDING_PAUSE_MS);
    if view.now() < due {
        return Judged { again: Some(due), ..judged };
    }
    let command = Command::CompleteBinding { pvc: volume.key.clone(), at: whole_seconds(view.now()) };
    judged.wanting(Wanted { slot: format!("binding/{}", volume.key), command: AnyCommand::Spoke(command) })
}

fn protect(view: &View<'_>, volume: &Volume<'_>) -> Judged {
    let slot = volume.slot();
    let mut finalizers = volume.pvc.finalizers.clone();
    if !volume.is_guarded() {
        finalizers.push(finalizer::PVC_VOL_REP.to_owned());
    }
    let command = Command::ProtectVolume {
        pvc: volume.key.clone(),
        finalizers,
        resource_version: volume.pvc.resource_version.clone(),
        owner: view.vrg.key.clone(),
        retain: volume.pv.filter(|_| !volume.is_retained()).map(|pv| pv.name.clone()),
    };
    let judged = Judged::new(volume.key, Stage::Unprotected);
    let judged = match view.failure_text(&slot) {
        Some(text) => judged.wrong(format!("claim and volume could not be marked as protected: {text}")),
        None => judged.waiting("claim and volume to be marked as protected"),
    };
    judged.wanting(Wanted { slot, command: AnyCommand::Spoke(command) })
}

/// Asks for a replication in a role.
pub fn apply(view: &View<'_>, volume: &Volume<'_>, class: &str, role: Role, auto_resync: bool) -> Judged {
    let slot = volume.replication_slot();
    let command = Command::ApplyReplication {
        pvc: volume.key.clone(),
        owner: view.vrg.key.clone(),
        owner_uid: view.vrg.uid.clone(),
        class: class.to_owned(),
        role,
        auto_resync,
    };
    let judged = Judged::new(volume.key, Stage::Protected);
    let judged = match view.failure_text(&slot) {
        Some(text) => judged.wrong(format!("VolumeReplication could not be written: {text}")),
        None => judged.waiting(format!("VolumeReplication to ask for {}", role.as_str())),
    };
    judged.wanting(Wanted { slot, command: AnyCommand::Spoke(command) })
}

fn replicated(view: &View<'_>, volume: &Volume<'_>, vr: &VolumeReplication) -> Judged {
    let judged = Judged::new(volume.key, Stage::Protected);
    if vr.owner.as_ref() != Some(&view.vrg.key) {
        return judged.wrong("a VolumeReplication of this name is not ours: delete it");
    }
    if vr.deleting {
        return judged.waiting("VolumeReplication of before to be gone");
    }
    if vr.role != Some(Role::Primary) || vr.auto_resync {
        return apply(view, volume, &vr.class, Role::Primary, false);
    }
    match replication_check::primary(vr) {
        Check::Settled | Check::Resyncing => {
            let mut judged = Judged::new(volume.key, Stage::Settled);
            judged.data_ready = Some(Verdict::yes(reason::READY, "volume is primary"));
            judged.data_protected = Some(Verdict::no(reason::REPLICATING, "volume replicates to the other cluster"));
            judged
        }
        Check::Waiting(what) => judged.waiting(what),
        Check::Failed(text) => {
            let text = text.clone() + &if_it_is_lost(view, volume, &text);
            let mut judged = judged.wrong(text.clone());
            judged.data_protected = Some(Verdict::error(text));
            judged
        }
    }
}

/// The first version of the deciders that says what to do about a claim whose volume is gone.
const LOST_SINCE: u32 = 4;

/// What a person can do about a claim whose volume can't be promoted or demoted because its storage has none: the owner of
/// the application deleted the same claim on the other cluster, and storage that mirrors takes the copy here with it. A
/// claim that is going on the former home of a failover is told so whatever the storage says: not all drivers say it.
pub fn if_it_is_lost(view: &View<'_>, volume: &Volume<'_>, told: &str) -> String {
    if let Some(remedy) = if_its_class_is_missing(view, volume) {
        return remedy;
    }
    let left_behind = view.is_failover() && !view.is_primary() && volume.pvc.is_deleting();
    if view.ask.decider < LOST_SINCE || !(left_behind || replication_check::says_not_found(told)) {
        return String::new();
    }
    let what = if volume.pvc.is_deleting() {
        format!("take finalizer {} off the claim", finalizer::PVC_VOL_REP)
    } else {
        "delete the claim: whoever needs it gets an empty one".to_owned()
    };
    format!("; if the storage has no such volume any more, {what}")
}

/// The first version of the deciders that says that a replication can do nothing without its class.
const CLASS_SINCE: u32 = 14;

/// What a person can do about a replication whose class was deleted; whatever the storage says, its volume is not lost.
pub fn if_its_class_is_missing(view: &View<'_>, volume: &Volume<'_>) -> Option<String> {
    let class = &volume.replication?.class;
    let known = class.is_empty() || view.state.replication_classes.contains_key(class);
    let missing = view.ask.decider >= CLASS_SINCE && !known;
    missing.then(|| format!("; create VolumeReplicationClass {class} again on this cluster"))
}

/// A VRG that is deleted does not wait for what its storage will never do to a volume that it does not have. Nothing is
/// taken from anybody: what is let go of stays as it is.
pub fn is_lost_for_good(view: &View<'_>, told: &str) -> bool {
    view.ask.decider >= LOST_SINCE && view.vrg.deleting && replication_check::says_not_found(told)
}

/// A claim of before that is going while the restore waits for that: it was deleted when the VRG was secondary or was
/// stepping down, and no user threw it away. It is let go as if the VRG were secondary still, with proof that its data
/// were handed over.
fn of_before(view: &View<'_>, volume: &Volume<'_>) -> Judged {
    let ours = volume.replication.filter(|vr| vr.owner.as_ref() == Some(&view.vrg.key) && !vr.deleting);
    let goes_on = match ours {
        None => true,
        Some(vr) => view.is_failover() && (!replication_check::is_handed_over(vr) || follows_nobody(view, vr)),
    };
    let judged = if !volume.is_involved(&view.vrg.key) {
        Judged::new(volume.key, Stage::Ignored)
    } else if goes_on {
        go_on_with(view, volume)
    } else {
        secondary::judge(view, volume)
    };
    if judged.stage == Stage::Ignored {
        return judged;
    }
    let what = if judged.waits_for.is_empty() { "the claim of before to be gone".to_owned() } else { judged.waits_for };
    Judged { wants: judged.wants, again: judged.again, ..Judged::new(volume.key, Stage::Releasing).waiting(what) }
}

/// The first version of the deciders that promotes a volume of before which has nobody to follow.
const FOLLOWS_NOBODY_SINCE: u32 = 12;

/// Nobody is primary but this VRG: a volume of before that synchronizes still has nobody whose data it could take over, and
/// storage lets go of no secondary in between.
fn follows_nobody(view: &View<'_>, vr: &VolumeReplication) -> bool {
    view.ask.decider >= FOLLOWS_NOBODY_SINCE && replication_check::secondary(vr) == Check::Resyncing
}

/// The first version of the deciders that waits a moment before it lets a claim go that a primary lost while it restores.
const IN_GRACE_SINCE: u32 = 12;

/// Lets a claim of before go; its volume outlives it, and the restore takes it as it is. Nobody waits here for the other
/// cluster: in a failover it may be lost, and would never confirm that it has everything. A primary that is asked anew looks
/// into the stores again, too: what it loses then it may lose because the application moved, and its new role be on its way
/// (spec vrg V31). A volume that was let go as primary would follow nobody.
fn go_on_with(view: &View<'_>, volume: &Volume<'_>) -> Judged {
    let judged = Judged::new(volume.key, Stage::Releasing);
    if let Some(users) = view.users(volume) {
        return judged.waiting(users);
    }
    let never_stepped_down = volume.replication.is_some_and(|vr| vr.role == Some(Role::Primary));
    let grace = release::in_grace(view, volume).filter(|_| view.ask.decider >= IN_GRACE_SINCE && never_stepped_down);
    if let Some(due) = grace {
        return Judged { again: Some(due), ..judged.waiting(release::standing_until(due)) };
    }
    let release = release::end_replication(view, volume, Afterwards::Kept);
    Judged { wants: release.wants, again: release.again, ..judged.waiting(release.waits_for) }
}

/// The first version of the deciders that tells who uses a claim that was deleted.
const USED_SINCE: u32 = 6;

/// Its volume is as it should be, and stays so for as long as somebody uses it: whoever deleted it waits for that.
fn say_who_uses(view: &View<'_>, volume: &Volume<'_>, judged: Judged) -> Judged {
    let users = view.users(volume).filter(|_| volume.pvc.is_deleting() && !view.in_final_sync());
    let Some(users) = users else { return judged };
    let told = format!("volume is primary; its claim is deleted and waits for {users}");
    Judged { data_ready: Some(Verdict::yes(reason::READY, told)), ..judged }
}

/// A claim that was deselected or deleted. During a final synchronization it is left alone.
fn leaving(view: &View<'_>, volume: &Volume<'_>) -> Judged {
    if !volume.is_involved(&view.vrg.key) {
        return Judged::new(volume.key, Stage::Ignored);
    }
    let release = release::unprotect(view, volume);
    let stage = if view.in_final_sync() { Stage::Settled } else { Stage::Releasing };
    let ours = volume.replication.filter(|vr| vr.owner.as_ref() == Some(&view.vrg.key));
    let mut judged = match ours {
        Some(vr) if !release.problem && replication_check::primary(vr) == Check::Settled => {
            let judged = Judged { stage, ..replicated(view, volume, vr) };
            if view.ask.decider >= USED_SINCE { say_who_uses(view, volume, judged) } else { judged }
        }
        _ if release.problem => Judged::new(volume.key, stage).wrong(release.waits_for.clone()),
        _ => Judged::new(volume.key, stage).waiting(release.waits_for.clone()),
    };
    judged.waits_for = release.waits_for;
    judged.wants = release.wants;
    judged.again = release.again;
    // Its copies stay as they are.
    let has =
        |store: &str| matches!(view.work.copies.get(&(store.to_owned(), volume.key.clone())), Some(Holding::Has(_)));
    if volume.pvc.annotations.contains_key(annotation::ARCHIVED) || view.stores.iter().all(|store| has(store.name)) {
        judged.archive.verdict = Some(Verdict::yes(reason::UPLOADED, "claim and volume are in the S3 stores"));
    }
    if view.ask.decider >= COPIES_STAY_SINCE && !release.stores.is_empty() {
        let told = format!("its copies are to be deleted before it may go: {}", release.stores);
        judged.archive.verdict = Some(Verdict::no(reason::UPLOAD_ERROR, told));
    }
    judged
}

/// The first version of the deciders that tells of a claim whose copies a store does not delete: whoever deleted it sees it hang.
const COPIES_STAY_SINCE: u32 = 13;

fn destination(vr: &VolumeReplication) -> Option<Verdict> {
    let told = vr.condition(condition::DESTINATION_INFO_AVAILABLE)?;
    Some(if told.status == ConditionStatus::True && !vr.destination_handle.is_empty() {
        Verdict::yes(reason::READY, "the volume's handle on the other side is known")
    } else {
        Verdict::progressing("waiting for the volume's handle on the other side")
    })
}

fn note_destination(volume: &Volume<'_>, vr: &VolumeReplication) -> Option<Wanted> {
    let pv = volume.pv?;
    let handle = &vr.destination_handle;
    if handle.is_empty() || pv.annotations.get(annotation::DESTINATION_VOLUME_HANDLE) == Some(handle) {
        return None;
    }
    let command = Command::NoteDestination { volume: pv.name.clone(), handle: handle.clone() };
    Some(Wanted { slot: format!("destination/{}", volume.key), command: AnyCommand::Spoke(command) })
}
