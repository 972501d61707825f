//! What the work agent does with ManifestWorks (spec hub 8.2), and how feedback travels.

use ramen_sim::agents::object;
use ramen_sim::api::Api;
use ramen_sim::cluster::Cluster;
use ramen_sim::kinds::{APPLIED_MANIFEST_WORK, CONFIG_MAP, MANIFEST_WORK, NAMESPACE, VRG};
use rstest::rstest;
use serde_json::{Value, json};

use crate::stage::{Stage, condition, conditions, exists, get, seconds};

fn work(manifests: Value) -> Value {
    json!({
        "apiVersion": MANIFEST_WORK.api_version(),
        "kind": "ManifestWork",
        "metadata": {"name": "w", "namespace": "c1"},
        "spec": {"workload": {"manifests": manifests}},
    })
}

fn config_map(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default", "labels": {"from": "hub"}},
        "data": {"value": value},
    })
}

fn vrg() -> Value {
    json!({
        "apiVersion": VRG.api_version(),
        "kind": "VolumeReplicationGroup",
        "metadata": {"name": "app", "namespace": "default"},
        "spec": {
            "replicationState": "primary",
            "pvcSelector": {},
            "s3Profiles": ["s3-c1"],
            "async": {"schedulingInterval": "1m"},
        },
    })
}

/// A work with the VRG, asking for its state and one of its conditions.
fn with_feedback(scrape: &str) -> Value {
    let mut work = work(json!([vrg()]));
    work["spec"]["manifestConfigs"] = json!([{
        "resourceIdentifier": {
            "group": VRG.group, "resource": VRG.plural, "namespace": "default", "name": "app",
        },
        "feedbackScrapeType": scrape,
        "feedbackRules": [{"type": "JSONPaths", "jsonPaths": [
            {"name": "state", "path": ".status.state"},
            {"name": "ready", "path": ".status.conditions[?(@.type==\"DataReady\")].status"},
            {"name": "generation", "path": ".metadata.generation"},
        ]}],
    }]);
    work
}

fn created(stage: &mut Stage, work: &Value) -> Value {
    stage.hub.create(&MANIFEST_WORK, work).unwrap();
    stage.settle();
    get(&stage.hub, &MANIFEST_WORK, "c1", "w")
}

fn manifest(work: &Value, ordinal: usize) -> &Value {
    &work["status"]["resourceStatus"]["manifests"][ordinal]
}

fn feedback(hub: &Cluster) -> Value {
    let work = get(hub, &MANIFEST_WORK, "c1", "w");
    let values = object::list(manifest(&work, 0), "/statusFeedback/values").to_vec();
    let named = values.into_iter().map(|value| {
        let field = value["fieldValue"].as_object().unwrap().clone();
        let content = field.into_iter().find(|(key, _)| key != "type").unwrap().1;
        (object::text(&value, "/name").to_owned(), content)
    });
    Value::Object(named.collect())
}

fn report_vrg(stage: &Stage, state: &str) {
    let status = json!({"status": {"state": state, "conditions": [{
        "type": "DataReady", "status": "True", "reason": "Ready", "message": "",
        "lastTransitionTime": "2026-11-23T14:00:00Z",
    }]}});
    stage.c1.merge_patch(&VRG, Some("default"), "app", &status, Some("status")).unwrap();
}

#[test]
fn a_work_is_applied_recorded_and_available() {
    let mut stage = Stage::new();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fresh"}});
    let mut inside = config_map("inside", "1");
    inside["metadata"]["namespace"] = json!("fresh");
    let work = created(&mut stage, &work(json!([inside, namespace])));

    assert_eq!(work["metadata"]["finalizers"], json!(["cluster.open-cluster-management.io/manifest-work-cleanup"]));
    assert_eq!(condition(&work, "Applied"), "True/AppliedManifestWorkComplete");
    assert_eq!(condition(&work, "Available"), "True/ResourcesAvailable");
    assert_eq!(work["status"]["conditions"][0]["observedGeneration"], 1);
    for ordinal in 0..2 {
        let entry = manifest(&work, ordinal);
        assert_eq!(entry["resourceMeta"]["ordinal"], ordinal);
        let held = object::list(entry, "/conditions");
        assert_eq!(conditions(held, "Applied"), "True/AppliedManifestComplete");
        assert_eq!(conditions(held, "Available"), "True/ResourceAvailable");
        assert_eq!(conditions(held, "StatusFeedbackSynced"), "True/NoStatusFeedbackSynced");
    }
    let applied = get(&stage.c1, &CONFIG_MAP, "fresh", "inside");
    let owner = &applied["metadata"]["ownerReferences"][0];
    let record = get(&stage.c1, &APPLIED_MANIFEST_WORK, "", object::text(owner, "/name"));
    assert_eq!((&owner["kind"], &owner["uid"]), (&json!("AppliedManifestWork"), &record["metadata"]["uid"]));
    assert!(object::name(&record).ends_with("-w") && object::name(&record).len() == 64 + 2);
    assert_eq!(object::list(&record, "/status/appliedResources").len(), 2);
}

