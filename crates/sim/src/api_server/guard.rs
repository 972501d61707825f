//! What a writer may not change, and what has to agree before anything is written.

use ramen_api::path::At as _;
use serde_json::{Map, Value, json};

use super::kinds::{Generation, TypeRef};
use super::object::{self, meta_mut, restore};
use super::refusal::Refusal;
use super::rules;

/// Checks that a body is what its path says, and completes what the path knows.
pub(super) fn identify(
    kind: &TypeRef,
    namespace: Option<&str>,
    name: Option<&str>,
    mut value: Value,
) -> Result<Value, Refusal> {
    if !value.is_object() {
        return Err(Refusal::bad_request("the body of the request is no object"));
    }
    let api_version = kind.api_version();
    for (field, expected, what) in
        [("apiVersion", api_version.as_str(), "API version"), ("kind", kind.kind.kind.as_str(), "kind")]
    {
        match value.get(field).and_then(Value::as_str) {
            Some(given) if given != expected => {
                return Err(Refusal::bad_request(format!(
                    "the {what} in the data ({given}) does not match the expected {what} ({expected})"
                )));
            }
            Some(_) => {}
            None => value[field] = json!(expected),
        }
    }
    if let (false, Some(map)) = (kind.kind.custom, value.as_object_mut()) {
        map.retain(|_, part| !part.is_null());
    }
    let void = |part: &Value| match part {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    meta_mut(&mut value).retain(|_, part| !void(part));
    rules::well_formed(kind, &value)?;
    let meta = meta_mut(&mut value);
    if let Some(name) = name {
        let given = meta.get("name").and_then(Value::as_str).unwrap_or(name);
        if given != name {
            return Err(Refusal::bad_request(format!(
                "the name of the object ({given}) does not match the name on the URL ({name})"
            )));
        }
        meta.insert("name".to_owned(), json!(name));
    }
    let wanted = namespace.filter(|_| kind.kind.namespaced);
    match (wanted, meta.get("namespace").and_then(Value::as_str).filter(|text| !text.is_empty())) {
        (Some(wanted), Some(given)) if wanted != given => Err(Refusal::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        )),
        (Some(wanted), _) => {
            meta.insert("namespace".to_owned(), json!(wanted));
            Ok(value)
        }
        (None, _) if kind.kind.namespaced => {
            Err(Refusal::bad_request("an empty namespace may not be set during creation"))
        }
        (None, _) => {
            meta.remove("namespace");
            Ok(value)
        }
    }
}

/// The version and uid that a writer names must be those of the object.
pub(super) fn check_preconditions(kind: &TypeRef, value: &Value, old: &Value) -> Result<(), Refusal> {
    let name = object::name(old);
    let (given, actual) = (object::uid(value), object::uid(old));
    if !given.is_empty() && given != actual {
        let why = format!("Precondition failed: UID in precondition: {given}, UID in object meta: {actual}");
        return Err(Refusal::conflict(&kind.kind, name, &why));
    }
    let given = object::meta_text(value, "resourceVersion");
    if !given.is_empty() && given != "0" && given != object::meta_text(old, "resourceVersion") {
        return Err(Refusal::stale(&kind.kind, name));
    }
    Ok(())
}

/// Puts back what the writer may not change: identity always, and the other side of the status subresource.
pub(super) fn protect(kind: &TypeRef, value: &mut Value, old: &Value, subresource: Option<&str>) {
    match subresource {
        Some("status") if kind.kind.custom => {
            let none = Map::new();
            let old = old.as_object().unwrap_or(&none);
            if let Some(map) = value.as_object_mut() {
                // Nearly always these are equal: to compare is less than to copy.
                map.retain(|field, part| field == "status" || old.get(field).is_some_and(|old| *old == *part));
                for (field, part) in old.iter().filter(|(field, _)| *field != "status") {
                    if !map.contains_key(field) {
                        map.insert(field.clone(), part.clone());
                    }
                }
            }
        }
        Some("status") => {
            let others: Vec<String> = [value.as_object(), old.as_object()]
                .into_iter()
                .flatten()
                .flat_map(Map::keys)
                .filter(|field| !matches!(field.as_str(), "apiVersion" | "kind" | "metadata" | "status"))
                .cloned()
                .collect();
            for field in others {
                restore(value, old, &field);
            }
        }
        Some("finalize") => {
            let finalizers = value.at("/spec/finalizers").cloned();
            *value = old.clone();
            value["spec"]["finalizers"] = finalizers.unwrap_or_else(|| json!([]));
        }
        _ if kind.has_status() => restore(value, old, "status"),
        _ => {}
    }
    let none = json!({});
    let old_meta = old.get("metadata").unwrap_or(&none);
    let meta = &mut value["metadata"];
    for field in [
        "uid",
        "name",
        "namespace",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "generateName",
        "selfLink",
        "resourceVersion",
    ] {
        restore(meta, old_meta, field);
    }
}

pub(super) fn raise_generation(kind: &TypeRef, value: &mut Value, old: &Value) {
    let changed = match kind.kind.generation {
        Generation::None => false,
        Generation::Spec => value.get("spec") != old.get("spec"),
        Generation::AllButMeta => {
            let counts =
                |(field, _): &(&String, &Value)| *field != "metadata" && !(*field == "status" && kind.has_status());
            let (new, old) = (value.as_object().into_iter().flatten(), old.as_object().into_iter().flatten());
            !new.filter(counts).eq(old.filter(counts))
        }
    };
    if changed {
        let generation = old.at("/metadata/generation").and_then(Value::as_i64).unwrap_or(0) + 1;
        meta_mut(value).insert("generation".to_owned(), json!(generation));
    }
}
