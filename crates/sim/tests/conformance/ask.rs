//! Plain HTTP towards a server, through a kube client.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use kube::client::Body;
use kube::{Client, Config};
use ramen_sim::cluster::Cluster;
use ramen_sim::front::http::Front;
use serde_json::{Value, json};

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(30);

/// A server under test, with a namespace and a custom kind that this check alone uses.
pub struct Server {
    client: Client,
    /// Keeps an embedded server open.
    _front: Option<Front>,
    /// Namespace of this check.
    pub space: String,
    /// Group of the custom kind.
    pub group: String,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub code: u16,
    pub body: Value,
}

impl Reply {
    /// The object, if the request was answered with one.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.code < 300, "refused: {} {}", self.code, self.body);
        self.body
    }

    /// Asserts a refusal with this code, reason, and part of the message.
    #[track_caller]
    pub fn refused(self, code: u16, reason: &str, part: &str) -> Value {
        let found = (self.code, self.body["reason"].as_str().unwrap_or_default());
        assert_eq!(found, (code, reason), "{}", self.body);
        let message = self.body["message"].as_str().unwrap_or_default();
        assert!(message.contains(part), "'{part}' is not in: {message}");
        self.body
    }
}

/// How a patch is meant.
pub const MERGE: &str = "application/merge-patch+json";
pub const JSON: &str = "application/json-patch+json";
pub const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub const APPLY: &str = "application/apply-patch+yaml";

impl Server {
    pub async fn embedded() -> Self {
        let cluster = Cluster::in_real_time("conformance", 7);
        let front = Front::serve(cluster, ([127, 0, 0, 1], 0).into()).await.unwrap();
        let client = Client::try_from(Config::new(front.url().parse().unwrap())).unwrap();
        let mut server = Self::new(client, 0).await;
        server._front = Some(front);
        server
    }

    /// A namespace of its own on a server; the custom kind is shared.
    pub async fn new(client: Client, number: usize) -> Self {
        let group = "conformance.example.com".to_owned();
        let mut server = Self { client, _front: None, space: format!("check-{number}"), group: group.clone() };
        let space = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": server.space}});
        server.post("/api/v1/namespaces", &space).await.ok();
        server.use_another_kind(&group).await;
        server
    }

    /// Makes sure that the custom kind is served in a group, and uses that.
    pub async fn use_another_kind(&mut self, group: &str) {
        group.clone_into(&mut self.group);
        let reply = self.post(CRDS, &self.definition()).await;
        assert!(matches!(reply.code, 201 | 409), "{}", reply.body);
        self.eventually("the custom kind to be served", async || self.get(&self.widgets()).await.code == 200).await;
    }

