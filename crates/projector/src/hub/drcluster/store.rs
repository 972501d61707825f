//! The cluster's S3 store: asked when anything about it changes, after failures with growing patience, and every ten
//! minutes (spec hub 3.3 step 5; 13, H19).

use ramen_api::ramen::wire::{NO_S3, reason};
use ramen_events::{
    Command, Time,
    hub::{self, Profile},
};

use crate::domain::Decision;

use super::{Cluster, Unmet, unmet, waiting};

/// Pause between probes of a store that works, in seconds.
const PERIOD: u64 = 600;
/// Pause after the first failure, in seconds; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: u64 = 5;
/// Longest pause between probes of a store that fails, in seconds.
const LONGEST_PAUSE: u64 = 60;

/// Whether the store can be used, as far as the last probe told.
pub fn check(cluster: &Cluster<'_>, decision: &mut Decision) -> Result<(), Unmet> {
    let name = &cluster.fact.profile;
    if name == NO_S3 {
        return Ok(());
    }
    let Ok(config) = cluster.hub.config() else { return Ok(()) };
    let Some(profile) = config.profile(name) else {
        let text = format!(
            "spec.s3ProfileName: {name} is not among s3StoreProfiles of the operator's ConfigMap; add the profile there"
        );
        return Err(unmet(reason::S3_CONNECTION_FAILED, text));
    };
    well_formed(profile).map_err(|why| unmet(reason::S3_CONNECTION_FAILED, why))?;
    let Some(secret) = cluster.hub.secret_digest(profile) else {
        return Err(unmet(reason::S3_CONNECTION_FAILED, without_secret(cluster, profile)));
    };
    let known =
        cluster.hub.stores.get(name).filter(|store| store.key.profile == *profile && store.key.secret == secret);
    let due = known.map_or(Time(0), |store| match store.failures {
        0 => store.at.plus_seconds(PERIOD),
        n => store.at.plus_seconds((FIRST_PAUSE << n.saturating_sub(1).min(8)).min(LONGEST_PAUSE)),
    });
    if due <= cluster.ask.now {
        let command = hub::Command::ProbeStore {
            profile: profile.clone(),
            secret: secret.to_owned(),
            prefix: format!("/{}", cluster.name),
        };
        decision.want(format!("store/{name}"), Command::Hub(command));
    } else {
        decision.ask_again(due, format!("store {name} is due to be probed"));
    }
    match known {
        None => Err(waiting(reason::INITIALIZING, format!("waiting for the first answer of store {name}"))),
        Some(store) => match &store.error {
            None => Ok(()),
            Some((word, message)) => Err(explain(profile, word, message)),
        },
    }
}

/// The first version of the deciders that says where Secrets are looked for.
const WHERE_SINCE: u32 = 14;

/// What to do about a store whose Secret is not known: only those of the operator's own namespace are (spec hub 13, H24).
fn without_secret(cluster: &Cluster<'_>, profile: &Profile) -> String {
    let Profile { name, secret, secret_namespace, .. } = profile;
    let own = cluster.hub.config.as_ref().map(|config| config.namespace.as_str()).unwrap_or_default();
    if cluster.ask.decider >= WHERE_SINCE && secret_namespace != own {
        return format!(
            "s3ProfileName {name}: Secret {secret_namespace}/{secret} cannot be read: the operator reads those of namespace \
             {own} only; put it there, and set s3SecretRef.namespace of the profile to {own}"
        );
    }
    format!(
        "s3ProfileName {name}: Secret {secret_namespace}/{secret} is not there; create it with keys AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY"
    )
}

/// Whether the profile could lead to a store at all (spec s3 4.1).
fn well_formed(profile: &Profile) -> Result<(), String> {
    let name = &profile.name;
    let fault = |field: &str, value: &str, remedy: &str| {
        Err(format!("s3StoreProfiles[{name}].{field}: \"{value}\" cannot be used; {remedy}"))
    };
    let endpoint = &profile.endpoint;
    let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    if host.is_none_or(str::is_empty) {
        return fault("s3CompatibleEndpoint", endpoint, "write the store's URL, http(s)://host:port");
    }
    if profile.bucket.is_empty() {
        return fault("s3Bucket", "", "name a bucket that exists");
    }
    if profile.secret.is_empty() {
        return fault("s3SecretRef.name", "", "name the Secret with the credentials");
    }
    Ok(())
}

/// The wire's reason for how a probe failed, in words that name field, value and remedy.
fn explain(profile: &Profile, word: &str, message: &str) -> Unmet {
    let Profile { name, bucket, endpoint, region, secret, secret_namespace, .. } = profile;
    // Failures to connect say their word in the text too.
    let message = message.strip_prefix(word).map_or(message, |rest| rest.trim_start_matches([':', ' ']));
    match word {
        "NoSuchBucket" | "NotFound" => unmet(
            reason::S3_BUCKET_NOT_FOUND,
            format!(
                "s3StoreProfiles[{name}].s3Bucket: {bucket} does not exist at {endpoint} ({message}); create the \
                 bucket or correct the name"
            ),
        ),
        "MissingSecret" | "ConnectionFailed" | "Timeout" => unmet(
            reason::S3_CONNECTION_FAILED,
            format!(
                "s3StoreProfiles[{name}]: no connection to s3CompatibleEndpoint {endpoint} with Secret \
                 {secret_namespace}/{secret} ({word}: {message}); correct the URL or bring the store up"
            ),
        ),
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "AccessDenied" | "Forbidden" => unmet(
            reason::S3_LIST_FAILED,
            format!(
                "s3StoreProfiles[{name}]: bucket {bucket} at {endpoint} refuses the credentials in Secret \
                 {secret_namespace}/{secret} ({word}: {message}); correct them or allow them to list the bucket"
            ),
        ),
        _ => unmet(
            reason::S3_LIST_FAILED,
            format!(
                "s3StoreProfiles[{name}]: bucket {bucket} at {endpoint}, s3Region \"{region}\", cannot be listed \
                 ({word}: {message})"
            ),
        ),
    }
}
