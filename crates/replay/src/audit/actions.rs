//! The actions of applications, with their steps and commands.

use std::collections::BTreeSet;

use ramen_events::{Aggregate, Command, Controller, Fact, Outcome, Payload, Time, hub, spoke};

use crate::{
    audit::{
        before::Before,
        deviations,
        index::{Index, between},
        objectives, protection,
        report::{Action, CommandRun, Ending, NOT_KNOWN, Seen, Step, Waited, When},
        request,
        targets::{Annotated, Targets},
    },
    merge::{Entry, Merged},
    story::{Block, Row, Story},
    words,
};

/// What is known of one action while its parts are read.
pub struct Subject<'a> {
    /// The logs.
    pub merged: &'a Merged,
    /// Which entries matter.
    pub index: &'a Index,
    /// The DRPC.
    pub drpc: &'a Aggregate,
    /// Its VRGs: namespace and name.
    pub vrgs: Vec<(String, String)>,
    /// Name of the runbook.
    pub kind: &'a str,
    /// The cluster that it ran on before.
    pub source: Option<String>,
    /// The cluster that it is to run on.
    pub target: Option<String>,
    /// The entry that shows the request; the first of the action when none does.
    pub asked: usize,
    /// The entry that shows its end; the last of all when there is none.
    pub end: usize,
    /// Name of the policy.
    pub policy: String,
    /// The policy's scheduling interval when it was asked for, and the record that shows it.
    pub interval: Option<(String, String)>,
    /// Targets as annotations of the DRPC and of its policy gave them when it was asked for, in this order.
    pub annotated: Vec<Annotated>,
}

impl<'a> Subject<'a> {
    /// The entries that are about the application or its VRGs' namespaces, from one to another, both included.
    pub fn own(&self, from: usize, to: usize) -> impl DoubleEndedIterator<Item = (usize, &'a Entry)> + use<'a> {
        entries(self.merged, between(self.index.own(self.drpc), from, to))
    }

    /// The entries about clusters, policies and operators, from one to another, both included.
    pub fn world(&self, from: usize, to: usize) -> impl DoubleEndedIterator<Item = (usize, &'a Entry)> + use<'a> {
        entries(self.merged, between(&self.index.world, from, to))
    }

    /// The time of an entry.
    pub fn time(&self, index: usize) -> Time {
        self.merged.entries.get(index).map_or(Time(0), |entry| entry.time)
    }

    /// What an entry shows.
    pub fn seen(&self, index: usize, what: impl Into<String>) -> Seen {
        Seen { when: When(self.time(index)), record: self.merged.name(index), what: what.into() }
    }

    /// Whether this is one of the application's VRGs.
    pub fn has_vrg(&self, namespace: &str, name: &str) -> bool {
        self.vrgs.iter().any(|vrg| vrg.0 == namespace && vrg.1 == name)
    }

    /// Whether this is the application's DRPC or one of its VRGs.
    pub fn has(&self, aggregate: &Aggregate) -> bool {
        aggregate == self.drpc
            || (aggregate.controller == Controller::Vrg && self.has_vrg(&aggregate.namespace, &aggregate.name))
    }

    /// Which log is this cluster's.
    pub fn log_of(&self, cluster: &str) -> Option<usize> {
        self.merged.logs.iter().position(|log| !log.is_hub() && log.name() == cluster)
    }
}

fn entries<'a>(
    merged: &'a Merged,
    which: &'a [usize],
) -> impl DoubleEndedIterator<Item = (usize, &'a Entry)> + use<'a> {
    which.iter().filter_map(|index| Some((*index, merged.entries.get(*index)?)))
}

/// All actions of the story's applications; first contact is none.
pub fn all(merged: &Merged, story: &Story, targets: &Targets, before: Option<&Before>) -> Vec<Action> {
    let owners = crate::walks::owners(merged);
    let index = Index::of(merged);
    let mut actions = Vec::new();
    for application in story.applications.iter().filter(|application| application.is_drpc()) {
        let drpc = &application.aggregate;
        let vrgs = owners.iter().filter(|(_, owner)| *owner == drpc).map(|(vrg, _)| vrg.clone());
        let vrgs: Vec<(String, String)> = vrgs.collect();
        let blocks = application.blocks(story);
        for parts in grouped(&blocks) {
            actions.extend(action((merged, &index), story, (drpc, &vrgs), &parts, targets, before));
        }
    }
    actions
}

/// Blocks of one action: an operator that was started again goes through first contact, and then on.
fn grouped<'a, 'b>(blocks: &'b [Block<'a>]) -> Vec<Vec<&'b Block<'a>>> {
    let mut groups: Vec<Vec<&Block<'_>>> = Vec::new();
    for block in blocks.iter().filter(|block| block.walk.runbook != "contact") {
        let same = |group: &&mut Vec<&Block<'_>>| {
            group
                .last()
                .is_some_and(|last| last.walk.action == block.walk.action && last.walk.runbook == block.walk.runbook)
        };
        match groups.last_mut().filter(same) {
            Some(group) => group.push(block),
            None => groups.push(vec![block]),
        }
    }
    groups
}

