//! Create, read, update: identity, concurrency, subresources.

use serde_json::json;

use crate::ask::{MERGE, Server};

pub async fn a_new_object_gets_an_identity(server: Server) {
    let widget = server.new_widget("one").await;
    let meta = &widget["metadata"];
    assert_eq!(meta["uid"].as_str().unwrap().len(), 36);
    assert_eq!(meta["generation"], 1);
    assert!(meta["creationTimestamp"].as_str().unwrap().ends_with('Z'));
    assert!(meta["resourceVersion"].as_str().unwrap().parse::<u64>().is_ok());
    assert_eq!(server.get(&server.widget_path("one")).await.ok(), widget);
    let config_map = server.new_config_map("one").await;
    assert!(config_map["metadata"].get("generation").is_none());
    server.get(&server.widget_path("two")).await.refused(404, "NotFound", "\"two\" not found");
}

pub async fn names_are_generated_and_checked(server: Server) {
    let mut object = server.config_map("x");
    object["metadata"] = json!({"generateName": "web-"});
    let created = server.post(&server.core("configmaps"), &object).await.ok();
    let name = created["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with("web-") && name.len() == 9, "{name}");
    object["metadata"] = json!({});
    server.post(&server.core("configmaps"), &object).await.refused(422, "Invalid", "name or generateName is required");
    object["metadata"] = json!({"name": "Not_A_Name"});
    server.post(&server.core("configmaps"), &object).await.refused(422, "Invalid", "a lowercase RFC 1123 subdomain");
}

pub async fn an_object_exists_once(server: Server) {
    server.new_config_map("one").await;
    let again = server.post(&server.core("configmaps"), &server.config_map("one")).await;
    again.refused(409, "AlreadyExists", "configmaps \"one\" already exists");
    let again = async || server.post(&server.widgets(), &server.widget("one")).await;
    again().await.ok();
    again().await.refused(409, "AlreadyExists", &format!("widgets.{} \"one\" already exists", server.group));
}

pub async fn a_namespace_must_exist(server: Server) {
    let mut object = server.config_map("one");
    object["metadata"]["namespace"] = json!("nowhere");
    let reply = server.post("/api/v1/namespaces/nowhere/configmaps", &object).await;
    reply.refused(404, "NotFound", "namespaces \"nowhere\" not found");
    let reply = server.post(&server.core("configmaps"), &object).await;
    reply.refused(400, "BadRequest", "does not match the namespace sent on the request");
}

pub async fn a_stale_update_conflicts(server: Server) {
    let mut first = server.new_widget("one").await;
    let mut second = first.clone();
    first["spec"]["size"] = json!(4);
    server.put(&server.widget_path("one"), &first).await.ok();
    second["spec"]["size"] = json!(5);
    let reply = server.put(&server.widget_path("one"), &second).await;
    reply.refused(409, "Conflict", "the object has been modified; please apply your changes to the latest version");
    assert_eq!(server.get(&server.widget_path("one")).await.ok()["spec"]["size"], 4);
}

pub async fn custom_resources_need_a_version_to_be_updated(server: Server) {
    server.new_widget("one").await;
    let reply = server.put(&server.widget_path("one"), &server.widget("one")).await;
    reply.refused(422, "Invalid", "metadata.resourceVersion");
    let mut object = server.new_config_map("one").await;
    object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    object["data"] = json!({"a": "b"});
    server.put(&format!("{}/one", server.core("configmaps")), &object).await.ok();
}

pub async fn an_update_that_changes_nothing_is_none(server: Server) {
    let widget = server.new_widget("one").await;
    let again = server.put(&server.widget_path("one"), &widget).await.ok();
    assert_eq!(again["metadata"]["resourceVersion"], widget["metadata"]["resourceVersion"]);
}

pub async fn spec_and_status_have_separate_writers(server: Server) {
    let mut object = server.widget("one");
    object["status"] = json!({"state": "early"});
    let mut widget = server.post(&server.widgets(), &object).await.ok();
    assert!(widget.get("status").is_none());

    widget["status"] = json!({"state": "up"});
    widget["spec"]["size"] = json!(7);
    let path = server.widget_path("one");
    let by_status = server.put(&format!("{path}/status"), &widget).await.ok();
    assert_eq!((&by_status["spec"]["size"], &by_status["status"]["state"]), (&json!(3), &json!("up")));

    let mut widget = by_status;
    widget["status"] = json!({"state": "down"});
    widget["spec"]["size"] = json!(7);
    let by_spec = server.put(&path, &widget).await.ok();
    assert_eq!((&by_spec["spec"]["size"], &by_spec["status"]["state"]), (&json!(7), &json!("up")));
}

pub async fn the_generation_counts_changes_of_the_spec(server: Server) {
    server.new_widget("one").await;
    let path = server.widget_path("one");
    for (sub, patch, expected) in [
        ("", json!({"metadata": {"labels": {"a": "b"}}}), 1),
        ("/status", json!({"status": {"state": "up"}}), 1),
        ("", json!({"spec": {"size": 4}}), 2),
        ("", json!({"spec": {"size": 4}}), 2),
        ("", json!({"metadata": {"finalizers": ["example.com/hold"]}}), 2),
    ] {
        let patched = server.patch(&format!("{path}{sub}"), MERGE, &patch).await.ok();
        assert_eq!(patched["metadata"]["generation"], expected, "after {patch}");
    }
    // Deletion is a wish, too.
    let pending = server.delete(&path, None).await.ok();
    assert_eq!(pending["metadata"]["generation"], 3);
    server.patch(&path, MERGE, &json!({"metadata": {"finalizers": null}})).await.ok();
}

pub async fn server_owned_metadata_is_kept(server: Server) {
    let created = server.new_widget("one").await;
    let patch = json!({"metadata": {"generation": 9, "creationTimestamp": "2001-01-01T00:00:00Z"}});
    let patched = server.patch(&server.widget_path("one"), MERGE, &patch).await.ok();
    for field in ["generation", "creationTimestamp", "uid"] {
        assert_eq!(patched["metadata"][field], created["metadata"][field], "{field}");
    }
    let mut other = created.clone();
    other["metadata"]["uid"] = json!("00000000-0000-4000-8000-000000000000");
    let reply = server.put(&server.widget_path("one"), &other).await;
    reply.refused(409, "Conflict", "Precondition failed: UID in precondition");
}

pub async fn a_dry_run_leaves_nothing(server: Server) {
    let created = server.post(&format!("{}?dryRun=All", server.widgets()), &server.widget("one")).await.ok();
    assert_eq!(created["metadata"]["generation"], 1);
    server.get(&server.widget_path("one")).await.refused(404, "NotFound", "not found");
    let patched = {
        server.new_widget("two").await;
        let path = format!("{}?dryRun=All", server.widget_path("two"));
        server.patch(&path, MERGE, &json!({"spec": {"size": 8}})).await.ok()
    };
    assert_eq!(patched["spec"]["size"], 8);
    assert_eq!(server.get(&server.widget_path("two")).await.ok()["spec"]["size"], 3);
}

fn claim(server: &Server) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": server.space},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": server.space, "resources": {"requests": {"storage": "1Gi"}}},
    })
}

