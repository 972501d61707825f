//! The VRG's status: what it says, and when it is worth a write.

use ramen_api::ramen::wire::{annotation, condition, event, reason, state::State};
use ramen_events::{
    Command as AnyCommand, Condition, ConditionStatus, Time,
    spoke::{Command, Notice, Role, VrgStatus},
};

use super::{
    conditions, entries,
    scene::{KUBE_OBJECTS, Scene, Stage},
    verdict::{Verdict, whole_seconds},
    view::{Owner, View, Volume},
};
use crate::{FEWER_WRITES, domain::Decision};

/// How long a status that only shows progress is held back after a step began: most steps are over by then.
const PROGRESS_PAUSE_MS: u64 = 5_000;
/// The same, before [`FEWER_WRITES`].
const FORMER_PROGRESS_PAUSE_MS: u64 = 1_000;
/// How often words alone are worth a write, while what they say of stays as it is.
const WORDS_PAUSE_MS: u64 = 5_000;
/// How often words alone are worth a write once the work is done: they come in bursts, and the last ones count.
const LAST_WORDS_PAUSE_MS: u64 = 1_000;
/// How often times of synchronizations alone are worth a write.
const COUNTERS_PAUSE_MS: u64 = 30_000;
/// How long a deletion may take before its wait is told.
const DELETION_PAUSE_MS: u64 = 5_000;

/// The status that the scene amounts to.
pub fn wanted(view: &View<'_>, scene: &Scene) -> VrgStatus {
    let vrg = view.vrg;
    let before = vrg.status.as_ref();
    let generation = vrg.generation;
    let old = |kind: &str| before.and_then(|status| status.condition(kind));
    let made = |kind: &str, verdict: &Verdict| verdict.condition(kind, generation, old(kind), view.now());
    let primary = view.is_primary();

    let data_ready =
        if primary { conditions::data_ready_primary(scene) } else { conditions::data_ready_secondary(scene) };
    let (kept_ready, kept_kube) = (data_ready.holds(), old(condition::KUBE_OBJECTS_READY));
    let cluster_data_protected = if primary {
        conditions::cluster_data_protected(scene, &vrg.spec.unsupported)
    } else {
        Verdict::yes(reason::UNUSED, "nothing is stored as secondary")
    };
    let mut all = vec![
        made(condition::DATA_READY, &data_ready),
        made(condition::DATA_PROTECTED, &conditions::data_protected(scene)),
        restored(view, scene, old(condition::CLUSTER_DATA_READY)),
        match kube_objects(view, kept_ready) {
            Some(verdict) => made(condition::KUBE_OBJECTS_READY, &verdict),
            None => kept_kube.cloned().unwrap_or_else(|| {
                made(
                    condition::KUBE_OBJECTS_READY,
                    &Verdict::unknown(reason::INITIALIZING, "nothing was looked at yet"),
                )
            }),
        },
        made(condition::CLUSTER_DATA_PROTECTED, &cluster_data_protected),
        made(
            condition::AUTO_CLEANUP,
            &Verdict::no(reason::UNUSED, "the application's objects are removed by their owner"),
        ),
        made(condition::NO_CLUSTER_DATA_CONFLICT, &conflict(view)),
        // Hooks are not run yet: nothing is ever said of them.
        old(condition::HOOKS_READY)
            .cloned()
            .unwrap_or_else(|| made(condition::HOOKS_READY, &Verdict::unknown(reason::INITIALIZING, "no hooks ran"))),
    ];
    let destination = conditions::destination_info(scene);
    all.extend(destination.map(|verdict| made(condition::DESTINATION_INFO_AVAILABLE, &verdict)));

    let mut status = VrgStatus {
        state: state(view, &all).as_str().to_owned(),
        observed_generation: generation,
        last_update: before.and_then(|status| status.last_update),
        conditions: all,
        pvcs: entries::of(view, scene),
        // Volumes that the storage replicates need no preparation: the answers follow the questions (spec vrg 5.5).
        prepare_for_final_sync_complete: primary
            && (vrg.spec.prepare_for_final_sync
                || (vrg.spec.run_final_sync && before.is_some_and(|s| s.prepare_for_final_sync_complete))),
        final_sync_complete: primary && vrg.spec.run_final_sync,
        ..VrgStatus::default()
    };
    entries::sum_up(&mut status);
    status
}

