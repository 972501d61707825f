//! A VRG that is being deleted (spec vrg 6): its volumes are let go, its copies deleted if it is primary, its finalizer
//! taken off last. A spec that can't be used does not stand in the way (V22).

use ramen_events::spoke::Command;

use super::{
    primary::{volumes_wait, work_on},
    release, secondary, upload,
};
use crate::{
    domain::{Decision, Wanted},
    runbook::{Gate, Step, step, wait},
    spoke::vrg::{
        scene::{self, Judged, Scene, Stage},
        stores,
        view::{Afterwards, View, Volume},
    },
};

/// Name of the step in which volumes are let go.
pub const LETTING_GO: &str = "LettingVolumesGo";

/// One after the other.
pub const FIRST: &[Step<Scene, Decision>] = &[
    step!(LETTING_GO, volumes_are_free, let_go),
    step!("DeletingCopies", copies_are_gone, delete_copies),
    step!("RemovingFinalizer", is_free, |s, d| d.commands.extend(s.farewell.clone())),
];

fn volumes_are_free(scene: &Scene) -> Gate {
    volumes_wait(scene, |volume| volume.stage != Stage::Ignored)
}

fn let_go(scene: &Scene, decision: &mut Decision) {
    for stage in [Stage::Releasing, Stage::Unprotected, Stage::Protected, Stage::Settled] {
        work_on(scene, stage, decision);
    }
}

fn copies_are_gone(scene: &Scene) -> Gate {
    Gate::when(scene.purges.is_empty(), || {
        let waits: Vec<&str> = scene.purges.iter().map(|(what, _)| what.as_str()).collect();
        wait(waits.join("; "), None, "make the S3 store reachable, or take its profile out of spec.s3Profiles")
    })
}

fn delete_copies(scene: &Scene, decision: &mut Decision) {
    decision.commands.extend(scene.purges.iter().filter_map(|(_, want)| want.clone()));
}

fn is_free(scene: &Scene) -> Gate {
    Gate::when(scene.farewell.is_none(), || wait("finalizer to be off the VRG", None, ""))
}

/// How a VRG that is being deleted stands.
pub fn scene(view: &View<'_>) -> Scene {
    let mut volumes: Vec<Judged> = view.volumes.iter().map(|volume| judge(view, volume)).collect();
    volumes.append(&mut scene::orphans(view));
    Scene { volumes, purges: purges(view), farewell: scene::farewell(view), ..Scene::default() }
}

fn judge(view: &View<'_>, volume: &Volume<'_>) -> Judged {
    use crate::spoke::vrg::view::Owner;
    let marked = volume.is_involved(&view.vrg.key) || volume.owner == Owner::Us;
    if !marked || matches!(volume.owner, Owner::Other(_)) {
        return Judged::new(volume.key, Stage::Ignored);
    }
    if !view.is_primary() && volume.is_involved(&view.vrg.key) {
        return secondary::judge(view, volume);
    }
    let release = release::end_replication(view, volume, Afterwards::AsBefore);
    let judged = Judged { wants: release.wants, again: release.again, ..Judged::new(volume.key, Stage::Releasing) };
    match (release.waits_for.is_empty(), release.problem) {
        (true, _) => Judged::new(volume.key, Stage::Ignored),
        (false, true) => judged.wrong(release.waits_for),
        (false, false) => judged.waiting(release.waits_for),
    }
}

/// Stores whose copies have to go: only a primary's, never in a test failover (V12). Where a later primary has taken over
/// they are that one's, and stay (VS8).
fn purges(view: &View<'_>) -> Vec<(String, Option<Wanted>)> {
    if !view.is_primary() || view.vrg.spec.dry_run {
        return Vec::new();
    }
    let left = view.stores.iter().filter(|store| !view.work.purged.contains(store.name));
    let slot = |store: &stores::StoreRef<'_>| format!("store/{}/purge", store.name);
    left.filter(|store| !view.is_overtaken(&slot(store)))
        .map(|store| {
            let slot = slot(store);
            // What is still on its way there would come back after the purge.
            let uploads = view.volumes.iter().map(|volume| volume.upload_slot(store.name));
            if uploads.chain([upload::vrg_slot(store.name)]).any(|slot| view.is_busy(&slot)) {
                return (format!("uploads to S3 store {} to end", store.name), None);
            }
            let what = stores::failure(view, store, &slot)
                .unwrap_or_else(|| format!("copies to be deleted from S3 store {}", store.name));
            let want = store.store.as_ref().ok().map(|reachable| Wanted {
                slot,
                command: view.as_writer(Command::DeleteAllStored {
                    vrg: view.vrg.key.clone(),
                    store: Box::new((*reachable).clone()),
                }),
            });
            (what, want)
        })
        .collect()
}
