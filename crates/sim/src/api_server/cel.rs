//! Validation rules in the Common Expression Language: the part of it that schemas of this field use.
//!
//! Literals, field access and indexing, `has`, `size`, arithmetic and comparison, logic, `in`, `? :`, the list macros
//! `all`, `exists`, `exists_one`, `filter`, `map`, and the text functions `startsWith`, `endsWith`, `contains`,
//! `matches`. A rule with anything else is refused when its definition is created, not when it is needed.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::cel_parse::{self, Expr, Operator};

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// As written.
    pub text: String,
    /// What a person is told when it does not hold.
    pub message: String,
    /// Reason of the cause; empty for the usual one.
    pub reason: String,
    /// Field to report instead of the one that has the rule.
    pub field: Option<String>,
    /// Whether it speaks of the old value.
    pub about_change: bool,
    expression: Expr,
}

impl Rule {
    /// Reads one entry of `x-kubernetes-validations`.
    ///
    /// # Errors
    /// When the rule is beyond us.
    pub fn parse(entry: &Value) -> Result<Self, String> {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).map(str::to_owned);
        let rule = text("rule").unwrap_or_default();
        let expression = cel_parse::parse(&rule)?;
        Ok(Self {
            message: text("message").unwrap_or_else(|| format!("failed rule: {rule}")),
            reason: text("reason").unwrap_or_default(),
            field: text("fieldPath"),
            about_change: expression.mentions("oldSelf"),
            expression,
            text: rule,
        })
    }
}

/// Whether a rule holds.
///
/// # Errors
/// When it cannot be evaluated, e.g. because a field is absent.
pub fn holds(rule: &Rule, value: &Value, old: Option<&Value>) -> Result<bool, String> {
    let mut scope = vec![("self".to_owned(), value.clone())];
    if let Some(old) = old {
        scope.push(("oldSelf".to_owned(), old.clone()));
    }
    as_bool(&evaluate(&rule.expression, &mut scope)?)
}

type Scope = Vec<(String, Value)>;

fn as_bool(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "no such overload: expected a bool".to_owned())
}

fn evaluate(expression: &Expr, scope: &mut Scope) -> Result<Value, String> {
    match expression {
        Expr::Literal(value) => Ok(value.clone()),
        Expr::Name(name) => {
            let found = scope.iter().rev().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).ok_or_else(|| format!("undeclared reference to '{name}'"))
        }
        Expr::List(items) => {
            Ok(Value::Array(items.iter().map(|item| evaluate(item, scope)).collect::<Result<_, _>>()?))
        }
        Expr::Field(of, name) => {
            let of = evaluate(of, scope)?;
            of.get(name).cloned().ok_or_else(|| format!("no such key: {name}"))
        }
        Expr::Index(of, index) => {
            let (of, index) = (evaluate(of, scope)?, evaluate(index, scope)?);
            let found = match &index {
                Value::String(key) => of.get(key),
                number => number.as_u64().and_then(|at| usize::try_from(at).ok()).and_then(|at| of.get(at)),
            };
            found.cloned().ok_or_else(|| format!("no such key: {index}"))
        }
        Expr::Has(of, name) => Ok(json!(evaluate(of, scope)?.get(name).is_some())),
        Expr::Not(of) => Ok(json!(!as_bool(&evaluate(of, scope)?)?)),
        Expr::Minus(of) => {
            let value = evaluate(of, scope)?;
            match (value.as_i64(), value.as_f64()) {
                (Some(number), _) => Ok(json!(-number)),
                (None, Some(number)) => Ok(json!(-number)),
                _ => Err("no such overload: -".to_owned()),
            }
        }
        Expr::If(condition, yes, no) => {
            let branch = if as_bool(&evaluate(condition, scope)?)? { yes } else { no };
            evaluate(branch, scope)
        }
        Expr::Binary(Operator::Or, left, right) => either(left, right, scope, true),
        Expr::Binary(Operator::And, left, right) => either(left, right, scope, false),
        Expr::Binary(operator, left, right) => binary(*operator, &evaluate(left, scope)?, &evaluate(right, scope)?),
        Expr::Macro(name, of, variable, body) => list_macro(name, &evaluate(of, scope)?, variable, body, scope),
        Expr::Call(name, arguments) => {
            let arguments: Vec<Value> =
                arguments.iter().map(|argument| evaluate(argument, scope)).collect::<Result<_, _>>()?;
            call(name, &arguments)
        }
    }
}

