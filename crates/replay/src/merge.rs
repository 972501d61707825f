//! Several logs as one: hub and managed clusters, in an order in which no effect comes before its cause.
//!
//! Each operator stamps its records with its own clock, so stamps alone may put an answer before its question. Two kinds
//! of messages between operators are recognised in the records themselves:
//!
//! - a VRG carries the hub's command that asked for it: the spoke records it as its cause;
//! - the hub reads a VRG's status back, and its `lastUpdateTime` tells which write it saw.
//!
//! Between these the stamps decide. What the messages prove about the clocks is told, and taken off the times shown.

use std::{cell::OnceCell, collections::BTreeMap};

use anyhow::{Context, Result};
use ramen_events::{
    Aggregate, Cause, Command, CommandId, Fact, ObjectId, Payload, Record, Seq, Time,
    hub::{self, ViewAnswer, ViewedObject},
    spoke,
};

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
    /// See [`Merged::owners`]; looked up when it is asked for.
    owners: OnceCell<BTreeMap<(String, String), Aggregate>>,
}

/// A write of a VRG's status: its identity, and `lastUpdateTime`.
type Report = (String, Time);

/// The records of one log.
type Records = Vec<Box<Record>>;

/// A record of a log: which log, and which record of it, counted from 0.
type Place = (usize, usize);

impl Merged {
    /// Reads and merges logs.
    ///
    /// # Errors
    /// When one can't be read.
    pub fn read(logs: Vec<Log>) -> Result<Self> {
        let mut records = Vec::new();
        for log in &logs {
            let scan = log.history.scan(log.history.base().seq.next());
            let all = scan.map(|record| record.map(|(record, _)| Box::new(record)));
            let all: Records =
                all.collect::<Result<_, _>>().with_context(|| format!("could not read {}", log.path.display()))?;
            records.push(all);
        }
        let messages = messages(&records);
        let ahead = ahead(&records, &messages);
        let order = order(&records, &messages, &ahead);
        Ok(Self::new(logs, records, &order, ahead))
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
            let time = Time(record.stamp.time.0.saturating_add_signed(-ahead));
            merged.before.push(before);
            merged.acted.push(acted);
            if let Some((_, entries)) = merged.by_seq.get_mut(log) {
                entries.push(index);
            }
            merged.entries.push(Entry { log, time, record });
        }
        merged
    }

    /// An entry by log and number.
    pub fn at(&self, log: usize, seq: Seq) -> Option<usize> {
        let (first, entries) = self.by_seq.get(log)?;
        let index = usize::try_from(seq.0.checked_sub(first.0)?).ok()?;
        entries.get(index).copied()
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
        hub.is_some_and(|hub| {
            self.logs.get(hub).is_some_and(|log| log.history.base().seq == Seq(0) && log.wrong.is_none())
                && !self
                    .entries
                    .iter()
                    .any(|entry| entry.log == hub && matches!(entry.record.payload, Payload::Lost { .. }))
        })
    }

    /// Managed clusters whose log knows no command of the hub's log: they may be of another installation.
    pub fn strangers(&self) -> Vec<&Log> {
        if !self.logs.iter().any(Log::is_hub) {
            return Vec::new();
        }
        let knows = |log: usize| {
            let causes = self.entries.iter().filter(|entry| entry.log == log).map(|entry| &entry.record.cause);
            let mut remote = causes.filter_map(|cause| match cause {
                Cause::Remote { command, .. } => Some(self.commanded(*command).is_some()),
                _ => None,
            });
            // One that was never asked for anything is no stranger.
            let first = remote.next();
            first.is_none_or(|known| known || remote.any(|known| known))
        };
        let strangers = self.logs.iter().enumerate().filter(|(index, log)| !log.is_hub() && !knows(*index));
        strangers.map(|(_, log)| log).collect()
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

/// For each record of each log, the record of another log that it must come after.
fn messages(records: &[Records]) -> BTreeMap<Place, Place> {
    let mut commands = BTreeMap::new();
    let mut reports = BTreeMap::new();
    for (log, all) in records.iter().enumerate() {
        for (index, record) in all.iter().enumerate() {
            if let Payload::Commanded { id, command, .. } = &record.payload {
                commands.insert(*id, (log, index));
                if let Some(report) = written(command) {
                    reports.entry(report).or_insert((log, index));
                }
            }
        }
    }
    let mut messages = BTreeMap::new();
    for (log, all) in records.iter().enumerate() {
        for (index, record) in all.iter().enumerate() {
            let sent = match (&record.cause, &record.payload) {
                (Cause::Remote { command, .. }, _) => commands.get(command),
                (_, Payload::Observed(fact)) => seen(fact).and_then(|report| reports.get(&report)),
                _ => None,
            };
            if let Some(sent) = sent.filter(|(from, _)| *from != log) {
                messages.insert((log, index), *sent);
            }
        }
    }
    messages
}

/// How far each log's clock is ahead of the first one's at least, so that no message arrives before it was sent.
fn ahead(records: &[Records], messages: &BTreeMap<Place, Place>) -> Vec<i64> {
    let ms = |(log, index): Place| {
        let time = records.get(log).and_then(|all| all.get(index)).map_or(0, |record| record.stamp.time.0);
        i64::try_from(time).unwrap_or(i64::MAX)
    };
    (0..records.len())
        .map(|log| {
            // A message from the hub arrives later than it was sent: the clock is ahead by no more than this.
            let most =
                messages.iter().filter(|(to, from)| to.0 == log && from.0 == 0).map(|(to, from)| ms(*to) - ms(*from));
            // One to the hub is seen later than it was sent: the clock is ahead by no less than this.
            let least =
                messages.iter().filter(|(to, from)| to.0 == 0 && from.0 == log).map(|(to, from)| ms(*from) - ms(*to));
            match (least.max(), most.min()) {
                (Some(least), _) if least > 0 => least,
                (_, Some(most)) if most < 0 => most,
                _ => 0,
            }
        })
        .collect()
}

/// Which log's next record comes next, all the way. In each log the order stays; a record that waits for a message of
/// another log holds up its own log only.
fn order(records: &[Records], messages: &BTreeMap<Place, Place>, ahead: &[i64]) -> Vec<usize> {
    let mut next = vec![0; records.len()];
    let mut order = Vec::with_capacity(records.iter().map(Vec::len).sum());
    let key = |log: usize, next: &[usize]| {
        let index = *next.get(log)?;
        let record = records.get(log)?.get(index)?;
        let ahead = ahead.get(log).copied().unwrap_or_default();
        let waits =
            messages.get(&(log, index)).is_some_and(|(from, at)| next.get(*from).is_some_and(|next| next <= at));
        Some((waits, record.stamp.time.0.saturating_add_signed(-ahead), record.stamp.count, log))
    };
    while let Some((.., log)) = (0..records.len()).filter_map(|log| key(log, &next)).min() {
        order.push(log);
        if let Some(next) = next.get_mut(log) {
            *next += 1;
        }
    }
    order
}
