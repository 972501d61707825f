//! Structural schemas of custom resources: reading, pruning and defaulting. Validation is in [`super::validate`].

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

use super::cel::Rule;
use super::place::Place;

/// How a list merges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ListType {
    /// Replaced whole.
    #[default]
    Atomic,
    /// Values are unique.
    Set,
    /// Items are unique by these fields.
    Map(Vec<String>),
}

/// The schema of one place in an object.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// `type`; empty when any.
    pub kind: String,
    /// `x-kubernetes-int-or-string`.
    pub int_or_string: bool,
    /// `nullable`.
    pub nullable: bool,
    /// `x-kubernetes-preserve-unknown-fields`.
    pub preserve: bool,
    /// `x-kubernetes-embedded-resource`.
    pub embedded: bool,
    /// `properties`.
    pub properties: BTreeMap<String, Schema>,
    /// `additionalProperties` with a schema.
    pub additional: Option<Box<Schema>>,
    /// `additionalProperties: true`.
    pub open: bool,
    /// `items`.
    pub items: Option<Box<Schema>>,
    /// `required`.
    pub required: Vec<String>,
    /// `enum`; empty when free.
    pub values: Vec<Value>,
    /// `pattern`, with its text.
    pub pattern: Option<(String, Regex)>,
    /// `format`.
    pub format: String,
    /// `default`.
    pub default: Option<Value>,
    /// `minimum` and whether it is exclusive.
    pub minimum: Option<(f64, bool)>,
    /// `maximum` and whether it is exclusive.
    pub maximum: Option<(f64, bool)>,
    /// `multipleOf`.
    pub multiple_of: Option<f64>,
    /// `minLength` and `maxLength`.
    pub length: (Option<u64>, Option<u64>),
    /// `minItems` and `maxItems`.
    pub count: (Option<u64>, Option<u64>),
    /// `minProperties` and `maxProperties`.
    pub size: (Option<u64>, Option<u64>),
    /// `uniqueItems`.
    pub unique: bool,
    /// `x-kubernetes-list-type` and its keys.
    pub list_type: ListType,
    /// `x-kubernetes-map-type: atomic`.
    pub atomic_map: bool,
    /// `x-kubernetes-validations`.
    pub rules: Vec<Rule>,
    /// `allOf`.
    pub all_of: Vec<Schema>,
    /// `anyOf`.
    pub any_of: Vec<Schema>,
    /// `oneOf`.
    pub one_of: Vec<Schema>,
    /// `not`.
    pub not: Option<Box<Schema>>,
}

impl Schema {
    /// Reads an `openAPIV3Schema`.
    ///
    /// # Errors
    /// A pattern that is no regular expression, or a CEL rule beyond what we evaluate; in words, with the path.
    pub fn parse(value: &Value, path: &str) -> Result<Self, String> {
        let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let flag = |field: &str| value.get(field).and_then(Value::as_bool).unwrap_or(false);
        let number = |field: &str| value.get(field).and_then(Value::as_f64);
        let whole = |field: &str| value.get(field).and_then(Value::as_u64);
        let list = |field: &str| value.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
        let strings = |field: &str| -> Vec<String> {
            list(field).iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
        };
        let many = |field: &str| -> Result<Vec<Self>, String> {
            list(field).iter().map(|item| Self::parse(item, path)).collect()
        };
        let one = |field: &str, path: String| -> Result<Option<Box<Self>>, String> {
            match value.get(field) {
                Some(below @ Value::Object(_)) => Ok(Some(Box::new(Self::parse(below, &path)?))),
                _ => Ok(None),
            }
        };
        let mut properties = BTreeMap::new();
        for (name, below) in value.get("properties").and_then(Value::as_object).into_iter().flatten() {
            properties.insert(name.clone(), Self::parse(below, &format!("{path}.{name}"))?);
        }
        let pattern = match value.get("pattern").and_then(Value::as_str) {
            None => None,
            Some(text) => {
                let regex = Regex::new(text).map_err(|error| format!("{path}.pattern: {error}"))?;
                Some((text.to_owned(), regex))
            }
        };
        let mut rules = Vec::new();
        for rule in list("x-kubernetes-validations") {
            rules.push(Rule::parse(&rule).map_err(|error| format!("{path}.x-kubernetes-validations: {error}"))?);
        }
        let list_type = match text("x-kubernetes-list-type").as_str() {
            "set" => ListType::Set,
            "map" => ListType::Map(strings("x-kubernetes-list-map-keys")),
            _ => ListType::Atomic,
        };
        Ok(Self {
            kind: text("type"),
            int_or_string: flag("x-kubernetes-int-or-string"),
            nullable: flag("nullable"),
            preserve: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            properties,
            additional: one("additionalProperties", format!("{path}.*"))?,
            open: flag("additionalProperties"),
            items: one("items", format!("{path}[]"))?,
            required: strings("required"),
            values: list("enum"),
            pattern,
            format: text("format"),
            default: value.get("default").cloned(),
            minimum: number("minimum").map(|bound| (bound, flag("exclusiveMinimum"))),
            maximum: number("maximum").map(|bound| (bound, flag("exclusiveMaximum"))),
            multiple_of: number("multipleOf"),
            length: (whole("minLength"), whole("maxLength")),
            count: (whole("minItems"), whole("maxItems")),
            size: (whole("minProperties"), whole("maxProperties")),
            unique: flag("uniqueItems"),
            list_type,
            atomic_map: text("x-kubernetes-map-type") == "atomic",
            rules,
            all_of: many("allOf")?,
            any_of: many("anyOf")?,
            one_of: many("oneOf")?,
            not: one("not", path.to_owned())?,
        })
    }

