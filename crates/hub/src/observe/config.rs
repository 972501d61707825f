//! The operator's ConfigMap, and Secrets by digest.

use ramen_api::ramen::{
    RamenConfig,
    config::{ConfigError, Role},
    wire::name,
};
use ramen_events::{
    BlobId,
    hub::{Config, ConfigFact, Fact, Profile, SecretFact},
};
use serde_json::Value;

use crate::fields::{map, text};

/// The operator's own ConfigMap; others in its namespace tell nothing.
pub fn config_map(object: &Value, namespace: &str) -> Option<Fact> {
    if text(object, "/metadata/name") != name::HUB_CONFIG_MAP || text(object, "/metadata/namespace") != namespace {
        return None;
    }
    let data = map(object, "/data");
    let config = match data.get(name::CONFIG_KEY) {
        None => {
            Err(format!("key {} is missing; add it, or delete the ConfigMap to have it made anew", name::CONFIG_KEY))
        }
        Some(yaml) => {
            RamenConfig::parse(Role::Hub, yaml).map(|config| read(config, namespace)).map_err(|err| words(&err))
        }
    };
    Some(Fact::Config(ConfigFact { namespace: namespace.to_owned(), name: name::HUB_CONFIG_MAP.to_owned(), config }))
}

fn words(err: &ConfigError) -> String {
    let cause = std::error::Error::source(err).map(|cause| format!(" ({cause})")).unwrap_or_default();
    format!("{err}{cause}; {}", err.remedy())
}

fn read(config: RamenConfig, namespace: &str) -> Config {
    let filled = |text: String| if text.is_empty() { namespace.to_owned() } else { text };
    let profiles = config.s3_store_profiles.into_iter().map(|profile| Profile {
        name: profile.s3_profile_name,
        endpoint: profile.s3_compatible_endpoint,
        bucket: profile.s3_bucket,
        region: profile.s3_region,
        secret_namespace: filled(profile.s3_secret_ref.namespace),
        secret: profile.s3_secret_ref.name,
        ca_certificates: profile.ca_certificates.unwrap_or_default(),
    });
    Config {
        profiles: profiles.collect(),
        ops_namespace: config.ramen_ops_namespace,
        automation: config.dr_cluster_operator.deployment_automation_enabled,
        distribution: config.dr_cluster_operator.s3_secret_distribution_enabled,
        vol_sync_disabled: config.vol_sync.disabled,
    }
}

/// A Secret: its values never leave this function, save as a digest.
pub fn secret(object: &Value) -> Fact {
    let data = map(object, "/data");
    let mut bytes = Vec::new();
    for (key, value) in &data {
        for part in [key, value] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    Fact::Secret(SecretFact {
        namespace: text(object, "/metadata/namespace"),
        name: text(object, "/metadata/name"),
        digest: BlobId::of(&bytes).to_string(),
        keys: data.into_keys().collect(),
    })
}
