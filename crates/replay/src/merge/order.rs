//! One pass over each log for what brings them into one order: which message of another log each record comes after.
//!
//! A record that is not held counts all the same: what it must come after, the next one that is held must.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use ramen_events::{Cause, CommandId, Payload, Record, Time};

use super::{Report, on_hubs_clock, seen, written};
use crate::open::Log;

/// The records of one log.
pub(super) type Records = Vec<Box<Record>>;

/// Where a record stands: how many that are held come before it (itself included, for one that was sent), and its time.
#[derive(Clone, Copy)]
struct Place {
    held: usize,
    time: Time,
}

/// What was read of one log.
#[derive(Default)]
pub(super) struct Part {
    /// Those that are held.
    pub records: Records,
    /// How many there are.
    pub total: u64,
    /// The times of the first and the last.
    pub span: Option<(Time, Time)>,
    /// It tells that records were lost before it.
    pub lost: bool,
    commands: HashMap<CommandId, Place>,
    reports: HashMap<Report, Place>,
    /// Commands of other operators that were taken for a cause.
    asked: Vec<(CommandId, Place)>,
    /// Reports that were seen, each time that another one was seen of the same VRG.
    seen: Vec<(Report, Place)>,
}

impl Part {
    pub fn read(log: &Log, wanted: &(dyn Fn(&Record) -> bool + Sync)) -> Result<Self> {
        let mut part = Self::default();
        let mut last_seen: HashMap<String, Time> = HashMap::new();
        for record in log.history.scan(log.history.base().seq.next()) {
            let (record, _) = record.with_context(|| format!("could not read {}", log.path.display()))?;
            let time = record.stamp.time;
            part.total += 1;
            part.span = Some((part.span.map_or(time, |(first, _)| first), time));
            let (place, held) = (Place { held: part.records.len(), time }, wanted(&record));
            match (&record.cause, &record.payload) {
                (Cause::Remote { command, .. }, _) => part.asked.push((*command, place)),
                (_, Payload::Observed(fact)) => {
                    if let Some((vrg, update)) = seen(fact)
                        && last_seen.get(&vrg) != Some(&update)
                    {
                        last_seen.insert(vrg.clone(), update);
                        part.seen.push(((vrg, update), place));
                    }
                }
                _ => {}
            }
            part.lost |= matches!(record.payload, Payload::Lost { .. });
            if let Payload::Commanded { id, command, .. } = &record.payload {
                let sent = Place { held: place.held + usize::from(held), time };
                part.commands.insert(*id, sent);
                if let Some(report) = written(command) {
                    part.reports.entry(report).or_insert(sent);
                }
            }
            if held {
                part.records.push(Box::new(record));
            }
        }
        Ok(part)
    }
}

/// Messages between logs.
#[derive(Default)]
pub(super) struct Messages {
    /// For a record of a log (by its place among those held): how many held ones of which other log come before it.
    before: BTreeMap<(usize, usize, usize), usize>,
    /// From which log to which, and the times of both ends, on the clocks of both.
    times: Vec<((usize, usize), (Time, Time))>,
}

/// Finds the messages, and the logs that know no command of those that they were asked to carry out.
pub(super) fn messages(parts: &[Part]) -> (Messages, Vec<usize>) {
    let (mut commands, mut reports) = (HashMap::new(), HashMap::new());
    for (log, part) in parts.iter().enumerate() {
        commands.extend(part.commands.iter().map(|(id, place)| (*id, (log, *place))));
        for (report, place) in &part.reports {
            reports.entry(report).or_insert((log, *place));
        }
    }
    let (mut messages, mut strangers) = (Messages::default(), Vec::new());
    for (log, part) in parts.iter().enumerate() {
        let asked = part.asked.iter().map(|(id, place)| (commands.get(id), place));
        let shown = part.seen.iter().map(|(report, place)| (reports.get(report), place));
        for (sent, received) in asked.chain(shown) {
            if let Some((from, sent)) = sent.filter(|(from, _)| *from != log) {
                let before = messages.before.entry((log, received.held, *from)).or_default();
                *before = sent.held.max(*before);
                messages.times.push(((*from, log), (sent.time, received.time)));
            }
        }
        // One that was never asked for anything is no stranger.
        if !part.asked.is_empty() && !part.asked.iter().any(|(id, _)| commands.contains_key(id)) {
            strangers.push(log);
        }
    }
    (messages, strangers)
}

/// How far each log's clock is ahead of the first one's at least, so that no message arrives before it was sent.
pub(super) fn ahead(logs: usize, messages: &Messages) -> Vec<i64> {
    let ms = |time: Time| i64::try_from(time.0).unwrap_or(i64::MAX);
    let between = |from: usize, to: usize| {
        let those = messages.times.iter().filter(move |(ends, _)| *ends == (from, to));
        those.map(move |(_, (sent, received))| ms(*received) - ms(*sent))
    };
    let of = |log: usize| {
        // A message from the hub arrives later than it was sent: the clock is ahead by no more than this.
        let most = between(0, log).min();
        // One to the hub is seen later than it was sent: the clock is ahead by no less than this.
        let least = between(log, 0).map(|took| -took).max();
        match (least, most) {
            (Some(least), _) if least > 0 => least,
            (_, Some(most)) if most < 0 => most,
            _ => 0,
        }
    };
    (0..logs).map(of).collect()
}

/// Which log's next record comes next, all the way. In each log the order stays; a record that waits for a message of
/// another log holds up its own log only.
pub(super) fn order(records: &[Records], messages: &Messages, ahead: &[i64]) -> Vec<usize> {
    let mut next = vec![0; records.len()];
    let mut order = Vec::with_capacity(records.iter().map(Vec::len).sum());
    let key = |log: usize, next: &[usize]| {
        let index = *next.get(log)?;
        let record = records.get(log)?.get(index)?;
        let ahead = ahead.get(log).copied().unwrap_or_default();
        let mut sent = messages.before.range((log, index, 0)..=(log, index, usize::MAX));
        let waits = sent.any(|((.., from), before)| next.get(*from).is_some_and(|next| next < before));
        Some((waits, on_hubs_clock(record.stamp.time, ahead), record.stamp.count, log))
    };
    while let Some((.., log)) = (0..records.len()).filter_map(|log| key(log, &next)).min() {
        order.push(log);
        if let Some(next) = next.get_mut(log) {
            *next += 1;
        }
    }
    order
}
