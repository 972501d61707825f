//! `ramen-replay audit`: what it proves, what it says when it cannot, and that nobody can change it unnoticed.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use ramen_events::{
    ClusterName, ConditionStatus, Fact, Outcome, Payload, Record, Seq, Time,
    capture::{self, Reader},
    hub,
    log::{Batch, EventLog, History, MemoryLog},
};
use serde_json::Value;
use support::{complaint, fixture, replay, said};

/// The lines of `--format jsonl`.
fn lines(command: &str) -> Vec<Value> {
    let text = said(&format!("{command} --format jsonl"));
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// The actions of this kind.
fn actions(command: &str, kind: &str) -> Vec<Value> {
    lines(command).into_iter().filter(|line| line["type"] == "action" && line["kind"] == kind).collect()
}

fn objective<'a>(action: &'a Value, measure: &str) -> &'a Value {
    let all = action["objectives"].as_array().expect("objectives");
    all.iter().find(|objective| objective["measure"] == measure).expect("it is measured")
}

/// The recorded logs of the story, the hub's changed.
fn story_with(folder: &Path, mut change: impl FnMut(&mut Record)) -> String {
    let capture = Reader::open(&fixture("story-hub")).expect("a capture");
    let records = capture.scan(Seq(1)).map(|record| {
        let (mut record, _) = record.expect("a whole capture");
        change(&mut record);
        record
    });
    let log = MemoryLog::default();
    log.append(Batch::of_records(records.collect(), Vec::new())).expect("records follow");
    let path = folder.join("hub.ramenlog");
    capture::write_file(&log, Seq(1), log.head().seq, &path).expect("a capture can be written");
    format!("{} story-c1.ramenlog story-c2.ramenlog", path.display())
}

/// Cluster c1 is seen as lost shortly before the failover is asked for.
fn c1_is_lost(record: &mut Record) {
    if record.seq == Seq(177) {
        record.payload = Payload::Observed(Fact::Hub(hub::Fact::ManagedCluster(hub::ManagedClusterFact {
            name: "c1".to_owned(),
            joined: true,
            available: Some(ConditionStatus::Unknown),
            id: "c1".to_owned(),
        })));
    }
}

/// Who wrote the failover's request is remarked before it, as operators do.
fn somebody_wrote_it(record: &mut Record) {
    if record.seq == Seq(177) {
        let author = |manager: &str, fields: &[&str]| hub::Author {
            manager: manager.to_owned(),
            operation: "Update".to_owned(),
            at: Time::parse("2026-11-23T23:46:13Z"),
            fields: fields.iter().map(ToString::to_string).collect(),
        };
        record.payload = Payload::Observed(Fact::Hub(hub::Fact::Authors(hub::AuthorsFact {
            drpc: hub::ObjectRef::new("apps", "app-000"),
            uid: uid_of_app(),
            authors: vec![
                author("kubectl-create", &["preferredCluster"]),
                author("kubectl-patch", &["action", "failoverCluster"]),
            ],
        })));
    }
}

fn uid_of_app() -> String {
    let capture = Reader::open(&fixture("story-hub")).expect("a capture");
    let asked = capture.scan(Seq(179)).next().expect("a record").expect("a whole capture").0;
    match asked.payload {
        Payload::Observed(Fact::Hub(hub::Fact::Drpc(drpc))) => drpc.meta.uid,
        other => panic!("{other:?}"),
    }
}

/// The failover's request, the policy and the DRPC carry targets.
fn targets_are_annotated(record: &mut Record) {
    let set = |meta: &mut hub::Meta, name: &str, value: &str| {
        meta.annotations.insert(format!("ramendr.openshift.io/{name}"), value.to_owned());
    };
    match &mut record.payload {
        Payload::Observed(Fact::Hub(hub::Fact::Drpc(drpc))) => {
            set(&mut drpc.meta, "rto-target", "5s");
            set(&mut drpc.meta, "rpo-target", "very short");
        }
        Payload::Observed(Fact::Hub(hub::Fact::Policy(policy))) => {
            set(&mut policy.meta, "rto-target", "1s");
            set(&mut policy.meta, "rpo-target", "1s");
        }
        _ => {}
    }
}

