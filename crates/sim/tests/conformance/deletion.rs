//! Deletion: finalizers, preconditions, garbage collection, namespaces.

use serde_json::{Value, json};

use crate::ask::{CRDS, MERGE, Server};

async fn held_widget(server: &Server) -> Value {
    let mut widget = server.widget("held");
    widget["metadata"]["finalizers"] = json!(["example.com/a", "example.com/b"]);
    server.post(&server.widgets(), &widget).await.ok()
}

pub async fn finalizers_hold_an_object(server: Server) {
    held_widget(&server).await;
    let path = server.widget_path("held");
    let pending = server.delete(&path, None).await.ok();
    assert_eq!(pending["kind"], "Widget");
    assert!(pending["metadata"]["deletionTimestamp"].is_string());
    let again = server.delete(&path, None).await.ok();
    assert_eq!(again["metadata"]["deletionTimestamp"], pending["metadata"]["deletionTimestamp"]);
    server.patch(&path, MERGE, &json!({"metadata": {"finalizers": ["example.com/b"]}})).await.ok();
    server.get(&path).await.ok();
    server.patch(&path, MERGE, &json!({"metadata": {"finalizers": null}})).await.ok();
    server.get(&path).await.refused(404, "NotFound", "not found");

    server.new_widget("free").await;
    let gone = server.delete(&server.widget_path("free"), None).await.ok();
    assert_eq!((&gone["kind"], &gone["status"]), (&json!("Status"), &json!("Success")));
    assert_eq!(gone["details"]["name"], "free");
    server.delete(&server.widget_path("free"), None).await.refused(404, "NotFound", "not found");
}

pub async fn a_deleted_object_takes_no_new_finalizers(server: Server) {
    held_widget(&server).await;
    let path = server.widget_path("held");
    server.delete(&path, None).await.ok();
    let more = json!({"metadata": {"finalizers": ["example.com/a", "example.com/b", "example.com/c"]}});
    let reply = server.patch(&path, MERGE, &more).await;
    reply.refused(422, "Invalid", "no new finalizers can be added if the object is being deleted");
    // Nor does a writer bring it back to life.
    let patched = server.patch(&path, MERGE, &json!({"metadata": {"deletionTimestamp": null}})).await.ok();
    assert!(patched["metadata"]["deletionTimestamp"].is_string());
    server.patch(&path, MERGE, &json!({"metadata": {"finalizers": null}})).await.ok();
}

pub async fn deletion_can_name_the_object_it_means(server: Server) {
    let widget = server.new_widget("one").await;
    let path = server.widget_path("one");
    let options =
        |preconditions: Value| json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions});
    let other = options(json!({"uid": "00000000-0000-4000-8000-000000000000"}));
    server.delete(&path, Some(&other)).await.refused(409, "Conflict", "does not match the UID in record");
    let other = options(json!({"resourceVersion": "1"}));
    server.delete(&path, Some(&other)).await.refused(409, "Conflict", "does not match the ResourceVersion in record");
    server.delete(&path, Some(&options(json!({"uid": widget["metadata"]["uid"]})))).await.ok();
    server.gone(&path).await;
}

fn owner(object: &Value) -> Value {
    json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"], "name": object["metadata"]["name"],
        "uid": object["metadata"]["uid"], "blockOwnerDeletion": true,
    })
}

async fn dependent(server: &Server, name: &str, owners: &[&Value]) -> String {
    let mut object = server.config_map(name);
    object["metadata"]["ownerReferences"] = owners.iter().map(|object| owner(object)).collect();
    server.post(&server.core("configmaps"), &object).await.ok();
    format!("{}/{name}", server.core("configmaps"))
}

pub async fn dependents_follow_their_owner(server: Server) {
    let root = server.new_config_map("root").await;
    let child = dependent(&server, "child", &[&root]).await;
    let child_object = server.get(&child).await.ok();
    let grandchild = dependent(&server, "grandchild", &[&child_object]).await;
    server.delete(&format!("{}/root", server.core("configmaps")), None).await.ok();
    server.gone(&child).await;
    server.gone(&grandchild).await;
    // One that comes late goes as well.
    let late = dependent(&server, "late", &[&root]).await;
    server.gone(&late).await;
}

