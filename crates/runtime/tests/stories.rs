//! The shell on a simulated cluster: what must hold whatever watches, stores and processes do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story that cannot be told should say so and stop")]

mod support;

use std::{sync::Arc, time::Duration};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ramen_api::{
    foreign_crds::foreign_crds,
    kinds::{CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, EVENT, LEASE, VOLUME_REPLICATION_CLASS},
};
use ramen_events::{
    ClusterName, Kind, ObjectId, Outcome, Payload, Record, Seq,
    anchor::{ANNOTATION, Anchor, LogId},
    capture::{
        Reader,
        segment::{self, Segments},
    },
    disk::{Options, Owner, SledLog},
    log::{History, find_bytes},
};
use ramen_ports::StoreProfile;
use ramen_runtime::{Archive, Error, Lock, run};
use ramen_sim::{
    api::Api,
    front::s3::{Credentials, S3Endpoint},
    s3::Bucket,
};
use serde_json::json;
use support::{
    dying::DyingLog,
    lab::{Lab, until},
    mirror::Mirror,
};
use tokio_util::sync::CancellationToken;

fn is_command(payload: &Payload) -> bool {
    matches!(payload, Payload::Commanded { .. })
}

fn is_timer(payload: &Payload) -> bool {
    matches!(payload, Payload::TimerFired { .. })
}

