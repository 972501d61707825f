//! Reading of CEL expressions.

use serde_json::{Value, json};

/// Operators between two expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in`
    In,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A value.
    Literal(Value),
    /// A variable.
    Name(String),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `a.b`
    Field(Box<Expr>, String),
    /// `a[b]`
    Index(Box<Expr>, Box<Expr>),
    /// `has(a.b)`
    Has(Box<Expr>, String),
    /// `!a`
    Not(Box<Expr>),
    /// `-a`
    Minus(Box<Expr>),
    /// `a ? b : c`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `a op b`
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// `a.all(x, b)` and its kin
    Macro(String, Box<Expr>, String, Box<Expr>),
    /// `f(a, b)`, also written `a.f(b)`
    Call(String, Vec<Expr>),
}

impl Expr {
    /// Whether a variable occurs.
    #[must_use]
    pub fn mentions(&self, name: &str) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Name(own) => own == name,
            Self::List(items) | Self::Call(_, items) => items.iter().any(|item| item.mentions(name)),
            Self::Field(of, _) | Self::Has(of, _) | Self::Not(of) | Self::Minus(of) => of.mentions(name),
            Self::Index(one, other) | Self::Binary(_, one, other) | Self::Macro(_, one, _, other) => {
                one.mentions(name) || other.mentions(name)
            }
            Self::If(condition, yes, no) => condition.mentions(name) || yes.mentions(name) || no.mentions(name),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(Value),
    Mark(&'static str),
}

/// Longer marks first.
const MARKS: &[&str] = &[
    "||", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]",
];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '\'' || first == '"' {
            let (token, after) = quoted(&rest[1..], first)?;
            found.push(Token::Text(token));
            rest = after;
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let number = serde_json::from_str(&rest[..end]).map_err(|_| format!("no number: {}", &rest[..end]))?;
            found.push(Token::Number(number));
            rest = &rest[end..];
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push(Token::Name(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            let mark = MARKS.iter().find(|mark| rest.starts_with(**mark));
            let mark = mark.ok_or_else(|| format!("unexpected '{first}' in rule: {text}"))?;
            found.push(Token::Mark(mark));
            rest = &rest[mark.len()..];
        }
        rest = rest.trim_start();
    }
    Ok(found)
}

fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut content = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, 'n')) => content.push('\n'),
                Some((_, 't')) => content.push('\t'),
                Some((_, other)) => content.push(other),
                None => break,
            },
            c if c == quote => return Ok((content, &text[at + 1..])),
            other => content.push(other),
        }
    }
    Err("a text does not end".to_owned())
}

/// Field names that are words of the language are written between double underscores.
fn unescaped(name: &str) -> String {
    let inner = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    match inner {
        Some("dot" | "dash" | "slash" | "underscores") | None => name.to_owned(),
        Some(word) => word.to_owned(),
    }
    .replace("__dot__", ".")
    .replace("__dash__", "-")
    .replace("__slash__", "/")
    .replace("__underscores__", "__")
}

/// Reads an expression.
///
/// # Errors
/// When it is none, or uses a function that is not supported.
pub fn parse(text: &str) -> Result<Expr, String> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0 };
    let expression = reader.choice()?;
    if reader.at < reader.tokens.len() {
        return Err(format!("unexpected end of rule after token {}: {text}", reader.at));
    }
    Ok(expression)
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

