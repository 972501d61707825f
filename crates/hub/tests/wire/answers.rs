//! What agents and stores answer: what proves that something is there, or not there, and what proves nothing.

use ramen_events::{
    Command, ConditionStatus, Fact, Kind, Outcome,
    hub::{self, Profile, StoredVrgAnswer, ViewAnswer, ViewFact, ViewedObject},
};
use ramen_hub::HubOperator;
use ramen_ports::{Answer, Operator as _, StoreAnswer};
use rstest::rstest;
use serde_json::{Value, json};

use super::{SYSTEM, recorded, told};

fn view(object: &Value) -> ViewFact {
    match told(Kind::ManagedClusterView, object) {
        Some(hub::Fact::View(fact)) => *fact,
        other => panic!("no view: {other:?}"),
    }
}

/// The recorded view of a VRG, with another answer of its agent.
fn answered(reason: &str, message: &str) -> Value {
    let mut object = recorded("view-vrg");
    let status = if reason == "GetResourceProcessing" { "True" } else { "False" };
    object["status"]["conditions"] = json!([{
        "type": "Processing", "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-11-23T14:04:34Z",
    }]);
    object
}

#[test]
fn a_view_shows_the_vrg_as_its_cluster_has_it() {
    let fact = view(&recorded("view-vrg"));
    assert_eq!(fact.drpc, Some(hub::ObjectRef::new("apps", "app-000")));
    assert_eq!(fact.flipped.map(|at| at.rfc3339()).as_deref(), Some("2026-11-23T14:04:34Z"));
    let ViewAnswer::Found(ViewedObject::Vrg(vrg)) = fact.answer else { panic!("{:?}", fact.answer) };
    assert_eq!((vrg.generation, vrg.manifest.spec.state.as_str()), (2, "primary"));
    let status = vrg.status.unwrap();
    assert_eq!((status.state.as_str(), status.observed_generation), ("Primary", 2));
    assert_eq!(status.conditions.len(), 8);
    let claims: Vec<&str> = status.protected_pvcs.iter().map(|pvc| pvc.name.as_str()).collect();
    assert_eq!(claims, ["data-1", "data-0"]);
    assert_eq!(status.protected_pvcs[0].replication_id, "rid-1");
}

#[rstest]
#[case::absent("GetResourceFailed", "failed to get resource with err: vrgs \"app-000\" not found")]
#[case::kind_is_absent("GetResourceFailed", "the server could not find the requested resource")]
fn an_explicit_no_is_a_no_even_beside_an_old_result(#[case] reason: &str, #[case] message: &str) {
    assert_eq!(view(&answered(reason, message)).answer, ViewAnswer::NotFound);
}

#[rstest]
#[case::no_rights("GetResourceFailed", "failed to get resource with err: vrgs is forbidden", "vrgs is forbidden")]
#[case::unknown_kind("ResourceGVKInvalid", "failed to get resource with err: no matches", "no matches")]
fn a_failed_read_proves_nothing(#[case] reason: &str, #[case] message: &str, #[case] words: &str) {
    let expected = ViewAnswer::Failed { reason: reason.into(), message: words.into() };
    assert_eq!(view(&answered(reason, message)).answer, expected);
}

#[test]
fn a_view_that_its_agent_has_not_seen_yet_is_silent() {
    let mut object = recorded("view-vrg");
    object["status"] = json!({});
    assert_eq!(view(&object).answer, ViewAnswer::Silent);
}

#[rstest]
#[case::name("name", "app-001")]
#[case::namespace("namespace", "elsewhere")]
#[case::group("apiGroup", "groupsnapshot.storage.openshift.io")]
fn the_object_of_a_former_scope_proves_nothing(#[case] field: &str, #[case] value: &str) {
    let mut object = answered("GetResourceProcessing", "Watching resources successfully");
    assert!(matches!(view(&object).answer, ViewAnswer::Found(_)));
    object["spec"]["scope"][field] = json!(value);
    assert!(matches!(view(&object).answer, ViewAnswer::Failed { .. }), "{field}");
}

#[test]
fn views_show_what_a_cluster_offers() {
    let fact = view(&recorded("view-config"));
    assert!(fact.for_policies && fact.dr_cluster.is_empty());
    let ViewAnswer::Found(ViewedObject::ClusterConfig(config)) = fact.answer else { panic!("{:?}", fact.answer) };
    assert!(config.processed);
    assert_eq!((config.storage_classes, config.replication_classes), (vec!["lab-rbd".into()], vec!["vrc-1m".into()]));

    let interval = json!({ "schedulingInterval": "1m" });
    for (name, parameters) in [("view-storage-class", Value::Null), ("view-replication-class", interval)] {
        let ViewAnswer::Found(ViewedObject::Class(class)) = view(&recorded(name)).answer else { panic!("{name}") };
        assert_eq!(class.provisioner, "lab.rbd.csi", "{name}");
        assert_eq!(class.labels["ramendr.openshift.io/storageid"], "sid-c1", "{name}");
        assert_eq!(class.parameters.value(), parameters, "{name}");
    }
}

