//! Addresses of VMs, and what they become on the other cluster (spec drpc 8.3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The addresses that VMs have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StaticIpDiscovery {
    /// One entry per VM.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<StaticIpResource>,
}

/// The addresses of one VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaticIpResource {
    /// Its networks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<NetworkAddresses>,
    /// The VM.
    pub resource_ref: ResourceRef,
}

/// Addresses in one network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkAddresses {
    /// Addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// `namespace/name` of the network, or its name in the VM's namespace.
    pub network_name: String,
}

/// An object by kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceRef {
    /// API version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
}

/// The addresses that VMs should get.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaticIpTranslationSpec {
    /// One entry per VM.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip_translations: Vec<StaticIpTranslation>,
}

/// The addresses that one VM should get.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaticIpTranslation {
    /// Its networks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<TranslatedAddresses>,
    /// The VM.
    pub resource_ref: ResourceRef,
}

/// The addresses wanted in one network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TranslatedAddresses {
    /// Addresses, in the order of the discovered ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<TargetIp>,
    /// The network.
    pub network_name: String,
}

/// One address wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetIp {
    /// The address on this cluster.
    #[serde(rename = "targetIP")]
    pub target_ip: String,
}
