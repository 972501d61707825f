//! Regression fixtures: a capture, and beside it what is expected of it.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, anyhow};
use ramen_events::{
    BlobId, Operator, Position, Record, Seq,
    capture::{self, Reader},
    log::{Batch, EventLog, History, MemoryLog},
};
use serde::{Deserialize, Serialize};

use crate::{Divergence, Verifier, goal, predicate, rerun::Line, spells, state::State};

/// What is expected of a capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// What it is about, for people.
    pub about: String,
    /// How many records it has.
    pub records: usize,
    /// Where its decisions are not what its inputs lead to; absent when all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diverges: Option<Diverges>,
    /// Where applications stand at its end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stands: BTreeMap<String, Stands>,
    /// A condition, and the record after which it holds first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<Holds>,
}

/// The decision that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diverges {
    /// The record at which it shows.
    pub record: u64,
    /// Whose.
    pub aggregate: String,
    /// What the deciders want.
    pub wanted: String,
    /// What the log holds.
    pub recorded: String,
}

/// Where an application stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stands {
    /// Name of the runbook.
    pub runbook: String,
    /// Its step; empty when it is complete.
    pub step: String,
    /// What it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// On which cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
}

/// A condition that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holds {
    /// The condition.
    pub condition: String,
    /// It holds for long enough.
    pub lasts: bool,
    /// The record after which it holds; none if it does from the start.
    pub from: Option<u64>,
}

impl Expected {
    /// What is true of these records now.
    ///
    /// # Errors
    /// When the condition is none.
    pub fn of(about: String, operator: Operator, records: &[Record], condition: Option<&str>) -> Result<Self> {
        let lines = Line::recorded(records.iter().cloned());
        let holds = condition
            .map(|condition| -> Result<Holds> {
                let predicate = predicate::parse(condition).map_err(|wrong| anyhow!("{wrong}"))?;
                let spells = spells::find(&predicate, &State::empty(operator), &lines)?;
                let from = spells.long.first().and_then(|first| first.from).map(|seq| seq.0);
                Ok(Holds { condition: condition.to_owned(), lasts: !spells.long.is_empty(), from })
            })
            .transpose()?;
        Ok(Self {
            about,
            records: records.len(),
            diverges: diverges(operator, records).map(Diverges::from),
            stands: goal::stands(&lines).iter().map(|(who, position)| (who.to_string(), position.into())).collect(),
            holds,
        })
    }

    /// What is not as expected: names of fields, with what was expected and what was found.
    ///
    /// # Errors
    /// None that is known.
    pub fn compare(&self, found: &Self) -> Result<Vec<crate::changes::Change>> {
        Ok(crate::changes::between(&serde_json::to_value(self)?, &serde_json::to_value(found)?))
    }
}

/// The first decision that does not follow from the records before it.
fn diverges(operator: Operator, records: &[Record]) -> Option<Divergence> {
    fn first<D: ramen_projector::Domain>(records: &[Record]) -> Option<Divergence> {
        let mut verifier = Verifier::new(ramen_projector::World::<D>::default());
        records.iter().find_map(|record| verifier.next(record).err())
    }
    match operator {
        Operator::Hub => first::<ramen_projector::hub::Hub>(records),
        Operator::Spoke => first::<ramen_projector::spoke::Spoke>(records),
    }
}

impl From<Divergence> for Diverges {
    fn from(divergence: Divergence) -> Self {
        let Divergence { seq, aggregate, wanted, recorded } = divergence;
        Self { record: seq.0, aggregate, wanted, recorded }
    }
}

impl From<&Position> for Stands {
    fn from(position: &Position) -> Self {
        Self {
            runbook: position.runbook.clone(),
            step: position.step.clone(),
            waits_for: position.wait.as_ref().map(|wait| wait.what.clone()),
            on: position.wait.as_ref().and_then(|wait| wait.on.as_ref()).map(ToString::to_string),
        }
    }
}

/// Writes a fixture: both files, the capture first.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path, name: &str, records: Vec<Record>, blobs: Vec<Vec<u8>>, expected: &Expected) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("could not create {}", folder.display()))?;
    let log = MemoryLog::default();
    log.append(Batch::of_records(records, blobs)).context("the records do not follow each other")?;
    let file = folder.join(format!("{name}.ramenlog"));
    capture::write_file(&log, Seq(1), log.head().seq, &file)?;
    let mut text = serde_json::to_string_pretty(expected)?;
    text.push('\n');
    let file = folder.join(format!("{name}.expected.json"));
    fs::write(&file, text).with_context(|| format!("could not write {}", file.display()))
}

/// Reads what is expected of a fixture, and what is true of its capture.
///
/// # Errors
/// When a file cannot be read.
pub fn read(file: &Path) -> Result<(Expected, Expected)> {
    let name = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("could not read {name}"))?;
    let expected: Expected =
        serde_json::from_str(&text).with_context(|| format!("{name} is not what `test` writes"))?;
    let base = file.to_string_lossy();
    let base = base.strip_suffix(".expected.json").ok_or_else(|| anyhow!("{name} is not called NAME.expected.json"))?;
    let file = format!("{base}.ramenlog");
    let capture = Reader::open(Path::new(&file)).map_err(|err| {
        let remedy = err.remedy();
        anyhow!("{file}: {:#}; {remedy}", anyhow::Error::new(err))
    })?;
    let operator = capture.header().owner.as_ref().map(|owner| owner.operator);
    let operator = operator.ok_or_else(|| anyhow!("{file} holds no records"))?;
    let records = capture.scan(Seq(1)).map(|record| record.map(|(record, _)| record));
    let records: Vec<Record> = records.collect::<Result<_, _>>().with_context(|| format!("could not read {file}"))?;
    let condition = expected.holds.as_ref().map(|holds| holds.condition.as_str());
    let found = Expected::of(expected.about.clone(), operator, &records, condition)?;
    Ok((expected, found))
}

/// Blobs that records name.
///
/// # Errors
/// None that is known.
pub fn blobs(records: &[Record], known: &[BlobId]) -> Result<Vec<BlobId>> {
    let mut named = Vec::new();
    let texts = records.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    for id in known {
        let hex = id.to_string();
        if texts.iter().any(|text| text.contains(&hex)) {
            named.push(*id);
        }
    }
    Ok(named)
}
