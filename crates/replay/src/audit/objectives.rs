//! RTO and RPO: what was reached, against what was wanted.
//!
//! The application has recovered when the hub reports it so: the DRPC's phase is that of the finished action
//! (`Deployed`, `FailedOver`, `Relocated`) and `Available` is true. Data are as old as the last synchronization that was
//! complete before the loss; for a relocation, the last synchronization after the application was stopped loses none.

use std::collections::BTreeMap;

use ramen_events::{Command, ConditionStatus, Fact, Payload, Time, hub, spoke};

use crate::{
    audit::{
        actions::Subject,
        report::{Measure, Objective, Verdict},
        targets::{Elsewhere, Target, Targets},
    },
    merge::Merged,
};

/// The entry at which the hub first saw the old cluster as lost: unavailable at the request, or later before recovery.
pub fn loss(subject: &Subject<'_>) -> Option<usize> {
    let source = subject.source.as_ref().filter(|_| subject.kind == "failover")?;
    let until = recovered(subject).unwrap_or(subject.end);
    let mut lost = None;
    for (index, entry) in subject.world(0, until) {
        let Payload::Observed(Fact::Hub(hub::Fact::ManagedCluster(cluster))) = &entry.record.payload else { continue };
        if cluster.name != *source {
            continue;
        }
        match cluster.available {
            // Whoever came back before the request was not lost then; whoever came back after it had been.
            Some(ConditionStatus::True) if index < subject.asked => lost = None,
            Some(ConditionStatus::True) => {}
            _ => lost = lost.or(Some(index)),
        }
    }
    lost
}

/// The entry at which the hub first reported the application as available where it was asked to be.
pub fn recovered(subject: &Subject<'_>) -> Option<usize> {
    let phase = match subject.kind {
        "deploy" => "Deployed",
        "failover" => "FailedOver",
        "relocate" => "Relocated",
        _ => return None,
    };
    subject.own(subject.asked, subject.end).find_map(|(index, entry)| match &entry.record.payload {
        Payload::Commanded { command: Command::Hub(hub::Command::WriteDrpcStatus { status, .. }), .. }
            if entry.record.aggregate.as_ref() == Some(subject.drpc) =>
        {
            let available =
                status.condition("Available").is_some_and(|condition| condition.status == ConditionStatus::True);
            (status.phase == phase && available).then_some(index)
        }
        _ => None,
    })
}

/// All objectives of an action.
pub fn all(subject: &Subject<'_>, loss: Option<usize>, recovered: Option<usize>, targets: &Targets) -> Vec<Objective> {
    let mut all = Vec::new();
    if subject.kind == "deletion" {
        return all;
    }
    let application = format!("{}/{}", subject.drpc.namespace, subject.drpc.name);
    all.push(rto(subject, Measure::RtoFromRequest, &application, Some(subject.asked), recovered));
    if subject.kind == "failover" {
        all.push(rto(subject, Measure::RtoFromLoss, &application, loss, recovered));
    }
    if subject.kind != "deploy" {
        all.extend(rpo(subject, loss));
    }
    for objective in &mut all {
        judge(subject, objective, &application, targets);
    }
    all
}

fn objective(measure: Measure, of: String) -> Objective {
    Objective {
        measure,
        of,
        reached_ms: None,
        target_ms: None,
        target_from: String::new(),
        result: Verdict::NotKnown,
        evidence: Vec::new(),
        note: String::new(),
    }
}

fn rto(subject: &Subject<'_>, measure: Measure, of: &str, from: Option<usize>, to: Option<usize>) -> Objective {
    let mut rto = objective(measure, of.to_owned());
    rto.evidence = from.iter().chain(&to).map(|index| subject.merged.name(*index)).collect();
    match (from, to) {
        (Some(from), Some(to)) => rto.reached_ms = Some(subject.time(to).ms_since(subject.time(from))),
        (Some(from), None) => {
            let so_far = subject.time(subject.end).ms_since(subject.time(from));
            rto.note = format!(
                "the application was not reported as available by the end of the action, {} later",
                crate::moment::span_text(so_far)
            );
        }
        (None, _) => rto.note = "no record tells of a loss".to_owned(),
    }
    rto
}

