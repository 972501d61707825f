//! What is wrong with a file that is not written as a scenario is, in words for who wrote it.
//!
//! The reader's own words are for programmers: they speak of types of Rust and of options of the reader.

use std::{borrow::Cow, path::Path};

use serde_json::json;
use serde_saphyr::{Error, Location, MessageFormatter, UserMessageFormatter, render_options};

use super::{
    meant::choice,
    place::{line_and_column, offset},
};
use crate::{happening::Happening, until::Until};

/// Where it is, if that is known, and what is wrong, with the lines around it.
pub(super) fn of(err: &Error, text: &str, path: &Path) -> (Option<(u64, u64)>, String) {
    let name = path.display().to_string();
    let words = Words { text };
    let bare = err.without_snippet();
    if let Error::Unexpected { expected: "mapping start", location } = bare
        && let Some((at, word)) = words.word_before(*location)
        && let bare_word = word.trim_end_matches(':')
        && let Some(field) = first_field(bare_word)
    {
        // Where nothing is given, the reader stands at a later line already.
        let given = words.given(*location).map(|(_, value)| format!(", and {value} is none")).unwrap_or_default();
        let what =
            format!("{bare_word} needs fields{given}: write {bare_word}: {{ {field}: … }}, as docs/scenarios.md shows");
        return (Some(line_and_column(text, at)), what);
    }
    let place = err.location().filter(|at| *at != Location::UNKNOWN).map(|at| (at.line(), at.column()));
    let rendered = err.render_with_options(render_options! { formatter: &words, source_name: Some(name.as_str()) });
    let what = words.format_message(bare);
    // The first line and the arrow after it say what is wrong and where: that is said once.
    let around: Vec<&str> = rendered.lines().skip_while(|line| line.trim() != "|").map(mark).collect();
    let what = if around.is_empty() { what.into_owned() } else { format!("{what}\n{}", around.join("\n")) };
    (place, what)
}

/// A line around the place; below the place only what points at it, without saying again what is wrong.
fn mark(line: &str) -> &str {
    match line.split_once('^') {
        Some((before, _)) if before.trim() == "|" => line.get(..=before.len()).unwrap_or(line),
        _ => line,
    }
}

/// The first field that a milestone or a happening of this name needs; `None` if it needs none, or there is none.
fn first_field(word: &str) -> Option<String> {
    let lacks = |why: serde_json::Error| why.to_string().split('`').nth(1).map(str::to_owned);
    let bare = || json!({ word: {} });
    let is_word = |why: &serde_json::Error| why.to_string().starts_with("missing field");
    let happening = serde_json::from_value::<Happening>(bare()).err().filter(is_word);
    happening.or_else(|| serde_json::from_value::<Until>(bare()).err().filter(is_word)).and_then(lacks)
}

/// Words for people who write scenarios.
struct Words<'a> {
    text: &'a str,
}

impl<'a> Words<'a> {
    /// What stands before a place, but for blanks: where it begins, and the word.
    fn word_before(&self, at: Location) -> Option<(usize, &'a str)> {
        let before = self.text.get(..offset(self.text, at.line(), at.column()))?;
        let before = before.trim_end_matches([' ', '\n', ']', '}', ',']);
        let begin = before.rfind([' ', '\n', '[', '{']).map_or(0, |at| at + 1);
        Some((begin, before.get(begin..)?))
    }

    /// The value that begins at a place, on one line: a list or a group whole, in its brackets.
    fn value(&self, at: Location) -> &'a str {
        let rest = self.text.get(offset(self.text, at.line(), at.column())..).unwrap_or_default();
        let rest = rest.lines().next().unwrap_or_default();
        let mut depth = 0_usize;
        let end = rest.find(|c| {
            let ends = depth == 0 && matches!(c, ',' | '}' | ']' | '#');
            match c {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            ends
        });
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default().trim()
    }

    /// The field whose value begins at a place, and the value: `claims: many`.
    fn field(&self, at: Location) -> String {
        let value = self.value(at);
        match self.word_before(at).and_then(|(_, word)| word.strip_suffix(':')) {
            Some(field) => format!("{field}: {value}"),
            None => value.to_owned(),
        }
    }

    /// The field on this line whose value begins at a place, and that value.
    fn given(&self, at: Location) -> Option<(&'a str, &'a str)> {
        let (begin, word) = self.word_before(at)?;
        let is_here = line_and_column(self.text, begin).0 == at.line();
        word.strip_suffix(':').filter(|_| is_here).map(|field| (field, self.value(at)))
    }

    /// The field that begins at a place, and its value.
    fn field_at(&self, at: Location) -> Option<(&'a str, &'a str)> {
        self.value(at).split_once(": ").filter(|(field, _)| is_field(field))
    }

    /// What is expected, and what a field has instead.
    fn instead(given: Option<(&str, &str)>, expected: &str) -> String {
        match given {
            Some((field, value)) => format!("{field}: {value} cannot be: write {}", form(expected)),
            None => format!("{} is expected here", form(expected)),
        }
    }

