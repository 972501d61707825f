//! The sequences of spec vrg 10.4, played by hand in place of the operators, checked on the data.

use std::time::Duration;

use ramen_sim::agents::object;
use ramen_sim::api::Api;
use ramen_sim::apps::Application;
use ramen_sim::cluster::Cluster;
use ramen_sim::kinds::{NAMESPACE, PV, PVC, VOLUME_REPLICATION};
use ramen_sim::storage::Role;
use ramen_sim::storage::replication::{Settings, interval};
use rstest::rstest;
use serde_json::{Value, json};

use crate::stage::{Stage, condition, exists, get, seconds};

const NS: &str = "app-000";

fn replicate(cluster: &Cluster, state: &str, auto_resync: bool) {
    let replication = json!({
        "apiVersion": VOLUME_REPLICATION.api_version(),
        "kind": "VolumeReplication",
        "metadata": {"name": "data-0", "namespace": NS},
        "spec": {
            "autoResync": auto_resync,
            "dataSource": {"apiGroup": "", "kind": "PersistentVolumeClaim", "name": "data-0"},
            "replicationHandle": "",
            "replicationState": state,
            "volumeReplicationClass": "vrc-1m",
        },
    });
    if exists(cluster, &VOLUME_REPLICATION, NS, "data-0") {
        cluster
            .merge_patch(&VOLUME_REPLICATION, Some(NS), "data-0", &json!({"spec": replication["spec"]}), None)
            .unwrap();
    } else {
        cluster.create(&VOLUME_REPLICATION, &replication).unwrap();
    }
}

fn verdict(cluster: &Cluster) -> (String, [String; 3]) {
    let replication = get(cluster, &VOLUME_REPLICATION, NS, "data-0");
    let state = object::text(&replication, "/status/state").to_owned();
    (state, ["Completed", "Degraded", "Resyncing"].map(|kind| condition(&replication, kind)))
}

fn says(state: &str, completed: &str, degraded: &str, resyncing: &str) -> (String, [String; 3]) {
    (state.into(), [completed, degraded, resyncing].map(str::to_owned))
}

fn primary() -> (String, [String; 3]) {
    says("Primary", "True/Promoted", "False/Healthy", "False/NotResyncing")
}

fn settled() -> (String, [String; 3]) {
    says("Secondary", "True/Demoted", "False/Healthy", "False/NotResyncing")
}

fn wait(stage: &mut Stage, on: &'static str, expected: &(String, [String; 3])) -> Duration {
    let what = format!("{on}: {expected:?}");
    stage.pass_until(seconds(120), &what, |stage| {
        exists(stage.cluster(on), &VOLUME_REPLICATION, NS, "data-0") && verdict(stage.cluster(on)) == *expected
    })
}

fn handle(stage: &Stage) -> String {
    stage.storage().handles().next().unwrap().to_owned()
}

/// Keeps the volume of c1 when its claim goes, and restores the pair on another cluster.
fn restore(stage: &mut Stage, from: &Value, to: &Cluster) {
    if !exists(to, &NAMESPACE, "", NS) {
        to.create(&NAMESPACE, &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NS}})).unwrap();
    }
    let mut volume = from.clone();
    volume["metadata"] = json!({"name": object::name(from), "annotations": from["metadata"]["annotations"]});
    volume["spec"]["claimRef"] = json!({"kind": "PersistentVolumeClaim", "namespace": NS, "name": "data-0"});
    volume["spec"]["persistentVolumeReclaimPolicy"] = json!("Retain");
    to.create(&PV, &volume).unwrap();
    let claim = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-0", "namespace": NS, "labels": {"app": NS}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "lab-rbd",
            "volumeName": object::name(from),
        },
    });
    to.create(&PVC, &claim).unwrap();
    stage.settle();
}

/// What the operator's finalizer does: the claim stays until its volume is demoted.
fn hold(cluster: &Cluster) {
    let hold = json!({"metadata": {"finalizers": ["kubernetes.io/pvc-protection", "example.com/hold"]}});
    cluster.merge_patch(&PVC, Some(NS), "data-0", &hold, None).unwrap();
}

/// Ends replication on a cluster that handed over, and lets go of claim and volume.
fn release(stage: &mut Stage, name: &'static str) {
    let cluster = stage.cluster(name).clone();
    cluster.delete(&VOLUME_REPLICATION, Some(NS), "data-0", None).unwrap();
    stage.pass_until(seconds(30), "the replication to go", |stage| {
        !exists(stage.cluster(name), &VOLUME_REPLICATION, NS, "data-0")
    });
    let volume = object::text(&get(&cluster, &PVC, NS, "data-0"), "/spec/volumeName").to_owned();
    let drop = json!({"spec": {"persistentVolumeReclaimPolicy": "Delete"}});
    cluster.merge_patch(&PV, None, &volume, &drop, None).unwrap();
    let kept: Vec<Value> = object::list(&get(&cluster, &PVC, NS, "data-0"), "/metadata/finalizers")
        .iter()
        .filter(|finalizer| *finalizer != "example.com/hold")
        .cloned()
        .collect();
    let free = json!({"metadata": {"finalizers": kept}});
    cluster.merge_patch(&PVC, Some(NS), "data-0", &free, None).unwrap();
    stage.pass_until(seconds(30), "the volume to go", |stage| !exists(stage.cluster(name), &PV, "", &volume));
}