#[test]
fn a_new_spec_is_applied_at_once_and_marks_of_others_stay() {
    let mut stage = Stage::new();
    created(&mut stage, &work(json!([config_map("m", "1")])));
    let mark = json!({"metadata": {
        "labels": {"mine": "yes"},
        "annotations": {"mine": "yes"},
        "finalizers": ["example.com/guard"],
    }});
    stage.c1.merge_patch(&CONFIG_MAP, Some("default"), "m", &mark, None).unwrap();
    let patch = json!({"spec": {"workload": {"manifests": [config_map("m", "2")]}}});
    stage.hub.merge_patch(&MANIFEST_WORK, Some("c1"), "w", &patch, None).unwrap();
    stage.settle();
    let live = get(&stage.c1, &CONFIG_MAP, "default", "m");
    assert_eq!(live["data"]["value"], "2");
    assert_eq!((object::label(&live, "mine"), object::label(&live, "from")), ("yes", "hub"));
    assert_eq!(object::annotation(&live, "mine"), "yes");
    assert_eq!(live["metadata"]["finalizers"], json!(["example.com/guard"]));
    let work = get(&stage.hub, &MANIFEST_WORK, "c1", "w");
    assert_eq!(work["status"]["conditions"][0]["observedGeneration"], 2);
}

#[test]
fn a_manual_edit_is_reverted_but_not_at_once() {
    let mut stage = Stage::new();
    created(&mut stage, &work(json!([config_map("m", "1")])));
    let edit = json!({"data": {"value": "edited"}});
    stage.c1.merge_patch(&CONFIG_MAP, Some("default"), "m", &edit, None).unwrap();
    stage.pass(seconds(200));
    assert_eq!(get(&stage.c1, &CONFIG_MAP, "default", "m")["data"]["value"], "edited");
    stage.pass(seconds(170));
    assert_eq!(get(&stage.c1, &CONFIG_MAP, "default", "m")["data"]["value"], "1");
}

#[test]
fn a_dropped_manifest_goes_and_one_of_an_unknown_kind_is_retried() {
    let mut stage = Stage::new();
    let ghost = json!({"apiVersion": "x.io/v1", "kind": "Ghost", "metadata": {"name": "g"}});
    let work = created(&mut stage, &work(json!([config_map("m", "1"), ghost])));
    assert_eq!(condition(&work, "Applied"), "False/AppliedManifestWorkFailed");
    assert_eq!(conditions(object::list(manifest(&work, 1), "/conditions"), "Applied"), "False/AppliedManifestFailed");
    assert!(exists(&stage.c1, &CONFIG_MAP, "default", "m"), "a failing manifest does not stop the others");
    let patch = json!({"spec": {"workload": {"manifests": [config_map("n", "1")]}}});
    stage.hub.merge_patch(&MANIFEST_WORK, Some("c1"), "w", &patch, None).unwrap();
    stage.pass(seconds(1));
    assert!(!exists(&stage.c1, &CONFIG_MAP, "default", "m"));
    assert_eq!(condition(&get(&stage.hub, &MANIFEST_WORK, "c1", "w"), "Applied"), "True/AppliedManifestWorkComplete");
}

#[test]
fn a_missing_object_shows_at_the_next_look() {
    let mut stage = Stage::new();
    created(&mut stage, &work(json!([config_map("m", "1")])));
    stage.c1.delete(&CONFIG_MAP, Some("default"), "m", None).unwrap();
    stage.pass(seconds(20));
    let work = get(&stage.hub, &MANIFEST_WORK, "c1", "w");
    assert_eq!(condition(&work, "Available"), "False/ResourcesNotAvailable");
    assert_eq!(condition(&work, "Applied"), "True/AppliedManifestWorkComplete");
}

