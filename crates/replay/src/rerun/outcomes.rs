//! Which recorded outcome belongs to which command of a run.
//!
//! While a run follows the record, its commands are the recorded ones, in order. After that, a command takes over the
//! outcome of the same command in the same slot; if there is none left, of a command of the same kind in that slot
//! (another status, say, whose write would hardly have ended differently). The outcome comes as long after its command as
//! it did.

use std::collections::BTreeMap;

use ramen_events::{
    Aggregate, BlobId, Command, CommandId, Fact, Payload, Seq, Time,
    hub::{self, ViewAnswer, ViewedObject, WorkContent},
};

use super::{Input, Key, Line, Part, Script};

/// A recorded command.
#[derive(Debug)]
struct Known {
    base: Seq,
    name: &'static str,
    digest: BlobId,
    decided: Time,
    taken: bool,
}

/// A recorded command that one of the run stands for.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Its id.
    pub id: CommandId,
    /// Its number among the recorded lines.
    pub base: Seq,
    /// It says the same.
    pub exact: bool,
    /// By how much later the run decides on it, in milliseconds.
    shift: i64,
}

/// Recorded commands, and what became of them.
#[derive(Debug, Default)]
pub struct Outcomes {
    known: BTreeMap<CommandId, Known>,
    slots: BTreeMap<(Aggregate, String), Vec<CommandId>>,
    /// Outcomes still to come.
    coming: BTreeMap<CommandId, Key>,
    /// Outcomes that came before their command.
    held: BTreeMap<CommandId, (Key, Input)>,
    /// Commands of the run by the recorded ones that they stand for: id and record.
    bound: BTreeMap<CommandId, (CommandId, Seq)>,
}

impl Outcomes {
    /// Of a log, and of a script made from it.
    pub fn new(lines: &[Line], script: &Script) -> Self {
        let mut outcomes = Self::default();
        for Line { record, .. } in lines {
            if let (Payload::Commanded { id, slot, command }, Some(aggregate)) = (&record.payload, &record.aggregate) {
                let (name, digest) = (command.name(), BlobId::of(&command.bytes()));
                let (base, decided) = (record.seq, record.stamp.time);
                outcomes.known.insert(*id, Known { base, name, digest, decided, taken: false });
                outcomes.slots.entry((aggregate.clone(), slot.clone())).or_default().push(*id);
            }
        }
        for (key, input) in script.inputs() {
            if let (Payload::Finished { id, .. }, Part::Kept | Part::Altered | Part::Put) =
                (&input.record.payload, input.part)
            {
                outcomes.coming.insert(*id, *key);
            }
        }
        outcomes
    }

    /// The run repeats a recorded command; its own id and record are `new`.
    pub fn repeats(&mut self, was: CommandId, new: (CommandId, Seq)) -> Option<Found> {
        let known = self.known.get_mut(&was)?;
        known.taken = true;
        self.bound.insert(was, new);
        Some(Found { id: was, base: known.base, exact: true, shift: 0 })
    }

    /// The run decides on a command at `now`, apart from the record. `None` when no recorded one is like it.
    pub fn decides(
        &mut self,
        aggregate: &Aggregate,
        slot: &str,
        command: &Command,
        new: (CommandId, Seq),
        now: Time,
    ) -> Option<Found> {
        let digest = BlobId::of(&command.bytes());
        let slot = self.slots.get(&(aggregate.clone(), slot.to_owned()))?;
        let free = || slot.iter().filter_map(|id| Some((*id, self.known.get(id)?))).filter(|(_, known)| !known.taken);
        let same = free().find(|(_, known)| known.digest == digest);
        let (id, _) = same.or_else(|| free().find(|(_, known)| known.name == command.name()))?;
        let exact = same.is_some();
        let known = self.known.get_mut(&id)?;
        known.taken = true;
        self.bound.insert(id, new);
        let ms = |time: Time| i64::try_from(time.0).unwrap_or(i64::MAX);
        Some(Found { id, base: known.base, exact, shift: ms(now).saturating_sub(ms(known.decided)) })
    }

    /// Whether it is known what became of a recorded command.
    pub fn is_known(&self, id: CommandId) -> bool {
        self.coming.contains_key(&id) || self.held.contains_key(&id)
    }

    /// Has the outcome of a recorded command come when the run's own one is due; no earlier than `now`. Tells whether
    /// that is another time than recorded.
    pub fn reschedule(&mut self, found: &Found, script: &mut Script, now: Time) -> bool {
        let (key, input) = match self.held.remove(&found.id) {
            Some(held) => held,
            None if found.shift == 0 => return false,
            None => {
                let Some(key) = self.coming.get(&found.id).copied() else { return false };
                let Some(input) = script.remove(&key) else { return false };
                (key, input)
            }
        };
        let mut due = key.shifted(found.shift);
        due.time = due.time.max(now);
        self.coming.insert(found.id, due);
        script.put(due, input);
        due.time != key.time
    }

    /// An outcome comes. Its command in the run: id, and record if the run has it; `None` when the run has not decided on
    /// that command (yet).
    pub fn arrives(&mut self, id: CommandId, key: Key, input: &Input) -> Option<(CommandId, Option<Seq>)> {
        self.coming.remove(&id);
        if let Some((new, seq)) = self.bound.get(&id) {
            return Some((*new, Some(*seq)));
        }
        if !self.known.contains_key(&id) {
            return Some((id, None)); // decided before the log begins
        }
        self.held.insert(id, (key, input.clone()));
        None
    }

    /// How many outcomes no command of the run wanted.
    pub fn never_wanted(&self) -> usize {
        self.held.len()
    }

    /// Objects carry the id of the command that wrote them: in a run, that of the command that stands for it.
    pub fn rename(&self, fact: &mut Fact) {
        let Fact::Hub(fact) = fact else { return };
        let texts: Vec<&mut String> = match fact {
            hub::Fact::Work(work) => {
                let content = match &mut work.content {
                    WorkContent::Vrg { command, .. } => Some(command),
                    _ => None,
                };
                content.into_iter().chain(work.feedback.as_mut().map(|feedback| &mut feedback.command)).collect()
            }
            hub::Fact::View(view) => match &mut view.answer {
                ViewAnswer::Found(ViewedObject::Vrg(vrg)) => vec![&mut vrg.command],
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        for text in texts {
            let id = serde_json::from_value(serde_json::Value::String(text.clone())).ok();
            if let Some((new, _)) = id.and_then(|id: CommandId| self.bound.get(&id)) {
                *text = new.to_string();
            }
        }
    }
}