/// `||` (`decisive` true) and `&&`: one side that decides makes up for an error on the other.
fn either(left: &Expr, right: &Expr, scope: &mut Scope, decisive: bool) -> Result<Value, String> {
    let left = evaluate(left, scope).and_then(|value| as_bool(&value));
    if left == Ok(decisive) {
        return Ok(json!(decisive));
    }
    let right = evaluate(right, scope).and_then(|value| as_bool(&value));
    if right == Ok(decisive) {
        return Ok(json!(decisive));
    }
    left?;
    right.map(|value| json!(value))
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.total_cmp(&right) == Ordering::Equal,
        _ => left == right,
    }
}

fn order(left: &Value, right: &Value) -> Result<Ordering, String> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Ok(left.cmp(right)),
        _ => match (left.as_f64(), right.as_f64()) {
            (Some(left), Some(right)) => Ok(left.total_cmp(&right)),
            _ => Err("no such overload: comparison".to_owned()),
        },
    }
}

fn binary(operator: Operator, left: &Value, right: &Value) -> Result<Value, String> {
    Ok(match operator {
        Operator::Equal => json!(equal(left, right)),
        Operator::Unequal => json!(!equal(left, right)),
        Operator::Less => json!(order(left, right)? == Ordering::Less),
        Operator::LessOrEqual => json!(order(left, right)? != Ordering::Greater),
        Operator::Greater => json!(order(left, right)? == Ordering::Greater),
        Operator::GreaterOrEqual => json!(order(left, right)? != Ordering::Less),
        Operator::In => match right {
            Value::Array(list) => json!(list.iter().any(|item| equal(item, left))),
            Value::Object(map) => json!(left.as_str().is_some_and(|key| map.contains_key(key))),
            _ => return Err("no such overload: in".to_owned()),
        },
        Operator::Add => match (left, right) {
            (Value::String(left), Value::String(right)) => json!(format!("{left}{right}")),
            (Value::Array(left), Value::Array(right)) => Value::Array(left.iter().chain(right).cloned().collect()),
            _ => arithmetic(left, right, i64::checked_add)?,
        },
        Operator::Subtract => arithmetic(left, right, i64::checked_sub)?,
        Operator::Multiply => arithmetic(left, right, i64::checked_mul)?,
        Operator::Divide => arithmetic(left, right, i64::checked_div)?,
        Operator::Remainder => arithmetic(left, right, i64::checked_rem)?,
        Operator::And | Operator::Or => return Err("logic is evaluated lazily".to_owned()),
    })
}

fn arithmetic(left: &Value, right: &Value, apply: fn(i64, i64) -> Option<i64>) -> Result<Value, String> {
    let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) else {
        return Err("no such overload: arithmetic".to_owned());
    };
    apply(left, right).map(|number| json!(number)).ok_or_else(|| "integer overflow or division by zero".to_owned())
}

fn list_macro(name: &str, of: &Value, variable: &str, body: &Expr, scope: &mut Scope) -> Result<Value, String> {
    let items: Vec<Value> = match of {
        Value::Array(list) => list.clone(),
        Value::Object(map) => map.keys().map(|key| json!(key)).collect(),
        _ => return Err(format!("no such overload: {name}")),
    };
    let (mut results, mut trues) = (Vec::new(), 0);
    for item in items {
        scope.push((variable.to_owned(), item.clone()));
        let result = evaluate(body, scope);
        scope.pop();
        let result = result?;
        if name == "map" {
            results.push(result);
        } else if as_bool(&result)? {
            trues += 1;
            results.push(item);
        }
    }
    Ok(match name {
        "all" => json!(trues == of.as_array().map_or_else(|| of.as_object().map_or(0, serde_json::Map::len), Vec::len)),
        "exists" => json!(trues > 0),
        "exists_one" => json!(trues == 1),
        _ => Value::Array(results),
    })
}

