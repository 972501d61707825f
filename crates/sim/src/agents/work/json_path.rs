//! The part of Kubernetes' JSONPath that feedback rules use: fields, escaped keys, indexes, wildcards, filters.

use serde_json::{Map, Value};

/// A parsed path.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Index(i64),
    Every,
    Filter { path: Vec<Self>, operator: Option<(Operator, Value)> },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    Unequal,
}

/// A path that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unexpected {found} at character {at}")]
pub struct ParseError {
    found: String,
    at: usize,
}

impl JsonPath {
    /// Reads a path as `.status.conditions[?(@.type=="Ready")].status`.
    ///
    /// # Errors
    /// When it is not in the supported part of the language.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut reader = Reader { chars: text.chars().collect(), at: 0 };
        reader.skip('$');
        let steps = reader.steps(|next| next.is_none())?;
        Ok(Self { steps })
    }

    /// The first value that the path leads to; keys that are missing lead nowhere.
    #[must_use]
    pub fn first<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        first(&self.steps, value)
    }
}

/// The first value in the order of the object that the steps lead to.
fn first<'v>(steps: &[Step], value: &'v Value) -> Option<&'v Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match step {
        Step::Field(name) => first(rest, value.get(name)?),
        Step::Index(index) => first(rest, element(value, *index)?),
        Step::Every => children(value).find_map(|child| first(rest, child)),
        Step::Filter { path, operator } => {
            let holds = |child: &&Value| {
                let reached = first(path, child);
                match operator {
                    None => reached.is_some(),
                    Some((Operator::Equal, wanted)) => reached.is_some_and(|value| value == wanted),
                    Some((Operator::Unequal, wanted)) => reached.is_some_and(|value| value != wanted),
                }
            };
            children(value).filter(holds).find_map(|child| first(rest, child))
        }
    }
}

fn element(value: &Value, index: i64) -> Option<&Value> {
    let values = value.as_array()?;
    let length = i64::try_from(values.len()).ok()?;
    let index = if index < 0 { length + index } else { index };
    values.get(usize::try_from(index).ok()?)
}