fn targets(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("targets.yaml");
    fs::write(&path, text).expect("a file can be written");
    path
}

#[test]
fn a_failover_is_told_from_request_to_end() {
    insta::assert_snapshot!("audit_of_a_story", said("audit story-*.ramenlog --drpc apps/app-000"));
}

#[test]
fn every_record_that_is_named_exists_and_is_what_it_is_said_to_be() {
    let mut checked = 0;
    for story in ["story", "chaos-5"] {
        let records: Vec<Value> = said(&format!("show {story}-*.ramenlog -o json"))
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect();
        let find = |name: &Value| {
            let found = records.iter().find(|record| record["record"] == *name);
            found.unwrap_or_else(|| panic!("{name} is no record"))
        };
        for action in lines(&format!("audit {story}-*.ramenlog")).iter().filter(|line| line["type"] == "action") {
            assert!(find(&action["request"]["record"])["payload"]["Observed"]["Hub"]["Drpc"].is_object());
            for step in action["steps"].as_array().expect("steps") {
                assert!(find(&step["record"])["payload"]["Moved"].is_object());
                for command in step["commands"].as_array().expect("commands") {
                    assert!(find(&command["record"])["payload"]["Commanded"].is_object());
                    if command["outcome"] != "not known" {
                        assert!(find(&command["outcome_record"])["payload"]["Finished"].is_object());
                    }
                    checked += 1;
                }
            }
            for named in action["objectives"]
                .as_array()
                .expect("objectives")
                .iter()
                .chain(action["deviations"].as_array().expect("deviations"))
            {
                named["evidence"].as_array().expect("evidence").iter().for_each(|name| {
                    find(name);
                });
            }
        }
    }
    assert!(checked > 100, "only {checked} commands");
}

#[test]
fn what_was_reached_is_held_against_targets() {
    let folder = tempfile::tempdir().expect("a folder");
    let logs = story_with(folder.path(), c1_is_lost);
    for (text, result) in [("rto: 5s", "pass"), ("rto: 1s", "fail"), ("rpo: 1h", "not known")] {
        let file = targets(folder.path(), text);
        let failover = &actions(&format!("audit {logs} --targets {}", file.display()), "failover")[0];
        let rto = objective(failover, "rto-from-request");
        assert_eq!((rto["result"].as_str(), rto["reached_ms"].as_u64()), (Some(result), Some(1_227)), "{text}");
    }
    let failover = &actions(&format!("audit {logs}"), "failover")[0];
    assert_eq!(failover["loss"]["record"], "hub#177");
    let from_loss = objective(failover, "rto-from-loss");
    assert_eq!(from_loss["evidence"], serde_json::json!(["hub#177", "hub#210"]));
    assert!(from_loss["reached_ms"].as_u64() > Some(4_000), "{from_loss}");
    // The loss came a second after a synchronization; the policy's interval of a minute is the target.
    let rpo = objective(failover, "rpo-of-volume");
    assert_eq!((rpo["result"].as_str(), rpo["target_ms"].as_u64()), (Some("pass"), Some(60_000)), "{rpo}");
    let strict = targets(folder.path(), "applications: {apps/app-000: {rpo: 500ms}}");
    let failover = &actions(&format!("audit {logs} --targets {}", strict.display()), "failover")[0];
    assert_eq!(objective(failover, "rpo-of-group")["result"], "fail");
    let relocate = &actions(&format!("audit {logs} --targets {}", strict.display()), "relocate")[0];
    assert_eq!(objective(relocate, "rpo-of-group")["reached_ms"], 0);
}