fn action(
    (merged, index): (&Merged, &Index),
    story: &Story,
    (drpc, vrgs): (&Aggregate, &[(String, String)]),
    parts: &[&Block<'_>],
    targets: &Targets,
    before: Option<&Before>,
) -> Option<Action> {
    let (first, last) = (parts.first()?.walk, parts.last()?.walk);
    let (asked, request) = request::of(merged, index.own(drpc), drpc, first.entry, before);
    let left = last.steps.last().and_then(|step| step.left).filter(|_| last.until.is_some());
    // A walk without steps is done where it begins.
    let ended = left.or_else(|| last.until.map(|_| last.entry));
    // Without the request, the object as it was seen before it was acted on.
    let known = asked.or_else(|| {
        let until = between(index.own(drpc), 0, first.entry);
        until.iter().rev().copied().find(|index| request::is_about(merged, *index, drpc))
    });
    let fact = known.and_then(|known| request::drpc(merged, known));
    let policy = fact.map_or_else(|| NOT_KNOWN.to_owned(), |fact| fact.spec.policy.clone());
    let target = match (first.runbook.as_str(), fact) {
        ("deletion", _) | (_, None) => None,
        ("failover", Some(fact)) => Some(fact.spec.failover.clone()),
        (_, Some(fact)) => Some(fact.spec.preferred.clone()),
    };
    let policy_at = policy_fact((merged, index), &policy, asked.unwrap_or(first.entry));
    let of_drpc = match known.zip(fact) {
        Some((at, fact)) => Annotated::of(drpc.to_string(), merged.name(at), |name| of_meta(&fact.meta, name)),
        None => before.and_then(|before| {
            Annotated::of(drpc.to_string(), before.name.clone(), |name| before.drpc_annotation(drpc, name))
        }),
    };
    let named = format!("policy {policy}");
    let of_policy = match policy_at {
        Some((at, fact)) => Annotated::of(named, merged.name(at), |name| of_meta(&fact.meta, name)),
        None => before.and_then(|before| {
            Annotated::of(named, before.name.clone(), |name| before.policy_annotation(&policy, name))
        }),
    };
    let subject = Subject {
        merged,
        index,
        drpc,
        vrgs: vrgs.to_vec(),
        kind: &first.runbook,
        source: primary_before((merged, index), drpc, first.log, asked.unwrap_or(first.entry))
            .or_else(|| before?.primary(drpc).map(str::to_owned)),
        target: target.filter(|target| !target.is_empty()),
        asked: asked.unwrap_or(first.entry),
        end: ended.map_or(merged.entries.len().saturating_sub(1), |ended| with_decisions(merged, ended)),
        interval: policy_at
            .map(|(at, fact)| (fact.spec.interval.clone(), merged.name(at)))
            .or_else(|| Some((before?.interval(&policy)?.to_owned(), before?.name.clone()))),
        annotated: of_drpc.into_iter().chain(of_policy).collect(),
        policy,
    };
    let (steps, in_steps) = steps(&subject, story, parts);
    let result = match (last.complete, last.until) {
        (true, _) => Ending::Complete,
        (false, Some(_)) => Ending::Superseded,
        (false, None) => Ending::GoesOn,
    };
    let until = ended.map_or(story.end_of(first.log), |ended| subject.time(ended));
    let loss = objectives::loss(&subject);
    let recovered = objectives::recovered(&subject);
    Some(Action {
        application: drpc.to_string(),
        policy: subject.policy.clone(),
        kind: first.runbook.clone(),
        action: first.action.clone(),
        from_cluster: match (&subject.source, first.runbook.as_str()) {
            (Some(cluster), _) => cluster.clone(),
            (None, "deploy") => "none".to_owned(),
            (None, _) => NOT_KNOWN.to_owned(),
        },
        to_cluster: match (&subject.target, first.runbook.as_str()) {
            (Some(cluster), _) => cluster.clone(),
            (None, "deletion") => "none".to_owned(),
            (None, _) => NOT_KNOWN.to_owned(),
        },
        took_ms: until.ms_since(request.when.0),
        request,
        began: subject.seen(first.entry, words::says(merged, first.entry)),
        ended: ended.map(|ended| subject.seen(ended, result.words())),
        result,
        objectives: objectives::all(&subject, loss, recovered, targets),
        loss: loss.map(|index| subject.seen(index, words::says(merged, index))),
        recovered: recovered.map(|index| subject.seen(index, words::says(merged, index))),
        pods_seen: pods_seen(&subject),
        other_commands: other_commands(&subject, &in_steps),
        steps,
        not_protected: protection::missing(&subject, loss),
        deviations: deviations::all(&subject),
    })
}

/// The last of the decisions that were made together with this one.
fn with_decisions(merged: &Merged, decision: usize) -> usize {
    let Some(first) = merged.entries.get(decision) else { return decision };
    let later = merged.entries.iter().enumerate().skip(decision + 1).filter(|(_, entry)| entry.log == first.log);
    let together =
        later.take_while(|(_, entry)| !entry.record.payload.is_input() && entry.record.cause == first.record.cause);
    together.last().map_or(decision, |(index, _)| index)
}

/// The cluster that was last asked to be primary.
fn primary_before((merged, index): (&Merged, &Index), drpc: &Aggregate, hub: usize, before: usize) -> Option<String> {
    let earlier = entries(merged, between(index.own(drpc), 0, before.checked_sub(1)?));
    earlier.rev().find_map(|(_, entry)| match &entry.record.payload {
        Payload::Commanded { command: Command::Hub(hub::Command::ApplyVrgWork(work)), .. }
            if entry.log == hub
                && entry.record.aggregate.as_ref() == Some(drpc)
                && work.manifest.spec.state == "primary" =>
        {
            Some(work.cluster.0.clone())
        }
        // Without the command, what the agent says that it was.
        Payload::Observed(Fact::Hub(hub::Fact::Work(work)))
            if entry.log == hub
                && work.drpc.as_ref().is_some_and(|of| of.namespace == drpc.namespace && of.name == drpc.name)
                && work.feedback.as_ref().is_some_and(|feedback| feedback.state == "Primary") =>
        {
            Some(work.cluster.0.clone())
        }
        _ => None,
    })
}

/// A policy, as last seen before an entry.
fn policy_fact<'a>(
    (merged, index): (&'a Merged, &Index),
    policy: &str,
    before: usize,
) -> Option<(usize, &'a hub::PolicyFact)> {
    between(&index.world, 0, before).iter().rev().find_map(|at| match &merged.entries.get(*at)?.record.payload {
        Payload::Observed(Fact::Hub(hub::Fact::Policy(fact))) if fact.meta.name == policy => Some((*at, &**fact)),
        _ => None,
    })
}

/// The value of an annotation, if the object has it.
fn of_meta(meta: &hub::Meta, name: &str) -> Option<String> {
    meta.annotations.get(name).cloned()
}

/// The steps, and the commands in them.
fn steps(subject: &Subject<'_>, story: &Story, parts: &[&Block<'_>]) -> (Vec<Step>, BTreeSet<usize>) {
    let mut known = BTreeSet::new();
    let mut rows: Vec<Row<'_>> = parts.iter().flat_map(|block| block.rows()).collect();
    rows.retain(|row| known.insert(row.step.entry));
    rows.sort_by_key(|row| (row.step.from, row.step.entry));
    let mut in_steps = BTreeSet::new();
    let steps = rows.iter().map(|row| step(subject, story, row, &mut in_steps)).collect();
    (steps, in_steps)
}

