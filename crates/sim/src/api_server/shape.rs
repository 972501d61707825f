//! Which lists and maps merge and which are replaced whole, for built-in kinds (a table) and custom ones (their schema).

use serde_json::{Map, Value};

use super::kinds::TypeRef;
use super::schema::{ListType, Schema};

/// How the items of a list are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Items {
    /// Not at all: the list is replaced whole.
    Atomic,
    /// By their value.
    Set,
    /// By the values of these fields.
    Keyed(Vec<String>),
}

/// What is known of a place in an object.
#[derive(Debug, Clone, Copy)]
pub enum Shape<'s> {
    /// A built-in kind (or the metadata of any): decided by the names of the field and of the one around it.
    Core {
        /// Name of the enclosing field; for list items that of the list.
        parent: &'s str,
        /// Name of the field; empty for list items and for the object itself.
        field: &'s str,
    },
    /// A place with a schema.
    Schema(&'s Schema),
    /// The root of a custom object: its metadata are those of all objects.
    Root(&'s Schema),
    /// Nothing is known: maps merge, lists are atomic.
    Free,
}

impl<'s> Shape<'s> {
    /// The shape of a resource's objects.
    #[must_use]
    pub fn of(kind: &'s TypeRef) -> Self {
        match &kind.version().schema {
            Some(schema) => Self::Root(schema),
            None if kind.kind.custom => Self::Free,
            None => Self::Core { parent: "", field: "" },
        }
    }

    /// The shape of a field.
    #[must_use]
    pub fn field<'a>(&self, name: &'a str) -> Shape<'a>
    where
        's: 'a,
    {
        match *self {
            Self::Root(_) if name == "metadata" => Shape::Core { parent: "", field: "metadata" },
            Self::Root(schema) | Self::Schema(schema) => {
                schema.property(name).or(schema.additional.as_deref()).map_or(Shape::Free, Shape::Schema)
            }
            Self::Core { parent, field } => {
                Shape::Core { parent: if field.is_empty() { parent } else { field }, field: name }
            }
            Self::Free => Shape::Free,
        }
    }

    /// The shape of a list's items.
    #[must_use]
    pub fn item(&self) -> Shape<'s> {
        match *self {
            Self::Root(schema) | Self::Schema(schema) => schema.items.as_deref().map_or(Shape::Free, Shape::Schema),
            Self::Core { field, .. } => Shape::Core { parent: field, field: "" },
            Self::Free => Shape::Free,
        }
    }

    /// Whether a field is named by the type, not an entry of a free map.
    #[must_use]
    pub fn declares(&self, name: &str) -> bool {
        match *self {
            Self::Root(schema) | Self::Schema(schema) => {
                matches!(name, "apiVersion" | "kind" | "metadata") || schema.property(name).is_some()
            }
            Self::Core { field, .. } => !matches!(
                field,
                "labels"
                    | "annotations"
                    | "data"
                    | "binaryData"
                    | "stringData"
                    | "matchLabels"
                    | "nodeSelector"
                    | "parameters"
                    | "limits"
                    | "requests"
                    | "capacity"
                    | "volumeAttributes"
                    | "allocatable"
            ),
            Self::Free => false,
        }
    }

    /// How the items of a list are told apart.
    #[must_use]
    pub fn items(&self) -> Items {
        match *self {
            Self::Root(schema) | Self::Schema(schema) => match &schema.list_type {
                ListType::Atomic => Items::Atomic,
                ListType::Set => Items::Set,
                ListType::Map(keys) => Items::Keyed(keys.clone()),
            },
            Self::Core { parent, field } => core_items(parent, field),
            Self::Free => Items::Atomic,
        }
    }

    /// Whether a map is replaced whole.
    #[must_use]
    pub fn is_atomic_map(&self) -> bool {
        match *self {
            Self::Root(_) | Self::Free => false,
            Self::Schema(schema) => schema.atomic_map,
            Self::Core { field, .. } => matches!(
                field,
                "selector"
                    | "labelSelector"
                    | "nodeSelector"
                    | "secretKeyRef"
                    | "configMapKeyRef"
                    | "fieldRef"
                    | "resourceFieldRef"
                    | "involvedObject"
                    | "dataSource"
                    | "roleRef"
                    | "secretRef"
                    | "nodeAffinity"
            ),
        }
    }

    /// What tells an item of a keyed list apart: its key fields, with their defaults.
    #[must_use]
    pub fn key_of(&self, keys: &[String], item: &Value) -> Map<String, Value> {
        let mut found: Vec<(&String, Value)> = Vec::new();
        for key in keys {
            let default = || match self {
                Self::Schema(schema) | Self::Root(schema) => schema
                    .items
                    .as_deref()
                    .and_then(|items| items.property(key))
                    .and_then(|field| field.default.clone()),
                Self::Core { .. } if key == "protocol" => Some(Value::from("TCP")),
                _ => None,
            };
            if let Some(value) = item.get(key).cloned().or_else(default) {
                found.push((key, value));
            }
        }
        found.sort_by_key(|(one, _)| *one);
        found.into_iter().map(|(key, value)| (key.clone(), value)).collect()
    }
}

/// Merging lists of built-in kinds, as their published schemas mark them.
fn core_items(parent: &str, field: &str) -> Items {
    let keys: &[&str] = match (parent, field) {
        (_, "finalizers") => return Items::Set,
        (
            _,
            "containers"
            | "initContainers"
            | "ephemeralContainers"
            | "volumes"
            | "env"
            | "imagePullSecrets"
            | "secrets",
        ) => &["name"],
        (_, "volumeMounts") => &["mountPath"],
        (_, "volumeDevices") => &["devicePath"],
        ("containers" | "initContainers", "ports") => &["containerPort", "protocol"],
        ("spec", "ports") => &["port", "protocol"],
        (_, "conditions") => &["type"],
        (_, "ownerReferences") => &["uid"],
        (_, "hostAliases" | "podIPs" | "hostIPs") => &["ip"],
        ("status", "addresses") => &["type"],
        (_, "topologySpreadConstraints") => &["topologyKey", "whenUnsatisfiable"],
        _ => return Items::Atomic,
    };
    Items::Keyed(keys.iter().map(|&key| key.to_owned()).collect())
}