#[test]
fn a_configuration_that_was_changed_since_is_not_processed() {
    let mut object = recorded("view-config");
    object["status"]["result"]["metadata"]["generation"] = json!(2);
    let ViewAnswer::Found(ViewedObject::ClusterConfig(config)) = view(&object).answer else { panic!("no config") };
    assert!(!config.processed);
}

fn work(object: &Value) -> hub::WorkFact {
    match told(Kind::ManifestWork, object) {
        Some(hub::Fact::Work(fact)) => *fact,
        other => panic!("no work: {other:?}"),
    }
}

/// The recorded work with values that its agent read back while the VRG's `Available` was this.
fn with_feedback(available: &str, values: &Value) -> Value {
    let mut object = recorded("work-vrg");
    object["status"]["resourceStatus"]["manifests"][0] = json!({
        "conditions": [{ "type": "Available", "status": available }],
        "statusFeedback": { "values": values },
    });
    object
}

fn generation_and_state() -> Value {
    json!([
        { "name": "generation", "fieldValue": { "type": "Integer", "integer": 3 } },
        { "name": "state", "fieldValue": { "type": "String", "string": "Primary" } },
        { "name": "DataReady", "fieldValue": { "type": "String", "string": "True" } },
        { "name": "DataReadyReason", "fieldValue": { "type": "String", "string": "Ready" } },
        { "name": "DataReadyGeneration", "fieldValue": { "type": "Integer", "integer": 2 } },
    ])
}

#[test]
fn feedback_tells_what_was_read_back_and_nothing_else() {
    let feedback = work(&with_feedback("True", &generation_and_state())).feedback.unwrap();
    assert_eq!((feedback.generation, feedback.observed_generation, feedback.state.as_str()), (3, 0, "Primary"));
    let told: Vec<_> = feedback.conditions.into_iter().collect();
    assert_eq!(told, [("DataReady".to_owned(), (ConditionStatus::True, "Ready".to_owned(), 2))]);
}

#[rstest]
#[case::object_gone("False", generation_and_state())]
#[case::nothing_read("True", json!([]))]
#[case::rules_of_somebody_else("True", json!([{ "name": "x", "fieldValue": { "type": "Boolean", "boolean": true } }]))]
fn values_without_their_object_tell_nothing(#[case] available: &str, #[case] values: Value) {
    assert_eq!(work(&with_feedback(available, &values)).feedback, None);
}

#[test]
fn a_work_tells_which_generation_its_agent_looked_at() {
    let fact = work(&recorded("work-vrg"));
    assert_eq!(fact.generation, 4);
    assert_eq!(fact.applied.map(|told| (told.status, told.generation)), Some((ConditionStatus::True, 3)));
    assert_eq!((fact.orphan, fact.watched), (false, None));
    assert!(work(&recorded("work-namespace")).orphan);
    assert_eq!(work(&recorded("work-rights")).dr_cluster, "c1");
}

fn stored(answers: &[Answer]) -> Option<StoredVrgAnswer> {
    let profile = Profile { name: "s3-c1".into(), ..Profile::default() };
    let command = Command::Hub(hub::Command::FetchStoredVrg { profile, key: "k".into() });
    let told = HubOperator::new(SYSTEM).observe_answers(&command, answers, &Outcome::Done);
    told.into_iter().next().map(|told| match told.fact {
        Fact::Hub(hub::Fact::StoredVrg(fact)) if fact.profile == "s3-c1" && fact.key == "k" => fact.answer,
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_store_tells_where_an_application_ran() {
    let vrg = recorded("view-vrg")["status"]["result"].clone();
    let Some(StoredVrgAnswer::Found(copy)) = stored(&[Answer::Store(StoreAnswer::Object(vrg))]) else {
        panic!("not found")
    };
    assert_eq!((copy.state.as_str(), copy.destination.as_str()), ("primary", "c1"));
    assert_eq!(copy.drpc_uid, "b1da9913-3606-4354-8406-009dbcd2b72e");
    assert!(copy.last_update.is_some());
}

#[test]
fn only_a_bucket_that_says_so_has_no_copy() {
    assert_eq!(stored(&[Answer::Store(StoreAnswer::Absent)]), Some(StoredVrgAnswer::Absent));
    assert_eq!(stored(&[]), None, "a failure is told by the outcome");
    let odd = Answer::Store(StoreAnswer::Object(json!({ "kind": "ConfigMap" })));
    assert!(matches!(stored(&[odd]), Some(StoredVrgAnswer::Unknown { .. })));
}