/// Binary operators by rank, loosest first.
const RANKS: &[&[(&str, Operator)]] = &[
    &[("||", Operator::Or)],
    &[("&&", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("in", Operator::In),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
];

const MACROS: &[&str] = &["all", "exists", "exists_one", "filter", "map"];
const FUNCTIONS: &[(&str, usize)] = &[("size", 1), ("startsWith", 2), ("endsWith", 2), ("contains", 2), ("matches", 2)];

impl Reader {
    fn take(&mut self, mark: &str) -> bool {
        let found = match self.tokens.get(self.at) {
            Some(Token::Mark(known)) => *known == mark,
            Some(Token::Name(name)) => name == mark && mark == "in",
            _ => false,
        };
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: &str) -> Result<(), String> {
        if self.take(mark) { Ok(()) } else { Err(format!("expected '{mark}' at token {}", self.at)) }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.tokens.get(self.at) {
            Some(Token::Name(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(format!("expected a name at token {}", self.at)),
        }
    }

    fn choice(&mut self) -> Result<Expr, String> {
        let condition = self.ranked(0)?;
        if !self.take("?") {
            return Ok(condition);
        }
        let yes = self.choice()?;
        self.expect(":")?;
        let no = self.choice()?;
        Ok(Expr::If(Box::new(condition), Box::new(yes), Box::new(no)))
    }

    fn ranked(&mut self, rank: usize) -> Result<Expr, String> {
        let Some(operators) = RANKS.get(rank) else { return self.unary() };
        let mut left = self.ranked(rank + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(mark, _)| self.take(mark)) {
            let right = self.ranked(rank + 1)?;
            left = Expr::Binary(*operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, String> {
        if self.take("!") {
            return Ok(Expr::Not(Box::new(self.unary()?)));
        }
        if self.take("-") {
            return Ok(Expr::Minus(Box::new(self.unary()?)));
        }
        let mut expression = self.primary()?;
        loop {
            if self.take(".") {
                let name = self.name()?;
                expression = if self.take("(") {
                    self.method(expression, name)?
                } else {
                    Expr::Field(Box::new(expression), unescaped(&name))
                };
            } else if self.take("[") {
                let index = self.choice()?;
                self.expect("]")?;
                expression = Expr::Index(Box::new(expression), Box::new(index));
            } else {
                return Ok(expression);
            }
        }
    }

    fn method(&mut self, of: Expr, name: String) -> Result<Expr, String> {
        if MACROS.contains(&name.as_str()) {
            let variable = self.name()?;
            self.expect(",")?;
            let body = self.choice()?;
            self.expect(")")?;
            return Ok(Expr::Macro(name, Box::new(of), variable, Box::new(body)));
        }
        let mut arguments = vec![of];
        arguments.extend(self.arguments(")")?);
        function(name, arguments)
    }

    fn arguments(&mut self, end: &str) -> Result<Vec<Expr>, String> {
        let mut list = Vec::new();
        if self.take(end) {
            return Ok(list);
        }
        loop {
            list.push(self.choice()?);
            if self.take(end) {
                return Ok(list);
            }
            self.expect(",")?;
        }
    }

    fn primary(&mut self) -> Result<Expr, String> {
        if self.take("(") {
            let inner = self.choice()?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.take("[") {
            return Ok(Expr::List(self.arguments("]")?));
        }
        let token = self.tokens.get(self.at).cloned().ok_or_else(|| "the rule ends too early".to_owned())?;
        self.at += 1;
        match token {
            Token::Text(text) => Ok(Expr::Literal(json!(text))),
            Token::Number(number) => Ok(Expr::Literal(number)),
            Token::Mark(mark) => Err(format!("unexpected '{mark}'")),
            Token::Name(name) => match name.as_str() {
                "true" => Ok(Expr::Literal(json!(true))),
                "false" => Ok(Expr::Literal(json!(false))),
                "null" => Ok(Expr::Literal(Value::Null)),
                "has" => {
                    self.expect("(")?;
                    let inner = self.choice()?;
                    self.expect(")")?;
                    match inner {
                        Expr::Field(of, field) => Ok(Expr::Has(of, field)),
                        _ => Err("has() takes a field".to_owned()),
                    }
                }
                _ if self.take("(") => {
                    let arguments = self.arguments(")")?;
                    function(name, arguments)
                }
                _ => Ok(Expr::Name(name)),
            },
        }
    }
}

fn function(name: String, arguments: Vec<Expr>) -> Result<Expr, String> {
    if FUNCTIONS.contains(&(name.as_str(), arguments.len())) {
        Ok(Expr::Call(name, arguments))
    } else {
        Err(format!("the function '{name}' with {} arguments is not supported", arguments.len()))
    }
}
