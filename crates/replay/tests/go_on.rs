//! `ramen-replay whatif --go-on`: logs retold and played in the simulated world.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::path::{Path, PathBuf};

use ramen_events::{
    Seq, capture,
    log::{History as _, MemoryLog},
};
use ramen_trials::scenario;
use serde_json::Value;
use support::{complaint, replay, root};
use tempfile::TempDir;

/// The exit code, and what is said of the world, which comes last.
fn world(command: &str) -> (Option<i32>, Value) {
    let output = replay(&format!("whatif {command} --go-on -o json"));
    let text = String::from_utf8(output.stdout.clone()).expect("it prints text");
    let last = text.lines().last().unwrap_or_else(|| panic!("{command}: {}", complaint(&output)));
    let value: Value = serde_json::from_str(last).expect("one JSON value a line");
    (output.status.code(), value["world"].clone())
}

/// What happens in a world, in words.
fn happenings(world: &Value, only_in: &Value) -> Vec<String> {
    let all = world["happenings"].as_array().expect("happenings");
    all.iter()
        .filter(|one| one["only_in"] == *only_in)
        .map(|one| one["says"].as_str().expect("words").to_owned())
        .collect()
}

/// The logs of a scenario, as files.
fn logs_of(text: &str) -> (TempDir, Vec<PathBuf>) {
    let played = scenario::play(&scenario::parse(text, Path::new("x.yaml")).expect("a scenario"));
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    for (whose, disk) in played.verdict.logs() {
        let (log, file) = (MemoryLog::open(&disk), folder.path().join(format!("{whose}.ramenlog")));
        capture::write_file(&log, Seq(1), log.head().seq, &file).expect("a capture can be written");
        files.push(file);
    }
    (folder, files)
}

fn scenario_of(name: &str) -> String {
    std::fs::read_to_string(root().join("scenarios").join(name)).expect("a scenario of the project")
}