pub async fn a_dependent_with_another_owner_stays(server: Server) {
    let one = server.new_config_map("one").await;
    let two = server.new_config_map("two").await;
    let child = dependent(&server, "child", &[&one, &two]).await;
    server.delete(&format!("{}/one", server.core("configmaps")), None).await.ok();
    server
        .eventually("the reference to the lost owner to go", async || {
            let child = server.get(&child).await.ok();
            child["metadata"]["ownerReferences"].as_array().map(Vec::len) == Some(1)
        })
        .await;
    server.delete(&format!("{}/two", server.core("configmaps")), None).await.ok();
    server.gone(&child).await;
}

pub async fn orphans_stay(server: Server) {
    let root = server.new_config_map("root").await;
    let child = dependent(&server, "child", &[&root]).await;
    let path = format!("{}/root?propagationPolicy=Orphan", server.core("configmaps"));
    server.delete(&path, None).await.ok();
    server.gone(&format!("{}/root", server.core("configmaps"))).await;
    let child = server.get(&child).await.ok();
    assert!(child["metadata"].get("ownerReferences").is_none());
}

pub async fn a_foreground_owner_waits(server: Server) {
    let root = server.new_config_map("root").await;
    let mut object = server.config_map("child");
    object["metadata"]["ownerReferences"] = json!([owner(&root)]);
    object["metadata"]["finalizers"] = json!(["example.com/hold"]);
    server.post(&server.core("configmaps"), &object).await.ok();
    let (root, child) = (format!("{}/root", server.core("configmaps")), format!("{}/child", server.core("configmaps")));
    server.delete(&format!("{root}?propagationPolicy=Foreground"), None).await.ok();
    server
        .eventually("the dependent to be asked to go", async || {
            server.get(&child).await.ok()["metadata"]["deletionTimestamp"].is_string()
        })
        .await;
    assert_eq!(server.get(&root).await.ok()["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    server.patch(&child, MERGE, &json!({"metadata": {"finalizers": null}})).await.ok();
    server.gone(&root).await;
}

pub async fn a_namespace_takes_its_content_along(server: Server) {
    server.new_config_map("one").await;
    held_widget(&server).await;
    let path = format!("/api/v1/namespaces/{}", server.space);
    let active = server.get(&path).await.ok();
    assert_eq!(active["status"]["phase"], "Active");
    assert_eq!(active["metadata"]["labels"]["kubernetes.io/metadata.name"], server.space.as_str());
    server.delete(&path, None).await.ok();
    server.gone(&format!("{}/one", server.core("configmaps"))).await;
    let pending = server.get(&path).await.ok();
    assert_eq!(pending["status"]["phase"], "Terminating");
    let reply = server.post(&server.core("configmaps"), &server.config_map("late")).await;
    reply.refused(403, "Forbidden", "because it is being terminated");
    server.patch(&server.widget_path("held"), MERGE, &json!({"metadata": {"finalizers": null}})).await.ok();
    server.gone(&path).await;
}

pub async fn many_are_deleted_by_label(server: Server) {
    for (name, color) in [("a", "red"), ("b", "red"), ("c", "blue")] {
        let mut widget = server.widget(name);
        widget["metadata"]["labels"] = json!({"color": color});
        server.post(&server.widgets(), &widget).await.ok();
    }
    server.delete(&format!("{}?labelSelector=color%3Dred", server.widgets()), None).await.ok();
    let left = server.get(&server.widgets()).await.ok();
    let names: Vec<&str> =
        left["items"].as_array().unwrap().iter().filter_map(|one| one["metadata"]["name"].as_str()).collect();
    assert_eq!(names, ["c"]);
}

pub async fn a_definition_takes_its_objects_along(mut server: Server) {
    server.use_another_kind("leaving.example.com").await;
    held_widget(&server).await;
    let definition = format!("{CRDS}/widgets.{}", server.group);
    server.delete(&definition, None).await.ok();
    server
        .eventually("the object to be asked to go", async || {
            server.get(&server.widget_path("held")).await.ok()["metadata"]["deletionTimestamp"].is_string()
        })
        .await;
    server.get(&definition).await.ok();
    server.patch(&server.widget_path("held"), MERGE, &json!({"metadata": {"finalizers": null}})).await.ok();
    server.gone(&definition).await;
    server.gone(&server.widgets()).await;
}
