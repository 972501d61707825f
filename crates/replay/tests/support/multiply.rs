//! Other logs out of recorded ones: big ones, and ones whose clock was off.
#![allow(dead_code, reason = "the tool for measurements needs one of them")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use ramen_events::{
    Cause, Payload, Record, Seq, Stamp, Time,
    capture::{self, Reader},
    log::{Batch, EventLog, History, MemoryLog},
};
use uuid::Uuid;

/// Milliseconds from one repetition to the next.
const PERIOD: u64 = 40_000;

/// Writes the records of each of these captures `copies` times into `folder`, each time later and about other
/// applications, and tells the files.
pub fn multiply(files: &[PathBuf], copies: u64, folder: &Path) -> Vec<PathBuf> {
    files.iter().map(|file| one(file, copies, folder)).collect()
}

/// Writes the records of a capture as they would be if its clock had been off by `ms`.
pub fn shift(file: &Path, ms: i64, folder: &Path) -> PathBuf {
    let capture = Reader::open(file).expect("a capture");
    let shifted = capture.scan(Seq(1)).map(|record| {
        let (mut record, _) = record.expect("a whole capture");
        record.stamp.time = Time(record.stamp.time.0.checked_add_signed(ms).expect("a time"));
        record
    });
    let log = MemoryLog::default();
    log.append(Batch::of_records(shifted.collect(), Vec::new())).expect("records follow");
    let path = folder.join(file.file_name().expect("a file"));
    capture::write_file(&log, Seq(1), log.head().seq, &path).expect("a capture can be written");
    path
}

fn one(file: &Path, copies: u64, folder: &Path) -> PathBuf {
    let capture = Reader::open(file).expect("a capture");
    let records: Vec<String> = capture
        .scan(Seq(1))
        .map(|record| serde_json::to_string(&record.expect("a whole capture").0).expect("a record is JSON"))
        .collect();
    let log = MemoryLog::default();
    let length = records.len() as u64;
    for copy in 0..copies {
        let mut ids = BTreeMap::new();
        let copied = records.iter().map(|record| repeat(record, copy, length, &mut ids)).collect();
        log.append(Batch::of_records(copied, Vec::new())).expect("records follow");
    }
    let path = folder.join(file.file_name().expect("a file"));
    fs::create_dir_all(folder).expect("a folder");
    capture::write_file(&log, Seq(1), log.head().seq, &path).expect("a capture can be written");
    path
}

/// A record as it is in a repetition.
fn repeat(record: &str, copy: u64, length: u64, ids: &mut BTreeMap<String, String>) -> Record {
    let renamed = record.replace("app-0", &format!("app-{copy}-0"));
    // Ids of commands are the only UUIDs that must not repeat; that others do not either harms nobody.
    let text: Vec<&str> = renamed.split('"').collect();
    let text: Vec<String> = text
        .into_iter()
        .map(|part| {
            if part.len() != 36 || Uuid::parse_str(part).is_err() {
                return part.to_owned();
            }
            let fresh = || Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{part}{copy}").as_bytes()).to_string();
            ids.entry(part.to_owned()).or_insert_with(fresh).clone()
        })
        .collect();
    let mut record: Record = serde_json::from_str(&text.join("\"")).expect("it is still a record");
    record.seq = Seq(record.seq.0 + copy * length);
    record.stamp = Stamp { time: record.stamp.time.plus_ms(copy * PERIOD), ..record.stamp };
    if let Cause::Local(seq) = &mut record.cause {
        seq.0 += copy * length;
    }
    match &mut record.payload {
        Payload::Moved(position) => position.since = position.since.plus_ms(copy * PERIOD),
        Payload::TimerFired { wanted, .. } => *wanted = Time(wanted.0 + copy * PERIOD),
        _ => {}
    }
    record
}
