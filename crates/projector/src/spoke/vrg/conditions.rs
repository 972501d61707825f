//! The VRG's conditions: summaries over the *selected* claims, the worst first, naming the claim (spec vrg 7.3, V7).

use ramen_api::ramen::wire::reason;
use ramen_events::ConditionStatus;

use super::{
    runbooks::restore::Restore,
    scene::{Judged, KUBE_OBJECTS, Scene, Stage},
    verdict::Verdict,
};

/// Volumes that count: those that have an entry in the status.
fn counted(scene: &Scene) -> impl Iterator<Item = &Judged> {
    scene.volumes.iter().filter(|volume| volume.stage != Stage::Ignored && volume.data_ready.is_some())
}

/// Words about one of several claims.
fn about(volume: &Judged, text: &str, more: usize) -> String {
    let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
    format!("claim {}: {text}{more}", volume.key.name)
}

/// How bad a verdict is: the highest decides.
fn weight(verdict: &Verdict) -> u8 {
    match verdict.status {
        ConditionStatus::True => 0,
        _ if verdict.is_bad() => 3,
        ConditionStatus::Unknown => 2,
        ConditionStatus::False => 1,
    }
}

/// The worst of some verdicts with its volume, and how many others are no better than it.
fn worst<'a>(verdicts: impl Iterator<Item = (&'a Judged, Verdict)>) -> Option<(&'a Judged, Verdict, usize)> {
    let mut worst: Option<(&Judged, Verdict, usize)> = None;
    for (volume, verdict) in verdicts {
        worst = match worst {
            Some((first, found, more)) if weight(&found) > weight(&verdict) => Some((first, found, more)),
            Some((first, found, more)) if weight(&found) == weight(&verdict) => Some((first, found, more + 1)),
            _ => Some((volume, verdict, 0)),
        };
    }
    worst
}

/// `DataReady` as primary. Before the restore is done nothing is ready, least of all when no claim is here yet.
pub fn data_ready_primary(scene: &Scene) -> Verdict {
    if let Some(problem) = &scene.invalid {
        return Verdict::error(problem.clone());
    }
    if scene.restore.as_ref().is_some_and(|outlook| !outlook.restore.is_done()) {
        return Verdict::progressing("waiting for volumes and claims to be restored");
    }
    match worst(counted(scene).filter_map(|volume| Some((volume, volume.data_ready.clone()?)))) {
        None => Verdict::yes(reason::UNUSED, "no claim is selected"),
        Some((_, verdict, _)) if verdict.holds() => Verdict::yes(reason::READY, "all volumes are primary"),
        Some((volume, verdict, more)) => {
            let reason = if verdict.is_bad() { reason::ERROR } else { reason::PROGRESSING };
            Verdict::no(reason, about(volume, &verdict.message, more))
        }
    }
}

/// `DataReady` as secondary.
pub fn data_ready_secondary(scene: &Scene) -> Verdict {
    if let Some(problem) = &scene.invalid {
        return Verdict::error(problem.clone());
    }
    match worst(counted(scene).filter_map(|volume| Some((volume, volume.data_ready.clone()?)))) {
        None => Verdict::yes(reason::UNUSED, "no volume is held here"),
        Some((_, verdict, _)) if verdict.holds() => Verdict::yes(reason::REPLICATING, "all volumes are secondary"),
        Some((volume, verdict, more)) => {
            let reason = if verdict.is_bad() { reason::ERROR } else { reason::PROGRESSING };
            Verdict::no(reason, about(volume, &verdict.message, more))
        }
    }
}

