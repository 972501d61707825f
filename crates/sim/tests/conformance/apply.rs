//! Server-side apply: who owns what, and what follows from it.

use serde_json::{Value, json};

use crate::ask::{MERGE, Server};

/// A configuration with only this spec.
fn config(server: &Server, spec: Value) -> Value {
    let mut config = server.widget("one");
    config["spec"] = spec;
    config
}

/// The fields that a manager owns, by its way of writing.
fn owned(object: &Value, manager: &str, operation: &str) -> Option<Value> {
    let entries = object["metadata"]["managedFields"].as_array()?;
    let entry = entries.iter().find(|entry| entry["manager"] == manager && entry["operation"] == operation)?;
    Some(entry["fieldsV1"].clone())
}

pub async fn applying_creates_and_owns(server: Server) {
    let path = server.widget_path("one");
    let reply = server.apply(&path, "a", "", &config(&server, json!({"size": 4, "tags": ["x"]}))).await;
    assert_eq!(reply.code, 201);
    let created = reply.ok();
    assert_eq!((&created["spec"]["size"], &created["spec"]["mode"]), (&json!(4), &json!("Slow")));
    // Defaults are nobody's.
    let expected = json!({"f:spec": {"f:size": {}, "f:tags": {"v:\"x\"": {}}}});
    assert_eq!(owned(&created, "a", "Apply"), Some(expected));
    let reply = server.patch(&path, "application/apply-patch+yaml", &config(&server, json!({"size": 4}))).await;
    assert_eq!(reply.code, 422, "an apply has to name its manager: {}", reply.body);
}

pub async fn what_the_schema_lacks_cannot_be_applied(server: Server) {
    let path = server.widget_path("one");
    let mut with_metadata = config(&server, json!({"size": 4}));
    with_metadata["metadata"]["bogus"] = json!(1);
    let mut with_status = config(&server, json!({"size": 4}));
    with_status["status"] = json!({"bogus": 1});
    for (config, field) in [
        (config(&server, json!({"size": 4, "bogus": 1})), ".spec.bogus"),
        (config(&server, json!({"size": 4, "nested": {"bogus": null}})), ".spec.nested.bogus"),
        (config(&server, json!({"size": 4, "parts": [{"name": "a", "bogus": 1}]})), ".spec.parts[name=\"a\"].bogus"),
        (with_metadata, ".metadata.bogus"),
        (with_status, ".status.bogus"),
    ] {
        for options in ["&force=true", "&fieldValidation=Ignore", "&fieldValidation=Strict"] {
            let reply = server.apply(&path, "a", options, &config).await;
            assert_eq!(reply.code, 500, "{options}: {}", reply.body);
            let message = reply.body["message"].as_str().unwrap_or_default();
            let expected = format!(
                "failed to create typed patch object ({}/one; {}/v1, Kind=Widget): {field}: field not declared in schema",
                server.space, server.group
            );
            assert_eq!(message, expected);
            assert!(reply.body.get("reason").is_none(), "{}", reply.body);
        }
    }
    assert_eq!(server.get(&path).await.code, 404);
    server.apply(&path, "a", "", &config(&server, json!({"size": 4, "free": {"bogus": 1}}))).await.ok();
}

pub async fn appliers_conflict_over_values(server: Server) {
    let path = server.widget_path("one");
    server.apply(&path, "a", "", &config(&server, json!({"size": 4}))).await.ok();
    let reply = server.apply(&path, "b", "", &config(&server, json!({"size": 5}))).await;
    let status = reply.refused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"a\": .spec.size");
    assert_eq!(status["details"]["causes"][0]["reason"], "FieldManagerConflict");
    assert_eq!(status["details"]["causes"][0]["field"], ".spec.size");
    // The same value is shared without a quarrel, other fields are free.
    let both = server.apply(&path, "b", "", &config(&server, json!({"size": 4, "interval": "5m"}))).await.ok();
    assert!(owned(&both, "a", "Apply").is_some() && owned(&both, "b", "Apply").is_some());
}

pub async fn force_takes_ownership(server: Server) {
    let path = server.widget_path("one");
    server.apply(&path, "a", "", &config(&server, json!({"size": 4, "interval": "5m"}))).await.ok();
    let forced = server.apply(&path, "b", "&force=true", &config(&server, json!({"size": 5}))).await.ok();
    assert_eq!(forced["spec"]["size"], 5);
    assert_eq!(owned(&forced, "a", "Apply"), Some(json!({"f:spec": {"f:interval": {}}})));
    assert_eq!(owned(&forced, "b", "Apply"), Some(json!({"f:spec": {"f:size": {}}})));
}

pub async fn what_is_not_applied_any_more_goes(server: Server) {
    let path = server.widget_path("one");
    let mut full =
        config(&server, json!({"size": 4, "interval": "5m", "labels": {"x": "1", "y": "2"}, "plain": ["p"]}));
    full["metadata"]["labels"] = json!({"l": "1"});
    full["metadata"]["finalizers"] = json!(["example.com/hold"]);
    server.apply(&path, "a", "", &full).await.ok();
    let less = config(&server, json!({"size": 4, "labels": {"y": "2"}}));
    let applied = server.apply(&path, "a", "", &less).await.ok();
    assert!(applied["spec"].get("interval").is_none() && applied["spec"].get("plain").is_none(), "{applied}");
    assert_eq!(applied["spec"]["labels"], json!({"y": "2"}));
    assert!(applied["metadata"].get("labels").is_none() && applied["metadata"].get("finalizers").is_none());
    assert_eq!(applied["spec"]["mode"], "Slow");
}

