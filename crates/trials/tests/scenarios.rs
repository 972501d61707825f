//! The scenarios of the project go as they say, and files that cannot be meant are refused with line and column.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

use std::path::{Path, PathBuf};

use ramen_trials::{scenario, seeds::Class};
use rstest::rstest;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let found = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = found.filter(|path| path.extension().is_some_and(|ext| ext == "yaml")).collect();
    files.sort();
    files
}

#[test]
fn every_scenario_can_be_read_and_says_why_it_is_there() {
    let files = files();
    assert!(!files.is_empty());
    for file in files {
        let scenario = scenario::read(&file).unwrap_or_else(|err| panic!("{err}"));
        assert!(scenario.why.len() > 40, "{}: `why` is too short to help anybody", file.display());
    }
}

#[test]
fn every_scenario_is_listed_in_the_documentation() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scenarios.md");
    let document = std::fs::read_to_string(document).unwrap();
    for file in files() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(document.contains(&format!("(../scenarios/{name})")), "docs/scenarios.md does not list {name}");
    }
    for progression in scenario::progressions() {
        assert!(document.contains(&format!("`{progression}`")), "docs/scenarios.md does not list {progression}");
    }
}

#[test]
fn classes_of_faults_are_documented_in_their_order() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/simulation.md");
    let document = std::fs::read_to_string(document).unwrap();
    let rows = document.lines().skip_while(|line| !line.starts_with("| class (`--faults`)")).skip(2);
    let listed: Vec<&str> = rows.map_while(|row| row.strip_prefix("| `")?.split('`').next()).collect();
    let all: Vec<String> = Class::ALL.iter().copied().map(Class::word).collect();
    assert_eq!(listed, all);
}

#[test]
fn the_story_of_the_demo_goes_as_it_should() {
    let file = files().into_iter().find(|file| file.ends_with("the-demo.yaml")).unwrap();
    let played = scenario::play(&scenario::read(&file).unwrap());
    let violation = played.verdict.violation.as_ref().map(ToString::to_string);
    assert!(played.is_good(), "{violation:?} {:?}", played.end);
}

const GOOD: &str = "\
title: t
why: w
applications:
  - { name: shop, on: c1 }
timeline:
  - when: { settled: { app: shop, phase: Deployed } }
    do:
      - lose: { cluster: c2 }
";

#[rstest]
#[case::too_few("[east]", "1 name is given, and 2 are needed: two a pair")]
#[case::twice("[east, east]", "east stands twice")]
#[case::the_hub("[hub, west]", "hub is the hub")]
#[case::no_interval("[east, west], interval: often", "\"often\" is no interval of a policy: write whole minutes")]
#[case::too_long_an_interval("[east, west], interval: 366d", "365d is the most")]
#[case::no_label("[Berlin, west]", "\"Berlin\" cannot be the name of a cluster")]
#[case::no_pairs("[], pairs: 0", "pairs: 0 is too small: write 1 to 16")]
#[case::many_pairs("[], pairs: 200", "pairs: 200 is too large: write 1 to 16")]
#[case::always_written("[east, west], write-every: 0", "write-every: 0 is too small")]
fn clusters_need_names_that_tell_them_apart(#[case] names: &str, #[case] told: &str) {
    let text = format!("world: {{ names: {names} }}\n{GOOD}");
    let refused = scenario::parse(&text, Path::new("x.yaml")).unwrap_err().to_string();
    assert!(refused.starts_with("x.yaml:1:") && refused.contains(told), "{refused}");
}

#[test]
fn clusters_may_have_other_names_and_nobody_waits_longer_than_patience() {
    let text = GOOD
        .replace("c1", "east")
        .replace("c2", "west")
        .replace("    do:", "  - when: { runs: { app: shop, on: west } }\n    patience: 1m\n    do:");
    let text = format!("world: {{ names: [east, west] }}\n{text}end:\n  - runs: {{ app: shop, on: east }}\n");
    let played = scenario::play(&scenario::parse(&text, Path::new("x.yaml")).unwrap());
    let violation = played.verdict.violation.as_ref().map(ToString::to_string);
    assert!(played.is_good(), "{violation:?} {:?}", played.end);
}

