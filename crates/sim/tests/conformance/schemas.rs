//! Schemas of custom resources.

use serde_json::{Value, json};

use crate::ask::{CRDS, MERGE, Server};

pub async fn objects_that_break_the_schema_are_refused(server: Server) {
    for (spec, field, words) in [
        (json!({}), "spec.size", "spec.size: Required value"),
        (json!({"size": "3"}), "spec.size", "spec.size in body must be of type integer: \"string\""),
        (json!({"size": 0}), "spec.size", "spec.size in body should be greater than or equal to 1"),
        (json!({"size": 10}), "spec.size", "spec.size in body should be less than or equal to 9"),
        (
            json!({"size": 3, "mode": "Odd"}),
            "spec.mode",
            "spec.mode: Unsupported value: \"Odd\": supported values: \"Slow\", \"Fast\"",
        ),
        (json!({"size": 3, "interval": "5s"}), "spec.interval", "spec.interval in body should match '^[0-9]+[mhd]$'"),
        (json!({"size": 3, "pair": ["a"]}), "spec.pair", "a pair is two"),
        (
            json!({"size": 3, "pair": ["a", "b", "c", "d", "e"]}),
            "spec.pair",
            "spec.pair: Too many: 5: must have at most 4 items",
        ),
        (json!({"size": 3, "tags": ["a", "a"]}), "spec.tags[1]", "spec.tags[1]: Duplicate value: \"a\""),
        (
            json!({"size": 3, "parts": [{"name": "a"}, {"name": "a"}]}),
            "spec.parts[1]",
            "spec.parts[1]: Duplicate value: {\"name\":\"a\"}",
        ),
        (json!({"size": 3, "labels": {"a": 1}}), "spec.labels.a", "must be of type string: \"integer\""),
        (json!({"size": 3, "port": true}), "spec.port", "must be of type integer,string: \"boolean\""),
    ] {
        let mut widget = server.widget("one");
        widget["spec"] = spec.clone();
        let reply = server.post(&server.widgets(), &widget).await;
        let status = reply.refused(422, "Invalid", words);
        let start = format!("Widget.{} \"one\" is invalid: ", server.group);
        assert!(status["message"].as_str().unwrap().starts_with(&start), "{status}");
        let causes = status["details"]["causes"].as_array().unwrap();
        assert!(causes.iter().any(|cause| cause["field"] == field), "{spec}: {causes:?}");
    }
    let mut widget = server.widget("one");
    widget["spec"] = json!({"size": 3, "pair": ["a", "b"], "port": "http", "maybe": null, "interval": null});
    let created = server.post(&server.widgets(), &widget).await.ok();
    assert!(created["spec"].get("interval").is_none(), "a null that may not be is nothing");
    assert_eq!(created["spec"].get("maybe"), Some(&Value::Null));
}

pub async fn defaults_are_filled_in(server: Server) {
    let created = server.new_widget("one").await;
    assert_eq!(created["spec"], json!({"size": 3, "mode": "Slow", "nested": {"depth": 1}}));
    let patched = server.patch(&server.widget_path("one"), MERGE, &json!({"spec": {"mode": null}})).await.ok();
    assert_eq!(patched["spec"]["mode"], "Slow");
    assert_eq!(patched["metadata"]["generation"], 1);
}

pub async fn unknown_fields_are_dropped_or_refused(server: Server) {
    let mut widget = server.widget("one");
    widget["spec"]["bogus"] = json!(1);
    widget["spec"]["free"] = json!({"anything": {"goes": 1}});
    widget["extra"] = json!({});
    let reply = server.post(&format!("{}?fieldValidation=Strict", server.widgets()), &widget).await;
    reply.refused(400, "BadRequest", "unknown field \"spec.bogus\"");
    let created = server.post(&server.widgets(), &widget).await.ok();
    assert!(created["spec"].get("bogus").is_none() && created.get("extra").is_none());
    assert_eq!(created["spec"]["free"], json!({"anything": {"goes": 1}}));
    let path = server.widget_path("one");
    let (strict, words) =
        (format!("{path}?fieldValidation=Strict"), "strict decoding error: unknown field \"spec.bogus\"");
    let mut update = created.clone();
    update["spec"]["bogus"] = json!(1);
    server.put(&strict, &update).await.refused(400, "BadRequest", words);
    let patch = json!({"spec": {"bogus": 1}});
    server.patch(&strict, MERGE, &patch).await.refused(422, "Invalid", words);
    let patched = server.patch(&path, MERGE, &patch).await.ok();
    assert_eq!(patched["metadata"]["resourceVersion"], created["metadata"]["resourceVersion"], "nothing changed");
}

pub async fn rules_about_changes_hold(server: Server) {
    let mut widget = server.widget("one");
    widget["spec"]["fixed"] = json!("a");
    server.post(&server.widgets(), &widget).await.ok();
    let path = server.widget_path("one");
    let patch = |value: Value| json!({"spec": {"fixed": value}});
    server.patch(&path, MERGE, &patch(json!("b"))).await.refused(422, "Invalid", "spec.fixed: Invalid value:");
    server.patch(&path, MERGE, &patch(json!("b"))).await.refused(422, "Invalid", "fixed is immutable");
    server.patch(&path, MERGE, &patch(Value::Null)).await.refused(422, "Invalid", "fixed comes and goes never");
    server.patch(&path, MERGE, &json!({"spec": {"size": 4, "fixed": "a"}})).await.ok();
}

pub async fn a_broken_definition_is_refused(server: Server) {
    let mut definition = server.definition();
    definition["metadata"]["name"] = json!(format!("gadgets.{}", server.group));
    let reply = server.post(CRDS, &definition).await;
    reply.refused(422, "Invalid", "must be spec.names.plural+\".\"+spec.group");
    let known = server.get(&format!("{CRDS}/widgets.{}", server.group)).await.ok();
    let conditions = known["status"]["conditions"].as_array().unwrap();
    let established = conditions.iter().find(|condition| condition["type"] == "Established").unwrap();
    assert_eq!(established["status"], "True");
    assert_eq!(known["status"]["storedVersions"], json!(["v1"]));
}
