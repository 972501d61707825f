//! The S3 stores of a VRG, each on its own: what one does never holds up another (spec vrg V17).

use ramen_api::ramen::wire;
use ramen_events::{
    Outcome,
    spoke::{Store, Vrg},
};

use super::view::View;
use crate::spoke::Spoke;

/// A store that a VRG names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreRef<'a> {
    /// Name of the profile.
    pub name: &'a str,
    /// How to reach it, or why that is not known: what is wrong and what to do.
    pub store: Result<&'a Store, String>,
}

/// The stores that a VRG names, in its order, each once. The name that means "no store" is left out.
pub fn of<'a>(state: &'a Spoke, vrg: &'a Vrg) -> Vec<StoreRef<'a>> {
    let mut found: Vec<StoreRef<'a>> = Vec::new();
    for name in &vrg.spec.s3_profiles {
        if name != wire::NO_S3 && !found.iter().any(|store| store.name == name) {
            found.push(StoreRef { name, store: resolve(state, name) });
        }
    }
    found
}

fn resolve<'a>(state: &'a Spoke, name: &str) -> Result<&'a Store, String> {
    let config = state.config.as_ref().ok_or_else(|| {
        format!("S3 profile {name:?} can't be looked up: ConfigMap {} is missing", wire::name::CLUSTER_CONFIG_MAP)
    })?;
    if let Some(error) = &config.error {
        return Err(format!("S3 profile {name:?} can't be looked up: ConfigMap {}: {error}", config.key));
    }
    let profile = config.profile(name).ok_or_else(|| {
        format!("S3 profile {name:?} is not among s3StoreProfiles of ConfigMap {}: add it there", config.key)
    })?;
    if !profile.problem.is_empty() {
        return Err(format!("{}: correct it in ConfigMap {}", profile.problem, config.key));
    }
    let secret = &profile.store.secret;
    // Only Secrets of the operator's namespace are watched; credentials elsewhere are found missing when they are used.
    if secret.namespace == config.key.namespace {
        let Some(seen) = state.secrets.get(secret) else {
            return Err(format!("Secret {secret} of S3 profile {name:?} is missing: create it"));
        };
        if !seen.missing_keys.is_empty() {
            let keys = seen.missing_keys.join(", ");
            return Err(format!("Secret {secret} of S3 profile {name:?} lacks {keys}: add it"));
        }
    }
    Ok(&profile.store)
}

/// Why a store did not do what was asked in `slot`; `None` while it was not asked, is being asked, or did it.
pub fn failure(view: &View<'_>, store: &StoreRef<'_>, slot: &str) -> Option<String> {
    match &store.store {
        Err(problem) => Some(problem.clone()),
        Ok(_) => view.failure(slot).map(|failure| format!("S3 profile {:?}: {}", store.name, describe(failure))),
    }
}

fn describe(failure: &Outcome) -> String {
    let text = failure.message().unwrap_or_default();
    match failure {
        Outcome::Refused { reason, .. } if !reason.is_empty() => format!("{reason}: {text}"),
        _ => text.to_owned(),
    }
}
