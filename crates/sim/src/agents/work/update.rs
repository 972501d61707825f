//! One manifest onto the cluster: OCM's default update strategy.
//!
//! What the manifest says replaces everything but metadata and status; labels, annotations and owners are merged and
//! never removed; nothing is written while manifest and live object are those of the last time (spec hub 8.2).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::resource_meta::ResourceMeta;
use crate::agents::object;
use crate::api::{Api, ApiError, Object, Resource};

/// The owner that the agent puts on what it applies.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub name: String,
    pub uid: String,
}

impl Owner {
    pub fn reference(&self) -> Value {
        json!({
            "apiVersion": "work.open-cluster-management.io/v1",
            "kind": "AppliedManifestWork",
            "name": self.name,
            "uid": self.uid,
        })
    }

    pub fn owns(&self, live: &Value) -> bool {
        object::list(live, "/metadata/ownerReferences").iter().any(|owner| owner["uid"] == self.uid.as_str())
    }

    /// Whether another work claims the object too.
    pub fn shares(&self, live: &Value) -> bool {
        object::list(live, "/metadata/ownerReferences")
            .iter()
            .any(|owner| owner["kind"] == "AppliedManifestWork" && owner["uid"] != self.uid.as_str())
    }

    /// The live object's owners without this one.
    pub fn removed(&self, live: &Value) -> Vec<Value> {
        let others = object::list(live, "/metadata/ownerReferences").iter();
        others.filter(|owner| owner["uid"] != self.uid.as_str()).cloned().collect()
    }
}

/// What was last applied: by object, the manifest's digest and the version that came of it.
#[derive(Debug, Default)]
pub(super) struct LastApplied(BTreeMap<String, (String, String)>);

impl LastApplied {
    /// Brings one manifest onto the cluster; the live object afterwards.
    pub fn update(
        &mut self,
        api: &dyn Api,
        meta: &ResourceMeta,
        manifest: &Value,
        owner: &Owner,
        owned: bool,
    ) -> Result<Arc<Object>, String> {
        let Some(resource) = meta.resource else {
            return Err(format!("this cluster does not serve kind {} of {}/{}", meta.kind, meta.group, meta.version));
        };
        let key = format!("{}/{}/{}/{}", meta.group, resource.plural, meta.namespace, meta.name);
        let digest = digest(manifest, owned);
        let live = match api.see(&resource, meta.namespace(), &meta.name) {
            Ok(live) => self.replaced(api, &resource, &key, &digest, manifest, live, owner, owned),
            Err(ApiError::NotFound) => created(api, &resource, manifest, owner, owned),
            Err(other) => Err(other),
        };
        let live = live.map_err(|refused| refused.to_string())?;
        self.0.insert(key, (digest, object::version(&live).to_owned()));
        Ok(live)
    }

    #[expect(clippy::too_many_arguments, reason = "one call site; a struct would only rename the arguments")]
    fn replaced(
        &self,
        api: &dyn Api,
        resource: &Resource,
        key: &str,
        digest: &str,
        manifest: &Value,
        live: Arc<Object>,
        owner: &Owner,
        owned: bool,
    ) -> Result<Arc<Object>, ApiError> {
        let unchanged = (digest.to_owned(), object::version(&live).to_owned());
        if self.0.get(key) == Some(&unchanged) {
            return Ok(live);
        }
        let wanted = merged(manifest, &live, owner, owned);
        if wanted == *live.value() { Ok(live) } else { api.update(resource, &wanted) }
    }
}

fn created(
    api: &dyn Api,
    resource: &Resource,
    manifest: &Value,
    owner: &Owner,
    owned: bool,
) -> Result<Arc<Object>, ApiError> {
    let mut object = manifest.clone();
    let meta = object::map_at(&mut object, "metadata");
    for set_by_server in ["uid", "resourceVersion", "creationTimestamp", "generation"] {
        meta.remove(set_by_server);
    }
    if owned {
        meta.insert("ownerReferences".into(), json!([owner.reference()]));
    }
    api.create(resource, &object)
}

/// The live object with everything replaced that the manifest decides.
fn merged(manifest: &Value, live: &Value, owner: &Owner, owned: bool) -> Value {
    // The typed appliers of core kinds know which parts a namespace gets from others; all of them.
    let metadata_only = object::text(manifest, "/kind") == "Namespace";
    let mut wanted = if metadata_only { live.clone() } else { manifest.clone() };
    wanted["metadata"] = live["metadata"].clone();
    if !metadata_only {
        match live.get("status") {
            Some(status) => wanted["status"] = status.clone(),
            None => drop(wanted.as_object_mut().and_then(|map| map.remove("status"))),
        }
    }
    for kind in ["labels", "annotations"] {
        let given: Map<String, Value> = manifest["metadata"][kind].as_object().cloned().unwrap_or_default();
        if !given.is_empty() {
            object::map_at(&mut wanted["metadata"], kind).extend(given);
        }
    }
    let owners = match (owned, owner.owns(live)) {
        (true, false) => {
            let mut owners = object::list(live, "/metadata/ownerReferences").to_vec();
            owners.push(owner.reference());
            Some(owners)
        }
        (false, true) => Some(owner.removed(live)),
        _ => None,
    };
    if let Some(owners) = owners {
        wanted["metadata"]["ownerReferences"] = Value::Array(owners);
    }
    wanted
}

fn digest(manifest: &Value, owned: bool) -> String {
    hex(&Sha256::new().chain_update(manifest.to_string()).chain_update([u8::from(owned)]).finalize())
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