/// `DataProtected`, in either role.
pub fn data_protected(scene: &Scene) -> Verdict {
    let said = |volume: &Judged| {
        let pending = || Verdict::progressing("waiting for its first synchronization");
        volume.data_protected.clone().unwrap_or_else(pending)
    };
    match worst(counted(scene).map(|volume| (volume, said(volume)))) {
        None => Verdict::yes(reason::UNUSED, "no volume to be replicated"),
        Some((_, verdict, _)) if verdict.holds() => {
            Verdict::yes(reason::DATA_PROTECTED, "the other cluster has all data")
        }
        Some((volume, verdict, more)) if verdict.is_bad() => {
            Verdict::no(reason::ERROR, about(volume, &verdict.message, more))
        }
        Some((volume, verdict, more)) => {
            let replicating = counted(scene).all(|v| said(v).holds() || said(v).reason == reason::REPLICATING);
            if replicating {
                Verdict::no(reason::REPLICATING, "volumes replicate")
            } else {
                Verdict::no(reason::PROGRESSING, about(volume, &verdict.message, more))
            }
        }
    }
}

/// `ClusterDataReady` as primary. Until the restore is done it is as at the start: nothing can be said.
pub fn cluster_data_ready(scene: &Scene) -> Verdict {
    if let Some(problem) = &scene.invalid {
        return Verdict::unknown(reason::INITIALIZING, format!("nothing is restored: {problem}"));
    }
    match scene.restore.as_ref().map(|outlook| &outlook.restore) {
        None => Verdict::yes(reason::UNUSED, "nothing is restored as secondary"),
        Some(Restore::NotDue(why)) => Verdict::yes(reason::RESTORED, why.clone()),
        Some(Restore::Waiting(what)) => Verdict::unknown(reason::INITIALIZING, format!("waiting for {what}")),
        Some(Restore::Blocked(problem)) => Verdict::error(problem.clone()),
        Some(Restore::Done { volumes, note }) => {
            let separator = if note.is_empty() { "" } else { "; " };
            let done = match volumes {
                0 => "nothing to restore".to_owned(),
                n => format!("restored {n} volumes and their claims"),
            };
            Verdict::yes(reason::RESTORED, format!("{done}{separator}{note}"))
        }
    }
}

/// `ClusterDataProtected` as primary: claims and volumes, and the VRG itself, are in all stores.
pub fn cluster_data_protected(scene: &Scene, unsupported: &[(String, String)]) -> Verdict {
    if let Some((field, value)) = unsupported.iter().find(|(field, _)| field == KUBE_OBJECTS) {
        return Verdict::no(
            reason::CAPTURE_ERROR,
            format!("{field} is {value}: copies of API objects are not supported yet; remove it"),
        );
    }
    let said = |volume: &Judged| {
        let pending = || Verdict::no(reason::UPLOADING, "claim and volume are on their way to the S3 stores");
        volume.archive.verdict.clone().unwrap_or_else(pending)
    };
    let volumes = worst(counted(scene).map(|volume| (volume, said(volume))));
    let copy = scene.copy.as_ref().and_then(|copy| copy.verdict.clone());
    match (volumes, copy) {
        (Some((volume, verdict, more)), _) if !verdict.holds() => {
            Verdict::no(&verdict.reason, about(volume, &verdict.message, more))
        }
        (_, Some(copy)) if !copy.holds() => copy,
        (None, Some(copy)) if copy.reason == reason::UNUSED => copy,
        (Some(_), Some(_)) => Verdict::yes(reason::UPLOADED, "claims, volumes and the VRG are in all S3 stores"),
        (None, Some(_)) => Verdict::yes(reason::UPLOADED, "the VRG is in all S3 stores"),
        (_, None) => Verdict::no(reason::UPLOADING, "the VRG is not in the S3 stores yet"),
    }
}

/// `DestinationInfoAvailable`; `None` when no storage speaks of it.
pub fn destination_info(scene: &Scene) -> Option<Verdict> {
    let said = counted(scene).filter_map(|volume| Some((volume, volume.destination.clone()?)));
    worst(said).map(|(volume, verdict, more)| match verdict.holds() {
        true => Verdict::yes(reason::READY, "handles on the other side are known"),
        false => Verdict::progressing(about(volume, &verdict.message, more)),
    })
}