/// `ClusterDataReady`: as it was said when the restore ended, as long as that holds for this generation.
fn restored(view: &View<'_>, scene: &Scene, old: Option<&Condition>) -> Condition {
    use super::runbooks::restore::Restore;
    let not_due = matches!(scene.restore.as_ref().map(|outlook| &outlook.restore), Some(Restore::NotDue(_)));
    let stands = |old: &&Condition| {
        not_due
            && old.generation == view.vrg.generation
            && old.status == ConditionStatus::True
            && old.reason == reason::RESTORED
    };
    old.filter(stands).cloned().unwrap_or_else(|| {
        let verdict = conditions::cluster_data_ready(scene);
        verdict.condition(condition::CLUSTER_DATA_READY, view.vrg.generation, old, view.now())
    })
}

/// `KubeObjectsReady`: there is nothing to recover; as primary that is said once the volumes are ready. `None`: as before.
fn kube_objects(view: &View<'_>, ready: bool) -> Option<Verdict> {
    if let Some((field, value)) = view.vrg.spec.unsupported.iter().find(|(field, _)| field == KUBE_OBJECTS) {
        let text = format!("{field} is {value}: recovery of API objects is not supported yet; remove it");
        return Some(Verdict::error(text));
    }
    if !view.is_primary() {
        return Some(Verdict::yes(reason::UNUSED, "nothing is recovered as secondary"));
    }
    ready.then(|| Verdict::yes(reason::KUBE_OBJECTS_RESTORED, "no API objects are to be recovered"))
}

/// The first version of the deciders that says of which claims it is, and what comes of them; leaves out claims that were
/// restored, which are on the application's own volumes; and does not let go of it while a new request is looked at.
const OF_OTHERS_SINCE: u32 = 9;

/// `NoClusterDataConflict`: a settled secondary should select no claim that is there to stay (V25).
fn conflict(view: &View<'_>) -> Verdict {
    if view.ask.decider >= OF_OTHERS_SINCE {
        return conflict_with_others(view);
    }
    let settled = view.vrg.status.as_ref().is_some_and(|status| {
        status.state == State::Secondary.as_str() && status.observed_generation == view.vrg.generation
    });
    let stays = view
        .volumes
        .iter()
        .find(|volume| volume.selected && !volume.pvc.is_deleting() && !matches!(volume.owner, Owner::Other(_)));
    match stays {
        Some(volume) if settled && !view.is_primary() => Verdict::no(
            reason::CONFLICT_SECONDARY,
            format!("claim {} is selected on the secondary: delete it, or take the label off it", volume.name()),
        ),
        _ => Verdict::yes(reason::NO_CONFLICT_DETECTED, "nothing stands in the way"),
    }
}

fn conflict_with_others(view: &View<'_>) -> Verdict {
    let settled = view.vrg.status.as_ref().is_some_and(|status| {
        let told = status.conditions.iter().find(|told| told.kind == condition::NO_CLUSTER_DATA_CONFLICT);
        let known = told.is_some_and(|told| told.status == ConditionStatus::False);
        status.state == State::Secondary.as_str() && (known || status.observed_generation == view.vrg.generation)
    });
    let stays = |volume: &&Volume<'_>| {
        volume.selected
            && !volume.pvc.is_deleting()
            && !volume.is_restored()
            && !matches!(volume.owner, Owner::Other(_))
    };
    let mut staying = view.volumes.iter().filter(stays);
    match staying.next() {
        Some(volume) if settled && !view.is_primary() => {
            let more = match staying.count() {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            let text = format!(
                "claim {} is selected here, on the secondary{more}: take from it what is needed and delete it; a claim of \
                 that name is in the way when the application comes to this cluster",
                volume.key
            );
            Verdict::no(reason::CONFLICT_SECONDARY, text)
        }
        _ => Verdict::yes(reason::NO_CONFLICT_DETECTED, "nothing stands in the way"),
    }
}

