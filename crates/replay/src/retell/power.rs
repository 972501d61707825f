//! Which clusters were lost and came back, and which operators were restarted: read off silence, and what ended it.
//!
//! No record says that a cluster lost power. What says so is that people failed over from it, or that the hub holds it
//! for unavailable, and that nothing was heard of it meanwhile: neither its own log nor its agents on the hub say
//! anything until its operator starts again.

use std::collections::BTreeMap;

use ramen_events::{
    Command, ConditionStatus, Fact, ObjectId, Payload, Time,
    hub::{self, Feedback, ViewAnswer, WorkCondition},
};
use ramen_trials::{happening::Happening, universe};

use super::{Place, Tale, Telling, Told};
use crate::moment::{clock_text, span_text};

/// From power to the start of the operator, in milliseconds, as in the simulated world.
const BOOT: u64 = universe::BOOT.as_secs() * 1_000;
/// From the death of an operator to its next start, as there.
const RESTART: u64 = universe::RESTART.as_secs() * 1_000;
/// After how long OCM holds a silent cluster for unavailable: five leases of a minute.
const GRACE: u64 = 300_000;
/// How often a cluster renews its lease, in milliseconds.
const LEASE: u64 = 60_000;
/// How long a silence has to be to say something by itself, in milliseconds.
const SILENCE: u64 = 30_000;
/// How long a living cluster takes to answer at most.
const ANSWER: u64 = 10_000;

/// A sign of life of a cluster: where in the merged order, and when.
#[derive(Clone, Copy)]
struct Sign {
    index: usize,
    time: Time,
}

/// When a cluster was without power.
struct Loss {
    from: Time,
    until: Option<Time>,
    /// The record that ended it.
    ended_by: Option<usize>,
}

/// What was heard of one cluster.
struct Heard {
    cluster: String,
    log: Option<usize>,
    /// Its own records.
    own: Vec<Sign>,
    /// Which of them are starts of its operator; the first one of the log is none.
    starts: Vec<Sign>,
    /// What its agents told the hub.
    agents: Vec<Sign>,
    /// What the hub asked of it.
    asked: Vec<Sign>,
    /// What the hub holds of it.
    available: Vec<(Sign, bool)>,
}

/// Reads losses, returns and restarts.
pub(super) fn read(telling: &Telling<'_>, recorded: &[Told], tale: &mut Tale) {
    let begin = recorded.first().map_or_else(|| telling.end(), |told| told.time);
    let begin = if tale.applications.iter().any(|application| application.before) { Time(0) } else { begin };
    for cluster in tale.clusters.clone() {
        let heard = heard(telling, &cluster);
        let failovers: Vec<&Told> = recorded.iter().filter(|told| is_away_from(told, &cluster, tale)).collect();
        let mut losses: Vec<Loss> = Vec::new();
        for failover in failovers {
            let within =
                |loss: &Loss| loss.from <= failover.time && loss.until.is_none_or(|until| failover.time < until);
            if losses.iter().any(within) {
                continue;
            }
            if let Some(loss) = heard.loss_at(failover.time, &mut tale.assumed) {
                losses.push(loss);
            }
        }
        unavailable(&heard, telling, recorded, &mut losses, tale);
        unanswered(&heard, telling, &mut losses, tale);
        interrupted(&heard, telling, &mut losses);
        for loss in &losses {
            let last = heard.last_before(loss.from);
            let record = last.and_then(|last| {
                let log = telling.merged.entries.get(last.index)?.log;
                telling.input_before(log, last.index)
            });
            let told = |time, what, record| Told { time, what, record, changed: false };
            tale.happenings.push(told(loss.from, Happening::Lose { cluster: cluster.clone() }, record));
            if let Some(until) = loss.until {
                let record = loss.ended_by.and_then(|index| place(telling, index));
                tale.happenings.push(told(until, Happening::BringBack { cluster: cluster.clone() }, record));
            }
            tale.assumed.push(heard.words(loss));
        }
        let is_return = |start: &Sign| losses.iter().any(|loss| loss.ended_by == Some(start.index));
        let restarts: Vec<Sign> =
            heard.starts.iter().filter(|start| !is_return(start) && start.time > begin).copied().collect();
        crashes(telling, &cluster, &heard.own, &restarts, tale);
    }
    let own: Vec<Sign> = telling.of(telling.hub).map(|(index, entry)| Sign { index, time: entry.time }).collect();
    let starts: Vec<Sign> = starts(telling, telling.hub).into_iter().filter(|start| start.time > begin).collect();
    crashes(telling, "hub", &own, &starts, tale);
}

