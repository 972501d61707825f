//! The operator's configuration, and the stores that it names.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Key;
use crate::BlobId;

/// The operator's ConfigMap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Config {
    /// Namespace and name of the ConfigMap.
    pub key: Key,
    /// Why it can't be used, with the key and value at fault; then the rest is empty.
    pub error: Option<String>,
    /// The S3 stores.
    pub profiles: Vec<Profile>,
    /// Whether claims that are deselected or deleted are released.
    pub unprotect_volumes: bool,
    /// Whether VolSync is off.
    pub volsync_disabled: bool,
}

impl Config {
    /// The profile of this name; the first one wins (spec spoke-config 4.1).
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.store.name == name)
    }
}

/// An S3 store profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Profile {
    /// How to reach the store.
    pub store: Store,
    /// What is wrong with the profile itself, naming field and value; empty when nothing is.
    pub problem: String,
}

/// How to reach an S3 store; the credentials are in the Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
pub struct Store {
    /// Name of the profile.
    pub name: String,
    /// Endpoint URL.
    pub endpoint: String,
    /// Bucket.
    pub bucket: String,
    /// Region.
    pub region: String,
    /// The Secret with the credentials.
    pub secret: Key,
    /// PEM certificates of the store's authority, as a blob.
    pub ca_certificates: Option<BlobId>,
}

/// A Secret, of which no more than this is ever known here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct SecretSeen {
    /// Namespace and name.
    pub key: Key,
    /// Changes when the content does.
    pub digest: Option<BlobId>,
    /// Keys of S3 credentials that it lacks.
    pub missing_keys: Vec<String>,
}
