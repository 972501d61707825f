//! Names that are derived from other names. They are wire contract: an installation that is taken over has objects of
//! these names already.
//!
//! Works are `<name>-<namespace>-<type>-mw`, or `<name>-<type>-mw` for cluster-scoped content (spec hub 8.1); views end in
//! `-mcv` (spec hub 9.1). All live in the hub namespace that is named like the cluster.

/// ConfigMap of the hub operator.
pub const HUB_CONFIG_MAP: &str = "ramen-hub-operator-config";
/// ConfigMap of the operator on a managed cluster.
pub const CLUSTER_CONFIG_MAP: &str = "ramen-dr-cluster-operator-config";
/// Key of both ConfigMaps.
pub const CONFIG_KEY: &str = "ramen_manager_config.yaml";
/// Work that installs the operator and its rights on a cluster.
pub const DR_CLUSTER_WORK: &str = "ramen-dr-cluster";
/// Work with the cluster's DRClusterConfig.
pub const DR_CLUSTER_CONFIG_WORK: &str = "drcconfig-mw";
/// Prefix of the ClusterRoles in [`DR_CLUSTER_WORK`].
pub const AGENT_ROLE_PREFIX: &str = "open-cluster-management:klusterlet-work-sa:agent:";
/// OLM group in [`DR_CLUSTER_WORK`].
pub const OPERATOR_GROUP: &str = "ramen-operator-group";
/// OLM subscription in [`DR_CLUSTER_WORK`].
pub const CLUSTER_SUBSCRIPTION: &str = "ramen-dr-cluster-subscription";
/// OCM add-on that installs VolSync.
pub const VOLSYNC_ADDON: &str = "volsync";
/// CRD whose presence turns replication of groups on.
pub const VGR_CRD: &str = "volumegroupreplications.replication.storage.openshift.io";
/// CRD whose presence selects the public API of group snapshots.
pub const VGS_CRD_PUBLIC: &str = "volumegroupsnapshots.groupsnapshot.storage.k8s.io";
/// CRD whose presence selects the private API of group snapshots.
pub const VGS_CRD_PRIVATE: &str = "volumegroupsnapshots.groupsnapshot.storage.openshift.io";

/// Longest name of a label value, hence of a group.
const LABEL_LIMIT: usize = 63;

/// Work with the VRG of a DRPC.
#[must_use]
pub fn vrg_manifest_work(drpc: &str, vrg_namespace: &str) -> String {
    format!("{drpc}-{vrg_namespace}-vrg-mw")
}

/// Work with a namespace that a DRPC needs on a cluster.
#[must_use]
pub fn namespace_manifest_work(drpc: &str, namespace: &str) -> String {
    format!("{drpc}-{namespace}-ns-mw")
}

/// Work with the recipe of a DRPC.
#[must_use]
pub fn recipe_manifest_work(drpc: &str, vrg_namespace: &str) -> String {
    format!("{drpc}-{vrg_namespace}-recipe-mw")
}

/// Work with a MaintenanceMode; `id` is the mode's name: the replication id where that is one.
#[must_use]
pub fn maintenance_mode_manifest_work(id: &str) -> String {
    format!("{id}-mmode-mw")
}

/// Work with the NetworkFence of `cluster`, written for `peer`; `class` is empty for the unnamed entry.
#[must_use]
pub fn network_fence_manifest_work(cluster: &str, class: &str, peer: &str) -> String {
    if class.is_empty() { format!("{cluster}-{peer}-nf-mw") } else { format!("{cluster}-{class}-{peer}-nf-mw") }
}

/// NetworkFence of `cluster`; `class` is empty for the unnamed entry.
#[must_use]
pub fn network_fence(class: &str, cluster: &str) -> String {
    if class.is_empty() { format!("network-fence-{cluster}") } else { format!("network-fence-{class}-{cluster}") }
}

/// View of the VRG of a DRPC.
#[must_use]
pub fn vrg_view(drpc: &str, vrg_namespace: &str) -> String {
    format!("{drpc}-{vrg_namespace}-vrg-mcv")
}

/// View of a namespace, shared by all DRPCs.
#[must_use]
pub fn namespace_view(namespace: &str) -> String {
    format!("{namespace}-ns-mcv")
}

/// View of a recipe, shared by all DRPCs.
#[must_use]
pub fn recipe_view(recipe: &str, namespace: &str) -> String {
    format!("{recipe}-{namespace}-recipe-mcv")
}

/// View of a cluster's DRClusterConfig.
#[must_use]
pub fn dr_cluster_config_view(cluster: &str) -> String {
    format!("{cluster}-drcconfig-mcv")
}

/// View of a MaintenanceMode.
#[must_use]
pub fn maintenance_mode_view(id: &str) -> String {
    format!("{id}-mmode-mcv")
}

/// The mode's name in the name of its view; `None` for a view of something else.
#[must_use]
pub fn maintenance_mode_of_view(view: &str) -> Option<&str> {
    view.strip_suffix("-mmode-mcv")
}

/// View of a NetworkFence.
#[must_use]
pub fn network_fence_view(fence: &str) -> String {
    format!("{fence}-nf-mcv")
}

/// View of a CRD.
#[must_use]
pub fn crd_view(crd: &str) -> String {
    format!("{crd}-crd-mcv")
}

