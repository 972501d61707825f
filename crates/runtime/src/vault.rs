//! The values of watched Secrets: in memory, for the clients of stores, and nowhere else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ramen_events::BlobId;
use serde_json::Value;

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hidden(Vec<u8>);

impl Hidden {
    /// The value, for the one who has to send it.
    pub(crate) fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

type Name = (String, String);

/// The values of all watched Secrets, by namespace and name.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    secrets: Mutex<BTreeMap<Name, BTreeMap<String, Hidden>>>,
}

impl Vault {
    /// Learns a Secret as the API server shows it.
    pub(crate) fn learn(&self, secret: &Value) {
        let Some(name) = name_of(secret) else { return };
        let encoded = secret.get("data").and_then(Value::as_object);
        let values = encoded
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), Hidden(BASE64_STANDARD.decode(value.as_str()?).ok()?))))
            .collect();
        self.lock().insert(name, values);
    }

    /// Forgets a Secret that is gone.
    pub(crate) fn forget(&self, secret: &Value) {
        if let Some(name) = name_of(secret) {
            self.lock().remove(&name);
        }
    }

    /// Forgets what a complete list of `namespace` (`None`: of all namespaces) does not show.
    pub(crate) fn keep_only(&self, namespace: Option<&str>, shown: &BTreeSet<Name>) {
        self.lock().retain(|name, _| shown.contains(name) || namespace.is_some_and(|namespace| name.0 != namespace));
    }

    /// One value.
    pub(crate) fn value(&self, namespace: &str, name: &str, key: &str) -> Option<Hidden> {
        self.lock().get(&(namespace.to_owned(), name.to_owned()))?.get(key).cloned()
    }

    /// Tells whether a Secret changed without telling what it says.
    pub(crate) fn digest(&self, namespace: &str, name: &str) -> Option<BlobId> {
        let secrets = self.lock();
        let values = secrets.get(&(namespace.to_owned(), name.to_owned()))?;
        let mut bytes = Vec::new();
        for (key, value) in values {
            for part in [key.as_bytes(), value.reveal()] {
                bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                bytes.extend_from_slice(part);
            }
        }
        Some(BlobId::of(&bytes))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, BTreeMap<String, Hidden>>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Namespace and name of an object.
pub(crate) fn name_of(object: &Value) -> Option<Name> {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
    Some((text("/metadata/namespace").unwrap_or_default(), text("/metadata/name")?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret(name: &str, value: &str) -> Value {
        json!({ "metadata": { "namespace": "ns", "name": name }, "data": { "key": BASE64_STANDARD.encode(value) } })
    }

    #[test]
    fn values_are_kept_but_never_shown() {
        let vault = Vault::default();
        vault.learn(&secret("s3", "hunter2"));
        assert_eq!(vault.value("ns", "s3", "key").unwrap().reveal(), b"hunter2");
        assert!(!format!("{vault:?}").contains("hunter2"));
        let before = vault.digest("ns", "s3");
        vault.learn(&secret("s3", "hunter3"));
        assert_ne!(vault.digest("ns", "s3"), before);
    }

    #[test]
    fn a_list_of_one_namespace_says_nothing_about_others() {
        let vault = Vault::default();
        vault.learn(&secret("s3", "x"));
        vault.keep_only(Some("elsewhere"), &BTreeSet::new());
        assert!(vault.digest("ns", "s3").is_some());
        vault.keep_only(Some("ns"), &BTreeSet::new());
        assert!(vault.digest("ns", "s3").is_none());
    }
}
