//! A secondary VRG: what it held as primary is demoted, its data handed over, and everything released (spec vrg 5).
//!
//! A volume is demoted only when nobody uses it; for a relocation also only when its claim is deleted. It is released only
//! when the storage proved that the other side has its data, or, in a failover, that it takes over the other side's.

use ramen_api::ramen::wire::{annotation, condition, finalizer, reason};
use ramen_events::{
    ConditionStatus, Time,
    spoke::{Role, VolumeReplication},
};

use super::{
    primary::{
        adopt, apply, if_it_is_lost, if_its_class_is_missing, is_adopted, is_lost_for_good, is_valid, volumes_wait,
        work_on,
    },
    release::{self, Release},
};
use crate::{
    domain::Decision,
    runbook::{Gate, Step, step},
    spoke::vrg::{
        replication_check::{self, Check},
        scene::{self, Judged, Scene, Stage},
        verdict::Verdict,
        view::{Afterwards, View, Volume},
    },
};

/// Name of the step in which volumes are demoted.
const DEMOTING: &str = "DemotingVolumes";

/// One after the other.
pub const FIRST: &[Step<Scene, Decision>] =
    &[step!("Validating", is_valid, |_, _| {}), step!("AddingFinalizer", is_adopted, adopt)];

/// Side by side.
pub const TOGETHER: &[Step<Scene, Decision>] = &[
    step!(DEMOTING, are_secondary, |s, d| work_on(s, Stage::Protected, d)),
    step!("ReleasingVolumes", are_released, release),
];

fn are_secondary(scene: &Scene) -> Gate {
    volumes_wait(scene, |volume| volume.stage == Stage::Protected)
}

fn are_released(scene: &Scene) -> Gate {
    volumes_wait(scene, |volume| matches!(volume.stage, Stage::Settled | Stage::Releasing))
}

fn release(scene: &Scene, decision: &mut Decision) {
    work_on(scene, Stage::Settled, decision);
    work_on(scene, Stage::Releasing, decision);
}

/// How a secondary VRG stands.
pub fn scene(view: &View<'_>) -> Scene {
    let mut volumes: Vec<Judged> = view.volumes.iter().map(|volume| judge(view, volume)).collect();
    volumes.extend(scene::orphans(view).into_iter().map(|orphan| orphaned(view, orphan)));
    Scene { invalid: scene::invalid(view), adopt: scene::adopt(view), volumes, ..Scene::default() }
}

/// The first version of the deciders that asks whether a volume without a claim was handed over.
const TORN_OUT_SINCE: u32 = 6;

/// Somebody took the finalizers off a claim that was on its way out, before its volume stepped down: a relocation would leave
/// behind what the other cluster lacks, and a failover a second primary. Its replication stays, since the storage drops the
/// other copy with it.
fn orphaned(view: &View<'_>, orphan: Judged) -> Judged {
    let vr =
        view.state.replications.get(&orphan.key).filter(|vr| !vr.deleting && !replication_check::is_handed_over(vr));
    let stays = |vr: &&VolumeReplication| !view.is_failover() || replication_check::is_primary_here(vr);
    let may_go = view.ask.decider < TORN_OUT_SINCE || view.vrg.deleting;
    match vr.filter(stays).filter(|_| !may_go) {
        None => orphan,
        Some(_) => Judged::new(&orphan.key, Stage::Protected).wrong(
            "the claim is gone, and its volume did not step down: the other cluster may lack its last writes; fail over to this \
             cluster, which makes the claim anew on its volume, or delete the VolumeReplication here to give up those writes",
        ),
    }
}

/// Whether the storage may throw away local data to follow the primary (spec vrg 5.4).
pub fn auto_resync(view: &View<'_>) -> bool {
    // On a primary that lets claims of its former role go, the data here are those that count.
    (view.is_failover() && !view.is_primary()) || view.vrg.test_failover == annotation::TRUE
}

/// The same for one volume. A VRG that is deleted has no action any more whose end could be awaited. Where the storage says
/// that the other side was promoted by force, this side, being secondary, is the one that lost: only a failover forces
/// (VS14). Its storage lets go of it only once it follows the winner.
fn may_resync(view: &View<'_>, vr: &VolumeReplication) -> bool {
    let followed = vr.role == Some(Role::Secondary) && vr.auto_resync;
    auto_resync(view) || (view.vrg.deleting && (followed || replication_check::went_different_ways(vr)))
}

