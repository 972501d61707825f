//! Changes of a log's inputs, as people ask for them.

use std::{fmt, fs, path::PathBuf, str::FromStr};

use anyhow::{Context, Result};
use ramen_events::{Cause, Payload, Record, Seq};
use ramen_projector::{DECIDER_VERSION, OLDEST_DECIDER};
use serde_json::{Value, json};

use crate::{
    field::{self, Path},
    moment::{Moment, span_text},
    open::Usage,
    rerun::{Part, Script},
    span,
};

/// A record of a log: `120`, or `hub#120` among several logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Of which log; the first one if left out.
    pub log: Option<String>,
    /// Which record.
    pub seq: Seq,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An input is left out.
    Drop(Place),
    /// An input comes later, by milliseconds.
    Delay(Place, u64),
    /// An input comes right after another record.
    Move(Place, Place),
    /// A field of an input says something else.
    Patch {
        /// Which input.
        place: Place,
        /// Also the later ones about that object, as long as they say the same there.
        onward: bool,
        /// Which field.
        path: Path,
        /// What it says.
        text: String,
    },
    /// The input in this file is added right after a record.
    Add(PathBuf, Place),
}

impl Change {
    /// The record that it is about.
    pub fn place(&self) -> &Place {
        match self {
            Self::Drop(place)
            | Self::Delay(place, _)
            | Self::Move(place, _)
            | Self::Patch { place, .. }
            | Self::Add(_, place) => place,
        }
    }

    /// `SEQ=30s`
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn delay(text: &str) -> Result<Self, String> {
        let (place, span) = text.split_once('=').ok_or("it is not SEQ=DURATION, such as 120=30s")?;
        Ok(Self::Delay(place.parse()?, span::parse(span)?))
    }

    /// `SEQ=AFTER_SEQ`
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn moved(text: &str) -> Result<Self, String> {
        let (place, after) = text.split_once('=').ok_or("it is not SEQ=AFTER_SEQ, such as 120=131")?;
        let (place, after): (Place, Place) = (place.parse()?, after.parse()?);
        if place == after || place.log != after.log && after.log.is_some() {
            return Err("a record can come after another one of its own log only".to_owned());
        }
        Ok(Self::Move(place, after))
    }

    /// `SEQ` or `SEQ+`, and `FIELD=VALUE`
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn patch(place: &str, text: &str) -> Result<Self, String> {
        let (path, value) = text.split_once('=').ok_or("it is not FIELD=VALUE, such as spec.action=Relocate")?;
        let (place, onward) = place.strip_suffix('+').map_or((place, false), |place| (place, true));
        Ok(Self::Patch { place: place.parse()?, onward, path: path.parse()?, text: value.to_owned() })
    }

    /// `FILE@SEQ`
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(text: &str) -> Result<Self, String> {
        let (file, place) = text.rsplit_once('@').ok_or("it is not FILE@SEQ, such as fact.json@120")?;
        Ok(Self::Add(PathBuf::from(file), place.parse()?))
    }

    /// Makes it.
    ///
    /// # Errors
    /// [`Usage`] when the log has no such input, or it cannot be changed so.
    pub fn apply(&self, script: &mut Script, records: &[Record]) -> Result<()> {
        let find = |place: &Place| {
            let found = records.iter().find(|record| record.seq == place.seq);
            found.ok_or_else(|| {
                let span = records.first().zip(records.last()).map_or_else(String::new, |(first, last)| {
                    format!(": the records are {} to {}", first.seq, last.seq)
                });
                Usage(format!("there is no record {}{span}", place.seq))
            })
        };
        let subject = find(self.place())?;
        if !matches!(self, Self::Add(..)) && !subject.payload.is_input() {
            let because = match subject.cause {
                Cause::Local(seq) => format!(", such as record {seq}, which it follows from"),
                _ => String::new(),
            };
            let (seq, name) = (subject.seq, subject.payload.name());
            let message =
                format!("record {seq} is a decision ({name}), which cannot be changed: change what was seen{because}");
            return Err(Usage(message).into());
        }
        match self {
            Self::Drop(place) => script.leave(place.seq),
            Self::Delay(place, ms) => script.delay(place.seq, *ms),
            Self::Move(place, after) => {
                find(after)?;
                script.put_after(place.seq, after.seq);
            }
            Self::Patch { onward, path, text, .. } => {
                let later = records.iter().filter(|record| record.seq > subject.seq && *onward);
                for seq in [subject.seq].into_iter().chain(like(subject, later, path)?) {
                    if let Some(input) = script.input(seq) {
                        input.record = patched(&input.record, path, text)?;
                        if input.part == Part::Kept {
                            input.part = Part::Altered;
                        }
                    }
                }
            }
            Self::Add(file, place) => {
                let record = added(file, subject)?;
                script.add_after(place.seq, record);
            }
        }
        Ok(())
    }
}

