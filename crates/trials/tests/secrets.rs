//! The stores' secrets are in no log and no object but the Secrets themselves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

use ramen_events::log::{MemoryLog, find_bytes};
use ramen_sim::{api::Api, kinds};
use ramen_trials::{plan, run};

#[test]
fn secrets_stay_where_they_are() {
    let ended = run::run(&plan::canonical(1, 2), &mut []);
    assert_eq!(ended.violation, None);
    for (whose, disk) in ended.universe.logs() {
        let found = find_bytes(&MemoryLog::open(&disk), b"simulated-secret-key").unwrap();
        assert!(found.is_none(), "the log of {whose} holds a secret: {found:?}");
    }
    let clusters: Vec<String> = ended.universe.managed().map(str::to_owned).chain(["hub".to_owned()]).collect();
    for cluster in clusters {
        for kind in [&kinds::VRG, &kinds::DRPC, &kinds::MANIFEST_WORK, &kinds::VIEW, &kinds::DR_CLUSTER] {
            for object in ended.universe.cluster(&cluster).list(kind, None, None).unwrap_or_default() {
                assert!(!object.to_string().contains("simulated-secret-key"), "{} on {cluster}", kind.kind);
            }
        }
    }
}
