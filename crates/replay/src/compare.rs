//! Two runs of a log: which commands differ, and how the states at their ends do.

use std::collections::{BTreeMap, VecDeque};

use anyhow::Result;
use ramen_events::{Aggregate, Command, Payload, Seq, Time, hub, spoke};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    changes::{self, Change},
    rerun::Line,
    state::State,
    words,
};

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// Only the first run decided on it.
    Gone,
    /// Only the second run decided on it.
    New,
    /// Both decided on one of this kind in this slot, with other contents.
    Changed,
}

/// A command that is not the same in both runs.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// What became of it.
    pub fate: Fate,
    /// When it was decided: of a changed one, in the second run.
    #[serde(serialize_with = "as_text")]
    pub time: Time,
    /// Its record in the recorded log.
    pub record: Option<Seq>,
    /// Whose.
    pub aggregate: String,
    /// What it acts on.
    pub slot: String,
    /// The command in words.
    pub says: String,
    /// What is different in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

fn as_text<S: serde::Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&ramen_events::Stamp { time: *time, count: 0 })
}

/// The commands of two runs, side by side.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    /// Those that differ, in order of time.
    pub different: Vec<Difference>,
    /// How many are the same.
    pub same: usize,
    /// How many of these were decided at another time.
    pub at_other_time: usize,
}

#[derive(Clone, Copy)]
struct Decided<'a> {
    time: Time,
    from: Option<Seq>,
    command: &'a Command,
}

/// Commands by whose they are and what they act on.
type Slots<'a> = BTreeMap<(&'a Aggregate, &'a str), Vec<Decided<'a>>>;

/// Compares the commands of two runs: same ones first, then those of a kind, each in its slot and in order.
pub fn commands(before: &[Line], after: &[Line]) -> Commands {
    let (before, mut after) = (slots(before), slots(after));
    let mut result = Commands::default();
    for (place, old) in before {
        let new = after.remove(&place).unwrap_or_default();
        slot(place, old, new, &mut result);
    }
    for (place, new) in after {
        slot(place, Vec::new(), new, &mut result);
    }
    result.different.sort_by(|a, b| a.time.cmp(&b.time).then_with(|| a.aggregate.cmp(&b.aggregate)));
    result
}

fn slots(lines: &[Line]) -> Slots<'_> {
    let mut slots = Slots::new();
    for Line { record, from } in lines {
        if let (Payload::Commanded { slot, command, .. }, Some(aggregate)) = (&record.payload, &record.aggregate) {
            let decided = Decided { time: record.stamp.time, from: *from, command };
            slots.entry((aggregate, slot)).or_default().push(decided);
        }
    }
    slots
}

fn slot((aggregate, slot): (&Aggregate, &str), old: Vec<Decided<'_>>, new: Vec<Decided<'_>>, result: &mut Commands) {
    let mut left: VecDeque<Decided<'_>> = new.into();
    let mut gone = Vec::new();
    for was in old {
        match left.iter().position(|now| now.command == was.command).and_then(|index| left.remove(index)) {
            Some(now) => {
                result.same += 1;
                result.at_other_time += usize::from(now.time != was.time);
            }
            None => gone.push(was),
        }
    }
    let told = |fate, of: &Decided<'_>, record, changes| Difference {
        fate,
        time: of.time,
        record,
        aggregate: aggregate.to_string(),
        slot: slot.to_owned(),
        says: words::commanded(of.command),
        changes,
    };
    for was in gone {
        let alike = left.iter().position(|now| now.command.name() == was.command.name());
        result.different.push(match alike.and_then(|index| left.remove(index)) {
            Some(now) => {
                let changes = changes::between(&words::body(was.command), &words::body(now.command));
                told(Fate::Changed, &now, was.from, changes)
            }
            None => told(Fate::Gone, &was, was.from, Vec::new()),
        });
    }
    result.different.extend(left.iter().map(|now| told(Fate::New, now, None, Vec::new())));
}

/// What differs between the states at the ends of two runs, as far as people look at it. Beside what was known: the
/// statuses that each wrote last, since in a run the objects keep showing those that were recorded.
///
/// # Errors
/// None that is known.
pub fn states(before: (&State, &[Line]), after: (&State, &[Line])) -> Result<Vec<Change>> {
    let whole = |(state, lines): (&State, &[Line])| -> Result<Value> {
        let mut json = state.json()?;
        if let Some(fields) = json.as_object_mut() {
            fields.insert("decided".to_owned(), Value::Object(statuses(lines)));
        }
        Ok(json)
    };
    let mut changes = changes::between(&whole(before)?, &whole(after)?);
    changes.retain(|change| !changes::is_inner(&change.path) && !is_id(change));
    Ok(changes)
}

/// Ids of commands are derived from numbers of records: they differ when anything before does.
fn is_id(change: &Change) -> bool {
    let is_id = |value: &Option<Value>| {
        value.clone().is_some_and(|value| serde_json::from_value::<ramen_events::CommandId>(value).is_ok())
    };
    change.path.ends_with(".command") && is_id(&change.before) && is_id(&change.after)
}

/// The status that was written last, by aggregate.
fn statuses(lines: &[Line]) -> Map<String, Value> {
    let mut statuses = Map::new();
    for Line { record, .. } in lines {
        if let (Payload::Commanded { command, .. }, Some(aggregate)) = (&record.payload, &record.aggregate)
            && let Some(status) = status(command)
        {
            statuses.insert(aggregate.to_string(), json!({"status": status}));
        }
    }
    statuses
}

fn status(command: &Command) -> Option<Value> {
    use hub::Command as H;
    use spoke::Command as S;
    match command {
        Command::Hub(H::WriteDrpcStatus { status, .. }) => serde_json::to_value(status),
        Command::Hub(H::WritePolicyStatus { status, .. }) => serde_json::to_value(status),
        Command::Hub(H::WriteClusterStatus { status, .. }) => serde_json::to_value(status),
        Command::Spoke(S::WriteVrgStatus { status, .. }) => serde_json::to_value(status),
        Command::Spoke(S::WriteClusterConfigStatus { status, .. }) => serde_json::to_value(status),
        _ => return None,
    }
    .ok()
}
