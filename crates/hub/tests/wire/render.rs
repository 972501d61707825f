//! What commands come down to, where it is not a repetition of what is read.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ramen_api::{Resource, kinds};
use ramen_events::{
    ClusterName, Command, Json, Kind,
    hub::{self, DecisionEntry, Event, MetaPatch, ObjectRef, PlacementKind, Profile, ViewScope, ViewWish},
};
use ramen_hub::HubOperator;
use ramen_ports::{Effect, Operator as _, StoreOperation, Target};
use rstest::rstest;
use serde_json::{Value, json};

use super::{NoBlobs, SYSTEM, applied, body, calls, id, recorded};

fn target(resource: &'static Resource, namespace: &str, name: &str) -> Target {
    Target { resource, namespace: namespace.into(), name: name.into() }
}

#[test]
fn marks_are_one_write_that_is_only_for_the_very_object() {
    let owner = json!({ "kind": "Placement", "name": "p", "uid": "pu" });
    let patch = MetaPatch {
        kind: Kind::Drpc,
        object: ObjectRef::new("apps", "app"),
        uid: "u".into(),
        labels: BTreeMap::from([("l".into(), "1".into())]),
        annotations: BTreeMap::from([("a".into(), String::new())]),
        finalizers: Some(vec!["f".into()]),
        owners: Some(vec![Json::new(&owner)]),
    };
    let metadata = json!({
        "uid": "u", "labels": { "l": "1" }, "annotations": { "a": "" }, "finalizers": ["f"], "ownerReferences": [owner],
    });
    let expected = Effect::Merge {
        target: target(&kinds::DR_PLACEMENT_CONTROL, "apps", "app"),
        body: json!({ "metadata": metadata }),
    };
    assert_eq!(calls(hub::Command::PatchMeta(Box::new(patch.clone()))), [expected]);

    let release = MetaPatch { finalizers: Some(Vec::new()), owners: None, labels: BTreeMap::new(), ..patch };
    let calls = calls(hub::Command::PatchMeta(Box::new(release)));
    assert_eq!(body(&calls[0]), &json!({ "metadata": { "uid": "u", "annotations": { "a": "" }, "finalizers": [] } }));
}

fn decide(create: bool, label: bool, entries: Option<Vec<DecisionEntry>>, kind: PlacementKind) -> Vec<Effect> {
    calls(hub::Command::WriteDecision {
        placement: ObjectRef::new("apps", "app-000"),
        kind,
        uid: "pu".into(),
        decision: "app-000-decision-1".into(),
        create,
        label,
        entries,
    })
}

fn failed_over() -> Vec<DecisionEntry> {
    let entry = |cluster: &str, reason: &str| DecisionEntry { cluster: cluster.into(), reason: reason.into() };
    vec![entry("c1", "RetainedForFailover"), entry("c2", "c2")]
}

#[test]
fn a_new_decision_belongs_to_its_placement() {
    let calls = decide(true, false, Some(failed_over()), PlacementKind::Placement);
    let recorded = recorded("placement-decision");
    let ours = applied(&calls[0]);
    for (key, value) in recorded["metadata"]["labels"].as_object().unwrap() {
        assert_eq!(&ours["metadata"]["labels"][key], value, "{key}");
    }
    let owner = &ours["metadata"]["ownerReferences"][0];
    assert_eq!(
        (&owner["kind"], &owner["uid"], &owner["controller"]),
        (&json!("Placement"), &json!("pu"), &json!(true))
    );
    let status = Effect::MergeStatus {
        target: target(&kinds::PLACEMENT_DECISION, "apps", "app-000-decision-1"),
        body: json!({ "status": recorded["status"] }),
    };
    assert_eq!(calls[1..], [status]);
}

#[test]
fn an_existing_decision_gets_only_what_it_lacks() {
    let label = json!({ "metadata": { "labels": { "velero.io/exclude-from-backup": "true" } } });
    let only_label = decide(false, true, None, PlacementKind::Placement);
    assert_eq!(only_label.iter().map(body).collect::<Vec<_>>(), [&label]);
    let cleared = decide(false, false, Some(Vec::new()), PlacementKind::Placement);
    assert_eq!(cleared.iter().map(body).collect::<Vec<_>>(), [&json!({ "status": { "decisions": [] } })]);
}

#[test]
fn a_placement_rule_is_decided_in_its_own_status() {
    let calls = decide(false, false, Some(failed_over().split_off(1)), PlacementKind::Rule);
    let expected = Effect::MergeStatus {
        target: target(&kinds::PLACEMENT_RULE, "apps", "app-000"),
        body: json!({ "status": { "decisions": [{ "clusterName": "c2", "clusterNamespace": "c2" }] } }),
    };
    assert_eq!(calls, [expected]);
}

