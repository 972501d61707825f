//! What is different between two JSON values: what a fact told that was new, what `diff` shows.

use std::io::{self, Write};

use ramen_events::Time;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::table::{BAD, BOLD, GOOD, styled};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// Where: names joined by dots, elements of lists by what names them, or by position.
    pub path: String,
    /// What stood there before; absent when nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What stands there now; absent when nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl Change {
    /// In one line, values cut to `limit` characters.
    pub fn line(&self, limit: usize) -> String {
        let text = |value: &Option<Value>| value.as_ref().map_or_else(|| "—".to_owned(), |value| brief(value, limit));
        format!("{}: {} → {}", self.path, text(&self.before), text(&self.after))
    }
}

/// A value in few characters: texts without quotes, nothing for what is empty.
pub fn brief(value: &Value, limit: usize) -> String {
    let text = match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => moment(number).unwrap_or_else(|| number.to_string()),
        value => value.to_string(),
    };
    cut(&text, limit)
}

/// Facts hold times as milliseconds; a number of that size is nothing else.
fn moment(number: &serde_json::Number) -> Option<String> {
    number.as_u64().filter(|ms| (1_000_000_000_000..5_000_000_000_000).contains(ms)).map(|ms| Time(ms).rfc3339())
}

/// At most `limit` characters, the last one telling that there were more.
pub fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Parts of the projection that say nothing to people.
const INNER: [&str; 6] = ["domain.index", "flights", "head", "now", "epoch", "synced"];
/// Fields that change with everything else.
const NOISE: [&str; 6] = ["resource_version", "content", "blob", "body", "pv_blob", "pvc_blob"];

/// Whether a path into the projection says something to the operator only: indexes, attempts, versions, hashes.
pub fn is_inner(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or_default();
    INNER.iter().any(|inner| path.starts_with(inner)) || NOISE.contains(&last)
}

/// Prints changes as `diff` does: what stood there under −, what stands there under +.
///
/// # Errors
/// When `out` can't be written.
pub fn print(changes: &[Change], out: &mut dyn Write) -> io::Result<()> {
    for change in changes {
        writeln!(out, "{}", styled(BOLD, change.path.trim_start_matches("domain.")))?;
        for (sign, style, value) in [("−", BAD, &change.before), ("+", GOOD, &change.after)] {
            if let Some(value) = value {
                writeln!(out, "  {}", styled(style, format!("{sign} {}", brief(value, 400))))?;
            }
        }
    }
    Ok(())
}

/// Fields that name an element of a list.
const NAMES: [&str; 4] = ["kind", "type", "name", "key"];

/// All differences, in the order of the paths.
pub fn between(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", before, after, &mut changes);
    changes
}

fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let fresh = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(fresh) {
                pair(&join(path, key), old.get(key), new.get(key), changes);
            }
        }
        (Value::Array(old), Value::Array(new)) => match (named(old), named(new)) {
            (Some(old), Some(new)) => {
                let of = |list: &[(String, &Value)], name: &str| {
                    list.iter().find(|(other, _)| other == name).map(|(_, value)| (*value).clone())
                };
                let fresh = new.iter().filter(|(name, _)| !old.iter().any(|(other, _)| other == name));
                for (name, _) in old.iter().chain(fresh) {
                    pair(&format!("{path}[{name}]"), of(&old, name).as_ref(), of(&new, name).as_ref(), changes);
                }
            }
            _ => {
                for index in 0..old.len().max(new.len()) {
                    pair(&format!("{path}[{index}]"), old.get(index), new.get(index), changes);
                }
            }
        },
        _ => changes.push(Change { path: path.to_owned(), before: Some(before.clone()), after: Some(after.clone()) }),
    }
}

fn pair(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (Some(before), Some(after)) => compare(path, before, after, changes),
        (before, after) => {
            changes.push(Change { path: path.to_owned(), before: before.cloned(), after: after.cloned() });
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Elements with their names, when all have one and no two the same.
fn named(list: &[Value]) -> Option<Vec<(String, &Value)>> {
    let name = |value: &Value| {
        let name = NAMES.iter().find_map(|field| value.get(field))?;
        Some(match name {
            Value::String(name) => name.clone(),
            name => name.get("name")?.as_str()?.to_owned(),
        })
    };
    let list = list.iter().map(|value| Some((name(value)?, value))).collect::<Option<Vec<_>>>()?;
    let mut names: Vec<&str> = list.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    (names.len() == list.len()).then_some(list)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_of_lists_are_compared_by_name() {
        let before = json!({"conditions": [{"type": "A", "status": "False"}, {"type": "B", "status": "True"}], "n": 1});
        let after = json!({"conditions": [{"type": "B", "status": "True"}, {"type": "A", "status": "True"}], "m": [1]});
        let lines: Vec<String> = between(&before, &after).iter().map(|change| change.line(20)).collect();
        assert_eq!(lines, ["conditions[A].status: False → True", "n: 1 → —", "m: — → [1]"]);
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!((cut("abcdef", 4), cut("abcd", 4)), ("abc…".to_owned(), "abcd".to_owned()));
    }
}
