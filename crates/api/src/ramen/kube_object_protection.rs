//! What is captured of an application beside its volumes.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// Which objects are captured, how, and how often.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeObjectProtectionSpec {
    /// Time between captures, as in `5m0s`; five minutes if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "duration"))]
    pub capture_interval: Option<String>,
    /// Selects the objects; all of the namespaces if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::label_selector")]
    pub kube_object_selector: Option<LabelSelector>,
    /// Values for the recipe's parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recipe_parameters: BTreeMap<String, Vec<String>>,
    /// The recipe to follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe_ref: Option<RecipeRef>,
}

/// A recipe by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecipeRef {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// The capture that a recovery would use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeObjectProtectionStatus {
    /// Absent until a capture was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture_to_recover_from: Option<CaptureIdentifier>,
}

/// One capture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaptureIdentifier {
    /// When it was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Time>,
    /// Its number, 0 or 1.
    pub number: i64,
    /// The VRG's generation when it was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_generation: Option<i64>,
    /// When it was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
}