/// `state`, from the conditions (spec vrg 5.2, 7.1).
fn state(view: &View<'_>, conditions: &[Condition]) -> State {
    let holds = |kind: &str| conditions.iter().any(|c| c.kind == kind && c.is_true_at(view.vrg.generation));
    match view.vrg.spec.role {
        Some(Role::Primary) if holds(condition::DATA_READY) && holds(condition::CLUSTER_DATA_READY) => State::Primary,
        Some(Role::Secondary) if holds(condition::DATA_READY) => {
            let failover = view.is_failover() || view.vrg.test_failover == annotation::TRUE;
            if failover || holds(condition::DATA_PROTECTED) { State::Secondary } else { State::Unknown }
        }
        _ => State::Unknown,
    }
}

/// Wants the status written, if it is worth it now; else asks to be asked again.
pub fn write(view: &View<'_>, wanted: VrgStatus, complete: bool, step: &str, decision: &mut Decision) {
    let before = view.vrg.status.as_ref();
    match worth(view, before, &wanted, complete, step) {
        Worth::Nothing => {}
        Worth::Later(at, why) => decision.ask_again(at, why),
        Worth::Now => {
            let notices = notices(before, &wanted);
            let status = VrgStatus { last_update: Some(whole_seconds(view.now())), ..wanted };
            decision.want(
                "status",
                AnyCommand::Spoke(Command::WriteVrgStatus {
                    vrg: view.vrg.key.clone(),
                    uid: view.vrg.uid.clone(),
                    status: Box::new(status),
                    notices,
                }),
            );
        }
    }
}

