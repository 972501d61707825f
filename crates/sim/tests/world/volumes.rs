//! Provisioning, binding, releasing: what kube-controller-manager and a CSI driver do about claims.

use ramen_sim::agents::object;
use ramen_sim::api::Api;
use ramen_sim::kinds::{POD, PV, PVC};
use serde_json::{Value, json};

use crate::stage::{Stage, exists, get};

fn claim(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "lab-rbd",
            "volumeMode": "Filesystem",
        },
    })
}

fn phase(object: &Value) -> &str {
    object::text(object, "/status/phase")
}

#[test]
fn a_claim_gets_a_volume_shaped_as_in_the_recording() {
    let mut stage = Stage::new();
    stage.c1.create(&PVC, &claim("data")).unwrap();
    stage.settle();
    let claim = get(&stage.c1, &PVC, "default", "data");
    let uid = object::uid(&claim);
    assert_eq!(phase(&claim), "Bound");
    assert_eq!(claim["status"]["capacity"]["storage"], "1Gi");
    assert_eq!(
        claim["metadata"]["annotations"],
        json!({
            "pv.kubernetes.io/bind-completed": "yes",
            "pv.kubernetes.io/bound-by-controller": "yes",
            "volume.beta.kubernetes.io/storage-provisioner": "lab.rbd.csi",
            "volume.kubernetes.io/storage-provisioner": "lab.rbd.csi",
        })
    );
    assert_eq!(claim["metadata"]["finalizers"], json!(["kubernetes.io/pvc-protection"]));
    let volume = get(&stage.c1, &PV, "", &format!("pvc-{uid}"));
    assert_eq!(phase(&volume), "Bound");
    assert_eq!(volume["metadata"]["finalizers"], json!(["kubernetes.io/pv-protection"]));
    assert_eq!(volume["spec"]["csi"]["volumeHandle"], format!("0001-lab-c1-{uid}"));
    assert_eq!(volume["spec"]["claimRef"]["uid"], uid);
}

#[test]
fn deleting_a_claim_deletes_its_volume_and_its_data() {
    let mut stage = Stage::new();
    stage.c1.create(&PVC, &claim("data")).unwrap();
    stage.settle();
    let volume = object::text(&get(&stage.c1, &PVC, "default", "data"), "/spec/volumeName").to_owned();
    let handle = object::text(&get(&stage.c1, &PV, "", &volume), "/spec/csi/volumeHandle").to_owned();
    stage.c1.delete(&PVC, Some("default"), "data", None).unwrap();
    stage.settle();
    assert!(!exists(&stage.c1, &PVC, "default", "data"));
    assert!(!exists(&stage.c1, &PV, "", &volume));
    assert_eq!(stage.storage().peek("c1", &handle), None);
}

#[test]
fn a_kept_volume_is_released_and_its_data_stays() {
    let mut stage = Stage::new();
    stage.c1.create(&PVC, &claim("data")).unwrap();
    stage.settle();
    let volume = object::text(&get(&stage.c1, &PVC, "default", "data"), "/spec/volumeName").to_owned();
    let keep = json!({"spec": {"persistentVolumeReclaimPolicy": "Retain"}});
    stage.c1.merge_patch(&PV, None, &volume, &keep, None).unwrap();
    stage.c1.delete(&PVC, Some("default"), "data", None).unwrap();
    stage.settle();
    assert_eq!(phase(&get(&stage.c1, &PV, "", &volume)), "Released");
    assert_eq!(stage.storage().handles().count(), 1);
}

#[test]
fn a_claim_in_use_is_protected_until_its_pod_is_gone() {
    let mut stage = Stage::new();
    stage.c1.create(&PVC, &claim("data")).unwrap();
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "user", "namespace": "default"},
        "spec": {
            "nodeName": "node-c1",
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "c", "image": "i"}],
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}],
        },
    });
    stage.c1.create(&POD, &pod).unwrap();
    stage.settle();
    assert_eq!(phase(&get(&stage.c1, &POD, "default", "user")), "Running");
    stage.c1.delete(&PVC, Some("default"), "data", None).unwrap();
    stage.settle();
    assert!(object::deleting(&get(&stage.c1, &PVC, "default", "data")));
    stage.c1.delete(&POD, Some("default"), "user", None).unwrap();
    stage.settle();
    assert!(!exists(&stage.c1, &PVC, "default", "data"));
}

#[test]
fn a_restored_pair_is_bound_to_each_other() {
    let mut stage = Stage::new();
    let volume = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "pvc-old", "annotations": {"pv.kubernetes.io/provisioned-by": "lab.rbd.csi"}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "claimRef": {"kind": "PersistentVolumeClaim", "namespace": "default", "name": "data"},
            "csi": {"driver": "lab.rbd.csi", "volumeHandle": "0001-lab-c1-old"},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "lab-rbd",
        },
    });
    stage.c2.create(&PV, &volume).unwrap();
    stage.settle();
    assert_eq!(phase(&get(&stage.c2, &PV, "", "pvc-old")), "Available");
    let mut restored = claim("data");
    restored["spec"]["volumeName"] = json!("pvc-old");
    stage.c2.create(&PVC, &restored).unwrap();
    stage.settle();
    let claim = get(&stage.c2, &PVC, "default", "data");
    assert_eq!(phase(&claim), "Bound");
    assert_eq!(claim["metadata"]["annotations"], json!({"pv.kubernetes.io/bind-completed": "yes"}));
    let volume = get(&stage.c2, &PV, "", "pvc-old");
    assert_eq!((phase(&volume), object::text(&volume, "/spec/claimRef/uid")), ("Bound", object::uid(&claim)));
}

#[test]
fn a_claim_that_names_a_missing_volume_waits_and_one_that_lost_its_volume_says_so() {
    let mut stage = Stage::new();
    let mut waiting = claim("waiting");
    waiting["spec"]["volumeName"] = json!("pvc-none");
    stage.c1.create(&PVC, &waiting).unwrap();
    stage.c1.create(&PVC, &claim("data")).unwrap();
    stage.settle();
    assert_eq!(phase(&get(&stage.c1, &PVC, "default", "waiting")), "Pending");
    let volume = object::text(&get(&stage.c1, &PVC, "default", "data"), "/spec/volumeName").to_owned();
    stage.c1.delete(&PV, None, &volume, None).unwrap();
    let free = json!({"metadata": {"finalizers": null}});
    stage.c1.merge_patch(&PV, None, &volume, &free, None).unwrap();
    stage.settle();
    assert_eq!(phase(&get(&stage.c1, &PVC, "default", "data")), "Lost");
}