fn place(telling: &Telling<'_>, index: usize) -> Option<Place> {
    telling.merged.entries.get(index).map(|entry| (entry.log, entry.record.seq))
}

/// Whether it is a failover to the other cluster of the pair.
fn is_away_from(told: &Told, cluster: &str, tale: &Tale) -> bool {
    let Happening::Failover { to, .. } = &told.what else { return false };
    tale.clusters.chunks(2).any(|pair| pair.iter().any(|one| one == to) && pair.iter().any(|one| one == cluster))
        && to != cluster
}

fn crashes(telling: &Telling<'_>, operator: &str, own: &[Sign], restarts: &[Sign], tale: &mut Tale) {
    for start in restarts {
        let before = own.iter().rfind(|sign| sign.index < start.index).map_or(Time(0), |sign| sign.time);
        let time = before.max(Time(start.time.0.saturating_sub(RESTART)));
        let lost = matches!(
            telling.merged.entries.get(start.index + 1).map(|entry| &entry.record.payload),
            Some(Payload::Lost { .. })
        );
        let what = Happening::Crash { operator: operator.to_owned(), losing_tail: lost };
        tale.happenings.push(Told { time, what, record: place(telling, start.index), changed: false });
    }
    if !restarts.is_empty() {
        let times = if restarts.len() == 1 { "once".to_owned() } else { format!("{} times", restarts.len()) };
        tale.assumed.push(format!(
            "the operator of {operator} died {times}, {} before it started again, or after its last record",
            span_text(RESTART)
        ));
    }
}

/// Losses, and cut links, that the hub tells of by holding a cluster for unavailable.
fn unavailable(heard: &Heard, telling: &Telling<'_>, recorded: &[Told], losses: &mut Vec<Loss>, tale: &mut Tale) {
    for (at, (sign, available)) in heard.available.iter().enumerate() {
        let is_first = at == 0 || heard.available.get(at - 1).is_some_and(|(_, before)| *before);
        if *available || !is_first {
            continue;
        }
        let back = heard.available.iter().skip(at).find(|(_, available)| *available).map(|(sign, _)| *sign);
        let within = |loss: &Loss| loss.from <= sign.time && loss.until.is_none_or(|until| sign.time < until);
        if losses.iter().any(within) {
            continue;
        }
        let until = back.map_or_else(|| telling.end(), |back| back.time);
        let silent = Time(sign.time.0.saturating_sub(GRACE));
        let restarts = heard.starts.iter().find(|start| start.time > silent && start.time <= until.plus_ms(ANSWER));
        // A cluster that has power again renews its lease within a minute.
        let since = restarts.map_or(sign.time, |start| start.time.plus_ms(LEASE));
        let lives = |own: &&Sign| own.time > since && own.time < until;
        let heard_of = heard.agents.iter().rfind(|agent| agent.index < sign.index).map_or(silent, |agent| agent.time);
        let cluster = heard.cluster.clone();
        if heard.own.iter().any(|own| lives(&own)) {
            let failover = recorded
                .iter()
                .find(|told| is_away_from(told, &heard.cluster, tale) && told.time > heard_of && told.time < sign.time);
            let from = failover.map_or_else(|| heard_of.max(silent).plus_ms(1), |failover| failover.time);
            let told = |time, works, index| {
                let what = Happening::HubLink { cluster: cluster.clone(), works };
                Told { time, what, record: place(telling, index), changed: false }
            };
            tale.happenings.push(told(from, false, sign.index));
            tale.happenings.extend(back.map(|back| told(back.time, true, back.index)));
            tale.assumed.push(format!(
                "{cluster} did not reach the hub from {} on: the hub held it for unavailable while its own log goes on",
                clock_text(from)
            ));
            continue;
        }
        let from = heard.last_before(sign.time).map_or(silent, |last| last.time.plus_ms(1)).max(silent);
        let end = restarts.copied().or(back);
        losses.push(Loss {
            from,
            until: end.map(|end| if restarts.is_some() { booted(from, end.time) } else { end.time }),
            ended_by: end.map(|end| end.index),
        });
    }
}

