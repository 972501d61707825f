//! Whatever is sent to the core: it answers, keeps its objects readable, and does the same again for the same seed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail like tests")]

use std::sync::LazyLock;

use bytes::Bytes;
use proptest::prelude::*;
use ramen_sim::api_server::{ApiServer, Body, Method, Request};
use ramen_sim::time::Time;
use serde_json::{Value, json};

const START: Time = Time(1_790_000_000_000);

/// Where valid objects go, and the objects.
static SEEDS: LazyLock<Vec<(&str, Value)>> = LazyLock::new(|| {
    let core = "/api/v1/namespaces/default";
    let policies = "/apis/ramendr.openshift.io/v1alpha1/drpolicies";
    let meta = json!({
        "name": "x", "namespace": "default", "labels": {"a": "b"}, "annotations": {"a": "b"}, "finalizers": ["a/b"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u"}],
    });
    let object = |version: &str, kind: &str, rest: Value| {
        let mut object = json!({"apiVersion": version, "kind": kind, "metadata": meta});
        for (name, value) in rest.as_object().unwrap() {
            object[name] = value.clone();
        }
        object
    };
    let crds = ramen_api::manifests::own_crds();
    let policy = crds.iter().find(|one| one.crd.spec.names.plural == "drpolicies").unwrap();
    vec![
        ("/api/v1/namespaces", object("v1", "Namespace", json!({"spec": {"finalizers": ["kubernetes"]}}))),
        (core, object("v1", "ConfigMap", json!({"data": {"a": "b"}}))),
        (
            core,
            object(
                "v1",
                "Pod",
                json!({"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 1}]}]}, "status": {"conditions": [{"type": "Ready"}]}}),
            ),
        ),
        (
            core,
            object(
                "v1",
                "PersistentVolumeClaim",
                json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
            ),
        ),
        (core, object("v1", "Secret", json!({"stringData": {"a": "b"}, "data": {"c": "ZA=="}}))),
        (
            core,
            object(
                "v1",
                "Event",
                json!({"involvedObject": {"kind": "Pod", "name": "x"}, "source": {"component": "c"}}),
            ),
        ),
        ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", serde_json::to_value(&policy.crd).unwrap()),
        (
            policies,
            object(
                "ramendr.openshift.io/v1alpha1",
                "DRPolicy",
                json!({"spec": {"drClusters": ["a", "b"], "schedulingInterval": "1m"}}),
            ),
        ),
    ]
});

/// Paths of all values in a document.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(name, below)| pointers(below, &format!("{at}/{}", escape(name)), found))
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, below)| pointers(below, &format!("{at}/{index}"), found))
        }
        _ => {}
    }
}

/// What replaces a value somewhere in a valid document.
fn junk() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
        2 => "[a-z/.:]{0,6}".prop_map(Value::from),
        1 => Just(json!([])),
        1 => Just(json!({})),
        1 => Just(json!([null, 1, "a", {"name": "a"}, {"name": null}, ["b"]])),
        1 => Just(json!({"a": {"b": [1]}, "$patch": "replace", "name": 1})),
    ]
}

#[derive(Debug, Clone)]
struct Step {
    seed: prop::sample::Index,
    place: prop::sample::Index,
    junk: Option<Value>,
    action: u8,
}

fn step() -> impl Strategy<Value = Step> {
    let junk = prop::option::weighted(0.7, junk());
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), junk, 0_u8..9)
        .prop_map(|(seed, place, junk, action)| Step { seed, place, junk, action })
}

fn request(step: &Step) -> Request {
    let (base, mut object) = SEEDS[step.seed.index(SEEDS.len())].clone();
    let plural = match object["kind"].as_str().unwrap() {
        "ConfigMap" => "/configmaps",
        "Pod" => "/pods",
        "PersistentVolumeClaim" => "/persistentvolumeclaims",
        "Secret" => "/secrets",
        "Event" => "/events",
        _ => "",
    };
    let name = object["metadata"]["name"].as_str().unwrap().to_owned();
    let (many, one) = (format!("{base}{plural}"), format!("{base}{plural}/{name}"));
    if let Some(junk) = &step.junk {
        let mut places = Vec::new();
        pointers(&object, "", &mut places);
        *object.pointer_mut(&places[step.place.index(places.len())]).unwrap() = junk.clone();
    }
    let (method, path, content_type) = match step.action {
        0..=2 => (Method::Post, many, "application/json"),
        3 => (Method::Put, one, "application/json"),
        4 => (Method::Patch, one, "application/merge-patch+json"),
        5 => (Method::Patch, one, "application/strategic-merge-patch+json"),
        6 => (Method::Patch, one, "application/apply-patch+yaml"),
        7 => (Method::Patch, format!("{one}/status"), "application/merge-patch+json"),
        _ => (Method::Delete, one, "application/json"),
    };
    let body = if method == Method::Delete { Bytes::new() } else { object.to_string().into() };
    let query = vec![("fieldManager".to_owned(), "test".to_owned()), ("force".to_owned(), "true".to_owned())];
    let (accept, content_type, agent) = (String::new(), content_type.to_owned(), "test/1".to_owned());
    Request { method, path, query, accept, content_type, agent, body }
}

/// All answers, and what can be read afterwards.
fn play(steps: &[Step]) -> Vec<(u16, Bytes)> {
    let mut server = ApiServer::new(1, START);
    let mut told = Vec::new();
    let mut ask = |request: &Request, at: usize| {
        let now = Time(START.0 + at as u64 * 1000);
        let response = server.handle(now, request).render();
        let Body::Whole(body) = response.body else { unreachable!("nothing watches") };
        serde_json::from_slice::<Value>(&body).expect("answers are JSON");
        told.push((response.code, body));
    };
    for (at, step) in steps.iter().enumerate() {
        ask(&request(step), at);
    }
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    for (path, accept) in [
        ("/api/v1/pods", ""),
        ("/api/v1/events", table),
        ("/apis/events.k8s.io/v1/events", ""),
        ("/api/v1/persistentvolumeclaims", table),
        ("/apis", ""),
    ] {
        let request = Request {
            method: Method::Get,
            path: path.to_owned(),
            accept: accept.to_owned(),
            body: Bytes::new(),
            ..request(&steps[0])
        };
        ask(&request, steps.len());
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_core_always_answers_and_always_the_same(steps in prop::collection::vec(step(), 1..25)) {
        prop_assert_eq!(play(&steps), play(&steps));
    }
}
