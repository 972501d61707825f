//! What `deploy/` holds is accepted by API servers: the embedded one always, real ones when `KUBEBUILDER_ASSETS` names
//! them.
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of a test may fail it")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use ramen_api::{Resource, kinds};
use ramen_sim::{
    api::{Api, ApiError},
    client_api::ClientApi,
    cluster::Cluster,
    real::{RealCluster, assets},
};
use serde::Deserialize;
use serde_json::Value;

/// How long a fresh definition may take to be served.
const SERVED: Duration = Duration::from_secs(30);

/// What goes onto the hub, in order; the samples need OCM's Placement.
const HUB: [&str; 3] = ["crds/hub", "hub", "samples"];
/// What goes onto a managed cluster.
const SPOKE: [&str; 2] = ["crds/spoke", "spoke"];

/// Kinds that only an installation touches.
const BUILT_IN: [Resource; 7] = [
    ramen_sim::kinds::SERVICE_ACCOUNT,
    ramen_sim::kinds::SERVICE,
    ramen_sim::kinds::DEPLOYMENT,
    ramen_sim::kinds::CLUSTER_ROLE,
    ramen_sim::kinds::CLUSTER_ROLE_BINDING,
    ramen_sim::kinds::ROLE,
    ramen_sim::kinds::ROLE_BINDING,
];

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

/// All objects of a folder's manifests, files in order.
fn manifests(folder: &Path) -> Vec<(PathBuf, Value)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|err| panic!("{}: {err}", folder.display()))
        .map(|entry| entry.expect("a folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort_by_key(|path| (!path.ends_with("rbac.yaml"), path.clone()));
    let mut objects = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a manifest can be read");
        for document in serde_norway::Deserializer::from_str(&text) {
            let object = Value::deserialize(document).unwrap_or_else(|err| panic!("{}: {err}", file.display()));
            if !object.is_null() {
                objects.push((file.clone(), object));
            }
        }
    }
    objects
}

fn install(api: &dyn Api, folders: &[&str]) {
    let placement = ramen_api::foreign_crds::foreign_crds()
        .into_iter()
        .find(|crd| crd.spec.names.kind == "Placement")
        .map(|crd| serde_json::to_value(crd).expect("a definition is JSON"))
        .map(|mut crd| {
            crd["apiVersion"] = "apiextensions.k8s.io/v1".into();
            crd["kind"] = "CustomResourceDefinition".into();
            crd
        })
        .expect("Placement is defined");
    create(api, Path::new("Placement's definition"), &placement);
    create(
        api,
        Path::new("namespace"),
        &serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "apps"}
        }),
    );
    for folder in folders {
        for (file, object) in manifests(&deploy().join(folder)) {
            create(api, &file, &object);
        }
    }
}

fn create(api: &dyn Api, file: &Path, object: &Value) {
    let kind = object["kind"].as_str().expect("an object has a kind");
    let version = object["apiVersion"].as_str().expect("an object has a version");
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let known = kinds::ALL.iter().chain(&BUILT_IN).find(|row| row.group == group && row.kind == kind);
    let row = *known.unwrap_or_else(|| panic!("{}: {group} {kind}", file.display()));
    let limit = Instant::now() + SERVED;
    loop {
        match api.create(&row, object) {
            Ok(_) => return,
            // A definition takes a moment to be served.
            Err(ApiError::NotFound) if Instant::now() < limit => std::thread::yield_now(),
            Err(err) => panic!("{}: {kind} {}: {err}", file.display(), object["metadata"]["name"]),
        }
    }
}

#[test]
fn the_embedded_server_accepts_all_manifests() {
    install(&Cluster::in_real_time("hub", 1), &HUB);
    install(&Cluster::in_real_time("c1", 2), &SPOKE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_accepts_all_manifests() {
    let Some(assets) = assets() else {
        eprintln!("SKIPPED: deploy/ on a real API server, since KUBEBUILDER_ASSETS names none");
        return;
    };
    for (name, folders) in [("hub", &HUB[..]), ("c1", &SPOKE[..])] {
        let folder = tempfile::tempdir().expect("a folder");
        let server = RealCluster::start(name, folder.path(), &assets).await.expect("a control plane");
        let client = server.client().await.expect("a client");
        let api = ClientApi::new(client, tokio::runtime::Handle::current());
        tokio::task::block_in_place(|| install(&api, folders));
    }
}
