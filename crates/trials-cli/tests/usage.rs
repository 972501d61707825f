//! What whoever types `ramen-sim` notices: exit codes, refusals, what is left behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use rstest::rstest;
use tempfile::TempDir;

/// A scenario that goes well in a few simulated seconds.
const GOOD: &str = "\
title: All is well
why: w
rests: false
applications:
  - { name: shop, claims: 1, on: c1, protected: false }
timeline:
  - when: { runs: { app: shop, on: c1 } }
";

/// A folder with a good scenario, one that fails, and one that is none.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("good.yaml", GOOD);
    write("failing.yaml", &GOOD.replace("on: c1 } }", "on: c2 } }\n    within: 1s").replace("is well", "is <lost>"));
    write("wrong.yaml", &GOOD.replace("timeline", "timline"));
    write("none.txt", "# nothing\n");
    write("seven.txt", "seed 7\n");
    fs::create_dir(folder.path().join("other")).unwrap();
    write("other/good.yaml", GOOD);
    folder
}

fn ramen_sim(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ramen-sim"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command
}

/// What it printed, what it complained of, and its exit code.
fn told(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

#[rstest]
#[case::good(&["play", "good.yaml"], 0)]
#[case::failing(&["play", "good.yaml", "failing.yaml"], 1)]
#[case::help(&["--help"], 0)]
#[case::wrong_usage(&["--helf"], 64)]
#[case::wrong_classes(&["run", "--faults", "none,stores"], 64)]
fn a_reader_who_goes_changes_no_exit_code(#[case] arguments: &[&str], #[case] code: i32) {
    let folder = folder();
    let mut child = ramen_sim(folder.path(), arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Both ends that read are closed before anything is written to them.
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(code));
}

#[test]
fn every_wrong_file_is_told_and_the_others_are_played() {
    let folder = folder();
    let play = |files: &[&str]| told(&ramen_sim(folder.path(), &[&["play"], files].concat()).output().unwrap());
    let (out, err, code) = play(&["wrong.yaml", "nosuch.yaml", "good.yaml"]);
    assert!(out.contains("good    good: All is well"), "{out}");
    assert!(err.contains("wrong.yaml:6:1: there is no field `timline`") && err.contains("read nosuch.yaml"), "{err}");
    assert_eq!(code, Some(2));
    let (out, _, code) = play(&["wrong.yaml", "failing.yaml"]);
    assert!(out.contains("at entry 1 of the timeline, line 7"), "{out}");
    assert!(out.contains("look closer: ramen-sim play --html incident.html --logs out failing.yaml"), "{out}");
    let end = "\nFAILED  failing: All is <lost>\n2 scenarios: 0 good, 1 failed, 1 refused\n";
    assert!(out.ends_with(end), "{out}");
    assert_eq!(code, Some(1), "a scenario that failed says more than a file that is wrong");
}

#[test]
fn programs_read_what_became_of_each() {
    let folder = folder();
    let arguments = ["play", "-o", "json", "good.yaml", "failing.yaml", "wrong.yaml"];
    let (out, _, code) = told(&ramen_sim(folder.path(), &arguments).output().unwrap());
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    let good: Vec<_> = told["scenarios"].as_array().unwrap().iter().map(|one| one["good"].as_bool()).collect();
    assert_eq!((good, &told["refused"], code), (vec![Some(true), Some(false)], &serde_json::json!(1), Some(1)));
    assert_eq!(told["scenarios"][1]["wrong"][1], "at entry 1 of the timeline, line 7");
}

#[rstest]
#[case::a_folder(&["play", "other"], "other: that is a folder: name its files, as other/*.yaml does")]
#[case::a_scenario_as_a_plan(&["play", "--plan", "good.yaml"], "a plan is JSON, as failing seeds leave it")]
fn what_cannot_be_read_is_told_with_what_to_do(#[case] arguments: &[&str], #[case] says: &str) {
    let folder = folder();
    let (out, err, code) = told(&ramen_sim(folder.path(), arguments).output().unwrap());
    assert!(err.contains(says) && out.is_empty(), "{out}{err}");
    assert_eq!(code, Some(2));
}

#[test]
fn the_page_of_a_scenario_that_failed_says_so() {
    let folder = folder();
    let output = ramen_sim(folder.path(), &["play", "--html", "new/page.html", "failing.yaml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let page = fs::read_to_string(folder.path().join("new/page.html")).unwrap();
    assert!(page.contains("<h1>FAILED: All is &lt;lost&gt;</h1>"), "no title");
    assert!(page.contains("within 1s: shop runs on c2; but no pod of shop runs on c2"), "no reason");
    assert!(page.contains("at entry 1 of the timeline, line 7"), "no place");
}

#[test]
fn the_page_of_a_scenario_tells_what_people_did_and_what_befell_the_world() {
    let folder = folder();
    let text = "title: t\nwhy: w\napplications:\n  - { name: shop, on: c1 }\ntimeline:\n  - do: [ { lose: { cluster: c2 } } ]\n  \
                - after: 30s\n    do: [ { bring-back: { cluster: c2 } } ]\nrests: false\n";
    fs::write(folder.path().join("lost.yaml"), text).unwrap();
    let output = ramen_sim(folder.path(), &["play", "--html", "page.html", "lost.yaml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("lose: &#123; cluster: c2 } … bring-back"), "not in the table");
    assert!(page.contains("\"lose: { cluster: c2 } … bring-back\",true"), "not in the chart");
}

#[rstest]
#[case::logs_in_one_place(&["play", "--logs", "out", "good.yaml", "other/good.yaml"], "leave their logs in out/good")]
#[case::two_on_one_page(&["play", "--html", "x.html", "good.yaml", "failing.yaml"], "--html draws one scenario")]
#[case::nothing_to_play(&["play"], "<FILE.yaml|--plan <FILE.json>>")]
#[case::no_seed_at_all(&["run", "--list", "none.txt"], "no seed is left to run")]
#[case::no_seed_left(&["run", "--seeds", "7..8", "--except", "seven.txt"], "no seed is left to run")]
#[case::seeds_backwards(&["run", "--seeds", "7..3"], "has to be larger, as in 7..8")]
#[case::no_seeds(&["run", "--seeds", "5..5"], "has to be larger, as in 5..6")]
#[case::no_range(&["run", "--seeds", "5"], "is no range of seeds")]
#[case::no_number(&["run", "--seed", "x"], "\"x\" is no seed: write a whole number, 0 or more")]
#[case::no_jobs(&["run", "--jobs", "0"], "1..=1024")]
#[case::too_many_jobs(&["run", "--jobs", "5000"], "1..=1024")]
#[case::no_failures(&["run", "--failures", "0"], "0 is not in 1..")]
#[case::no_trials_to_need(&["run", "--need-coverage", "0"], "0 is not in 1..")]
#[case::no_time(&["run", "--for", "0s"], "nothing runs in no time")]
#[case::no_step(&["exhaustive", "--every", "0"], "0 is not in 1..")]
#[case::no_claims(&["exhaustive", "--claims", "0"], "0 is not in 1..")]
#[case::a_log_that_is_a_folder(&["run", "--seed", "1", "--log", "other"], "name a file in it, other/run.ramenlog")]
#[case::a_log_with_another_name(&["run", "--seed", "1", "--log", "x.log"], "name it x.log.ramenlog")]
fn what_cannot_be_meant_is_refused_with_words(#[case] arguments: &[&str], #[case] says: &str) {
    let folder = folder();
    let (out, err, code) = told(&ramen_sim(folder.path(), arguments).output().unwrap());
    assert!(err.contains(says) && out.is_empty(), "{out}{err}");
    assert_eq!(code, Some(64));
}

#[test]
fn seeds_beyond_counting_need_no_memory_and_only_those_left_out_are_told() {
    let folder = folder();
    fs::write(folder.path().join("known.txt"), "seed 0\nseed 1\n").unwrap();
    let arguments = ["run", "--seeds", "1..1000000000000", "--except", "known.txt", "--jobs", "1", "--for", "1ms"];
    let (out, err, code) = told(&ramen_sim(folder.path(), &arguments).output().unwrap());
    assert!(out.contains("left out, since they are known to break a rule: 1\n"), "{out}{err}");
    assert_eq!(code, Some(0));
}
