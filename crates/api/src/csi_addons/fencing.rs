//! Fencing: cutting a cluster off from its storage, and the addresses by which it reaches it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::SecretReference;

use crate::kinds;
use crate::ramen::wire::state::ClusterFence;
use crate::rest::{foreign_object, foreign_part};

foreign_object! {
    /// Cuts addresses off from a driver's storage.
    NetworkFence is kinds::NETWORK_FENCE, cluster;
    /// What is wanted.
    #[serde(default)]
    spec: NetworkFenceSpec,
    /// What was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<NetworkFenceStatus>,
}

foreign_part! {
    /// What is wanted.
    NetworkFenceSpec;
    /// Address ranges.
    #[serde(default)]
    cidrs: Vec<String>,
    /// The driver, where there is no class.
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<String>,
    /// Fenced or not.
    #[serde(default)]
    fence_state: ClusterFence,
    /// The class.
    #[serde(skip_serializing_if = "Option::is_none")]
    network_fence_class_name: Option<String>,
    /// Parameters, where there is no class.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<String, String>,
    /// Credentials, where there is no class.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<SecretReference>,
}

foreign_part! {
    /// What was done.
    NetworkFenceStatus;
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// `Succeeded` or `Failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
}

foreign_object! {
    /// A driver's endpoint with add-on features, on one node.
    CsiAddonsNode is kinds::CSI_ADDONS_NODE, namespaced;
    /// The endpoint.
    #[serde(default)]
    spec: CsiAddonsNodeSpec,
    /// What it can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<CsiAddonsNodeStatus>,
}

foreign_part! {
    /// The endpoint.
    CsiAddonsNodeSpec;
    /// The driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<CsiAddonsDriver>,
}

foreign_part! {
    /// A driver on a node.
    CsiAddonsDriver;
    /// Address of the endpoint.
    #[serde(default)]
    endpoint: String,
    /// Name of the driver.
    #[serde(default)]
    name: String,
    /// The node.
    #[serde(rename = "nodeID", default)]
    node_id: String,
}

foreign_part! {
    /// What an endpoint can do.
    CsiAddonsNodeStatus;
    /// Features.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    capabilities: Vec<String>,
    /// The node's addresses, by fence class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    network_fence_client_status: Vec<FenceClientStatus>,
}

foreign_part! {
    /// The node's addresses as one class sees them.
    FenceClientStatus;
    /// The addresses (the capital letter is wire contract).
    #[serde(rename = "ClientDetails", default)]
    client_details: Vec<FenceClient>,
    /// The class.
    #[serde(default)]
    network_fence_class_name: String,
}

foreign_part! {
    /// One client of the storage.
    FenceClient;
    /// Address ranges.
    #[serde(default)]
    cidrs: Vec<String>,
    /// Identity.
    #[serde(default)]
    id: String,
}