fn call(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let bad = || format!("no such overload: {name}");
    match (name, arguments) {
        ("size", [Value::String(text)]) => Ok(json!(text.chars().count())),
        ("size", [Value::Array(list)]) => Ok(json!(list.len())),
        ("size", [Value::Object(map)]) => Ok(json!(map.len())),
        ("startsWith", [Value::String(text), Value::String(part)]) => Ok(json!(text.starts_with(part.as_str()))),
        ("endsWith", [Value::String(text), Value::String(part)]) => Ok(json!(text.ends_with(part.as_str()))),
        ("contains", [Value::String(text), Value::String(part)]) => Ok(json!(text.contains(part.as_str()))),
        ("matches", [Value::String(text), Value::String(pattern)]) => {
            let regex = regex::Regex::new(pattern).map_err(|error| error.to_string())?;
            Ok(json!(regex.is_match(text)))
        }
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn check(rule: &str, value: Value, old: Option<Value>) -> Result<bool, String> {
        holds(&Rule::parse(&json!({"rule": rule})).unwrap(), &value, old.as_ref())
    }

    #[rstest]
    #[case::two("size(self) == 2", json!(["a", "b"]), true)]
    #[case::not_two("size(self) == 2", json!(["a"]), false)]
    #[case::both("has(self.name) && has(self.__namespace__)", json!({"name": "a", "namespace": "b"}), true)]
    #[case::one_of("(has(self.selector) && !has(self.content)) || (!has(self.selector) && has(self.content))",
        json!({"selector": {}, "content": ""}), false)]
    #[case::choice("self.a > 3 ? self.b == 'x' : true", json!({"a": 4, "b": "x"}), true)]
    #[case::member("self.mode in ['A', \"B\"]", json!({"mode": "B"}), true)]
    #[case::every("self.all(c, c.size() > 0 && c.startsWith('c'))", json!(["c1", "c2"]), true)]
    #[case::some("self.exists(c, c.name == 'x')", json!([{"name": "y"}]), false)]
    #[case::text("self.matches('^[0-9]+[mhd]$')", json!("5m"), true)]
    #[case::or_forgives_errors("self.missing == 1 || true", json!({}), true)]
    #[case::arithmetic("self.a * 2 - 1 == 5", json!({"a": 3}), true)]
    #[case::index("self['a-b'][0] == 'x'", json!({"a-b": ["x"]}), true)]
    fn rules_hold(#[case] rule: &str, #[case] value: Value, #[case] expected: bool) {
        assert_eq!(check(rule, value, None), Ok(expected));
    }

    #[rstest]
    #[case::same("oldSelf == self", json!("a"), json!("a"), true)]
    #[case::changed("self == oldSelf", json!({"a": 1}), json!({"a": 2}), false)]
    #[case::appeared("has(oldSelf.x) == has(self.x)", json!({"x": 1}), json!({}), false)]
    fn rules_about_changes_hold(#[case] rule: &str, #[case] new: Value, #[case] old: Value, #[case] expected: bool) {
        assert_eq!(check(rule, new, Some(old)), Ok(expected));
    }

    #[test]
    fn an_absent_field_is_an_error() {
        assert_eq!(check("self.a == 1", json!({}), None), Err("no such key: a".to_owned()));
    }

    #[rstest]
    #[case("self.a.quantity()")]
    #[case("self ==")]
    #[case("self = 1")]
    fn what_we_cannot_evaluate_is_refused(#[case] rule: &str) {
        assert!(Rule::parse(&json!({"rule": rule})).is_err());
    }
}