/// Losses, and cut links, that nobody answering the hub tells of.
fn unanswered(heard: &Heard, telling: &Telling<'_>, losses: &mut Vec<Loss>, tale: &mut Tale) {
    for asked in &heard.asked {
        let answer = heard.agents.iter().find(|agent| agent.index > asked.index).copied();
        let until = answer.map_or_else(|| telling.end(), |answer| answer.time);
        let known = |loss: &Loss| loss.from <= until && loss.until.is_none_or(|until| asked.time < until);
        let cut = |told: &Told| matches!(&told.what, Happening::HubLink { cluster, .. } if *cluster == heard.cluster);
        if until.ms_since(asked.time) < SILENCE || losses.iter().any(known) || tale.happenings.iter().any(cut) {
            continue;
        }
        let own: Vec<Sign> =
            heard.own.iter().filter(|own| own.time > asked.time && own.time < until).copied().collect();
        let start = heard.starts.iter().find(|start| start.time > asked.time && start.time <= until.plus_ms(ANSWER));
        let before = own.iter().rfind(|own| start.is_none_or(|start| own.index < start.index));
        if heard.log.is_some() && start.is_none() && before.is_some() {
            let told = |time, works, index| {
                let what = Happening::HubLink { cluster: heard.cluster.clone(), works };
                Told { time, what, record: place(telling, index), changed: false }
            };
            let last = heard.last_before(asked.time).map_or(asked.index, |last| last.index);
            tale.happenings.push(told(asked.time, false, last));
            tale.happenings.extend(answer.map(|answer| told(answer.time, true, answer.index)));
            tale.assumed.push(format!(
                "{} did not reach the hub from {} on: it did not answer while its own log goes on",
                heard.cluster,
                clock_text(asked.time)
            ));
            continue;
        }
        let from = before.map_or(asked.time, |before| before.time.plus_ms(1));
        let end = start.copied().or(answer);
        losses.push(Loss {
            from,
            until: end.map(|end| if start.is_some() { booted(from, end.time) } else { end.time }),
            ended_by: end.map(|end| end.index),
        });
    }
}

/// Losses that show in a log that stops in the middle of something, for longer than an operator is down, while nothing
/// else is heard of the cluster.
fn interrupted(heard: &Heard, telling: &Telling<'_>, losses: &mut Vec<Loss>) {
    for start in &heard.starts {
        let Some(last) = heard.own.iter().rfind(|own| own.index < start.index) else { continue };
        let known = |loss: &Loss| loss.from <= start.time && loss.until.is_none_or(|until| last.time < until);
        // Agents are back before the operator is.
        let back = Time(start.time.0.saturating_sub(BOOT + RESTART));
        let heard_of = heard.agents.iter().any(|agent| agent.time > last.time.plus_ms(1_000) && agent.time < back);
        if start.time.ms_since(last.time) < SILENCE || losses.iter().any(known) || heard_of {
            continue;
        }
        // What the hub asks is always noted by the operator, at once.
        let unheard = heard.asked.iter().any(|asked| asked.time >= last.time && asked.time < start.time);
        if unheard || is_busy(telling, heard.log, last.index) {
            let agent = heard.agents.iter().rfind(|agent| agent.time < back).map_or(last.time, |agent| agent.time);
            let from = last.time.max(agent).plus_ms(1);
            losses.push(Loss { from, until: Some(booted(from, start.time)), ended_by: Some(start.index) });
        }
    }
}

/// Whether an operator waited for something when it wrote this entry.
fn is_busy(telling: &Telling<'_>, log: Option<usize>, index: usize) -> bool {
    let mut waits = BTreeMap::new();
    for (_, entry) in log.into_iter().flat_map(|log| telling.of(log)).take_while(|(at, _)| *at <= index) {
        if let (Payload::Moved(position), Some(aggregate)) = (&entry.record.payload, &entry.record.aggregate) {
            waits.insert(aggregate, position.wait.is_some());
        }
    }
    waits.values().any(|waits| *waits)
}

/// When power was back, of an operator that started then.
fn booted(lost: Time, started: Time) -> Time {
    let back = Time(started.0.saturating_sub(BOOT));
    if back > lost { back } else { started }
}

impl Heard {
    /// The last sign of life before a time.
    fn last_before(&self, time: Time) -> Option<Sign> {
        let of = |signs: &[Sign]| signs.iter().rfind(|sign| sign.time < time).copied();
        of(&self.own).or_else(|| of(&self.agents))
    }

