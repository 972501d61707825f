//! Writes long logs for measurements: `multiply COPIES FOLDER HUB.ramenlog CLUSTER.ramenlog...`
#![allow(clippy::expect_used, clippy::panic, reason = "a tool for measurements may stop where it fails")]

#[path = "../tests/support/grow.rs"]
mod grow;

use std::path::{Path, PathBuf};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [copies, folder, files @ ..] = arguments.as_slice() else {
        panic!("usage: multiply COPIES FOLDER HUB.ramenlog CLUSTER.ramenlog...");
    };
    let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
    let copies = copies.parse().expect("a number of copies");
    for file in grow::grow(&files, copies, Path::new(folder)) {
        println!("{}", file.display());
    }
}
