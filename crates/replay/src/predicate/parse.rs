//! From text to a condition.

use serde_json::Value;

use super::{Field, Object, Predicate, Test, object::KINDS};
use crate::{field::Path, span};

/// What is wrong with a condition, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: expected {expected}\n  {text}\n  {:>column$}", "^")]
pub struct Wrong {
    /// The condition.
    text: String,
    /// Where, in characters from 1.
    column: usize,
    /// What was expected there.
    expected: String,
}

/// Reads a condition.
///
/// # Errors
/// The first place where it is none.
pub fn parse(text: &str) -> Result<Predicate, Wrong> {
    let mut parser = Parser { text, at: 0 };
    let test = parser.any(0)?;
    let mut lasting = 0;
    if parser.word("for") {
        let start = parser.blank();
        let word = parser.rest().split_whitespace().next().unwrap_or_default();
        lasting = span::parse(word).map_err(|_| parser.wrong(start, "a duration, such as 30s or 5m"))?;
        parser.at += word.len();
    }
    let end = parser.blank();
    let expected = if lasting > 0 { "the end" } else { "==, !=, exists, and, or, for, or the end" };
    if end < text.len() { Err(parser.wrong(end, expected)) } else { Ok(Predicate { test, lasting }) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

/// How deep parentheses and `not` may be nested.
const DEEPEST: usize = 64;

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes over blanks; tells where it is then.
    fn blank(&mut self) -> usize {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        self.at
    }

    fn wrong(&self, at: usize, expected: impl Into<String>) -> Wrong {
        let column = self.text.get(..at).unwrap_or(self.text).chars().count() + 1;
        Wrong { text: self.text.to_owned(), column, expected: expected.into() }
    }

    /// Takes a sign, if it comes next.
    fn sign(&mut self, sign: &str) -> bool {
        self.blank();
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    /// Takes a word, if it comes next and ends there.
    fn word(&mut self, word: &str) -> bool {
        self.blank();
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || "_-/.".contains(c));
        let found = self.rest().strip_prefix(word).is_some_and(ends);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn any(&mut self, depth: usize) -> Result<Test, Wrong> {
        let mut test = self.all(depth)?;
        while self.word("or") || self.sign("||") {
            test = Test::Or(Box::new(test), Box::new(self.all(depth)?));
        }
        Ok(test)
    }

    fn all(&mut self, depth: usize) -> Result<Test, Wrong> {
        let mut test = self.one(depth)?;
        while self.word("and") || self.sign("&&") {
            test = Test::And(Box::new(test), Box::new(self.one(depth)?));
        }
        Ok(test)
    }

    fn one(&mut self, depth: usize) -> Result<Test, Wrong> {
        let start = self.blank();
        if depth > DEEPEST {
            return Err(self.wrong(start, "less nesting"));
        }
        if self.word("not") {
            return Ok(Test::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.sign("(") {
            let test = self.any(depth + 1)?;
            let end = self.blank();
            return if self.sign(")") { Ok(test) } else { Err(self.wrong(end, "==, !=, exists, and, or, or )")) };
        }
        let field = self.field()?;
        if self.sign("==") {
            return Ok(Test::Is(field, self.value()?));
        }
        if self.sign("!=") {
            return Ok(Test::Not(Box::new(Test::Is(field, self.value()?))));
        }
        let at = self.blank();
        if self.sign("=") {
            return Err(self.wrong(at, "=="));
        }
        self.word("exists");
        Ok(Test::Exists(field))
    }

    /// `kind/name.path` or `kind/namespace/name.path`; a name with dots stands in quotes.
    fn field(&mut self) -> Result<Field, Wrong> {
        let start = self.blank();
        let kind: String = self.rest().chars().take_while(char::is_ascii_alphanumeric).collect();
        let Some((_, known)) = KINDS.iter().find(|(name, _)| kind.eq_ignore_ascii_case(name)) else {
            let kinds = KINDS.map(|(name, _)| name).join(", ");
            return Err(self.wrong(start, format!("an object, such as drpc/app.status.phase; kinds are {kinds}")));
        };
        self.at += kind.len();
        let mut names = Vec::new();
        while self.rest().starts_with('/') {
            self.at += 1;
            names.push(self.name()?);
        }
        let (namespace, name) = match names.as_slice() {
            [name] => (None, name.clone()),
            [namespace, name] => (Some(namespace.clone()), name.clone()),
            [] => return Err(self.wrong(self.at, "/ and a name")),
            _ => return Err(self.wrong(start, "kind/name or kind/namespace/name")),
        };
        let path = if self.rest().starts_with(['.', '[']) {
            let (path, length) =
                Path::read(self.rest()).map_err(|(at, expected)| self.wrong(self.at + at, expected))?;
            self.at += length;
            Some(path)
        } else {
            None
        };
        Ok(Field { object: Object { kind: *known, namespace, name }, path })
    }

    fn name(&mut self) -> Result<String, Wrong> {
        let start = self.at;
        if let Some(quoted) = self.quoted()? {
            return Ok(quoted);
        }
        let name: String =
            self.rest().chars().take_while(|c| c.is_alphanumeric() || *c == '-' || *c == '_' || *c == ':').collect();
        if name.is_empty() {
            return Err(self.wrong(start, "a name"));
        }
        self.at += name.len();
        Ok(name)
    }

    fn quoted(&mut self) -> Result<Option<String>, Wrong> {
        let Some(quote) = self.rest().chars().next().filter(|c| ['"', '\''].contains(c)) else { return Ok(None) };
        let start = self.at;
        let inner = self.rest().get(1..).unwrap_or_default();
        let Some(end) = inner.find(quote) else {
            return Err(self.wrong(self.text.len(), format!("{quote}, which ends what column {} begins", start + 1)));
        };
        self.at += end + 2;
        Ok(Some(inner.get(..end).unwrap_or_default().to_owned()))
    }

    fn value(&mut self) -> Result<Value, Wrong> {
        let start = self.blank();
        if let Some(text) = self.quoted()? {
            return Ok(Value::String(text));
        }
        let word: String = self.rest().chars().take_while(|c| !c.is_whitespace() && !"()&|=!".contains(*c)).collect();
        if word.is_empty() {
            return Err(self.wrong(start, "a value: \"text\", a word, a number, true, false or null"));
        }
        self.at += word.len();
        Ok(serde_json::from_str(&word).unwrap_or(Value::String(word)))
    }
}

#[cfg(test)]
mod tests {
    use ramen_events::Kind;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn field(kind: Kind, namespace: Option<&str>, name: &str, path: &str) -> Field {
        let path = (!path.is_empty()).then(|| path.parse().expect("a path"));
        Field { object: Object { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() }, path }
    }

    #[test]
    fn conditions_are_read_as_people_write_them() {
        let progression = field(Kind::Drpc, None, "app", ".status.progression");
        let available = field(Kind::Vrg, Some("ns"), "app", ".status.conditions[Available].status");
        let is = |field: &Field, value: Value| Test::Is(field.clone(), value);
        let cases = [
            (
                "drpc/app.status.progression == \"WaitForReadiness\" for 5m",
                Predicate { test: is(&progression, json!("WaitForReadiness")), lasting: 300_000 },
            ),
            (
                "vrg/ns/app.status.conditions[Available].status != True",
                Predicate { test: Test::Not(Box::new(is(&available, json!("True")))), lasting: 0 },
            ),
            (
                "not (drpc/app.status.progression exists and vrg/ns/app.status.conditions[Available].status=='x') for 1s",
                Predicate {
                    test: Test::Not(Box::new(Test::And(
                        Box::new(Test::Exists(progression.clone())),
                        Box::new(is(&available, json!("x"))),
                    ))),
                    lasting: 1_000,
                },
            ),
            ("drpc/app", Predicate { test: Test::Exists(field(Kind::Drpc, None, "app", "")), lasting: 0 }),
        ];
        for (text, predicate) in cases {
            assert_eq!(parse(text), Ok(predicate), "{text}");
        }
        let both = parse("drpc/a or drpc/b and drpc/c").expect("a condition");
        assert!(matches!(both.test, Test::Or(_, other) if matches!(*other, Test::And(..))), "and binds closer");
    }

    #[rstest]
    #[case::nothing("", 1, "an object")]
    #[case::no_kind("app.status", 1, "kinds are drpc, drpolicy")]
    #[case::no_name("drpc", 5, "/ and a name")]
    #[case::empty_name("drpc/.status", 6, "a name")]
    #[case::too_many_names("drpc/a/b/c", 1, "kind/namespace/name")]
    #[case::one_equals_sign("drpc/a.status.phase = x", 21, "==")]
    #[case::no_value("drpc/a.status.phase ==", 23, "a value")]
    #[case::open_text("drpc/a.status.phase == \"x", 26, "which ends what column 24 begins")]
    #[case::open_bracket("drpc/a.status.conditions[A", 27, "]")]
    #[case::empty_step("drpc/a..phase", 8, "the name of a field")]
    #[case::open_parenthesis("(drpc/a", 8, "or )")]
    #[case::no_duration("drpc/a for ever", 12, "a duration")]
    #[case::more_behind("drpc/a == b c", 13, "the end")]
    #[case::more_behind_a_duration("drpc/a for 5m x", 15, "the end")]
    #[case::and_what("drpc/a and", 11, "an object")]
    #[case::beyond_ascii("drpc/ä == é ü", 13, "the end")]
    fn what_is_no_condition_says_where_and_what_was_expected(
        #[case] text: &str,
        #[case] column: usize,
        #[case] expected: &str,
    ) {
        let wrong = parse(text).expect_err("it is wrong");
        assert_eq!(wrong.column, column, "{wrong}");
        assert!(wrong.expected.contains(expected), "{wrong}");
        let marker = wrong.to_string().lines().last().map(|line| line.chars().count());
        assert_eq!(marker, Some(column + 2), "the mark stands below it: {wrong}");
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = "(".repeat(100_000);
        assert!(parse(&deep).is_err_and(|wrong| wrong.expected == "less nesting"));
    }
}
