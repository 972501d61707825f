//! Anchors of logs: what was noted elsewhere of their ends, and whether a log agrees with it.
//!
//! The chain of a log that was rewritten or cut off is whole, too. What shows it is a hash that was noted before, where
//! whoever wrote the log could not reach it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use ramen_events::{
    ChainHash, Seq, Time,
    anchor::{ANNOTATION, Anchor, LogId},
    log::{History, Owner},
};
use serde_json::Value;

/// How deep anchors may lie below a folder that is given.
const DEEP: usize = 8;

/// All anchors that were given.
#[derive(Clone, Debug, Default)]
pub struct Anchors(Vec<Anchor>);

/// How a log stands to its anchors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All agree; this is the last.
    Holds {
        /// The last record that an anchor proves.
        seq: Seq,
        /// When it was anchored.
        time: Time,
    },
    /// No anchor says anything about it: why.
    Unproven(String),
    /// It is not what was anchored: what is wrong, and from where on nothing is proven.
    Broken(String),
}

impl Anchors {
    /// Reads a file (objects of the archive, or what `kubectl get lease -o json` prints; `-` is stdin), or a folder of them.
    ///
    /// # Errors
    /// When it can't be read, or holds no anchor.
    pub fn read(path: &Path) -> Result<Self> {
        let mut files = Vec::new();
        if path == Path::new("-") {
            files.push(PathBuf::from("/dev/stdin"));
        } else if path.is_dir() {
            find(path, DEEP, &mut files).with_context(|| format!("could not read {}", path.display()))?;
        } else {
            files.push(path.to_owned());
        }
        let mut anchors = Vec::new();
        for file in &files {
            let text = fs::read(file).with_context(|| format!("could not read the anchors in {}", file.display()))?;
            for value in serde_json::Deserializer::from_slice(&text).into_iter::<Value>() {
                let value = value.with_context(|| format!("{} is no JSON", file.display()))?;
                collect(&value, &mut anchors).with_context(|| file.display().to_string())?;
            }
        }
        if anchors.is_empty() {
            bail!(
                "{}: there is no anchor in it; give objects from below anchors/ of an archive, or the output of `kubectl get \
                 lease -o json` of an operator's Lease",
                path.display()
            );
        }
        Ok(Self(anchors))
    }

    /// How a log stands to them. `log` has been checked: its chain holds.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn check(&self, owner: &Owner, log: &dyn History) -> Result<Standing> {
        let mut of_owner: BTreeMap<LogId, Vec<&Anchor>> = BTreeMap::new();
        for anchor in self.0.iter().filter(|anchor| anchor.owner == *owner) {
            of_owner.entry(anchor.log).or_default().push(anchor);
        }
        if of_owner.is_empty() {
            let owners: BTreeSet<String> = self.0.iter().map(|anchor| anchor.owner.to_string()).collect();
            let owners = owners.into_iter().collect::<Vec<_>>().join(", ");
            return Ok(Standing::Unproven(format!(
                "nothing is proven: no anchor is of {owner}; those given are of {owners}"
            )));
        }
        let (base, head) = (log.base(), log.head());
        let id = LogId::of(log)?;
        let in_it = |anchor: &&&Anchor| anchor.seq >= base.seq && anchor.seq <= head.seq;
        let wanted = of_owner.values().flatten().filter(in_it).map(|anchor| anchor.seq).collect();
        let hashes = hashes(log, &wanted)?;
        let agrees = |anchor: &Anchor| hashes.get(&anchor.seq) == Some(&anchor.hash);
        // Of a part of a log, the first record is not known: it is the log of which an anchor agrees.
        let its = match id {
            Some(id) => of_owner.get(&id),
            None => of_owner.values().find(|anchors| anchors.iter().any(|anchor| agrees(anchor))),
        };
        let Some(anchors) = its else { return Ok(stranger(owner, id, &of_owner, &wanted, base.seq, head.seq)) };
        let mut anchors = anchors.clone();
        anchors.sort_by_key(|anchor| (anchor.seq, anchor.time));
        let mut last: Option<&Anchor> = None;
        for anchor in anchors {
            if anchor.seq < base.seq {
                continue;
            }
            let proven = last.map_or_else(
                || format!("nothing of it is proven from record {} on", base.seq.next()),
                |last| {
                    let (seq, next) = (last.seq, last.seq.next());
                    format!(
                        "it is as anchored up to record {seq} ({}); from record {next} on nothing is proven",
                        last.time
                    )
                },
            );
            let (seq, time) = (anchor.seq, anchor.time);
            if seq > head.seq {
                let missing = seq.0 - head.seq.0;
                return Ok(Standing::Broken(format!(
                    "cut off: it ends with record {}, but record {seq} was anchored at {time}: {missing} records are missing, \
                     unless it was captured before then; {proven}",
                    head.seq
                )));
            }
            if !agrees(anchor) {
                let found = hashes.get(&seq).map_or_else(|| "not there".to_owned(), ToString::to_string);
                return Ok(Standing::Broken(format!(
                    "rewritten: record {seq} has hash {found}, but {} was anchored at {time}; {proven}",
                    anchor.hash
                )));
            }
            last = Some(anchor);
        }
        Ok(match last {
            Some(last) => Standing::Holds { seq: last.seq, time: last.time },
            None => Standing::Unproven(format!(
                "nothing is proven: all anchors are of records before its first, {}",
                base.seq.next()
            )),
        })
    }
}

