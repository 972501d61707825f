//! Files that are damaged, cut off, or something else: what the reading commands say.
#![allow(clippy::expect_used, reason = "helpers of a test may fail it")]

mod support;

use std::{fs, path::Path, process::Output};

use support::{complaint, fixture, replay};

/// All reading commands, for one file.
fn commands(file: &Path) -> [String; 5] {
    let file = file.display();
    [
        format!("show {file}"),
        format!("timeline {file}"),
        format!("state {file}"),
        format!("diff {file} {file}"),
        format!("why app-000 {file}"),
    ]
}

fn refused(contents: &[u8], word: &str) -> Vec<Output> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bad.ramenlog");
    fs::write(&file, contents).expect("a file can be written");
    let refused = |command: String| {
        let output = replay(&command);
        let said = complaint(&output);
        assert_eq!(output.status.code(), Some(2), "{command}: {said}");
        assert!(said.contains(word) && said.contains("bad.ramenlog"), "{command}: no {word:?} in: {said}");
        assert_eq!(said.lines().count(), 1, "{command}: one line says it: {said}");
        assert!(output.stdout.is_empty(), "{command}: nothing is shown of it");
        output
    };
    commands(&file).into_iter().map(refused).collect()
}

#[test]
fn each_kind_of_bad_file_has_words_of_its_own() {
    let whole = fs::read(fixture("story-hub")).expect("a recorded log");
    refused(b"", "not a capture file");
    refused(b"apiVersion: v1\nkind: List\n", "not a capture file");
    refused(&whole[..10], "cut off in its header");
    let mut newer = whole.clone();
    newer[8] = 7;
    refused(&newer, "has format 7");
    let cut = refused(&whole[..whole.len() / 2], "cut off in record");
    assert!(complaint(&cut[0]).contains("--salvage shows the"), "{}", complaint(&cut[0]));
    let mut flipped = whole.clone();
    flipped[whole.len() * 3 / 4] ^= 4;
    refused(&flipped, "damaged in record");
}

#[test]
fn what_is_intact_is_shown_on_request_with_what_is_not_proven() {
    let whole = fs::read(fixture("story-hub")).expect("a recorded log");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cut.ramenlog");
    fs::write(&file, &whole[..whole.len() * 3 / 4]).expect("a file can be written");
    for command in commands(&file) {
        let output = replay(&format!("{command} --salvage"));
        let said = complaint(&output);
        assert_eq!(output.status.code(), Some(0), "{command}: {said}");
        assert!(said.contains("cut off in record") && said.contains("is not known"), "{command}: {said}");
        assert!(!output.stdout.is_empty(), "{command}: shows something");
    }
    let all = replay(&format!("show {}", fixture("story-hub").display()));
    let some = replay(&format!("show {} --salvage --kind Observed", file.display()));
    let all = String::from_utf8_lossy(&all.stdout).into_owned();
    for line in String::from_utf8_lossy(&some.stdout).lines().skip(2) {
        let record = line.split_whitespace().nth(1).expect("a record");
        assert!(all.contains(record), "{record} is none of the whole log");
    }
}

#[test]
fn a_missing_file_is_named() {
    let output = replay("show nowhere.ramenlog");
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint(&output).contains("nowhere.ramenlog"), "{}", complaint(&output));
}
