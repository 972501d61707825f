//! What is wrong with a file that is not written as a scenario is, in words for who wrote it.
//!
//! The reader's own words are for programmers: they speak of types of Rust and of options of the reader.

use std::{borrow::Cow, path::Path};

use serde_saphyr::{Error, Location, MessageFormatter, UserMessageFormatter, render_options};

/// Where it is, if that is known, and what is wrong, with the lines around it.
pub(super) fn of(err: &Error, path: &Path) -> (Option<Location>, String) {
    let name = path.display().to_string();
    let place = err.location().filter(|at| *at != Location::UNKNOWN);
    let rendered = err.render_with_options(render_options! { formatter: &Words, source_name: Some(name.as_str()) });
    let what = Words.format_message(err.without_snippet());
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

/// Words for people who write scenarios.
struct Words;

impl MessageFormatter for Words {
    fn format_message<'a>(&self, err: &'a Error) -> Cow<'a, str> {
        match err {
            Error::WithSnippet { error, .. } | Error::AliasError { error, .. } => self.format_message(error),
            Error::Eof { .. } => "the file ends here, and something is missing still".into(),
            Error::MultipleDocuments { .. } => {
                "a second document begins here (`---`): a file holds one scenario, make another file of it".into()
            }
            Error::Unexpected { expected, .. } => format!("{} is expected here", form(expected)).into(),
            Error::InvalidScalar { ty, .. } => format!("{} is expected here", scalar(ty)).into(),
            Error::InvalidBooleanStrict { .. } => "true or false is expected here".into(),
            Error::NullIntoString { .. } => "nothing is given here: a text is expected".into(),
            Error::DuplicateMappingKey { key: Some(key), .. } => {
                format!("`{key}` is here a second time: leave one of them out").into()
            }
            Error::DuplicateMappingKey { key: None, .. } => "the same is here a second time: leave one out".into(),
            Error::SerdeUnknownField { field, expected, .. } => {
                format!("there is no field `{field}` here, only {}", expected.join(", ")).into()
            }
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                format!("there is no `{variant}` here, only {}", expected.join(", ")).into()
            }
            Error::SerdeMissingField { field, .. } => format!("the field `{field}` is missing").into(),
            Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => {
                format!("{} is expected here", form(expected)).into()
            }
            Error::ExpectedStringKeyForExternallyTaggedEnum { .. }
            | Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. }
            | Error::UnexpectedValueForUnitEnumVariant { .. } => {
                "a word is expected here, alone (`mend`) or with fields (`lose: { cluster: c1 }`)".into()
            }
            Error::ExpectedMappingEndAfterEnumVariantValue { .. } => {
                "a second word begins here: begin a new item of the list, with `- `".into()
            }
            Error::UnknownAnchor { .. } => "`*` refers to nothing here: put the text in quotes".into(),
            Error::ExternalMessage { msg, .. } => syntax(msg),
            _ => UserMessageFormatter.format_message(err),
        }
    }
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
        "bool" | "boolean" => "true or false".to_owned(),
        "u8" => format!("a whole number from 0 to {}", u8::MAX),
        ty if ty.starts_with('u') => "a whole number, 0 or more,".to_owned(),
        ty if ty.starts_with('i') => "a whole number".to_owned(),
        "floating point" => "a number".to_owned(),
        ty => ty.to_owned(),
    }
}
