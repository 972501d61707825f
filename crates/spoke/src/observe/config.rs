//! The operator's configuration and the secrets that it names.

use base64::Engine as _;
use ramen_api::ramen::{
    config::{RamenConfig, Role, S3StoreProfile},
    wire::{name, s3_secret_key},
};
use ramen_events::{
    BlobId,
    spoke::{Config, Fact, Key, Profile, SecretSeen, Store},
};
use ramen_ports::Observation;
use serde_json::Value;

use super::with_blobs;
use crate::fields::{key, text};

/// The ConfigMap of the operator in its own namespace; others tell nothing.
pub fn config_map(object: &Value, namespace: &str) -> Option<Observation> {
    let key = key(object);
    if key.namespace != namespace || key.name != name::CLUSTER_CONFIG_MAP {
        return None;
    }
    let mut blobs = Vec::new();
    let config = match RamenConfig::parse(Role::Cluster, &text(object, &format!("/data/{}", name::CONFIG_KEY))) {
        Ok(config) => Config {
            error: None,
            profiles: config.s3_store_profiles.iter().map(|p| profile(p, namespace, &mut blobs)).collect(),
            unprotect_volumes: config.volume_unprotection_enabled,
            volsync_disabled: config.vol_sync.disabled,
            key,
        },
        Err(error) => Config {
            error: Some(format!("{error} ({})", error.remedy())),
            profiles: Vec::new(),
            unprotect_volumes: false,
            volsync_disabled: false,
            key,
        },
    };
    Some(with_blobs(Fact::Config(config), blobs))
}

fn profile(profile: &S3StoreProfile, namespace: &str, blobs: &mut Vec<Vec<u8>>) -> Profile {
    let mut problem = String::new();
    let mut lacks = |field: &str, value: &str, why: &str| {
        if problem.is_empty() {
            problem = format!("{field} {value:?} of S3 profile {:?} {why}", profile.s3_profile_name);
        }
    };
    if profile.s3_bucket.is_empty() {
        lacks("s3Bucket", "", "must name a bucket");
    }
    let endpoint = &profile.s3_compatible_endpoint;
    if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
        lacks("s3CompatibleEndpoint", endpoint, "must be a URL that begins with http:// or https://");
    }
    if profile.s3_secret_ref.name.is_empty() {
        lacks("s3SecretRef.name", "", "must name a Secret");
    }
    let ca_certificates = profile.ca_certificates.as_deref().and_then(|encoded| {
        match base64::engine::general_purpose::STANDARD.decode(encoded.split_whitespace().collect::<String>()) {
            Ok(pem) => {
                let id = BlobId::of(&pem);
                blobs.push(pem);
                Some(id)
            }
            Err(_) => {
                lacks("caCertificates", "…", "must be base64");
                None
            }
        }
    });
    let secret = &profile.s3_secret_ref;
    let secret_namespace = if secret.namespace.is_empty() { namespace } else { &secret.namespace };
    Profile {
        store: Store {
            name: profile.s3_profile_name.clone(),
            endpoint: endpoint.clone(),
            bucket: profile.s3_bucket.clone(),
            region: profile.s3_region.clone(),
            secret: Key::new(secret_namespace, &secret.name),
            ca_certificates,
        },
        problem,
    }
}

/// A Secret: that it is there, whether it could be S3 credentials, and whether it changed. Never what it holds.
pub fn secret(object: &Value) -> Option<Fact> {
    let data = object.pointer("/data").or_else(|| object.pointer("/stringData"));
    let missing_keys = [s3_secret_key::ACCESS_KEY_ID, s3_secret_key::SECRET_ACCESS_KEY]
        .into_iter()
        .filter(|name| data.and_then(|data| data.get(name)).and_then(Value::as_str).is_none_or(str::is_empty))
        .map(str::to_owned)
        .collect();
    let digest = data.map(|data| BlobId::of(data.to_string().as_bytes()));
    Some(Fact::Secret(SecretSeen { key: key(object), digest, missing_keys }))
}
