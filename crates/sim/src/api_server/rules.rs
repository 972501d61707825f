//! Rules of the built-in kinds that the simulated world relies on: names, and what may not change.

use ramen_api::path::At as _;
use serde_json::{Value, json};

use super::kinds::TypeRef;
use super::refusal::{Cause, Refusal};
use super::{crd, object};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/// Checks the types of what every object has, so that nothing later stumbles over them.
///
/// # Errors
/// As a decoder of typed objects would refuse.
pub fn well_formed(kind: &TypeRef, value: &Value) -> Result<(), Refusal> {
    let refuse = |path: &str, wanted: &str| {
        let what = &kind.kind.kind;
        Err(Refusal::bad_request(format!(
            "{what} in version \"{}\" cannot be handled as a {what}: {path} has to be {wanted}",
            kind.version().name
        )))
    };
    let texts = |map: &Value| map.as_object().is_some_and(|map| map.values().all(Value::is_string));
    let meta = value.get("metadata").unwrap_or(&Value::Null);
    for field in ["labels", "annotations"] {
        if meta.get(field).is_some_and(|map| !texts(map)) {
            return refuse(&format!("metadata.{field}"), "a map of strings");
        }
    }
    for field in ["name", "generateName", "namespace", "uid", "resourceVersion"] {
        if meta.get(field).is_some_and(|text| !text.is_string()) {
            return refuse(&format!("metadata.{field}"), "a string");
        }
    }
    let all = |field: &str, fine: fn(&Value) -> bool| {
        meta.get(field).is_none_or(|list| list.as_array().is_some_and(|list| list.iter().all(fine)))
    };
    if !all("finalizers", Value::is_string) {
        return refuse("metadata.finalizers", "a list of strings");
    }
    let is_owner = |owner: &Value| {
        ["apiVersion", "kind", "name", "uid"].iter().all(|field| owner.get(field).is_some_and(Value::is_string))
    };
    if !all("ownerReferences", is_owner) {
        return refuse("metadata.ownerReferences", "a list of references with apiVersion, kind, name and uid");
    }
    let maps: &[&str] = if kind.kind.custom { &[] } else { &["spec", "status", "data"] };
    for field in maps {
        if value.get(field).is_some_and(|part| !part.is_object()) {
            return refuse(field, "an object");
        }
    }
    Ok(())
}

/// What is wrong with a name.
#[must_use]
pub fn name(kind: &TypeRef, name: &str) -> Vec<Cause> {
    let invalid = |detail: &str| vec![Cause::invalid("metadata.name", &json!(name), detail)];
    match kind.kind.group.as_str() {
        "rbac.authorization.k8s.io" => {
            if name.contains('/') || name.contains('%') {
                invalid("may not contain '/' or '%'")
            } else {
                Vec::new()
            }
        }
        "" if matches!(kind.kind.plural.as_str(), "namespaces" | "services") => {
            if is_label(name) && name.len() <= 63 {
                Vec::new()
            } else {
                invalid(LABEL)
            }
        }
        _ if name.len() > 253 => invalid("must be no more than 253 bytes"),
        _ => {
            if name.split('.').all(is_label) {
                Vec::new()
            } else {
                invalid(SUBDOMAIN)
            }
        }
    }
}

fn is_label(text: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.chars().all(|c| fine(c) || c == '-') && text.starts_with(fine) && text.ends_with(fine)
}

/// What is wrong with a change of metadata.
#[must_use]
pub fn metadata_updated(new: &Value, old: &Value) -> Vec<Cause> {
    if !object::is_deleting(old) {
        return Vec::new();
    }
    let known = object::finalizers(old);
    let added: Vec<String> = object::finalizers(new)
        .into_iter()
        .filter(|name| !known.contains(name))
        .map(|name| format!("\"{name}\""))
        .collect();
    if added.is_empty() {
        return Vec::new();
    }
    let list = added.join(", ");
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{list}}}"
    );
    vec![Cause::forbidden("metadata.finalizers", &detail)]
}

/// What is wrong with a new object of a built-in kind.
#[must_use]
pub fn created(kind: &TypeRef, value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let missing = |pointer: &str| match value.at(pointer) {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    };
    match kind.stored().as_str() {
        "persistentvolumeclaims" => {
            if missing("/spec/accessModes") {
                causes.push(Cause::required("spec.accessModes", "at least 1 access mode is required"));
            }
            if missing("/spec/resources/requests/storage") {
                causes.push(Cause::required("spec.resources[storage]", ""));
            }
        }
        "persistentvolumes" => {
            if missing("/spec/accessModes") {
                causes.push(Cause::required("spec.accessModes", ""));
            }
            if missing("/spec/capacity") {
                causes.push(Cause::required("spec.capacity", ""));
            }
        }
        "customresourcedefinitions.apiextensions.k8s.io" => causes.extend(crd::causes(value)),
        "pods" if missing("/spec/containers") => causes.push(Cause::required("spec.containers", "")),
        "storageclasses.storage.k8s.io" if missing("/provisioner") => causes.push(Cause::required("provisioner", "")),
        _ => {}
    }
    causes
}

/// What is wrong with a change of an object of a built-in kind.
#[must_use]
pub fn updated(kind: &TypeRef, new: &Value, old: &Value) -> Vec<Cause> {
    match kind.stored().as_str() {
        "persistentvolumeclaims" => claim_updated(new, old),
        "customresourcedefinitions.apiextensions.k8s.io" => crd::causes(new),
        "persistentvolumes" => {
            let source = |value: &Value| value.at("/spec/csi").cloned();
            if source(old).is_some() && source(new) != source(old) {
                let detail = "spec.persistentvolumesource is immutable after creation";
                return vec![Cause::forbidden("spec.persistentvolumesource", detail)];
            }
            Vec::new()
        }
        "storageclasses.storage.k8s.io" => ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"]
            .into_iter()
            .filter(|field| new.get(field) != old.get(field))
            .map(|field| match field {
                "reclaimPolicy" | "volumeBindingMode" => {
                    Cause::invalid(field, new.get(field).unwrap_or(&Value::Null), "field is immutable")
                }
                _ => Cause::forbidden(field, "updates to parameters are forbidden."),
            })
            .collect(),
        "secrets" if new.get("type") != old.get("type") => {
            vec![Cause::invalid("type", new.get("type").unwrap_or(&Value::Null), "field is immutable")]
        }
        _ => Vec::new(),
    }
}

/// A claim's spec is fixed, but for its size and for the volume that it gets bound to.
fn claim_updated(new: &Value, old: &Value) -> Vec<Cause> {
    let fixed = |value: &Value| {
        let mut spec = value.get("spec").cloned().unwrap_or_default();
        if let Some(map) = spec.as_object_mut() {
            map.remove("resources");
            map.remove("volumeAttributesClassName");
            if old.at("/spec/volumeName").and_then(Value::as_str).unwrap_or_default().is_empty() {
                map.remove("volumeName");
            }
            if old.at("/spec/storageClassName").is_none() {
                map.remove("storageClassName");
            }
        }
        spec
    };
    if fixed(new) == fixed(old) {
        return Vec::new();
    }
    let detail =
        "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    vec![Cause::forbidden("spec", detail)]
}
