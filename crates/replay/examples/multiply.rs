//! Writes big captures for measurements: `multiply COPIES FOLDER CAPTURE...`
#![allow(clippy::expect_used, clippy::panic, reason = "a tool for measurements may stop where it fails")]

#[path = "../tests/support/multiply.rs"]
mod multiply;

use std::path::{Path, PathBuf};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [copies, folder, files @ ..] = arguments.as_slice() else {
        panic!("usage: multiply COPIES FOLDER CAPTURE...");
    };
    let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
    let copies = copies.parse().expect("a number of copies");
    for file in multiply::multiply(&files, copies, Path::new(folder)) {
        println!("{}", file.display());
    }
}
