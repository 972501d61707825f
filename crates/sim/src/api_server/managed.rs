//! `metadata.managedFields`: who owns which field.

use ramen_api::path::At as _;
use serde_json::{Value, json};

use super::fields::{self, FieldSet};
use super::object::meta_mut;
use super::shape::Shape;

/// How a manager writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Server-side apply.
    Apply,
    /// Everything else.
    Update,
}

/// Who writes, where and how: the identity of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Field manager.
    pub manager: String,
    /// How.
    pub operation: Operation,
    /// Version of the object that was written.
    pub api_version: String,
    /// Subresource; empty for the object itself.
    pub subresource: String,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose.
    pub who: Who,
    /// Time of the last change of the entry.
    pub time: String,
    /// What is owned.
    pub fields: FieldSet,
}

/// All entries of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Managers(pub Vec<Entry>);

/// Metadata that nobody owns.
const UNOWNED: &[&str] = &[
    "name",
    "generateName",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "generation",
    "managedFields",
    "resourceVersion",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// Drops the paths that nobody owns.
pub fn strip(set: &mut FieldSet) {
    set.cut("f:apiVersion");
    set.cut("f:kind");
    let Some(meta) = set.below_mut("f:metadata") else { return };
    meta.leave();
    for name in UNOWNED {
        meta.cut(&fields::field_step(name));
    }
    if meta.is_empty() {
        set.cut("f:metadata");
    }
}

impl Managers {
    /// Reads the entries of an object.
    #[must_use]
    pub fn of(object: &Value) -> Self {
        let list = object.at("/metadata/managedFields").and_then(Value::as_array);
        let text = |entry: &Value, field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self(
            list.into_iter()
                .flatten()
                .map(|entry| Entry {
                    who: Who {
                        manager: text(entry, "manager"),
                        operation: if text(entry, "operation") == "Apply" {
                            Operation::Apply
                        } else {
                            Operation::Update
                        },
                        api_version: text(entry, "apiVersion"),
                        subresource: text(entry, "subresource"),
                    },
                    time: text(entry, "time"),
                    fields: FieldSet::read(entry.get("fieldsV1").unwrap_or(&Value::Null)),
                })
                .collect(),
        )
    }

    /// Brings the entries into the order in which they are shown, without those that own nothing.
    pub fn settle(&mut self) {
        self.0.retain(|entry| !entry.fields.is_empty());
        self.0.sort_by(|one, other| {
            (one.who.operation, &one.time, &one.who.manager).cmp(&(
                other.who.operation,
                &other.time,
                &other.who.manager,
            ))
        });
    }

    /// Writes the entries into an object.
    pub fn write(&self, object: &mut Value) {
        if self.0.is_empty() {
            return;
        }
        let list = self.0.iter().map(|entry| {
            let mut value = json!({
                "manager": entry.who.manager,
                "operation": if entry.who.operation == Operation::Apply { "Apply" } else { "Update" },
                "apiVersion": entry.who.api_version, "time": entry.time,
                "fieldsType": "FieldsV1", "fieldsV1": entry.fields.write(),
            });
            if !entry.who.subresource.is_empty() {
                value["subresource"] = json!(entry.who.subresource);
            }
            value
        });
        let list: Vec<Value> = list.collect();
        meta_mut(object).insert("managedFields".to_owned(), Value::Array(list));
    }

    /// Position of an entry. The version is not part of an applier's identity here: no kind has versions that differ.
    #[must_use]
    pub fn position(&self, who: &Who) -> Option<usize> {
        self.0.iter().position(|entry| {
            entry.who.manager == who.manager
                && entry.who.operation == who.operation
                && entry.who.subresource == who.subresource
        })
    }

    /// Notes a write that is not an apply: what it changed is its own now, and nobody else's.
    pub fn updated(&mut self, who: Who, old: &Value, new: &Value, shape: &Shape<'_>, now: &str) {
        let mut difference = fields::compare(old, new, shape);
        strip(&mut difference.changed);
        strip(&mut difference.removed);
        if difference.changed.is_empty() && difference.removed.is_empty() {
            return;
        }
        let own = self.position(&who);
        for (at, entry) in self.0.iter_mut().enumerate() {
            entry.fields.subtract_trees(&difference.removed);
            if Some(at) != own {
                entry.fields.subtract(&difference.changed);
            }
        }
        if difference.changed.is_empty() {
            return;
        }
        match own {
            Some(at) => {
                self.0[at].fields.unite(&difference.changed);
                now.clone_into(&mut self.0[at].time);
            }
            None => self.0.push(Entry { who, time: now.to_owned(), fields: difference.changed }),
        }
        self.0.retain(|entry| !entry.fields.is_empty());
    }
}
