//! Logs that were grown out of recorded ones, as the benches use them, are logs like others.

mod support;

use support::{fixtures, grow::grow, said};

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
