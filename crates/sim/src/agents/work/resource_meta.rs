//! Which object a manifest is about, as ManifestWork's status names it.

use serde_json::{Value, json};

use crate::agents::object;
use crate::api::{Api, Resource};
use crate::kinds::{self, Discovery};

/// Identity of a manifest's object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResourceMeta {
    pub ordinal: usize,
    pub group: String,
    pub version: String,
    pub kind: String,
    pub name: String,
    pub namespace: String,
    /// The kind as this cluster serves it; `None` if it does not.
    pub resource: Option<Resource>,
}

impl ResourceMeta {
    /// Names the object of a manifest; the cluster is asked how the kind is served.
    pub fn of(api: &dyn Api, served: &Discovery, ordinal: usize, manifest: &Value) -> Self {
        let (group, version) = kinds::group_version(object::text(manifest, "/apiVersion"));
        let kind = object::text(manifest, "/kind");
        Self {
            ordinal,
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            name: object::name(manifest).to_owned(),
            namespace: object::namespace(manifest).to_owned(),
            resource: served.find(api, group, version, kind),
        }
    }

    pub fn namespace(&self) -> Option<&str> {
        (!self.namespace.is_empty()).then_some(self.namespace.as_str())
    }

    pub fn plural(&self) -> &str {
        self.resource.map_or("", |resource| resource.plural)
    }

    /// The form in `status.resourceStatus.manifests[].resourceMeta`.
    pub fn in_work(&self) -> Value {
        json!({
            "ordinal": self.ordinal,
            "group": self.group,
            "version": self.version,
            "kind": self.kind,
            "resource": self.plural(),
            "name": self.name,
            "namespace": self.namespace,
        })
    }

    /// The form in an AppliedManifestWork's `status.appliedResources[]`.
    pub fn applied(&self, uid: &str) -> Value {
        json!({
            "group": self.group,
            "version": self.version,
            "resource": self.plural(),
            "name": self.name,
            "namespace": self.namespace,
            "uid": uid,
        })
    }

    /// Whether a `resourceIdentifier` means this object; `*` stands for any text.
    pub fn matches(&self, identifier: &Value) -> bool {
        object::text(identifier, "/group") == self.group
            && object::text(identifier, "/resource") == self.plural()
            && matches(object::text(identifier, "/namespace"), &self.namespace)
            && matches(object::text(identifier, "/name"), &self.name)
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text
            .strip_prefix(head)
            .is_some_and(|rest| (0..=rest.len()).any(|skip| rest.get(skip..).is_some_and(|rest| matches(tail, rest)))),
    }
}

/// Whether two entries of a status mean the same object.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    ["group", "version", "kind", "resource", "name", "namespace"].iter().all(|key| one[*key] == other[*key])
}
