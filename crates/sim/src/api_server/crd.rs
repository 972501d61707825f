//! CustomResourceDefinitions: from definition to resource.

use std::sync::Arc;

use ramen_api::path::At as _;
use serde_json::{Value, json};

use super::ApiServer;
use super::kinds::{Generation, ResourceType, TypeName, TypeRef, Version};
use super::object::Object;
use super::refusal::{Cause, Refusal};
use super::schema::Schema;
use super::store::Key;
use super::table::Column;
use crate::time::Time;

/// Whether a resource is the definitions themselves.
#[must_use]
pub fn is_definition(kind: &TypeRef) -> bool {
    kind.stored().as_str() == "customresourcedefinitions.apiextensions.k8s.io"
}

/// The resource that a definition defines.
#[must_use]
pub fn type_name(definition: &Value) -> TypeName {
    TypeName::new(text(definition, "/spec/group"), text(definition, "/spec/names/plural"))
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.at(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn texts(value: &Value, pointer: &str) -> Vec<String> {
    let list = value.at(pointer).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Reads a definition.
fn read(definition: &Value) -> Result<ResourceType, Cause> {
    for pointer in ["/spec/group", "/spec/names/plural", "/spec/names/kind", "/spec/scope"] {
        if text(definition, pointer).is_empty() {
            return Err(Cause::required(pointer.trim_start_matches('/').replace('/', "."), ""));
        }
    }
    let (group, plural) = (text(definition, "/spec/group"), text(definition, "/spec/names/plural"));
    let expected = format!("{plural}.{group}");
    let name = text(definition, "/metadata/name");
    if name != expected {
        let detail = format!("must be spec.names.plural+\".\"+spec.group, which is {expected}");
        return Err(Cause::invalid("metadata.name", &json!(name), &detail));
    }
    let kind = text(definition, "/spec/names/kind");
    let mut versions = Vec::new();
    for (at, entry) in definition.at("/spec/versions").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let version = version(entry, at)?;
        let is_stored = entry.get("storage").and_then(Value::as_bool).unwrap_or(false);
        versions.insert(if is_stored { 0 } else { versions.len() }, version);
    }
    if versions.is_empty() {
        return Err(Cause::required("spec.versions", ""));
    }
    let or = |found: &str, fallback: String| if found.is_empty() { fallback } else { found.to_owned() };
    Ok(ResourceType {
        group: group.to_owned(),
        kind: kind.to_owned(),
        list_kind: or(text(definition, "/spec/names/listKind"), format!("{kind}List")),
        plural: plural.to_owned(),
        singular: or(text(definition, "/spec/names/singular"), kind.to_lowercase()),
        short_names: texts(definition, "/spec/names/shortNames"),
        categories: texts(definition, "/spec/names/categories"),
        namespaced: text(definition, "/spec/scope") == "Namespaced",
        custom: true,
        generation: Generation::AllButMeta,
        create_only: false,
        versions,
        stored_as: TypeName::new(group, plural),
    })
}

fn version(entry: &Value, at: usize) -> Result<Version, Cause> {
    let schema = match entry.at("/schema/openAPIV3Schema") {
        None => {
            return Err(Cause::required(format!("spec.versions[{at}].schema.openAPIV3Schema"), "schemas are required"));
        }
        Some(schema) => {
            let path = format!("spec.versions[{at}].schema.openAPIV3Schema");
            Schema::parse(schema, &path).map_err(|error| Cause::invalid(&path, schema, &error))?
        }
    };
    let columns = entry.get("additionalPrinterColumns").and_then(Value::as_array).into_iter().flatten();
    Ok(Version {
        name: text(entry, "/name").to_owned(),
        served: entry.get("served").and_then(Value::as_bool).unwrap_or(false),
        schema: Some(Arc::new(schema)),
        document: entry.at("/schema/openAPIV3Schema").cloned(),
        columns: columns.map(Column::read).collect(),
        status: entry.at("/subresources/status").is_some(),
        fields: texts_of(entry.get("selectableFields"), "jsonPath"),
    })
}

fn texts_of(list: Option<&Value>, field: &str) -> Vec<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|item| item.get(field).and_then(Value::as_str))
        .map(|path| path.trim_start_matches('.').to_owned())
        .collect()
}

/// What is wrong with a definition.
#[must_use]
pub fn causes(definition: &Value) -> Vec<Cause> {
    read(definition).err().into_iter().collect()
}

impl ApiServer {
    /// Serves what a stored definition defines, and says so in its status.
    pub(super) fn register(&mut self, key: &Key, object: Arc<Object>, now: Time) -> Result<Arc<Object>, Refusal> {
        let Ok(kind) = read(object.value()) else { return Ok(object) };
        let name = kind.type_name();
        let stored = kind.versions.first().map(|version| version.name.clone()).unwrap_or_default();
        self.registry.insert(kind);
        let mut value = object.value().clone();
        if !self.store.is_open(&name) {
            self.store.open(&name);
        }
        let names = value.at("/spec/names").cloned().unwrap_or_default();
        let mut accepted = names;
        if accepted.get("singular").is_none() {
            accepted["singular"] = json!(text(&value, "/spec/names/kind").to_lowercase());
        }
        if accepted.get("listKind").is_none() {
            accepted["listKind"] = json!(format!("{}List", text(&value, "/spec/names/kind")));
        }
        value["spec"]["names"] = accepted.clone();
        if value.at("/spec/conversion").is_none() {
            value["spec"]["conversion"] = json!({ "strategy": "None" });
        }
        let since =
            value.at("/status/conditions/0/lastTransitionTime").cloned().unwrap_or_else(|| json!(now.rfc3339()));
        value["status"] = json!({
            "acceptedNames": accepted, "storedVersions": [stored],
            "conditions": [
                { "type": "NamesAccepted", "status": "True", "reason": "NoConflicts",
                  "message": "no conflicts found", "lastTransitionTime": since },
                { "type": "Established", "status": "True", "reason": "InitialNamesAccepted",
                  "message": "the initial names have been accepted", "lastTransitionTime": since },
            ],
        });
        Ok(if value == *object.value() { object } else { self.store.put_same_owners(key, value) })
    }

    /// Stops serving what a definition defined.
    pub(super) fn unregister(&mut self, definition: &Value) {
        let name = type_name(definition);
        self.registry.remove(&name);
        self.store.close(&name);
    }
}