#[rstest]
#[case::unknown_field("timeline:", "timline:", "5", "there is no field `timline` here: is `timeline` meant?")]
#[case::unknown_happening("lose:", "loose:", "8", "there is no `loose` here: is `lose` meant?")]
#[case::no_such_cluster("cluster: c2", "cluster: c3", "8", "there is no cluster \"c3\": the world has c1, c2")]
#[case::no_such_application("app: shop", "app: shoop", "6", "there is no application \"shoop\"")]
#[case::no_such_phase("phase: Deployed", "phase: Deployd", "6", "Deployed, FailedOver, Relocated")]
#[case::no_such_progression(
    "settled: { app: shop, phase: Deployed }",
    "progression: { app: shop, is: Cleaning }",
    "6",
    "no DRPC shows progression \"Cleaning\": is `Cleaning Up` meant?"
)]
#[case::a_progression_of_a_later_version(
    "settled: { app: shop, phase: Deployed }",
    "progression: { app: shop, is: TestingFailover }",
    "6",
    "no DRPC shows progression \"TestingFailover\""
)]
#[case::no_such_claim(
    "lose: { cluster: c2 }",
    "delete-claim: { app: shop, claim: data-2, on: c1 }",
    "8",
    "shop has no claim \"data-2\": it has data-0, data-1"
)]
#[case::no_backup("lose: { cluster: c2 }", "rebuild-hub: { from: backup }", "8", "before anything backs it up")]
#[case::too_late_a_backup(
    "lose: { cluster: c2 }",
    "rebuild-hub: { from: backup }\n      - back-up-hub",
    "8",
    "before anything backs it up"
)]
#[case::twice("applications:", "applications:\n  - { name: shop, on: c2 }", "5", "there are two applications \"shop\"")]
#[case::another_point(
    "timeline:",
    "mishaps:\n  - { point: watch, mishap: disk-full, frequency: { nth: 1 } }\ntimeline:",
    "6",
    "disk-full cannot happen at watch, only at append"
)]
#[case::no_such_operator(
    "timeline:",
    "mishaps:\n  - { at: c9, point: append, mishap: disk-full, frequency: { nth: 1 } }\ntimeline:",
    "6",
    "there is no cluster \"c9\""
)]
#[case::where_it_runs("on: c1", "on: hub", "4", "there is no cluster \"hub\"")]
#[case::no_label("name: shop", "name: Shop", "4", "\"Shop\" cannot be the name of an application")]
#[case::no_claims("on: c1", "on: c1, claims: 0", "4", "claims: 0 is too small: write 1 to 200")]
#[case::thousands_of_claims("on: c1", "on: c1, claims: 5000", "4", "claims: 5000 is too large")]
#[case::later_ones_too(
    "lose: { cluster: c2 }",
    "deploy: { app: till, claims: 0, on: c1 }",
    "8",
    "claims: 0 is too small"
)]
#[case::deployed_twice(
    "lose: { cluster: c2 }",
    "deploy: { app: shop, claims: 1, on: c1 }",
    "8",
    "shop is deployed already"
)]
#[case::protected_before_it_is_deployed(
    "lose: { cluster: c2 }",
    "protect: { app: till, on: c1 }\n      - deploy: { app: till, claims: 1, on: c1 }",
    "8",
    "till is not there yet"
)]
#[case::a_failure_and_patience(
    "    do:",
    "    within: 1s\n    patience: 5m\n    do:",
    "7",
    "within stands beside patience"
)]
#[case::an_endless_pause("    do:", "    after: 5000000000h\n    do:", "7", "8760h (a year) is the most")]
#[case::an_endless_rival(
    "lose: { cluster: c2 }",
    "rival: { operator: hub, lasts: 9000000000000 }",
    "8",
    "is too large"
)]
#[case::another_century("lose: { cluster: c2 }", "skew: { cluster: c1, ms: 9000000000000 }", "8", "is too large")]
#[case::no_such_store(
    "settled: { app: shop, phase: Deployed }",
    "stored: { profile: s3-c9, under: shop/, count: 0 }",
    "6",
    "s3-c9"
)]
#[case::nothing_said("settled: { app: shop, phase: Deployed }", "says: { app: shop, text: '' }", "6", "text is empty")]
#[case::more_often_than_always(
    "timeline:",
    "mishaps:\n  - { point: watch, mishap: late, frequency: { per-mille: 2000 } }\ntimeline:",
    "6",
    "per-mille: 2000 is too large: write 1 to 1000"
)]
#[case::ends_before_it_begins(
    "timeline:",
    "mishaps:\n  - { point: watch, mishap: late, frequency: { nth: 1 }, from: 5000, until: 10 }\ntimeline:",
    "6",
    "from 5000 is after until 10"
)]
#[case::no_such_kind(
    "lose: { cluster: c2 }",
    "delete: { on: hub, kind: Secrets, namespace: ramen-system, name: s3-c1 }",
    "8",
    "there is no kind \"Secrets\": is `Secret` meant?"
)]
#[case::not_served_there(
    "lose: { cluster: c2 }",
    "delete: { on: c1, kind: DRPolicy, name: policy }",
    "8",
    "there is no kind \"DRPolicy\" on c1"
)]
#[case::no_namespace(
    "lose: { cluster: c2 }",
    "delete: { on: hub, kind: Secret, name: s3-c1 }",
    "8",
    "Secret s3-c1 is in a namespace: say in which, with `namespace`"
)]
#[case::a_namespace(
    "lose: { cluster: c2 }",
    "delete: { on: hub, kind: DRPolicy, namespace: apps, name: policy }",
    "8",
    "DRPolicy policy is in no namespace: leave namespace \"apps\" out"
)]
#[case::another_version(
    "lose: { cluster: c2 }",
    "apply: { on: hub, manifest: { apiVersion: v2, kind: Secret, metadata: { name: a, namespace: b } } }",
    "8",
    "apiVersion of a Secret is v1"
)]
#[case::nameless(
    "lose: { cluster: c2 }",
    "apply: { on: hub, manifest: { apiVersion: v1, kind: Namespace } }",
    "8",
    "the Namespace has no name"
)]
#[case::nothing_to_change(
    "lose: { cluster: c2 }",
    "patch: { on: hub, kind: DRPolicy, name: policy, patch: {} }",
    "8",
    "patch has no fields"
)]
#[case::another_name(
    "lose: { cluster: c2 }",
    "patch: { on: hub, kind: DRPolicy, name: policy, patch: { metadata: { name: x } } }",
    "8",
    "patch cannot change name"
)]
#[case::unknown_fields_of_a_patch(
    "lose: { cluster: c2 }",
    "patch: { on: hub, kind: DRPolicy, name: policy, patches: {} }",
    "8",
    "there is no field `patches` here"
)]
#[case::no_such_store(
    "lose: { cluster: c2 }",
    "put-object: { profile: s3-c9, key: a, text: b }",
    "8",
    "there is no store \"s3-c9\": the world has s3-c1, s3-c2"
)]
#[case::no_key("lose: { cluster: c2 }", "delete-object: { profile: s3-c1, key: '' }", "8", "key: \"\" is no key")]
#[case::no_credentials(
    "lose: { cluster: c2 }",
    "store-keys: { profile: s3-c1, access-key: a, secret-key: '' }",
    "8",
    "secret-key is empty"
)]
#[case::is_and_contains(
    "settled: { app: shop, phase: Deployed }",
    "field: { on: hub, kind: DRPolicy, name: policy, field: spec.a, is: b, contains: c }",
    "6",
    "is stands beside contains"
)]
#[case::no_path(
    "settled: { app: shop, phase: Deployed }",
    "field: { on: hub, kind: DRPolicy, name: policy, field: spec., is: b }",
    "6",
    "field \"spec.\" is no path"
)]
#[case::no_reclaim_policy("title: t", "title: t\nworld: { reclaim-policy: Keep }", "2", "there is no `Keep` here")]
#[case::no_label_value("title: t", "title: t\nworld: { relation: 'a b' }", "2", "cannot be the value of a label")]
#[case::no_number("on: c1", "on: c1, claims: many", "4", "claims: many is no whole number: write 0 or more")]
#[case::no_truth("on: c1", "on: c1, protected: maybe", "4", "protected: maybe is neither true nor false")]
#[case::no_text("title: t", "title:", "1", "nothing is given here")]
#[case::no_list("      - lose", "      lose", "8", "a list (`- …` on lines of its own, or `[…, …]`) is expected here")]
#[case::no_fields("- { name: shop, on: c1 }", "- shop", "4", "a group of fields (`name: value`) is expected here")]
#[case::twice_the_same("why: w", "why: w\nwhy: x", "3", "`why` is here a second time")]
#[case::two_words(
    "{ cluster: c2 }",
    "{ cluster: c2 }\n        mend:",
    "9",
    "mend begins a second word: begin a new item of the list"
)]
#[case::two_milestones(
    "phase: Deployed } }",
    "phase: Deployed }, runs: { app: shop, on: c1 } }",
    "6",
    "runs is a second milestone: when takes one, put the other into expect"
)]
#[case::two_frequencies(
    "timeline:",
    "mishaps:\n  - { point: watch, mishap: late, frequency: { nth: 1, per-mille: 3 } }\ntimeline:",
    "6",
    "per-mille stands beside nth: leave one of them out"
)]
#[case::a_happening_without_its_fields(
    "lose: { cluster: c2 }",
    "lose",
    "8",
    "lose needs fields: write lose: { cluster: … }"
)]
#[case::a_milestone_without_its_fields(
    "when: { settled: { app: shop, phase: Deployed } }",
    "when: settled",
    "6",
    "settled needs fields: write settled: { app: … }"
)]
#[case::two_units("    do:", "    after: 1m30s\n    do:", "7", "write one whole number and one unit, as in 500ms, 90s")]
#[case::no_time("lose: { cluster: c2 }", "rival: { operator: hub, lasts: soon }", "8", "\"soon\" is no span of time")]
#[case::before_the_beginning(
    "timeline:",
    "mishaps:\n  - { point: watch, mishap: late, frequency: { nth: 1 }, from: -5 }\ntimeline:",
    "6",
    "-5 is no span of time: write 0 or more"
)]
#[case::two_scenarios("cluster: c2 }", "cluster: c2 }\n---\ntitle: t", "10", "a file holds one scenario")]
#[case::a_colon("why: w", "why: w: x", "2", "put the text in quotes")]
#[case::a_tab("  - when", "\t- when", "6", "indent with blanks")]
fn what_cannot_be_meant_is_refused_with_its_place(
    #[case] good: &str,
    #[case] bad: &str,
    #[case] line: &str,
    #[case] told: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.yaml");
    std::fs::write(&file, GOOD).unwrap();
    scenario::read(&file).unwrap();
    std::fs::write(&file, GOOD.replace(good, bad)).unwrap();
    let refused = scenario::read(&file).unwrap_err().to_string();
    assert!(refused.contains(told), "{refused}");
    assert!(refused.contains(&format!(":{line}:")) || refused.contains(&format!("line {line} ")), "{refused}");
}