/// How one volume stands.
pub fn judge(view: &View<'_>, volume: &Volume<'_>) -> Judged {
    // A claim that we do not hold is not ours to demote; if it is kept on purpose it holds nothing up (V5).
    if !volume.is_involved(&view.vrg.key) {
        return Judged::new(volume.key, Stage::Ignored);
    }
    match volume.replication.filter(|vr| vr.owner.as_ref() == Some(&view.vrg.key)) {
        Some(vr) => with_replication(view, volume, vr),
        None => without_replication(view, volume),
    }
}

/// The first version of the deciders that says what a person can do about a replication that does not go.
const LETS_GO_SINCE: u32 = 4;

/// The first version of the deciders that says of such a replication that its storage may have been cut off.
const CUT_OFF_SINCE: u32 = 13;

/// A replication that is being deleted. Storage lets go of a secondary only while that follows a primary: where the claim was
/// deleted for good on the other cluster while this one was lost, there is none any more. Nor does it follow one that it did
/// not reach before it was to go: then nobody asks it any more to give up its data.
fn leaving(view: &View<'_>, volume: &Volume<'_>) -> Judged {
    let judged = Judged::new(volume.key, Stage::Releasing);
    let what = "its VolumeReplication to be gone";
    let patience = release::after_deletion(volume, release::LEAVING_PATIENCE);
    match patience.filter(|_| view.ask.decider >= LETS_GO_SINCE) {
        None => judged.waiting(what),
        Some(due) if view.now() < due => Judged { again: Some(due), ..judged.waiting(what) },
        Some(_) => {
            if let Some(remedy) = if_its_class_is_missing(view, volume) {
                return judged.waiting(what.to_owned() + &remedy);
            }
            let (cut_off, and_then) = match view.ask.decider >= CUT_OFF_SINCE {
                true => (
                    ", or could not be reached meanwhile",
                    format!(", then finalizer {} off the claim", finalizer::PVC_REPLICATED),
                ),
                false => ("", String::new()),
            };
            judged.waiting(format!(
                "{what}; if the other cluster does not have this volume any more, since its claim was deleted there{cut_off}, \
                 the storage here never lets go of it: take the finalizers off the VolumeReplication{and_then}"
            ))
        }
    }
}

