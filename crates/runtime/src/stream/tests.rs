//! Against servers that answer from a script, old ones and new ones.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use kube::client::Body;
use ramen_api::kinds::CONFIG_MAP;
use serde_json::json;

use super::*;

/// How a server answers one request.
enum Says {
    /// With this code and body.
    Answer(u16, Value),
    /// With these events; then it ends the watch.
    Ends(Vec<Value>),
    /// With these events; then it is silent.
    Waits(Vec<Value>),
}

/// A server that answers from a script, and the queries that it was asked.
#[derive(Clone, Default)]
struct Server {
    script: Arc<Mutex<VecDeque<Says>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(script: impl IntoIterator<Item = Says>) -> Self {
        Self { script: Arc::new(Mutex::new(script.into_iter().collect())), asked: Arc::default() }
    }

    fn stream(&self) -> Stream {
        let server = self.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let answer = server.answer(&request);
            async move { Ok::<_, Infallible>(answer) }
        });
        Stream::new(Client::new(service, "default"), Source::new(&CONFIG_MAP, None, "app=a"))
    }

    fn answer(&self, request: &http::Request<Body>) -> http::Response<UnsyncBoxBody<Bytes, Infallible>> {
        let query = request.uri().query().unwrap_or_default();
        let wanted = ["watch", "sendInitialEvents", "resourceVersionMatch", "resourceVersion"];
        let pairs = form_urlencoded::parse(query.as_bytes());
        let shown =
            pairs.filter(|(key, _)| wanted.contains(&key.as_ref())).map(|(key, value)| format!("{key}={value}"));
        self.asked.lock().unwrap().push(shown.collect::<Vec<_>>().join(" "));
        let whole = |bytes: Vec<u8>| Full::new(Bytes::from(bytes)).boxed_unsync();
        let says = self.script.lock().unwrap().pop_front().expect("one request too many");
        let response = http::Response::builder();
        match says {
            Says::Answer(code, body) => response.status(code).body(whole(body.to_string().into_bytes())).unwrap(),
            Says::Ends(events) => response.body(whole(lines(&events))).unwrap(),
            Says::Waits(events) => {
                let first = futures::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from(lines(&events))))]);
                let silent = StreamBody::new(first.chain(futures::stream::pending()));
                response.body(BodyExt::boxed_unsync(silent)).unwrap()
            }
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

const LIST_BY_WATCH: &str = "watch=true sendInitialEvents=true resourceVersionMatch=NotOlderThan resourceVersion=";

fn lines(events: &[Value]) -> Vec<u8> {
    events.iter().map(|event| format!("{event}\n")).collect::<String>().into_bytes()
}

fn object(name: &str, version: u64) -> Value {
    json!({ "metadata": { "name": name, "resourceVersion": version.to_string() } })
}

fn event(kind: &str, name: &str, version: u64) -> Value {
    json!({ "type": kind, "object": object(name, version) })
}

fn bookmark(version: u64, annotations: &Value) -> Value {
    let metadata = json!({ "resourceVersion": version.to_string(), "annotations": annotations });
    json!({ "type": "BOOKMARK", "object": { "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata } })
}

fn end_of_list(version: u64) -> Value {
    bookmark(version, &json!({ "k8s.io/initial-events-end": "true" }))
}

fn failure(code: u16, reason: &str) -> Value {
    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": reason })
}

/// The next events, in short; errors count.
async fn told(stream: &mut Stream, count: usize) -> Vec<String> {
    let name = |object: Value| object["metadata"]["name"].as_str().unwrap().to_owned();
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(match stream.next().await {
            Ok(Event::Started) => "started".to_owned(),
            Ok(Event::Listed(object)) => format!("listed {}", name(object)),
            Ok(Event::Done) => "done".to_owned(),
            Ok(Event::Changed(object)) => format!("changed {}", name(object)),
            Ok(Event::Deleted(object)) => format!("deleted {}", name(object)),
            Err(err) => format!("error {:?}", err.code()),
        });
    }
    all
}

#[tokio::test]
async fn one_request_lists_and_watches() {
    let events = [event("ADDED", "a", 1), event("ADDED", "b", 2), end_of_list(7), event("MODIFIED", "a", 8)];
    let server = Server::new([Says::Waits(events.into())]);
    let seen = told(&mut server.stream(), 5).await;
    assert_eq!(seen, ["started", "listed a", "listed b", "done", "changed a"]);
    assert_eq!(server.asked(), [LIST_BY_WATCH], "without a version: what is true now, not what a cache holds");
}

#[tokio::test]
async fn a_list_may_take_an_object_back() {
    let server = Server::new([Says::Waits(vec![event("ADDED", "a", 1), event("DELETED", "a", 2), end_of_list(2)])]);
    assert_eq!(told(&mut server.stream(), 4).await, ["started", "listed a", "deleted a", "done"]);
}

#[tokio::test]
async fn a_watch_is_taken_up_where_its_last_bookmark_was() {
    let server = Server::new([
        Says::Ends(vec![end_of_list(7), event("ADDED", "a", 8), bookmark(12, &json!({}))]),
        Says::Ends(vec![event("DELETED", "a", 15)]),
        Says::Ends(vec![json!({ "type": "ERROR", "object": failure(500, "InternalError") })]),
        Says::Waits(vec![event("ADDED", "b", 16)]),
    ]);
    let seen = told(&mut server.stream(), 6).await;
    assert_eq!(seen, ["started", "done", "changed a", "deleted a", "error Some(500)", "changed b"]);
    let from = |version: u64| format!("watch=true resourceVersion={version}");
    assert_eq!(server.asked(), [LIST_BY_WATCH.to_owned(), from(12), from(15), from(15)]);
}

#[rstest::rstest]
#[case::within_the_watch(Says::Ends(vec![json!({ "type": "ERROR", "object": failure(410, "Expired") })]))]
#[case::at_its_start(Says::Answer(410, failure(410, "Expired")))]
#[case::restored_from_a_backup(Says::Answer(504, json!({
    "kind": "Status", "status": "Failure", "code": 504, "reason": "Timeout", "message": "Too large resource version: 7, current: 3",
    "details": { "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }] },
})))]
#[tokio::test]
async fn a_version_that_is_of_no_use_makes_a_new_list(#[case] says: Says) {
    let server = Server::new([
        Says::Ends(vec![event("ADDED", "a", 1), end_of_list(7)]),
        says,
        Says::Waits(vec![event("ADDED", "b", 9), end_of_list(9)]),
    ]);
    let seen = told(&mut server.stream(), 7).await;
    assert_eq!((&seen[..3], &seen[4..]), (&told_list("a")[..], &told_list("b")[..]));
    assert!(seen[3].starts_with("error"), "{seen:?}");
    assert_eq!(server.asked(), [LIST_BY_WATCH, "watch=true resourceVersion=7", LIST_BY_WATCH]);
}

