//! What did not go as it goes when all is well.

use ramen_events::{Cause, Command, Fact, Outcome, Payload, hub, spoke};

use crate::{
    audit::{
        actions::Subject,
        report::{Deviation, DeviationKind, When},
    },
    causes,
    merge::Entry,
    words,
};

/// All between request and end, in order.
pub fn all(subject: &Subject<'_>) -> Vec<Deviation> {
    let (from, to) = (subject.asked, subject.end);
    let mut span: Vec<_> = subject.own(from, to).chain(subject.world(from, to)).collect();
    span.sort_by_key(|(index, _)| *index);
    span.into_iter().filter_map(|(index, entry)| of(subject, index, entry)).collect()
}

fn of(subject: &Subject<'_>, index: usize, entry: &Entry) -> Option<Deviation> {
    let deviation = |kind, what: String, evidence: Vec<usize>| {
        let evidence = evidence.into_iter().map(|index| subject.merged.name(index)).collect();
        Some(Deviation { kind, when: When(entry.time), what, evidence })
    };
    let mine = entry.record.aggregate.as_ref().is_some_and(|aggregate| subject.has(aggregate));
    let log = subject.merged.log_name(entry);
    match &entry.record.payload {
        Payload::Finished { id, outcome, .. } if mine && !outcome.is_done() => {
            let at = subject.merged.commanded(*id);
            let command = at.and_then(|at| command(&subject.merged.entries.get(at)?.record.payload));
            if let Some(Command::Hub(command)) = command
                && command.is_met_by(outcome)
            {
                return None;
            }
            let kind = match outcome {
                Outcome::Conflict { .. } => DeviationKind::Conflict,
                _ => DeviationKind::FailedCommand,
            };
            let name = command.map_or_else(|| "a command".to_owned(), words::commanded);
            deviation(
                kind,
                format!("{log}: {name}: {}", words::outcome_text(outcome)),
                at.into_iter().chain([index]).collect(),
            )
        }
        Payload::Commanded { slot, command, .. } if mine => {
            let failed = failed_before(subject, index, slot)?;
            deviation(
                DeviationKind::Retry,
                format!("{log}: {} was tried again", words::commanded(command)),
                vec![failed, index],
            )
        }
        Payload::Started { epoch, .. } if entry.record.seq.0 > 1 => deviation(
            DeviationKind::Restart,
            format!("the operator of {log} was started again (process {epoch})"),
            vec![index],
        ),
        Payload::Lost { records } => deviation(
            DeviationKind::LostRecords,
            format!("the log of {log} lacks {records} records that it had acknowledged"),
            vec![index],
        ),
        Payload::Observed(fact) if index > subject.asked => {
            let what = intervention(subject, index, entry, fact)?;
            deviation(DeviationKind::Intervention, what, vec![index])
        }
        _ => None,
    }
}

fn command(payload: &Payload) -> Option<&Command> {
    match payload {
        Payload::Commanded { command, .. } => Some(command),
        _ => None,
    }
}

/// The failed outcome that was the last one in this slot, if there was one since the request.
fn failed_before(subject: &Subject<'_>, index: usize, slot: &str) -> Option<usize> {
    let entry = subject.merged.entries.get(index)?;
    let earlier = subject.own(subject.asked, index.checked_sub(1)?).rev();
    let mut same =
        earlier.filter(|(_, other)| other.log == entry.log && other.record.aggregate == entry.record.aggregate);
    let (at, outcome) = same.find_map(|(at, other)| match &other.record.payload {
        Payload::Finished { slot: of, outcome, .. } if of == slot => Some((at, outcome)),
        _ => None,
    })?;
    (!outcome.is_done()).then_some(at)
}

/// What somebody or something else than the operators did to what they work on.
fn intervention(subject: &Subject<'_>, index: usize, entry: &Entry, fact: &Fact) -> Option<String> {
    let log = subject.merged.log_name(entry);
    let changed = || {
        let news = words::news(subject.merged, index).unwrap_or_default();
        let asked =
            news.iter().filter(|change| change.path.starts_with("spec") || change.path.starts_with("meta.deleting"));
        asked.map(|change| change.line(60)).collect::<Vec<_>>().join("; ")
    };
    match fact {
        Fact::Hub(hub::Fact::Drpc(drpc))
            if drpc.meta.namespace == subject.drpc.namespace && drpc.meta.name == subject.drpc.name =>
        {
            let asked = causes::is_request(subject.merged, index) && subject.merged.before(index).is_some();
            asked.then(|| format!("the request was changed while it was carried out: {}", changed()))
        }
        Fact::Hub(hub::Fact::Policy(policy)) if policy.meta.name == subject.policy => {
            let asked = causes::is_request(subject.merged, index) && subject.merged.before(index).is_some();
            asked.then(|| format!("the policy was changed: {}", changed()))
        }
        Fact::Hub(hub::Fact::Work(work)) => {
            let of = work.drpc.as_ref()?;
            let mine = of.namespace == subject.drpc.namespace && of.name == subject.drpc.name;
            let foreign = matches!(&work.content, hub::WorkContent::Vrg { command, .. } if command.is_empty());
            let was =
                |fact: &Fact| matches!(fact, Fact::Hub(hub::Fact::Work(before)) if before.content == work.content);
            let new = !subject.merged.before(index).is_some_and(|before| shows(subject, before, was));
            (mine && foreign && new)
                .then(|| format!("ManifestWork {}/{} was written by another program", work.cluster, work.name))
        }
        Fact::Spoke(spoke::Fact::Vrg(vrg) | spoke::Fact::FencedVrg { vrg, .. })
            if subject.has_vrg(&vrg.key.namespace, &vrg.key.name) =>
        {
            let was = |fact: &Fact| {
                let Fact::Spoke(spoke::Fact::Vrg(before) | spoke::Fact::FencedVrg { vrg: before, .. }) = fact else {
                    return false;
                };
                before.uid == vrg.uid && before.generation < vrg.generation
            };
            let new = subject.merged.before(index).is_some_and(|before| shows(subject, before, was));
            (new && matches!(entry.record.cause, Cause::Outside))
                .then(|| format!("vrg {} on {log} was changed by something other than the hub: {}", vrg.key, changed()))
        }
        Fact::Spoke(spoke::Fact::VolumeReplication(replication))
            if subject.vrgs.iter().any(|vrg| vrg.0 == replication.key.namespace) =>
        {
            let before = subject.merged.before(index)?;
            let was = |fact: &Fact| {
                matches!(fact, Fact::Spoke(spoke::Fact::VolumeReplication(before))
                    if before.uid == replication.uid && before.generation < replication.generation)
            };
            let ours = acted_since(subject, index, before);
            (shows(subject, before, was) && !ours).then(|| {
                format!(
                    "VolumeReplication {} on {log} was changed by something other than the operator",
                    replication.key
                )
            })
        }
        _ => None,
    }
}

fn shows(subject: &Subject<'_>, index: usize, is: impl Fn(&Fact) -> bool) -> bool {
    matches!(subject.merged.entries.get(index).map(|entry| &entry.record.payload), Some(Payload::Observed(fact)) if is(fact))
}

/// Whether one of our commands about the object was on its way since the fact before: it was given later, or it ended
/// later than that.
fn acted_since(subject: &Subject<'_>, index: usize, before: usize) -> bool {
    let Some(acted) = subject.merged.acted(index) else { return false };
    let id = match subject.merged.entries.get(acted).map(|entry| &entry.record.payload) {
        Some(Payload::Commanded { id, .. }) => *id,
        _ => return false,
    };
    acted > before || subject.merged.finished(id).is_none_or(|finished| finished > before)
}