    /// Two words where one can be.
    fn two(&self, at: Location) -> String {
        let second = self.value(at);
        let second = second.split(':').next().unwrap_or_default();
        match second {
            "nth" => "nth stands beside per-mille: leave one of them out".to_owned(),
            "per-mille" => "per-mille stands beside nth: leave one of them out".to_owned(),
            second if is_milestone(second) => format!(
                "{second} is a second milestone: when takes one, put the other into expect; in a list begin a new item, with `- `"
            ),
            second => format!("{second} begins a second word: begin a new item of the list, with `- `"),
        }
    }
}

/// Whether this can be the name of a field.
fn is_field(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

/// Whether this is the name of a milestone.
fn is_milestone(word: &str) -> bool {
    let unknown = |why: serde_json::Error| why.to_string().starts_with("unknown variant");
    !serde_json::from_value::<Until>(json!({ word: {} })).is_err_and(unknown)
}

impl MessageFormatter for Words<'_> {
    fn format_message<'a>(&self, err: &'a Error) -> Cow<'a, str> {
        match err {
            Error::WithSnippet { error, .. } | Error::AliasError { error, .. } => self.format_message(error),
            Error::Eof { .. } if is_empty(self.text) => {
                "the file is empty: title, why, applications and timeline are required".into()
            }
            Error::Eof { .. } => "the file ends here, and something is missing still".into(),
            Error::MultipleDocuments { .. } => {
                "a second document begins here (`---`): a file holds one scenario, make another file of it".into()
            }
            Error::Unexpected { expected, location } => Self::instead(self.given(*location), expected).into(),
            Error::InvalidScalar { ty: "bool" | "boolean", location } | Error::InvalidBooleanStrict { location } => {
                format!("{} is neither true nor false: write one of them", self.field(*location)).into()
            }
            Error::InvalidScalar { ty, location } => format!("{} is no {}", self.field(*location), scalar(ty)).into(),
            Error::NullIntoString { .. } => "nothing is given here: a text is expected".into(),
            Error::DuplicateMappingKey { key: Some(key), .. } => {
                format!("`{key}` is here a second time: leave one of them out").into()
            }
            Error::DuplicateMappingKey { key: None, .. } => "the same is here a second time: leave one out".into(),
            Error::SerdeUnknownField { field, expected, .. } => {
                format!("there is no field `{field}` here{}", choice(field, expected)).into()
            }
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                format!("there is no `{variant}` here{}", choice(variant, expected)).into()
            }
            Error::SerdeMissingField { field, .. } => format!("the field `{field}` is missing").into(),
            Error::SerdeInvalidType { expected, location, .. }
            | Error::SerdeInvalidValue { expected, location, .. } => {
                // The reader is at the value, or at its field.
                let given = self.given(*location).or_else(|| self.field_at(*location));
                Self::instead(given, expected).into()
            }
            Error::ExpectedStringKeyForExternallyTaggedEnum { .. }
            | Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. }
            | Error::UnexpectedValueForUnitEnumVariant { .. } => {
                "a word is expected here, alone (`mend`) or with fields (`lose: { cluster: c1 }`)".into()
            }
            Error::ExpectedMappingEndAfterEnumVariantValue { location } => self.two(*location).into(),
            Error::UnknownAnchor { .. } => "`*` refers to nothing here: put the text in quotes".into(),
            Error::ExternalMessage { msg, .. } => syntax(msg),
            _ => UserMessageFormatter.format_message(err),
        }
    }
}

/// Whether a file has nothing but comments.
fn is_empty(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

/// What the reader of YAML itself says, with what helps in the usual cases.
fn syntax(msg: &str) -> Cow<'_, str> {
    if msg.contains("mapping values are not allowed") {
        return "a second `: ` in one line: put the text in quotes, or the field on a line of its own".into();
    }
    if msg.contains("tabs") {
        return "a tab: indent with blanks".into();
    }
    msg.into()
}

/// What the reader calls a form, as people who write YAML do.
fn form(expected: &str) -> String {
    match expected {
        "sequence start" | "a sequence" => "a list (`- …` on lines of its own, or `[…, …]`)".to_owned(),
        "mapping start" | "a map" => "a group of fields (`name: value`)".to_owned(),
        "string scalar" | "a string" => "a text".to_owned(),
        "scalar" => "a single value".to_owned(),
        "a boolean" => "true or false".to_owned(),
        // Derived code names types: `struct Application`, `variant Happening::Lose`.
        expected if expected.starts_with("struct ") || expected.starts_with("struct variant ") => {
            "a group of fields (`name: value`)".to_owned()
        }
        expected => expected.to_owned(),
    }
}

/// What the reader calls a type of Rust.
fn scalar(ty: &str) -> String {
    match ty {
        "u8" => format!("whole number: write 0 to {}", u8::MAX),
        ty if ty.starts_with('u') => "whole number: write 0 or more, and no unit".to_owned(),
        ty if ty.starts_with('i') => "whole number: write one without a unit".to_owned(),
        "floating point" => "number: write one without a unit".to_owned(),
        ty => ty.to_owned(),
    }
}
