//! Long logs out of recorded ones: what users did and clusters answered is repeated, each time later and for another
//! application, and the deciders decide anew. So they verify like any log.
#![allow(dead_code, reason = "not every test grows logs")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use ramen_events::{
    Cause, Clock, Operator, Payload, Record, Seq,
    capture::{self, Fold, Reader},
    log::{Batch, EventLog, History, MemoryLog},
};
use ramen_projector::{DECIDER_VERSION, Domain, World, hub::Hub, spoke::Spoke};
use uuid::Uuid;

/// Milliseconds from one repetition to the next: whole seconds, and longer than a recording.
const PERIOD: u64 = 40_000;
/// What names of applications begin with in recordings.
const NAME: &str = "app-0";
/// How many records are appended at a time.
const BATCH: usize = 10_000;

/// Ids of commands, by repetition and the id in the recording. Managed clusters are told the hub's.
type Ids = BTreeMap<(u64, String), String>;

/// Grows the logs of hub and clusters `copies`-fold into `folder`; the hub's log has to come first.
pub fn grow(files: &[PathBuf], copies: u64, folder: &Path) -> Vec<PathBuf> {
    fs::create_dir_all(folder).expect("a folder");
    let mut ids = Ids::new();
    files.iter().map(|file| one(file, copies, folder, &mut ids)).collect()
}

fn one(file: &Path, copies: u64, folder: &Path, ids: &mut Ids) -> PathBuf {
    let reader = Reader::open(file).expect("a capture");
    let log = MemoryLog::default();
    let blobs =
        reader.blobs().expect("an index").into_iter().map(|(id, _)| reader.blob(id).expect("read").expect("held"));
    let mut states: Box<dyn Fold> = match reader.header().owner.as_ref().expect("an owner").operator {
        Operator::Hub => Grower::<Hub>::new(&reader, &log, blobs.collect()).run(copies, ids),
        Operator::Spoke => Grower::<Spoke>::new(&reader, &log, blobs.collect()).run(copies, ids),
    };
    let path = folder.join(file.file_name().expect("a file"));
    capture::write_along_file(&log, Seq(1), log.head().seq, &mut *states, &path).expect("a capture can be written");
    path
}

/// The states that the capture carries.
struct States<D>(World<D>);

impl<D: Domain> Fold for States<D> {
    fn decider(&self) -> u32 {
        DECIDER_VERSION
    }

    fn apply(&mut self, record: &Record) {
        self.0.apply(record);
    }

    fn state(&self) -> Vec<u8> {
        bincode::encode_to_vec(&self.0, bincode::config::standard()).expect("a state encodes")
    }
}

struct Grower<'a, D> {
    recorded: Vec<(Record, String)>,
    /// How many records come before the first application: they are not repeated.
    before: usize,
    /// Ids that stay: those of what is not repeated.
    kept: BTreeSet<String>,
    world: World<D>,
    clock: Clock,
    next: Seq,
    log: &'a MemoryLog,
    batch: Vec<Record>,
    blobs: Vec<Vec<u8>>,
}

