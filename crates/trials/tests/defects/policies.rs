//! Policies and DRClusters: what they publish, and how long they stay.

use ramen_api::{kinds, ramen::wire::finalizer};
use ramen_events::{Kind, hub};
use ramen_ports::{Effect, Target};
use serde_json::json;

use crate::defect::{Defect, SOUND};

/// Lets an object go, whoever refers to it.
fn let_go(resource: &'static ramen_api::kinds::Resource, name: &str) -> Effect {
    let target = Target { resource, namespace: String::new(), name: name.to_owned() };
    Effect::Merge { target, body: json!({"metadata": {"finalizers": null}}) }
}

pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "policy let go too early",
        what: "the policy's finalizer is taken off while DRPCs refer to it",
        rules: &["HS10 what is referred to stays"],
        act: |done| {
            if let Some(hub::Command::WritePolicyStatus { policy, .. }) = done.hub() {
                let effect = let_go(&kinds::DR_POLICY, policy);
                done.effects.push(effect);
            }
        },
        ..SOUND
    },
    Defect {
        name: "DRCluster let go too early",
        what: "the DRCluster's finalizer is taken off while policies list it",
        rules: &["HS10 what is referred to stays", "HS10 a DRCluster goes last"],
        act: |done| {
            if let Some(hub::Command::WriteClusterStatus { cluster, .. }) = done.hub() {
                let effect = let_go(&kinds::DR_CLUSTER, cluster);
                done.effects.push(effect);
            }
        },
        ..SOUND
    },
    Defect {
        name: "DRCluster never let go",
        what: "the DRCluster's finalizer stays when nothing refers to it any more",
        rules: &["L1 every action ends"],
        act: |done| {
            if let Some(hub::Command::PatchMeta(patch)) = done.hub()
                && patch.kind == Kind::DrCluster
                && patch.finalizers.as_ref().is_some_and(|all| !all.iter().any(|one| one == finalizer::DR_CLUSTER))
            {
                done.effects.clear();
            }
        },
        ..SOUND
    },
    Defect {
        name: "policy valid without classes",
        what: "a policy says that it is valid and publishes nothing",
        rules: &["HS3 valid means usable"],
        act: |done| {
            for body in done.writes("DRPolicy") {
                body["status"]["async"] = json!({"peerClasses": []});
            }
        },
        ..SOUND
    },
    Defect {
        name: "classes forgotten",
        what: "what a policy published is replaced by something else right after",
        rules: &["HS5 classes stay published"],
        act: |done| {
            let Some(hub::Command::WritePolicyStatus { policy, status, .. }) = done.hub() else { return };
            if !status.asynchronous.is_empty() {
                let (resource, name) = (&kinds::DR_POLICY, policy.clone());
                let target = Target { resource, namespace: String::new(), name };
                let ids: Vec<_> = status.asynchronous.iter().flat_map(|class| class.cluster_ids.clone()).collect();
                let class = json!({"storageClassName": "other", "clusterIDs": ids});
                let other = json!({"status": {"async": {"peerClasses": [class]}}});
                done.effects.push(Effect::MergeStatus { target, body: other });
            }
        },
        ..SOUND
    },
    Defect {
        name: "classes of other clusters",
        what: "peer classes name clusters that nobody has",
        rules: &["HS2 classes pair the policy's clusters"],
        act: |done| {
            for body in done.writes("DRPolicy") {
                for class in body["status"]["async"]["peerClasses"].as_array_mut().into_iter().flatten() {
                    class["clusterIDs"] = json!(["some-cluster", "another-cluster"]);
                }
            }
        },
        ..SOUND
    },
];
