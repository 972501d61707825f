//! What is written reads back as what was meant, and looks as it does in a recorded installation.

use ramen_api::ramen::wire::annotation;
use ramen_events::{
    ClusterName, Json, Kind,
    hub::{
        self, Fact, ModeSeen, ModeWork, NamespaceWork, ObjectRef, ViewAnswer, ViewedObject, VrgManifest, VrgWork,
        WorkContent,
    },
};
use ramen_ports::Effect;
use serde_json::{Value, json};

use super::{applied, body, calls, id, recorded, told};

const COMMAND: &str = ramen_api::ramen::wire::annotation::HUB_COMMAND;

/// What an object's status is after a write of ours, when it was `before`.
fn after(mut before: Value, effect: &Effect) -> Value {
    assert!(matches!(effect, Effect::MergeStatus { .. }), "{effect:?}");
    json_patch::merge(&mut before, &json!({ "status": body(effect)["status"] }));
    before["status"].clone()
}

fn drpc_status(object: &Value) -> hub::DrpcStatus {
    let Some(Fact::Drpc(fact)) = told(Kind::Drpc, object) else { panic!("no DRPC") };
    fact.status
}

fn write_drpc(status: hub::DrpcStatus) -> Effect {
    let drpc = ObjectRef::new("apps", "app-000");
    let command = hub::Command::WriteDrpcStatus { drpc, uid: "u".into(), status: Box::new(status), events: Vec::new() };
    calls(command).remove(0)
}

#[test]
fn the_status_of_a_drpc_is_written_as_recorded() {
    let mut drpc = recorded("drpc");
    // A version of an object of another cluster: it changes for reasons that are nobody's here.
    drpc["status"]["resourceConditions"]["resourceMeta"].as_object_mut().unwrap().remove("resourceVersion");
    assert_eq!(after(json!({}), &write_drpc(drpc_status(&drpc))), drpc["status"]);
}

#[test]
fn what_a_status_no_longer_says_is_struck_out() {
    let before = recorded("drpc");
    let meant = hub::DrpcStatus { phase: "Deploying".into(), observed_generation: 9, ..hub::DrpcStatus::default() };
    let object = json!({ "metadata": before["metadata"], "status": after(before, &write_drpc(meant.clone())) });
    assert_eq!(drpc_status(&object), meant);
}

#[test]
fn the_status_of_a_policy_is_written_as_recorded() {
    let object = recorded("drpolicy");
    let Some(Fact::Policy(fact)) = told(Kind::DrPolicy, &object) else { panic!("no policy") };
    let status = Box::new(fact.status.unwrap());
    let command =
        hub::Command::WritePolicyStatus { policy: "policy".into(), uid: "u".into(), status, events: Vec::new() };
    assert_eq!(after(json!({}), &calls(command)[0]), object["status"]);
}

#[test]
fn the_status_of_a_cluster_is_written_as_recorded_with_what_its_storage_answered() {
    let object = recorded("drcluster");
    let Some(Fact::DrCluster(fact)) = told(Kind::DrCluster, &object) else { panic!("no cluster") };
    let write = |status: hub::DrClusterStatus| {
        let status = Box::new(status);
        hub::Command::WriteClusterStatus { cluster: "c1".into(), uid: "u".into(), status, events: Vec::new() }
    };
    let status = fact.status.unwrap();
    let modes = json!([{ "storageProvisioner": "p", "targetID": "t", "state": "Completed", "conditions": [] }]);
    let told = hub::DrClusterStatus { maintenance_modes: ramen_events::Json::new(&modes), ..status.clone() };
    let mut expected = object["status"].clone();
    expected["maintenanceModes"] = modes;
    let held = after(json!({}), &calls(write(told))[0]);
    assert_eq!(held, expected);
    assert_eq!(after(json!({ "status": held }), &calls(write(status))[0]), object["status"], "it goes again");
}

fn vrg_work(manifest: VrgManifest, watched: bool) -> Effect {
    let (cluster, name) = (ClusterName::from("c1"), "app-000-app-000-vrg-mw".to_owned());
    let drpc = ObjectRef::new("apps", "app-000");
    calls(hub::Command::ApplyVrgWork(Box::new(VrgWork { cluster, name, drpc, manifest, watched }))).remove(0)
}

fn manifest(work: &Value) -> (VrgManifest, String) {
    let Some(Fact::Work(fact)) = told(Kind::ManifestWork, work) else { panic!("no work") };
    match fact.content {
        WorkContent::Vrg { manifest, command } => (*manifest, command),
        other => panic!("no VRG: {other:?}"),
    }
}

