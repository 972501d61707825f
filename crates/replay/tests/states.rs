//! States that a capture carries along the way: what `state` reads is what a fold gives, and what lies is found.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::{fs, path::Path};

use ramen_events::{
    ActionId, Payload, Seq,
    capture::{Reader, VERSION},
    log::{History, SnapshotName},
};
use ramen_projector::{DECIDER_VERSION, World, hub::Hub};
use support::{
    complaint, fixture, fixtures,
    forge::{altered, frames, sealed, with_states},
    grow::grow,
    replay, said,
};

/// The hub's state after a record of the recorded log, in the form in which it is saved.
fn state(seq: u64) -> Vec<u8> {
    let reader = Reader::open(&fixture("story-hub")).expect("a capture");
    let mut world = World::<Hub>::default();
    for record in reader.scan(Seq(1)).take(seq as usize) {
        world.apply(&record.expect("a whole capture").0);
    }
    bincode::encode_to_vec(&world, bincode::config::standard()).expect("a state encodes")
}

/// Writes the recorded log with states after these records.
fn hub(folder: &Path, after: &[u64], state: impl FnMut(u64) -> Vec<u8>) -> String {
    let path = folder.join("hub.ramenlog");
    let whole = fs::read(fixture("story-hub")).expect("a recorded log");
    fs::write(&path, with_states(&whole, after, state)).expect("a file can be written");
    path.display().to_string()
}

#[test]
fn states_along_the_way_change_nothing_that_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = hub(folder.path(), &[60, 120, 200], state);
    let verdict = said(&format!("verify {file}"));
    assert!(verdict.starts_with("same"), "{verdict}");
    let plain = |command: &str| said(&command.replace("FILE", "story-hub.ramenlog"));
    let along = |command: &str| said(&command.replace("FILE", &file));
    for moment in ["1", "59", "60", "61", "150", "200", "23:46:09", "23:46:13.087", "23:46:15", "23:50:00"] {
        let command = format!("state FILE --at {moment}");
        assert_eq!(plain(&command), along(&command), "{moment}");
    }
    assert_eq!(plain("state FILE"), along("state FILE"));
    assert_eq!(plain("show FILE"), along("show FILE"));
}

/// The states of a log, record by record.
fn states(file: &Path) -> impl FnMut(u64) -> Vec<u8> {
    let reader = Reader::open(file).expect("a capture");
    let records: Vec<_> = reader.scan(Seq(1)).map(|record| record.expect("a whole capture").0).collect();
    let (mut world, mut records) = (World::<Hub>::default(), records.into_iter());
    move |seq| {
        while world.head.0 < seq {
            world.apply(&records.next().expect("there are so many records"));
        }
        bincode::encode_to_vec(&world, bincode::config::standard()).expect("a state encodes")
    }
}

/// What `verify` says, but for the name of the file.
fn verdict(file: &Path) -> String {
    let said = String::from_utf8_lossy(&replay(&format!("verify {}", file.display())).stdout).into_owned();
    said.replace(&file.display().to_string(), "FILE")
}

#[test]
fn a_log_is_the_same_wherever_it_is_taken_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = fixture("story-hub");
    let last = Reader::open(&whole).expect("a capture").head().seq.0;
    for apart in [(1..last).collect::<Vec<_>>(), (7..last).step_by(13).collect()] {
        let file = folder.path().join("hub.ramenlog");
        let bytes = fs::read(&whole).expect("a recorded log");
        fs::write(&file, with_states(&bytes, &apart, states(&whole))).expect("a file can be written");
        assert_eq!(verdict(&file), verdict(&whole), "states after {} records", apart.len());
    }
}

#[test]
fn a_divergence_is_found_where_it_is_wherever_a_log_is_taken_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut moves = 0;
    let changed = altered(&fixture("story-hub"), folder.path(), |record| {
        if let Payload::Moved(position) = &mut record.payload {
            moves += 1;
            if moves == 9 {
                position.action = ActionId("another-action".to_owned());
            }
        }
    });
    let told = verdict(&changed);
    assert!(told.starts_with("diverged") && told.contains("another-action"), "{told}");
    let last = Reader::open(&changed).expect("a capture").head().seq.0;
    for apart in [(1..last).collect::<Vec<_>>(), (7..last).step_by(13).collect()] {
        let file = folder.path().join("hub.ramenlog");
        let bytes = fs::read(&changed).expect("an altered log");
        fs::write(&file, with_states(&bytes, &apart, states(&changed))).expect("a file can be written");
        assert_eq!(verdict(&file), told, "states after {} records", apart.len());
    }
}

