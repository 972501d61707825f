//! `status` of a DRPC: phase, progression, conditions, and when it pays to write it.

use ramen_api::ramen::wire::{condition, event, reason};
use ramen_events::{
    Command, ConditionStatus, Time,
    hub::{self, DrpcStatus, Event},
};

use crate::{
    FEWER_WRITES,
    domain::Decision,
    hub::conditions::{Conditions, seconds, turned_bad},
};

use super::{
    Drpc,
    action::Action,
    mirror, protected,
    report::{Shut, Stage},
    runbooks::{deletion, promotion, shown},
};

/// How often progress and mirrored fields are written at most, in milliseconds: they come in bursts.
const SOFT_MS: u64 = 1_000;
/// How long a step has to last to be told of, in milliseconds.
const STEP_MS: u64 = 1_500;
/// The same before [`LONGER_STEPS`].
const SHORT_STEP_MS: u64 = 300;
/// The first version of the deciders that tells only of steps that people have time to read.
const LONGER_STEPS: u32 = 4;
/// How long an action may go unmentioned while each of its steps is over too soon to be told, in milliseconds.
const ACTION_MS: u64 = 3_000;
/// The same for the first step of a deletion that is told.
const DELETION_STEP_MS: u64 = 1_000;
/// How often times of synchronization are written at most, in milliseconds, when nothing else changes.
const SLOW_MS: u64 = 30_000;
/// How long a new DRPC may be without a status, in milliseconds: clusters usually answer sooner.
const SILENCE_MS: u64 = 2_000;
/// When to look again although nothing happened, in seconds: a safety net, not a clock that anything waits for.
const LOOK_AGAIN: u64 = 600;

/// How long a deletion may take, in seconds, before its status says what it waits for.
const DELETION_PATIENCE: u64 = 10;

/// The first version of the deciders that asks nobody to decide about an application whose DRPC is being deleted.
const DECIDED_SINCE: u32 = 14;

/// How long a clean-up may take, in seconds, before its status says what it waits for.
const CLEANUP_PATIENCE: u64 = 30;
/// The first version of the deciders that says it.
const LASTING_SINCE: u32 = 3;

/// Reasons that a person has to act on.
const BAD: [&str; 3] = [reason::ERROR, reason::VALIDATION_FAILED, reason::PAUSED];

/// Writes the status, now or when it pays.
pub fn write(drpc: &Drpc, stage: &Stage, decision: &mut Decision) {
    let mut after = compose(drpc, stage, decision);
    if let Some(at) = write_at(drpc, stage, &after) {
        if at <= drpc.now {
            after.last_update = Some(seconds(drpc.now));
            let events = events(drpc, stage, &after);
            let command = hub::Command::WriteDrpcStatus {
                drpc: drpc.key.clone(),
                uid: drpc.fact.meta.uid.clone(),
                status: Box::new(after),
                events,
            };
            decision.want("status", Command::Hub(command));
        } else {
            decision.ask_again(at, "the status is due to be written");
        }
    }
    decision.ask_again(drpc.now.plus_seconds(LOOK_AGAIN), "look again although nothing happened");
}

