//! What the objects that users and OCM write tell.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ramen_events::{
    ConditionStatus, Kind,
    hub::{ConfigFact, DecisionEntry, Fact, ManagedClusterFact, PlacementKind, SecretFact, ViewAnswer, ViewedObject},
};
use ramen_hub::HubOperator;
use ramen_ports::Operator as _;
use rstest::rstest;
use serde_json::{Value, json};

use super::{SYSTEM, recorded, remarked, told};

#[test]
fn a_drpc_tells_what_is_asked() {
    let Some(Fact::Drpc(fact)) = told(Kind::Drpc, &recorded("drpc")) else { panic!("no DRPC") };
    let spec = &fact.spec;
    assert_eq!((spec.action.as_str(), spec.failover.as_str(), spec.preferred.as_str()), ("Failover", "c2", "c1"));
    assert_eq!((spec.policy.as_str(), spec.placement.as_str()), ("policy", "app-000"));
    assert_eq!(spec.pvc_selector.value(), json!({ "matchLabels": { "app": "app-000" } }));
    assert_eq!(spec.kube_object_protection.value(), Value::Null);
    assert_eq!(fact.meta.annotation("drplacementcontrol.ramendr.openshift.io/last-app-deployment-cluster"), "c2");
    assert_eq!((fact.meta.generation, fact.meta.owners.len(), fact.meta.deleting), (2, 1, None));
}

#[rstest]
#[case(Kind::Drpc, "drpc")]
#[case(Kind::DrPolicy, "drpolicy")]
#[case(Kind::DrCluster, "drcluster")]
#[case(Kind::Placement, "placement")]
#[case(Kind::PlacementDecision, "placement-decision")]
#[case(Kind::ManifestWork, "work-vrg")]
#[case(Kind::ManagedClusterView, "view-vrg")]
fn what_changes_for_reasons_that_are_not_ours_is_no_news(#[case] kind: Kind, #[case] name: &str) {
    let object = recorded(name);
    let mut touched = object.clone();
    touched["metadata"]["resourceVersion"] = json!("999999");
    touched["metadata"]["labels"]["team"] = json!("blue");
    touched["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = json!("{}");
    assert_eq!(told(kind, &touched), told(kind, &object));
}

/// What a view shows.
fn shown(view: &Value) -> ViewedObject {
    let Some(Fact::View(fact)) = told(Kind::ManagedClusterView, view) else { panic!("no view") };
    let ViewAnswer::Found(shown) = fact.answer else { panic!("nothing is shown: {:?}", fact.answer) };
    shown
}

#[rstest]
#[case::c24_of_the_storage_class("storageID")]
#[case::of_the_replication_class("replicationID")]
fn storage_wants_to_be_told_of_a_failover_by_either_label(#[case] identity: &str) {
    let wants = |view: &Value| {
        let ViewedObject::Vrg(seen) = shown(view) else { panic!("no VRG") };
        seen.status.unwrap().protected_pvcs.iter().any(|pvc| pvc.failover_mode)
    };
    let mut view = recorded("view-vrg");
    assert!(!wants(&view));
    view["status"]["result"]["status"]["protectedPVCs"][0][identity]["modes"] = json!(["Failover"]);
    assert!(wants(&view));
}

#[test]
fn of_replication_classes_all_labels_are_told_since_policies_select_by_them() {
    for (name, all) in [("view-replication-class", true), ("view-storage-class", false)] {
        let mut view = recorded(name);
        view["status"]["result"]["metadata"]["labels"]["tier"] = json!("gold");
        let ViewedObject::Class(class) = shown(&view) else { panic!("no class") };
        assert_eq!(class.labels.contains_key("tier"), all, "{name}");
    }
}

#[test]
fn a_placement_tells_its_marks_and_a_decision_its_clusters() {
    let Some(Fact::Placement(fact)) = told(Kind::Placement, &recorded("placement")) else { panic!("no placement") };
    assert_eq!(fact.kind, PlacementKind::Placement);
    assert_eq!(fact.meta.annotation("cluster.open-cluster-management.io/experimental-scheduling-disable"), "true");
    let Some(Fact::Decision(fact)) = told(Kind::PlacementDecision, &recorded("placement-decision")) else {
        panic!("no decision")
    };
    assert_eq!((fact.placement.as_str(), fact.excluded_from_backup), ("app-000", true));
    let entry = |cluster: &str, reason: &str| DecisionEntry { cluster: cluster.into(), reason: reason.into() };
    assert_eq!(fact.entries, [entry("c1", "RetainedForFailover"), entry("c2", "c2")]);
}

#[test]
fn a_placement_rule_tells_its_scheduler_and_clusters() {
    let rule = json!({
        "metadata": { "name": "r", "namespace": "apps" },
        "spec": { "schedulerName": "ramen" },
        "status": { "decisions": [{ "clusterName": "c1", "clusterNamespace": "c1" }] },
    });
    let Some(Fact::Placement(fact)) = told(Kind::PlacementRule, &rule) else { panic!("no rule") };
    assert_eq!((fact.kind, fact.scheduler.as_str()), (PlacementKind::Rule, "ramen"));
    assert_eq!(fact.decisions, ["c1".into()]);
}

#[rstest]
#[case::follows(json!([{ "clusterDecisionResource": { "labelSelector": { "matchLabels": {
    "cluster.open-cluster-management.io/placement": "p" } } } }]), Some("p"))]
