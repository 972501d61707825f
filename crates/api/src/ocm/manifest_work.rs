//! ManifestWork: objects that the hub wants on a cluster, and what became of them.
//!
//! The work agent applies the manifests and may report values of the live objects: `manifestConfigs` name JSON paths,
//! `status.resourceStatus` carries their values (spec hub 8.2).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use serde_json::Value;

use crate::kinds;
use crate::rest::{foreign_object, foreign_part};
use crate::text_enum::text_enum;

foreign_object! {
    /// Objects that the hub wants on the cluster whose namespace this is in.
    ManifestWork is kinds::MANIFEST_WORK, namespaced;
    /// What is wanted.
    #[serde(default)]
    spec: ManifestWorkSpec,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<ManifestWorkStatus>,
}

foreign_part! {
    /// What is wanted on the cluster.
    ManifestWorkSpec;
    /// What remains when the work is deleted; absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_option: Option<DeleteOption>,
    /// As whom the agent writes; absent: as itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    executor: Option<Value>,
    /// What to report of single manifests, and how to update them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    manifest_configs: Vec<ManifestConfig>,
    /// The manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<Workload>,
}

impl ManifestWorkSpec {
    /// The manifests, in order.
    #[must_use]
    pub fn manifests(&self) -> &[Value] {
        self.workload.as_ref().map_or(&[], |workload| &workload.manifests)
    }
}

foreign_part! {
    /// The manifests.
    Workload;
    /// Whole objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    manifests: Vec<Value>,
}

foreign_part! {
    /// What happens to the objects when the work goes.
    DeleteOption;
    /// Delete them, or leave all or some.
    #[serde(skip_serializing_if = "Option::is_none")]
    propagation_policy: Option<Propagation>,
    /// What to leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    selectively_orphans: Option<Value>,
}

text_enum! {
    /// What happens to the objects of a deleted work.
    listed enum Propagation {
        /// They are deleted, and awaited.
        Foreground = "Foreground",
        /// They stay.
        Orphan = "Orphan",
        /// Some stay.
        SelectivelyOrphan = "SelectivelyOrphan",
    }
}

foreign_part! {
    /// What to report of one manifest, and how to update it.
    ManifestConfig;
    /// Which object.
    resource_identifier: ResourceIdentifier,
    /// What to report. Older CRDs require the list.
    #[serde(default)]
    feedback_rules: Vec<FeedbackRule>,
    /// How to notice changes. Older CRDs drop the field, which means [`FeedbackScrapeType::Poll`].
    #[serde(skip_serializing_if = "Option::is_none")]
    feedback_scrape_type: Option<FeedbackScrapeType>,
    /// How to write the object; absent: replace what differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    update_strategy: Option<UpdateStrategy>,
}

foreign_part! {
    /// An object by resource and name.
    ResourceIdentifier;
    /// API group; empty for the core group.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Name.
    name: String,
    /// Namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// Plural.
    resource: String,
}

foreign_part! {
    /// Values to report.
    FeedbackRule;
    /// How they are found.
    r#type: FeedbackType,
    /// Where they are found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    json_paths: Vec<JsonPath>,
}

text_enum! {
    /// How reported values are found.
    listed enum FeedbackType {
        /// Built into the agent, for common kinds.
        WellKnownStatus = "WellKnownStatus",
        /// By JSON paths.
        JsonPaths = "JSONPaths",
    }
}

text_enum! {
    /// How the agent notices that a reported value changed.
    listed enum FeedbackScrapeType {
        /// It looks every ten seconds or so.
        Poll = "Poll",
        /// It watches the object; an agent allows 50 watches unless told otherwise, then it polls.
        Watch = "Watch",
    }
}

