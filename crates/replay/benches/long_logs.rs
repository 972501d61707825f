//! How long commands take on long logs, beside reading the records alone; and how much memory.
//!
//! `cargo bench -p ramen-replay --bench long_logs`; `RECORDS` says how many records there are in all logs together
//! (100,000 if it does not), and `LOGS` a folder in which they are kept for the next time. Whole processes are measured: reading, checking and printing included.
#![allow(clippy::expect_used, clippy::panic, reason = "a bench may fail")]
#![allow(missing_docs, reason = "criterion's macros make functions without any")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    env, fs,
    hint::black_box,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ramen_events::{Seq, capture::Reader, log::History as _};
use support::{fixtures, grow::grow};

fn records(files: &[PathBuf]) -> u64 {
    files.iter().map(|file| Reader::open(file).expect("a capture").header().records()).sum()
}

/// The logs of hub and clusters, long enough together.
fn logs(wanted: u64, folder: &Path) -> Vec<PathBuf> {
    let files = fixtures("story");
    let kept: Vec<PathBuf> = files.iter().filter_map(|file| Some(folder.join(file.file_name()?))).collect();
    if kept.iter().all(|file| file.exists()) {
        return kept;
    }
    let (two, four) = (records(&grow(&files, 2, folder)), records(&grow(&files, 4, folder)));
    grow(&files, (wanted / ((four - two) / 2)).max(2), folder)
}

/// What everything is compared with: each record is read and checked against its chain, and nothing is made of it.
fn read(files: &[PathBuf]) -> u64 {
    let reader = |file: &PathBuf| Reader::open(file).expect("a capture");
    let count = |reader: Reader| reader.scan(Seq(1)).map(|record| record.expect("a record")).map(black_box).count();
    files.iter().map(reader).map(count).sum::<usize>() as u64
}

fn start(arguments: &[String]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ramen-replay"));
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("ramen-replay starts")
}

fn run(arguments: &[String]) {
    let status = start(arguments).wait().expect("it ends");
    assert!(status.success(), "{arguments:?}: {status}");
}

/// The most memory that a command has had by its end, in MB; `None` where the kernel does not tell.
fn memory(arguments: &[String]) -> Option<u64> {
    let mut child = start(arguments);
    let mut most = None;
    while child.try_wait().expect("it can be asked").is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most = most.max(line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map(|kb| kb / 1000));
        thread::sleep(Duration::from_millis(2));
    }
    most
}

fn commands(files: &[PathBuf], page: &Path) -> Vec<(&'static str, Vec<String>)> {
    let all: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let hub = all.first().cloned().unwrap_or_default();
    let middle = records(files.get(..1).unwrap_or_default()) / 2;
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let of_all = |command: &str, more: &str| [words(command), all.clone(), words(more)].concat();
    let page = page.display();
    vec![
        ("verify", of_all("verify", "")),
        ("show", of_all("show", "")),
        ("state of the hub, in the middle", words(&format!("state {hub} --at {middle}"))),
        ("why", of_all("why app-7-000", "")),
        ("timeline --html", of_all("timeline", &format!("--html {page}"))),
        ("timeline --html, of one", of_all("timeline", &format!("--about app-7-000 --html {page}"))),
        ("audit", of_all("audit", "--format jsonl")),
    ]
}

fn long_logs(criterion: &mut Criterion) {
    let wanted = env::var("RECORDS").ok().and_then(|records| records.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().expect("a folder");
    let kept = env::var_os("LOGS").map(PathBuf::from);
    let files = logs(wanted, kept.as_deref().unwrap_or(folder.path()));
    let total = records(&files);
    let commands = commands(&files, &folder.path().join("page.html"));
    let mut group = criterion.benchmark_group(format!("{total} records"));
    group.sample_size(10).throughput(Throughput::Elements(total));
    group.bench_function("reading alone", |bencher| bencher.iter(|| assert_eq!(read(&files), total)));
    for (name, arguments) in &commands {
        group.bench_function(*name, |bencher| bencher.iter(|| run(arguments)));
    }
    group.finish();
    for (name, arguments) in &commands {
        let most = memory(arguments).map_or_else(|| "not known".to_owned(), |mb| format!("{mb} MB"));
        println!("most memory  {name:<34} {most:>10}");
    }
}

criterion_group!(benches, long_logs);
criterion_main!(benches);
