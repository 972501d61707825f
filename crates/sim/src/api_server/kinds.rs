//! The resources that a server knows: what they are called, where they live, what their writes obey.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use super::schema::Schema;
use super::table::Column;

/// Identity of a resource among all versions of its group: `plural.group`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeName(Arc<str>);

impl TypeName {
    /// The identity of `plural` in `group`.
    #[must_use]
    pub fn new(group: &str, plural: &str) -> Self {
        Self(if group.is_empty() { plural.into() } else { format!("{plural}.{group}").into() })
    }

    /// `plural.group`, or the plural alone in the core group.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How this identity is ordered beside that of `plural` in `group`, without making the latter.
    fn compare(&self, group: &str, plural: &str) -> Ordering {
        let dot = if group.is_empty() { "" } else { "." };
        self.0.bytes().cmp(plural.bytes().chain(dot.bytes()).chain(group.bytes()))
    }
}

/// Which changes raise `metadata.generation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// The kind has none.
    None,
    /// Changes of `spec`.
    Spec,
    /// Changes of anything but metadata (and status where that is a subresource): custom resources.
    AllButMeta,
}

/// One version of a resource.
#[derive(Debug, Clone)]
pub struct Version {
    /// e.g. `v1alpha1`.
    pub name: String,
    /// Whether it is in discovery and answered.
    pub served: bool,
    /// Validation, defaulting and pruning; none for the kinds that are built in.
    pub schema: Option<Arc<Schema>>,
    /// The schema as its definition has it, for OpenAPI.
    pub document: Option<Value>,
    /// Columns of `kubectl get` between NAME and AGE; those of built-in kinds are code.
    pub columns: Vec<Column>,
    /// Whether `/status` exists.
    pub status: bool,
    /// Fields beyond metadata that field selectors may name.
    pub fields: Vec<String>,
}

/// A resource of the server.
#[derive(Debug, Clone)]
pub struct ResourceType {
    /// API group; empty for core.
    pub group: String,
    /// Kind of one object.
    pub kind: String,
    /// Kind of a list.
    pub list_kind: String,
    /// Name in paths.
    pub plural: String,
    /// Name of one, for `kubectl get`.
    pub singular: String,
    /// Abbreviations.
    pub short_names: Vec<String>,
    /// e.g. `all`.
    pub categories: Vec<String>,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Whether it comes from a CustomResourceDefinition.
    pub custom: bool,
    /// What raises the generation.
    pub generation: Generation,
    /// Only POST is answered and nothing stored (reviews).
    pub create_only: bool,
    /// Versions, preferred one first; objects are stored in the first.
    pub versions: Vec<Version>,
    /// Where the objects are stored, when another group shares them (events).
    pub stored_as: TypeName,
}

impl ResourceType {
    /// `plural.group`, as messages name it.
    #[must_use]
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `Kind.group`, as messages about invalid objects name it.
    #[must_use]
    pub fn qualified_kind(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}.{}", self.kind, self.group) }
    }

    /// `apiVersion` of version number `index`.
    #[must_use]
    pub fn api_version(&self, index: usize) -> String {
        let version = self.versions.get(index).map_or("", |version| version.name.as_str());
        if self.group.is_empty() { version.to_owned() } else { format!("{}/{version}", self.group) }
    }

    /// Identity.
    #[must_use]
    pub fn type_name(&self) -> TypeName {
        TypeName::new(&self.group, &self.plural)
    }
}

/// A resource in one of its versions.
#[derive(Debug, Clone)]
pub struct TypeRef {
    /// The resource.
    pub kind: Arc<ResourceType>,
    /// Which of its versions.
    pub index: usize,
}

impl TypeRef {
    /// The version.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.kind.versions[self.index]
    }

    /// `apiVersion` in which the objects are shown.
    #[must_use]
    pub fn api_version(&self) -> String {
        self.kind.api_version(self.index)
    }

    /// Where the objects are stored.
    #[must_use]
    pub fn stored(&self) -> &TypeName {
        &self.kind.stored_as
    }

    /// Whether `/status` exists.
    #[must_use]
    pub fn has_status(&self) -> bool {
        self.version().status
    }
}

/// All resources of a server. Copies of a server share it until one of them gets to know another.
#[derive(Debug, Default, Clone)]
pub struct Registry {
    /// In order of their names.
    types: Arc<Vec<(TypeName, Arc<ResourceType>)>>,
}

impl Registry {
    /// Adds or replaces a resource.
    pub fn insert(&mut self, kind: ResourceType) {
        let name = kind.type_name();
        let types = Arc::make_mut(&mut self.types);
        match types.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(at) => types[at].1 = Arc::new(kind),
            Err(at) => types.insert(at, (name, Arc::new(kind))),
        }
    }

    /// Forgets a resource.
    pub fn remove(&mut self, name: &TypeName) {
        Arc::make_mut(&mut self.types).retain(|(known, _)| known != name);
    }

    fn of(&self, group: &str, plural: &str) -> Option<&Arc<ResourceType>> {
        let at = self.types.binary_search_by(|(known, _)| known.compare(group, plural)).ok()?;
        self.types.get(at).map(|(_, kind)| kind)
    }

    /// The resource that a path names.
    #[must_use]
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<TypeRef> {
        let kind = self.of(group, plural)?;
        let index = kind.versions.iter().position(|known| known.served && known.name == version)?;
        Some(TypeRef { kind: kind.clone(), index })
    }

    /// The resource that a manifest's `apiVersion` and `kind` name.
    #[must_use]
    pub fn find_kind(&self, api_version: &str, kind: &str) -> Option<TypeRef> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let found = self.all().find(|known| known.group == group && known.kind == kind)?;
        let index = found.versions.iter().position(|known| known.served && known.name == version)?;
        Some(TypeRef { kind: found.clone(), index })
    }

    /// The resource by identity, in its stored version.
    #[must_use]
    pub fn stored(&self, name: &TypeName) -> Option<TypeRef> {
        let at = self.types.binary_search_by(|(known, _)| known.cmp(name)).ok()?;
        self.types.get(at).map(|(_, kind)| TypeRef { kind: kind.clone(), index: 0 })
    }

    /// All resources, in a stable order.
    pub fn all(&self) -> impl Iterator<Item = &Arc<ResourceType>> {
        self.types.iter().map(|(_, kind)| kind)
    }
}