#[case::second_generator(json!([{ "list": {} }, { "clusterDecisionResource": { "labelSelector": { "matchLabels": {
    "cluster.open-cluster-management.io/placement": "p" } } } }]), None)]
#[case::no_placement(json!([{ "clusterDecisionResource": { "name": "x" } }]), None)]
fn an_application_set_tells_which_placement_it_follows(#[case] generators: Value, #[case] placement: Option<&str>) {
    let set = json!({
        "metadata": { "name": "set", "namespace": "argocd" },
        "spec": { "generators": generators, "template": { "spec": { "destination": { "namespace": "shop" } } } },
    });
    let told = told(Kind::ApplicationSet, &set).map(|fact| match fact {
        Fact::ApplicationSet(fact) => (fact.placement, fact.destination_namespace),
        other => panic!("{other:?}"),
    });
    assert_eq!(told, placement.map(|placement| (placement.to_owned(), "shop".to_owned())));
}

#[test]
fn a_managed_cluster_tells_its_identity_and_whether_it_is_there() {
    let managed = |available: &str| {
        let condition = |kind: &str, status: &str| json!({ "type": kind, "status": status, "lastTransitionTime": "2026-11-23T14:04:34Z" });
        let object = json!({
            "metadata": { "name": "c1" },
            "status": {
                "clusterClaims": [{ "name": "x", "value": "y" }, { "name": "id.k8s.io", "value": "id-c1" }],
                "conditions": [condition("ManagedClusterJoined", "True"),
                    condition("ManagedClusterConditionAvailable", available)],
            },
        });
        match told(Kind::ManagedCluster, &object) {
            Some(Fact::ManagedCluster(fact)) => fact,
            other => panic!("{other:?}"),
        }
    };
    let expected = |available| ManagedClusterFact { name: "c1".into(), joined: true, available, id: "id-c1".into() };
    assert_eq!(managed("True"), expected(Some(ConditionStatus::True)));
    assert_eq!(managed("Unknown"), expected(Some(ConditionStatus::Unknown)));
}

fn config(namespace: &str, yaml: &str) -> Option<ConfigFact> {
    let map = json!({
        "metadata": { "name": "ramen-hub-operator-config", "namespace": namespace },
        "data": { "ramen_manager_config.yaml": yaml },
    });
    told(Kind::ConfigMap, &map).map(|fact| match fact {
        Fact::Config(fact) => fact,
        other => panic!("{other:?}"),
    })
}

#[test]
fn the_configuration_is_read_with_its_defaults_filled_in() {
    let yaml = "s3StoreProfiles:\n- s3ProfileName: s3-c1\n  s3Bucket: b\n  s3CompatibleEndpoint: http://s\n  \
                s3SecretRef:\n    name: s\ndrClusterOperator:\n  deploymentAutomationEnabled: false\n";
    let config = config(SYSTEM, yaml).unwrap().config.unwrap();
    assert_eq!(config.ops_namespace, "ramen-ops");
    assert_eq!((config.automation, config.distribution, config.vol_sync_disabled), (false, true, false));
    let profile = config.profile("s3-c1").unwrap();
    assert_eq!((profile.secret_namespace.as_str(), profile.secret.as_str()), (SYSTEM, "s"));
}