pub async fn shared_fields_stay_until_the_last_owner_lets_go(server: Server) {
    let path = server.widget_path("one");
    let full = config(&server, json!({"size": 4, "interval": "5m"}));
    server.apply(&path, "a", "", &full).await.ok();
    server.apply(&path, "b", "", &full).await.ok();
    let less = config(&server, json!({"size": 4}));
    assert_eq!(server.apply(&path, "a", "", &less).await.ok()["spec"]["interval"], "5m");
    assert!(server.apply(&path, "b", "", &less).await.ok()["spec"].get("interval").is_none());
}

pub async fn an_update_takes_ownership(server: Server) {
    let path = server.widget_path("one");
    server.apply(&path, "a", "", &config(&server, json!({"size": 4, "interval": "5m"}))).await.ok();
    let patched = server.patch(&format!("{path}?fieldManager=hand"), MERGE, &json!({"spec": {"size": 6}})).await.ok();
    assert_eq!(owned(&patched, "a", "Apply"), Some(json!({"f:spec": {"f:interval": {}}})));
    assert_eq!(owned(&patched, "hand", "Update"), Some(json!({"f:spec": {"f:size": {}}})));
    let reply = server.apply(&path, "a", "", &config(&server, json!({"size": 4, "interval": "5m"}))).await;
    let status = reply.refused(409, "Conflict", "conflict with \"hand\" using");
    assert_eq!(status["details"]["causes"][0]["field"], ".spec.size");
    // What it does not apply any more stays: it is not its own.
    let applied = server.apply(&path, "a", "", &config(&server, json!({"interval": "5m", "size": 6}))).await.ok();
    assert_eq!(applied["spec"]["size"], 6);
}

pub async fn keyed_lists_are_owned_by_item(server: Server) {
    let path = server.widget_path("one");
    let parts = |list: Value| config(&server, json!({"size": 4, "parts": list}));
    server.apply(&path, "a", "", &parts(json!([{"name": "x", "count": 1}, {"name": "y"}]))).await.ok();
    let both =
        server.apply(&path, "b", "", &parts(json!([{"name": "z", "count": 3}, {"name": "y", "count": 2}]))).await.ok();
    let expected = json!([{"name": "x", "count": 1}, {"name": "y", "count": 2}, {"name": "z", "count": 3}]);
    let mut found = both["spec"]["parts"].as_array().unwrap().clone();
    found.sort_by_key(|part| part["name"].as_str().unwrap().to_owned());
    assert_eq!(Value::Array(found), expected);
    let less = server.apply(&path, "a", "", &parts(json!([]))).await.ok();
    let names: Vec<&str> =
        less["spec"]["parts"].as_array().unwrap().iter().filter_map(|part| part["name"].as_str()).collect();
    assert!(names.contains(&"y") && names.contains(&"z") && !names.contains(&"x"), "{names:?}");
    let mut owner = config(&server, json!({"size": 4}));
    owner["metadata"]["finalizers"] = json!(["example.com/c"]);
    server.apply(&path, "c", "", &owner).await.ok();
    owner["metadata"]["finalizers"] = json!(["example.com/d"]);
    let held = server.apply(&path, "d", "", &owner).await.ok();
    assert_eq!(held["metadata"]["finalizers"].as_array().unwrap().len(), 2, "sets unite");
    server.patch(&path, MERGE, &json!({"metadata": {"finalizers": null}})).await.ok();
}

pub async fn status_is_applied_on_its_own(server: Server) {
    let path = server.widget_path("one");
    server.apply(&path, "a", "", &config(&server, json!({"size": 4}))).await.ok();
    let mut status = server.widget("one");
    status.as_object_mut().unwrap().remove("spec");
    status["status"] = json!({"state": "up", "conditions": [{"type": "Ready", "status": "True"}]});
    let applied = server.apply(&format!("{path}/status"), "a", "", &status).await.ok();
    assert_eq!((&applied["spec"]["size"], &applied["status"]["state"]), (&json!(4), &json!("up")));
    let entries = applied["metadata"]["managedFields"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["subresource"] == "status").unwrap();
    let ready = json!({".": {}, "f:type": {}, "f:status": {}});
    let expected = json!({"f:status": {"f:state": {}, "f:conditions": {"k:{\"type\":\"Ready\"}": ready}}});
    assert_eq!((&entry["manager"], &entry["fieldsV1"]), (&json!("a"), &expected));
    // Another writer of another condition is no conflict, and the object itself is not touched by either.
    status["status"] = json!({"conditions": [{"type": "Peer", "status": "True"}]});
    let both = server.apply(&format!("{path}/status"), "b", "", &status).await.ok();
    assert_eq!(both["status"]["conditions"].as_array().unwrap().len(), 2);
    assert_eq!(both["metadata"]["generation"], 1);
    let mut other = server.widget("none");
    other["status"] = json!({"state": "up"});
    let created = server.apply(&server.widget_path("none"), "a", "", &other).await.ok();
    assert!(created.get("status").is_none());
}

pub async fn applying_the_same_again_changes_nothing(server: Server) {
    let path = server.widget_path("one");
    let config = config(&server, json!({"size": 4, "parts": [{"name": "x"}]}));
    let first = server.apply(&path, "a", "", &config).await.ok();
    let reply = server.apply(&path, "a", "&force=true", &config).await;
    assert_eq!(reply.code, 200);
    assert_eq!(reply.ok()["metadata"], first["metadata"]);
}
