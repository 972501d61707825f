//! CRDs of foreign kinds, for the simulated API servers and for tests on real ones.
//!
//! Names, scope, short names, columns and subresources are those of the projects that own the kinds. Schemas take
//! anything: their validation is not ours to repeat. The exception is ManifestWork, whose pruning of unknown fields
//! decides what the hub may ask for (see [`WorkCrd`]).

mod manifest_work;

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, CustomResourceDefinitionNames,
    CustomResourceDefinitionSpec, CustomResourceDefinitionVersion, CustomResourceSubresourceStatus,
    CustomResourceSubresources, CustomResourceValidation, JSONSchemaProps,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::kinds::{self, Resource};

/// Which ManifestWork CRD a hub has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkCrd {
    /// Knows `feedbackScrapeType`, so agents can be asked to watch.
    WithScrapeType,
    /// Older: drops the field, so agents poll.
    WithoutScrapeType,
}

/// The CRDs of all foreign kinds; ManifestWork in its newer form.
#[must_use]
pub fn foreign_crds() -> Vec<CustomResourceDefinition> {
    let anything = || anything("Defined elsewhere; takes any content.");
    let mut crds: Vec<_> = ROWS.iter().map(|row| row.crd(&anything)).collect();
    crds.push(manifest_work_crd(WorkCrd::WithScrapeType));
    crds
}

/// The CRD of ManifestWork.
#[must_use]
pub fn manifest_work_crd(form: WorkCrd) -> CustomResourceDefinition {
    Row::of(&kinds::MANIFEST_WORK).crd(&|| manifest_work::schema(form))
}

/// What distinguishes one CRD from another.
struct Row {
    resource: &'static Resource,
    /// Versions served beside the resource's own, which is the stored one.
    older: &'static [&'static str],
    short: &'static [&'static str],
    status: bool,
    /// Name, type, path.
    columns: &'static [(&'static str, &'static str, &'static str)],
}

impl Row {
    /// A kind with a status and nothing special.
    const fn of(resource: &'static Resource) -> Self {
        Self { resource, older: &[], short: &[], status: true, columns: &[] }
    }

    fn crd(&self, schema: &dyn Fn() -> JSONSchemaProps) -> CustomResourceDefinition {
        let Resource { group, version, kind, plural, namespaced } = *self.resource;
        CustomResourceDefinition {
            metadata: ObjectMeta {
                name: Some(self.resource.crd_name()),
                annotations: approval(group),
                ..ObjectMeta::default()
            },
            spec: CustomResourceDefinitionSpec {
                group: group.to_owned(),
                names: CustomResourceDefinitionNames {
                    kind: kind.to_owned(),
                    list_kind: Some(format!("{kind}List")),
                    plural: plural.to_owned(),
                    short_names: (!self.short.is_empty()).then(|| self.short.iter().map(ToString::to_string).collect()),
                    singular: Some(kind.to_lowercase()),
                    ..CustomResourceDefinitionNames::default()
                },
                scope: if namespaced { "Namespaced" } else { "Cluster" }.to_owned(),
                versions: std::iter::once(version)
                    .chain(self.older.iter().copied())
                    .map(|name| self.version(name, name == version, schema()))
                    .collect(),
                ..CustomResourceDefinitionSpec::default()
            },
            status: None,
        }
    }

    fn version(&self, name: &str, storage: bool, schema: JSONSchemaProps) -> CustomResourceDefinitionVersion {
        let columns = self.columns.iter().map(|(name, type_, json_path)| CustomResourceColumnDefinition {
            name: (*name).to_owned(),
            type_: (*type_).to_owned(),
            json_path: (*json_path).to_owned(),
            ..CustomResourceColumnDefinition::default()
        });
        CustomResourceDefinitionVersion {
            name: name.to_owned(),
            served: true,
            storage,
            schema: Some(CustomResourceValidation { open_api_v3_schema: Some(schema) }),
            subresources: self.status.then(|| CustomResourceSubresources {
                scale: None,
                status: Some(CustomResourceSubresourceStatus(serde_json::json!({}))),
            }),
            additional_printer_columns: (!self.columns.is_empty()).then(|| columns.collect()),
            ..CustomResourceDefinitionVersion::default()
        }
    }
}

