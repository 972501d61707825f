//! The CRDs of our own kinds, as they are installed.

use std::path::{Path, PathBuf};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube_core::CustomResourceExt as _;

use crate::ramen;

/// First lines of each file.
const HEADER: &str = "# Written by `cargo xtask crds` from the types in crates/api; edit those.\n";

/// Which operator serves a kind, and so needs its CRD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The hub operator.
    Hub,
    /// The operator on managed clusters.
    Spoke,
}

/// A CRD of ours and who serves it.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnCrd {
    /// Who serves the kind.
    pub side: Side,
    /// The manifest.
    pub crd: CustomResourceDefinition,
}

impl OwnCrd {
    /// Name of the manifest's file, `group_plural.yaml`.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}_{}.yaml", self.crd.spec.group, self.crd.spec.names.plural)
    }

    /// Path of the manifest's file below the folder of all CRDs.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let folder = match self.side {
            Side::Hub => "hub",
            Side::Spoke => "spoke",
        };
        Path::new(folder).join(self.file_name())
    }

    /// The file's content.
    ///
    /// # Errors
    /// When a manifest can't be written as YAML, which would be a bug.
    pub fn to_yaml(&self) -> Result<String, serde_norway::Error> {
        Ok(format!("{HEADER}{}", serde_norway::to_string(&self.crd)?))
    }
}

/// The nine CRDs of Ramen's group that this project defines: three for the hub, six for managed clusters.
#[must_use]
pub fn own_crds() -> Vec<OwnCrd> {
    let hub =
        [ramen::drpc::DrPlacementControl::crd(), ramen::drpolicy::DrPolicy::crd(), ramen::drcluster::DrCluster::crd()];
    let spoke = [
        ramen::vrg::VolumeReplicationGroup::crd(),
        ramen::protected_vrg_list::ProtectedVolumeReplicationGroupList::crd(),
        ramen::maintenance_mode::MaintenanceMode::crd(),
        ramen::drclusterconfig::DrClusterConfig::crd(),
        ramen::replication_group_source::ReplicationGroupSource::crd(),
        ramen::replication_group_destination::ReplicationGroupDestination::crd(),
    ];
    let of = |side| move |crd| OwnCrd { side, crd: as_upstream(crd) };
    hub.into_iter().map(of(Side::Hub)).chain(spoke.into_iter().map(of(Side::Spoke))).collect()
}

/// The times that upstream writes as `null` where it has none; nothing else may be `null`.
const NULLABLE: &[&str] = &[
    "VolumeReplicationGroup.status.lastUpdateTime",
    "VolumeReplicationGroup.status.kubeObjectProtection.captureToRecoverFrom.endTime",
    "VolumeReplicationGroup.status.kubeObjectProtection.captureToRecoverFrom.startTime",
    "ProtectedVolumeReplicationGroupList.status.items[].status.lastUpdateTime",
    "ProtectedVolumeReplicationGroupList.status.items[].status.kubeObjectProtection.captureToRecoverFrom.endTime",
    "ProtectedVolumeReplicationGroupList.status.items[].status.kubeObjectProtection.captureToRecoverFrom.startTime",
];

/// What the derives can't be told: an optional field is absent rather than `null`, and `spec` may be absent (for what
/// then happens see `absent_spec`).
fn as_upstream(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let kind = crd.spec.names.kind.clone();
    for version in &mut crd.spec.versions {
        if let Some(root) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) {
            root.required = None;
            set_nullable(&kind, root);
        }
    }
    crd
}

/// Takes `null` away, which the derives allow in each `Option`, and allows it where the table says so.
fn set_nullable(path: &str, schema: &mut JSONSchemaProps) {
    schema.nullable = NULLABLE.contains(&path).then_some(true);
    if let Some(words) = &mut schema.enum_ {
        words.retain(|word| !word.0.is_null());
    }
    for (name, property) in schema.properties.iter_mut().flatten() {
        set_nullable(&format!("{path}.{name}"), property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        set_nullable(&format!("{path}[]"), items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        set_nullable(&format!("{path}{{}}"), values);
    }
}
