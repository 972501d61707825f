//! What may differ from the recording, and why.

use super::flatten::Different;

/// A known difference.
#[derive(Debug)]
pub struct Known {
    /// The milestone, or `*`.
    milestone: &'static str,
    /// The object, with `*` for any text.
    object: &'static str,
    /// The path, with `*` for any text.
    path: &'static str,
    /// Why it is right that it differs.
    #[expect(dead_code, reason = "shown by Debug when the entry is no longer used")]
    reason: &'static str,
}

/// All of them.
pub const DIFFERENCES: &[Known] = &[];

impl Known {
    /// Whether it explains this difference.
    pub fn covers(&self, milestone: &str, different: &Different) -> bool {
        matches(self.milestone, milestone)
            && matches(self.object, &different.line.object)
            && matches(self.path, &different.line.path)
    }
}

/// Whether `text` has the form of `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|tail| {
            (0..=tail.len()).filter(|&i| tail.is_char_boundary(i)).any(|i| matches(rest, &tail[i..]))
        }),
    }
}
