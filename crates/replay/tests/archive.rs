//! A folder with segments of an archive is a log like any other, and says what is missing in it.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use ramen_events::{
    Record, Seq,
    anchor::LogId,
    capture::{
        Reader,
        segment::{self, SegmentName},
    },
    log::{Batch, EventLog, History, MemoryLog},
};
use support::{complaint, fixture, replay, said};

/// Exports a log in pieces of so many records, as an operator does.
fn export(log: &dyn History, place: &Path, size: u64) -> Vec<PathBuf> {
    let owner = ramen_events::log::Owner {
        operator: ramen_events::Operator::Hub,
        cluster: ramen_events::ClusterName::from("hub"),
    };
    let id = LogId::of(log).expect("it is read").expect("it has records");
    let folder = place.join(segment::folder(&owner, &id)).join("segments");
    fs::create_dir_all(&folder).expect("a folder");
    let (mut from, mut files) = (Seq(1), Vec::new());
    while from <= log.head().seq {
        let to = Seq((from.0 + size - 1).min(log.head().seq.0));
        let mut bytes = Vec::new();
        let (_, hash) = segment::write_segment(log, from, to, None, &mut bytes).expect("a segment");
        files.push(folder.join(SegmentName::new(from, to, hash).to_string()));
        fs::write(files.last().expect("a file"), bytes).expect("a file can be written");
        from = to.next();
    }
    files
}

/// The recorded log of the hub, as far as `last`; from record `changed` on it went otherwise.
fn log(last: u64, changed: u64) -> MemoryLog {
    let reader = Reader::open(&fixture("story-hub")).expect("a capture");
    let records = reader.scan(Seq(1)).map(|record| record.expect("a whole capture").0);
    let changed = |mut record: Record| {
        record.stamp.time = record.stamp.time.plus_ms(if record.seq.0 >= changed { 60_000 } else { 0 });
        record
    };
    let log = MemoryLog::default();
    let records = records.take_while(|record| record.seq.0 <= last).map(changed).collect();
    log.append(Batch::of_records(records, Vec::new())).expect("records follow");
    log
}

#[test]
fn a_folder_of_segments_becomes_a_capture_that_is_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("dr");
    let reader = Reader::open(&fixture("story-hub")).expect("a capture");
    assert_eq!(export(&reader, &place, 100).len(), 4);
    let capture = folder.path().join("hub.ramenlog");
    let told = said(&format!("capture {} {}", place.display(), capture.display()));
    assert!(told.contains("350 records"), "{told}");
    let again = Reader::open(&capture).expect("a capture");
    assert_eq!(again.head().hash, reader.head().hash);
    assert_eq!(again.blobs().expect("blobs"), reader.blobs().expect("blobs"));
    // Other commands read it, too.
    let of = |log: &str| said(&format!("show {log} story-c1.ramenlog"));
    assert_eq!(of(&place.display().to_string()), of("story-hub.ramenlog"));
    let told = said(&format!("verify {}", place.display()));
    assert!(told.starts_with("same") && told.contains("350 records"), "{told}");
}

#[test]
fn what_is_missing_or_damaged_is_named_and_what_comes_before_it_can_be_salvaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = export(&log(350, 1000), folder.path(), 100);
    let show = |more: &str| replay(&format!("show {} {more}", folder.path().display()));
    let [_, second, ..] = files.as_slice() else { panic!("{files:?}") };
    let whole = fs::read(second).expect("a segment");
    fs::remove_file(second).expect("it is there");
    let output = show("");
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint(&output).contains("between 100 and 201"), "{}", complaint(&output));
    let output = show("--salvage");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && told.contains("hub#100"), "{told} {}", complaint(&output));
    assert!(complaint(&output).contains("a segment is missing"), "{}", complaint(&output));

    for bytes in [&whole[..whole.len() / 2], b"nothing", &[]] {
        fs::write(second, bytes).expect("a file can be written");
        let output = show("");
        let name = second.file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(output.status.code(), Some(2), "{}", complaint(&output));
        assert!(complaint(&output).contains(&name), "{}", complaint(&output));
        assert!(complaint(&output).contains("copy the file again"), "{}", complaint(&output));
        assert!(show("--salvage").status.success());
    }
}

#[test]
fn a_log_that_lost_its_end_and_went_on_is_read_to_its_newest_end() {
    let folder = tempfile::tempdir().expect("a folder");
    export(&log(200, 1000), folder.path(), 100);
    // The volume lost what came after record 100, and the operator went on.
    let newer = log(300, 101);
    export(&newer, folder.path(), 100);
    let output = replay(&format!("capture {} {}", folder.path().display(), folder.path().join("x").display()));
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert!(complaint(&output).contains("records 101 to 200 of the lost end"), "{}", complaint(&output));
    let capture = Reader::open(&folder.path().join("x")).expect("a capture");
    assert_eq!(capture.head().hash, newer.head().hash);
}

#[test]
fn of_several_logs_one_has_to_be_named() {
    let folder = tempfile::tempdir().expect("a folder");
    export(&log(100, 1000), folder.path(), 100);
    export(&log(100, 1), folder.path(), 100);
    let output = replay(&format!("show {}", folder.path().display()));
    assert_eq!(output.status.code(), Some(64));
    assert!(complaint(&output).contains("segments of 2 logs; give the folder of one"), "{}", complaint(&output));
}

#[test]
fn an_address_of_a_bucket_says_how_to_copy_it() {
    let output = replay("capture s3://logs/dr/hub/hub/b4a1dac7588b9793 hub.ramenlog");
    assert_eq!(output.status.code(), Some(64));
    let said = complaint(&output);
    for word in ["aws s3 sync s3://logs/dr/hub/hub/b4a1dac7588b9793 FOLDER", "ramen-replay capture FOLDER hub.ramenlog"]
    {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
}