#[test]
fn state_reads_from_the_nearest_state_on() {
    let folder = tempfile::tempdir().expect("a folder");
    // Whoever folded from the start would not see what this state says.
    let file = hub(folder.path(), &[60, 120], |seq| if seq == 120 { state(120) } else { state(59) });
    let refused = replay(&format!("state {file} --at 100"));
    assert_eq!(refused.status.code(), Some(2));
    let told = complaint(&refused);
    assert!(told.contains("the state after record 60 is the state after record 59"), "{told}");
    assert_eq!(said(&format!("state {file} --at 150")), said("state story-hub.ramenlog --at 150"));
}

#[test]
fn a_state_that_lies_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = hub(folder.path(), &[60, 120], |seq| {
        let mut state = state(seq);
        if seq == 120 {
            let at = state.windows(5).position(|text| text == b"app-0").expect("an application");
            state[at + 4] = b'1';
        }
        state
    });
    let found = replay(&format!("verify {file}"));
    assert_eq!(found.status.code(), Some(2));
    let told = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(told.starts_with("unreadable") && told.contains("the state after record 120"), "{told}");
}

#[test]
fn a_state_that_claims_to_be_longer_than_memory_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    // A configuration is there, and its namespace has eighteen quintillion letters.
    let claim = [[1, 253].as_slice(), &[255; 8]].concat();
    let file = hub(folder.path(), &[60], |_| claim.clone());
    let found = replay(&format!("verify {file}"));
    assert_eq!(found.status.code(), Some(2), "{}", complaint(&found));
    let told = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(told.contains("the state after record 60"), "{told}");
}

#[test]
fn a_state_in_a_file_of_the_first_format_is_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hub.ramenlog");
    let whole = fs::read(fixture("story-hub")).expect("a recorded log");
    let mut start: [u8; 12] = whole[..12].try_into().expect("twelve bytes");
    start[8] = 1;
    fs::write(&path, sealed(&start, &frames(&with_states(&whole, &[60], state)))).expect("a file can be written");
    for command in ["verify", "state", "show"] {
        let output = replay(&format!("{command} {}", path.display()));
        assert_eq!(output.status.code(), Some(2), "{command}");
    }
}

/// A state before another record than the one it stands before, or two of them, or the chain's hash changed.
#[test]
fn states_out_of_place_are_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hub.ramenlog");
    let whole = with_states(&fs::read(fixture("story-hub")).expect("a recorded log"), &[60], state);
    let start: [u8; 12] = whole[..12].try_into().expect("twelve bytes");
    let frames = frames(&whole);
    let at = frames.iter().position(|(kind, _)| *kind == b'M').expect("a state");
    let (mut moved, mut twice, mut hash) = (frames.clone(), frames.clone(), frames);
    moved.swap(at, at + 1);
    twice.insert(at, twice[at].clone());
    hash[at].1[4] ^= 1;
    for (what, frames) in [("moved", moved), ("twice", twice), ("hash", hash)] {
        fs::write(&path, sealed(&start, &frames)).expect("a file can be written");
        let verified = replay(&format!("verify {}", path.display()));
        assert_eq!(verified.status.code(), Some(2), "{what}");
        let told = String::from_utf8_lossy(&verified.stdout).into_owned();
        assert!(told.contains("damaged in the state after record"), "{what}: {told}");
        let shown = replay(&format!("show {}", path.display()));
        assert_eq!(shown.status.code(), Some(2), "{what}");
        let reading = replay(&format!("state {}", path.display()));
        assert!(what == "twice" || reading.status.code() == Some(2), "{what}");
    }
}

#[test]
fn captures_of_long_logs_carry_states() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = grow(&fixtures("story")[..1], 100, folder.path());
    let long = files.first().expect("the hub's");
    let file = folder.path().join("captured.ramenlog");
    said(&format!("capture {} {}", long.display(), file.display()));
    assert_eq!(fs::read(&file).expect("a file")[8..12], VERSION.to_le_bytes());
    let names = Reader::open(&file).expect("a capture").snapshots().expect("an index");
    assert_eq!(names.first(), Some(&SnapshotName { seq: Seq(16_384), decider: DECIDER_VERSION }));
    let verdict = said(&format!("verify {}", file.display()));
    assert!(verdict.starts_with("same"), "{verdict}");
    let again = folder.path().join("again.ramenlog");
    said(&format!("capture {} {}", file.display(), again.display()));
    assert!(
        fs::read(&file).expect("a file") == fs::read(&again).expect("a file"),
        "a capture of a capture is the same"
    );
    // A slice of it begins with its own state, and carries those of its records.
    said(&format!("capture {} {} --from 10000", file.display(), again.display()));
    let verdict = said(&format!("verify {}", again.display()));
    assert!(verdict.starts_with("same"), "{verdict}");
    let at = |file: &Path| said(&format!("state {} --at 17000", file.display()));
    assert!(at(&file) == at(long) && at(&again) == at(long), "the same state from all three");
}