impl Standing {
    /// In words, for a log that ends with record `head`.
    pub fn words(&self, head: Seq) -> String {
        match self {
            Self::Holds { seq, time } if *seq == head => format!("anchored up to its end, record {seq} ({time})"),
            Self::Holds { seq, time } => {
                let rest = head.0 - seq.0;
                format!("anchored up to record {seq} ({time}); the {rest} after that are not anchored yet")
            }
            Self::Unproven(why) | Self::Broken(why) => why.clone(),
        }
    }
}

/// No anchor is of this very log.
fn stranger(
    owner: &Owner,
    id: Option<LogId>,
    of_owner: &BTreeMap<LogId, Vec<&Anchor>>,
    in_it: &BTreeSet<Seq>,
    base: Seq,
    head: Seq,
) -> Standing {
    match id {
        Some(id) => {
            let known: Vec<String> = of_owner.keys().map(LogId::short).collect();
            Standing::Broken(format!(
                "another log: it begins with a record of hash {}…, the anchors of {owner} are of logs that begin with {}…: it \
                 was exchanged, or rewritten from its first record on; nothing of it is proven",
                id.short(),
                known.join("…, ")
            ))
        }
        None if in_it.is_empty() => {
            Standing::Unproven(format!("nothing is proven: no anchor falls into records {} to {head}", base.next()))
        }
        None => Standing::Broken(format!(
            "rewritten, or of another log: none of {} anchors of {owner} agrees with records {} to {head}; nothing of it is \
             proven",
            in_it.len(),
            base.next()
        )),
    }
}

/// The hashes of these records.
fn hashes(log: &dyn History, wanted: &BTreeSet<Seq>) -> Result<BTreeMap<Seq, ChainHash>> {
    let mut hashes = BTreeMap::new();
    let base = log.base();
    if wanted.contains(&base.seq) {
        hashes.insert(base.seq, base.hash);
    }
    let later = wanted.range(base.seq.next()..);
    if let (Some(first), Some(last)) = (later.clone().next(), later.clone().next_back()) {
        for stored in log.stored(*first) {
            let stored = stored?;
            if wanted.contains(&stored.seq) {
                hashes.insert(stored.seq, stored.hash);
            }
            if stored.seq >= *last {
                break;
            }
        }
    }
    Ok(hashes)
}

/// The anchors in a JSON value: one, a Lease that bears one, or a list of such.
fn collect(value: &Value, anchors: &mut Vec<Anchor>) -> Result<()> {
    let noted = value.get("metadata").and_then(|metadata| metadata.get("annotations")?.get(ANNOTATION)?.as_str());
    if value.get("kind").and_then(Value::as_str) == Some("LogAnchor") {
        anchors.push(serde_json::from_value(value.clone()).context("an anchor can't be read")?);
    } else if let Some(noted) = noted {
        anchors.push(serde_json::from_str(noted).context("the anchor on the Lease can't be read")?);
    } else {
        let items = value.as_array().or_else(|| value.get("items").and_then(Value::as_array));
        for item in items.into_iter().flatten() {
            collect(item, anchors)?;
        }
    }
    Ok(())
}

/// JSON files below a folder.
fn find(folder: &Path, deep: usize, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if deep > 0 {
                find(&path, deep - 1, found)?;
            }
        } else if path.extension().is_some_and(|ending| ending == "json") {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(())
}
