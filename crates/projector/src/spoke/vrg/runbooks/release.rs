//! Ending the protection of a claim whose VRG is primary: it was deselected or deleted, or the VRG is being deleted
//! (spec vrg 3.6, 6). Copies first, then the replication, then the marks: what is gone first can't be restored by mistake.

use ramen_events::{
    Command as AnyCommand, Time,
    spoke::{Command, Role, VolumeReplication},
};

use super::primary;
use crate::{
    domain::Wanted,
    spoke::{
        state::Holding,
        vrg::{
            replication_check::{self, Check},
            stores,
            view::{Afterwards, View, Volume},
        },
    },
};

/// How long a claim's deletion on a primary is looked at before its copies are deleted for good. Where an application is
/// removed because it moved, the VRG's new role may arrive a moment after the claim's deletion (spec vrg V31).
const GRACE_SECONDS: u64 = 10;

/// How far the release of a claim is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// What brings it on.
    pub wants: Vec<Wanted>,
    /// What it waits for; empty when nothing is left of the protection.
    pub waits_for: String,
    /// Whether a person has to look.
    pub problem: bool,
    /// Why stores do not delete its copies; empty when none refuses to.
    pub stores: String,
    /// When to look again.
    pub again: Option<Time>,
}

impl Release {
    fn waiting(what: impl Into<String>) -> Self {
        Self { waits_for: what.into(), ..Self::default() }
    }

    fn problem(what: impl Into<String>) -> Self {
        Self { waits_for: what.into(), problem: true, ..Self::default() }
    }
}

/// Releases a claim that was deselected or deleted while the VRG is primary.
pub fn unprotect(view: &View<'_>, volume: &Volume<'_>) -> Release {
    if view.in_final_sync() {
        return Release::waiting("final synchronization to be over");
    }
    if !view.state.config.as_ref().is_some_and(|config| config.unprotect_volumes) {
        return Release::waiting("volumeUnprotectionEnabled to be set in the operator's configuration");
    }
    // Its deletion, if it is being deleted, is of the time when the VRG was secondary: no user threw it away.
    if volume.replication.is_some_and(|vr| vr.role == Some(Role::Secondary)) {
        return Release::waiting("its volume to be primary before it is let go");
    }
    if volume.pvc.is_deleting() {
        if let Some(users) = view.users(volume) {
            return Release::waiting(users);
        }
        if let Some(due) = in_grace(view, volume) {
            return Release { again: Some(due), ..Release::waiting(standing_until(due)) };
        }
    }
    let mut wants = Vec::new();
    let (mut waits, mut failing) = (Vec::new(), Vec::new());
    for store in &view.stores {
        if view.vrg.spec.dry_run
            || view.work.copies.get(&(store.name.to_owned(), volume.key.clone())) == Some(&Holding::Deleted)
        {
            continue;
        }
        let slot = volume.upload_slot(store.name);
        let failure = stores::failure(view, store, &slot);
        failing.extend(failure.clone());
        waits.push(failure.unwrap_or_else(|| format!("its copies to be deleted from S3 store {}", store.name)));
        if let Ok(reachable) = store.store {
            wants.push(Wanted { slot, command: view.delete_stored(reachable, volume.key, &volume.pvc.volume) });
        }
    }
    if !waits.is_empty() {
        return Release { wants, stores: failing.join("; "), ..Release::waiting(waits.join("; ")) };
    }
    end_replication(view, volume, Afterwards::AsBefore)
}

/// Ends the replication of a primary volume and takes the marks off its claim. The volume stays as it is.
pub fn end_replication(view: &View<'_>, volume: &Volume<'_>, afterwards: Afterwards) -> Release {
    if let Some(vr) = volume.replication.filter(|vr| vr.owner.as_ref() == Some(&view.vrg.key)) {
        if vr.deleting {
            return Release::waiting("its VolumeReplication to be gone");
        }
        // Its VRG was secondary until a moment ago. By the hub's order the data are to be here: a volume that is let go as
        // secondary could not be used by anybody. It is kept in both cases, whatever becomes of its claim.
        let promoted = view.vrg.deleting || afterwards == Afterwards::Kept;
        if promoted && vr.role != Some(Role::Primary) && volume.is_bound() {
            let asked = primary::apply(view, volume, &vr.class, Role::Primary, false);
            return Release { wants: asked.wants, ..Release::waiting(asked.waits_for) };
        }
        match replication_check::primary(vr) {
            Check::Settled => {}
            _ if replication_check::is_invalid(vr) => {}
            _ if vr.role == Some(Role::Primary) && will_never_begin(view, volume, vr, afterwards) => {
                if let Some(due) = in_grace(view, volume) {
                    let what = "its volume to be primary before it is let go";
                    return Release { again: Some(due), ..Release::waiting(what) };
                }
            }
            Check::Failed(text) if primary::is_lost_for_good(view, &text) => {}
            Check::Failed(text) => {
                let (alone, again) = if_it_is_alone(view, volume);
                let lost = primary::if_it_is_lost(view, volume, &text);
                let hint = if lost.is_empty() { alone } else { &lost };
                let problem = Release::problem(format!("its volume to be primary before it is let go: {text}{hint}"));
                return Release { again, ..problem };
            }
            _ => return Release::waiting("its volume to be primary before it is let go"),
        }
        return delete_replication(volume, vr, view);
    }
    take_marks_off(view, volume, afterwards)
}