#[test]
fn without_a_sight_of_the_loss_no_rpo_passes() {
    let failover = &actions("audit story-*.ramenlog", "failover")[0];
    assert_eq!(failover["loss"], Value::Null);
    let rpo = objective(failover, "rpo-of-volume");
    assert_eq!(rpo["result"], "not known", "more may have been written after the request: {rpo}");
    assert!(rpo["note"].as_str().expect("a note").starts_with("at least this"), "{rpo}");
}

#[test]
fn what_a_missing_log_would_tell_is_not_known() {
    let all = lines("audit story-hub.ramenlog");
    let gaps = all[0]["gaps"].to_string();
    assert!(gaps.contains("c1: its log is not here") && gaps.contains("c2: its log is not here"), "{gaps}");
    let failover = &actions("audit story-hub.ramenlog", "failover")[0];
    assert_eq!(failover["request"]["by"]["user"], "not known");
    let missing = failover["not_protected"].to_string();
    assert!(missing.contains("the log of cluster c1 is not here"), "{missing}");
    assert_eq!(failover["pods_seen"], Value::Null);
}

#[test]
fn what_did_not_go_well_is_told() {
    let chaos = lines("audit chaos-5-*.ramenlog");
    let kinds: Vec<&str> = chaos
        .iter()
        .filter_map(|line| line["deviations"].as_array())
        .flatten()
        .filter_map(|deviation| deviation["kind"].as_str())
        .collect();
    assert!(kinds.contains(&"restart"), "operators were killed");

    let folder = tempfile::tempdir().expect("a folder");
    let logs = story_with(folder.path(), |record| match &mut record.payload {
        // The first command of the failover to end fails.
        Payload::Finished { outcome, .. } if record.seq == Seq(186) => {
            *outcome = Outcome::Refused { code: 403, reason: "Forbidden".into(), message: "not allowed".into() };
        }
        // Another program writes the work that asks c1 to be secondary.
        Payload::Observed(Fact::Hub(hub::Fact::Work(work))) if record.seq == Seq(214) => {
            if let hub::WorkContent::Vrg { command, .. } = &mut work.content {
                command.clear();
            }
        }
        // The policy is changed in the middle.
        payload if record.seq == Seq(220) => {
            *payload = Payload::Observed(Fact::Hub(hub::Fact::Policy(Box::new(hub::PolicyFact {
                meta: hub::Meta { name: "policy".into(), ..hub::Meta::default() },
                spec: hub::PolicySpec {
                    interval: "7m".into(),
                    clusters: vec![ClusterName("c1".into())],
                    ..hub::PolicySpec::default()
                },
                status: None,
            }))));
        }
        _ => {}
    });
    let failover = &actions(&format!("audit {logs}"), "failover")[0];
    let told = failover["deviations"].to_string();
    for word in ["failed-command", "not allowed", "written by another program", "the policy was changed", "7m"] {
        assert!(told.contains(word), "no {word:?} in {told}");
    }
}

#[test]
fn reports_can_be_narrowed() {
    let count = |more: &str| {
        lines(&format!("audit chaos-5-*.ramenlog {more}")).iter().filter(|line| line["type"] == "action").count()
    };
    let all = count("");
    let one = count("--drpc apps/app-001");
    assert!(one > 0 && one < all, "{one} of {all}");
    assert_eq!(count("--policy policy"), all);
    assert!(count("--until 23:46:42") < all);
    assert!(count("--since 23:47:00") < all);
    for (more, word) in [
        ("--policy gold", "there is policy"),
        ("--drpc apps/nobody", "app-000"),
        ("--format intoto", "--sign"),
        ("--sign nothing.pem", "--format intoto"),
        ("--format intoto --sign story-c1.ramenlog", "openssl genpkey"),
        ("--targets story-c1.ramenlog", "targets"),
    ] {
        let output = replay(&format!("audit story-*.ramenlog {more}"));
        assert_ne!(output.status.code(), Some(0), "{more}");
        assert!(complaint(&output).contains(word), "{more}: {}", complaint(&output));
    }
    let output = replay("audit story-c1.ramenlog");
    assert_eq!(output.status.code(), Some(64));
    assert!(complaint(&output).contains("the hub's log"), "{}", complaint(&output));
}