pub async fn claims_and_volumes_are_protected(server: Server) {
    let created = server.post(&server.core("persistentvolumeclaims"), &claim(&server)).await.ok();
    assert_eq!(created["metadata"]["finalizers"], json!(["kubernetes.io/pvc-protection"]));
    assert_eq!(
        (&created["spec"]["volumeMode"], &created["status"]["phase"]),
        (&json!("Filesystem"), &json!("Pending"))
    );
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": server.space},
        "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "storageClassName": "none",
            "csi": {"driver": "example.com", "volumeHandle": "1"}},
    });
    let created = server.post("/api/v1/persistentvolumes", &volume).await.ok();
    assert_eq!(created["metadata"]["finalizers"], json!(["kubernetes.io/pv-protection"]));
    assert_eq!(created["spec"]["persistentVolumeReclaimPolicy"], "Retain");
    let path = format!("/api/v1/persistentvolumes/{}", server.space);
    let reply = server.patch(&path, MERGE, &json!({"spec": {"csi": {"volumeHandle": "2"}}})).await;
    reply.refused(422, "Invalid", "immutable after creation");
}

pub async fn a_claim_is_fixed(server: Server) {
    server.post(&server.core("persistentvolumeclaims"), &claim(&server)).await.ok();
    let path = format!("{}/data", server.core("persistentvolumeclaims"));
    let reply = server.patch(&path, MERGE, &json!({"spec": {"storageClassName": "other"}})).await;
    reply.refused(422, "Invalid", "spec: Forbidden: spec is immutable after creation");
    server.patch(&path, MERGE, &json!({"metadata": {"labels": {"a": "b"}}})).await.ok();
    server.patch(&path, MERGE, &json!({"spec": {"volumeName": "v"}})).await.ok();
    let reply = server.patch(&path, MERGE, &json!({"spec": {"volumeName": "w"}})).await;
    reply.refused(422, "Invalid", "spec: Forbidden: spec is immutable after creation");
}

pub async fn events_have_two_faces(server: Server) {
    let event = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e", "namespace": server.space},
        "eventTime": "2026-11-23T14:04:03.762000Z", "reason": "Tested", "note": "it works", "type": "Normal",
        "action": "Test", "reportingController": "example.com/test", "reportingInstance": "test-1",
        "regarding": {"apiVersion": "v1", "kind": "ConfigMap", "name": "one", "namespace": server.space},
    });
    let path = format!("/apis/events.k8s.io/v1/namespaces/{}/events", server.space);
    let created = server.post(&path, &event).await.ok();
    assert_eq!((&created["note"], &created["regarding"]["name"]), (&json!("it works"), &json!("one")));
    let core = server.get(&format!("{}/e", server.core("events"))).await.ok();
    assert_eq!(core["apiVersion"], "v1");
    assert_eq!((&core["message"], &core["involvedObject"]["name"]), (&json!("it works"), &json!("one")));
    assert_eq!(core["reportingComponent"], "example.com/test");
    let selected = server.get(&format!("{}?fieldSelector=involvedObject.name%3Done", server.core("events"))).await.ok();
    assert_eq!(selected["items"].as_array().unwrap().len(), 1);
}

pub async fn custom_kinds_are_discovered(server: Server) {
    let list = server.get(&format!("/apis/{}/v1", server.group)).await.ok();
    let names: Vec<&str> =
        list["resources"].as_array().unwrap().iter().filter_map(|entry| entry["name"].as_str()).collect();
    assert_eq!(names, ["widgets", "widgets/status"]);
    assert_eq!(list["resources"][0]["shortNames"], json!(["wd"]));
    let groups = server.get("/apis").await.ok();
    let known = groups["groups"].as_array().unwrap().iter().any(|group| group["name"] == server.group.as_str());
    assert!(known, "{groups}");
    server.get(&format!("/apis/{}/v2/widgets", server.group)).await.code.eq(&404).then_some(()).unwrap();
}