/// A target that no record contradicts is met only if what was reached is known.
fn judge(subject: &Subject<'_>, objective: &mut Objective, application: &str, targets: &Targets) {
    let elsewhere = Elsewhere { annotated: &subject.annotated, interval: subject.interval.as_ref() };
    let (target, complaints) = targets.of(objective.measure, application, &subject.policy, elsewhere);
    judge_against(subject, objective, target);
    complaints.iter().for_each(|complaint| note(objective, complaint));
}

fn judge_against(subject: &Subject<'_>, objective: &mut Objective, target: Option<Target>) {
    let Some(target) = target else { return note(objective, "no target was given") };
    objective.target_ms = Some(target.ms);
    objective.evidence.extend(target.record.filter(|record| !objective.evidence.contains(record)));
    objective.target_from = target.from;
    objective.result = match objective.reached_ms {
        Some(reached) if reached > target.ms => Verdict::Fail,
        // Counted from the request instead of the loss, it may have been longer.
        Some(_) if objective.note.starts_with(AT_LEAST) => Verdict::NotKnown,
        Some(_) => Verdict::Pass,
        None => Verdict::NotKnown,
    };
    if objective.measure.is_rto() && objective.reached_ms.is_none() && objective.measure == Measure::RtoFromRequest {
        let so_far = subject.time(subject.end).ms_since(subject.time(subject.asked));
        if so_far > target.ms {
            objective.result = Verdict::Fail;
        }
    }
}

fn note(objective: &mut Objective, text: &str) {
    let joint = if objective.note.is_empty() { "" } else { "; " };
    objective.note = format!("{}{joint}{text}", objective.note);
}

/// How a note begins that says that more may have been lost.
const AT_LEAST: &str = "at least this";

/// The last synchronization seen of something, and the entry that shows it.
type Sync = Option<(Time, usize)>;

/// Volumes and groups of the old cluster, each with its last synchronization.
#[derive(Default)]
struct Syncs {
    volumes: BTreeMap<String, Sync>,
    groups: BTreeMap<String, Sync>,
}

impl Syncs {
    fn see(map: &mut BTreeMap<String, Sync>, name: String, time: Option<Time>, until: Time, index: usize) {
        let known = map.entry(name).or_default();
        if let Some(time) = time.filter(|time| *time <= until)
            && known.is_none_or(|(before, _)| before < time)
        {
            *known = Some((time, index));
        }
    }
}

fn rpo(subject: &Subject<'_>, loss: Option<usize>) -> Vec<Objective> {
    if let Some(index) = final_sync(subject) {
        let group = subject.vrgs.first().map_or_else(String::new, |(namespace, name)| format!("{namespace}/{name}"));
        let mut rpo = objective(Measure::RpoOfGroup, group);
        rpo.reached_ms = Some(0);
        rpo.evidence = vec![subject.merged.name(index)];
        rpo.note = "the last synchronization ran after the application was stopped, and was complete".to_owned();
        return vec![rpo];
    }
    if subject.kind == "relocate" {
        let mut rpo = objective(Measure::RpoOfGroup, subject.drpc.to_string());
        rpo.note = "no record shows that the last synchronization was complete".to_owned();
        return vec![rpo];
    }
    let moment = loss.unwrap_or(subject.asked);
    let syncs = syncs(subject, subject.time(moment));
    let of = |measure: Measure, map: BTreeMap<String, Sync>| {
        let one = move |(name, sync): (String, Sync)| {
            let mut rpo = objective(measure, name);
            rpo.evidence.push(subject.merged.name(moment));
            match sync {
                Some((time, index)) => {
                    rpo.reached_ms = Some(subject.time(moment).ms_since(time));
                    rpo.evidence.push(subject.merged.name(index));
                    rpo.note = match loss {
                        Some(_) => format!("last synchronization {time}"),
                        None => format!(
                            "{AT_LEAST}: no record tells of a loss, so it is counted from the request; last \
                             synchronization {time}"
                        ),
                    };
                }
                None => rpo.note = "no record shows a completed synchronization before that".to_owned(),
            }
            rpo
        };
        map.into_iter().map(one).collect::<Vec<_>>()
    };
    let mut all = of(Measure::RpoOfGroup, syncs.groups);
    all.extend(of(Measure::RpoOfVolume, syncs.volumes));
    if all.is_empty() {
        let mut rpo = objective(Measure::RpoOfGroup, subject.drpc.to_string());
        rpo.note = "no record tells of its volumes".to_owned();
        all.push(rpo);
    }
    all
}