enum Worth {
    Nothing,
    Now,
    Later(Time, &'static str),
}

fn worth(view: &View<'_>, before: Option<&VrgStatus>, wanted: &VrgStatus, complete: bool, step: &str) -> Worth {
    let fewer = view.ask.decider >= FEWER_WRITES;
    let due = view.since(step).plus_ms(if fewer { PROGRESS_PAUSE_MS } else { FORMER_PROGRESS_PAUSE_MS });
    if let Some(before) = before {
        let last = before.last_update.unwrap_or_default();
        if same(before, wanted) {
            return Worth::Nothing;
        }
        // Of times that are there for the first time, only the group's counts.
        let without_counters = |status: &VrgStatus| {
            let mut status = without_counters(status);
            if fewer {
                status.pvcs.iter_mut().for_each(|entry| entry.last_sync_time = None);
            }
            status
        };
        let same_words = before.state == wanted.state && before.conditions == wanted.conditions;
        if same_words && same(&without_counters(before), &without_counters(wanted)) {
            return later(view, last.plus_ms(COUNTERS_PAUSE_MS), false, "show times of synchronizations");
        }
        let same_outline = same_outline(before, wanted);
        if !complete && same_outline {
            return later(view, due.max(last.plus_ms(WORDS_PAUSE_MS)), false, "show progress of volumes");
        }
        if fewer && complete && same_outline && answers(before) == answers(wanted) {
            return later(view, last.plus_ms(LAST_WORDS_PAUSE_MS), false, "show what became of volumes");
        }
    }
    let was_bad = |kind: &str| before.and_then(|before| before.condition(kind)).is_some_and(is_bad);
    // The hub frees the application from its old home as soon as it hears of this.
    let accepted = fewer
        && !view.is_primary()
        && view.is_failover()
        && before.is_none_or(|before| before.observed_generation != wanted.observed_generation);
    let turned_bad = wanted.conditions.iter().any(|c| is_bad(c) && !was_bad(&c.kind));
    later(view, due, complete || turned_bad || accepted, "show progress")
}

/// Whether two statuses say the same of the VRG as a whole, save in words.
fn same_outline(a: &VrgStatus, b: &VrgStatus) -> bool {
    let same = |(a, b): (&Condition, &Condition)| {
        (&a.kind, a.status, &a.reason, a.generation, a.since) == (&b.kind, b.status, &b.reason, b.generation, b.since)
    };
    a.state == b.state
        && a.observed_generation == b.observed_generation
        && a.conditions.len() == b.conditions.len()
        && a.conditions.iter().zip(&b.conditions).all(same)
}

/// What the hub waits for during a relocation.
fn answers(status: &VrgStatus) -> (bool, bool) {
    (status.prepare_for_final_sync_complete, status.final_sync_complete)
}

fn later(view: &View<'_>, due: Time, urgent: bool, why: &'static str) -> Worth {
    if urgent || view.now() >= due { Worth::Now } else { Worth::Later(due, why) }
}

fn same(a: &VrgStatus, b: &VrgStatus) -> bool {
    a.state == b.state
        && a.observed_generation == b.observed_generation
        && a.conditions == b.conditions
        && a.pvcs == b.pvcs
        && a.last_group_sync_time == b.last_group_sync_time
        && a.last_group_sync_duration == b.last_group_sync_duration
        && a.last_group_sync_bytes == b.last_group_sync_bytes
        && a.prepare_for_final_sync_complete == b.prepare_for_final_sync_complete
        && a.final_sync_complete == b.final_sync_complete
}

/// The status without the times and sizes of synchronizations; that there is a time at all stays.
fn without_counters(status: &VrgStatus) -> VrgStatus {
    let mut status = status.clone();
    let blank = |time: &mut Option<Time>| *time = time.map(|_| Time::default());
    blank(&mut status.last_group_sync_time);
    status.last_group_sync_duration = None;
    status.last_group_sync_bytes = None;
    for entry in &mut status.pvcs {
        blank(&mut entry.last_sync_time);
        entry.last_sync_duration = None;
        entry.last_sync_bytes = None;
    }
    status
}

fn is_bad(condition: &Condition) -> bool {
    Verdict { status: condition.status, reason: condition.reason.clone(), message: String::new() }.is_bad()
}

/// Events for what turned bad with this write, and for a role that was reached (spec vrg 8.2).
fn notices(before: Option<&VrgStatus>, wanted: &VrgStatus) -> Vec<Notice> {
    let mut notices = Vec::new();
    for condition in wanted.conditions.iter().filter(|condition| is_bad(condition)) {
        let told = before.and_then(|status| status.condition(&condition.kind));
        if told.is_some_and(|told| is_bad(told) && told.message == condition.message) {
            continue;
        }
        let reason = match (condition.kind.as_str(), condition.reason.as_str()) {
            (condition::CLUSTER_DATA_PROTECTED, reason::VRG_CAPTURE_ERROR) => event::VRG_UPLOAD_FAILED,
            (condition::CLUSTER_DATA_PROTECTED, _) => event::UPLOAD_FAILED,
            _ => event::FAILED_VALIDATION,
        };
        if notices.iter().any(|notice: &Notice| notice.message == condition.message) {
            continue;
        }
        notices.push(Notice { warning: true, reason: reason.to_owned(), message: condition.message.clone() });
    }
    notices
}

/// The status of a VRG whose deletion takes long: `DataReady` says what it waits for (V24).
pub fn write_deletion(view: &View<'_>, scene: &Scene, wait: &ramen_events::Wait, step: &str, decision: &mut Decision) {
    let due = view.since(step).plus_ms(DELETION_PAUSE_MS);
    let Some(before) = view.vrg.status.as_ref() else { return };
    let bad = scene.volumes.iter().filter(|volume| volume.stage != Stage::Ignored).find_map(|volume| {
        let verdict = volume.data_ready.as_ref().filter(|verdict| verdict.is_bad())?;
        Some(format!("claim {}: {}", volume.key.name, verdict.message))
    });
    // What a person has to know is told at once: it may be over in a moment.
    if bad.is_none() && view.now() < due {
        decision.ask_again(due, "tell what the deletion waits for");
        return;
    }
    let text = format!("deletion waits for {}", bad.as_ref().unwrap_or(&wait.what));
    let verdict = if bad.is_some() { Verdict::error(text) } else { Verdict::progressing(text) };
    let mut status = before.clone();
    for condition in &mut status.conditions {
        if condition.kind == condition::DATA_READY {
            *condition =
                verdict.condition(condition::DATA_READY, view.vrg.generation, Some(&condition.clone()), view.now());
        }
    }
    state_unknown(&mut status, view.vrg.generation);
    write(view, status, true, step, decision);
}

fn state_unknown(status: &mut VrgStatus, generation: i64) {
    status.state = State::Unknown.as_str().to_owned();
    status.observed_generation = generation;
}
