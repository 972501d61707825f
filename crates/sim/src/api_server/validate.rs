//! Validation of custom resources against their schemas, in the words of real servers.

use serde_json::{Value, json};

use super::cel;
use super::kinds::TypeRef;
use super::place::Place;
use super::refusal::Cause;
use super::schema::{ListType, Schema};

/// What is wrong with a whole object; `old` is what it replaces.
#[must_use]
pub fn object(kind: &TypeRef, value: &Value, old: Option<&Value>) -> Vec<Cause> {
    let Some(schema) = &kind.version().schema else { return Vec::new() };
    let mut causes = Vec::new();
    check(schema, value, &Place::Root, &mut causes);
    // Rules read what the checks above have found to be of the right types.
    if causes.is_empty() {
        rules(schema, value, old, &Place::Root, &mut causes);
    }
    causes
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn check(schema: &Schema, value: &Value, path: &Place<'_>, causes: &mut Vec<Cause>) {
    let invalid = |detail: String| Cause::invalid(path.to_string(), value, &format!("{path} in body {detail}"));
    if value.is_null() && schema.nullable {
        return;
    }
    let found = kind_of(value);
    let fits = if schema.int_or_string {
        matches!(found, "integer" | "string")
    } else {
        schema.kind.is_empty() || schema.kind == found || (schema.kind == "number" && found == "integer")
    };
    if !fits {
        let wanted = if schema.int_or_string { "integer,string" } else { schema.kind.as_str() };
        causes.push(Cause {
            reason: "FieldValueTypeInvalid",
            field: path.to_string(),
            message: format!("Invalid value: \"{found}\": {path} in body must be of type {wanted}: \"{found}\""),
        });
        return;
    }
    if !schema.values.is_empty() && !schema.values.contains(value) {
        let supported: Vec<String> = schema.values.iter().map(Value::to_string).collect();
        causes.push(Cause {
            reason: "FieldValueNotSupported",
            field: path.to_string(),
            message: format!("Unsupported value: {value}: supported values: {}", supported.join(", ")),
        });
    }
    match value {
        Value::String(text) => {
            let bounded = schema.length.0.is_some() || schema.length.1.is_some();
            let length = if bounded { text.chars().count() as u64 } else { 0 };
            if schema.length.0.is_some_and(|least| length < least) {
                let least = schema.length.0.unwrap_or_default();
                causes.push(invalid(format!("should be at least {least} chars long")));
            }
            if let Some(most) = schema.length.1.filter(|most| length > *most) {
                causes.push(Cause {
                    reason: "FieldValueTooLong",
                    field: path.to_string(),
                    message: format!("Too long: may not be more than {most} bytes"),
                });
            }
            if let Some((pattern, _)) = schema.pattern.as_ref().filter(|(_, regex)| !regex.is_match(text)) {
                causes.push(invalid(format!("should match '{pattern}'")));
            }
            if schema.format == "date-time" && text.parse::<jiff::Timestamp>().is_err() {
                causes.push(invalid(format!("must be of type date-time: \"{text}\"")));
            }
        }
        Value::Number(number) => check_number(schema, number.as_f64().unwrap_or(0.0), &invalid, causes),
        Value::Array(list) => check_list(schema, list, path, causes),
        Value::Object(map) => check_map(schema, map, path, causes),
        _ => {}
    }
    check_combinations(schema, value, path, causes);
}

fn check_number(schema: &Schema, number: f64, invalid: &dyn Fn(String) -> Cause, causes: &mut Vec<Cause>) {
    if let Some((bound, exclusive)) = schema.minimum
        && (number < bound || (exclusive && number <= bound))
    {
        let or = if exclusive { "" } else { " or equal to" };
        causes.push(invalid(format!("should be greater than{or} {bound}")));
    }
    if let Some((bound, exclusive)) = schema.maximum
        && (number > bound || (exclusive && number >= bound))
    {
        let or = if exclusive { "" } else { " or equal to" };
        causes.push(invalid(format!("should be less than{or} {bound}")));
    }
    if let Some(step) = schema.multiple_of.filter(|step| (number / step).fract() != 0.0) {
        causes.push(invalid(format!("should be a multiple of {step}")));
    }
}

fn check_list(schema: &Schema, list: &[Value], path: &Place<'_>, causes: &mut Vec<Cause>) {
    let count = list.len() as u64;
    if let Some(least) = schema.count.0.filter(|least| count < *least) {
        causes.push(Cause::invalid(
            path.to_string(),
            &json!(count),
            &format!("{path} in body should have at least {least} items"),
        ));
    }
    if let Some(most) = schema.count.1.filter(|most| count > *most) {
        causes.push(Cause {
            reason: "FieldValueTooMany",
            field: path.to_string(),
            message: format!("Too many: {count}: must have at most {most} items"),
        });
    }
    let identity = |item: &Value| match &schema.list_type {
        ListType::Map(keys) => {
            Value::Array(keys.iter().map(|key| item.get(key).cloned().unwrap_or_default()).collect())
        }
        _ => item.clone(),
    };
    if schema.unique || schema.list_type != ListType::Atomic {
        for (at, item) in list.iter().enumerate() {
            if list.iter().take(at).any(|other| identity(other) == identity(item)) {
                causes.push(Cause {
                    reason: "FieldValueDuplicate",
                    field: format!("{path}[{at}]"),
                    message: format!("Duplicate value: {}", identity_text(schema, item)),
                });
            }
        }
    }
    if let Some(items) = &schema.items {
        for (at, item) in list.iter().enumerate() {
            check(items, item, &Place::Item(path, at), causes);
        }
    }
}

fn identity_text(schema: &Schema, item: &Value) -> String {
    match &schema.list_type {
        ListType::Map(keys) => {
            let fields: serde_json::Map<String, Value> =
                keys.iter().map(|key| (key.clone(), item.get(key).cloned().unwrap_or_default())).collect();
            Value::Object(fields).to_string()
        }
        _ => item.to_string(),
    }
}

fn check_map(schema: &Schema, map: &serde_json::Map<String, Value>, path: &Place<'_>, causes: &mut Vec<Cause>) {
    for name in &schema.required {
        if !map.contains_key(name) {
            causes.push(Cause::required(Place::Field(path, name).to_string(), ""));
        }
    }
    let size = map.len() as u64;
    if let Some(least) = schema.size.0.filter(|least| size < *least) {
        let detail = format!("{path} in body should have at least {least} properties");
        causes.push(Cause::invalid(path.to_string(), &json!(size), &detail));
    }
    if let Some(most) = schema.size.1.filter(|most| size > *most) {
        causes.push(Cause {
            reason: "FieldValueTooMany",
            field: path.to_string(),
            message: format!("Too many: {size}: must have at most {most} items"),
        });
    }
    for (name, value) in map {
        if path.is_root() && name == "metadata" {
            continue;
        }
        if let Some(below) = schema.property(name).or(schema.additional.as_deref()) {
            check(below, value, &Place::Field(path, name), causes);
        }
    }
}

fn check_combinations(schema: &Schema, value: &Value, path: &Place<'_>, causes: &mut Vec<Cause>) {
    let passes = |schema: &Schema| {
        let mut found = Vec::new();
        check(schema, value, path, &mut found);
        found.is_empty()
    };
    for part in &schema.all_of {
        check(part, value, path, causes);
    }
    if !schema.any_of.is_empty() && !schema.any_of.iter().any(passes) {
        let detail = format!("{path} in body must validate at least one schema (anyOf)");
        causes.push(Cause::invalid(path.to_string(), value, &detail));
    }
    if !schema.one_of.is_empty() && schema.one_of.iter().filter(|part| passes(part)).count() != 1 {
        let detail = format!("{path} in body must validate one and only one schema (oneOf)");
        causes.push(Cause::invalid(path.to_string(), value, &detail));
    }
    if schema.not.as_deref().is_some_and(passes) {
        let detail = format!("{path} in body must not validate the schema (not)");
        causes.push(Cause::invalid(path.to_string(), value, &detail));
    }
}

/// Evaluates the CEL rules from here down. Rules about the old value run only where there is one.
fn rules(schema: &Schema, value: &Value, old: Option<&Value>, path: &Place<'_>, causes: &mut Vec<Cause>) {
    for rule in &schema.rules {
        if rule.about_change && old.is_none() {
            continue;
        }
        match cel::holds(rule, value, old) {
            Ok(true) => {}
            Ok(false) => {
                let field = rule.field.as_deref().map_or_else(
                    || path.to_string(),
                    |field| Place::Field(path, field.trim_start_matches('.')).to_string(),
                );
                let reason = match rule.reason.as_str() {
                    "FieldValueRequired" => "FieldValueRequired",
                    "FieldValueForbidden" => "FieldValueForbidden",
                    "FieldValueDuplicate" => "FieldValueDuplicate",
                    _ => "FieldValueInvalid",
                };
                let cause = match reason {
                    "FieldValueForbidden" => Cause::forbidden(field, &rule.message),
                    "FieldValueRequired" => Cause::required(field, &rule.message),
                    _ => Cause { reason, ..Cause::invalid(field, value, &rule.message) },
                };
                causes.push(cause);
            }
            Err(error) => {
                let detail = format!("failed rule: {}: {error}", rule.text);
                causes.push(Cause::invalid(path.to_string(), value, &detail));
            }
        }
    }
    match value {
        Value::Object(map) => {
            for (name, below) in map {
                if let Some(schema) = schema.property(name).or(schema.additional.as_deref()) {
                    let old = old.and_then(|old| old.get(name));
                    rules(schema, below, old, &Place::Field(path, name), causes);
                }
            }
        }
        Value::Array(list) => {
            let Some(items) = &schema.items else { return };
            for (at, item) in list.iter().enumerate() {
                // Only items of keyed lists can be told to be the same as before.
                let old = match &schema.list_type {
                    ListType::Map(keys) => old.and_then(Value::as_array).and_then(|list| {
                        list.iter().find(|other| keys.iter().all(|key| other.get(key) == item.get(key)))
                    }),
                    _ => None,
                };
                rules(items, item, old, &Place::Item(path, at), causes);
            }
        }
        _ => {}
    }
}
