//! Label and field selectors.

use serde_json::Value;

use super::kinds::TypeRef;
use super::refusal::Refusal;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

/// A label selector as in `app in (a,b),tier!=web,!old`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    tests: Vec<(String, Test)>,
}

impl Labels {
    /// Reads a selector's text; the empty text selects everything.
    ///
    /// # Errors
    /// When the text is no selector.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut tests = Vec::new();
        for part in split_outside_parentheses(text) {
            let part = part.trim();
            if !part.is_empty() {
                tests.push(requirement(part)?);
            }
        }
        Ok(Self { tests })
    }

    /// Whether an object's labels satisfy all requirements.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        let labels = object.get("metadata").and_then(|meta| meta.get("labels"));
        self.tests.iter().all(|(key, test)| {
            let value = labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
            match test {
                Test::Exists => value.is_some(),
                Test::Missing => value.is_none(),
                Test::In(values) => value.is_some_and(|value| values.iter().any(|known| known == value)),
                Test::NotIn(values) => value.is_none_or(|value| values.iter().all(|known| known != value)),
                Test::Above(bound) => number(value).is_some_and(|value| value > *bound),
                Test::Below(bound) => number(value).is_some_and(|value| value < *bound),
            }
        })
    }
}

fn number(value: Option<&str>) -> Option<i64> {
    value?.parse().ok()
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn requirement(part: &str) -> Result<(String, Test), Refusal> {
    let bad = || Refusal::bad_request(format!("unable to parse requirement: found '{part}', expected a selector"));
    let key = |text: &str| {
        let text = text.trim();
        let fine = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
        if fine { Ok(text.to_owned()) } else { Err(bad()) }
    };
    if let Some(rest) = part.strip_prefix('!') {
        return Ok((key(rest)?, Test::Missing));
    }
    if let Some((name, list)) = part.split_once('(') {
        let list = list.trim().strip_suffix(')').ok_or_else(bad)?;
        let values = list.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = name.split_whitespace();
        let (name, word) = (words.next().ok_or_else(bad)?, words.next().ok_or_else(bad)?);
        return match word {
            "in" => Ok((key(name)?, Test::In(values))),
            "notin" => Ok((key(name)?, Test::NotIn(values))),
            _ => Err(bad()),
        };
    }
    for (mark, make) in [
        ("!=", (|value| Test::NotIn(vec![value])) as fn(String) -> Test),
        ("==", |value| Test::In(vec![value])),
        ("=", |value| Test::In(vec![value])),
    ] {
        if let Some((name, value)) = part.split_once(mark) {
            return Ok((key(name)?, make(value.trim().to_owned())));
        }
    }
    for (mark, make) in [(">", Test::Above as fn(i64) -> Test), ("<", Test::Below)] {
        if let Some((name, value)) = part.split_once(mark) {
            return Ok((key(name)?, make(value.trim().parse().map_err(|_| bad())?)));
        }
    }
    Ok((key(part)?, Test::Exists))
}

/// A field selector as in `metadata.name=x,status.phase!=Running`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    tests: Vec<(String, bool, String)>,
}

impl Fields {
    /// Reads a selector's text for a resource.
    ///
    /// # Errors
    /// When the text is no selector, or names a field that the resource does not select by.
    pub fn parse(text: &str, kind: &TypeRef) -> Result<Self, Refusal> {
        let mut tests = Vec::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let (path, equal, value) = if let Some((path, value)) = part.split_once("!=") {
                (path, false, value)
            } else if let Some((path, value)) = part.split_once("==") {
                (path, true, value)
            } else if let Some((path, value)) = part.split_once('=') {
                (path, true, value)
            } else {
                return Err(Refusal::bad_request(format!("invalid field selector: {part}")));
            };
            let path = path.trim();
            let known = path == "metadata.name"
                || (path == "metadata.namespace" && kind.kind.namespaced)
                || kind.version().fields.iter().any(|field| field == path);
            if !known {
                return Err(Refusal::bad_request(format!("field label not supported: {path}")));
            }
            tests.push((path.to_owned(), equal, value.trim().to_owned()));
        }
        Ok(Self { tests })
    }

    /// Whether an object, in the form in which the resource shows it, satisfies all requirements.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        self.tests.iter().all(|(path, equal, wanted)| {
            let mut at = Some(object);
            for step in path.split('.') {
                at = at.and_then(|value| value.get(step));
            }
            let found = match at {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Object(source)) => {
                    // `source` of events is selected by its component.
                    source.get("component").and_then(Value::as_str).unwrap_or_default().to_owned()
                }
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            };
            (found == *wanted) == *equal
        })
    }

    /// The single name that is asked for, if it is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.tests.iter().find(|(path, equal, _)| path == "metadata.name" && *equal).map(|(_, _, name)| name.as_str())
    }

    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::empty("", true)]
    #[case::equal("app=web", true)]
    #[case::double_equal("app==web,tier=front", true)]
    #[case::unequal("app!=web", false)]
    #[case::unequal_to_missing("old!=yes", true)]
    #[case::exists("app", true)]
    #[case::missing("!app", false)]
    #[case::in_set("app in (db, web)", true)]
    #[case::not_in_set("app notin (db,web),tier", false)]
    #[case::above("size>4", true)]
    #[case::below("size<4", false)]
    fn labels_select(#[case] text: &str, #[case] expected: bool) {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front", "size": "5"}}});
        assert_eq!(Labels::parse(text).unwrap().matches(&object), expected);
    }

    #[rstest]
    #[case("app in db")]
    #[case("a b")]
    #[case("app in (db")]
    fn nonsense_is_refused(#[case] text: &str) {
        assert_eq!(Labels::parse(text).unwrap_err().code, 400);
    }
}
