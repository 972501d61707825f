//! Lists: selectors and tables.

use serde_json::{Value, json};

use crate::ask::Server;

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().filter_map(|one| one["metadata"]["name"].as_str()).collect()
}

pub async fn lists_select_by_label(server: Server) {
    for (name, labels) in [("a", json!({"app": "web", "tier": "front"})), ("b", json!({"app": "db"})), ("c", json!({}))]
    {
        let mut object = server.config_map(name);
        object["metadata"]["labels"] = labels;
        server.post(&server.core("configmaps"), &object).await.ok();
    }
    for (selector, expected) in [
        ("app%3Dweb", vec!["a"]),
        ("app%20in%20(web,db)", vec!["a", "b"]),
        ("app!%3Dweb,app", vec!["b"]),
        ("app,!tier", vec!["b"]),
        ("tier%20notin%20(front),app%3Ddb", vec!["b"]),
        ("app%3Dnone", vec![]),
    ] {
        let list = server.get(&format!("{}?labelSelector={selector}", server.core("configmaps"))).await.ok();
        assert_eq!(names(&list), expected, "{selector}");
        assert_eq!(list["kind"], "ConfigMapList");
    }
    let reply = server.get(&format!("{}?labelSelector=a%20in%20b", server.core("configmaps"))).await;
    reply.refused(400, "BadRequest", "unable to parse requirement");
}

pub async fn lists_select_by_field(server: Server) {
    for (name, node) in [("a", "n1"), ("b", "n2")] {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": server.space},
            "spec": {"nodeName": node, "containers": [{"name": "c", "image": "x"}]},
        });
        server.post(&server.core("pods"), &pod).await.ok();
        server.new_widget(name).await;
    }
    for (path, selector, expected) in [
        (server.core("pods"), "spec.nodeName%3Dn1", vec!["a"]),
        (server.core("pods"), "status.phase%3DPending,metadata.name!%3Da", vec!["b"]),
        (server.core("pods"), "status.phase%3DRunning", vec![]),
        (server.widgets(), "metadata.name%3Db", vec!["b"]),
        (server.widgets(), "metadata.name%3Dnone", vec![]),
    ] {
        let list = server.get(&format!("{path}?fieldSelector={selector}")).await.ok();
        assert_eq!(names(&list), expected, "{selector}");
    }
    let everywhere = format!("/apis/{}/v1/widgets?fieldSelector=metadata.namespace%3D{}", server.group, server.space);
    assert_eq!(names(&server.get(&everywhere).await.ok()), ["a", "b"]);
    let reply = server.get(&format!("{}?fieldSelector=spec.size%3D3", server.widgets())).await;
    reply.refused(400, "BadRequest", "field label not supported: spec.size");
}

pub async fn tables_have_the_columns_of_the_definition(server: Server) {
    server.new_widget("one").await;
    let status = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    let path = format!("{}/status", server.widget_path("one"));
    server.patch(&path, crate::ask::MERGE, &status).await.ok();
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    let found = server.get_as(&server.widgets(), table).await.ok();
    assert_eq!((&found["kind"], &found["apiVersion"]), (&json!("Table"), &json!("meta.k8s.io/v1")));
    let columns: Vec<_> = found["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| (column["name"].as_str().unwrap(), column["priority"].as_i64().unwrap()))
        .collect();
    assert_eq!(columns, [("Name", 0), ("Size", 0), ("Ready", 0), ("Mode", 1)]);
    assert_eq!(found["rows"][0]["cells"], json!(["one", 3, "True", "Slow"]));
    assert_eq!(found["rows"][0]["object"]["metadata"]["name"], "one");
    let reply = server.get_as(&server.widgets(), "text/html").await;
    assert_eq!(reply.code, 406);
}