foreign_part! {
    /// A value to report.
    JsonPath;
    /// Its name in the report.
    name: String,
    /// Where it is, as in `.status.state`; only scalars are reported.
    path: String,
    /// API version to read the object in.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

foreign_part! {
    /// How an object is written.
    UpdateStrategy;
    /// The strategy.
    r#type: UpdateStrategyType,
    /// Settings of server-side apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_side_apply: Option<Value>,
}

text_enum! {
    /// How an object is written.
    listed enum UpdateStrategyType {
        /// Replace what differs, merge labels and annotations.
        Update = "Update",
        /// Create it, then leave it alone.
        CreateOnly = "CreateOnly",
        /// Server-side apply.
        ServerSideApply = "ServerSideApply",
        /// Never write it, only report.
        ReadOnly = "ReadOnly",
    }
}

foreign_part! {
    /// What became of the work.
    ManifestWorkStatus;
    /// `Applied`, `Available`, and `Deleting` at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<Condition>,
    /// What became of each manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_status: Option<ResourceStatus>,
}

foreign_part! {
    /// What became of the manifests.
    ResourceStatus;
    /// One entry per manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    manifests: Vec<ManifestCondition>,
}

foreign_part! {
    /// What became of one manifest.
    ManifestCondition;
    /// `Applied`, `Available`, `StatusFeedbackSynced`.
    #[serde(default)]
    conditions: Vec<Condition>,
    /// Which one.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_meta: Option<ManifestResourceMeta>,
    /// Reported values.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_feedback: Option<StatusFeedback>,
}

foreign_part! {
    /// A manifest by position, kind and name.
    ManifestResourceMeta;
    /// API group.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// Position in the work, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    ordinal: Option<i32>,
    /// Plural.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    /// API version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

foreign_part! {
    /// Reported values.
    StatusFeedback;
    /// The values; one that the object lacks is missing here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<FeedbackValue>,
}

impl StatusFeedback {
    /// The value of a name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&FieldValue> {
        self.values.iter().find(|value| value.name == name).map(|value| &value.field_value)
    }

    /// The text of a name; `None` also where the value is no text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name)?.string.as_deref()
    }

    /// The number of a name; `None` also where the value is no number.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.value(name)?.integer
    }
}

foreign_part! {
    /// A reported value.
    FeedbackValue;
    /// The name that its rule gave it.
    name: String,
    /// The value.
    field_value: FieldValue,
}

foreign_part! {
    /// A scalar of the type it says.
    FieldValue;
    /// Which of the fields is set.
    r#type: FieldValueType,
    /// A boolean.
    #[serde(skip_serializing_if = "Option::is_none")]
    boolean: Option<bool>,
    /// A number.
    #[serde(skip_serializing_if = "Option::is_none")]
    integer: Option<i64>,
    /// A text.
    #[serde(skip_serializing_if = "Option::is_none")]
    string: Option<String>,
}

text_enum! {
    /// The type of a reported value.
    listed enum FieldValueType {
        /// A number.
        Integer = "Integer",
        /// A text.
        String = "String",
        /// A boolean.
        Boolean = "Boolean",
    }
}

foreign_object! {
    /// The agent's record, on the cluster, of a work that it applied.
    AppliedManifestWork is kinds::APPLIED_MANIFEST_WORK, cluster;
    /// Which work.
    #[serde(default)]
    spec: AppliedManifestWorkSpec,
    /// What was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<AppliedManifestWorkStatus>,
}

foreign_part! {
    /// Which work is applied.
    AppliedManifestWorkSpec;
    /// Identity of the hub.
    #[serde(default)]
    hub_hash: String,
    /// Identity of the agent.
    #[serde(rename = "agentID", skip_serializing_if = "Option::is_none")]
    agent_id: Option<String>,
    /// Name of the work.
    #[serde(default)]
    manifest_work_name: String,
}

foreign_part! {
    /// What was applied.
    AppliedManifestWorkStatus;
    /// The objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    applied_resources: Vec<AppliedResource>,
    /// Since when the work is missing on the hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    eviction_start_time: Option<Time>,
}

foreign_part! {
    /// An object that was applied.
    AppliedResource;
    /// API group.
    #[serde(default)]
    group: String,
    /// Name.
    #[serde(default)]
    name: String,
    /// Namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// Plural.
    #[serde(default)]
    resource: String,
    /// UID.
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    /// API version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}