fn with_replication(view: &View<'_>, volume: &Volume<'_>, vr: &VolumeReplication) -> Judged {
    if vr.deleting {
        return leaving(view, volume);
    }
    if vr.role != Some(Role::Secondary)
        && let Some(judged) = held_up(view, volume)
    {
        return judged;
    }
    if vr.role != Some(Role::Secondary) || vr.auto_resync != may_resync(view, vr) {
        return apply(view, volume, &vr.class, Role::Secondary, may_resync(view, vr));
    }
    let check = replication_check::secondary(vr);
    if matches!(check, Check::Waiting(_) | Check::Failed(_))
        && let Some(due) = may_go_as_it_is(view, vr)
    {
        return match view.now() < due {
            true => Judged { again: Some(due), ..Judged::new(volume.key, Stage::Protected).waiting(GOES_ON) },
            false => kept(volume, release::delete_replication(volume, vr, view), NOBODY_TO_FOLLOW),
        };
    }
    match check {
        Check::Settled => {
            let mut judged = released(volume, release::delete_replication(volume, vr, view));
            judged.data_ready = Some(Verdict::yes(reason::REPLICATED, "the other cluster has all data"));
            judged.data_protected = Some(Verdict::yes(reason::DATA_PROTECTED, "the other cluster has all data"));
            judged
        }
        Check::Resyncing => {
            let text = "volume takes over the data of the other cluster";
            // Of a VRG that goes, a volume that follows the new primary may go: its storage lets it go only then.
            let follows = view.ask.decider >= FOLLOWS_SINCE && view.vrg.deleting;
            let mut judged = if view.is_failover() || may_resync(view, vr) || follows {
                released(volume, release::delete_replication(volume, vr, view))
            } else {
                // A relocation ends only when the other side has everything (V11).
                let awaited =
                    if view.ask.decider >= SAME_WORDS_SINCE { text } else { "the other cluster to have all data" };
                Judged::new(volume.key, Stage::Protected).waiting(awaited)
            };
            judged.data_ready = Some(Verdict::yes(reason::REPLICATING, text));
            judged.data_protected = Some(Verdict::no(reason::REPLICATING, text));
            judged
        }
        Check::Waiting(what) => {
            let (alone, again) = if view.is_failover() { release::if_it_is_alone(view, volume) } else { ("", None) };
            let judged = Judged { again, ..Judged::new(volume.key, Stage::Protected).waiting(what + alone) };
            match (never_proven(view, volume, vr), release::in_grace(view, volume)) {
                (Some(why), None) => kept(volume, release::delete_replication(volume, vr, view), why),
                (Some(_), again) => Judged { again, ..judged },
                (None, _) if is_unmarked(view, volume, vr) => never_looked_at(view, volume, judged),
                (None, _) => Judged { data_protected: judged.data_ready.clone(), ..judged },
            }
        }
        Check::Failed(_) if replication_check::is_not_mirrored(vr) => {
            kept(volume, release::delete_replication(volume, vr, view), NEVER_REPLICATED)
        }
        Check::Failed(text) if is_lost_for_good(view, &text) => {
            kept(volume, release::delete_replication(volume, vr, view), LOST)
        }
        Check::Failed(text) => {
            let hint = if_it_is_lost(view, volume, &text);
            let mut judged = Judged::new(volume.key, Stage::Protected).wrong(text + &hint);
            judged.data_protected.clone_from(&judged.data_ready);
            judged
        }
    }
}

/// The first version of the deciders that lets go of a volume that finds nobody to follow, once its VRG goes.
const NOBODY_SINCE: u32 = 11;
/// How long it may look for the new primary, in seconds: storage looks again every half minute.
const FOLLOWS_PATIENCE: u64 = 60;
/// What is waited for until then.
const GOES_ON: &str = "volume to follow the other cluster";
/// Why a volume is kept: its counterpart may be gone, with the claim that was dropped there while this cluster was away.
const NOBODY_TO_FOLLOW: &str = "lost to a failover, and finds no volume on the other cluster that it could follow";

/// When a volume may go that stepped down and neither hands over nor follows. The loser of a failover has nothing to hand over,
/// and of a VRG that goes nothing is replicated any more.
fn may_go_as_it_is(view: &View<'_>, vr: &VolumeReplication) -> Option<Time> {
    let lost = view.ask.decider >= NOBODY_SINCE && view.vrg.deleting && view.is_failover();
    let stepped_down = vr.role == Some(Role::Secondary) && vr.observed_generation == vr.generation;
    let completed = vr.current(condition::COMPLETED).filter(|_| lost && stepped_down)?;
    let demoted = completed.status == ConditionStatus::True || completed.reason == reason::FAILED_TO_RESYNC;
    // A cluster that was away finds old words: its storage looks again now.
    let since = view.since(super::deletion::LETTING_GO).max(completed.since);
    demoted.then(|| since.plus_seconds(FOLLOWS_PATIENCE))
}

/// The first version of the deciders that waits for a volume that follows the other side in the words of its condition.
const SAME_WORDS_SINCE: u32 = 10;

/// The first version of the deciders that says what stops csi-addons for good.
const UNMARKED_SINCE: u32 = 7;
/// How long a claim has to be on its way out before that is said, in seconds: other storage needs no mark.
const UNMARKED_PATIENCE: u64 = 60;

/// csi-addons marks a claim before it looks at its replication, and a claim that is on its way out takes no finalizer.
fn is_unmarked(view: &View<'_>, volume: &Volume<'_>, vr: &VolumeReplication) -> bool {
    let marked = volume.pvc.finalizers.iter().any(|known| known == finalizer::PVC_REPLICATED);
    let unseen = vr.observed_generation != vr.generation;
    view.ask.decider >= UNMARKED_SINCE && volume.pvc.is_deleting() && unseen && !marked
}