#[rstest]
#[case::a_cluster("cluster: c2", "cluster: c3", "x.yaml:8:26: there is no cluster")]
#[case::an_application("app: shop", "app: shopp", "x.yaml:6:29: there is no application")]
#[case::a_phase("phase: Deployed", "phase: deployed", "x.yaml:6:42: no action ends in phase")]
#[case::a_happening_without_fields("lose: { cluster: c2 }", "lose", "x.yaml:8:9: lose needs fields: write")]
#[case::a_happening_with_nothing("lose: { cluster: c2 }", "lose:", "x.yaml:8:9: lose needs fields: write")]
#[case::a_happening_with_a_word(
    "lose: { cluster: c2 }",
    "lose: c2",
    "x.yaml:8:9: lose needs fields, and c2 is none: write"
)]
#[case::a_list("cluster: c2", "cluster: [c2, c1]", "x.yaml:8:26: cluster: [c2, c1] cannot be: write a text")]
#[case::no_span(
    "lose: { cluster: c2 }",
    "rival: { operator: c2, lasts: true }",
    "x.yaml:8:32: lasts: true cannot be: write a span of time, as in 3s, or milliseconds"
)]
fn the_place_is_that_of_the_wrong_value(#[case] good: &str, #[case] bad: &str, #[case] told: &str) {
    let refused = scenario::parse(&GOOD.replace(good, bad), Path::new("x.yaml")).unwrap_err().to_string();
    assert!(refused.starts_with(told), "{refused}");
}

