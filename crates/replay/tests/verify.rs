//! `ramen-replay verify` as its users meet it: exit codes and what it says.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use ramen_events::{ActionId, Payload};
use support::forge::altered;

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../replay-fixtures/v1");
    let files = fs::read_dir(folder).expect("recorded logs are there");
    let mut files: Vec<_> = files.map(|entry| entry.expect("a folder can be read").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "ramenlog"));
    files.sort();
    assert!(!files.is_empty(), "no recorded logs");
    files
}

fn verify(files: &[PathBuf]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ramen-replay")).arg("verify").args(files).output().expect("ramen-replay starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn recorded_logs_still_lead_to_their_decisions() {
    let output = verify(&fixtures());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn any_flipped_bit_is_refused() {
    let file = &fixtures()[0];
    let whole = fs::read(file).expect("a recorded log");
    let folder = tempfile::tempdir().expect("a folder");
    let flipped = folder.path().join("flipped.ramenlog");
    // Every bit of a small capture is flipped in ramen-events; here the bits are spread over the whole of a real one.
    for place in (0..whole.len() * 8).step_by(whole.len() * 8 / 97) {
        let mut bytes = whole.clone();
        bytes[place / 8] ^= 1 << (place % 8);
        fs::write(&flipped, bytes).expect("a file can be written");
        let output = verify(std::slice::from_ref(&flipped));
        assert_eq!(output.status.code(), Some(2), "bit {place}: {}", said(&output));
    }
}

#[test]
fn a_decision_that_does_not_follow_is_shown_with_what_was_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = true;
    let altered = altered(&fixtures()[0], folder.path(), |record| {
        if let (Payload::Moved(position), true) = (&mut record.payload, first) {
            position.action = ActionId("another-action".to_owned());
            first = false;
        }
    });
    let output = verify(&[altered]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in ["diverged", "at record", "wanted", "recorded", "another-action"] {
        assert!(said.contains(word), "no {word:?} in: {said}");
    }
}

#[test]
fn files_that_are_no_captures_and_wrong_usage_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("notes.ramenlog");
    fs::write(&text, "not a capture").expect("a file can be written");
    let output = verify(&[text, folder.path().join("missing.ramenlog")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("not a capture file"), "{}", said(&output));
    assert_eq!(verify(&[]).status.code(), Some(64), "no file is wrong usage");
}
