//! Where in a file something is wrong, and what.

use serde_saphyr::Location;

/// Something that cannot be meant: where, and why.
#[derive(Debug)]
pub(super) struct Wrong {
    at: Location,
    /// The value that is wrong, if it is one: the place points at it then, as opposed to what it is a field of.
    value: Option<String>,
    /// What is wrong, and what can be written instead.
    pub(super) what: String,
}

impl Wrong {
    /// Something that is wrong as a whole.
    pub(super) fn at(at: Location, what: impl Into<String>) -> Self {
        Self { at, value: None, what: what.into() }
    }

    /// A value of what is there.
    pub(super) fn value(at: Location, value: impl Into<String>, what: impl Into<String>) -> Self {
        Self { at, value: Some(value.into()), what: what.into() }
    }

    /// Line and column, counted from 1; `None` for what does not stand in the file.
    pub(super) fn place(&self, text: &str) -> Option<(u64, u64)> {
        if self.at == Location::UNKNOWN {
            return None;
        }
        let begin = offset(text, self.at.line(), self.at.column());
        let value = self.value.as_deref().and_then(|value| find_value(text, begin, value));
        Some(value.map_or_else(|| (self.at.line(), self.at.column()), |at| line_and_column(text, at)))
    }
}

/// The bytes before a place in a text.
pub(super) fn offset(text: &str, line: u64, column: u64) -> usize {
    let index = |count: u64| usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
    let begin: usize = text.split_inclusive('\n').take(index(line)).map(str::len).sum();
    let rest = text.get(begin..).unwrap_or_default();
    begin + rest.char_indices().nth(index(column)).map_or(rest.len(), |(at, _)| at)
}

/// The line and the column of a byte of a text, counted from 1.
pub(super) fn line_and_column(text: &str, at: usize) -> (u64, u64) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
    (line, column)
}

/// Where a value stands: the first word of these letters from there on that is a value, not the name of a field.
fn find_value(text: &str, begin: usize, value: &str) -> Option<usize> {
    let rest = text.get(begin..)?;
    let found = rest.match_indices(value).find(|(at, _)| {
        let before = rest.get(..*at).unwrap_or_default().trim_end_matches(['"', '\'']).trim_end_matches(' ');
        let after = rest.get(at + value.len()..).unwrap_or_default().trim_start_matches(['"', '\'']);
        let ends = !after.starts_with(|c: char| c.is_alphanumeric() || "-_.:/".contains(c));
        before.ends_with([':', '[', ',', '-']) && ends
    });
    let (at, _) = found?;
    let quoted = rest.get(..at).is_some_and(|before| before.ends_with(['"', '\'']));
    Some(begin + at - usize::from(quoted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_where_they_stand_as_values() {
        let text = "- é: { c3: c3x, on: 'c3', n: [a, b] }\n";
        let found = |value| find_value(text, 0, value).map(|at| line_and_column(text, at));
        assert_eq!(found("c3"), Some((1, 21)));
        assert_eq!(found("b"), Some((1, 34)));
        assert_eq!(found("on"), None);
        assert_eq!(offset(text, 1, 21), text.find("'c3'").unwrap_or_default());
        assert_eq!(offset(text, 9, 9), text.len());
    }
}