    /// The schema of a named field.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&Self> {
        self.properties.get(name)
    }

    /// Drops what the schema of a whole object does not know; the paths that were dropped.
    pub fn prune_object(&self, object: &mut Value) -> Vec<String> {
        let mut dropped = Vec::new();
        self.prune(object, true, &Place::Root, &mut dropped);
        dropped
    }

    fn prune(&self, value: &mut Value, is_resource: bool, place: &Place<'_>, dropped: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                map.retain(|name, _| {
                    let known = self.preserve
                        || self.open
                        || self.additional.is_some()
                        || self.properties.contains_key(name)
                        || (is_resource && matches!(name.as_str(), "apiVersion" | "kind" | "metadata"));
                    if !known {
                        dropped.push(Place::Field(place, name).to_string());
                    }
                    known
                });
                for (name, below) in map.iter_mut() {
                    if is_resource && name == "metadata" {
                        continue;
                    }
                    if let Some(schema) = self.property(name).or(self.additional.as_deref()) {
                        schema.prune(below, schema.embedded, &Place::Field(place, name), dropped);
                    }
                }
            }
            Value::Array(list) => {
                if let Some(schema) = &self.items {
                    for (at, item) in list.iter_mut().enumerate() {
                        schema.prune(item, schema.embedded, &Place::Item(place, at), dropped);
                    }
                }
            }
            _ => {}
        }
    }

    /// Fills in the defaults of a whole object.
    pub fn default_object(&self, object: &mut Value) {
        self.fill(object);
    }

    fn fill(&self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                self.fill_map(map);
                if let Some(schema) = &self.additional {
                    for (name, below) in map.iter_mut() {
                        if !self.properties.contains_key(name) {
                            schema.fill(below);
                        }
                    }
                }
            }
            Value::Array(list) => {
                if let Some(schema) = &self.items {
                    list.iter_mut().for_each(|item| schema.fill(item));
                }
            }
            _ => {}
        }
    }

    /// A null where none may be is the same as nothing, and so makes room for a default.
    fn fill_map(&self, map: &mut Map<String, Value>) {
        map.retain(|name, value| {
            let schema = self.property(name).or(self.additional.as_deref());
            !value.is_null() || schema.is_none_or(|schema| schema.nullable)
        });
        for (name, schema) in &self.properties {
            if let (Some(default), false) = (&schema.default, map.contains_key(name)) {
                map.insert(name.clone(), default.clone());
            }
            if let Some(below) = map.get_mut(name) {
                schema.fill(below);
            }
        }
    }
}
