//! The endpoint of a simulated cluster: kube clients on it, its counters, and its loss without warning.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail like tests")]

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, Config, Discovery};
use ramen_sim::cluster::Cluster;
use ramen_sim::front::http::{Front, kubeconfig};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(20);

async fn served() -> (Cluster, Front, Client) {
    let cluster = Cluster::in_real_time("c1", 1);
    let front = Front::serve(cluster.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let file = Kubeconfig::from_yaml(&kubeconfig("c1", &front.url())).unwrap();
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
    (cluster, front, Client::try_from(config).unwrap())
}

fn config_map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}})).unwrap()
}

#[tokio::test]
async fn a_kube_client_finds_its_way() {
    let (_, _front, client) = served().await;
    let version = client.apiserver_version().await.unwrap();
    assert_eq!(version.major, "1");
    let discovery = Discovery::new(client.clone()).run().await.unwrap();
    let (resource, _) = discovery
        .groups()
        .flat_map(|group| group.recommended_resources())
        .find(|(one, _)| one.kind == "StorageClass")
        .unwrap();
    assert_eq!((resource.plural.as_str(), resource.group.as_str()), ("storageclasses", "storage.k8s.io"));

    let api: Api<ConfigMap> = Api::namespaced(client, "default");
    api.create(&PostParams::default(), &config_map("one")).await.unwrap();
    let patch = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "b"}});
    let applied = api.patch("one", &PatchParams::apply("test").force(), &Patch::Apply(patch)).await.unwrap();
    assert_eq!(applied.data.unwrap()["a"], "b");
    assert_eq!(api.get_metadata("one").await.unwrap().metadata.name.as_deref(), Some("one"));
    assert_eq!(api.list_metadata(&kube::api::ListParams::default()).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn requests_are_counted_by_agent_verb_and_resource() {
    let (_, front, client) = served().await;
    let api: Api<ConfigMap> = Api::namespaced(client, "default");
    api.create(&PostParams::default(), &config_map("one")).await.unwrap();
    api.get("one").await.unwrap();
    api.get("one").await.unwrap();
    let counts = front.counts();
    assert_eq!(counts.total(), 3);
    let seen: Vec<(&str, String, u64)> =
        counts.each().into_iter().map(|(what, count)| (what.verb, what.resource, count)).collect();
    assert_eq!(seen, [("create", "configmaps".to_owned(), 1), ("get", "configmaps".to_owned(), 2)]);
}

#[tokio::test]
async fn a_lost_cluster_hangs_up_and_its_watches_recover() {
    let (cluster, _front, client) = served().await;
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let config = watcher::Config::default();
    let mut names =
        pin!(watcher::watcher(api.clone(), config).default_backoff().filter_map(async |event| match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => object.metadata.name,
            _ => None,
        }));
    api.create(&PostParams::default(), &config_map("before")).await.unwrap();
    assert_eq!(tokio::time::timeout(LIMIT, names.next()).await.unwrap().as_deref(), Some("before"));

    cluster.set_reachable(false);
    assert!(matches!(api.get("before").await, Err(error) if !matches!(error, kube::Error::Api(_))));

    cluster.set_reachable(true);
    api.create(&PostParams::default(), &config_map("after")).await.unwrap();
    tokio::time::timeout(LIMIT, async { while names.next().await.as_deref() != Some("after") {} }).await.unwrap();
}

#[tokio::test]
async fn changes_of_one_kind_do_not_wake_watchers_of_others() {
    let (cluster, _front, client) = served().await;
    let secrets = cluster.changed_kind(&ramen_sim::kinds::SECRET);
    let maps = cluster.changed_kind(&ramen_sim::kinds::CONFIG_MAP);
    let api: Api<ConfigMap> = Api::namespaced(client, "default");
    api.create(&PostParams::default(), &config_map("one")).await.unwrap();
    assert!(maps.has_changed().unwrap());
    assert!(!secrets.has_changed().unwrap());
}
