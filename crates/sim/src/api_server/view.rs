//! How objects are shown: version, whole or metadata only, table.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::{Value, json};

use super::events;
use super::kinds::TypeRef;
use super::object::Object;
use super::refusal::Refusal;
use super::table;
use crate::time::Time;

/// What part of each object a table row carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowObject {
    /// Nothing.
    None,
    /// Its metadata.
    Metadata,
    /// All of it.
    Whole,
}

/// The form in which a client wants objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As they are.
    Whole,
    /// `PartialObjectMetadata`.
    Metadata,
    /// `Table`.
    Table(RowObject),
}

impl Form {
    /// Reads an `Accept` header: the first clause that we can serve decides.
    ///
    /// # Errors
    /// When there is a clause and none can be served.
    pub fn negotiate(accept: &str, include_object: Option<&str>) -> Result<Self, Refusal> {
        if accept.trim().is_empty() {
            return Ok(Self::Whole);
        }
        for clause in accept.split(',') {
            let mut parts = clause.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            if !matches!(media, "application/json" | "*/*" | "application/*") {
                continue;
            }
            let mut shown_as = None;
            for part in parts {
                if let Some(name) = part.strip_prefix("as=") {
                    shown_as = Some(name);
                }
            }
            match shown_as {
                None => return Ok(Self::Whole),
                Some("Table") => {
                    return Ok(Self::Table(match include_object {
                        Some("None") => RowObject::None,
                        Some("Object") => RowObject::Whole,
                        _ => RowObject::Metadata,
                    }));
                }
                Some("PartialObjectMetadata" | "PartialObjectMetadataList") => return Ok(Self::Metadata),
                Some(_) => {}
            }
        }
        Err(Refusal::not_acceptable())
    }
}

/// How one request wants to see objects of one resource.
#[derive(Debug, Clone)]
pub struct View {
    /// Resource and version.
    pub kind: TypeRef,
    /// Form.
    pub form: Form,
    /// The time at which ages are told.
    pub now: Time,
}

impl View {
    /// The object in the version that the view's path names.
    #[must_use]
    pub fn whole(&self, object: &Object) -> Value {
        whole(&self.kind, object)
    }

    /// The text of one object.
    #[must_use]
    pub fn one(&self, object: &Object) -> Bytes {
        match self.form {
            Form::Whole if is_stored_version(&self.kind, object.value()) => object.text(),
            Form::Whole => self.whole(object).to_string().into(),
            Form::Metadata => metadata_only(&self.whole(object)).to_string().into(),
            Form::Table(row) => {
                let version = object.version().to_string();
                table::render(&self.kind, &[&self.whole(object)], row, &version, self.now).to_string().into()
            }
        }
    }

    /// The text of a list.
    #[must_use]
    pub fn list<'o>(&self, objects: impl Iterator<Item = &'o Object>, version: u64) -> Bytes {
        let version = version.to_string();
        if let Form::Table(row) = self.form {
            let values: Vec<Value> = objects.map(|object| self.whole(object)).collect();
            let values: Vec<&Value> = values.iter().collect();
            return table::render(&self.kind, &values, row, &version, self.now).to_string().into();
        }
        let (kind, api_version) = match self.form {
            Form::Metadata => ("PartialObjectMetadataList", "meta.k8s.io/v1".to_owned()),
            _ => (self.kind.kind.list_kind.as_str(), self.kind.api_version()),
        };
        let head = format!(
            "{{\"kind\":{},\"apiVersion\":{},\"metadata\":{{\"resourceVersion\":{}}},\"items\":[",
            json!(kind),
            json!(api_version),
            json!(version)
        );
        let mut text = head.into_bytes();
        for (at, object) in objects.enumerate() {
            if at > 0 {
                text.push(b',');
            }
            text.extend_from_slice(&self.one(object));
        }
        text.extend_from_slice(b"]}");
        text.into()
    }

    /// The text of a bookmark event's object.
    #[must_use]
    pub fn bookmark(&self, version: u64, initial_end: bool) -> Value {
        let mut meta = json!({ "resourceVersion": version.to_string(), "creationTimestamp": null });
        if initial_end {
            meta["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        match self.form {
            Form::Whole => {
                json!({ "kind": self.kind.kind.kind, "apiVersion": self.kind.api_version(), "metadata": meta })
            }
            Form::Metadata => {
                json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta })
            }
            Form::Table(_) => json!({
                "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": { "resourceVersion": version.to_string() },
                "columnDefinitions": [],
                "rows": [{ "cells": [], "object": {
                    "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
                } }],
            }),
        }
    }
}

/// A stored object, with the owners of its fields, in the version of a resource's path.
#[must_use]
pub fn whole(kind: &TypeRef, stored: &Object) -> Value {
    let whole = stored.whole();
    if is_stored_version(kind, &whole) { whole } else { converted(kind, &whole) }
}

/// A stored object in the version of a resource's path.
#[must_use]
pub fn convert<'o>(kind: &TypeRef, stored: &'o Value) -> Cow<'o, Value> {
    if is_stored_version(kind, stored) { Cow::Borrowed(stored) } else { Cow::Owned(converted(kind, stored)) }
}

/// Whether an object is stored as the resource's path shows it. Nearly all are, and it is asked at every look: hence
/// without making the text that is compared.
fn is_stored_version(kind: &TypeRef, stored: &Value) -> bool {
    let found = stored.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let (group, version) = found.split_once('/').unwrap_or(("", found));
    group == kind.kind.group && version == kind.version().name
}

fn converted(kind: &TypeRef, stored: &Value) -> Value {
    if kind.kind.group == events::GROUP {
        return events::from_core(stored);
    }
    let mut value = stored.clone();
    value["apiVersion"] = json!(kind.api_version());
    value
}

/// An object of a path's version in its stored form.
#[must_use]
pub fn to_stored(kind: &TypeRef, mut value: Value) -> Value {
    if kind.kind.group == events::GROUP {
        return events::to_core(value);
    }
    if kind.index != 0 {
        value["apiVersion"] = json!(kind.kind.api_version(0));
    }
    value
}

/// The `PartialObjectMetadata` of an object.
#[must_use]
pub fn metadata_only(value: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
        "metadata": value.get("metadata").cloned().unwrap_or_default(),
    })
}