/// Somebody took that mark off. Without ours the claim goes, and then it can be said what becomes of its volume.
fn never_looked_at(view: &View<'_>, volume: &Volume<'_>, judged: Judged) -> Judged {
    let due = release::after_deletion(volume, UNMARKED_PATIENCE);
    if let Some(due) = due.filter(|due| view.now() < *due) {
        return Judged { again: Some(due), ..judged };
    }
    let text = format!(
        "VolumeReplication to be looked at by the storage; csi-addons looks at none whose claim does not have finalizer {}, and \
         a claim that is being deleted takes none: take finalizer {} off the claim, too, and then see here what can be done \
         with its volume",
        finalizer::PVC_REPLICATED,
        finalizer::PVC_VOL_REP,
    );
    Judged::new(volume.key, Stage::Protected).wrong(text)
}

fn without_replication(view: &View<'_>, volume: &Volume<'_>) -> Judged {
    let proof = volume.departed(view.work).map(|departed| &departed.replication);
    let proof = proof.filter(|vr| !vr.deleting || view.ask.decider >= ENDED_SINCE);
    let handed_over = proof.is_some_and(|vr| {
        vr.role == Some(Role::Secondary)
            && match replication_check::secondary(vr) {
                Check::Settled => true,
                Check::Resyncing => view.is_failover() || vr.auto_resync,
                _ => false,
            }
    });
    let untouched = view.work.untouched.contains(volume.key);
    if let Some(due) = may_be_restored_now(view, volume).filter(|_| !handed_over && !untouched) {
        let judged = Judged::new(volume.key, Stage::Protected).waiting("the claim, which was restored, to be bound");
        return Judged { again: Some(due), ..judged };
    }
    if handed_over || untouched || !volume.pvc.bound {
        return released(volume, release::take_marks_off(view, volume, Afterwards::AsBefore));
    }
    if let Some(why) = proof.and_then(|vr| never_proven(view, volume, vr)) {
        return kept(volume, release::take_marks_off(view, volume, Afterwards::Kept), why);
    }
    if view.vrg.deleting {
        return kept(volume, release::take_marks_off(view, volume, Afterwards::Kept), NOT_PROVEN);
    }
    // csi-addons would not look at one that is made for a claim that is on its way out (spec vrg 10.2).
    if view.ask.decider >= ENDED_SINCE && view.is_failover() && volume.pvc.is_deleting() {
        let ended = proof.is_some_and(|vr| vr.role == Some(Role::Primary) && vr.deleting);
        let why = if ended { ENDED } else { NOT_PROVEN };
        return kept(volume, release::take_marks_off(view, volume, Afterwards::Kept), why);
    }
    // The replication is gone and nothing proves that the volume was demoted: ask the storage again, as secondary (V3).
    if let Some(judged) = held_up(view, volume) {
        return judged;
    }
    let class =
        proof.map(|vr| vr.class.as_str()).or_else(|| volume.class.as_ref().ok().map(|c| c.replication.name.as_str()));
    match (class, &volume.class) {
        (Some(class), _) => apply(view, volume, class, Role::Secondary, auto_resync(view)),
        (None, Err(unfit)) => Judged::new(volume.key, Stage::Protected)
            .wrong(format!("its VolumeReplication is gone and can't be made anew: {}", unfit.message)),
        (None, Ok(_)) => Judged::new(volume.key, Stage::Protected).wrong("its VolumeReplication is gone"),
    }
}

/// The first version of the deciders that gives a restored claim time before a secondary lets go of it.
const RESTORES_SINCE: u32 = 4;
/// How long, in seconds.
const RESTORE_PATIENCE: u64 = 10;

/// The first version of the deciders that lets go of a restored volume whose replication, made anew to ask how it stands, is
/// never looked at: the log that had the former one's answer is lost. Where its data were not handed over the storage refuses
/// to promote the other side, since a relocation forces nothing; so nothing is lost by it.
const UNSEEN_SINCE: u32 = 5;

/// Why nothing will ever tell that a volume was handed over: it was never replicated, or nobody looks any more.
fn never_proven(view: &View<'_>, volume: &Volume<'_>, vr: &VolumeReplication) -> Option<&'static str> {
    if replication_check::is_not_mirrored(vr) || release::is_never_begun(view, volume, vr) {
        return Some(NEVER_REPLICATED);
    }
    (view.ask.decider >= UNSEEN_SINCE && release::is_unseen(volume, vr)).then_some(NOT_PROVEN)
}