impl<'a, D: Domain + 'static> Grower<'a, D> {
    fn new(reader: &Reader, log: &'a MemoryLog, blobs: Vec<Vec<u8>>) -> Self {
        let recorded: Vec<(Record, String)> = reader
            .scan(Seq(1))
            .map(|record| record.expect("a whole capture").0)
            .map(|record| (record.clone(), serde_json::to_string(&record).expect("a record is JSON")))
            .collect();
        let before = recorded.iter().position(|(_, text)| text.contains(NAME)).expect("it has an application");
        let kept = recorded[..before].iter().flat_map(|(_, text)| text.split('"')).filter(|part| is_id(part));
        let kept = kept.map(str::to_owned).collect();
        Self {
            recorded,
            before,
            kept,
            world: World::default(),
            clock: Clock::default(),
            next: Seq(1),
            log,
            batch: Vec::new(),
            blobs,
        }
    }

    /// Repeats; hands back what folds it anew.
    fn run(mut self, copies: u64, ids: &mut Ids) -> Box<dyn Fold> {
        for copy in 0..copies {
            let mut places = BTreeMap::new();
            let from = if copy == 0 { 0 } else { self.before };
            for index in from..self.recorded.len() {
                if self.recorded[index].0.payload.is_input() {
                    self.input(index, copy, ids, &mut places);
                }
            }
        }
        self.write();
        Box::new(States(World::<D>::default()))
    }

    /// Takes an input of the recording, and decides; what was decided then tells which command is which.
    fn input(&mut self, index: usize, copy: u64, ids: &mut Ids, places: &mut BTreeMap<Seq, Seq>) {
        let mut record = self.repeated(index, copy, ids);
        if let Cause::Local(seq) = &mut record.cause {
            *seq = places.get(seq).copied().unwrap_or(Seq(self.next.0 - 1));
        }
        places.insert(self.recorded[index].0.seq, self.next);
        let cause = self.next;
        let wall = record.stamp.time;
        let origin = record.origin.clone();
        let mut decided = Vec::new();
        for aggregate in self.append(record, wall) {
            for payload in self.world.decide(&aggregate, cause).payloads {
                decided.push((aggregate.clone(), payload.clone(), self.next));
                let record = Record {
                    seq: self.next,
                    stamp: ramen_events::Stamp::default(),
                    origin: origin.clone(),
                    aggregate: Some(aggregate.clone()),
                    cause: Cause::Local(cause),
                    payload,
                };
                self.append(record, wall);
            }
        }
        for (then, text) in self.recorded[index + 1..].iter().take_while(|(record, _)| !record.payload.is_input()) {
            let Payload::Commanded { id, slot, .. } = &then.payload else { continue };
            let whose = then.aggregate.as_ref().map(|aggregate| renamed(&aggregate.to_string(), copy));
            let same = decided.iter().position(|(aggregate, payload, _)| {
                whose.as_deref() == Some(&aggregate.to_string())
                    && matches!(payload, Payload::Commanded { slot: of, .. } if *of == renamed(slot, copy))
            });
            if let Some((_, Payload::Commanded { id: now, .. }, at)) = same.map(|same| decided.swap_remove(same)) {
                debug_assert!(text.contains(&id.to_string()));
                ids.insert((copy, id.to_string()), now.to_string());
                places.insert(then.seq, at);
            }
        }
    }

    fn append(&mut self, mut record: Record, wall: ramen_events::Time) -> BTreeSet<ramen_events::Aggregate> {
        record.seq = self.next;
        record.stamp = self.clock.tick(wall);
        self.next = self.next.next();
        let touched = self.world.apply(&record);
        self.batch.push(record);
        if self.batch.len() >= BATCH {
            self.write();
        }
        touched
    }

    fn write(&mut self) {
        let (records, blobs) = (std::mem::take(&mut self.batch), std::mem::take(&mut self.blobs));
        self.log.append(Batch::of_records(records, blobs)).expect("records follow");
    }

    /// A record as it is in a repetition: other names, other ids, later times.
    fn repeated(&self, index: usize, copy: u64, ids: &Ids) -> Record {
        let text = renamed(&self.recorded[index].1, copy);
        let parts: Vec<String> = text
            .split('"')
            .enumerate()
            .map(|(at, part)| match at % 2 {
                1 if is_id(part) && !self.kept.contains(part) => {
                    let fresh = || Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{part}{copy}").as_bytes()).to_string();
                    ids.get(&(copy, part.to_owned())).cloned().unwrap_or_else(fresh)
                }
                1 if is_id(part) => ids.get(&(0, part.to_owned())).cloned().unwrap_or_else(|| part.to_owned()),
                _ => later(part, copy * PERIOD),
            })
            .collect();
        serde_json::from_str(&parts.join("\"")).expect("it is still a record")
    }
}

fn renamed(text: &str, copy: u64) -> String {
    text.replace(NAME, &format!("app-{copy}-0"))
}

fn is_id(part: &str) -> bool {
    part.len() == 36 && Uuid::parse_str(part).is_ok()
}

/// Numbers of thirteen digits are times.
fn later(part: &str, ms: u64) -> String {
    if ms == 0 || !part.contains("17") {
        return part.to_owned();
    }
    let mut text = String::with_capacity(part.len());
    let mut rest = part;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        let (number, after) = number.split_at(number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len()));
        text.push_str(before);
        match number.parse::<u64>() {
            Ok(time) if number.len() == 13 => text.push_str(&(time + ms).to_string()),
            _ => text.push_str(number),
        }
        rest = after;
    }
    text + rest
}
