//! The JSONPath of printer columns: fields, indices, wildcards and filters with `==` or `!=`.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Index(usize),
    Every,
    Where { path: Vec<Step>, equal: bool, value: Value },
}

/// A path into an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Path(Vec<Step>);

impl Path {
    /// Reads a path such as `.status.conditions[?(@.type=="Ready")].status`; what cannot be read finds nothing.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let inner = text.trim().trim_start_matches('{').trim_end_matches('}').trim_start_matches('$');
        Self(steps(inner).unwrap_or_else(|| vec![Step::Field(String::new())]))
    }

    /// Everything that the path finds, in order.
    #[must_use]
    pub fn find<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        find(&self.0, value)
    }
}

fn find<'v>(steps: &[Step], value: &'v Value) -> Vec<&'v Value> {
    let mut found = vec![value];
    for step in steps {
        found = found.into_iter().flat_map(|value| advance(step, value)).collect();
    }
    found
}

fn advance<'v>(step: &Step, value: &'v Value) -> Vec<&'v Value> {
    match step {
        Step::Field(name) => value.get(name).into_iter().collect(),
        Step::Index(at) => value.get(at).into_iter().collect(),
        Step::Every => match value {
            Value::Array(list) => list.iter().collect(),
            Value::Object(map) => map.values().collect(),
            _ => Vec::new(),
        },
        Step::Where { path, equal, value: wanted } => value
            .as_array()
            .into_iter()
            .flatten()
            .filter(|item| find(path, item).first().is_some_and(|found| (*found == wanted) == *equal))
            .collect(),
    }
}

fn steps(text: &str) -> Option<Vec<Step>> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let end = closing(after)?;
            found.push(bracket(&after[..end])?);
            rest = &after[end + 1..];
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let mut name = String::new();
        let mut chars = rest.char_indices();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => name.extend(chars.next().map(|(_, escaped)| escaped)),
                '.' | '[' => {
                    end = at;
                    break;
                }
                c => name.push(c),
            }
        }
        if !name.is_empty() {
            found.push(if name == "*" { Step::Every } else { Step::Field(name) });
        } else if end == 0 && !rest.starts_with('[') {
            return None;
        }
        rest = &rest[end..];
    }
    Some(found)
}

/// Where the bracket closes, outside of quotes and inner brackets.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn bracket(text: &str) -> Option<Step> {
    let text = text.trim();
    if text == "*" {
        return Some(Step::Every);
    }
    if let Some(condition) = text.strip_prefix("?(").and_then(|rest| rest.strip_suffix(')')) {
        let (path, equal, value) = match condition.split_once("!=") {
            Some((path, value)) => (path, false, value),
            None => condition.split_once("==").map(|(path, value)| (path, true, value))?,
        };
        let path = steps(path.trim().strip_prefix('@')?)?;
        return Some(Step::Where { path, equal, value: literal(value.trim()) });
    }
    match unquoted(text) {
        Some(name) => Some(Step::Field(name.replace("\\.", "."))),
        None => text.parse().ok().map(Step::Index),
    }
}

fn unquoted(text: &str) -> Option<&str> {
    ['\'', '"'].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}

fn literal(text: &str) -> Value {
    unquoted(text).map_or_else(|| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)), Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::field(".spec.action", json!(["Failover"]))]
    #[case::condition(".status.conditions[?(@.type==\"Available\")].status", json!(["True"]))]
    #[case::single_quotes(".status.conditions[?(@.type=='PeerReady')].status", json!(["False"]))]
    #[case::index(".spec.clusters[1]", json!(["c2"]))]
    #[case::all(".spec.clusters[*]", json!(["c1", "c2"]))]
    #[case::escaped(".metadata.labels.a\\.b", json!(["x"]))]
    #[case::quoted(".metadata.labels['a.b']", json!(["x"]))]
    #[case::absent(".spec.nothing.here", json!([]))]
    fn paths_find(#[case] path: &str, #[case] expected: Value) {
        let object = json!({
            "metadata": {"labels": {"a.b": "x"}}, "spec": {"action": "Failover", "clusters": ["c1", "c2"]},
            "status": {"conditions": [{"type": "Available", "status": "True"}, {"type": "PeerReady", "status": "False"}]},
        });
        let found: Vec<Value> = Path::parse(path).find(&object).into_iter().cloned().collect();
        assert_eq!(Value::Array(found), expected);
    }
}