/// API servers take CRDs of Kubernetes' own groups only with a word on their approval.
fn approval(group: &str) -> Option<BTreeMap<String, String>> {
    let protected = group.ends_with(".k8s.io") || group.ends_with(".kubernetes.io");
    let word = ("api-approved.kubernetes.io".to_owned(), "unapproved, a stand-in for tests".to_owned());
    protected.then(|| BTreeMap::from([word]))
}

fn anything(description: &str) -> JSONSchemaProps {
    JSONSchemaProps {
        description: Some(description.to_owned()),
        type_: Some("object".to_owned()),
        x_kubernetes_preserve_unknown_fields: Some(true),
        ..JSONSchemaProps::default()
    }
}

const AGE: (&str, &str, &str) = ("Age", "date", ".metadata.creationTimestamp");

const ROWS: &[Row] = &[
    Row::of(&kinds::RECIPE),
    Row::of(&kinds::APPLIED_MANIFEST_WORK),
    Row::of(&kinds::MANAGED_CLUSTER_VIEW),
    Row {
        short: &["mcl", "mcls"],
        columns: &[
            ("Hub Accepted", "boolean", ".spec.hubAcceptsClient"),
            ("Managed Cluster URLs", "string", ".spec.managedClusterClientConfigs[*].url"),
            ("Joined", "string", r#".status.conditions[?(@.type=="ManagedClusterJoined")].status"#),
            ("Available", "string", r#".status.conditions[?(@.type=="ManagedClusterConditionAvailable")].status"#),
            AGE,
        ],
        ..Row::of(&kinds::MANAGED_CLUSTER)
    },
    Row { status: false, ..Row::of(&kinds::CLUSTER_CLAIM) },
    Row {
        columns: &[
            ("Succeeded", "string", r#".status.conditions[?(@.type=="PlacementSatisfied")].status"#),
            ("Reason", "string", r#".status.conditions[?(@.type=="PlacementSatisfied")].reason"#),
            ("SelectedClusters", "string", ".status.numberOfSelectedClusters"),
        ],
        ..Row::of(&kinds::PLACEMENT)
    },
    Row::of(&kinds::PLACEMENT_DECISION),
    Row { columns: &[AGE, ("Replicas", "integer", ".spec.clusterReplicas")], ..Row::of(&kinds::PLACEMENT_RULE) },
    Row {
        short: &["plc"],
        columns: &[
            ("Remediation action", "string", ".spec.remediationAction"),
            ("Compliance state", "string", ".status.compliant"),
            AGE,
        ],
        ..Row::of(&kinds::POLICY)
    },
    Row { short: &["pb"], ..Row::of(&kinds::PLACEMENT_BINDING) },
    Row::of(&kinds::MANAGED_CLUSTER_ADDON),
    Row { short: &["appset", "appsets"], ..Row::of(&kinds::APPLICATION_SET) },
    Row::of(&kinds::SUBSCRIPTION),
    Row {
        short: &["vr"],
        columns: &[
            AGE,
            ("volumeReplicationClass", "string", ".spec.volumeReplicationClass"),
            ("pvcName", "string", ".spec.dataSource.name"),
            ("desiredState", "string", ".spec.replicationState"),
            ("currentState", "string", ".status.state"),
        ],
        ..Row::of(&kinds::VOLUME_REPLICATION)
    },
    Row {
        short: &["vrc"],
        columns: &[("provisioner", "string", ".spec.provisioner")],
        ..Row::of(&kinds::VOLUME_REPLICATION_CLASS)
    },
    Row::of(&kinds::VOLUME_GROUP_REPLICATION),
    Row::of(&kinds::VOLUME_GROUP_REPLICATION_CLASS),
    Row::of(&kinds::VOLUME_GROUP_REPLICATION_CONTENT),
    Row {
        columns: &[
            ("namespace", "string", ".metadata.namespace"),
            AGE,
            ("DriverName", "string", ".spec.driver.name"),
            ("Endpoint", "string", ".spec.driver.endpoint"),
            ("NodeID", "string", ".spec.driver.nodeID"),
        ],
        ..Row::of(&kinds::CSI_ADDONS_NODE)
    },
    Row::of(&kinds::NETWORK_FENCE),
    Row::of(&kinds::NETWORK_FENCE_CLASS),
    Row {
        columns: &[
            ("Source", "string", ".spec.sourcePVC"),
            ("Last sync", "string", ".status.lastSyncTime"),
            ("Duration", "string", ".status.lastSyncDuration"),
            ("Next sync", "string", ".status.nextSyncTime"),
        ],
        ..Row::of(&kinds::REPLICATION_SOURCE)
    },
    Row {
        columns: &[
            ("Last sync", "string", ".status.lastSyncTime"),
            ("Duration", "string", ".status.lastSyncDuration"),
            ("Next sync", "string", ".status.nextSyncTime"),
        ],
        ..Row::of(&kinds::REPLICATION_DESTINATION)
    },
    Row { short: &["svcex"], columns: &[AGE], ..Row::of(&kinds::SERVICE_EXPORT) },
    Row {
        columns: &[
            ("ReadyToUse", "boolean", ".status.readyToUse"),
            ("SourcePVC", "string", ".spec.source.persistentVolumeClaimName"),
            ("SourceSnapshotContent", "string", ".spec.source.volumeSnapshotContentName"),
            ("RestoreSize", "string", ".status.restoreSize"),
            ("SnapshotClass", "string", ".spec.volumeSnapshotClassName"),
            ("SnapshotContent", "string", ".status.boundVolumeSnapshotContentName"),
            ("CreationTime", "date", ".status.creationTime"),
            AGE,
        ],
        ..Row::of(&kinds::VOLUME_SNAPSHOT)
    },
    Row { status: false, columns: CLASS_COLUMNS, ..Row::of(&kinds::VOLUME_SNAPSHOT_CLASS) },
    Row {
        older: &["v1beta1"],
        short: &["vgs"],
        columns: &[
            ("ReadyToUse", "boolean", ".status.readyToUse"),
            ("VolumeGroupSnapshotClass", "string", ".spec.volumeGroupSnapshotClassName"),
            ("VolumeGroupSnapshotContent", "string", ".status.boundVolumeGroupSnapshotContentName"),
            ("CreationTime", "date", ".status.creationTime"),
            AGE,
        ],
        ..Row::of(&kinds::VOLUME_GROUP_SNAPSHOT)
    },
    Row {
        older: &["v1beta1"],
        short: &["vgsclass", "vgsclasses"],
        status: false,
        columns: CLASS_COLUMNS,
        ..Row::of(&kinds::VOLUME_GROUP_SNAPSHOT_CLASS)
    },
    Row { status: false, columns: CLASS_COLUMNS, ..Row::of(&kinds::VOLUME_GROUP_SNAPSHOT_CLASS_PRIVATE) },
    Row { short: &["net-attach-def"], status: false, ..Row::of(&kinds::NETWORK_ATTACHMENT_DEFINITION) },
    Row { status: false, ..Row::of(&kinds::VELERO_BACKUP) },
    Row {
        short: &["bsl"],
        status: false,
        columns: &[
            ("Phase", "string", ".status.phase"),
            ("Last Validated", "date", ".status.lastValidationTime"),
            AGE,
            ("Default", "boolean", ".spec.default"),
        ],
        ..Row::of(&kinds::VELERO_BACKUP_STORAGE_LOCATION)
    },
    Row { status: false, ..Row::of(&kinds::VELERO_RESTORE) },
];

const CLASS_COLUMNS: &[(&str, &str, &str)] =
    &[("Driver", "string", ".driver"), ("DeletionPolicy", "string", ".deletionPolicy"), AGE];
