//! What agents may ask of a cluster is answered alike by an embedded server, through a client of one, and through a
//! client of a real one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail like tests")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::{Client, Config};
use ramen_sim::api::ApiError;
use ramen_sim::client_api::ClientApi;
use ramen_sim::cluster::Cluster;
use ramen_sim::driver::Site;
use ramen_sim::front::http::Front;
use ramen_sim::kinds::{CONFIG_MAP, NAMESPACE, POD};
use ramen_sim::real;
use serde_json::{Value, json};
use tokio::runtime::Handle;

const LIMIT: Duration = Duration::from_secs(30);

fn object(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"},
        "metadata": {"name": name, "namespace": "agents", "labels": {"app": name}},
    })
}

/// An agent's reads may lag behind others' writes, never for long.
fn eventually(what: &str, is: impl Fn() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < LIMIT, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn agents_get_what_they_ask_for(site: &dyn Site) {
    site.create(&NAMESPACE, &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "agents"}})).unwrap();
    let space = Some("agents");
    assert_eq!(site.get(&CONFIG_MAP, space, "one"), Err(ApiError::NotFound));
    let news = site.news(&CONFIG_MAP);
    let created = site.create(&CONFIG_MAP, &object("one")).unwrap();
    assert_eq!(site.create(&CONFIG_MAP, &object("one")), Err(ApiError::AlreadyExists));
    // One's own writes are seen at once, and in full.
    assert_eq!(site.get(&CONFIG_MAP, space, "one").unwrap(), created.whole());
    eventually("news", || news.has_changed().unwrap());

    site.create(&CONFIG_MAP, &object("two")).unwrap();
    let names = |labels: Option<&str>| -> Vec<String> {
        let list = site.list(&CONFIG_MAP, space, labels).unwrap();
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
        list.iter().map(name).filter(|name| name != "kube-root-ca.crt").collect()
    };
    assert_eq!(names(None), ["one", "two"]);
    assert_eq!(names(Some("app in (two,three)")), ["two"]);
    let listed = site.list(&CONFIG_MAP, space, Some("app=two")).unwrap();
    assert_eq!((&listed[0]["kind"], &listed[0]["apiVersion"]), (&json!("ConfigMap"), &json!("v1")));

    let mut changed = created.value().clone();
    changed["data"]["a"] = json!("2");
    site.update(&CONFIG_MAP, &changed).unwrap();
    assert_eq!(site.update(&CONFIG_MAP, &changed), Err(ApiError::Conflict));
    changed["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    changed["data"]["a"] = json!("3");
    assert_eq!(site.update(&CONFIG_MAP, &changed).unwrap()["data"]["a"], "3");
    let patch = json!({"data": {"a": null, "b": "4"}});
    assert_eq!(site.merge_patch(&CONFIG_MAP, space, "one", &patch, None).unwrap()["data"], json!({"b": "4"}));

    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "agents"}, "data": {"b": "5"}});
    assert_eq!(site.apply(&CONFIG_MAP, &config, "agent", false), Err(ApiError::Conflict));
    assert_eq!(site.apply(&CONFIG_MAP, &config, "agent", true).unwrap()["data"]["b"], "5");
    let broken = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "NO", "namespace": "agents"}});
    assert!(matches!(site.create(&CONFIG_MAP, &broken), Err(ApiError::Invalid(_))));

    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "agents"},
        "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]},
    });
    let mut pod = site.create(&POD, &pod).unwrap().value().clone();
    pod["status"]["phase"] = json!("Running");
    assert_eq!(site.update_status(&POD, &pod).unwrap()["status"]["phase"], "Running");
    site.delete(&POD, space, "p", None).unwrap();
    eventually("the pod to be gone", || site.get(&POD, space, "p") == Err(ApiError::NotFound));

    let other = Some("00000000-0000-4000-8000-000000000000");
    assert_eq!(site.delete(&CONFIG_MAP, space, "one", other), Err(ApiError::Conflict));
    site.merge_patch(&CONFIG_MAP, space, "one", &json!({"metadata": {"finalizers": ["example.com/hold"]}}), None)
        .unwrap();
    site.delete(&CONFIG_MAP, space, "one", created["metadata"]["uid"].as_str()).unwrap();
    eventually("the deletion to show", || {
        site.get(&CONFIG_MAP, space, "one").unwrap()["metadata"]["deletionTimestamp"].is_string()
    });
    // Who takes the last finalizer sees the object gone, at once and for good.
    site.merge_patch(&CONFIG_MAP, space, "one", &json!({"metadata": {"finalizers": null}}), None).unwrap();
    assert_eq!(site.get(&CONFIG_MAP, space, "one"), Err(ApiError::NotFound));
    assert_eq!(site.delete(&CONFIG_MAP, space, "one", None), Err(ApiError::NotFound));

    site.set_reachable(false);
    assert!(matches!(site.get(&CONFIG_MAP, space, "two"), Err(ApiError::Unreachable(_))));
    assert!(matches!(site.create(&CONFIG_MAP, &object("three")), Err(ApiError::Unreachable(_))));
    site.set_reachable(true);
    site.get(&CONFIG_MAP, space, "two").unwrap();
}

#[test]
fn of_an_embedded_server() {
    agents_get_what_they_ask_for(&Cluster::in_real_time("c1", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_client_of_an_embedded_server() {
    let front = Front::serve(Cluster::in_real_time("c1", 1), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let client = Client::try_from(Config::new(front.url().parse().unwrap())).unwrap();
    ask(client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_client_of_a_real_server() {
    let Some(assets) = real::assets() else {
        use std::io::Write as _;
        writeln!(std::io::stderr(), "SKIPPED: KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver")
            .unwrap();
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let cluster = real::RealCluster::start("agents", folder.path(), &assets).await.unwrap();
    ask(cluster.client().await.unwrap()).await;
}

async fn ask(client: Client) {
    let site: Arc<dyn Site> = Arc::new(ClientApi::new(client, Handle::current()));
    tokio::task::spawn_blocking(move || agents_get_what_they_ask_for(site.as_ref())).await.unwrap();
}