/// When a status should be written; `None`: it says nothing new.
fn write_at(drpc: &Drpc, stage: &Stage, after: &DrpcStatus) -> Option<Time> {
    let before = &drpc.fact.status;
    if after == before {
        return None;
    }
    let last = drpc.status_written.unwrap_or(Time(0));
    let slow = |a: &mut DrpcStatus, b: &DrpcStatus| {
        a.last_group_sync = b.last_group_sync;
        a.last_group_sync_duration.clone_from(&b.last_group_sync_duration);
        a.last_group_sync_bytes = b.last_group_sync_bytes;
        a.last_kube_object_protection = b.last_kube_object_protection;
    };
    let first_sync = before.last_group_sync.is_none();
    // What differs in conditions, as most do, needs no copy to be told.
    if !first_sync && before.conditions == after.conditions && !differs(before, after, slow) {
        return Some(last.plus_ms(SLOW_MS));
    }
    let soft = |a: &mut DrpcStatus, b: &DrpcStatus| {
        slow(a, b);
        if a.progression != "Completed" {
            a.progression.clone_from(&b.progression);
        }
        a.resource.clone_from(&b.resource);
        for condition in &mut a.conditions {
            if let Some(told) = b.condition(&condition.kind) {
                condition.message.clone_from(&told.message);
                // While an action runs, whether the application is protected changes with each step.
                if condition.kind == condition::PROTECTED
                    && !drpc.is_finished()
                    && told.generation == condition.generation
                {
                    condition.clone_from(told);
                }
            }
        }
    };
    let lasts = lasts_at(drpc, stage);
    if !differs(before, after, soft) {
        return Some(last.plus_ms(SOFT_MS).max(lasts));
    }
    let unreported = before.conditions.is_empty();
    if before.phase == after.phase
        && let Some(at) = mirror::due(drpc)
    {
        return Some(at);
    }
    match stage {
        Stage::Contacting(shut) if unreported => Some(shut.since.plus_ms(SILENCE_MS)),
        Stage::Preparing if unreported && drpc.last_failure().is_empty() => None,
        Stage::Running(_) if unreported && drpc.decider >= FEWER_WRITES && !is_told_in_full(after) => {
            Some(lasts.max(drpc.asked.since.plus_ms(SILENCE_MS)))
        }
        // Told while there is somebody to tell, and before anything goes.
        Stage::Deleting(Some(_))
            if begins_to_take_apart(before, after)
                && (drpc.decider >= TOLD_SINCE || deletion::stays_behind(drpc).is_some()) =>
        {
            Some(drpc.now)
        }
        // Nothing is left to be read, or to be written to.
        Stage::Deleting(None) if drpc.decider >= FEWER_WRITES => None,
        _ if is_true(after) && !is_true(before) => Some(drpc.now),
        _ if drpc.decider >= LONGER_STEPS && before.phase != after.phase && has_arrived(after) => Some(drpc.now),
        _ => Some(lasts),
    }
}

/// The first version of the deciders that says of a deletion that it takes things apart before it does.
pub const TOLD_SINCE: u32 = 6;

/// The deletion takes things apart: all clusters told what they have.
pub fn takes_apart(status: &DrpcStatus) -> bool {
    status.phase == "Deleting" && status.progression == shown::DELETING
}

fn begins_to_take_apart(before: &DrpcStatus, after: &DrpcStatus) -> bool {
    takes_apart(after) && !takes_apart(before)
}

/// Whether it shows what protects the application, too.
fn is_told_in_full(status: &DrpcStatus) -> bool {
    status.progression == "Completed" && status.resource.as_ref().is_some_and(|told| !told.protected_pvcs.is_empty())
}

/// Whether it says that the application runs where it was asked to.
fn is_true(status: &DrpcStatus) -> bool {
    status.condition(condition::AVAILABLE).is_some_and(|told| told.status == ConditionStatus::True)
}

/// Whether its phase says that the application runs where it was asked to.
fn has_arrived(status: &DrpcStatus) -> bool {
    is_true(status) && matches!(status.phase.as_str(), "Deployed" | "FailedOver" | "Relocated")
}

/// From when on a step is worth telling: most are over in a moment, and the next one says more.
fn lasts_at(drpc: &Drpc, stage: &Stage) -> Time {
    match stage {
        Stage::Running(Some(shut)) if drpc.decider >= LONGER_STEPS => {
            let step = shut.since.plus_ms(STEP_MS);
            let is_told = drpc.fact.status.action_start == Some(seconds(drpc.asked.since));
            let action = drpc.asked.since.plus_ms(ACTION_MS);
            if is_told { step } else { step.min(action) }.max(drpc.now)
        }
        Stage::Running(Some(shut)) if drpc.decider >= FEWER_WRITES => shut.since.plus_ms(SHORT_STEP_MS).max(drpc.now),
        Stage::Deleting(Some(shut)) if drpc.decider >= FEWER_WRITES && drpc.fact.status.phase != "Deleting" => {
            shut.since.plus_ms(DELETION_STEP_MS).max(drpc.now)
        }
        _ => drpc.now,
    }
}

/// Whether two statuses differ once `but` has made alike what does not count.
fn differs(before: &DrpcStatus, after: &DrpcStatus, but: impl Fn(&mut DrpcStatus, &DrpcStatus)) -> bool {
    let mut after = after.clone();
    but(&mut after, before);
    after != *before
}