/// The kinds of classes that the hub reads one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClassKind {
    /// StorageClass.
    Storage,
    /// VolumeSnapshotClass.
    Snapshot,
    /// VolumeGroupSnapshotClass.
    GroupSnapshot,
    /// VolumeReplicationClass.
    Replication,
    /// VolumeGroupReplicationClass.
    GroupReplication,
    /// NetworkFenceClass.
    NetworkFence,
}

/// View of a class.
#[must_use]
pub fn class_view(kind: ClassKind, class: &str) -> String {
    let suffix = match kind {
        ClassKind::Storage => "sc",
        ClassKind::Snapshot => "vsc",
        ClassKind::GroupSnapshot => "vgsc",
        ClassKind::Replication => "vrc",
        ClassKind::GroupReplication => "vgrc",
        ClassKind::NetworkFence => "nfc",
    };
    format!("{class}-{suffix}-mcv")
}

/// The clone of a user's PlacementRule, for a DRPC without a preferred cluster.
#[must_use]
pub fn cloned_placement_rule(drpc: &str, namespace: &str) -> String {
    format!("drpc-plrule-{drpc}-{namespace}")
}

/// The n-th PlacementDecision of a Placement; n counts from 1.
#[must_use]
pub fn placement_decision(placement: &str, n: u32) -> String {
    format!("{placement}-decision-{n}")
}

/// VolSync's secret on the hub.
#[must_use]
pub fn volsync_hub_secret(drpc: &str) -> String {
    format!("{drpc}-vs-secret-hub")
}

/// VolSync's secret on the clusters.
#[must_use]
pub fn volsync_secret(vrg: &str) -> String {
    format!("{vrg}-vs-secret")
}

/// VolumeGroupReplication of a group of claims that is not shared: the label's value and the VRG's name in lower
/// case, cut to the length of a label value (spec vrg 3.5.1).
#[must_use]
pub fn volume_group_replication(group_label: &str, vrg: &str) -> String {
    cut(&format!("vgr-{}-{}", group_label.to_lowercase(), vrg.to_lowercase()))
}

/// The shared group of a group replication id: value of the label and name of the one VolumeGroupReplication.
#[must_use]
pub fn global_group(group_replication_id: &str) -> String {
    cut(&format!("global-{}", group_replication_id.to_lowercase()))
}

/// Snapshot of a claim in a test failover.
#[must_use]
pub fn dry_run_snapshot(pvc: &str) -> String {
    format!("{pvc}-snapshot")
}

/// ConfigMap with the static IPs that a restore writes.
#[must_use]
pub fn resource_modifier(vrg: &str) -> String {
    format!("{vrg}-resource-modifier")
}

/// Velero Backup and BackupStorageLocation of one group of a capture in one store (spec kube-objects 0).
#[must_use]
pub fn capture(vrg_namespace: &str, vrg: &str, number: u8, group: &str, s3_profile: &str) -> String {
    format!("{vrg_namespace}--{vrg}--{number}--{group}--{s3_profile}")
}

/// Velero Restore of one step of a recovery.
#[must_use]
pub fn recovery(vrg_namespace: &str, vrg: &str, step: usize) -> String {
    format!("{vrg_namespace}--{vrg}--{step}")
}

/// PlacementBinding that carries a secret to clusters; the governance Policy itself is named like the secret.
#[must_use]
pub fn secret_placement_binding(secret: &str) -> String {
    format!("plbinding-{secret}")
}

/// PlacementRule that carries a secret to clusters.
#[must_use]
pub fn secret_placement_rule(secret: &str) -> String {
    format!("plrule-{secret}")
}

/// ConfigurationPolicy in the governance Policy that carries a secret to clusters.
#[must_use]
pub fn secret_configuration_policy(secret: &str) -> String {
    format!("cfg-policy-{secret}")
}

/// Secret in Velero's form for an S3 secret.
#[must_use]
pub fn velero_secret(s3_secret: &str) -> String {
    format!("v{s3_secret}")
}

fn cut(name: &str) -> String {
    let short: String = name.chars().take(LABEL_LIMIT).collect();
    short.trim_end_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_an_existing_installation() {
        assert_eq!(vrg_manifest_work("app-000", "ns"), "app-000-ns-vrg-mw");
        assert_eq!(namespace_manifest_work("app-000", "ns"), "app-000-ns-ns-mw");
        assert_eq!(vrg_view("app-000", "ns"), "app-000-ns-vrg-mcv");
        assert_eq!(class_view(ClassKind::Replication, "vrc-1m"), "vrc-1m-vrc-mcv");
        assert_eq!(network_fence_manifest_work("c1", "", "c2"), "c1-c2-nf-mw");
        assert_eq!(capture("ns", "vrg", 0, "", "s3"), "ns--vrg--0----s3");
        assert_eq!(maintenance_mode_of_view(&maintenance_mode_view("rid-1")), Some("rid-1"));
    }

    #[test]
    fn a_group_name_fits_a_label_and_does_not_end_in_a_dash() {
        let id = format!("{}-tail", "X".repeat(55));
        assert_eq!(global_group(&id), format!("global-{}", "x".repeat(55)));
        assert_eq!(volume_group_replication("G1", "App"), "vgr-g1-app");
    }
}