fn words(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_world_tells_the_story_of_the_demo() {
    let (code, world) = world("story-*.ramenlog");
    assert_eq!((code, &world["verdict"]), (Some(0), &"same".into()), "{world}");
    let told = [
        "app-000 is protected, on c1",
        "c1 loses power",
        "failover of app-000 to c2 is asked for",
        "c1 has power again",
        "relocation of app-000 to c1 is asked for",
        "the protection of app-000 is deleted",
    ];
    assert_eq!(happenings(&world, &Value::Null), told);
    let app = &world["applications"][0];
    assert_eq!((&app["log"]["end"], &app["world"]["runs_on"][0]), (&app["world"]["end"], &"c1".into()), "{app}");
    let assumed = world["assumed"].to_string();
    assert!(assumed.contains("c1 loses power at 23:46:13.087") && assumed.contains("once a second"), "{assumed}");
}

#[test]
fn operators_that_died_all_the_time_do_so_in_the_world() {
    let (code, world) = world("chaos-5-*.ramenlog");
    assert_eq!((code, &world["verdict"]), (Some(0), &"same".into()), "{}", world["differences"]);
    let told = happenings(&world, &Value::Null);
    assert!(told.iter().filter(|what| what.contains("dies and is started again")).count() > 10, "{told:?}");
}

#[test]
fn the_scenario_that_is_written_plays_and_shows_where_each_line_comes_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("story.yaml");
    let output = replay(&format!("whatif story-*.ramenlog --go-on --scenario {}", file.display()));
    assert!(output.status.success(), "{}", complaint(&output));
    let text = std::fs::read_to_string(&file).expect("it was written");
    for line in ["{ failover: { app: app-000, to: c2 } }  # hub#179", "names: [c1, c2]", "# - c1 loses power"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let played = scenario::play(&scenario::read(&file).expect("a scenario"));
    assert!(played.is_good(), "{:?}", played.verdict.violation);
}

#[test]
fn without_the_relocation_the_application_stays_where_it_was_failed_over_to() {
    let (code, world) = world("story-*.ramenlog --drop hub#237 --drop hub#313");
    assert_eq!((code, &world["verdict"]), (Some(1), &"differs".into()), "{world}");
    let gone = ["relocation of app-000 to c1 is asked for", "the protection of app-000 is deleted"];
    assert_eq!(happenings(&world, &"log".into()), gone);
    let end = &world["applications"][0]["world"];
    assert_eq!(
        (&end["end"]["phase"], &end["end"]["progression"]),
        (&"FailedOver".into(), &"Completed".into()),
        "{end}"
    );
    assert_eq!((&end["end"]["home"], end["runs_on"].to_string()), (&"c2".into(), r#"["c2"]"#.to_owned()), "{end}");
    let commands = world["commands"].to_string();
    assert!(commands.contains("ApplyVrgWork c1: be primary for Relocate"), "{commands}");
}

/// A relocation from a cluster that does not answer cannot lose nothing: it waits, and says so.
#[test]
fn a_relocation_instead_of_the_failover_waits_for_the_lost_cluster() {
    let (code, world) = world(
        "story-*.ramenlog --patch hub#179+ spec.action=Relocate --patch hub#179+ spec.preferred=c2 --drop c1#91 --drop hub#313",
    );
    assert_eq!((code, &world["verdict"]), (Some(1), &"differs".into()), "{world}");
    let asked = happenings(&world, &"world".into());
    assert_eq!(asked, ["relocation of app-000 to c2 is asked for"], "{world}");
    let end = &world["applications"][0]["world"];
    assert_eq!(
        end["runs_on"].to_string(),
        "[]",
        "nothing runs where there is no power, and nothing is given up: {end}"
    );
    let wait = &end["waits"][0];
    assert!(wait["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{end}");
    assert_eq!((&wait["on"], &end["writes_lost"]), (&"c1".into(), &0.into()), "{end}");
}

#[test]
fn what_befell_comes_later_as_what_people_asked_for_does() {
    let (_, world) = world("story-*.ramenlog --delay c1#91=40s --delay hub#237=60s --drop hub#313");
    let steps = world["applications"][0]["world"]["steps"].as_array().expect("steps");
    let cleaning = steps.iter().find(|step| step["step"] == "Cleaning Up").expect("the failover's clean-up");
    assert!(cleaning["until"].as_str().is_some_and(|until| until > "2026-11-23T23:46:54"), "{cleaning}");
    assert_eq!(world["applications"][0]["world"]["end"]["phase"], "Relocated", "{world}");
}

#[test]
fn what_follows_by_itself_cannot_be_changed_there() {
    let output = replay("whatif story-*.ramenlog --drop hub#203 --go-on");
    assert_eq!(output.status.code(), Some(0), "a status of the DRPC: what it asks for is the same without");
    let output = replay("whatif story-*.ramenlog --drop hub#171 --go-on");
    assert_eq!(output.status.code(), Some(64));
    let told = complaint(&output);
    assert!(told.contains("hub#179 (failover of app-000 to c2 is asked for)") && told.contains("c1#91"), "{told}");
    let output = replay("whatif story-c1.ramenlog --go-on");
    assert_eq!(output.status.code(), Some(64));
    assert!(complaint(&output).contains("needs the hub's log"), "{}", complaint(&output));
}

#[test]
fn a_log_that_begins_in_the_middle_is_not_retold() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("late.ramenlog");
    let cut = replay(&format!("capture story-hub.ramenlog {} --from 200", file.display()));
    assert!(cut.status.success(), "{}", complaint(&cut));
    let output = replay(&format!("whatif {} --go-on", file.display()));
    assert_eq!(output.status.code(), Some(3), "{}", complaint(&output));
    assert!(complaint(&output).contains("the hub's log begins after record"), "{}", complaint(&output));
}

/// What no log says cannot be retold: then the world goes another way, and that is what is said.
#[test]
fn a_story_that_the_world_does_not_tell_proves_nothing() {
    let (_folder, files) = logs_of(&scenario_of("hub-rebuilt-from-git.yaml"));
    let (code, world) = world(&words(&files));
    assert_eq!((code, &world["verdict"], &world["agrees_until"]), (Some(3), &"not retold".into(), &Value::Null));
    let differences = world["differences"].to_string();
    assert!(
        differences.contains("shop: in the end it is Relocated, Completed, placed on c1 in the log"),
        "{differences}"
    );
}

#[test]
fn clusters_keep_their_names_and_long_waits_their_reasons() {
    let text = scenario_of("stubborn-pod.yaml")
        .replace("c1", "east")
        .replace("c2", "west")
        .replace("applications:", "world: { names: [east, west] }\napplications:");
    let (_folder, files) = logs_of(&text);
    let (code, told) = world(&words(&files));
    assert_eq!((code, &told["verdict"]), (Some(0), &"same".into()), "{}", told["differences"]);
    let all = told["happenings"].as_array().expect("happenings");
    let evict = all.iter().find(|one| one["what"]["evict"]["on"] == "east").expect("somebody removed the pod");
    let record = evict["record"].as_str().expect("a record");
    let (_, stuck) = world(&format!("{} --drop {record}", words(&files)));
    let waits = stuck["applications"][0]["world"]["waits"].to_string();
    assert!(waits.contains("delete the pods"), "{waits}");
}