/// An application on c1 whose volume replicates since a while, and its PV.
fn protected(settings: Settings) -> (Stage, Application, Value) {
    let mut stage = Stage::with(settings);
    let app = Application::numbered(0, 1);
    stage.add(&app, "c1");
    stage.settle();
    hold(&stage.c1);
    replicate(&stage.c1, "primary", false);
    wait(&mut stage, "c1", &primary());
    let claim = get(&stage.c1, &PVC, NS, "data-0");
    let volume = get(&stage.c1, &PV, "", object::text(&claim, "/spec/volumeName"));
    let keep = json!({"spec": {"persistentVolumeReclaimPolicy": "Retain"}});
    stage.c1.merge_patch(&PV, None, object::name(&volume), &keep, None).unwrap();
    stage.pass(seconds(90));
    (stage, app, volume)
}

/// The same, after c1 was lost and c2 took over by force.
fn failed_over(settings: Settings) -> (Stage, Application, Value) {
    let (mut stage, app, volume) = protected(settings);
    stage.lose("c1");
    let to = stage.c2.clone();
    restore(&mut stage, &volume, &to);
    hold(&to);
    replicate(&to, "primary", false);
    wait(&mut stage, "c2", &primary());
    stage.decide(&app, &["c1", "c2"]);
    stage.pass(seconds(20));
    (stage, app, volume)
}

#[test]
fn a_first_deployment_syncs_every_interval_and_says_so() {
    let (mut stage, ..) = protected(Settings::recorded());
    let sync_time = |stage: &Stage| {
        let replication = get(&stage.c1, &VOLUME_REPLICATION, NS, "data-0");
        object::text(&replication, "/status/lastSyncTime").to_owned()
    };
    let first = sync_time(&stage);
    stage.pass(seconds(85));
    let second = sync_time(&stage);
    assert!(second > first, "{first} {second}");
    let replication = get(&stage.c1, &VOLUME_REPLICATION, NS, "data-0");
    assert_eq!(condition(&replication, "Validated"), "True/PrerequisiteMet");
    assert_eq!(object::text(&replication, "/status/message"), "volume is marked primary");
    let handle = handle(&stage);
    let storage = stage.storage();
    let (ours, theirs) = (storage.peek("c1", &handle).unwrap(), storage.peek("c2", &handle).unwrap());
    assert_eq!((ours.0, theirs.0), (Role::Primary, Role::Secondary));
    assert!(theirs.1.is_prefix_of(ours.1) && ours.1.len() - theirs.1.len() <= 4 * 60);
}

#[rstest]
#[case::as_recorded(Settings::recorded(), 4)]
#[case::as_csi_addons(Settings::csi_addons(), 17)]
fn a_relocation_loses_nothing(#[case] settings: Settings, #[case] at_most: u64) {
    let (mut stage, app, volume) = protected(settings);
    stage.decide(&app, &[]);
    stage.settle();
    replicate(&stage.c1, "secondary", false);
    let took = wait(&mut stage, "c1", &settled());
    assert!(took <= seconds(at_most), "{took:?}");
    release(&mut stage, "c1");
    let to = stage.c2.clone();
    restore(&mut stage, &volume, &to);
    replicate(&to, "primary", false);
    wait(&mut stage, "c2", &primary());
    stage.decide(&app, &["c2"]);
    let handle = handle(&stage);
    let before = stage.storage().acknowledged(&handle);
    stage.pass(seconds(10));
    let storage = stage.storage();
    assert!(storage.acknowledged(&handle) > before);
    assert_eq!((storage.lost(&handle), storage.writable_on(&handle)), (0, vec!["c2"]));
    assert!(storage.forced(&handle).is_empty());
}

