//! Fields of records and objects, as people name them: `.status.conditions[Available].status`.

use std::{fmt, str::FromStr};

use ramen_events::Time;
use serde_json::Value;

/// A way into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// `.name`
    Field(String),
    /// `[name]`: an element of a list by what names it or by position, or a field whose name has dots in it.
    Element(String),
}

/// What names an element of a list.
const NAMES: [&str; 4] = ["type", "kind", "name", "key"];

impl Path {
    /// Reads a path that starts a text; tells how many bytes it has.
    ///
    /// # Errors
    /// The place where it goes wrong, in bytes, and what was expected there.
    pub fn read(text: &str) -> Result<(Self, usize), (usize, &'static str)> {
        let mut steps = Vec::new();
        let mut at = 0;
        loop {
            let rest = text.get(at..).unwrap_or_default();
            if let Some(inner) = rest.strip_prefix('[') {
                let (name, length) = match inner.strip_prefix('"') {
                    Some(quoted) => (quoted.split('"').next().unwrap_or_default(), 2),
                    None => (inner.split(']').next().unwrap_or_default(), 0),
                };
                let end = at + 1 + name.len() + length;
                if name.is_empty() {
                    return Err((at + 1, "the name or the position of an element"));
                }
                if !text.get(end..).is_some_and(|rest| rest.starts_with(']')) {
                    return Err((end.min(text.len()), "]"));
                }
                steps.push(Step::Element(name.to_owned()));
                at = end + 1;
                continue;
            }
            let dotted = rest.strip_prefix('.');
            if dotted.is_none() && at > 0 {
                break;
            }
            let start = at + usize::from(dotted.is_some());
            let name: String = text.get(start..).unwrap_or_default().chars().take_while(|c| is_name(*c)).collect();
            if name.is_empty() {
                return Err((start, "the name of a field"));
            }
            at = start + name.len();
            steps.push(Step::Field(name));
        }
        Ok((Self(steps), at))
    }

    /// What stands there.
    pub fn get<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, |value, step| step.get(value))
    }

    /// Puts a value there: as JSON, or as text where there is text already.
    ///
    /// # Errors
    /// When there is no such place, with those that there are.
    pub fn set(&self, value: &mut Value, text: &str) -> Result<Value, String> {
        let mut here = value;
        let Some((last, steps)) = self.0.split_last() else { return Err("no field is named".to_owned()) };
        for step in steps {
            let known = known(here);
            here = step.get_mut(here).ok_or_else(|| format!("there is no {step}; there is {known}"))?;
        }
        let old = last.get(here).cloned();
        let new = typed(old.as_ref(), text);
        match (last.get_mut(here), last) {
            (Some(place), _) => *place = new.clone(),
            (None, Step::Field(name) | Step::Element(name)) => match here {
                Value::Object(fields) => {
                    fields.insert(name.clone(), new.clone());
                }
                other => return Err(format!("there is no {last}; there is {}", known(other))),
            },
        }
        Ok(new)
    }
}

/// A value as it is typed in, where `old` stood.
fn typed(old: Option<&Value>, text: &str) -> Value {
    let json = || serde_json::from_str(text);
    match old {
        Some(Value::String(_)) if !text.starts_with('"') => Value::String(text.to_owned()),
        // Times are kept as milliseconds.
        Some(Value::Number(_) | Value::Null) if Time::parse(text).is_some() => {
            Time::parse(text).map_or(Value::Null, |time| time.0.into())
        }
        _ => json().unwrap_or_else(|_| Value::String(text.to_owned())),
    }
}

/// What can be named in a value.
pub fn known(value: &Value) -> String {
    let names: Vec<String> = match value {
        Value::Object(fields) => fields.keys().cloned().collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(index, value)| name_of(value).unwrap_or_else(|| index.to_string())).collect()
        }
        other => return format!("only {other}"),
    };
    if names.is_empty() { "nothing in it".to_owned() } else { names.join(", ") }
}

fn name_of(value: &Value) -> Option<String> {
    NAMES.iter().find_map(|field| value.get(field)?.as_str()).map(str::to_owned)
}

impl Step {
    fn place(&self, value: &Value) -> Option<usize> {
        let (Self::Field(name) | Self::Element(name)) = self;
        let list = value.as_array()?;
        list.iter().position(|element| name_of(element).as_ref() == Some(name)).or_else(|| name.parse().ok())
    }

    fn get<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        let (Self::Field(name) | Self::Element(name)) = self;
        match value {
            Value::Array(list) => list.get(self.place(value)?),
            value => value.get(name),
        }
    }

    fn get_mut<'a>(&self, value: &'a mut Value) -> Option<&'a mut Value> {
        let (Self::Field(name) | Self::Element(name)) = self;
        let place = self.place(value);
        match value {
            Value::Array(list) => list.get_mut(place?),
            value => value.get_mut(name),
        }
    }
}

/// Whether a character may stand in the name of a field without brackets.
fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

impl FromStr for Path {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |at: usize, expected: &str| format!("{text:?}, column {}: expected {expected}", at + 1);
        let (path, length) = Self::read(text).map_err(|(at, expected)| wrong(at, expected))?;
        if length == text.len() { Ok(path) } else { Err(wrong(length, "a dot, or the end")) }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Element(name) => write!(f, "[{name}]"),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| write!(f, "{step}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found_by_name_and_elements_by_what_names_them() {
        let value = json!({"status": {"conditions": [{"type": "A", "status": "True"}, {"type": "B", "status": "False"}]},
                           "annotations": {"a.b/c": "x"}});
        let at = |path: &str| path.parse::<Path>().expect("a path").get(&value).cloned();
        assert_eq!(at(".status.conditions[B].status"), Some(json!("False")));
        assert_eq!(at("status.conditions[0].status"), Some(json!("True")));
        assert_eq!(at(".annotations[a.b/c]"), Some(json!("x")));
        assert_eq!(at(".annotations[\"a.b/c\"]"), Some(json!("x")));
        assert_eq!(at(".status.phase"), None);
    }

    #[test]
    fn a_wrong_path_says_where_and_what_was_expected() {
        let wrong = |path: &str| path.parse::<Path>().expect_err("it is wrong");
        assert_eq!(wrong(".a..b"), "\".a..b\", column 4: expected the name of a field");
        assert_eq!(wrong(".a[b"), "\".a[b\", column 5: expected ]");
        assert_eq!(wrong(".a b"), "\".a b\", column 3: expected a dot, or the end");
    }

    #[test]
    fn values_are_typed_like_what_stood_there() {
        let mut value = json!({"action": "", "generation": 1, "deleting": null, "list": [1]});
        let mut set = |path: &str, text: &str| path.parse::<Path>().expect("a path").set(&mut value, text);
        assert_eq!(set("action", "true"), Ok(json!("true")));
        assert_eq!(set("generation", "2"), Ok(json!(2)));
        assert_eq!(set("deleting", "2023-11-14T22:13:20Z"), Ok(json!(1_700_000_000_000_u64)));
        assert_eq!(set("list[0]", "5"), Ok(json!(5)));
        assert_eq!(
            set("spec.action", "x"),
            Err("there is no .spec; there is action, deleting, generation, list".to_owned())
        );
    }
}