#[test]
fn a_vrg_is_asked_for_as_recorded_save_for_the_command_and_what_is_read_back() {
    let work = recorded("work-vrg");
    let (wanted, command) = manifest(&work);
    assert_eq!(command, "", "another program wrote it");
    let ours = applied(&vrg_work(wanted.clone(), true));

    assert_eq!(manifest(&ours), (wanted, id().to_string()));
    let mut expected = work["spec"].clone();
    let annotations = &mut expected["workload"]["manifests"][0]["metadata"]["annotations"];
    annotations[COMMAND] = json!(id().to_string());
    expected["manifestConfigs"] = ours["spec"]["manifestConfigs"].clone();
    assert_eq!(ours["spec"], expected);
    assert_eq!(ours["metadata"]["labels"], work["metadata"]["labels"]);
    assert_eq!(ours["metadata"]["annotations"], work["metadata"]["annotations"]);
}

#[test]
fn all_that_can_be_asked_of_a_vrg_reads_back() {
    let (mut wanted, _) = manifest(&recorded("work-vrg"));
    wanted.annotations.insert(annotation::TEST_FAILOVER.into(), annotation::TRUE.into());
    let spec = &mut wanted.spec;
    (spec.prepare_for_final_sync, spec.run_final_sync, spec.dry_run) = (true, true, true);
    spec.protected_namespaces = vec!["a".into(), "b".into()];
    spec.kube_object_protection = Json::new(&json!({ "captureInterval": "5m" }));
    spec.rest = Json::new(&json!({ "volSync": { "disabled": false }, "sync": {}, "unknown": [1] }));
    assert_eq!(manifest(&applied(&vrg_work(wanted.clone(), false))).0, wanted);
}

#[test]
fn the_other_works_are_written_as_recorded() {
    let cluster = ClusterName::from("c1");
    let works = [
        (
            "work-namespace",
            hub::Command::ApplyNamespaceWork(NamespaceWork {
                cluster: cluster.clone(),
                name: "app-000-app-000-ns-mw".into(),
                drpc: ObjectRef::new("apps", "app-000"),
                namespace: "app-000".into(),
            }),
        ),
        ("work-rights", hub::Command::ApplyClusterWork { cluster: cluster.clone(), keep: Vec::new() }),
        ("work-config", hub::Command::ApplyConfigWork { cluster, id: "id-c1".into(), schedules: vec!["1m".into()] }),
    ];
    for (name, command) in works {
        let (theirs, ours) = (recorded(name), applied(&calls(command)[0]));
        assert_eq!(ours["spec"], theirs["spec"], "{name}");
        for field in ["name", "namespace", "labels", "annotations"] {
            assert_eq!(ours["metadata"][field], theirs["metadata"][field], "{name} {field}");
        }
    }
}

#[test]
fn storage_is_asked_as_it_is_by_others_and_its_answer_reads_back() {
    let request = ModeWork {
        cluster: ClusterName::from("c1"),
        mode: "rid-1".into(),
        provisioner: "csi".into(),
        target: "rid-1".into(),
    };
    let work = applied(&calls(hub::Command::ApplyModeWork(request))[0]);
    let meta = &work["metadata"];
    assert_eq!((&meta["name"], &meta["namespace"]), (&json!("rid-1-mmode-mw"), &json!("c1")));
    assert_eq!(meta["labels"]["ramendr.openshift.io/maintenancemodes"], "");
    assert_eq!(meta["annotations"]["drcluster.ramendr.openshift.io/drcluster-name"], "c1");
    let mode = work["spec"]["workload"]["manifests"][0].clone();
    assert_eq!(mode["spec"], json!({ "modes": ["Failover"], "storageProvisioner": "csi", "targetID": "rid-1" }));
    let Some(Fact::Work(fact)) = told(Kind::ManifestWork, &work) else { panic!("no work") };
    assert_eq!(fact.dr_cluster, "c1");

    let mut shown = mode;
    shown["metadata"]["generation"] = json!(1);
    let conditions = json!([{ "type": "FailoverActivated", "status": "True", "reason": "Done" }]);
    shown["status"] = json!({ "state": "Completed", "observedGeneration": 1, "conditions": conditions });
    let mut view = recorded("view-vrg");
    view["spec"]["scope"] = json!({ "apiGroup": "ramendr.openshift.io", "kind": "MaintenanceMode", "name": "rid-1", "version": "v1alpha1" });
    view["status"]["result"] = shown;
    let Some(Fact::View(fact)) = told(Kind::ManagedClusterView, &view) else { panic!("no view") };
    let ViewAnswer::Found(ViewedObject::MaintenanceMode(seen)) = fact.answer else { panic!("{:?}", fact.answer) };
    let meant = ModeSeen {
        generation: 1,
        deleting: false,
        command: id().to_string(),
        provisioner: "csi".into(),
        target: "rid-1".into(),
        state: "Completed".into(),
        observed_generation: 1,
        conditions: Json::new(&conditions),
    };
    assert_eq!(*seen, meant);
}
