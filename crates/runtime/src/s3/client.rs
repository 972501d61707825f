//! The client of one store.

use std::time::Duration;

use aws_sdk_s3::{
    Client, Config,
    config::{
        BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
        retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use aws_smithy_http_client::{
    Builder,
    tls::{self, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use ramen_ports::StoreProfile;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::failure::Failure;
use crate::vault::{Hidden, Vault};

/// Keys of the Secret that holds a store's credentials (spec spoke-config 4.1).
const ACCESS_KEY: &str = "AWS_ACCESS_KEY_ID";
const SECRET_KEY: &str = "AWS_SECRET_ACCESS_KEY";

/// How long a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// Attempts per call: one repetition covers a connection that the store closed while it was idle.
const ATTEMPTS: u32 = 2;

/// Makes the client of a store with the credentials that the vault holds now.
///
/// Path style, static credentials; checksums only where S3 requires them, since older stores know none.
pub(crate) fn make(profile: &StoreProfile, vault: &Vault, limit: Duration) -> Result<Client, Failure> {
    let access = credential(profile, vault, ACCESS_KEY)?;
    let secret = credential(profile, vault, SECRET_KEY)?;
    let text = |value: Hidden, key| {
        String::from_utf8(value.reveal().to_vec()).map(|text| text.trim().to_owned()).map_err(|_| bad(profile, key))
    };
    let credentials =
        Credentials::new(text(access, ACCESS_KEY)?, text(secret, SECRET_KEY)?, None, None, "watched secret");
    if profile.bucket.is_empty() {
        return Err(Failure::unsent("MissingBucket", format!("store profile {} names no bucket", profile.name)));
    }
    let endpoint = endpoint(profile)?;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_LIMIT)
        .operation_attempt_timeout(limit / 2)
        .operation_timeout(limit)
        .build();
    let http = if endpoint.starts_with("https:") {
        let context = TlsContext::builder().with_trust_store(trust(profile)?).build();
        let context = context.map_err(|err| Failure::unsent("BadCertificate", err.to_string()))?;
        Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).tls_context(context).build_https()
    } else {
        Builder::new().build_http()
    };
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region(profile)))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .credentials_provider(credentials)
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build();
    Ok(Client::from_conf(config))
}

fn credential(profile: &StoreProfile, vault: &Vault, key: &str) -> Result<Hidden, Failure> {
    let value = vault.value(&profile.secret_namespace, &profile.secret_name, key);
    value.filter(|value| !value.reveal().is_empty()).ok_or_else(|| {
        let StoreProfile { name, secret_namespace, secret_name, .. } = profile;
        let message = format!("store profile {name} needs key {key} of secret {secret_namespace}/{secret_name}");
        Failure::unsent("MissingSecret", message)
    })
}

fn bad(profile: &StoreProfile, key: &str) -> Failure {
    let StoreProfile { secret_namespace, secret_name, .. } = profile;
    Failure::unsent("BadSecret", format!("key {key} of secret {secret_namespace}/{secret_name} is no text"))
}

/// The endpoint as a URL; one without a scheme is taken to speak TLS.
fn endpoint(profile: &StoreProfile) -> Result<String, Failure> {
    let given = profile.endpoint.trim();
    let url = if given.contains("://") { given.to_owned() } else { format!("https://{given}") };
    match url.parse::<http::Uri>() {
        Ok(uri) if !given.is_empty() && uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https")) => {
            Ok(url)
        }
        _ => Err(Failure::unsent("BadEndpoint", format!("{given:?} of store profile {} is no URL", profile.name))),
    }
}

/// Signatures need a region; stores that have none accept any.
fn region(profile: &StoreProfile) -> String {
    if profile.region.is_empty() { "us-east-1".to_owned() } else { profile.region.clone() }
}

/// The system's authorities and the profile's own. They are read here first, since the client takes bad ones badly.
fn trust(profile: &StoreProfile) -> Result<TrustStore, Failure> {
    if profile.ca_certificates.is_empty() {
        return Ok(TrustStore::default());
    }
    let refuse = |why: String| {
        Failure::unsent("BadCertificate", format!("CA certificates of store profile {}: {why}", profile.name))
    };
    let mut known = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&profile.ca_certificates) {
        known.add(certificate.map_err(|err| refuse(err.to_string()))?).map_err(|err| refuse(err.to_string()))?;
    }
    if known.is_empty() {
        return Err(refuse("there is none in it".to_owned()));
    }
    Ok(TrustStore::default().with_pem_certificate(profile.ca_certificates.clone()))
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn profile(endpoint: &str, ca: &[u8]) -> StoreProfile {
        StoreProfile {
            name: "s3-c1".to_owned(),
            endpoint: endpoint.to_owned(),
            bucket: "bucket".to_owned(),
            region: String::new(),
            secret_namespace: "ramen-system".to_owned(),
            secret_name: "s3".to_owned(),
            ca_certificates: ca.to_vec(),
        }
    }

    fn vault(keys: &[&str]) -> Vault {
        let vault = Vault::default();
        let data: serde_json::Map<_, _> =
            keys.iter().map(|key| ((*key).to_owned(), json!(BASE64_STANDARD.encode("value")))).collect();
        vault.learn(&json!({ "metadata": { "namespace": "ramen-system", "name": "s3" }, "data": data }));
        vault
    }

    #[rstest]
    #[case::plain("http://10.0.0.1:9000", "", &[ACCESS_KEY, SECRET_KEY], None)]
    #[case::one_key_missing("http://10.0.0.1:9000", "", &[ACCESS_KEY], Some("MissingSecret"))]
    #[case::no_endpoint("", "", &[ACCESS_KEY, SECRET_KEY], Some("BadEndpoint"))]
    #[case::strange_scheme("ftp://x", "", &[ACCESS_KEY, SECRET_KEY], Some("BadEndpoint"))]
    #[case::no_certificate_in_it("https://s3", "hello", &[ACCESS_KEY, SECRET_KEY], Some("BadCertificate"))]
    #[case::no_certificate_at_all(
        "https://s3",
        "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
        &[ACCESS_KEY, SECRET_KEY],
        Some("BadCertificate")
    )]
    fn what_is_missing_has_a_name(
        #[case] endpoint: &str,
        #[case] ca: &str,
        #[case] keys: &[&str],
        #[case] reason: Option<&str>,
    ) {
        let made = make(&profile(endpoint, ca.as_bytes()), &vault(keys), Duration::from_secs(1));
        let failure = made.err();
        assert_eq!(failure.as_ref().map(|failure| failure.reason.as_str()), reason);
        assert!(!format!("{failure:?}").contains("value"));
    }
}
