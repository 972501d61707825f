//! Objects and their fields that a scenario names: whether they can be.

use ramen_sim::api::Resource;
use serde_json::Value;
use serde_saphyr::Location;

use super::{meant::choice, place::Wrong};
use crate::{
    happening::{Manifest, Named},
    universe::{Outline, serves},
    until,
};

/// An object of a kind that is served there, named as its kind asks for.
pub(super) fn named(outline: &Outline, on: &str, object: &Named<'_>) -> Result<(), String> {
    let Named { kind, namespace, name } = object;
    let resource = served(outline, on, kind)?;
    if name.is_empty() {
        return Err(format!("the {kind} has no name: write `name`"));
    }
    match (resource.namespaced, namespace.is_empty()) {
        (true, true) => Err(format!("{kind} {name} is in a namespace: say in which, with `namespace`")),
        (false, false) => Err(format!("{kind} {name} is in no namespace: leave namespace {namespace:?} out")),
        _ => Ok(()),
    }
}

fn served(outline: &Outline, on: &str, kind: &str) -> Result<Resource, String> {
    let served: Vec<Resource> = until::resources().filter(|known| serves(outline, on, known)).copied().collect();
    if let Some(resource) = served.iter().find(|known| known.kind == kind) {
        return Ok(*resource);
    }
    let mut words: Vec<&str> = served.iter().map(|known| known.kind).collect();
    words.sort_unstable();
    words.dedup();
    let place = if until::resource(kind).is_some() { format!(" on {on}") } else { String::new() };
    Err(format!("there is no kind {kind:?}{place}{}", choice(kind, &words)))
}

/// A manifest of such an object.
pub(super) fn manifest(outline: &Outline, on: &str, manifest: &Manifest) -> Result<(), String> {
    if !manifest.0.is_object() {
        return Err("manifest is no object: write apiVersion, kind, metadata and what else it has".to_owned());
    }
    let object = manifest.named();
    if object.kind.is_empty() {
        return Err("manifest has no kind: write `kind`".to_owned());
    }
    let version = served(outline, on, object.kind)?.api_version();
    if manifest.0["apiVersion"] != version.as_str() {
        return Err(format!("manifest: apiVersion of a {} is {version}: write that", object.kind));
    }
    named(outline, on, &object)
}

/// Fields to change, other than those that say which object it is.
pub(super) fn patch(patch: &Manifest) -> Result<(), String> {
    let Some(fields) = patch.0.as_object().filter(|fields| !fields.is_empty()) else {
        return Err("patch has no fields: write what is to change, as in `{ spec: { … } }`".to_owned());
    };
    let identity = ["apiVersion", "kind"].into_iter().find(|field| fields.contains_key(*field));
    let renamed = ["name", "namespace"]
        .into_iter()
        .find(|field| !fields.get("metadata").unwrap_or(&Value::Null)[*field].is_null());
    match identity.or(renamed) {
        Some(field) => Err(format!("patch cannot change {field}, which says what the object is: leave it out")),
        None => Ok(()),
    }
}

/// A field of an object, and what is expected of it.
pub(super) fn field(field: &str, is: Option<&String>, contains: Option<&String>, at: Location) -> Result<(), Wrong> {
    if field.split('.').any(str::is_empty) {
        return Err(Wrong::value(
            at,
            field,
            format!("field {field:?} is no path: write names with a dot between them"),
        ));
    }
    match (is, contains) {
        (Some(_), Some(_)) => Err(Wrong::at(at, "is stands beside contains: leave one of them out")),
        (None, Some(words)) if words.trim().is_empty() => {
            Err(Wrong::at(at, "contains is empty, and every value contains that: write words to wait for"))
        }
        _ => Ok(()),
    }
}

/// A key of a store.
pub(super) fn key(key: &str) -> Result<(), String> {
    /// The longest key of S3.
    const LONGEST: usize = 1024;
    if key.is_empty() || key.len() > LONGEST {
        return Err(format!(
            "key: {key:?} is no key of an object: write 1 to {LONGEST} bytes, as in shop/shop/note.txt"
        ));
    }
    Ok(())
}

/// Credentials that a Secret can hold.
pub(super) fn credentials(access: &str, secret: &str) -> Result<(), String> {
    for (field, value) in [("access-key", access), ("secret-key", secret)] {
        if value.is_empty() {
            return Err(format!("{field} is empty, and a store takes no such key: write one"));
        }
    }
    Ok(())
}