fn compose(drpc: &Drpc, stage: &Stage, decision: &mut Decision) -> DrpcStatus {
    let before = &drpc.fact.status;
    let mirrors = !matches!(stage, Stage::Deleting(_) | Stage::Preparing) && drpc.policy.is_some();
    // As it was, save what is put together anew: that is most of it. Its time is set when it is written.
    let mut status = DrpcStatus {
        conditions: Vec::new(),
        resource: if mirrors { None } else { before.resource.clone() },
        phase: before.phase.clone(),
        progression: before.progression.clone(),
        preferred_decision: before.preferred_decision.clone(),
        action_duration: before.action_duration.clone(),
        last_group_sync_duration: before.last_group_sync_duration.clone(),
        ..*before
    };
    let mut conditions = Conditions::new(drpc.now, &drpc.fact.meta, &before.conditions);
    if before.conditions.is_empty() {
        for kind in condition::OF_DRPC {
            conditions.unknown(kind, reason::INITIATING, "nothing has been looked at yet");
        }
    }
    before.conditions.iter().for_each(|told| {
        conditions.keep(&told.kind);
    });
    match stage {
        Stage::Invalid(problem) => conditions.no(condition::AVAILABLE, problem.reason, &problem.message),
        Stage::Preparing => {
            let failure = drpc.last_failure();
            if !failure.is_empty() {
                let text = format!("finalizers and annotations cannot be set{failure}; see what the hub may do");
                conditions.no(condition::AVAILABLE, reason::ERROR, text);
            }
        }
        Stage::Contacting(shut) => {
            if before.phase.is_empty() {
                conditions.unknown(condition::AVAILABLE, reason::INITIATING, &shut.sentence);
            }
        }
        Stage::Paused { failover_allowed, why } => paused(&mut status, &mut conditions, *failover_allowed, why, drpc),
        Stage::Running(shut) => running(drpc, shut.as_ref(), &mut status, &mut conditions, decision),
        Stage::Deleting(shut) => deleting(drpc, shut.as_ref(), &mut status, &mut conditions, decision),
    }
    if mirrors {
        mirror::copy(drpc, &mut status);
        let verdict = protected::judge(drpc, decision);
        conditions.set(condition::PROTECTED, verdict.status, verdict.reason, verdict.message);
    }
    status.conditions = conditions.finish();
    status
}

/// A person has to decide (spec drpc 7).
fn paused(status: &mut DrpcStatus, conditions: &mut Conditions<'_>, allowed: bool, why: &str, drpc: &Drpc) {
    status.progression = "Paused".into();
    if allowed {
        status.phase = "WaitForUser".into();
        status.observed_generation = drpc.fact.meta.generation;
        conditions.yes(condition::AVAILABLE, reason::SUCCESS, why);
        conditions.yes(condition::PEER_READY, reason::SUCCESS, "a failover may be started");
    } else {
        conditions.no(condition::AVAILABLE, reason::PAUSED, why);
        conditions.no(condition::PEER_READY, reason::PAUSED, why);
    }
}

fn running(
    drpc: &Drpc,
    shut: Option<&Shut>,
    status: &mut DrpcStatus,
    conditions: &mut Conditions<'_>,
    decision: &mut Decision,
) {
    let phase = phase(drpc, shut);
    let generation = drpc.fact.meta.generation;
    status.observed_generation = generation;
    if status.preferred_decision.is_empty() {
        status.preferred_decision.clone_from(&drpc.fact.spec.preferred);
    }
    status.progression = shut.map_or("Completed", |shut| shut.progression).into();
    clock(drpc, shut.is_none(), status);
    available(drpc, shut, phase, conditions);
    let told = shut.map(|shut| lasting(drpc, shut, decision)).unwrap_or_default();
    peer_ready(drpc, shut, &told, conditions);
    phase.clone_into(&mut status.phase);
}

/// The first version of the deciders that leaves the times of an action that ended as they are.
const TIMES_STAND_SINCE: u32 = 4;

/// When the action began, and how long it took. Once that is told of an action that ended, it stands: two operators that
/// both believe that they lead would correct each other for as long as they do.
fn clock(drpc: &Drpc, complete: bool, status: &mut DrpcStatus) {
    let told = &drpc.fact.status;
    let ended = told.progression == "Completed" && told.observed_generation == drpc.fact.meta.generation;
    if drpc.decider >= TIMES_STAND_SINCE && complete && ended && told.action_duration.is_some() {
        return;
    }
    let begun = seconds(drpc.asked.since);
    let deployed = drpc.action() == Action::Deploy && status.action_start.is_some();
    if !deployed && status.action_start != Some(begun) {
        status.action_start = Some(begun);
        status.action_duration = None;
    }
    if complete && status.action_duration.is_none() {
        status.action_duration = Some(duration(drpc.now.ms_since(drpc.asked.since)));
    }
}