/// The first version of the deciders that says what can be done about a volume whose other side is gone.
const ALONE_SINCE: u32 = 12;
/// How long after a claim's deletion its replication may take before it is said what a person can do, in seconds.
pub const LEAVING_PATIENCE: u64 = 300;

/// What a person can do about a claim on its way out whose volume neither hands over, nor follows, nor can be promoted, and when
/// to say that. It lost a failover; then its claim was deleted on the other cluster, and the volume there with it.
pub fn if_it_is_alone(view: &View<'_>, volume: &Volume<'_>) -> (&'static str, Option<Time>) {
    match after_deletion(volume, LEAVING_PATIENCE).filter(|_| view.ask.decider >= ALONE_SINCE) {
        None => ("", None),
        Some(due) if view.now() < due => ("", Some(due)),
        Some(_) => (
            "; if the other cluster does not have this volume any more, since its claim was deleted there, nothing passes \
             between the two again: delete its VolumeReplication, and take the finalizers off it",
            None,
        ),
    }
}

/// The first version of the deciders that lets go of a volume whose replication never began.
const UNBEGUN_SINCE: u32 = 3;

/// Nobody looked at a replication before its claim was deleted, and now nobody will: csi-addons begins with no claim that is
/// on its way out (spec vrg 10.2). A volume that was not restored was never secondary, so it can be let go as it is.
pub fn is_never_begun(view: &View<'_>, volume: &Volume<'_>, vr: &VolumeReplication) -> bool {
    view.ask.decider >= UNBEGUN_SINCE && !volume.is_restored() && is_unseen(volume, vr)
}

/// The first version of the deciders that lets a restored claim go, too, where it is restored once more right after that.
const RESTORED_AGAIN_SINCE: u32 = 6;

/// The same, or: the claim was restored, and deleted before anybody looked. Its volume is kept as it is, and restored again.
fn will_never_begin(view: &View<'_>, volume: &Volume<'_>, vr: &VolumeReplication, afterwards: Afterwards) -> bool {
    let comes_back = afterwards == Afterwards::Kept && view.ask.decider >= RESTORED_AGAIN_SINCE;
    is_never_begun(view, volume, vr) || (comes_back && is_unseen(volume, vr))
}

/// Nobody looked at a replication, and nobody will: its claim is on its way out.
pub fn is_unseen(volume: &Volume<'_>, vr: &VolumeReplication) -> bool {
    volume.pvc.is_deleting() && vr.observed_generation == 0 && vr.state.is_empty()
}

/// Until when the deletion of a claim has to stand; `None` when it has stood long enough, or there is none.
pub fn in_grace(view: &View<'_>, volume: &Volume<'_>) -> Option<Time> {
    after_deletion(volume, GRACE_SECONDS).filter(|due| view.now() < *due)
}

/// What is waited for in that time.
pub fn standing_until(due: Time) -> String {
    format!("its deletion to stand until {due}")
}

/// So many seconds after the claim's deletion; `None` while it stays.
pub fn after_deletion(volume: &Volume<'_>, seconds: u64) -> Option<Time> {
    volume.pvc.deleted_at.map(|deleted| Time(deleted * 1000).plus_seconds(seconds))
}

/// Deletes a replication.
pub fn delete_replication(volume: &Volume<'_>, vr: &VolumeReplication, view: &View<'_>) -> Release {
    let slot = volume.replication_slot();
    let command = Command::DeleteReplication { key: vr.key.clone(), uid: vr.uid.clone() };
    let release = match view.failure_text(&slot) {
        Some(text) => Release::problem(format!("its VolumeReplication to be deleted: {text}")),
        None => Release::waiting("its VolumeReplication to be gone"),
    };
    Release { wants: vec![Wanted { slot, command: AnyCommand::Spoke(command) }], ..release }
}

/// Undoes the protection of a claim that has no replication any more.
pub fn take_marks_off(view: &View<'_>, volume: &Volume<'_>, afterwards: Afterwards) -> Release {
    use crate::spoke::vrg::view::Owner;
    if !volume.is_guarded() && !volume.is_noted() && volume.owner != Owner::Us {
        return Release::default();
    }
    let release = match view.failure_text(&volume.slot()) {
        Some(text) => Release::problem(format!("its protection to be undone: {text}")),
        None => Release::waiting("its protection to be undone"),
    };
    Release { wants: vec![volume.release(view.vrg, afterwards)], ..release }
}