/// Until when a claim that was restored and is not bound yet is left alone. A secondary restores nothing: most likely this is
/// a primary by now, and whoever restored the claim heard of it first.
fn may_be_restored_now(view: &View<'_>, volume: &Volume<'_>) -> Option<Time> {
    let restored = !volume.pvc.bound && volume.is_restored();
    let due = view.since(DEMOTING).plus_seconds(RESTORE_PATIENCE);
    (view.ask.decider >= RESTORES_SINCE && restored && !volume.pvc.is_deleting() && view.now() < due).then_some(due)
}

/// The first version of the deciders that lets a volume go that follows a primary about which its VRG was not told: the
/// cluster was away when a failover replaced the relocation, and came back to be deleted.
const FOLLOWS_SINCE: u32 = 4;

/// The first version of the deciders that does not ask for a replication of a claim that its user deleted before, nor, as the
/// loser of a failover, of one whose former replication can't be proven to have been demoted: the log may have lost its end.
const ENDED_SINCE: u32 = 4;
/// A claim was deleted on the primary, and its replication with it, when a failover came. Its storage has nothing to hand
/// over any more, and csi-addons looks at no new VolumeReplication of a claim that is going: it can't mark it.
const ENDED: &str = "was taken out of the replication before the failover";

/// How long whoever deployed an application may take to delete its claims, in seconds, before somebody is told.
const DELETION_PATIENCE: u64 = 60;
/// The first version of the deciders that does not wait for ever for that.
const IMPATIENT_SINCE: u32 = 3;

/// A volume that can't be demoted yet, and why; `None` when it can (spec vrg 5.2, rows 7 to 9).
fn held_up(view: &View<'_>, volume: &Volume<'_>) -> Option<Judged> {
    let judged = Judged::new(volume.key, Stage::Protected);
    let users = view.users(volume);
    if view.is_failover() || view.vrg.deleting || volume.pvc.is_deleting() {
        return users.map(|users| judged.waiting(users));
    }
    let awaited = "the claim to be deleted";
    if users.is_some() || view.ask.decider < IMPATIENT_SINCE {
        return Some(judged.waiting(awaited));
    }
    let due = view.since(DEMOTING).plus_seconds(DELETION_PATIENCE);
    if view.now() < due {
        return Some(Judged { again: Some(due), ..judged.waiting(awaited) });
    }
    // We made it, and nothing uses it: the application never came here, or has this claim no more. So nobody will delete
    // it. Once its volume is secondary nothing can write to it, and the claim stays as it is.
    if volume.is_restored() {
        return None;
    }
    Some(judged.wrong(format!("{awaited}: nothing uses it any more; delete it, its data go to the other cluster")))
}

/// Why a volume is kept: its storage does not find it, which may be a mistake.
const LOST: &str = "is not found by its storage";
/// Why a volume is kept: the storage says so.
const NEVER_REPLICATED: &str = "was never replicated, so the other cluster has nothing of it";
/// Why a volume is kept: a VRG that is deleted does not replicate anew just to find out.
const NOT_PROVEN: &str = "has no VolumeReplication, so nothing proves that the other cluster has its data";

/// A volume that may hold the only copy of its data: its claim is let go, and it outlives it.
fn kept(volume: &Volume<'_>, release: Release, why: &str) -> Judged {
    let problem = release.problem;
    let judged = released(volume, release);
    if problem {
        return judged;
    }
    let told = Verdict::error(format!(
        "volume {} {why}: it is kept, with reclaim policy Retain; take from it what is needed, then delete it",
        volume.pvc.volume
    ));
    Judged { data_protected: Some(told.clone()), data_ready: Some(told), ..judged }
}

fn released(volume: &Volume<'_>, release: Release) -> Judged {
    let judged = Judged { wants: release.wants, ..Judged::new(volume.key, Stage::Releasing) };
    if release.problem { judged.wrong(release.waits_for) } else { judged.waiting(release.waits_for) }
}