/// A duration as Go writes it: `1h2m3.004s`.
fn duration(ms: u64) -> String {
    let (hours, minutes, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms % 60_000);
    let fraction = format!("{:03}", rest % 1000);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let seconds = format!("{}{point}{fraction}s", rest / 1000);
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

/// The phase, read off how far the runbook got. An action that may not begin yet leaves the phase as it was.
fn phase<'a>(drpc: &'a Drpc, shut: Option<&Shut>) -> &'a str {
    let decided = promotion::target_is_decided(drpc).is_open();
    let progression = shut.map_or("Completed", |shut| shut.progression);
    match drpc.action() {
        Action::Deploy if decided => "Deployed",
        Action::Deploy => "Deploying",
        Action::Failover if has_not_begun(progression) => &drpc.fact.status.phase,
        Action::Failover if promotion::target_is_ready(drpc).is_open() && decided => "FailedOver",
        Action::Failover => "FailingOver",
        Action::Relocate if drpc.has_moved() && promotion::target_is_ready(drpc).is_open() && decided => "Relocated",
        Action::Relocate if drpc.has_moved() => "Relocating",
        Action::Relocate if matches!(progression, "Cleaning Up" | "PreparingFinalSync") => "Initiating",
        Action::Relocate => "Relocating",
    }
}

fn has_not_begun(progression: &str) -> bool {
    matches!(progression, "CheckingFailoverPrerequisites" | "WaitForStorageMaintenanceActivation")
}

/// `Available`: whether the application runs where it was asked to.
fn available(drpc: &Drpc, shut: Option<&Shut>, phase: &str, conditions: &mut Conditions<'_>) {
    let kind = condition::AVAILABLE;
    let words = || shut.map_or_else(|| "Completed".to_owned(), |shut| shut.sentence.clone());
    let begun = !shut.is_some_and(|shut| has_not_begun(shut.progression));
    match if begun { phase } else { "" } {
        "Deployed" => conditions.yes(kind, phase, deployed_words(drpc)),
        "FailedOver" | "Relocated" => conditions.yes(kind, phase, "Completed"),
        "Deploying" | "FailingOver" | "Relocating" => conditions.no(kind, phase, words()),
        // It still runs where it did: only the words change.
        _ => match conditions.before(kind) {
            Some(before) if before.status == ConditionStatus::True && before.reason != reason::INITIATING => {
                let reason = before.reason.clone();
                conditions.yes(kind, &reason, words());
            }
            _ => conditions.no(kind, if phase.is_empty() { reason::WAITING } else { phase }, words()),
        },
    }
}

fn deployed_words(drpc: &Drpc) -> String {
    let preferred = &drpc.fact.spec.preferred;
    if drpc.target() == preferred {
        return "Initial deployment completed".into();
    }
    format!(
        "the application runs on cluster {}, not on spec.preferredCluster {preferred}; set spec.action to Relocate to \
         move it there",
        drpc.target()
    )
}

/// What the clean-up waits for, once that takes long: `Available` is true by then and says nothing of it.
fn lasting(drpc: &Drpc, shut: &Shut, decision: &mut Decision) -> String {
    if drpc.decider < LASTING_SINCE || shut.progression != "Cleaning Up" {
        return String::new();
    }
    let due = shut.since.plus_seconds(CLEANUP_PATIENCE);
    if drpc.now < due {
        decision.ask_again(due, "the clean-up takes long");
        return String::new();
    }
    format!("; {}", shut.sentence)
}

/// `PeerReady`: whether the other cluster could take over. `told` says what that waits for, if it takes long.
fn peer_ready(drpc: &Drpc, shut: Option<&Shut>, told: &str, conditions: &mut Conditions<'_>) {
    let kind = condition::PEER_READY;
    let Some(shut) = shut else {
        conditions.yes(kind, reason::SUCCESS, "Ready");
        return;
    };
    let target = drpc.target();
    match (drpc.action(), shut.progression) {
        (_, progression) if has_not_begun(progression) => {}
        (Action::Failover, _) => {
            conditions.no(kind, reason::NOT_STARTED, format!("Started failover to cluster \"{target}\"{told}"));
        }
        (Action::Relocate, "PreparingFinalSync" | "ClearingPlacement" | "RunningFinalSync") => {}
        (Action::Relocate, "Cleaning Up") if !drpc.has_moved() => {
            conditions.no(kind, reason::NOT_STARTED, shut.sentence.clone());
        }
        (Action::Relocate, _) => {
            conditions.no(kind, reason::NOT_STARTED, format!("Relocation in progress to cluster \"{target}\"{told}"));
        }
        (Action::Deploy, _) => {
            let fresh = conditions.before(kind).is_none_or(|before| before.status == ConditionStatus::Unknown);
            if fresh {
                conditions.unknown(kind, reason::PROGRESSING, shut.sentence.clone());
            } else {
                conditions.no(kind, reason::NOT_STARTED, shut.sentence.clone());
            }
        }
    }
}

