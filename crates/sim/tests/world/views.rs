//! When the view agent reads, and what it leaves (spec hub 9.2).

use ramen_sim::agents::object;
use ramen_sim::api::Api;
use ramen_sim::kinds::{CONFIG_MAP, VIEW};
use rstest::rstest;
use serde_json::{Value, json};

use crate::stage::{Stage, condition, get, seconds};

fn view(scope: Value) -> Value {
    json!({
        "apiVersion": VIEW.api_version(),
        "kind": "ManagedClusterView",
        "metadata": {"name": "v", "namespace": "c1"},
        "spec": {"scope": scope},
    })
}

fn of_config_map() -> Value {
    json!({"kind": "ConfigMap", "version": "v1", "name": "watched", "namespace": "default"})
}

fn config_map(value: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "watched", "namespace": "default"},
        "data": {"value": value},
    })
}

fn seen(stage: &Stage) -> String {
    object::text(&get(&stage.hub, &VIEW, "c1", "v"), "/status/result/data/value").to_owned()
}

/// A stage on which the view shows value 1 and did so for a while.
fn shown() -> Stage {
    let mut stage = Stage::new();
    stage.c1.create(&CONFIG_MAP, &config_map("1")).unwrap();
    stage.hub.create(&VIEW, &view(of_config_map())).unwrap();
    stage.settle();
    assert_eq!(seen(&stage), "1", "a new view is answered at once");
    stage
}

#[test]
fn a_change_is_seen_within_the_period() {
    let mut stage = shown();
    stage.pass(seconds(10));
    stage.c1.update(&CONFIG_MAP, &config_map("2")).unwrap();
    stage.pass(seconds(19));
    assert_eq!(seen(&stage), "1", "nobody tells the agent of changes on its cluster");
    stage.pass(seconds(2));
    assert_eq!(seen(&stage), "2");
}

#[test]
fn touching_a_settled_view_makes_it_fresh_at_once() {
    let mut stage = shown();
    stage.pass(seconds(35));
    stage.c1.update(&CONFIG_MAP, &config_map("2")).unwrap();
    stage.settle();
    assert_eq!(seen(&stage), "1");
    let touch = json!({"metadata": {"annotations": {"fresh": "please"}}});
    stage.hub.merge_patch(&VIEW, Some("c1"), "v", &touch, None).unwrap();
    stage.settle();
    assert_eq!(seen(&stage), "2");
}

#[test]
fn touching_a_young_view_does_nothing_unless_its_interval_is_short() {
    let mut stage = shown();
    stage.pass(seconds(3));
    stage.c1.update(&CONFIG_MAP, &config_map("2")).unwrap();
    let touch = json!({"metadata": {"annotations": {"fresh": "please"}}});
    stage.hub.merge_patch(&VIEW, Some("c1"), "v", &touch, None).unwrap();
    stage.settle();
    assert_eq!(seen(&stage), "1");
    let shorter = json!({"spec": {"scope": {"updateIntervalSeconds": 1}}});
    stage.hub.merge_patch(&VIEW, Some("c1"), "v", &shorter, None).unwrap();
    stage.settle();
    assert_eq!(seen(&stage), "2");
}

#[test]
fn an_unchanged_object_writes_nothing() {
    let mut stage = shown();
    let before = get(&stage.hub, &VIEW, "c1", "v");
    stage.pass(seconds(300));
    assert_eq!(get(&stage.hub, &VIEW, "c1", "v"), before);
}

#[test]
fn a_failed_read_keeps_the_old_result() {
    let mut stage = shown();
    stage.pass(seconds(31));
    stage.c1.delete(&CONFIG_MAP, Some("default"), "watched", None).unwrap();
    stage.pass(seconds(31));
    let view = get(&stage.hub, &VIEW, "c1", "v");
    assert_eq!(condition(&view, "Processing"), "False/GetResourceFailed");
    assert_eq!(
        object::text(&view, "/status/conditions/0/message"),
        "failed to get resource with err: configmaps \"watched\" not found"
    );
    assert_eq!(seen(&stage), "1");
}

#[test]
fn a_lost_cluster_freezes_its_views() {
    let mut stage = shown();
    stage.lose("c1");
    let before = get(&stage.hub, &VIEW, "c1", "v");
    stage.pass(seconds(120));
    assert_eq!(get(&stage.hub, &VIEW, "c1", "v"), before);
}

#[rstest]
#[case::no_name(json!({"kind": "ConfigMap", "version": "v1"}), "False/ResourceNameInvalid")]
#[case::no_kind(json!({"name": "x"}), "False/ResourceTypeInvalid")]
#[case::unknown_kind(json!({"name": "x", "kind": "Ghost", "version": "v1", "apiGroup": "x.io"}), "False/ResourceGVKInvalid")]
#[case::secret(json!({"name": "x", "kind": "Secret", "version": "v1", "namespace": "default"}), "False/ResourceTypeInvalid")]
#[case::absent(json!({"name": "x", "kind": "Node", "version": "v1"}), "False/GetResourceFailed")]
fn what_cannot_be_read_is_said(#[case] scope: Value, #[case] expected: &str) {
    let mut stage = Stage::new();
    stage.hub.create(&VIEW, &view(scope)).unwrap();
    stage.settle();
    assert_eq!(condition(&get(&stage.hub, &VIEW, "c1", "v"), "Processing"), expected);
}