#[rstest]
#[case::vrg("view-vrg", &kinds::VOLUME_REPLICATION_GROUP, "", true)]
#[case::config("view-config", &kinds::DR_CLUSTER_CONFIG, "", false)]
#[case::class("view-storage-class", &kinds::STORAGE_CLASS, "ramendr.openshift.io/storageclass", false)]
fn views_are_written_as_recorded(
    #[case] name: &str,
    #[case] resource: &Resource,
    #[case] label: &str,
    #[case] of_drpc: bool,
) {
    let theirs = recorded(name);
    let scope = |field: &str| theirs["spec"]["scope"][field].as_str().unwrap_or_default().to_owned();
    let wish = ViewWish {
        cluster: ClusterName::from("c1"),
        name: theirs["metadata"]["name"].as_str().unwrap().into(),
        scope: ViewScope {
            group: resource.group.into(),
            version: resource.version.into(),
            kind: resource.kind.into(),
            namespace: scope("namespace"),
            name: scope("name"),
        },
        drpc: of_drpc.then(|| ObjectRef::new("apps", "app-000")),
        for_policies: !of_drpc,
        for_cluster: false,
        label: label.into(),
        interval: 0,
    };
    let ours = applied(&calls(hub::Command::ApplyView(Box::new(wish.clone())))[0]);
    assert_eq!(ours["spec"], theirs["spec"]);
    for field in ["name", "namespace", "labels", "annotations"] {
        assert_eq!(ours["metadata"][field], theirs["metadata"][field], "{field}");
    }
    let paced = calls(hub::Command::ApplyView(Box::new(ViewWish { interval: 1, ..wish })));
    assert_eq!(body(&paced[0])["spec"]["scope"]["updateIntervalSeconds"], 1);
}

#[test]
fn manifests_that_a_work_held_beside_the_rights_stay_in_it() {
    let kept = json!({ "kind": "Subscription", "metadata": { "name": "ramen-dr-cluster-subscription" } });
    let calls = calls(hub::Command::ApplyClusterWork { cluster: "c1".into(), keep: vec![Json::new(&kept)] });
    let manifests = body(&calls[0])["spec"]["workload"]["manifests"].as_array().unwrap();
    assert_eq!((manifests.len(), manifests.last()), (6, Some(&kept)));
    assert_eq!(body(&calls[0])["spec"]["deleteOption"]["propagationPolicy"], "Orphan", "H4: nor do they go with it");
}

#[test]
fn a_work_is_deleted_only_if_it_is_still_the_one() {
    let command = hub::Command::DeleteWork { cluster: "c1".into(), name: "w".into(), uid: "u".into() };
    let expected = Effect::Delete { target: target(&kinds::MANIFEST_WORK, "c1", "w"), uid: Some("u".into()) };
    assert_eq!(calls(command), [expected]);
}

#[test]
fn people_are_told_after_the_status_is_written() {
    let event = Event { warning: true, reason: "Error".into(), message: "m".into() };
    let calls = calls(hub::Command::WriteClusterStatus {
        cluster: "c1".into(),
        uid: "u".into(),
        status: Box::default(),
        events: vec![event],
    });
    assert!(matches!(calls[0], Effect::MergeStatus { .. }), "{calls:?}");
    let expected = Effect::Event {
        regarding: target(&kinds::DR_CLUSTER, "", "c1"),
        uid: "u".into(),
        warning: true,
        reason: "Error".into(),
        message: "m".into(),
    };
    assert_eq!(calls[1..], [expected]);
}

#[test]
fn the_default_configuration_reads_back() {
    let created = applied(&calls(hub::Command::CreateConfig)[0]);
    let Some(hub::Fact::Config(fact)) = super::told(Kind::ConfigMap, &created) else { panic!("not the operator's") };
    let config = fact.config.unwrap();
    assert_eq!((config.ops_namespace.as_str(), config.automation), ("ramen-ops", true));
}

fn probe(ca_certificates: String) -> hub::Command {
    let profile = Profile {
        name: "s3-c1".into(),
        secret_namespace: SYSTEM.into(),
        secret: "s".into(),
        ca_certificates,
        ..Profile::default()
    };
    hub::Command::ProbeStore { profile, secret: "digest".into(), prefix: "/c1".into() }
}

#[test]
fn certificates_may_be_folded_into_lines() {
    let encoded = BASE64_STANDARD.encode("-----BEGIN CERTIFICATE-----");
    let (head, tail) = encoded.split_at(10);
    let calls = calls(probe(format!("{head}\n  {tail}\n")));
    let Effect::Store { profile, operation } = &calls[0] else { panic!("{calls:?}") };
    assert_eq!(profile.ca_certificates, b"-----BEGIN CERTIFICATE-----");
    assert_eq!((profile.secret_namespace.as_str(), profile.secret_name.as_str()), (SYSTEM, "s"));
    assert_eq!(operation, &StoreOperation::Probe { prefix: "/c1".into() });
}

#[test]
fn certificates_that_cannot_be_read_are_named() {
    let command = Command::Hub(probe("~".into()));
    let refused = HubOperator::new(SYSTEM).render(id(), &command, &NoBlobs).unwrap_err();
    assert!(refused.0.contains("s3StoreProfiles[s3-c1].caCertificates"), "{refused}");
}

#[test]
fn a_scrape_type_is_written_only_where_it_differs_from_what_its_absence_means() {
    let options = |watched| {
        let work = hub::VrgWork {
            cluster: "c1".into(),
            name: "w".into(),
            drpc: ObjectRef::default(),
            manifest: hub::VrgManifest::default(),
            watched,
        };
        body(&calls(hub::Command::ApplyVrgWork(Box::new(work)))[0])["spec"]["manifestConfigs"][0].clone()
    };
    assert_eq!(options(true)["feedbackScrapeType"], "Watch");
    assert_eq!(options(false)["feedbackScrapeType"], Value::Null);
}
