//! `status.protectedPVCs`: one entry per claim that counts (spec vrg 7.2).

use ramen_api::ramen::wire::condition;
use ramen_events::{
    Condition,
    spoke::{ProtectedPvc, Role, VrgStatus},
};

use crate::go_duration;

use super::{
    scene::{Scene, Stage},
    verdict::Verdict,
    view::View,
};

/// The entries, sorted by claim.
pub fn of(view: &View<'_>, scene: &Scene) -> Vec<ProtectedPvc> {
    let before = view.vrg.status.as_ref();
    let counted = scene.volumes.iter().filter(|volume| volume.stage != Stage::Ignored);
    counted
        .filter_map(|judged| {
            let volume = view.volumes.iter().find(|volume| *volume.key == judged.key)?;
            let data_ready = judged.data_ready.as_ref()?;
            let old = before.and_then(|status| status.pvcs.iter().find(|entry| entry.key == judged.key));
            let condition = |kind: &str, verdict: &Verdict| {
                let old = old.and_then(|entry| entry.conditions.iter().find(|condition| condition.kind == kind));
                verdict.condition(kind, view.vrg.generation, old, view.now())
            };
            // As they come into being on a primary; upstream's order is the same.
            let mut conditions = vec![condition(condition::DATA_READY, data_ready)];
            conditions.extend(cluster_data(view, judged.archive.verdict.as_ref(), old, condition));
            let said = judged.data_protected.as_ref();
            conditions.extend(said.map(|verdict| condition(condition::DATA_PROTECTED, verdict)));
            let destination = judged.destination.as_ref();
            conditions.extend(destination.map(|verdict| condition(condition::DESTINATION_INFO_AVAILABLE, verdict)));
            let choice = volume.class.as_ref().ok();
            let storage = view.state.storage_classes.get(&volume.pvc.storage_class);
            let vr = volume.replication.filter(|_| view.vrg.spec.role == Some(Role::Primary));
            Some(ProtectedPvc {
                key: volume.key.clone(),
                by_volsync: false,
                storage_class: volume.pvc.storage_class.clone(),
                labels: volume.pvc.labels.clone(),
                access_modes: volume.pvc.access_modes.clone(),
                resources: volume.pvc.resources.clone(),
                volume_mode: volume.pvc.volume_mode.clone(),
                provisioner: storage.map(|storage| storage.provisioner.clone()).unwrap_or_default(),
                storage_id: choice.and_then(super::class_choice::Choice::storage_id),
                replication_id: choice.and_then(super::class_choice::Choice::replication_id),
                conditions,
                last_sync_time: vr.and_then(|vr| vr.last_sync_time),
                last_sync_duration: vr.and_then(|vr| vr.last_sync_duration.clone()),
                last_sync_bytes: vr.and_then(|vr| vr.last_sync_bytes),
            })
        })
        .collect()
}

/// As secondary nothing is stored: what was said as primary stays until the entry goes.
fn cluster_data(
    view: &View<'_>,
    verdict: Option<&Verdict>,
    old: Option<&ProtectedPvc>,
    condition: impl Fn(&str, &Verdict) -> Condition,
) -> Option<Condition> {
    if view.is_primary() {
        return verdict.map(|verdict| condition(condition::CLUSTER_DATA_PROTECTED, verdict));
    }
    old?.conditions.iter().find(|condition| condition.kind == condition::CLUSTER_DATA_PROTECTED).cloned()
}

/// The group's counters: the oldest time, the longest duration, the sum of bytes; none if a claim lacks its time
/// (spec vrg 7.1).
pub fn sum_up(status: &mut VrgStatus) {
    let entries = &status.pvcs;
    let times: Option<Vec<_>> = entries.iter().map(|entry| entry.last_sync_time).collect();
    status.last_group_sync_time = times.and_then(|times| times.into_iter().min());
    let durations = entries.iter().filter_map(|entry| entry.last_sync_duration.as_ref());
    status.last_group_sync_duration = durations.max_by_key(|text| go_duration::nanoseconds(text)).cloned();
    let bytes: Vec<i64> = entries.iter().filter_map(|entry| entry.last_sync_bytes).collect();
    status.last_group_sync_bytes =
        (!bytes.is_empty()).then(|| bytes.iter().fold(0, |sum, n| i64::saturating_add(sum, *n)));
}

#[cfg(test)]
mod tests {
    use ramen_events::Time;

    use super::*;

    fn entry(time: Option<u64>, duration: Option<&str>, bytes: Option<i64>) -> ProtectedPvc {
        ProtectedPvc {
            last_sync_time: time.map(Time),
            last_sync_duration: duration.map(str::to_owned),
            last_sync_bytes: bytes,
            ..ProtectedPvc::default()
        }
    }

    #[test]
    fn a_group_is_as_old_as_its_oldest_claim() {
        let mut status = VrgStatus {
            pvcs: vec![entry(Some(7), Some("1m2s"), Some(3)), entry(Some(5), Some("61.5s"), None)],
            ..VrgStatus::default()
        };
        sum_up(&mut status);
        assert_eq!(status.last_group_sync_time, Some(Time(5)));
        assert_eq!(status.last_group_sync_duration.as_deref(), Some("1m2s"));
        assert_eq!(status.last_group_sync_bytes, Some(3));
    }

    #[test]
    fn a_claim_that_was_never_synchronized_leaves_the_group_without_a_time() {
        let mut status =
            VrgStatus { pvcs: vec![entry(Some(7), None, None), entry(None, None, None)], ..VrgStatus::default() };
        sum_up(&mut status);
        assert_eq!((status.last_group_sync_time, status.last_group_sync_bytes), (None, None));
    }
}
