//! Several logs as one: hub and managed clusters, in an order in which no effect comes before its cause.
//!
//! Each operator stamps its records with its own clock, so stamps alone may put an answer before its question. Two kinds
//! of messages between operators are recognised in the records themselves:
//!
//! - a VRG carries the hub's command that asked for it: the spoke records it as its cause;
//! - the hub reads a VRG's status back, and its `lastUpdateTime` tells which write it saw.
//!
//! Between these the stamps decide. What the messages prove about the clocks is told, and taken off the times shown.

mod order;
#[cfg(test)]
mod tests;

use std::{cell::OnceCell, collections::BTreeMap, panic::resume_unwind, thread};

use anyhow::Result;
use ramen_events::{
    Aggregate, Command, CommandId, Fact, ObjectId, Payload, Record, Seq, Time,
    hub::{self, ViewAnswer, ViewedObject},
    spoke,
};

use self::order::{Part, Records, ahead, messages, order};
use crate::{open::Log, targets::targets, walks::owners};

/// A record of one of the logs.
pub struct Entry {
    /// Which log.
    pub log: usize,
    /// When it was appended, on the hub's clock as far as that can be told.
    pub time: Time,
    /// The record. Boxed, so that bringing a million of them into order copies none.
    pub record: Box<Record>,
}

/// Several logs in one order.
pub struct Merged {
    /// The logs, the hub's first.
    pub logs: Vec<Log>,
    /// All records, in causal order.
    pub entries: Vec<Entry>,
    /// How far each log's clock is ahead of the hub's at least, in milliseconds.
    pub ahead: Vec<i64>,
    /// Entries of each log, by number from its first record.
    by_seq: Vec<(Seq, Vec<usize>)>,
    commanded: BTreeMap<CommandId, usize>,
    finished: BTreeMap<CommandId, usize>,
    /// Where a VRG's status with this time of update was written first.
    reported: BTreeMap<Report, usize>,
    /// The entry before about the same object.
    before: Vec<Option<usize>>,
    /// The last command about the object of an entry.
    acted: Vec<Option<usize>>,
    /// When each log begins and ends, held or not.
    spans: Vec<Option<(Time, Time)>>,
    /// How many records the logs have, held or not.
    total: u64,
    /// Logs that know no command of another one, though they were asked by one.
    strangers: Vec<usize>,
    /// Logs that tell that records were lost.
    lossy: Vec<usize>,
    /// See [`Merged::owners`]; looked up when it is asked for.
    owners: OnceCell<BTreeMap<(String, String), Aggregate>>,
}

/// A write of a VRG's status: its identity, and `lastUpdateTime`.
type Report = (String, Time);

impl Merged {
    /// Reads and merges logs.
    ///
    /// # Errors
    /// When one can't be read.
    pub fn read(logs: Vec<Log>) -> Result<Self> {
        Self::read_some(logs, &|_| true)
    }

