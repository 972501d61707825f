//! Watches: what they begin with, resume from, and tell.

use serde_json::{Value, json};

use crate::ask::{MERGE, Server};

fn version(object: &Value) -> String {
    object["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

fn pair(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

pub async fn a_watch_resumes_where_it_stood(server: Server) {
    let first = server.new_widget("one").await;
    let second = server.new_widget("two").await;
    let path = server.widget_path("two");
    server.patch(&path, MERGE, &json!({"spec": {"size": 4}})).await.ok();
    let mut events =
        server.watch(&format!("{}?watch=true&resourceVersion={}", server.widgets(), version(&first))).await;
    assert_eq!(events.next_name().await, pair("ADDED", "two"));
    assert_eq!(events.next_name().await, pair("MODIFIED", "two"));
    server.delete(&path, None).await.ok();
    assert_eq!(events.next_name().await, pair("DELETED", "two"));
    let mut events =
        server.watch(&format!("{}?watch=true&resourceVersion={}", server.widgets(), version(&second))).await;
    assert_eq!(events.next_name().await, pair("MODIFIED", "two"));
}

pub async fn a_watch_begins_with_what_exists(server: Server) {
    server.new_widget("one").await;
    let mut events = server.watch(&format!("{}?watch=1", server.widgets())).await;
    assert_eq!(events.next_name().await, pair("ADDED", "one"));
    server.new_widget("two").await;
    assert_eq!(events.next_name().await, pair("ADDED", "two"));
    let list = server.get(&server.widgets()).await.ok();
    let mut events = server.watch(&format!("{}?watch=1&resourceVersion={}", server.widgets(), version(&list))).await;
    server.new_widget("three").await;
    assert_eq!(events.next_name().await, pair("ADDED", "three"));
}

pub async fn a_watch_from_too_long_ago_is_refused(server: Server) {
    server.new_widget("one").await;
    let mut events = server.watch(&format!("{}?watch=1&resourceVersion=1", server.widgets())).await;
    let (kind, status) = events.next().await.unwrap();
    assert_eq!(
        (kind.as_str(), &status["code"], &status["reason"]),
        ("ERROR", &json!(410), &json!("Expired")),
        "{status}"
    );
    assert!(status["message"].as_str().unwrap().starts_with("too old resource version: 1"));
}

pub async fn a_selecting_watch_sees_objects_come_and_go(server: Server) {
    let path = format!("{}?watch=1&labelSelector=color%3Dred", server.widgets());
    let created = server.new_widget("one").await;
    let mut events = server.watch(&format!("{path}&resourceVersion={}", version(&created))).await;
    let paint = async |color: Value| {
        let patch = json!({"metadata": {"labels": {"color": color}}});
        server.patch(&server.widget_path("one"), MERGE, &patch).await.ok()
    };
    paint(json!("red")).await;
    assert_eq!(events.next_name().await, pair("ADDED", "one"));
    let blue = paint(json!("blue")).await;
    let (kind, left) = events.next().await.unwrap();
    assert_eq!((kind.as_str(), &left["metadata"]["labels"]["color"]), ("DELETED", &json!("red")), "as it was selected");
    assert_eq!(version(&left), version(&blue));
    paint(json!("red")).await;
    assert_eq!(events.next_name().await, pair("ADDED", "one"));
    let mut events = server.watch(&format!("{}?watch=1&fieldSelector=metadata.name%3Dtwo", server.widgets())).await;
    server.new_widget("three").await;
    server.new_widget("two").await;
    assert_eq!(events.next_name().await, pair("ADDED", "two"));
}

pub async fn a_streaming_list_ends_with_a_bookmark(server: Server) {
    server.new_widget("one").await;
    let query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut events = server.watch(&format!("{}?{query}", server.widgets())).await;
    assert_eq!(events.next_name().await, pair("ADDED", "one"));
    let (kind, mark) = events.next().await.unwrap();
    assert_eq!(kind, "BOOKMARK");
    assert_eq!(mark["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    assert!(version(&mark).parse::<u64>().is_ok());
}

pub async fn a_deletion_is_seen_with_its_version(server: Server) {
    let created = server.new_widget("one").await;
    let mut events = server.watch(&format!("{}?watch=1&resourceVersion={}", server.widgets(), version(&created))).await;
    server.delete(&server.widget_path("one"), None).await.ok();
    let (kind, object) = events.next().await.unwrap();
    assert_eq!(kind, "DELETED");
    assert_eq!(object["metadata"]["uid"], created["metadata"]["uid"]);
    let number = |object: &Value| version(object).parse::<u64>().unwrap();
    assert!(number(&object) > number(&created));
    // The name is free again, for another object.
    let again = server.new_widget("one").await;
    assert_ne!(again["metadata"]["uid"], created["metadata"]["uid"]);
    let (kind, _) = events.next().await.unwrap();
    assert_eq!(kind, "ADDED");
}
