//! Applications follow the hub's decision, and write while they run.

use ramen_sim::agents::object;
use ramen_sim::api::Api;
use ramen_sim::apps::Application;
use ramen_sim::kinds::{MANAGED_CLUSTER, POD, PVC};
use serde_json::json;

use crate::stage::{Stage, condition, exists, get, seconds};

fn acknowledged(stage: &Stage) -> u64 {
    let storage = stage.storage();
    storage.handles().map(|handle| storage.acknowledged(handle)).sum()
}

#[test]
fn an_application_runs_where_it_was_decided_and_writes_to_each_claim() {
    let mut stage = Stage::new();
    let app = Application::numbered(0, 2);
    stage.add(&app, "c1");
    stage.settle();
    let pod = get(&stage.c1, &POD, "app-000", "app-000");
    assert_eq!(object::text(&pod, "/status/phase"), "Running");
    assert_eq!(object::label(&get(&stage.c1, &PVC, "app-000", "data-1"), "app"), "app-000");
    assert!(!exists(&stage.c2, &POD, "app-000", "app-000"));
    let before = acknowledged(&stage);
    stage.pass(seconds(10));
    assert_eq!(acknowledged(&stage) - before, 2 * 40, "four writes a second to each of two volumes");
}

#[test]
fn an_application_that_is_no_longer_decided_is_removed_with_its_claims() {
    let mut stage = Stage::new();
    let app = Application::numbered(0, 1);
    stage.add(&app, "c1");
    stage.settle();
    stage.decide(&app, &["c2"]);
    stage.settle();
    assert!(!exists(&stage.c1, &POD, "app-000", "app-000"));
    assert!(!exists(&stage.c1, &PVC, "app-000", "data-0"));
    assert!(exists(&stage.c2, &POD, "app-000", "app-000"));
}

#[test]
fn a_claim_restored_before_the_decision_is_left_alone_then_adopted() {
    let mut stage = Stage::new();
    let app = Application::numbered(0, 1);
    stage.add(&app, "c1");
    stage.settle();
    let mut restored = get(&stage.c1, &PVC, "app-000", "data-0");
    restored["metadata"] = json!({"name": "data-0", "namespace": "app-000", "labels": {"app": "app-000"}});
    restored["spec"]["volumeName"] = json!("pvc-to-come");
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "app-000"}});
    stage.c2.create(&ramen_sim::kinds::NAMESPACE, &namespace).unwrap();
    let restored = stage.c2.create(&PVC, &restored).unwrap();
    stage.pass(seconds(5));
    stage.decide(&app, &["c1", "c2"]);
    stage.pass(seconds(5));
    assert_eq!(object::uid(&get(&stage.c2, &PVC, "app-000", "data-0")), object::uid(&restored));
    let pod = get(&stage.c2, &POD, "app-000", "app-000");
    assert_ne!(object::text(&pod, "/status/phase"), "Running", "its claim is not bound");
}

#[test]
fn nothing_is_created_while_a_claim_of_that_name_is_terminating() {
    let mut stage = Stage::new();
    let app = Application::numbered(0, 1);
    stage.add(&app, "c1");
    stage.settle();
    let old = object::uid(&get(&stage.c1, &PVC, "app-000", "data-0")).to_owned();
    let guard = json!({"metadata": {"finalizers": ["example.com/guard"]}});
    stage.c1.merge_patch(&PVC, Some("app-000"), "data-0", &guard, None).unwrap();
    stage.decide(&app, &[]);
    stage.pass(seconds(1));
    stage.decide(&app, &["c1"]);
    stage.pass(seconds(5));
    assert!(!exists(&stage.c1, &POD, "app-000", "app-000"));
    let free = json!({"metadata": {"finalizers": null}});
    stage.c1.merge_patch(&PVC, Some("app-000"), "data-0", &free, None).unwrap();
    stage.pass(seconds(2));
    assert_ne!(object::uid(&get(&stage.c1, &PVC, "app-000", "data-0")), old);
    assert_eq!(object::text(&get(&stage.c1, &POD, "app-000", "app-000"), "/status/phase"), "Running");
}

#[test]
fn a_lost_cluster_writes_nothing_and_becomes_unknown_to_the_hub() {
    let mut stage = Stage::new();
    stage.add(&Application::numbered(0, 1), "c1");
    stage.pass(seconds(5));
    stage.lose("c1");
    let before = acknowledged(&stage);
    stage.pass(seconds(200));
    assert_eq!(acknowledged(&stage), before);
    let available = "ManagedClusterConditionAvailable";
    assert_eq!(condition(&get(&stage.hub, &MANAGED_CLUSTER, "", "c1"), available), "True/ManagedClusterAvailable");
    stage.pass(seconds(120));
    let lost = get(&stage.hub, &MANAGED_CLUSTER, "", "c1");
    assert_eq!(condition(&lost, available), "Unknown/ManagedClusterLeaseUpdateStopped");
    stage.bring_back("c1");
    stage.pass(seconds(4));
    assert_eq!(condition(&get(&stage.hub, &MANAGED_CLUSTER, "", "c1"), available), "True/ManagedClusterAvailable");
    assert_eq!(acknowledged(&stage), before, "the node is still booting");
    stage.pass(seconds(4));
    assert!(acknowledged(&stage) > before);
}
