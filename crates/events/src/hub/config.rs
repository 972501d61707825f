//! The hub operator's own configuration.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The ConfigMap of the hub operator.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct ConfigFact {
    /// Its namespace: the operator's own.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What it says, or why it can't be used, with what to do about it.
    pub config: Result<Config, String>,
}

/// The configuration in force, defaults filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Config {
    /// The stores, in order.
    pub profiles: Vec<Profile>,
    /// `ramenOpsNamespace`; empty for none.
    pub ops_namespace: String,
    /// `drClusterOperator.deploymentAutomationEnabled`.
    pub automation: bool,
    /// `drClusterOperator.s3SecretDistributionEnabled`.
    pub distribution: bool,
    /// `volSync.disabled`.
    pub vol_sync_disabled: bool,
}

impl Config {
    /// A store by name; the first one wins.
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }
}

/// How to reach a store. The credentials are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
pub struct Profile {
    /// `s3ProfileName`.
    pub name: String,
    /// `s3CompatibleEndpoint`.
    pub endpoint: String,
    /// `s3Bucket`.
    pub bucket: String,
    /// `s3Region`.
    pub region: String,
    /// Namespace of the Secret, filled in.
    pub secret_namespace: String,
    /// Name of the Secret.
    pub secret: String,
    /// `caCertificates`: a PEM bundle in base64; empty when absent.
    pub ca_certificates: String,
}

/// A Secret: never more than its name and a digest of its values.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct SecretFact {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Digest of its values.
    pub digest: String,
    /// Names of its keys, in order.
    pub keys: Vec<String>,
}
