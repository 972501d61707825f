//! The same inhabitants in real time, each in a task of its own, on embedded and on real API servers.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ramen_sim::agents::object;
use ramen_sim::api::ApiError;
use ramen_sim::apps::Application;
use ramen_sim::apps::workload;
use ramen_sim::client_api::ClientApi;
use ramen_sim::cluster::Cluster;
use ramen_sim::driver::{Site, WorldRunner};
use ramen_sim::inhabitants::Habits;
use ramen_sim::kinds::{MANIFEST_WORK, POD, PV, PVC, VIEW, VRG};
use ramen_sim::real::{self, RealCluster};
use ramen_sim::time::Time;
use ramen_sim::world::{self, Setting};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::stage::{condition, exists, get};

struct Lab {
    hub: Arc<dyn Site>,
    c1: Arc<dyn Site>,
    runner: WorldRunner,
    app: Application,
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < limit, "waited for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Retried while definitions are not served yet.
async fn installed(what: &str, mut install: impl FnMut() -> Result<(), ApiError>) {
    let mut last = Ok(());
    until(what, || {
        last = install();
        last.is_ok() || !matches!(last, Err(ApiError::NotFound))
    })
    .await;
    assert_eq!(last, Ok(()), "{what}");
}

/// A hub and two clusters, and an application that runs on c1.
async fn lab(hub: Arc<dyn Site>, c1: Arc<dyn Site>, c2: Arc<dyn Site>, mut habits: Habits) -> Lab {
    let setting = Setting::golden(Vec::new());
    installed("the hub", || world::install_hub(&*hub, &setting, Time::wall())).await;
    installed("c1", || world::install_cluster(&*c1, "c1", &setting)).await;
    installed("c2", || world::install_cluster(&*c2, "c2", &setting)).await;
    // Nothing arrives by polling.
    habits.work.status = Duration::from_hours(1);
    habits.view_period = Duration::from_hours(1);
    habits.workload = workload::Timing { write: Duration::from_millis(20), reboot: Duration::from_millis(200) };
    let clusters = [("c1".to_owned(), c1.clone()), ("c2".to_owned(), c2)];
    let runner = WorldRunner::start(&habits, &hub, &clusters);
    let app = Application::numbered(0, 2);
    installed("the placement", || world::place(&*hub, &app, "c1")).await;
    runner.add_application(app.clone());
    let pod = || c1.get(&POD, Some("app-000"), "app-000").unwrap_or_default();
    until("the pod to run", || object::text(&pod(), "/status/phase") == "Running").await;
    Lab { hub, c1, runner, app }
}

async fn embedded() -> Lab {
    let [hub, c1, c2] = ["hub", "c1", "c2"].map(|name| Arc::new(Cluster::in_real_time(name, 1)) as Arc<dyn Site>);
    lab(hub, c1, c2, Habits::embedded(1)).await
}

fn acknowledged(lab: &Lab) -> u64 {
    lab.runner.data_of(&lab.app).iter().map(|volume| volume.acknowledged).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_writes_until_its_cluster_is_lost_and_again_when_it_is_back() {
    let lab = embedded().await;
    until("writes", || acknowledged(&lab) > 10).await;
    let data = lab.runner.data_of(&lab.app);
    assert_eq!(data.len(), 2);
    assert!(data.iter().all(|volume| volume.lost == 0 && volume.writable_on == ["c1"]));
    lab.runner.lose_cluster("c1");
    assert!(matches!(lab.c1.list(&POD, None, None), Err(ApiError::Unreachable(_))));
    let lost_at = acknowledged(&lab);
    lab.runner.bring_back("c1");
    until("writes after the outage", || acknowledged(&lab) > lost_at + 10).await;
    lab.runner.stop().await;
}

fn asking_work() -> Value {
    let vrg = json!({
        "apiVersion": VRG.api_version(),
        "kind": "VolumeReplicationGroup",
        "metadata": {"name": "app-000", "namespace": "app-000"},
        "spec": {
            "replicationState": "primary",
            "pvcSelector": {},
            "s3Profiles": ["s3-c1"],
            "async": {"schedulingInterval": "1m"},
        },
    });
    json!({
        "apiVersion": MANIFEST_WORK.api_version(),
        "kind": "ManifestWork",
        "metadata": {"name": "w", "namespace": "c1"},
        "spec": {
            "workload": {"manifests": [vrg]},
            "manifestConfigs": [{
                "resourceIdentifier": {
                    "group": VRG.group, "resource": VRG.plural, "namespace": "app-000", "name": "app-000",
                },
                "feedbackScrapeType": "Watch",
                "feedbackRules": [{"type": "JSONPaths", "jsonPaths": [{"name": "state", "path": ".status.state"}]}],
            }],
        },
    })
}

/// Works, views and feedback are answered; the application goes when the hub decides so.
async fn story(lab: &Lab) {
    let view = json!({
        "apiVersion": VIEW.api_version(),
        "kind": "ManagedClusterView",
        "metadata": {"name": "v", "namespace": "c1"},
        "spec": {"scope": {"kind": "Pod", "version": "v1", "namespace": "app-000", "name": "app-000"}},
    });
    lab.hub.create(&MANIFEST_WORK, &asking_work()).unwrap();
    lab.hub.create(&VIEW, &view).unwrap();
    let work = || get(&*lab.hub, &MANIFEST_WORK, "c1", "w");
    until("the work to be available", || condition(&work(), "Available") == "True/ResourcesAvailable").await;
    until("the view", || get(&*lab.hub, &VIEW, "c1", "v")["status"]["result"]["kind"] == "Pod").await;
    let state = json!({"status": {"state": "Primary"}});
    lab.c1.merge_patch(&VRG, Some("app-000"), "app-000", &state, Some("status")).unwrap();
    let value = "/status/resourceStatus/manifests/0/statusFeedback/values/0/fieldValue/string";
    until("feedback", || work().pointer(value) == Some(&json!("Primary"))).await;

    lab.hub.delete(&MANIFEST_WORK, Some("c1"), "w", None).unwrap();
    until("the work to go", || !exists(&*lab.hub, &MANIFEST_WORK, "c1", "w")).await;
    assert!(!exists(&*lab.c1, &VRG, "app-000", "app-000"));

    let mut decision = get(&*lab.hub, &ramen_sim::kinds::PLACEMENT_DECISION, "apps", "app-000-decision-1");
    decision["status"] = json!({"decisions": []});
    lab.hub.update_status(&ramen_sim::kinds::PLACEMENT_DECISION, &decision).unwrap();
    until("the pod to go", || !exists(&*lab.c1, &POD, "app-000", "app-000")).await;
    until("the claims to go", || lab.c1.list(&PVC, None, None) == Ok(Vec::new())).await;
    until("the volumes to go", || lab.c1.list(&PV, None, None) == Ok(Vec::new())).await;
    until("the data to go", || lab.runner.data_of(&lab.app).iter().all(|volume| volume.writable_on.is_empty())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_live_on_embedded_servers() {
    let lab = embedded().await;
    story(&lab).await;
    lab.runner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_live_on_real_servers() {
    let Some(assets) = real::assets() else {
        writeln!(std::io::stderr(), "SKIPPED: KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver")
            .unwrap();
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut planes = Vec::new();
    let mut sites: Vec<Arc<dyn Site>> = Vec::new();
    for name in ["hub", "c1"] {
        let plane = RealCluster::start(name, &folder.path().join(name), &assets).await.unwrap();
        if !plane.has_controllers() {
            writeln!(std::io::stderr(), "SKIPPED: the assets hold no kube-controller-manager, which binds claims")
                .unwrap();
            return;
        }
        sites.push(Arc::new(ClientApi::new(plane.client().await.unwrap(), Handle::current())));
        planes.push(plane);
    }
    let c2: Arc<dyn Site> = Arc::new(Cluster::in_real_time("c2", 1));
    let lab = lab(sites[0].clone(), sites[1].clone(), c2, Habits::real(1)).await;
    story(&lab).await;
    lab.runner.stop().await;
    drop(planes);
}
