//! Whatever was asked before, in whatever order, and whatever failed meanwhile: the last wish is fulfilled (spec vrg VL4).

use std::time::Duration;

use ramen_sim::{
    api::Api,
    kinds::{PVC, VOLUME_REPLICATION},
    rng::Rng,
};
use rstest::rstest;
use serde_json::json;

use super::stage::{APP, Stage};

fn step(stage: &mut Stage, rng: &mut Rng) -> String {
    let cluster = if rng.below(2) == 0 { "c1" } else { "c2" };
    let action = ["", "Failover", "Relocate"][rng.below(3) as usize];
    match rng.below(10) {
        0 | 1 => {
            stage.ask_with(cluster, json!({ "replicationState": "primary", "action": action, "runFinalSync": null }));
            format!("{cluster} primary {action}")
        }
        2 | 3 => {
            stage.ask_with(cluster, json!({ "replicationState": "secondary", "action": action, "runFinalSync": null }));
            format!("{cluster} secondary {action}")
        }
        4 => {
            stage.ask_with(cluster, json!({ "runFinalSync": true }));
            format!("{cluster} final sync")
        }
        5 | 6 => {
            let down = rng.below(2) == 0;
            stage.set_store(&format!("s3-{cluster}"), |store| store.down = down);
            format!("s3-{cluster} down={down}")
        }
        7 | 8 => {
            let shell = stage.shells.get_mut(cluster).unwrap();
            if rng.below(2) == 0 {
                shell.crash()
            } else {
                shell.lose_log()
            }
            format!("{cluster} dies")
        }
        _ => {
            let patch = json!({ "metadata": { "finalizers": ["kubernetes.io/pvc-protection"] } });
            stage.clusters[cluster].merge_patch(&PVC, Some(APP), "data-0", &patch, None).ok();
            format!("{cluster} data-0 loses its finalizer")
        }
    }
}

#[rstest]
fn the_last_wish_is_fulfilled(#[values(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)] seed: u64) {
    let mut rng = Rng::for_entity(seed, "user");
    let mut stage = Stage::protected(2);
    stage.pass(Duration::from_secs(70));
    let mut story = Vec::new();
    for _ in 0..10 {
        story.push(step(&mut stage, &mut rng));
        stage.pass(Duration::from_millis(rng.below(4000)));
    }
    eprintln!("seed {seed}: {story:#?}");
    for profile in ["s3-c1", "s3-c2"] {
        stage.set_store(profile, |store| store.down = false);
    }
    stage.place(&["c1"]);
    stage.ask_with("c2", json!({ "replicationState": "secondary", "action": "Failover", "runFinalSync": null }));
    stage.ask_with("c1", json!({ "replicationState": "primary", "action": "Failover", "runFinalSync": null }));
    stage.until(300, "c1 to be protected", |stage| stage.is_protected("c1"));
    stage.until(300, "c2 to be secondary", |stage| {
        stage.state("c2") == "Secondary" && !stage.exists("c2", &VOLUME_REPLICATION, "data-0")
    });
    let records = stage.shell("c1").records.len();
    stage.pass(Duration::from_secs(10));
    assert!(stage.shell("c1").records.len() - records < 20, "c1 comes to rest");
}