#[test]
fn what_is_written_is_as_the_published_schema_says() {
    let schema = fs::read_to_string(support::root().join("docs/audit.schema.json")).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("it is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    for logs in ["story-*.ramenlog", "chaos-5-*.ramenlog", "story-hub.ramenlog"] {
        for line in lines(&format!("audit {logs}")) {
            if let Err(err) = validator.validate(&line) {
                panic!("{logs}: {err} at {}", err.instance_path());
            }
            let mut poor = line.clone();
            poor.as_object_mut().expect("an object").remove("type");
            assert!(!validator.is_valid(&poor), "the schema takes anything");
        }
    }
}

#[test]
fn the_page_needs_nothing_and_says_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("drill.html");
    said(&format!("audit story-*.ramenlog --format html -o {}", file.display()));
    let page = fs::read_to_string(&file).expect("the page");
    for word in ["failover from c1 to c2", "hub#179", "RTO from the request", "verified, first to last", "@media print"]
    {
        assert!(page.contains(word), "no {word:?}");
    }
    for word in ["<script", "http://", "https://", "<img", "<link", "url("] {
        assert!(!page.contains(word), "{word}");
    }
    for (open, close) in
        [("<section", "</section>"), ("<table", "</table>"), ("<tr", "</tr>"), ("<ul", "</ul>"), ("<dl", "</dl>")]
    {
        assert_eq!(page.matches(open).count(), page.matches(close).count(), "{open}");
    }
}

#[test]
fn the_table_for_spreadsheets_has_a_row_for_everything() {
    let text = said("audit story-*.ramenlog --format csv");
    let columns = text.lines().next().expect("titles").split(',').count();
    assert_eq!(columns, 13);
    for row in ["log", "request", "action", "objective", "step", "wait", "command", "deviation"] {
        assert!(text.lines().any(|line| line.split(',').nth(2) == Some(row)), "no row {row}");
    }
    assert!(text.ends_with("\r\n"));
}

/// A key pair in PEM, as `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write them.
fn keys(folder: &Path, seed: u8) -> (PathBuf, PathBuf) {
    use ring::signature::{Ed25519KeyPair, KeyPair};
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a key");
    let pem = |label: &str, der: &[u8]| {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der))
    };
    let private =
        [&[0x30, 0x2e, 0x02, 0x01, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20][..], &[seed; 32]].concat();
    let public = [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], pair.public_key().as_ref()].concat();
    let (key, open) = (folder.join(format!("key-{seed}.pem")), folder.join(format!("public-{seed}.pem")));
    fs::write(&key, pem("PRIVATE KEY", &private)).expect("a file can be written");
    fs::write(&open, pem("PUBLIC KEY", &public)).expect("a file can be written");
    (key, open)
}

