//! What server-side apply refuses before it looks at anything else: fields that the schema does not declare. Other
//! writes drop such fields; an applier could never own them.

use serde_json::Value;

use super::kinds::TypeRef;
use super::object;
use super::refusal::Refusal;
use super::schema::Schema;
use super::shape::{Items, Shape};

/// The metadata that all objects have.
const METADATA: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// What says which kind of object it is.
const IDENTITY: [&str; 2] = ["apiVersion", "kind"];

/// Refuses a configuration with fields that the kind does not declare. Built-in kinds have no schemas here.
///
/// # Errors
/// As real servers refuse: as an error of their own, not the client's.
pub fn check(kind: &TypeRef, config: &Value) -> Result<(), Refusal> {
    let Some(schema) = &kind.version().schema else { return Ok(()) };
    let mut undeclared = Vec::new();
    walk(schema, config, true, "", &mut undeclared);
    let texts: Vec<String> = undeclared.iter().map(|path| format!("{path}: field not declared in schema")).collect();
    let list = match texts.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        many => format!("errors:\n  {}", many.join("\n  ")),
    };
    Err(Refusal::unknown(format!(
        "failed to create typed patch object ({}/{}; {}, Kind={}): {list}",
        object::namespace(config),
        object::name(config),
        kind.api_version(),
        kind.kind.kind,
    )))
}

fn walk(schema: &Schema, value: &Value, is_resource: bool, path: &str, undeclared: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, below) in map {
                let place = format!("{path}.{name}");
                if is_resource && name == "metadata" {
                    let fields = below.as_object().into_iter().flatten().map(|(field, _)| field.as_str());
                    let unknown = fields.filter(|field| !METADATA.contains(field));
                    undeclared.extend(unknown.map(|field| format!("{place}.{field}")));
                } else if let Some(schema) = schema.property(name).or(schema.additional.as_deref()) {
                    walk(schema, below, schema.embedded, &place, undeclared);
                } else {
                    let is_identity = is_resource && IDENTITY.contains(&name.as_str());
                    if !is_identity && !is_free(schema) {
                        undeclared.push(place);
                    }
                }
            }
        }
        Value::Array(list) => {
            let Some(items) = &schema.items else { return };
            for (at, item) in list.iter().enumerate() {
                walk(items, item, items.embedded, &format!("{path}[{}]", step(schema, at, item)), undeclared);
            }
        }
        _ => {}
    }
}

/// Whether fields may have any name.
fn is_free(schema: &Schema) -> bool {
    schema.preserve || schema.open
}

/// How a path names an item: by its keys where it has some, else by its place.
fn step(schema: &Schema, at: usize, item: &Value) -> String {
    let shape = Shape::Schema(schema);
    match shape.items() {
        Items::Keyed(keys) => {
            let keys = shape.key_of(&keys, item);
            keys.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
        }
        _ => at.to_string(),
    }
}