    async fn send(&self, method: &str, path: &str, content_type: &str, accept: &str, body: Option<&Value>) -> Reply {
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content_type)
            .header("accept", accept)
            .header("user-agent", "conformance/1")
            .body(Body::from(bytes))
            .unwrap();
        let response =
            tokio::time::timeout(LIMIT, self.client.send(request)).await.expect("an answer in time").unwrap();
        let code = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
        Reply { code, body }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, PLAIN, PLAIN, None).await
    }

    pub async fn get_as(&self, path: &str, accept: &str) -> Reply {
        self.send("GET", path, PLAIN, accept, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, PLAIN, PLAIN, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send("PUT", path, PLAIN, PLAIN, Some(body)).await
    }

    pub async fn patch(&self, path: &str, kind: &str, body: &Value) -> Reply {
        self.send("PATCH", path, kind, PLAIN, Some(body)).await
    }

    /// Server-side apply; `options` continues the query, e.g. `&force=true`.
    pub async fn apply(&self, path: &str, manager: &str, options: &str, body: &Value) -> Reply {
        self.patch(&format!("{path}?fieldManager={manager}{options}"), APPLY, body).await
    }

    pub async fn delete(&self, path: &str, options: Option<&Value>) -> Reply {
        self.send("DELETE", path, PLAIN, PLAIN, options).await
    }

    /// Opens a watch.
    pub async fn watch(&self, path: &str) -> Events {
        let request = http::Request::get(path).header("accept", PLAIN).body(Body::empty()).unwrap();
        let response = self.client.send(request).await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        Events { body: response.into_body(), buffer: Vec::new() }
    }

    /// Waits for something to become true.
    pub async fn eventually(&self, what: &str, mut is: impl AsyncFnMut() -> bool) {
        let end = tokio::time::Instant::now() + LIMIT;
        while !is().await {
            assert!(tokio::time::Instant::now() < end, "waited too long for {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for an object to be gone.
    pub async fn gone(&self, path: &str) {
        self.eventually(&format!("{path} to be gone"), async || self.get(path).await.code == 404).await;
    }

    /// Path of a built-in namespaced kind in the core group.
    pub fn core(&self, plural: &str) -> String {
        format!("/api/v1/namespaces/{}/{plural}", self.space)
    }

    /// Path of the custom kind.
    pub fn widgets(&self) -> String {
        format!("/apis/{}/v1/namespaces/{}/widgets", self.group, self.space)
    }

    pub fn widget_path(&self, name: &str) -> String {
        format!("{}/{name}", self.widgets())
    }

    /// A valid object of the custom kind.
    pub fn widget(&self, name: &str) -> Value {
        json!({
            "apiVersion": format!("{}/v1", self.group), "kind": "Widget",
            "metadata": {"name": name, "namespace": self.space}, "spec": {"size": 3},
        })
    }

    pub fn config_map(&self, name: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": self.space}})
    }

    pub async fn new_widget(&self, name: &str) -> Value {
        self.post(&self.widgets(), &self.widget(name)).await.ok()
    }

    pub async fn new_config_map(&self, name: &str) -> Value {
        self.post(&self.core("configmaps"), &self.config_map(name)).await.ok()
    }

    /// The definition of the custom kind.
    pub fn definition(&self) -> Value {
        let part = json!({
            "type": "object", "required": ["name"],
            "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
        });
        let schema = json!({
            "type": "object",
            "properties": {
                "spec": {
                    "type": "object", "required": ["size"],
                    "x-kubernetes-validations": [{"rule": "has(oldSelf.fixed) == has(self.fixed)", "message": "fixed comes and goes never"}],
                    "properties": {
                        "size": {"type": "integer", "minimum": 1, "maximum": 9},
                        "mode": {"type": "string", "enum": ["Slow", "Fast"], "default": "Slow"},
                        "interval": {"type": "string", "pattern": "^[0-9]+[mhd]$"},
                        "fixed": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "fixed is immutable"}]},
                        "pair": {"type": "array", "items": {"type": "string"}, "maxItems": 4,
                            "x-kubernetes-validations": [{"rule": "size(self) == 2", "message": "a pair is two"}]},
                        "parts": {"type": "array", "items": part, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
                        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                        "plain": {"type": "array", "items": {"type": "string"}},
                        "nested": {"type": "object", "default": {}, "properties": {"depth": {"type": "integer", "default": 1}}},
                        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                        "port": {"x-kubernetes-int-or-string": true},
                        "maybe": {"type": "string", "nullable": true},
                    },
                },
                "status": {"type": "object", "properties": {
                    "state": {"type": "string"},
                    "conditions": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
                        "items": {"type": "object", "required": ["type", "status"],
                            "properties": {"type": {"type": "string"}, "status": {"type": "string"}}}},
                }},
            },
        });
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("widgets.{}", self.group)},
            "spec": {
                "group": self.group, "scope": "Namespaced",
                "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "shortNames": ["wd"]},
                "versions": [{
                    "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema},
                    "additionalPrinterColumns": [
                        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
                        {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"},
                        {"name": "Mode", "type": "string", "jsonPath": ".spec.mode", "priority": 1},
                    ],
                }],
            },
        })
    }
}

pub const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const PLAIN: &str = "application/json";

/// The events of a watch.
pub struct Events {
    body: Body,
    buffer: Vec<u8>,
}

impl Events {
    /// The next event; `None` when the server ends the watch.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let mut event: Value = serde_json::from_slice(&line).unwrap();
                let kind = event["type"].as_str().unwrap_or_default().to_owned();
                return Some((kind, event["object"].take()));
            }
            let frame = tokio::time::timeout(LIMIT, self.body.frame()).await.expect("an event in time")?;
            let bytes: Bytes = frame.unwrap().into_data().unwrap_or_default();
            self.buffer.extend_from_slice(&bytes);
        }
    }

    /// The next event that is no bookmark: its type and the name of its object.
    pub async fn next_name(&mut self) -> (String, String) {
        loop {
            let (kind, object) = self.next().await.expect("the watch to go on");
            if kind != "BOOKMARK" {
                return (kind, object["metadata"]["name"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
}
