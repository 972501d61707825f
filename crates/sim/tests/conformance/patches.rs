//! The kinds of patches.

use serde_json::json;

use crate::ask::{JSON, MERGE, STRATEGIC, Server};

pub async fn merge_patches_merge(server: Server) {
    let mut object = server.config_map("one");
    object["data"] = json!({"a": "1", "b": "2"});
    server.post(&server.core("configmaps"), &object).await.ok();
    let path = format!("{}/one", server.core("configmaps"));
    let patched = server.patch(&path, MERGE, &json!({"data": {"a": null, "c": "3"}})).await.ok();
    assert_eq!(patched["data"], json!({"b": "2", "c": "3"}));
    let missing = format!("{}/two", server.core("configmaps"));
    server.patch(&missing, MERGE, &json!({"data": {}})).await.refused(404, "NotFound", "configmaps \"two\" not found");
}

pub async fn json_patches_test_and_change(server: Server) {
    server.new_widget("one").await;
    let path = server.widget_path("one");
    let good =
        json!([{"op": "test", "path": "/spec/size", "value": 3}, {"op": "replace", "path": "/spec/size", "value": 4}]);
    assert_eq!(server.patch(&path, JSON, &good).await.ok()["spec"]["size"], 4);
    server.patch(&path, JSON, &good).await.refused(422, "Invalid", "");
    let pointless = json!([{"op": "remove", "path": "/spec/nothing"}]);
    server.patch(&path, JSON, &pointless).await.refused(422, "Invalid", "");
}

fn pod(server: &Server) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", "namespace": server.space},
        "spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y:1"}]},
    })
}

pub async fn strategic_patches_know_list_keys(server: Server) {
    server.post(&server.core("pods"), &pod(&server)).await.ok();
    let path = format!("{}/one", server.core("pods"));
    let patch = json!({"spec": {"containers": [{"name": "b", "image": "y:2"}]}});
    let patched = server.patch(&path, STRATEGIC, &patch).await.ok();
    let images: Vec<_> =
        patched["spec"]["containers"].as_array().unwrap().iter().map(|one| one["image"].clone()).collect();
    assert_eq!(images, ["x:1", "y:2"]);
    let patch = json!({"metadata": {"finalizers": ["example.com/a"]}});
    server.patch(&path, STRATEGIC, &patch).await.ok();
    let patch = json!({"metadata": {"finalizers": ["example.com/b"]}});
    let patched = server.patch(&path, STRATEGIC, &patch).await.ok();
    assert_eq!(patched["metadata"]["finalizers"].as_array().unwrap().len(), 2);
    let patch = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a", "example.com/b"]}});
    let patched = server.patch(&path, STRATEGIC, &patch).await.ok();
    assert!(patched["metadata"].get("finalizers").is_none());
}

pub async fn custom_kinds_have_no_strategic_patch(server: Server) {
    server.new_widget("one").await;
    let reply = server.patch(&server.widget_path("one"), STRATEGIC, &json!({"spec": {"size": 4}})).await;
    reply.refused(415, "UnsupportedMediaType", "application/merge-patch+json");
}

pub async fn a_patch_can_name_the_version_it_expects(server: Server) {
    let widget = server.new_widget("one").await;
    let path = server.widget_path("one");
    let patch = json!({"metadata": {"resourceVersion": widget["metadata"]["resourceVersion"]}, "spec": {"size": 4}});
    server.patch(&path, MERGE, &patch).await.ok();
    let patch = json!({"metadata": {"resourceVersion": widget["metadata"]["resourceVersion"]}, "spec": {"size": 5}});
    server.patch(&path, MERGE, &patch).await.refused(409, "Conflict", "the object has been modified");
}

pub async fn a_status_patch_changes_status_only(server: Server) {
    server.new_widget("one").await;
    let path = format!("{}/status", server.widget_path("one"));
    let patch = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"size": 9}, "status": {"state": "up"}});
    let patched = server.patch(&path, MERGE, &patch).await.ok();
    assert_eq!((&patched["spec"]["size"], &patched["status"]["state"]), (&json!(3), &json!("up")));
    assert!(patched["metadata"].get("labels").is_none());

    server.post(&server.core("pods"), &pod(&server)).await.ok();
    let path = format!("{}/one/status", server.core("pods"));
    let patched =
        server.patch(&path, MERGE, &json!({"status": {"phase": "Running"}, "spec": {"nodeName": "n"}})).await.ok();
    assert_eq!(patched["status"]["phase"], "Running");
    assert!(patched["spec"].get("nodeName").is_none());
}