    /// A failover from the cluster was asked for then: whether it was lost, and until when.
    fn loss_at(&self, time: Time, assumed: &mut Vec<String>) -> Option<Loss> {
        let agent = self.agents.iter().find(|sign| sign.time > time && sign.time <= time.plus_ms(ANSWER)).copied();
        let cluster = &self.cluster;
        let mut alive = |sign: Sign| -> Option<Loss> {
            assumed.push(format!(
                "{cluster} has power when the failover from it is asked for: it is heard of at {}",
                clock_text(sign.time)
            ));
            None
        };
        if self.log.is_some() {
            let next = self.own.iter().find(|sign| sign.time > time).copied();
            return match next {
                Some(next) if self.starts.iter().any(|start| start.index == next.index) => {
                    Some(Loss { from: time, until: Some(booted(time, next.time)), ended_by: Some(next.index) })
                }
                Some(next) => alive(next),
                None => match agent {
                    Some(agent) => alive(agent),
                    None => Some(Loss { from: time, until: None, ended_by: None }),
                },
            };
        }
        if let Some(agent) = agent {
            return alive(agent);
        }
        let asked = self.asked.iter().find(|asked| asked.time > time);
        let answer = |from: Time| self.agents.iter().find(|sign| sign.time > from).copied();
        match asked {
            Some(asked) => {
                let answer = answer(asked.time);
                let late = answer.is_none_or(|answer| answer.time.ms_since(asked.time) > ANSWER);
                late.then(|| Loss {
                    from: time,
                    until: answer.map(|answer| answer.time),
                    ended_by: answer.map(|answer| answer.index),
                })
            }
            None => {
                assumed
                    .push(format!("{cluster} is lost when the failover from it is asked for: nothing says otherwise"));
                Some(Loss { from: time, until: None, ended_by: None })
            }
        }
    }

    fn words(&self, loss: &Loss) -> String {
        let cluster = &self.cluster;
        let silence = self.last_before(loss.from).map_or_else(
            || "nothing is heard of it before".to_owned(),
            |last| format!("the last that is heard of it is at {}", clock_text(last.time)),
        );
        let back = match loss.until {
            Some(until) => format!("is back at {}", clock_text(until)),
            None => "is not back when the log ends".to_owned(),
        };
        format!("{cluster} loses power at {} and {back}; {silence}", clock_text(loss.from))
    }
}

fn starts(telling: &Telling<'_>, log: usize) -> Vec<Sign> {
    let all = telling.of(log).filter(|(_, entry)| matches!(entry.record.payload, Payload::Started { .. }));
    all.map(|(index, entry)| Sign { index, time: entry.time }).skip(1).collect()
}

fn heard(telling: &Telling<'_>, cluster: &str) -> Heard {
    let log = telling.log_of(cluster);
    let mut heard = Heard {
        cluster: cluster.to_owned(),
        log,
        own: Vec::new(),
        starts: Vec::new(),
        agents: Vec::new(),
        asked: Vec::new(),
        available: Vec::new(),
    };
    if let Some(log) = log {
        heard.own = telling.of(log).map(|(index, entry)| Sign { index, time: entry.time }).collect();
        heard.starts = starts(telling, log);
    }
    let mut told: BTreeMap<ObjectId, Answer> = BTreeMap::new();
    for (index, entry) in telling.of(telling.hub) {
        let sign = Sign { index, time: entry.time };
        match &entry.record.payload {
            Payload::Observed(fact @ Fact::Hub(hub::Fact::Work(work))) if work.cluster.as_str() == cluster => {
                let answer =
                    Answer::Work(Box::new((work.applied.clone(), work.available.clone(), work.feedback.clone())));
                let is_empty = work.applied.is_none() && work.available.is_none() && work.feedback.is_none();
                if told.insert(fact.object(), answer.clone()) != Some(answer) && !is_empty {
                    heard.agents.push(sign);
                }
            }
            Payload::Observed(fact @ Fact::Hub(hub::Fact::View(view))) if view.cluster.as_str() == cluster => {
                let answer = Answer::View(Box::new(view.answer.clone()), view.flipped);
                let is_empty = view.answer == ViewAnswer::Silent;
                if told.insert(fact.object(), answer.clone()) != Some(answer) && !is_empty {
                    heard.agents.push(sign);
                }
            }
            Payload::Observed(Fact::Hub(hub::Fact::ManagedCluster(managed))) if managed.name == cluster => {
                heard.available.push((sign, managed.available == Some(ConditionStatus::True)));
            }
            Payload::Commanded { command: Command::Hub(command), .. } => match command {
                hub::Command::ApplyVrgWork(work) if work.cluster.as_str() == cluster => heard.asked.push(sign),
                hub::Command::ApplyNamespaceWork(work) if work.cluster.as_str() == cluster => heard.asked.push(sign),
                _ => {}
            },
            _ => {}
        }
    }
    heard
}

/// What an agent has to say of an object on the hub.
#[derive(Clone, PartialEq)]
enum Answer {
    Work(Box<(Option<WorkCondition>, Option<WorkCondition>, Option<Feedback>)>),
    View(Box<ViewAnswer>, Option<Time>),
}
