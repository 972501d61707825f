//! A volume that takes no more: whoever appends is told, nobody hangs, and what was acknowledged stays.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test helpers")]

mod support;

use std::{env, path::Path, process::Command, thread};

use ramen_events::{
    Seq,
    disk::SledLog,
    log::{Batch, Error, EventLog, History},
};
use support::{draft, options};

const DIR: &str = "RAMEN_EVENTS_FULL_DISK_DIR";

/// Runs in a process of its own, in which no file can grow beyond a limit; does nothing otherwise.
#[test]
fn child_that_fills_its_volume() {
    let Ok(dir) = env::var(DIR) else { return };
    let log = SledLog::open(Path::new(&dir), &options()).unwrap();
    let acknowledged: u64 = thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let log = &log;
                scope.spawn(move || {
                    for n in 0_u64.. {
                        let mut batch = Batch::of_drafts([draft(writer * 1_000_000 + n)]);
                        // Noise, which does not compress.
                        let mut chance = writer * 1_000_000 + n + 1;
                        let noise = std::iter::repeat_with(|| {
                            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                            (chance >> 40) as u8
                        });
                        batch.blobs.push(noise.take(3000).collect());
                        match log.append(batch) {
                            Ok(_) => {}
                            Err(Error::Store { .. } | Error::Sync { .. } | Error::Poisoned { .. }) => return n,
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                    unreachable!("it stops at the first failure")
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    let refused = log.append(Batch::of_drafts([draft(0)])).unwrap_err();
    assert!(matches!(refused, Error::Poisoned { .. }), "{refused:?}");
    assert!(refused.remedy().contains("volume"));
    assert_eq!(log.head().seq.0, acknowledged, "readers see what was acknowledged");
    println!("acknowledged {acknowledged} .");
    drop(log);
    println!("closed .");
}

#[test]
fn a_full_volume_is_told_to_all_writers_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 12000; exec \"$0\" --exact child_that_fills_its_volume --nocapture"])
        .arg(env::current_exe().unwrap())
        .env(DIR, dir.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    let acknowledged = told.lines().find_map(|line| line.strip_prefix("acknowledged ")?.strip_suffix(" ."));
    let acknowledged: u64 = acknowledged.unwrap_or_else(|| panic!("{child:?}")).parse().unwrap();
    assert!(acknowledged > 100, "{acknowledged} records before the volume was full");
    assert!(told.contains("closed ."), "{child:?}");

    let log = SledLog::open(dir.path(), &options()).unwrap();
    assert_eq!(log.recovered().lost, 0);
    assert!(log.head().seq.0 >= acknowledged, "a batch that nobody was told of may be there, whole");
    assert_eq!(log.scan(Seq(1)).map(Result::unwrap).count() as u64, log.head().seq.0);
    log.append(Batch::of_drafts([draft(1)])).unwrap();
}