fn children(value: &Value) -> impl Iterator<Item = &Value> {
    let items = value.as_array().into_iter().flatten();
    items.chain(value.as_object().into_iter().flat_map(Map::values))
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, wanted: char) -> Result<(), ParseError> {
        if self.skip(wanted) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> ParseError {
        let found = self.peek().map_or_else(|| "end".to_owned(), |found| format!("{found:?}"));
        ParseError { found, at: self.at }
    }

    fn steps(&mut self, end: fn(Option<char>) -> bool) -> Result<Vec<Step>, ParseError> {
        let mut steps = Vec::new();
        loop {
            match self.peek() {
                next if end(next) => return Ok(steps),
                Some('.') => {
                    self.at += 1;
                    if self.skip('*') {
                        steps.push(Step::Every);
                    } else if self.peek() != Some('[') {
                        steps.push(Step::Field(self.field()?));
                    }
                }
                Some('[') => {
                    self.at += 1;
                    steps.push(self.bracket()?);
                    self.expect(']')?;
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn field(&mut self) -> Result<String, ParseError> {
        let mut name = String::new();
        while let Some(next) = self.peek() {
            match next {
                '\\' => {
                    self.at += 1;
                    name.push(self.peek().ok_or_else(|| self.unexpected())?);
                }
                '.' | '[' | ']' | ')' | '=' | '!' | ' ' | '<' | '>' => break,
                plain => name.push(plain),
            }
            self.at += 1;
        }
        if name.is_empty() { Err(self.unexpected()) } else { Ok(name) }
    }

    fn bracket(&mut self) -> Result<Step, ParseError> {
        match self.peek() {
            Some('\'' | '"') => Ok(Step::Field(self.quoted()?)),
            Some('*') => {
                self.at += 1;
                Ok(Step::Every)
            }
            Some('?') => self.filter(),
            _ => Ok(Step::Index(self.number()?)),
        }
    }

    fn filter(&mut self) -> Result<Step, ParseError> {
        self.expect('?')?;
        self.expect('(')?;
        self.expect('@')?;
        let path = self.steps(|next| matches!(next, None | Some(')' | '=' | '!' | ' ')))?;
        self.spaces();
        let operator = match self.peek() {
            Some('=') => Some(Operator::Equal),
            Some('!') => Some(Operator::Unequal),
            _ => None,
        };
        let operator = match operator {
            None => None,
            Some(operator) => {
                self.at += 1;
                self.expect('=')?;
                self.spaces();
                Some((operator, self.literal()?))
            }
        };
        self.spaces();
        self.expect(')')?;
        Ok(Step::Filter { path, operator })
    }

    fn literal(&mut self) -> Result<Value, ParseError> {
        match self.peek() {
            Some('\'' | '"') => Ok(Value::String(self.quoted()?)),
            Some('t' | 'f') => match self.field()?.as_str() {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err(self.unexpected()),
            },
            _ => Ok(Value::from(self.number()?)),
        }
    }

    fn quoted(&mut self) -> Result<String, ParseError> {
        let quote = self.peek();
        self.at += 1;
        let mut text = String::new();
        loop {
            let next = self.peek().ok_or_else(|| self.unexpected())?;
            self.at += 1;
            match next {
                '\\' => {
                    text.push(self.peek().ok_or_else(|| self.unexpected())?);
                    self.at += 1;
                }
                end if Some(end) == quote => return Ok(text),
                plain => text.push(plain),
            }
        }
    }

    fn number(&mut self) -> Result<i64, ParseError> {
        let start = self.at;
        while self.peek().is_some_and(|next| next.is_ascii_digit() || next == '-') {
            self.at += 1;
        }
        let text: String = self.chars.iter().skip(start).take(self.at - start).collect();
        text.parse().map_err(|_| self.unexpected())
    }

    fn spaces(&mut self) {
        while self.skip(' ') {}
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::field(".status.state", json!("Primary"))]
    #[case::integer(".metadata.generation", json!(3))]
    #[case::dollar("$.status.state", json!("Primary"))]
    #[case::filter(".status.conditions[?(@.type==\"DataReady\")].status", json!("True"))]
    #[case::filter_quoted(".status.conditions[?(@.type=='Other')].status", json!("False"))]
    #[case::filter_spaces(".status.conditions[?(@.type != 'Other')].status", json!("True"))]
    #[case::index(".status.conditions[1].type", json!("Other"))]
    #[case::last(".status.conditions[-1].type", json!("Other"))]
    #[case::every(".status.conditions[*].type", json!("DataReady"))]
    #[case::escaped_dot(".metadata.annotations.ramen\\.io/epoch", json!("7"))]
    #[case::bracketed(".metadata.annotations['ramen.io/epoch']", json!("7"))]
    #[case::bracketed_escape(".metadata.annotations['ramen\\.io/epoch']", json!("7"))]
    fn paths_lead_to_values(#[case] path: &str, #[case] expected: Value) {
        let object = json!({
            "metadata": {"generation": 3, "annotations": {"ramen.io/epoch": "7"}},
            "status": {"state": "Primary", "conditions": [
                {"type": "DataReady", "status": "True"},
                {"type": "Other", "status": "False"},
            ]},
        });
        assert_eq!(JsonPath::parse(path).unwrap().first(&object), Some(&expected));
    }

    #[rstest]
    #[case::absent(".status.nothing.here")]
    #[case::no_such_condition(".status.conditions[?(@.type==\"X\")].status")]
    fn missing_keys_lead_nowhere(#[case] path: &str) {
        assert_eq!(JsonPath::parse(path).unwrap().first(&json!({"status": {"conditions": []}})), None);
    }

    #[rstest]
    #[case("status")]
    #[case(".status[")]
    #[case(".status[?(@.type==)]")]
    fn what_is_no_path_is_refused(#[case] path: &str) {
        assert!(JsonPath::parse(path).is_err());
    }
}