/// Checks that this program has the deciders of a version.
///
/// # Errors
/// [`Usage`] with those that it has.
pub fn check_version(version: u32) -> Result<(), Usage> {
    if (OLDEST_DECIDER..=DECIDER_VERSION).contains(&version) {
        return Ok(());
    }
    Err(Usage(format!(
        "deciders of version {version} are not in this program, which has {OLDEST_DECIDER} to {DECIDER_VERSION}"
    )))
}

/// The records about the same object that say the same in a field, up to the first that does not.
fn like<'a>(subject: &Record, later: impl Iterator<Item = &'a Record>, path: &Path) -> Result<Vec<Seq>> {
    let Payload::Observed(fact) = &subject.payload else { return Ok(Vec::new()) };
    let (object, remark) = (fact.object(), fact.is_remark());
    let mut value = serde_json::to_value(subject)?;
    let wanted = path.get(contents(&mut value)).cloned();
    let mut found = Vec::new();
    for record in later {
        match &record.payload {
            Payload::Observed(fact) if fact.object() == object && fact.is_remark() == remark => {}
            Payload::Gone(gone) if *gone == object => break,
            _ => continue,
        }
        let mut value = serde_json::to_value(record)?;
        if path.get(contents(&mut value)).cloned() != wanted {
            break;
        }
        found.push(record.seq);
    }
    Ok(found)
}

/// A record with another value in a field.
fn patched(record: &Record, path: &Path, text: &str) -> Result<Record> {
    let seq = record.seq;
    let name = path.to_string();
    let wrong = |why: String| Usage(format!("record {seq}, {}={text}: {why}", name.trim_start_matches('.')));
    let mut value = serde_json::to_value(record)?;
    let new = path.set(contents(&mut value), text).map_err(wrong)?;
    let changed: Record =
        serde_json::from_value(value).map_err(|err| wrong(format!("it does not fit there: {err}")))?;
    // A field that a record does not have is silently passed over when it is read.
    let mut value = serde_json::to_value(&changed)?;
    let contents = contents(&mut value);
    if path.get(contents) != Some(&new) && !new.is_null() {
        return Err(wrong(format!("there is no such field; there is {}", field::known(contents))).into());
    }
    Ok(changed)
}

/// What a record says, without the names of the enums around it.
fn contents(record: &mut Value) -> &mut Value {
    let mut pointer = String::from("/payload");
    while let Some(name) = record.pointer(&pointer).and_then(variant) {
        pointer = format!("{pointer}/{name}");
    }
    if record.pointer(&pointer).is_none() {
        return record;
    }
    #[expect(clippy::expect_used, reason = "it was just looked at")]
    record.pointer_mut(&pointer).expect("there is something")
}

/// The name of an enum's variant, of an object that has nothing else.
fn variant(value: &Value) -> Option<String> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    fields.keys().next().filter(|key| key.starts_with(|c: char| c.is_ascii_uppercase())).cloned()
}

/// The record in a file: as `show -o json` prints records, or only what it says.
fn added(file: &std::path::Path, beside: &Record) -> Result<Record> {
    let name = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("could not read {name}"))?;
    let wrong = |why: String| Usage(format!("{name}: {why}; `show -o json` prints records that can be used"));
    let given: Value = serde_json::from_str(&text).map_err(|err| wrong(format!("it is not JSON: {err}")))?;
    let mut record = serde_json::to_value(beside)?;
    for (field, absent) in [("aggregate", Value::Null), ("cause", json!("Outside"))] {
        record[field] = given.get(field).cloned().unwrap_or(absent);
    }
    record["payload"] = given.get("payload").unwrap_or(&given).clone();
    let record: Record = serde_json::from_value(record).map_err(|err| wrong(format!("it is no record: {err}")))?;
    match &record.payload {
        payload if !payload.is_input() => {
            Err(wrong(format!("{} is a decision: only what is seen can be added", payload.name())).into())
        }
        Payload::TimerFired { .. } | Payload::Finished { .. } if record.aggregate.is_none() => {
            Err(wrong("it has to name its aggregate".to_owned()).into())
        }
        _ => Ok(record),
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(Moment::Record(log, seq)) => Ok(Self { log, seq }),
            _ => Err(format!("{text:?} is no record: give its number (120), or hub#120 among several logs")),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.log {
            Some(log) => write!(f, "{log}#{}", self.seq),
            None => write!(f, "record {}", self.seq),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop(place) => write!(f, "without {place}"),
            Self::Delay(place, ms) => write!(f, "{place} comes {} later", span_text(*ms)),
            Self::Move(place, after) => write!(f, "{place} comes right after {after}"),
            Self::Patch { place, onward, path, text } => {
                let onward = if *onward { " and what follows it" } else { "" };
                write!(f, "{place}{onward} says {}={text}", path.to_string().trim_start_matches('.'))
            }
            Self::Add(file, place) => write!(f, "{} comes right after {place}", file.display()),
        }
    }
}