#[test]
fn a_work_ends_only_when_its_objects_are_gone() {
    let mut stage = Stage::new();
    created(&mut stage, &work(json!([config_map("m", "1")])));
    let guard = json!({"metadata": {"finalizers": ["example.com/guard"]}});
    stage.c1.merge_patch(&CONFIG_MAP, Some("default"), "m", &guard, None).unwrap();
    stage.hub.delete(&MANIFEST_WORK, Some("c1"), "w", None).unwrap();
    stage.pass(seconds(30));
    assert_eq!(condition(&get(&stage.hub, &MANIFEST_WORK, "c1", "w"), "Deleting"), "True/WorkDeleting");
    assert!(object::deleting(&get(&stage.c1, &CONFIG_MAP, "default", "m")));
    let free = json!({"metadata": {"finalizers": null}});
    stage.c1.merge_patch(&CONFIG_MAP, Some("default"), "m", &free, None).unwrap();
    stage.pass_until(seconds(60), "the work to go", |stage| !exists(&stage.hub, &MANIFEST_WORK, "c1", "w"));
    assert_eq!(stage.c1.list(&APPLIED_MANIFEST_WORK, None, None).unwrap(), Vec::<Value>::new());
}

#[test]
fn orphaned_objects_survive_their_work() {
    let mut stage = Stage::new();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}});
    let mut orphaning = work(json!([namespace]));
    orphaning["spec"]["deleteOption"] = json!({"propagationPolicy": "Orphan"});
    created(&mut stage, &orphaning);
    assert!(object::list(&get(&stage.c1, &NAMESPACE, "", "kept"), "/metadata/ownerReferences").is_empty());
    stage.hub.delete(&MANIFEST_WORK, Some("c1"), "w", None).unwrap();
    stage.pass(seconds(2));
    assert!(!exists(&stage.hub, &MANIFEST_WORK, "c1", "w"));
    assert!(exists(&stage.c1, &NAMESPACE, "", "kept"));
}

#[test]
fn a_work_lost_by_its_hub_is_evicted_after_an_hour() {
    let mut stage = Stage::new();
    created(&mut stage, &work(json!([config_map("m", "1")])));
    // A recovered hub has forgotten the work.
    let free = json!({"metadata": {"finalizers": null}});
    stage.lose("c1");
    stage.hub.merge_patch(&MANIFEST_WORK, Some("c1"), "w", &free, None).unwrap();
    stage.hub.delete(&MANIFEST_WORK, Some("c1"), "w", None).unwrap();
    stage.bring_back("c1");
    stage.pass(seconds(59 * 60));
    assert!(exists(&stage.c1, &CONFIG_MAP, "default", "m"));
    stage.pass(seconds(3 * 60));
    assert!(!exists(&stage.c1, &CONFIG_MAP, "default", "m"));
}

#[test]
fn watched_feedback_arrives_at_once() {
    let mut stage = Stage::new();
    created(&mut stage, &with_feedback("Watch"));
    assert_eq!(feedback(&stage.hub), json!({"generation": 1}), "what is missing is left out");
    stage.pass(seconds(1));
    report_vrg(&stage, "Primary");
    let took = stage.pass_until(seconds(5), "feedback", |stage| feedback(&stage.hub)["state"] == "Primary");
    assert!(took <= std::time::Duration::from_millis(200), "{took:?}");
    assert_eq!(feedback(&stage.hub), json!({"generation": 1, "state": "Primary", "ready": "True"}));
}

#[rstest]
#[case::asked_for("Poll", 50)]
#[case::no_watch_is_left("Watch", 0)]
fn polled_feedback_arrives_within_the_interval(#[case] scrape: &str, #[case] watches: usize) {
    let mut stage = Stage::new();
    stage.limit_watches(watches);
    created(&mut stage, &with_feedback(scrape));
    stage.pass(seconds(1));
    report_vrg(&stage, "Primary");
    stage.settle();
    assert_eq!(feedback(&stage.hub)["state"], Value::Null);
    stage.pass_until(seconds(20), "feedback", |stage| feedback(&stage.hub)["state"] == "Primary");
}

#[test]
fn feedback_that_cannot_be_read_is_said() {
    let mut stage = Stage::new();
    let mut asking = with_feedback("Watch");
    asking["spec"]["manifestConfigs"][0]["feedbackRules"][0]["jsonPaths"] =
        json!([{"name": "whole", "path": ".spec"}, {"name": "generation", "path": ".metadata.generation"}]);
    let work = created(&mut stage, &asking);
    let held = object::list(manifest(&work, 0), "/conditions");
    assert_eq!(conditions(held, "StatusFeedbackSynced"), "False/StatusFeedbackSyncFailed");
    assert_eq!(feedback(&stage.hub), json!({"generation": 1}));
}
