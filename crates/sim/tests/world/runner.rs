//! The same inhabitants in real time, each in a task of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ramen_sim::agents::object;
use ramen_sim::api::{Api, ApiError};
use ramen_sim::apps::Application;
use ramen_sim::apps::workload;
use ramen_sim::cluster::Cluster;
use ramen_sim::driver::{Habits, Site, WorldRunner};
use ramen_sim::kinds::{MANIFEST_WORK, POD, VIEW, VRG};
use ramen_sim::time::Time;
use ramen_sim::world::{self, Setting};
use serde_json::{Value, json};

use crate::stage::{condition, get};

struct Lab {
    hub: Cluster,
    c1: Cluster,
    runner: WorldRunner,
    app: Application,
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < limit, "waited for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A hub and two clusters, and an application that runs on c1.
async fn lab() -> Lab {
    let [hub, c1, c2] = ["hub", "c1", "c2"].map(|name| Cluster::in_real_time(name, 1));
    let setting = Setting::golden(Vec::new());
    world::install_hub(&hub, &setting, Time::wall()).unwrap();
    world::install_cluster(&c1, "c1", &setting).unwrap();
    world::install_cluster(&c2, "c2", &setting).unwrap();
    let mut habits = Habits::embedded(1);
    // Nothing arrives by polling.
    habits.work.status = Duration::from_hours(1);
    habits.view_period = Duration::from_hours(1);
    habits.workload = workload::Timing { write: Duration::from_millis(20), reboot: Duration::from_millis(200) };
    let site = |cluster: &Cluster| Arc::new(cluster.clone()) as Arc<dyn Site>;
    let clusters = [("c1".to_owned(), site(&c1)), ("c2".to_owned(), site(&c2))];
    let runner = WorldRunner::start(&habits, &site(&hub), &clusters);
    let app = Application::numbered(0, 2);
    world::place(&hub, &app, "c1").unwrap();
    runner.add_application(app.clone());
    let pod = || c1.get(&POD, Some("app-000"), "app-000").unwrap_or_default();
    until("the pod to run", || object::text(&pod(), "/status/phase") == "Running").await;
    Lab { hub, c1, runner, app }
}

fn acknowledged(lab: &Lab) -> u64 {
    lab.runner.data_of(&lab.app).iter().map(|volume| volume.acknowledged).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_writes_until_its_cluster_is_lost_and_again_when_it_is_back() {
    let lab = lab().await;
    until("writes", || acknowledged(&lab) > 10).await;
    let data = lab.runner.data_of(&lab.app);
    assert_eq!(data.len(), 2);
    assert!(data.iter().all(|volume| volume.lost == 0 && volume.writable_on == ["c1"]));
    lab.runner.lose_cluster("c1");
    assert!(matches!(lab.c1.list(&POD, None, None), Err(ApiError::Unreachable(_))));
    // One write may have been under way.
    let lost_at = acknowledged(&lab);
    lab.runner.bring_back("c1");
    until("writes after the reboot", || acknowledged(&lab) > lost_at + 10).await;
    lab.runner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn works_and_views_are_answered_and_watched_feedback_comes_soon() {
    let lab = lab().await;
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
    let work = json!({
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
    });
    let view = json!({
        "apiVersion": VIEW.api_version(),
        "kind": "ManagedClusterView",
        "metadata": {"name": "v", "namespace": "c1"},
        "spec": {"scope": {"kind": "Pod", "version": "v1", "namespace": "app-000", "name": "app-000"}},
    });
    lab.hub.create(&MANIFEST_WORK, &work).unwrap();
    lab.hub.create(&VIEW, &view).unwrap();
    let hub = lab.hub.clone();
    until("the work to be available", || {
        condition(&get(&hub, &MANIFEST_WORK, "c1", "w"), "Available") == "True/ResourcesAvailable"
    })
    .await;
    until("the view", || get(&hub, &VIEW, "c1", "v")["status"]["result"]["kind"] == "Pod").await;
    let state = json!({"status": {"state": "Primary"}});
    lab.c1.merge_patch(&VRG, Some("app-000"), "app-000", &state, Some("status")).unwrap();
    let told = |work: &Value| {
        let values = work.pointer("/status/resourceStatus/manifests/0/statusFeedback/values/0/fieldValue/string");
        values == Some(&json!("Primary"))
    };
    until("feedback", || told(&get(&hub, &MANIFEST_WORK, "c1", "w"))).await;
    lab.runner.stop().await;
}