#[test]
fn a_configuration_that_cannot_be_used_says_where_and_what_to_do() {
    let why = config(SYSTEM, "s3StoreProfiles: 7").unwrap().config.unwrap_err();
    assert!(why.contains("s3StoreProfiles") && why.contains("correct"), "{why}");
    assert_eq!(config("elsewhere", ""), None, "somebody else's");
}

#[test]
fn a_secret_never_leaves_its_object() {
    let secret = |value: &str| {
        let object = json!({
            "metadata": { "name": "s", "namespace": SYSTEM },
            "data": { "AWS_SECRET_ACCESS_KEY": BASE64_STANDARD.encode(value), "AWS_ACCESS_KEY_ID": "a2V5" },
        });
        let fact = told(Kind::Secret, &object).unwrap();
        let shown = format!("{fact:?}");
        assert!(!shown.contains(value) && !shown.contains(&BASE64_STANDARD.encode(value)), "{shown}");
        match fact {
            Fact::Secret(fact) => fact,
            other => panic!("{other:?}"),
        }
    };
    let SecretFact { digest, keys, .. } = secret("hunter2");
    assert_eq!(keys, ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
    assert_eq!(secret("hunter2").digest, digest);
    assert_ne!(secret("hunter3").digest, digest);
}

#[test]
fn secrets_and_config_maps_are_watched_in_the_own_namespace_only() {
    for watch in HubOperator::new(SYSTEM).watches() {
        let confined = watch.namespace.as_deref() == Some(SYSTEM);
        assert_eq!(confined, matches!(watch.kind, Kind::Secret | Kind::ConfigMap), "{:?}", watch.kind);
    }
}

/// A DRPC with the entries of `metadata.managedFields` that API servers keep.
fn managed(entries: Value) -> Value {
    json!({ "metadata": { "name": "app", "namespace": "apps", "uid": "u1", "managedFields": entries } })
}

fn entry(manager: &str, time: &str, fields: Value) -> Value {
    json!({ "manager": manager, "operation": "Update", "apiVersion": "ramendr.openshift.io/v1alpha1", "time": time,
        "fieldsType": "FieldsV1", "fieldsV1": fields })
}

#[test]
fn who_wrote_what_is_asked_for_is_remarked_and_nothing_else() {
    let drpc = managed(json!([
        entry(
            "kubectl-patch",
            "2026-11-23T23:46:13Z",
            json!({ "f:spec": { "f:action": {}, "f:failoverCluster": {} } })
        ),
        entry(
            "kubectl-create",
            "2026-11-23T23:40:00Z",
            json!({ "f:spec": { ".": {}, "f:preferredCluster": {}, "f:pvcSelector": {} } })
        ),
        entry("ramen-hub", "2026-11-23T23:46:14Z", json!({ "f:metadata": { "f:finalizers": {} } })),
        entry("ramen-hub", "2026-11-23T23:46:15Z", json!({ "f:status": { "f:phase": {} } })),
    ]));
    let Some(Fact::Authors(fact)) = remarked(Kind::Drpc, &drpc) else { panic!("no remark") };
    assert_eq!((fact.drpc.to_string().as_str(), fact.uid.as_str()), ("apps/app", "u1"));
    let told: Vec<_> = fact.authors.iter().map(|author| (author.manager.as_str(), author.fields.join(" "))).collect();
    let expected =
        [("kubectl-create", "preferredCluster".to_owned()), ("kubectl-patch", "action failoverCluster".to_owned())];
    assert_eq!(told, expected, "the latest last");
    assert_eq!(fact.authors[1].at.map(|at| at.rfc3339()).as_deref(), Some("2026-11-23T23:46:13Z"));

    let nobody = managed(json!([entry("ramen-hub", "2026-11-23T23:46:15Z", json!({ "f:status": {} }))]));
    let Some(Fact::Authors(fact)) = remarked(Kind::Drpc, &nobody) else { panic!("no remark") };
    assert!(fact.authors.is_empty(), "that nobody owns the fields any more is news, too");
    let without = json!({ "metadata": { "name": "app", "namespace": "apps" } });
    assert_eq!(remarked(Kind::Drpc, &without), None, "an object without them tells nothing of them");
    assert_eq!(remarked(Kind::DrPolicy, &drpc), None);
}