fn ended(payload: &Payload, how: fn(&Outcome) -> bool) -> bool {
    matches!(payload, Payload::Finished { outcome, .. } if how(outcome))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lagging_watch_causes_no_second_write() {
    let lab = Lab::new().await;
    lab.gate.close();
    lab.set("wants", "a", "1");
    let process = lab.start();
    until("the copy", || lab.value("copies", "a").as_deref() == Some("1")).await;
    until("the command's end", || lab.count(|payload| ended(payload, Outcome::is_done)) == 1).await;
    let asked = lab.count(is_timer);
    until("more questions", || lab.count(is_timer) >= asked + 3).await;
    assert_eq!(lab.count(is_command), 1, "the answer to the write told all that the watch will tell");
    lab.gate.open();
    lab.set("wants", "a", "2");
    until("the new value", || lab.value("copies", "a").as_deref() == Some("2")).await;
    process.stop().await.unwrap();
    assert_eq!(lab.writes(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_looked_at_and_decided_anew() {
    let lab = Lab::new().await;
    lab.set("wants", "a", "1");
    let process = lab.start();
    until("the command's end", || lab.count(|payload| ended(payload, Outcome::is_done)) == 1).await;
    lab.gate.close();
    lab.set("copies", "a", "somebody else's");
    lab.set("wants", "a", "2");
    until("the new value", || lab.value("copies", "a").as_deref() == Some("2")).await;
    process.stop().await.unwrap();
    let conflicts = lab.count(|payload| ended(payload, |outcome| matches!(outcome, Outcome::Conflict { .. })));
    assert_eq!((conflicts, lab.writes()), (1, 3), "created, refused, merged on what is really there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_was_durable_but_not_carried_out_is_decided_anew() {
    let lab = Lab::new().await;
    lab.set("wants", "a", "1");
    let died = lab.start_on(Mirror::new(), lab.settings("one"), |log| Arc::new(DyingLog(log))).end().await;
    assert!(matches!(died, Err(Error::Append { .. })), "{died:?}");
    assert_eq!((lab.count(is_command), lab.writes()), (1, 0), "durable, and nothing was done");
    let process = lab.start();
    until("the copy", || lab.value("copies", "a").as_deref() == Some("1")).await;
    process.stop().await.unwrap();
    assert_eq!(lab.count(is_command), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_when_the_log_takes_nothing() {
    let lab = Lab::new().await;
    let process = lab.start();
    until("the start", || lab.count(|payload| matches!(payload, Payload::Synced)) == 1).await;
    lab.store.set_sync_fails(true);
    lab.set("wants", "a", "1");
    let ended = process.end().await.unwrap_err();
    assert_eq!((ended.exit_code(), lab.writes()), (1, 0), "{ended}");
    assert_ne!(ended.remedy(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_records_says_so_for_ever_and_people_are_told() {
    let mut lab = Lab::new().await;
    lab.lost = 3;
    lab.set("wants", "a", "1");
    let process = lab.start();
    until("the copy", || lab.value("copies", "a").is_some()).await;
    process.stop().await.unwrap();
    lab.lost = 0;
    let process = lab.start();
    until("both starts", || lab.count(|payload| matches!(payload, Payload::Synced)) == 2).await;
    process.stop().await.unwrap();
    let told = |payload: &Payload| matches!(payload, Payload::Lost { records: 3 });
    assert_eq!((lab.count(told), told(&lab.records()[1].payload)), (1, true), "once, right after the start");
    let events = lab.cluster.list(&EVENT, None, None).unwrap();
    let (event, reason) = (&events[0], &events[0]["reason"]);
    assert_eq!(
        (events.len(), reason, &event["type"]),
        (1, &json!("EventLogLostRecords"), &json!("Warning")),
        "{event}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_while_nobody_looked_is_gone_after_the_restart() {
    let lab = Lab::new().await;
    lab.set("wants", "a", "1");
    lab.set("wants", "b", "1");
    let process = lab.start();
    until("both copies", || lab.value("copies", "a").is_some() && lab.value("copies", "b").is_some()).await;
    process.stop().await.unwrap();
    let snapshots = lab.log().unwrap().snapshots().unwrap();
    assert_eq!(
        snapshots.last().map(|name| name.seq),
        lab.records().last().map(|record| record.seq),
        "saved at the stop"
    );
    lab.delete(&CONFIG_MAP, "wants", "b");
    lab.delete(&CONFIG_MAP, "copies", "a");
    let process = lab.start();
    until("the copy is back", || lab.value("copies", "a").is_some()).await;
    process.stop().await.unwrap();
    let gone = |namespace, name| {
        let id = ObjectId::new(Kind::Pod, namespace, name);
        lab.count(|payload| *payload == Payload::Gone(id.clone()))
    };
    assert_eq!((gone("wants", "b"), gone("copies", "a"), gone("wants", "a")), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_tells_at_once_that_the_object_is_gone() {
    let lab = Lab::new().await;
    lab.set("wants", "a", "1");
    let process = lab.start();
    until("the command's end", || lab.count(|payload| ended(payload, Outcome::is_done)) == 1).await;
    lab.gate.close();
    lab.set("wants", "a", "delete");
    until("the deletion's end", || lab.count(|payload| ended(payload, Outcome::is_done)) == 2).await;
    let asked = lab.count(is_timer);
    until("more questions", || lab.count(is_timer) >= asked + 2).await;
    lab.gate.open();
    lab.set("wants", "a", "3");
    until("the copy is back", || lab.value("copies", "a").as_deref() == Some("3")).await;
    process.stop().await.unwrap();
    assert_eq!(lab.writes(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_reach_the_store_and_nothing_else() {
    const SECRET: &str = "correct horse battery staple";
    let lab = Lab::new().await;
    let credentials = Credentials { access_key: "access".to_owned(), secret_key: SECRET.to_owned() };
    let bucket = Bucket::shared("bucket");
    let endpoint = S3Endpoint::start(bucket.clone(), &credentials).await.unwrap();
    let profile = StoreProfile {
        name: "s3-c1".to_owned(),
        endpoint: endpoint.url(),
        bucket: "bucket".to_owned(),
        region: "east".to_owned(),
        secret_namespace: "wants".to_owned(),
        secret_name: "s3".to_owned(),
        ca_certificates: Vec::new(),
    };
    lab.set("wants", "a", "upload");
    let process = lab.start_with(Mirror { store: Some(profile) }, lab.settings("one"));
    let refused = |reason: &str| {
        lab.count(|payload| {
            matches!(payload, Payload::Finished { outcome: Outcome::Refused { reason: r, .. }, .. } if r == reason)
        })
    };
    until("the missing secret is told of", || refused("MissingSecret") > 0).await;
    let encode = |text: &str| BASE64_STANDARD.encode(text);
    let data = |key: &str| json!({ "AWS_ACCESS_KEY_ID": encode("access"), "AWS_SECRET_ACCESS_KEY": encode(key) });
    lab.set_secret("s3", &data("wrong horse"));
    until("the wrong key is told of", || refused("SignatureDoesNotMatch") > 0).await;
    lab.set_secret("s3", &data(SECRET));
    until("the object", || bucket.lock().unwrap().get("wants/a").is_some()).await;
    process.stop().await.unwrap();
    let log = lab.log().unwrap();
    for needle in [SECRET, &encode(SECRET), "wrong horse", &encode("wrong horse")] {
        assert_eq!(find_bytes(&*log, needle.as_bytes()).unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_appears_later_is_watched_then() {
    let lab = Lab::new().await;
    let process = lab.start();
    until("the start without it", || lab.count(|payload| matches!(payload, Payload::Synced)) == 1).await;
    let crd = foreign_crds().into_iter().find(|crd| crd.metadata.name == Some(VOLUME_REPLICATION_CLASS.crd_name()));
    let mut crd = serde_json::to_value(crd.unwrap()).unwrap();
    crd["apiVersion"] = json!("apiextensions.k8s.io/v1");
    crd["kind"] = json!("CustomResourceDefinition");
    lab.cluster.create(&CUSTOM_RESOURCE_DEFINITION, &crd).unwrap();
    let class = json!({
        "apiVersion": VOLUME_REPLICATION_CLASS.api_version(),
        "kind": "VolumeReplicationClass",
        "metadata": { "name": "vrc" },
        "spec": {},
    });
    lab.cluster.create(&VOLUME_REPLICATION_CLASS, &class).unwrap();
    let id = ObjectId::cluster_scoped(Kind::VolumeReplicationClass, "vrc");
    let observed = |payload: &Payload| matches!(payload, Payload::Observed(fact) if fact.object() == id);
    until("the class", || lab.count(observed) == 1).await;
    process.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_leads_and_the_next_takes_over() {
    let lab = Lab::new().await;
    let first = lab.start_with(Mirror::new(), lab.with_lease("first"));
    until("the first leads", || lab.count(|payload| matches!(payload, Payload::Synced)) == 1).await;
    let second = lab.start_with(Mirror::new(), lab.with_lease("second"));
    first.stop().await.unwrap();
    until("the second leads", || lab.count(|payload| matches!(payload, Payload::Synced)) == 2).await;
    let robbed = json!({ "spec": { "holderIdentity": "third" } });
    lab.cluster.merge_patch(&LEASE, Some("wants"), "leader", &robbed, None).unwrap();
    let ended = second.end().await.unwrap_err();
    assert_eq!(ended.exit_code(), 4, "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_has_one_process_at_a_time() {
    let lab = Lab::new().await;
    let dir = tempfile::tempdir().unwrap();
    let owner = Owner { operator: ramen_events::Operator::Spoke, cluster: ClusterName::from("c1") };
    let held = SledLog::open(dir.path(), &Options::new(owner)).unwrap();
    let settings = || ramen_runtime::Settings { data_dir: dir.path().to_owned(), ..lab.settings("one") };
    let refused = run(Mirror::new(), settings(), CancellationToken::new()).await.unwrap_err();
    assert!(matches!(refused, Error::OpenLog { .. }), "{refused}");
    assert_eq!(refused.exit_code(), 1);
    drop(held);
    let stop = CancellationToken::new();
    let process = tokio::spawn(run(Mirror::new(), settings(), stop.clone()));
    lab.set("wants", "a", "1");
    until("the copy", || lab.value("copies", "a").is_some()).await;
    stop.cancel();
    process.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_what_is_missing_and_metrics_tell_what_was_asked() {
    let lab = Lab::new().await;
    let holder = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "namespace": "wants", "name": "leader" },
        "spec": { "holderIdentity": "other", "leaseDurationSeconds": 3600, "renewTime": "2026-01-01T00:00:00.000000Z" },
    });
    lab.cluster.create(&LEASE, &holder).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = ramen_runtime::Settings { listen: Some(port), ..lab.with_lease("one") };
    let process = lab.start_with(Mirror::new(), settings);
    until("a standby's answer", || ask(port, "/readyz").contains("503") && ask(port, "/readyz").contains("leader"))
        .await;
    assert!(ask(port, "/healthz").contains("200 OK"));
    lab.delete(&LEASE, "wants", "leader");
    until("readiness", || ask(port, "/readyz").contains("200 OK")).await;
    let metrics = ask(port, "/metrics");
    for line in [
        r#"ramen_api_requests_total{verb="watch",resource="configmaps"} 2"#,
        "ramen_synced 1",
        r#"ramen_log_records_total{payload="Synced"} 1"#,
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    process.stop().await.unwrap();
    let lease = lab.cluster.get(&LEASE, Some("wants"), "leader").unwrap();
    assert_eq!(lease["spec"]["holderIdentity"], "", "given up at the stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn captures_are_for_those_who_may_have_them() {
    let lab = Lab::new().await;
    for account in ["auditor", "stranger"] {
        let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": { "namespace": "wants", "name": account } });
        lab.cluster.create(&ramen_sim::kinds::SERVICE_ACCOUNT, &account).unwrap();
    }
    let rbac = "rbac.authorization.k8s.io";
    let role = json!({ "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": { "name": "captures" },
        "rules": [{ "nonResourceURLs": ["/capture"], "verbs": ["get"] }] });
    lab.cluster.create(&ramen_sim::kinds::CLUSTER_ROLE, &role).unwrap();
    let binding = json!({ "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding",
        "metadata": { "name": "captures" },
        "roleRef": { "apiGroup": rbac, "kind": "ClusterRole", "name": "captures" },
        "subjects": [{ "kind": "ServiceAccount", "namespace": "wants", "name": "auditor" }] });
    lab.cluster.create(&ramen_sim::kinds::CLUSTER_ROLE_BINDING, &binding).unwrap();

    let addr = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = ramen_runtime::Settings { captures: Some(addr), ..lab.settings("one") };
    let process = lab.start_with(Mirror::new(), settings);
    lab.set("wants", "a", "1");
    until("the copy", || lab.value("copies", "a").as_deref() == Some("1")).await;
    until("an address", || !ask(addr, "/").is_empty()).await;

    assert!(ask(addr, "/capture").contains(" 401 "), "no token");
    assert!(ask_as(addr, "/capture", "made-up").0.contains("401"), "a made-up token");
    let (head, body) = ask_as(addr, "/capture", &token(&lab, "stranger"));
    assert!(head.contains("403"), "{head}");
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains("system:serviceaccount:wants:stranger") && body.contains("nonResourceURL"), "{body}");

    let auditor = token(&lab, "auditor");
    let (head, body) = ask_as(addr, "/capture?from=9&to=3", &auditor);
    assert!(head.contains("400"), "{head} {}", String::from_utf8_lossy(&body));
    let (head, body) = ask_as(addr, "/capture?to=2", &auditor);
    assert!(head.contains("200") && head.contains("c1-1-2.ramenlog"), "{head}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &body).unwrap();
    let capture = ramen_events::capture::Reader::open(file.path()).unwrap();
    let captured: Vec<_> = capture.scan(Seq(1)).map(|record| record.unwrap().0).collect();
    assert_eq!(captured, lab.records()[..2]);
    for text in [&auditor, "made-up"] {
        assert!(!body.windows(text.len()).any(|part| part == text.as_bytes()), "a token is in the capture");
    }
    process.stop().await.unwrap();
}

/// What an archive's bucket holds of the log, put together.
fn archived(bucket: &ramen_sim::s3::SharedBucket) -> Vec<Record> {
    let folder = tempfile::tempdir().unwrap();
    let objects: Vec<(String, Vec<u8>)> = {
        let bucket = bucket.lock().unwrap();
        bucket.objects().map(|(key, object)| (key.to_owned(), object.bytes.to_vec())).collect()
    };
    let segments = objects.iter().filter(|(key, _)| key.contains("/segments/")).enumerate();
    let readers = segments.map(|(number, (_, body))| {
        let (packed, capture) = (folder.path().join("packed"), folder.path().join(format!("{number}.ramenlog")));
        std::fs::write(&packed, body).unwrap();
        segment::unpack(&packed, &capture).unwrap();
        Reader::open(&capture).unwrap()
    });
    let readers: Vec<_> = readers.collect();
    if readers.is_empty() {
        return Vec::new();
    }
    let (segments, left_out) = Segments::join(readers).unwrap();
    assert_eq!(left_out, None);
    segments.scan(Seq(1)).map(|record| record.unwrap().0).collect()
}

/// The newest anchor among these JSON texts.
fn newest(texts: impl Iterator<Item = Vec<u8>>) -> Option<Anchor> {
    texts.map(|text| serde_json::from_slice::<Anchor>(&text).unwrap()).max_by_key(|anchor| anchor.seq)
}

const ARCHIVE_KEY: &str = "a key that is in no object";

/// A bucket for an archive, behind HTTP, with the credentials that the operator has for it.
async fn archive_in(lab: &Lab, lock: Option<Lock>) -> (ramen_sim::s3::SharedBucket, S3Endpoint, Archive) {
    let credentials = Credentials { access_key: "access".to_owned(), secret_key: ARCHIVE_KEY.to_owned() };
    let bucket = Bucket::shared("logs");
    let endpoint = S3Endpoint::start(bucket.clone(), &credentials).await.unwrap();
    let encode = |text: &str| BASE64_STANDARD.encode(text);
    lab.set_secret(
        "s3",
        &json!({ "AWS_ACCESS_KEY_ID": encode("access"), "AWS_SECRET_ACCESS_KEY": encode(ARCHIVE_KEY) }),
    );
    let archive = Archive {
        profile: StoreProfile {
            name: "archive".to_owned(),
            endpoint: endpoint.url(),
            bucket: "logs".to_owned(),
            region: "east".to_owned(),
            secret_namespace: "wants".to_owned(),
            secret_name: "s3".to_owned(),
            ca_certificates: Vec::new(),
        },
        prefix: "dr/".to_owned(),
        every: Duration::from_millis(50),
        lock,
    };
    (bucket, endpoint, archive)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_locked_for_as_long_as_asked_where_the_bucket_can_do_that() {
    let lab = Lab::new().await;
    let (bucket, _endpoint, archive) = archive_in(&lab, Some(Lock { days: 30, compliance: true })).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = ramen_runtime::Settings { archive: Some(archive), listen: Some(port), ..lab.with_lease("one") };
    let process = lab.start_with(Mirror::new(), settings);
    lab.set("wants", "a", "1");
    until("a bucket that can't lock is counted as a failure", || {
        let metrics = ask(port, "/metrics");
        metrics.lines().any(|line| line.starts_with("ramen_log_archive_failures_total") && !line.ends_with(" 0"))
    })
    .await;
    assert_eq!(bucket.lock().unwrap().objects().count(), 0, "nothing is archived without the lock that was asked for");
    bucket.lock().unwrap().allow_locks();
    until("the log is archived", || archived(&bucket).len() == lab.records().len()).await;
    process.stop().await.unwrap();
    let days =
        |time: ramen_sim::time::Time| time.0.saturating_sub(ramen_sim::time::Time::wall().0).div_ceil(86_400_000);
    let bucket = bucket.lock().unwrap();
    assert!(bucket.objects().any(|(key, _)| key.contains("/anchors/")));
    for (key, object) in bucket.objects() {
        let retention = object.retention.as_ref().unwrap_or_else(|| panic!("{key} is not locked"));
        assert_eq!((retention.mode.as_str(), days(retention.until)), ("COMPLIANCE", 30), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_archived_whatever_becomes_of_store_and_process() {
    let lab = Lab::new().await;
    let (bucket, _endpoint, archive) = archive_in(&lab, None).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = ramen_runtime::Settings { archive: Some(archive), listen: Some(port), ..lab.with_lease("one") };
    // A store that fails holds nobody up, and is told of.
    bucket.lock().unwrap().set_fault(ramen_sim::s3::Fault::Erroring);
    let process = lab.start_with(Mirror::new(), settings.clone());
    lab.set("wants", "a", "1");
    until("the copy", || lab.value("copies", "a").as_deref() == Some("1")).await;
    until("a failure is counted", || {
        ask(port, "/metrics")
            .lines()
            .any(|line| line.starts_with("ramen_log_archive_failures_total") && !line.ends_with(" 0"))
    })
    .await;
    bucket.lock().unwrap().set_fault(ramen_sim::s3::Fault::None);
    process.stop().await.unwrap();
    assert_eq!(archived(&bucket), lab.records(), "what is left is archived at the stop");

    // The next process goes on where the store stands.
    let before = bucket.lock().unwrap().objects().count();
    let process = lab.start_with(Mirror::new(), settings);
    lab.set("wants", "a", "2");
    until("the copy", || lab.value("copies", "a").as_deref() == Some("2")).await;
    until("its records are archived", || archived(&bucket).len() == lab.records().len()).await;
    process.stop().await.unwrap();
    let log = lab.log().unwrap();
    assert_eq!(archived(&bucket), lab.records());
    let keys: Vec<String> = bucket.lock().unwrap().objects().map(|(key, _)| key.to_owned()).collect();
    let folder = format!("dr/spoke/c1/{}/", LogId::of(&*log).unwrap().unwrap().short());
    assert!(keys.iter().all(|key| key.starts_with(&folder)), "{keys:?}");
    assert!(keys.len() > before, "{keys:?}");

    let head = (log.head().seq, log.head().hash);
    let of_store = newest({
        let bucket = bucket.lock().unwrap();
        let anchors = bucket.objects().filter(|(key, _)| key.contains("/anchors/"));
        anchors.map(|(_, object)| object.bytes.to_vec()).collect::<Vec<_>>().into_iter()
    });
    let lease = lab.cluster.get(&LEASE, Some("wants"), "leader").unwrap();
    let noted = lease["metadata"]["annotations"][ANNOTATION].as_str().unwrap();
    let of_lease = newest([noted.as_bytes().to_vec()].into_iter());
    for (anchor, place) in [(of_store, "the store"), (of_lease, "the Lease, when it is given up")] {
        let anchor = anchor.unwrap_or_else(|| panic!("no anchor in {place}"));
        assert_eq!((anchor.seq, anchor.hash), head, "{place}");
        assert_eq!(anchor.owner.to_string(), "the operator of cluster c1");
    }
    for (key, object) in bucket.lock().unwrap().objects() {
        assert!(!object.bytes.windows(ARCHIVE_KEY.len()).any(|part| part == ARCHIVE_KEY.as_bytes()), "{key}");
    }
}

/// A token of a service account.
fn token(lab: &Lab, account: &str) -> String {
    let path = format!("/api/v1/namespaces/wants/serviceaccounts/{account}/token");
    let url = lab.front.url();
    let addr = url.strip_prefix("http://").unwrap().parse().unwrap();
    let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} }).to_string();
    let length = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let (head, answer) = send(addr, &format!("POST {path}"), &length, &body);
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap_or_else(|err| panic!("{head}: {err}"));
    answer["status"]["token"].as_str().unwrap().to_owned()
}

/// Asks for a path and returns the whole answer; empty while nobody listens.
fn ask(addr: std::net::SocketAddr, path: &str) -> String {
    let (head, body) = send(addr, &format!("GET {path}"), "", "");
    head + &String::from_utf8_lossy(&body)
}

/// As [`ask`], with a token: head and body.
fn ask_as(addr: std::net::SocketAddr, path: &str, token: &str) -> (String, Vec<u8>) {
    send(addr, &format!("GET {path}"), &format!("Authorization: Bearer {token}\r\n"), "")
}

/// Sends a request by HTTP 1.0, whose bodies are not cut into chunks: head and body of the answer.
fn send(addr: std::net::SocketAddr, what: &str, headers: &str, body: &str) -> (String, Vec<u8>) {
    use std::io::{Read, Write};

    let mut answer = Vec::new();
    if let Ok(mut stream) = std::net::TcpStream::connect(addr) {
        let request = format!("{what} HTTP/1.0\r\nHost: x\r\n{headers}\r\n{body}");
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.read_to_end(&mut answer);
    }
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    let body = answer.split_off(end);
    (String::from_utf8_lossy(&answer).into_owned(), body)
}