#[test]
fn a_signed_report_cannot_be_changed_unnoticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (key, public) = keys(folder.path(), 7);
    let (_, other) = keys(folder.path(), 8);
    let file = folder.path().join("drill.json");
    said(&format!("audit story-*.ramenlog --format intoto --sign {} -o {}", key.display(), file.display()));
    let check =
        |key: &Path, more: &str| replay(&format!("audit verify {} --key {} {more}", file.display(), key.display()));
    assert_eq!(check(&public, "story-hub.ramenlog").status.code(), Some(0));
    let stranger = check(&public, "chaos-5-hub.ramenlog");
    assert_eq!(stranger.status.code(), Some(2), "another log");
    assert!(complaint(&stranger).contains("was not made of this file"), "{}", complaint(&stranger));
    assert_eq!(check(&other, "").status.code(), Some(2), "another key");
    assert_eq!(check(&key, "").status.code(), Some(64), "a private key is no public one");

    let envelope = fs::read_to_string(&file).expect("the envelope");
    let mut envelope: Value = serde_json::from_str(&envelope).expect("it is JSON");
    let payload = BASE64_STANDARD.decode(envelope["payload"].as_str().expect("a payload")).expect("it is base64");
    let statement: Value = serde_json::from_slice(&payload).expect("it is JSON");
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["subject"][0]["name"], "story-hub.ramenlog");
    assert_eq!(statement["subject"][0]["digest"]["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(statement["predicate"]["actions"].as_array().map(Vec::len), Some(4));

    let changed = String::from_utf8(payload).expect("text").replacen("\"not known\"", "\"pass\"", 1);
    envelope["payload"] = BASE64_STANDARD.encode(changed).into();
    fs::write(&file, envelope.to_string()).expect("a file can be written");
    let tampered = check(&public, "");
    assert_eq!(tampered.status.code(), Some(2));
    assert!(complaint(&tampered).contains("no evidence"), "{}", complaint(&tampered));
    fs::write(&file, "{}").expect("a file can be written");
    assert_eq!(check(&public, "").status.code(), Some(2), "no envelope at all");
}

#[test]
fn who_asked_is_the_field_manager_and_no_user_is_made_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let logs = story_with(folder.path(), somebody_wrote_it);
    let by = &actions(&format!("audit {logs}"), "failover")[0]["request"]["by"];
    assert_eq!((&by["manager"], &by["operation"]), (&"kubectl-patch".into(), &"Update".into()));
    assert_eq!((&by["user"], &by["record"]), (&"not known".into(), &"hub#177".into()));
    assert_eq!(by["at"], "2026-11-23T23:46:13.000Z");
    let words = "field manager kubectl-patch (Update at 2026-11-23T23:46:13Z); the user is not known: the admission \
                 webhook is not on";
    for format in ["table", "csv", "html"] {
        let text = said(&format!("audit {logs} --drpc apps/app-000 --format {format}"));
        assert!(text.contains(words), "{format}: {text}");
        assert!(text.contains("hub#177"), "{format}: the record is evidence");
    }
    let why = said(&format!("why app-000 {logs} --at hub#200"));
    assert!(why.contains("asked for by field manager kubectl-patch"), "{why}");

    // The relocation takes nothing from what was remarked on an object of another identity.
    let logs = story_with(folder.path(), |record| {
        somebody_wrote_it(record);
        if let Payload::Observed(Fact::Hub(hub::Fact::Authors(fact))) = &mut record.payload {
            fact.uid = "another".to_owned();
        }
    });
    let by = &actions(&format!("audit {logs}"), "failover")[0]["request"]["by"];
    assert_eq!(by["manager"], "not known");
}

#[test]
fn targets_may_be_annotations_and_a_bad_one_is_told_but_stops_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let logs = story_with(folder.path(), targets_are_annotated);
    let failover = &actions(&format!("audit {logs}"), "failover")[0];
    let rto = objective(failover, "rto-from-request");
    assert_eq!((&rto["target_ms"], &rto["result"]), (&5000.into(), &"pass".into()), "the DRPC's counts more");
    assert_eq!(rto["target_from"], "annotation ramendr.openshift.io/rto-target of drpc/apps/app-000");
    let rpo = objective(failover, "rpo-of-volume");
    assert_eq!((&rpo["target_ms"], &rpo["result"]), (&1000.into(), &"fail".into()), "the policy's, not its interval");
    let note = rpo["note"].as_str().expect("a note");
    for word in ["ramendr.openshift.io/rpo-target", "drpc/apps/app-000", "very short", "write it like", "hub#"] {
        assert!(note.contains(word), "no {word} in {note}");
    }
    let file = targets(folder.path(), "rto: 100ms");
    let failover = &actions(&format!("audit {logs} --targets {}", file.display()), "failover")[0];
    assert_eq!(objective(failover, "rto-from-request")["target_ms"], 100, "the file counts most");
}
