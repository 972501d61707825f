//! Our CRDs have the fields, types and validations of upstream's, line by line.
//!
//! `tests/tables` holds upstream's CRDs flattened to a line per field; here ours are flattened the same way and the lines
//! compared without regard to order. A difference that is wanted stands in [`WANTED`] with its reason.

#![allow(clippy::unwrap_used, reason = "a test's own functions")]

use std::collections::BTreeSet;
use std::path::Path;

use ramen_api::manifests::own_crds;
use serde_json::Value;

/// A line that is wanted on one side only: table, the side and the line, why.
struct Wanted {
    table: &'static str,
    line: &'static str,
    reason: &'static str,
}

/// Differences that are wanted; `-` before a line that only upstream has, `+` before one that only we have.
const WANTED: &[Wanted] = &[];

/// Validations that become a note `key=value`.
const LIMITS: [&str; 8] =
    ["minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "minProperties", "maxProperties"];

#[test]
fn fields_are_upstreams() {
    let mut unexpected = Vec::new();
    let mut found = BTreeSet::new();
    for own in own_crds() {
        let crd = serde_json::to_value(&own.crd).unwrap();
        let table = format!("{}.{}_v1alpha1", own.crd.spec.names.plural, own.crd.spec.group);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables").join(format!("{table}.tsv"));
        let theirs: BTreeSet<String> = std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
        let ours: BTreeSet<String> = flatten(&crd).into_iter().collect();
        let only_theirs = theirs.difference(&ours).map(|line| format!("-{line}"));
        let only_ours = ours.difference(&theirs).map(|line| format!("+{line}"));
        for line in only_theirs.chain(only_ours) {
            match WANTED.iter().position(|wanted| wanted.table == table && wanted.line == line) {
                Some(row) => _ = found.insert(row),
                None => unexpected.push(format!("{table}: {line}")),
            }
        }
    }
    let stale: Vec<_> =
        WANTED.iter().enumerate().filter(|(row, _)| !found.contains(row)).map(|(_, w)| (w.line, w.reason)).collect();
    assert!(unexpected.is_empty(), "{} lines differ:\n{}", unexpected.len(), unexpected.join("\n"));
    assert!(stale.is_empty(), "these differences are no more; take them off the list: {stale:?}");
}

fn flatten(crd: &Value) -> Vec<String> {
    let spec = &crd["spec"];
    let names = &spec["names"];
    let mut lines = Vec::new();
    for version in spec["versions"].as_array().unwrap() {
        let subresources = version["subresources"].as_object().map(|s| s.keys().cloned().collect::<Vec<_>>().join(","));
        lines.push(format!(
            "# {}/{} {} plural={} short={} scope={} storage={} subresources={}",
            text(&spec["group"]),
            text(&version["name"]),
            text(&names["kind"]),
            text(&names["plural"]),
            joined(&names["shortNames"], ","),
            text(&spec["scope"]),
            if version["storage"] == true { "True" } else { "False" },
            subresources.unwrap_or_default(),
        ));
        for column in version["additionalPrinterColumns"].as_array().into_iter().flatten() {
            lines.push(format!(
                "# column\t{}\t{}\t{}\tpriority={}",
                text(&column["name"]),
                text(&column["jsonPath"]),
                text(&column["type"]),
                column["priority"].as_i64().unwrap_or(0),
            ));
        }
        lines.push("# path\ttype\trequired\tnotes".to_owned());
        let root = &version["schema"]["openAPIV3Schema"];
        for top in ["spec", "status"] {
            if let Some(schema) = root["properties"].get(top) {
                walk(top, schema, requires(root, top), &mut lines);
            }
        }
    }
    lines
}

fn walk(path: &str, schema: &Value, required: bool, lines: &mut Vec<String>) {
    let mut kind = text(&schema["type"]);
    if schema["x-kubernetes-int-or-string"] == true {
        kind = "int-or-string".to_owned();
    }
    if schema["x-kubernetes-preserve-unknown-fields"] == true {
        kind += "+unknown";
    }
    let required = if required { "required" } else { "" };
    lines.push(format!("{path}\t{kind}\t{required}\t{}", notes(schema).join("; ")));
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(&format!("{path}.{name}"), property, requires(schema, name), lines);
    }
    if schema["items"].is_object() {
        walk(&format!("{path}[]"), &schema["items"], false, lines);
    }
    if schema["additionalProperties"].is_object() {
        walk(&format!("{path}{{}}"), &schema["additionalProperties"], false, lines);
    }
}

fn notes(schema: &Value) -> Vec<String> {
    let mut notes = Vec::new();
    if schema["enum"].is_array() {
        notes.push(format!("enum={}", joined(&schema["enum"], "|")));
    }
    for key in ["pattern", "format"] {
        if let Some(value) = schema[key].as_str() {
            notes.push(format!("{key}={value}"));
        }
    }
    if let Some(default) = schema.get("default") {
        notes.push(format!("default={default}"));
    }
    for key in LIMITS {
        if let Some(limit) = schema[key].as_f64() {
            notes.push(format!("{key}={limit}"));
        }
    }
    if let Some(list) = schema["x-kubernetes-list-type"].as_str() {
        let keys = joined(&schema["x-kubernetes-list-map-keys"], ",");
        notes.push(if keys.is_empty() { format!("list-type={list}") } else { format!("list-type={list}:{keys}") });
    }
    for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
        let rule = text(&rule["rule"]);
        let immutable = ["oldSelf==self", "self==oldSelf"].contains(&rule.replace(' ', "").as_str());
        notes.push(if immutable { "immutable".to_owned() } else { format!("cel={rule}") });
    }
    if schema["nullable"] == true {
        notes.push("nullable".to_owned());
    }
    notes
}

fn requires(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name))
}

fn joined(list: &Value, by: &str) -> String {
    list.as_array().map(|items| items.iter().map(text).collect::<Vec<_>>().join(by)).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