fn deleting(
    drpc: &Drpc,
    shut: Option<&Shut>,
    status: &mut DrpcStatus,
    conditions: &mut Conditions<'_>,
    decision: &mut Decision,
) {
    if status.phase != "Deleting" {
        status.action_start = Some(seconds(drpc.now));
        status.action_duration = None;
    }
    status.phase = "Deleting".into();
    status.progression = shut.map_or(shown::DELETING, |shut| shut.progression).into();
    status.observed_generation = drpc.fact.meta.generation;
    // Words only when it takes long: a deletion that goes well writes its status once.
    let Some(shut) = shut else { return };
    let begun = drpc.fact.status.action_start.filter(|_| drpc.fact.status.phase == "Deleting").unwrap_or(drpc.now);
    let patience = begun.plus_seconds(DELETION_PATIENCE);
    if drpc.now < patience {
        decision.ask_again(patience, "the deletion takes long");
    } else {
        let before = conditions.before(condition::AVAILABLE);
        let (status, reason) =
            before.map_or((ConditionStatus::Unknown, reason::WAITING.to_owned()), |c| (c.status, c.reason.clone()));
        conditions.set(condition::AVAILABLE, status, &reason, shut.sentence.clone());
        // What a person was to decide is past, and who does it now waits in vain.
        if drpc.decider >= DECIDED_SINCE
            && let Some(paused) = conditions.before(condition::PEER_READY).filter(|told| told.reason == reason::PAUSED)
        {
            conditions.set(condition::PEER_READY, paused.status, reason::PAUSED, shut.sentence.clone());
        }
    }
}

/// What to tell people: phases as they are reached, and what turned bad.
fn events(drpc: &Drpc, stage: &Stage, after: &DrpcStatus) -> Vec<Event> {
    let before = &drpc.fact.status;
    let mut events = turned_bad(&before.conditions, &after.conditions, &BAD);
    let target = drpc.target();
    let phase_event = match after.phase.as_str() {
        "Deployed" => Some((false, event::DRPC_DEPLOY_SUCCESS, format!("deployed on cluster {target}"))),
        "FailingOver" => Some((true, event::DRPC_FAILING_OVER, format!("failing over to cluster {target}"))),
        "FailedOver" => Some((false, event::DRPC_FAILOVER_SUCCESS, format!("failed over to cluster {target}"))),
        "Relocating" => Some((false, event::DRPC_RELOCATING, format!("relocating to cluster {target}"))),
        "Relocated" => Some((false, event::DRPC_RELOCATION_SUCCESS, format!("relocated to cluster {target}"))),
        _ => None,
    };
    if let Some((warning, reason, message)) = phase_event.filter(|_| before.phase != after.phase) {
        events.push(Event { warning, reason: reason.into(), message });
    }
    let overdue = |status: &DrpcStatus| {
        status
            .condition(condition::PROTECTED)
            .filter(|told| protected::tells_of_overdue(told))
            .map(|told| told.message.clone())
    };
    if let Some(message) = overdue(after).filter(|_| overdue(before).is_none()) {
        events.push(Event { warning: true, reason: event::DRPC_SYNCHRONIZATION_OVERDUE.into(), message });
    }
    if let Stage::Deleting(Some(_)) = stage
        && begins_to_take_apart(before, after)
        && let Some(message) = deletion::stays_behind(drpc)
    {
        events.push(Event { warning: true, reason: event::DRPC_DELETED_WITHOUT_HOME.into(), message });
    }
    if let Stage::Running(Some(shut)) = stage
        && has_not_begun(shut.progression)
        && before.progression != shut.progression
    {
        let reason = event::DRPC_CLUSTER_SWITCH_FAILED.into();
        events.push(Event { warning: true, reason, message: shut.sentence.clone() });
    }
    events
}