fn told_list(name: &str) -> [String; 3] {
    ["started".to_owned(), format!("listed {name}"), "done".to_owned()]
}

#[tokio::test]
async fn a_list_that_broke_off_begins_anew() {
    let server = Server::new([
        Says::Ends(vec![event("ADDED", "a", 1)]),
        Says::Waits(vec![event("ADDED", "b", 2), end_of_list(3)]),
    ]);
    let seen = told(&mut server.stream(), 6).await;
    assert_eq!(seen, ["started", "listed a", "error None", "started", "listed b", "done"]);
    assert_eq!(server.asked(), [LIST_BY_WATCH, LIST_BY_WATCH]);
}

/// A page; `more` tells that there is another.
fn page(name: &str, more: &str) -> Says {
    let metadata = json!({ "resourceVersion": "7", "continue": more });
    Says::Answer(200, json!({ "metadata": metadata, "items": [object(name, 1)] }))
}

#[rstest::rstest]
#[case::refused(Says::Answer(422, failure(422, "Invalid")), 0)]
#[case::ignored_and_silent(Says::Waits(vec![event("ADDED", "a", 1)]), 1)]
#[case::ignored_with_a_bookmark(Says::Waits(vec![event("ADDED", "a", 1), bookmark(5, &json!({}))]), 1)]
#[tokio::test(start_paused = true)]
async fn a_server_that_begins_no_watch_with_a_list_is_asked_for_pages(#[case] says: Says, #[case] shown: usize) {
    let server = Server::new([says, page("a", "more"), page("b", ""), Says::Waits(vec![event("ADDED", "c", 8)])]);
    let mut stream = server.stream();
    let before = told(&mut stream, 1 + shown).await;
    assert_eq!(before[0], "started");
    let seen = told(&mut stream, 5).await;
    assert_eq!(seen, ["started", "listed a", "listed b", "done", "changed c"], "what was shown before is void");
    assert_eq!(server.asked(), [LIST_BY_WATCH, "", "", "watch=true resourceVersion=7"]);
}

#[tokio::test]
async fn a_server_that_fails_to_is_asked_for_pages_the_next_time() {
    let server = Server::new([Says::Answer(500, failure(500, "InternalError")), page("a", "")]);
    let seen = told(&mut server.stream(), 5).await;
    assert_eq!(seen, ["started", "error Some(500)", "started", "listed a", "done"]);
}

#[tokio::test]
async fn a_server_may_say_when_to_come_back() {
    let mut busy = failure(429, "TooManyRequests");
    busy["details"] = json!({ "retryAfterSeconds": 1 });
    let server = Server::new([Says::Answer(429, busy), Says::Waits(vec![end_of_list(1)])]);
    let mut stream = server.stream();
    assert_eq!(told(&mut stream, 1).await, ["started"]);
    assert_eq!(stream.next().await.unwrap_err().retry_after(), Some(Duration::from_secs(1)));
    assert_eq!(told(&mut stream, 2).await, ["started", "done"], "asked in the same way, not for pages");
}

#[tokio::test]
async fn a_kind_that_is_not_served_may_be_later() {
    let server = Server::new([Says::Answer(404, failure(404, "NotFound")), Says::Waits(vec![end_of_list(1)])]);
    assert_eq!(told(&mut server.stream(), 4).await, ["started", "error Some(404)", "started", "done"]);
    assert_eq!(server.asked(), [LIST_BY_WATCH, LIST_BY_WATCH]);
}