#[rstest]
#[case::empty("", "x.yaml:1:1: the file is empty: title, why, applications and timeline are required")]
#[case::a_comment("# nothing\n", "the file is empty")]
#[case::a_world_at_rest("title: t\nwhy: w\napplications: []\ntimeline: []\n", "x.yaml: nothing can happen")]
fn a_file_in_which_nothing_can_happen_is_refused(#[case] text: &str, #[case] told: &str) {
    let refused = scenario::parse(text, Path::new("x.yaml")).unwrap_err().to_string();
    assert!(refused.contains(told), "{refused}");
}

#[rstest]
#[case::a_late_fault(
    "timeline:",
    "faults:\n  - { at: 8000h, do: [ mend ] }\ntimeline:",
    "line 6: the fault at 8000h never came: the timeline was over after "
)]
#[case::a_rare_mishap(
    "timeline:",
    "mishaps:\n  - { point: call, mishap: conflict, frequency: { nth: 99999999 } }\ntimeline:",
    "line 6: conflict never happened: nth is 99999999, counted from 0, and there were "
)]
#[case::a_short_mishap(
    "timeline:",
    "mishaps:\n  - { point: call, mishap: conflict, frequency: { nth: 0 }, until: 1ms }\ntimeline:",
    "line 6: conflict never happened: there were no such points"
)]
fn what_was_asked_for_and_never_came_is_noted(#[case] good: &str, #[case] bad: &str, #[case] told: &str) {
    let text = format!("{}rests: false\n", GOOD.replace(good, bad));
    let played = scenario::play(&scenario::parse(&text, Path::new("x.yaml")).unwrap());
    assert!(played.is_good());
    assert!(matches!(played.notes.as_slice(), [note] if note.starts_with(told)), "{:?}", played.notes);
}