fn step(subject: &Subject<'_>, story: &Story, row: &Row<'_>, in_steps: &mut BTreeSet<usize>) -> Step {
    let (walk, step) = (row.walk, row.step);
    let merged = subject.merged;
    let end = story.end_of(walk.log);
    let last = step.left.unwrap_or(merged.entries.len()).saturating_sub(1);
    let mine = |(index, entry): (usize, &Entry)| {
        let mine = entry.log == walk.log
            && entry.record.aggregate.as_ref() == Some(&walk.aggregate)
            && matches!(entry.record.payload, Payload::Commanded { .. });
        mine.then_some(index)
    };
    let commands: Vec<usize> = subject.own(step.entry, last).filter_map(mine).collect();
    in_steps.extend(&commands);
    let waits = step.waits.iter().map(|waiting| Waited {
        what: waiting.wait.what.clone(),
        on: waiting.wait.on.as_ref().map(ToString::to_string),
        from: When(waiting.from),
        until: waiting.until.map(When),
        ms: waiting.until.unwrap_or(end).ms_since(waiting.from),
        record: merged.name(waiting.entry),
    });
    Step {
        cluster: story.log(walk.log).to_owned(),
        aggregate: walk.aggregate.to_string(),
        step: step.name.clone(),
        from: When(step.from),
        until: step.until.map(When),
        ms: step.until.unwrap_or(end).ms_since(step.from),
        record: merged.name(step.entry),
        ended_by: step.left.map(|left| merged.name(left)),
        waits: waits.collect(),
        commands: commands.into_iter().filter_map(|index| command(merged, index)).collect(),
    }
}