/// The entry that shows that the last synchronization of a relocation was complete.
fn final_sync(subject: &Subject<'_>) -> Option<usize> {
    let source = subject.source.as_ref().filter(|_| subject.kind == "relocate")?;
    subject.own(subject.asked, subject.end).find_map(|(index, entry)| {
        let complete = match &entry.record.payload {
            Payload::Observed(Fact::Hub(hub::Fact::Work(work)))
                if work.cluster.0 == *source && is_of(subject, work) =>
            {
                work.feedback.as_ref().is_some_and(|feedback| feedback.final_sync_complete)
            }
            Payload::Commanded {
                command: Command::Spoke(spoke::Command::WriteVrgStatus { vrg, status, .. }), ..
            } => {
                subject.has_vrg(&vrg.namespace, &vrg.name)
                    && name(subject.merged, index) == source
                    && status.final_sync_complete
            }
            _ => false,
        };
        complete.then_some(index)
    })
}

fn is_of(subject: &Subject<'_>, work: &hub::WorkFact) -> bool {
    work.drpc.as_ref().is_some_and(|of| of.namespace == subject.drpc.namespace && of.name == subject.drpc.name)
}

fn name(merged: &Merged, index: usize) -> &str {
    merged.entries.get(index).map_or("", |entry| merged.log_name(entry))
}

/// What the old cluster's volumes and groups showed: times no later than `until`, whenever they were reported.
fn syncs(subject: &Subject<'_>, until: Time) -> Syncs {
    let mut syncs = Syncs::default();
    let Some(source) = &subject.source else { return syncs };
    let group = |vrg: &(String, String)| format!("{}/{}", vrg.0, vrg.1);
    for (index, entry) in subject.own(0, subject.end) {
        let here = subject.merged.log_name(entry) == source;
        match &entry.record.payload {
            Payload::Observed(Fact::Spoke(spoke::Fact::VolumeReplication(replication)))
                if here && subject.vrgs.iter().any(|vrg| vrg.0 == replication.key.namespace) =>
            {
                let key = spoke::Key::new(&replication.key.namespace, &replication.claim);
                Syncs::see(&mut syncs.volumes, key.to_string(), replication.last_sync_time, until, index);
            }
            Payload::Commanded {
                command: Command::Spoke(spoke::Command::WriteVrgStatus { vrg, status, .. }), ..
            } if here && subject.has_vrg(&vrg.namespace, &vrg.name) => {
                for pvc in &status.pvcs {
                    Syncs::see(&mut syncs.volumes, pvc.key.to_string(), pvc.last_sync_time, until, index);
                }
                let name = format!("{}/{}", vrg.namespace, vrg.name);
                Syncs::see(&mut syncs.groups, name, status.last_group_sync_time, until, index);
            }
            Payload::Observed(Fact::Hub(hub::Fact::Work(work)))
                if work.cluster.0 == *source && is_of(subject, work) =>
            {
                if let (Some(feedback), Some(vrg)) = (&work.feedback, subject.vrgs.first()) {
                    Syncs::see(&mut syncs.groups, group(vrg), feedback.last_group_sync, until, index);
                }
            }
            _ => {}
        }
    }
    syncs
}