#[rstest]
#[case::no_object(
    "field: { on: c2, kind: VolumeReplicationGroup, namespace: shop, name: shopp, field: spec.replicationState, is: primary }",
    "there is no VolumeReplicationGroup shop/shopp on c2 (in shop there is shop)"
)]
#[case::elsewhere("runs: { app: shop, on: c2 }", "no pod of shop runs on c2 (it runs on c1)")]
#[case::more_is_stored("stored: { profile: s3-c1, under: shop/, count: 0 }", "store s3-c1 has 5 there: shop/shop/")]
#[case::nothing_is_stored(
    "stored: { profile: s3-c1, under: till/, count: 5 }",
    "store s3-c1 has nothing under \"till/\""
)]
#[case::other_words("says: { app: shop, text: nobody says this }", "said is \"")]
#[case::another_value(
    "field: { on: c2, kind: VolumeReplicationGroup, namespace: shop, name: shop, field: spec.replicationState, is: x }",
    "but spec.replicationState is secondary"
)]
fn what_is_there_instead_is_told(#[case] expected: &str, #[case] told: &str) {
    let expected = format!("    expect:\n      - {expected}\n      - runs-not: {{ app: shop, on: c1 }}\n    do:\n");
    let text = format!("{}rests: false\n", GOOD.replace("    do:\n", &expected));
    let played = scenario::play(&scenario::parse(&text, Path::new("x.yaml")).unwrap());
    let violation = played.verdict.violation.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(
        violation.contains(told) && violation.ends_with("; and shop does not run on c1; but shop runs on c1"),
        "{violation}"
    );
}

