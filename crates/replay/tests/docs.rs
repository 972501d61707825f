//! Documents show what the program prints: each command in them is run, and its output compared.
//!
//! `UPDATE_DOCS=1 cargo test -p ramen-replay --test docs` writes the output anew.
#![allow(clippy::expect_used, reason = "helpers of a test may fail it")]

mod support;

use std::{env, fs, process::Command};

/// Runs a command line as it stands in the document.
fn run(line: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_ramen-replay")).parent().expect("a folder").to_owned();
    let path = env::join_paths([folder].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())));
    let output = Command::new("bash")
        .args(["-c", line])
        .current_dir(support::root().join("replay-fixtures/v1"))
        .env("PATH", path.expect("a path"))
        .env("COLUMNS", "120")
        .output()
        .expect("bash starts");
    String::from_utf8_lossy(&output.stdout).into_owned() + &support::complaint(&output)
}

#[test]
fn the_documents_show_what_is_printed() {
    ["replay.md", "audit.md"].into_iter().for_each(check);
}

fn check(name: &str) {
    let path = support::root().join("docs").join(name);
    let document = fs::read_to_string(&path).expect("the document");
    let mut fresh = String::new();
    let mut skipping = false;
    let mut inside = false;
    for line in document.lines() {
        match line.strip_prefix("$ ").filter(|_| inside) {
            _ if line.starts_with("```") => {
                inside = line == "```console";
                skipping = false;
            }
            Some(command) => {
                fresh.push_str(&format!("{line}\n{}", run(command)));
                skipping = true;
                continue;
            }
            None if skipping => continue,
            None => {}
        }
        fresh.push_str(line);
        fresh.push('\n');
    }
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &fresh).expect("the document can be written");
    }
    assert!(fresh == document || env::var_os("UPDATE_DOCS").is_some(), "docs/{name} is not current: {fresh}");
}
