//! How long it takes on a log of a million records, and how much memory.
//!
//! `cargo test --release -p ramen-replay --test speed -- --ignored --nocapture` prints the figures; `RECORDS` says how many
//! records there are in all logs together. Nothing is asserted but that the commands do what they should: figures are of
//! one machine.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use ramen_events::capture::Reader;
use support::{fixtures, grow::grow, said};

/// The logs of hub and clusters, long enough together.
fn logs(records: u64, folder: &std::path::Path) -> Vec<PathBuf> {
    let files = fixtures("story");
    let count = |files: &[PathBuf]| {
        files.iter().map(|file| Reader::open(file).expect("a capture").header().records()).sum::<u64>()
    };
    let (two, four) = (count(&grow(&files, 2, folder)), count(&grow(&files, 4, folder)));
    let each = (four - two) / 2;
    grow(&files, (records / each).max(2), folder)
}

/// The most memory that a process has had so far, in MB.
fn peak(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kb| kb / 1000)
}

fn measure(name: &str, arguments: &[String]) {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ramen-replay"))
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .expect("ramen-replay starts");
    let mut memory = 0;
    let status = loop {
        memory = peak(&child).unwrap_or(0).max(memory);
        match child.try_wait().expect("it can be asked") {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    assert!(status.success(), "{name}: {status}");
    println!("{name:<28} {:>7.2} s {memory:>6} MB", start.elapsed().as_secs_f64());
}

#[test]
#[ignore = "takes minutes, and is for people who look at figures"]
fn figures() {
    let records = std::env::var("RECORDS").ok().and_then(|records| records.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let files = logs(records, folder.path());
    let mut names = Vec::new();
    for file in &files {
        let header = Reader::open(file).expect("a capture").header().clone();
        println!(
            "{:<28} {:>9} records {:>5} MB",
            file.display(),
            header.records(),
            fs::metadata(file).expect("a file").len() / 1_000_000
        );
        names.push(file.display().to_string());
    }
    let hub = names[0].clone();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    measure("verify, all logs", &[words("verify"), names.clone()].concat());
    measure("verify, the hub's log", &words(&format!("verify {hub}")));
    let middle = Reader::open(&files[0]).expect("a capture").header().last.0 / 2;
    measure("state --at, in the middle", &words(&format!("state {hub} --at {middle}")));
    measure("state, at the end", &words(&format!("state {hub}")));
    let page = folder.path().join("page.html").display().to_string();
    measure("timeline --html, all", &[words("timeline"), names.clone(), words(&format!("--html {page}"))].concat());
    println!("{page:<28} {:>5} MB", fs::metadata(&page).expect("the page").len() / 1_000_000);
    measure(
        "timeline --html, one of them",
        &[words("timeline"), names.clone(), words(&format!("--about app-7-000 --html {page}"))].concat(),
    );
    measure("audit, all", &[words("audit"), names.clone(), words("--format jsonl")].concat());
}

#[test]
fn grown_logs_verify_and_belong_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = grow(&fixtures("story"), 5, folder.path());
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let verdicts = said(&format!("verify {}", names.join(" ")));
    assert_eq!(verdicts.lines().filter(|line| line.starts_with("same")).count(), 3, "{verdicts}");
    let audit = said(&format!("audit {} --format csv", names.join(" ")));
    for copy in 0..5 {
        assert!(
            audit.contains("failover from c1 to c2") && audit.contains(&format!("app-{copy}-000")),
            "{copy}: {audit}"
        );
    }
}