#[test]
fn who_has_no_power_says_so() {
    let text = format!("{GOOD}  - when: {{ runs: {{ app: shop, on: c2 }} }}\n    within: 1s\nrests: false\n");
    let played = scenario::play(&scenario::parse(&text, Path::new("x.yaml")).unwrap());
    let waits = played.verdict.universe.waits();
    let told =
        |(whose, wait): &(String, String)| whose == "c2" && wait.starts_with("the cluster has no power since 2026-");
    assert!(waits.iter().any(told), "{waits:?}");
}

#[test]
fn a_milestone_may_take_longer_than_nobody_waits_in_random_stories() {
    let text = "title: t\nwhy: w\napplications: []\ntimeline:
  - { when: { field: { on: hub, kind: Namespace, name: never, field: metadata.name, is: never } }, within: 4h }\n";
    let played = scenario::play(&scenario::parse(text, Path::new("x.yaml")).unwrap());
    let violation = played.verdict.violation.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(violation.starts_with("expected: within 4h: "), "{violation}");
}

#[test]
fn milliseconds_may_be_written_as_spans() {
    let text = |from: &str, lasts: &str, ms: &str, every: &str| {
        let mishap = format!("  - {{ point: watch, mishap: late, frequency: {{ nth: 1 }}, from: {from} }}\n");
        let what = format!("rival: {{ operator: hub, lasts: {lasts} }}\n      - skew: {{ cluster: c1, ms: {ms} }}");
        let text =
            GOOD.replace("timeline:", &format!("world: {{ write-every: {every} }}\nmishaps:\n{mishap}timeline:"));
        scenario::parse(&text.replace("lose: { cluster: c2 }", &what), Path::new("x.yaml")).unwrap().plan()
    };
    assert_eq!(text("1m", "90s", "-3m", "2s"), text("60000", "90000", "-180000", "2000"));
}

#[rstest]
#[case::too_late(
    "    do:\n",
    "  - when: { runs: { app: shop, on: c2 } }\n    within: 1s\n    do:\n",
    "at entry 2 of the timeline, line 7"
)]
#[case::not_as_expected(
    "    do:\n",
    "    expect:\n      - runs: { app: shop, on: c1 }\n      - runs: { app: shop, on: c2 }\n    do:\n",
    "at entry 1 of the timeline, line 9"
)]
fn a_scenario_that_fails_tells_where(#[case] good: &str, #[case] bad: &str, #[case] told: &str) {
    let text = format!("{}rests: false\n", GOOD.replace(good, bad));
    let played = scenario::play(&scenario::parse(&text, Path::new("x.yaml")).unwrap());
    assert_eq!(played.place.map(|place| place.to_string()).as_deref(), Some(told));
}

#[rstest]
#[case::not_there(
    "delete: { on: hub, kind: Secret, namespace: ramen-system, name: none }",
    "expected: delete: the hub refused Secret ramen-system/none: not found"
)]
#[case::against_a_rule(
    "patch: { on: hub, kind: DRPolicy, name: policy, patch: { spec: { schedulingInterval: often } } }",
    "expected: patch: the hub refused DRPolicy policy: "
)]
fn a_request_that_is_refused_fails_the_scenario(#[case] request: &str, #[case] told: &str) {
    let text = format!("{}rests: false\n", GOOD.replace("lose: { cluster: c2 }", request));
    let played = scenario::play(&scenario::parse(&text, Path::new("x.yaml")).unwrap());
    let violation = played.verdict.violation.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(violation.starts_with(told), "{violation}");
    assert_eq!(played.place.map(|place| place.to_string()).as_deref(), Some("at entry 1 of the timeline, line 8"));
}

