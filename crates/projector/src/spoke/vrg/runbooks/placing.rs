//! Putting one stored volume and its claim into the cluster, beside what is there already (spec vrg 4.4, 4.5).
//!
//! What matches is left alone. What is terminating is waited for. Anything else of the same name is a conflict that a
//! person has to solve: nothing of it is overwritten.

use ramen_api::ramen::wire::annotation;
use ramen_events::{
    Command as AnyCommand,
    spoke::{Command, Pv, PvPhase, Pvc, StoredVolume},
};

use super::restore::Pair;
use crate::{domain::Wanted, spoke::vrg::view::View};

/// How far one pair is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Volume and claim are here.
    Here,
    /// This brings it on; with words for what is awaited then.
    Wants(Box<Wanted>, String),
    /// It goes on by itself.
    Waits(String),
    /// Something else is in the way.
    Conflict(String),
}

/// Looks how far a pair is.
pub fn place(view: &View<'_>, pair: &Pair<'_>) -> Placement {
    let claim = view.state.pvcs.get(&pair.claim.key);
    match view.state.pvs.get(&pair.volume.name) {
        None => create_volume(view, pair),
        Some(pv) => match accept(pv, pair.volume, claim) {
            Acceptance::Yes => place_claim(pair, claim, view),
            Acceptance::Freed => Placement::Wants(
                Box::new(Wanted {
                    slot: volume_slot(pair),
                    command: AnyCommand::Spoke(Command::ClearClaim {
                        volume: pv.name.clone(),
                        claim: pair.claim.key.clone(),
                        resource_version: pv.resource_version.clone(),
                    }),
                }),
                format!("volume {} to be freed of its former claim", pv.name),
            ),
            Acceptance::Wait(what) => Placement::Waits(what),
            Acceptance::No(problem) => Placement::Conflict(problem),
        },
    }
}

/// The same wish, for something whose copy all stores hold.
pub fn as_archived(want: Wanted) -> Wanted {
    match want.command {
        AnyCommand::Spoke(restore @ (Command::RestorePv { .. } | Command::RestorePvc { .. })) => Wanted {
            command: AnyCommand::Spoke(Command::RestoreArchived { restore: Box::new(restore) }),
            slot: want.slot,
        },
        _ => want,
    }
}

fn volume_slot(pair: &Pair<'_>) -> String {
    format!("restore/volume/{}", pair.volume.name)
}

fn create_volume(view: &View<'_>, pair: &Pair<'_>) -> Placement {
    let volume = pair.volume;
    let storage = view.state.storage_classes.get(&volume.storage_class);
    let (provisioner, parameters) = match storage {
        Some(storage) => (storage.provisioner.clone(), storage.parameters.clone()),
        None => {
            return Placement::Conflict(format!(
                "StorageClass {:?} of volume {} is missing on this cluster: create it",
                volume.storage_class, volume.name
            ));
        }
    };
    let command = Command::RestorePv { blob: volume.blob, name: volume.name.clone(), provisioner, parameters };
    Placement::Wants(
        Box::new(Wanted { slot: volume_slot(pair), command: AnyCommand::Spoke(command) }),
        format!("volume {} to be created", volume.name),
    )
}

fn place_claim(pair: &Pair<'_>, claim: Option<&Pvc>, view: &View<'_>) -> Placement {
    let key = &pair.claim.key;
    match claim {
        None => {
            let command = Command::RestorePvc { blob: pair.claim.blob, key: key.clone(), owner: view.vrg.key.clone() };
            Placement::Wants(
                Box::new(Wanted { slot: format!("restore/claim/{key}"), command: AnyCommand::Spoke(command) }),
                format!("claim {key} to be created"),
            )
        }
        Some(pvc) if pvc.is_deleting() => Placement::Waits(format!("claim {key} of before to be gone")),
        Some(pvc) if pvc.volume == pair.volume.name || (pvc.volume.is_empty() && !pvc.bound) => Placement::Here,
        Some(pvc) => Placement::Conflict(format!(
            "claim {key} is bound to volume {}, its copy to {}: delete the claim, or the copy if it is out of date",
            pvc.volume, pair.volume.name
        )),
    }
}

/// Whether a volume that is here will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// Yes.
    Yes,
    /// Yes, once its former claim is struck out (V8).
    Freed,
    /// Not yet.
    Wait(String),
    /// No, and why.
    No(String),
}

/// Compares a volume that is here with a stored one; `claim` is the claim of that name, if there is one.
pub fn accept(pv: &Pv, stored: &StoredVolume, claim: Option<&Pvc>) -> Acceptance {
    if let Some((field, here, copy)) = difference(pv, stored) {
        return Acceptance::No(format!(
            "volume {} has {field} {here:?}, its copy {copy:?}: delete the volume if it is not in use",
            pv.name
        ));
    }
    let name = &pv.name;
    if pv.deleting {
        return Acceptance::Wait(format!("volume {name} of before to be gone"));
    }
    let named = pv.claim.as_ref().map(|claim| claim.uid.as_str()).unwrap_or_default();
    let is_present = claim.is_some_and(|claim| !claim.is_deleting() && claim.uid == named);
    let restored = pv.annotations.get(annotation::RESTORED).map(String::as_str) == Some(annotation::RESTORED_TRUE);
    match pv.phase {
        PvPhase::Bound if is_present => Acceptance::Yes,
        PvPhase::Bound => Acceptance::Wait(format!("volume {name} to be released by its former claim")),
        _ if pv.reclaim_policy == "Delete" && !named.is_empty() => {
            Acceptance::Wait(format!("volume {name} of before to be reclaimed"))
        }
        PvPhase::Released if !is_present => Acceptance::Freed,
        _ if is_present => Acceptance::Yes,
        _ if named.is_empty() && pv.phase == PvPhase::Available => Acceptance::Yes,
        _ if named.is_empty() && restored && claim.is_some() => Acceptance::Yes,
        // A claim that comes before the binder knows its volume is bound only at the binder's next round, 15 s later.
        _ if named.is_empty() => Acceptance::Wait(format!("volume {name} to become available")),
        // Its claim may have been made a moment ago: only a released volume has certainly lost it.
        _ => Acceptance::Wait(format!("volume {name} to be bound to its claim")),
    }
}

/// The first field that tells two volumes apart: what it is, here and in the copy.
fn difference(pv: &Pv, stored: &StoredVolume) -> Option<(&'static str, String, String)> {
    let claim = pv.claim.as_ref().map(|claim| claim.key.to_string()).unwrap_or_default();
    let stored_claim = stored.claim.as_ref().map(ToString::to_string).unwrap_or_default();
    [
        ("spec.csi.driver", pv.driver.clone(), stored.driver.clone()),
        ("spec.csi.volumeHandle", pv.handle.clone(), stored.handle.clone()),
        ("spec.csi.fsType", pv.fs_type.clone(), stored.fs_type.clone()),
        ("spec.claimRef", claim, stored_claim),
        ("spec.accessModes", pv.access_modes.join(","), stored.access_modes.join(",")),
        ("spec.volumeMode", pv.volume_mode.clone(), stored.volume_mode.clone()),
    ]
    .into_iter()
    .find(|(_, here, copy)| here != copy)
}
