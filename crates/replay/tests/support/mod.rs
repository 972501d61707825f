//! What the tests of the program share.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

pub mod forge;
pub mod grow;
pub mod multiply;

use std::{
    path::PathBuf,
    process::{Command, Output},
};

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A recorded log.
pub fn fixture(name: &str) -> PathBuf {
    root().join("replay-fixtures/v1").join(format!("{name}.ramenlog"))
}

/// The logs of hub and clusters of one recording.
pub fn fixtures(story: &str) -> Vec<PathBuf> {
    ["hub", "c1", "c2"].iter().map(|name| fixture(&format!("{story}-{name}"))).collect()
}

/// Runs the program among the recorded logs; `command` is what a user would type behind its name.
pub fn replay(command: &str) -> Output {
    let mut arguments = Vec::new();
    for word in command.split_whitespace() {
        match word.strip_suffix("-*.ramenlog") {
            // What a shell would make of it.
            Some(story) => arguments.extend(["c1", "c2", "hub"].map(|name| format!("{story}-{name}.ramenlog"))),
            None => arguments.push(word.to_owned()),
        }
    }
    Command::new(env!("CARGO_BIN_EXE_ramen-replay"))
        .current_dir(root().join("replay-fixtures/v1"))
        .env_remove("COLUMNS")
        .args(arguments)
        .output()
        .expect("ramen-replay starts")
}

/// What it prints, when all is well.
pub fn said(command: &str) -> String {
    let output = replay(command);
    assert!(output.status.success(), "{command}: {}", complaint(&output));
    String::from_utf8(output.stdout).expect("it prints text")
}

/// What it complains about.
pub fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