    /// As [`Merged::read`], holding only those records that are wanted. Their order, their times and what is told of clocks
    /// are what they are when all are held; what leads to a record that is not held is not known.
    ///
    /// # Errors
    /// When a log can't be read.
    pub fn read_some(logs: Vec<Log>, wanted: &(dyn Fn(&Record) -> bool + Sync)) -> Result<Self> {
        let read: Vec<Result<Part>> = thread::scope(|scope| {
            let threads: Vec<_> = logs.iter().map(|log| scope.spawn(move || Part::read(log, wanted))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        let mut parts = read.into_iter().collect::<Result<Vec<Part>>>()?;
        let (messages, strangers) = messages(&parts);
        let ahead = ahead(parts.len(), &messages);
        let records: Vec<Records> = parts.iter_mut().map(|part| std::mem::take(&mut part.records)).collect();
        let order = order(&records, &messages, &ahead);
        let spans = parts.iter().zip(&ahead).map(|(part, ahead)| {
            let (first, last) = part.span?;
            Some((on_hubs_clock(first, *ahead), on_hubs_clock(last, *ahead)))
        });
        let spans = spans.collect();
        let total = parts.iter().map(|part| part.total).sum();
        let lossy = parts.iter().enumerate().filter(|(_, part)| part.lost).map(|(log, _)| log).collect();
        drop(parts);
        let mut merged = Self::new(logs, records, &order, ahead);
        (merged.spans, merged.total, merged.strangers, merged.lossy) = (spans, total, strangers, lossy);
        Ok(merged)
    }

    fn new(logs: Vec<Log>, records: Vec<Records>, order: &[usize], ahead: Vec<i64>) -> Self {
        let mut merged = Self {
            by_seq: logs.iter().map(|log| (log.history.base().seq.next(), Vec::new())).collect(),
            logs,
            entries: Vec::with_capacity(order.len()),
            ahead,
            commanded: BTreeMap::new(),
            finished: BTreeMap::new(),
            reported: BTreeMap::new(),
            before: Vec::with_capacity(order.len()),
            acted: Vec::with_capacity(order.len()),
            spans: Vec::new(),
            total: 0,
            strangers: Vec::new(),
            lossy: Vec::new(),
            owners: OnceCell::new(),
        };
        let mut queues: Vec<_> = records.into_iter().map(Vec::into_iter).collect();
        // Of an object, its last fact and the last remark on it.
        let mut last: BTreeMap<(usize, ObjectId, bool), usize> = BTreeMap::new();
        let mut acts: BTreeMap<(usize, ObjectId), usize> = BTreeMap::new();
        for &log in order {
            let Some(record) = queues.get_mut(log).and_then(Iterator::next) else { continue };
            let index = merged.entries.len();
            let (mut before, mut acted) = (None, None);
            match &record.payload {
                Payload::Observed(fact) => {
                    let (id, remark) = (fact.object(), fact.is_remark());
                    acted = acts.get(&(log, id.clone())).copied().filter(|_| !remark);
                    before = last.insert((log, id, remark), index);
                }
                Payload::Gone(object) => {
                    let object = (log, object.clone());
                    acted = acts.get(&object).copied();
                    last.remove(&(log, object.1.clone(), true));
                    before = last.remove(&(log, object.1, false));
                }
                Payload::Commanded { id, command, .. } => {
                    merged.commanded.insert(*id, index);
                    acts.extend(targets(command).into_iter().map(|object| ((log, object), index)));
                    if let Some(report) = written(command) {
                        merged.reported.entry(report).or_insert(index);
                    }
                }
                Payload::Finished { id, .. } => {
                    merged.finished.insert(*id, index);
                }
                _ => {}
            }
            let ahead = merged.ahead.get(log).copied().unwrap_or_default();
            let time = on_hubs_clock(record.stamp.time, ahead);
            merged.before.push(before);
            merged.acted.push(acted);
            if let Some((_, entries)) = merged.by_seq.get_mut(log) {
                entries.push(index);
            }
            merged.entries.push(Entry { log, time, record });
        }
        merged
    }

    /// An entry by log and number; `None` if it is not held.
    pub fn at(&self, log: usize, seq: Seq) -> Option<usize> {
        let (first, entries) = self.by_seq.get(log)?;
        let is = |index: &usize| self.entries.get(*index).map(|entry| entry.record.seq);
        let place = usize::try_from(seq.0.checked_sub(first.0)?).ok()?;
        // Where all are held, each is at its place.
        match entries.get(place).filter(|index| is(index) == Some(seq)) {
            Some(index) => Some(*index),
            None => entries.binary_search_by_key(&Some(seq), is).ok().and_then(|place| entries.get(place).copied()),
        }
    }

    /// When a log begins and ends, on the hub's clock as far as that can be told; also what is not held of it.
    pub fn span_of(&self, log: usize) -> Option<(Time, Time)> {
        self.spans.get(log).copied().flatten()
    }

    /// Whether some records are not held.
    pub fn is_partial(&self) -> bool {
        self.total > self.entries.len() as u64
    }

    /// How many records the logs have, held or not.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// All entries of a log, in order.
    pub fn entries_of(&self, log: usize) -> &[usize] {
        self.by_seq.get(log).map_or(&[], |(_, entries)| entries)
    }

    /// The DRPC of each VRG, by namespace and name, as far as the hub's log tells.
    pub fn owners(&self) -> &BTreeMap<(String, String), Aggregate> {
        self.owners.get_or_init(|| owners(self))
    }

    /// A record's name: `hub#120`.
    pub fn name(&self, index: usize) -> String {
        self.entries.get(index).map_or_else(String::new, |entry| {
            let log = self.logs.get(entry.log).map_or("?", Log::name);
            format!("{log}#{}", entry.record.seq)
        })
    }

    /// The name of an entry's log.
    pub fn log_name(&self, entry: &Entry) -> &str {
        self.logs.get(entry.log).map_or("?", Log::name)
    }

    /// Where a command was decided.
    pub fn commanded(&self, id: CommandId) -> Option<usize> {
        self.commanded.get(&id).copied()
    }

    /// Where a command ended.
    pub fn finished(&self, id: CommandId) -> Option<usize> {
        self.finished.get(&id).copied()
    }

    /// The entry before about the same object, unless that was gone in between.
    pub fn before(&self, index: usize) -> Option<usize> {
        self.before.get(index).copied().flatten()
    }

    /// The last command before an entry that acts on the entry's object, of the same log.
    pub fn acted(&self, index: usize) -> Option<usize> {
        self.acted.get(index).copied().flatten()
    }

    /// The write of a VRG's status that the hub saw in this entry, if the fact before it did not show it already.
    pub fn reported(&self, index: usize) -> Option<usize> {
        let shown = |index: usize| match &self.entries.get(index)?.record.payload {
            Payload::Observed(fact) => seen(fact),
            _ => None,
        };
        let report = shown(index)?;
        let known = self.before(index).and_then(shown).is_some_and(|before| before == report);
        if known { None } else { self.reported.get(&report).copied() }
    }

    /// What the messages prove about the clocks, one sentence a log; nothing while they agree.
    pub fn clocks(&self) -> Vec<String> {
        let skewed = self.logs.iter().zip(&self.ahead).filter(|(_, ahead)| **ahead != 0);
        skewed
            .map(|(log, ahead)| {
                let (span, way) =
                    (crate::moment::span_text(ahead.unsigned_abs()), if *ahead > 0 { "ahead of" } else { "behind" });
                format!(
                    "the clock of {} is at least {span} {way} the hub's; times are shown on the hub's clock",
                    log.name()
                )
            })
            .collect()
    }

    /// Whether the hub's log is here, from its first record on, and nothing was lost of it.
    pub fn is_whole_hub(&self) -> bool {
        let hub = self.logs.iter().position(Log::is_hub);
        let whole = |log: &Log| log.history.base().seq == Seq(0) && log.wrong.is_none();
        hub.is_some_and(|hub| self.logs.get(hub).is_some_and(whole) && !self.lossy.contains(&hub))
    }

    /// Managed clusters whose log knows no command of the hub's log: they may be of another installation.
    pub fn strangers(&self) -> Vec<&Log> {
        if !self.logs.iter().any(Log::is_hub) {
            return Vec::new();
        }
        self.strangers.iter().filter_map(|log| self.logs.get(*log)).filter(|log| !log.is_hub()).collect()
    }
}

/// The status that a command writes to a VRG.
fn written(command: &Command) -> Option<Report> {
    match command {
        Command::Spoke(spoke::Command::WriteVrgStatus { uid, status, .. }) => Some((uid.clone(), status.last_update?)),
        _ => None,
    }
}

/// The status of a VRG that a fact of the hub shows.
fn seen(fact: &Fact) -> Option<Report> {
    let (uid, update) = match fact {
        Fact::Hub(hub::Fact::Work(work)) => {
            let feedback = work.feedback.as_ref()?;
            (&feedback.uid, feedback.last_update?)
        }
        Fact::Hub(hub::Fact::View(view)) => match &view.answer {
            ViewAnswer::Found(ViewedObject::Vrg(vrg)) => (&vrg.uid, vrg.status.as_ref()?.last_update?),
            _ => return None,
        },
        _ => return None,
    };
    Some((uid.clone(), update))
}

/// A time that a clock showed which is ahead of the hub's by so many milliseconds.
fn on_hubs_clock(time: Time, ahead: i64) -> Time {
    Time(time.0.saturating_add_signed(-ahead))
}
