//! `Table` output: what `kubectl get` prints.

use serde_json::{Value, json};

use super::columns;
use super::jsonpath::Path;
use super::kinds::TypeRef;
use super::object;
use super::view::{RowObject, metadata_only};
use crate::time::Time;

/// A printer column of a CustomResourceDefinition.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Heading.
    pub name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub kind: String,
    /// OpenAPI format.
    pub format: String,
    /// What it shows.
    pub description: String,
    /// Shown with `-o wide` only when above zero.
    pub priority: i64,
    /// Where the value is.
    pub path: Path,
}

impl Column {
    /// Reads one entry of `additionalPrinterColumns`.
    #[must_use]
    pub fn read(entry: &Value) -> Self {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            kind: text("type"),
            format: text("format"),
            description: text("description"),
            priority: entry.get("priority").and_then(Value::as_i64).unwrap_or(0),
            path: Path::parse(&text("jsonPath")),
        }
    }

    fn cell(&self, object: &Value, now: Time) -> Value {
        let found = self.path.find(object);
        let Some(first) = found.first() else { return Value::Null };
        match (self.kind.as_str(), first) {
            ("date", Value::String(text)) => json!(age(text, now)),
            ("integer" | "number" | "boolean", value) => (*value).clone(),
            ("string", _) if found.len() > 1 => {
                json!(found.iter().map(|value| plain(value)).collect::<Vec<_>>().join(" "))
            }
            (_, value) => json!(plain(value)),
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The table of some objects of a resource.
#[must_use]
pub fn render(kind: &TypeRef, objects: &[&Value], row: RowObject, version: &str, now: Time) -> Value {
    let (definitions, cells) =
        if kind.kind.custom { custom(kind, objects, now) } else { columns::table(kind, objects, now) };
    let rows = objects.iter().zip(cells).map(|(object, cells)| {
        let mut entry = json!({ "cells": cells });
        match row {
            RowObject::None => {}
            RowObject::Metadata => entry["object"] = metadata_only(object),
            RowObject::Whole => entry["object"] = (*object).clone(),
        }
        entry
    });
    let rows: Vec<Value> = rows.collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": { "resourceVersion": version },
        "columnDefinitions": definitions, "rows": rows,
    })
}

/// The definition of one column.
#[must_use]
pub fn definition(name: &str, kind: &str, format: &str, description: &str, priority: i64) -> Value {
    json!({ "name": name, "type": kind, "format": format, "description": description, "priority": priority })
}

fn custom(kind: &TypeRef, objects: &[&Value], now: Time) -> (Vec<Value>, Vec<Vec<Value>>) {
    let declared = &kind.version().columns;
    let mut definitions = vec![definition("Name", "string", "name", "Name of the object", 0)];
    for column in declared {
        definitions.push(definition(&column.name, &column.kind, &column.format, &column.description, column.priority));
    }
    if declared.is_empty() {
        definitions.push(definition("Age", "date", "", "Time since the object was created", 0));
    }
    let rows = objects.iter().map(|object| {
        let mut cells = vec![json!(object::name(object))];
        cells.extend(declared.iter().map(|column| column.cell(object, now)));
        if declared.is_empty() {
            cells.push(json!(age(object::meta_text(object, "creationTimestamp"), now)));
        }
        cells
    });
    let rows = rows.collect();
    (definitions, rows)
}

/// How long ago a moment was, in two units at most, e.g. `5d3h`; `<unknown>` for what is no moment.
#[must_use]
pub fn age(moment: &str, now: Time) -> String {
    Time::parse(moment).map_or_else(|| "<unknown>".to_owned(), |moment| span(now.since(moment).as_secs()))
}

/// A span in the manner of `kubectl`: more digits where they matter.
#[must_use]
pub fn span(seconds: u64) -> String {
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| {
        if small == 0 { format!("{large}{large_unit}") } else { format!("{large}{large_unit}{small}{small_unit}") }
    };
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () if days < 2 * 365 => format!("{days}d"),
        () if days < 8 * 365 => two(days / 365, "y", days % 365, "d"),
        () => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(7, "7s")]
    #[case(119, "119s")]
    #[case(120, "2m")]
    #[case(185, "3m5s")]
    #[case(3600, "60m")]
    #[case(10_800, "3h")]
    #[case(12_000, "3h20m")]
    #[case(40 * 3600, "40h")]
    #[case(50 * 3600, "2d2h")]
    #[case(30 * 86400, "30d")]
    fn ages_read_as_in_kubectl(#[case] seconds: u64, #[case] expected: &str) {
        assert_eq!(span(seconds), expected);
    }
}