#[rstest]
#[case::no_claim(
    "resize: { app: shop, on: c2 }",
    "resize: cluster c2 refused PersistentVolumeClaim shop/data-0: not found"
)]
#[case::no_claim_to_delete(
    "delete-claim: { app: shop, claim: data-0, on: c2 }",
    "delete-claim: cluster c2 refused PersistentVolumeClaim shop/data-0: not found"
)]
#[case::nothing_holds_it("evict: { app: shop, on: c1 }", "evict: nothing holds Pod shop/shop on cluster c1")]
#[case::no_pod("stubborn: { app: shop, on: c2 }", "stubborn: cluster c2 refused Pod shop/shop: not found")]
#[case::no_replications(
    "delete-replications: { app: shop, on: c2 }",
    "delete-replications: cluster c2 has no VolumeReplication in shop that was never synchronized"
)]
#[case::no_object("delete-object: { profile: s3-c1, key: none }", "delete-object: store s3-c1 has no object none")]
#[case::protected_already(
    "protect: { app: shop, on: c1 }",
    "protect: the hub refused DRPlacementControl apps/shop: already exists"
)]
#[case::has_power("bring-back: { cluster: c2 }", "bring-back: cluster c2 has power")]
fn a_request_that_can_have_no_effect_fails_the_scenario(#[case] request: &str, #[case] told: &str) {
    let text = format!("{}rests: false\n", GOOD.replace("lose: { cluster: c2 }", request));
    let played = scenario::play(&scenario::parse(&text, Path::new("x.yaml")).unwrap());
    let violation = played.verdict.violation.as_ref().map(ToString::to_string).unwrap_or_default();
    assert_eq!(violation, format!("expected: {told}"));
    let line = 1 + text.lines().position(|line| line.contains(request)).unwrap();
    let place = played.place.map(|place| place.to_string());
    assert_eq!(place, Some(format!("at entry 1 of the timeline, line {line}")));
}

#[test]
fn a_fault_that_can_not_befall_the_world_tells_its_line() {
    let text = format!("{GOOD}faults:\n  - {{ at: 1s, do: [ {{ bring-back: {{ cluster: c1 }} }} ] }}\nrests: false\n");
    let played = scenario::play(&scenario::parse(&text, Path::new("x.yaml")).unwrap());
    let line = text.lines().count() - 1;
    assert_eq!(played.place.map(|place| place.to_string()), Some(format!("among the faults, line {line}")));
}

#[test]
fn what_people_write_by_hand_is_there() {
    let text = GOOD.replace(
        "      - lose: { cluster: c2 }",
        "      - apply: { on: c1, manifest: { apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: shop }, data: { b.c: 'true' } } }
      - patch: { on: c1, kind: ConfigMap, namespace: shop, name: a, patch: { data: { d: e f } } }
      - patch: { on: hub, kind: ManagedCluster, name: c2, patch: { status: { version: { kubernetes: v1.35.0 } } } }
  - when: { field: { on: c1, kind: ConfigMap, namespace: shop, name: a, field: data.b\\.c, is: 'true' } }
    expect:
      - field: { on: c1, kind: ConfigMap, namespace: shop, name: a, field: data.d, contains: f }
      - field: { on: hub, kind: ManagedCluster, name: c2, field: status.version.kubernetes, is: v1.35.0 }
      - field: { on: c1, kind: PersistentVolume, name: shop/data-1, field: spec.claimRef.name, is: data-1 }",
    );
    let played = scenario::play(&scenario::parse(&format!("{text}rests: false\n"), Path::new("x.yaml")).unwrap());
    let violation = played.verdict.violation.as_ref().map(ToString::to_string);
    assert!(played.is_good(), "{violation:?}");
}

#[test]
fn what_does_not_hold_at_the_end_tells_its_line() {
    let text =
        format!("{GOOD}rests: false\nend:\n  - runs: {{ app: shop, on: c1 }}\n  - runs: {{ app: shop, on: c2 }}\n");
    let played = scenario::play(&scenario::parse(&text, Path::new("x.yaml")).unwrap());
    let lines: Vec<u64> = played.end.iter().map(|unmet| unmet.line).collect();
    assert_eq!((played.place, lines), (None, vec![12]));
}