#[rstest]
#[case::as_recorded(Settings::recorded(), settled())]
#[case::as_csi_addons(
    Settings::csi_addons(),
    says("Secondary", "True/Demoted", "True/VolumeDegraded", "True/ResyncTriggered")
)]
fn a_failover_loses_at_most_what_came_after_the_last_sync(
    #[case] settings: Settings,
    #[case] old_primary_shows: (String, [String; 3]),
) {
    let (mut stage, app, volume) = failed_over(settings);
    let handle = handle(&stage);
    let lost = stage.storage().lost(&handle);
    let forced = stage.storage().forced(&handle).to_vec();
    assert_eq!((forced.len(), forced[0].lost, forced[0].site.as_str()), (1, lost, "c2"));
    assert!(lost > 0 && lost <= 4 * 61, "{lost}");

    stage.bring_back("c1");
    stage.decide(&app, &["c2"]);
    stage.settle();
    replicate(&stage.c1, "secondary", true);
    wait(&mut stage, "c1", &old_primary_shows);
    stage.pass_until(seconds(60), "c1 to receive", |stage| stage.storage().receiving("c1", &handle));
    release(&mut stage, "c1");
    assert_eq!(stage.storage().peek("c1", &handle).map(|(role, _)| role), Some(Role::Secondary), "the replica stays");
    stage.pass(seconds(120));

    stage.decide(&app, &[]);
    stage.settle();
    replicate(&stage.c2, "secondary", false);
    wait(&mut stage, "c2", &settled());
    release(&mut stage, "c2");
    let to = stage.c1.clone();
    restore(&mut stage, &volume, &to);
    replicate(&to, "primary", false);
    wait(&mut stage, "c1", &primary());
    assert_eq!(stage.storage().lost(&handle), lost, "the way back loses nothing more");
    assert_eq!(stage.storage().forced(&handle).len(), 1);
}

#[test]
fn a_volume_in_use_is_not_demoted() {
    let (mut stage, app, _) = protected(Settings::recorded());
    replicate(&stage.c1, "secondary", false);
    let refused = says("Primary", "False/FailedToDemote", "True/Error", "False/NotResyncing");
    wait(&mut stage, "c1", &refused);
    let replication = get(&stage.c1, &VOLUME_REPLICATION, NS, "data-0");
    assert!(object::text(&replication, "/status/message").contains("cannot be demoted"));
    stage.decide(&app, &[]);
    wait(&mut stage, "c1", &settled());
}

#[test]
fn copies_that_went_different_ways_need_force() {
    let (mut stage, app, _) = failed_over(Settings::csi_addons());
    stage.bring_back("c1");
    stage.decide(&app, &["c2"]);
    stage.settle();
    replicate(&stage.c1, "secondary", false);
    wait(&mut stage, "c1", &says("Secondary", "False/FailedToResync", "True/Error", "False/FailedToResync"));
    replicate(&stage.c1, "secondary", true);
    wait(&mut stage, "c1", &says("Secondary", "True/Demoted", "True/VolumeDegraded", "True/ResyncTriggered"));
}

#[test]
fn without_a_link_a_demoted_volume_says_that_nothing_comes_in_and_cannot_be_let_go() {
    let (mut stage, app, _) = protected(Settings::csi_addons());
    stage.storage().set_link(false);
    stage.decide(&app, &[]);
    stage.settle();
    replicate(&stage.c1, "secondary", false);
    stage.pass(seconds(60));
    let (state, [completed, degraded, _]) = verdict(&stage.c1);
    assert_eq!(
        (state.as_str(), completed.as_str(), degraded.as_str()),
        ("Secondary", "False/FailedToResync", "True/Error")
    );
    stage.c1.delete(&VOLUME_REPLICATION, Some(NS), "data-0", None).unwrap();
    stage.pass(seconds(30));
    assert!(exists(&stage.c1, &VOLUME_REPLICATION, NS, "data-0"), "its data may be the only copy");
    stage.storage().set_link(true);
    stage.pass_until(seconds(400), "the replication to go", |stage| {
        !exists(&stage.c1, &VOLUME_REPLICATION, NS, "data-0")
    });
}

#[rstest]
#[case::as_recorded(Settings::recorded())]
#[case::as_csi_addons(Settings::csi_addons())]
fn unprotecting_a_primary_removes_the_replica_and_keeps_the_data(#[case] settings: Settings) {
    let (mut stage, ..) = protected(settings);
    stage.c1.delete(&VOLUME_REPLICATION, Some(NS), "data-0", None).unwrap();
    stage.pass(seconds(5));
    let handle = handle(&stage);
    let claim = get(&stage.c1, &PVC, NS, "data-0");
    assert!(!object::has_finalizer(&claim, "replication.storage.openshift.io/pvc-protection"));
    let storage = stage.storage();
    assert_eq!(storage.peek("c1", &handle).map(|(role, _)| role), Some(Role::Plain));
    assert_eq!((storage.peek("c2", &handle), storage.lost(&handle)), (None, 0));
}

#[test]
fn a_replication_without_a_bound_claim_fails_and_is_retried() {
    let mut stage = Stage::new();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NS}});
    stage.c1.create(&NAMESPACE, &namespace).unwrap();
    replicate(&stage.c1, "primary", false);
    wait(&mut stage, "c1", &says("Unknown", "False/FailedToPromote", "True/Error", "False/NotResyncing"));
    stage.add(&Application::numbered(0, 1), "c1");
    wait(&mut stage, "c1", &primary());
}

#[rstest]
#[case("1m", Some(60))]
#[case("1h30m", Some(5400))]
#[case("45s", Some(45))]
#[case("1d", None)]
#[case("", None)]
#[case("0s", None)]
fn intervals_are_go_durations(#[case] text: &str, #[case] expected: Option<u64>) {
    assert_eq!(interval(text), expected.map(seconds));
}