/// Commands of the DRPC and its VRGs between request and end that no step holds.
fn other_commands(subject: &Subject<'_>, in_steps: &BTreeSet<usize>) -> Vec<CommandRun> {
    let others = subject.own(subject.asked, subject.end).filter(|(index, entry)| {
        entry.record.aggregate.as_ref().is_some_and(|aggregate| subject.has(aggregate)) && !in_steps.contains(index)
    });
    others.filter_map(|(index, _)| command(subject.merged, index)).collect()
}

/// A command, and what became of it; `None` when the entry holds none.
pub fn command(merged: &Merged, index: usize) -> Option<CommandRun> {
    let entry = merged.entries.get(index)?;
    let Payload::Commanded { id, command, .. } = &entry.record.payload else { return None };
    let finished = merged.finished(*id).and_then(|at| Some((at, merged.entries.get(at)?)));
    let outcome = finished.and_then(|(_, entry)| match &entry.record.payload {
        Payload::Finished { outcome, .. } => Some(outcome),
        _ => None,
    });
    Some(CommandRun {
        record: merged.name(index),
        cluster: merged.log_name(entry).to_owned(),
        command: words::commanded(command),
        when: When(entry.time),
        outcome: outcome.map_or(NOT_KNOWN, words::outcome_word).to_owned(),
        message: outcome.and_then(Outcome::message).unwrap_or_default().to_owned(),
        outcome_record: finished.map(|(at, _)| merged.name(at)),
        ms: finished.map(|(_, end)| end.record.stamp.time.ms_since(entry.record.stamp.time)),
    })
}

/// The first pod on the target that uses claims in the namespace of a VRG, after the request.
fn pods_seen(subject: &Subject<'_>) -> Option<Seen> {
    let target = subject.target.as_ref()?;
    let log = subject.log_of(target)?;
    subject.own(subject.asked, subject.end).find_map(|(index, entry)| match &entry.record.payload {
        Payload::Observed(Fact::Spoke(spoke::Fact::Pod(pod)))
            if entry.log == log
                && !pod.finished
                && !pod.claims.is_empty()
                && subject.vrgs.iter().any(|vrg| vrg.0 == pod.key.namespace) =>
        {
            Some(subject.seen(index, format!("pod {} uses claim {} on {target}", pod.key, pod.claims.join(", "))))
        }
        _ => None,
    })
}
