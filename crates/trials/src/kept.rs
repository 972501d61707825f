//! Lists of seeds: one a line, with the classes of faults that there were when it was written down, and what it was.
//!
//! ```text
//! # a comment
//! seed 17                # all classes of today
//! seed 4 of 10 classes   # the first ten
//! ```

use crate::seeds::Class;

/// A seed of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub seed: u64,
    /// The classes of faults to run it with.
    pub classes: &'static [Class],
    /// What it was, in the words of the list.
    pub was: String,
}

/// Reads a list.
///
/// # Errors
/// The first line that is none of a list, with its number.
pub fn parse(text: &str) -> Result<Vec<Kept>, String> {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.split('#').next().unwrap_or_default().trim().is_empty());
    lines
        .map(|(line, number)| {
            kept(line).ok_or_else(|| {
                let most = Class::ALL.len();
                format!(
                    "line {number}: {line:?} names no seed: write `seed 17`, or `seed 17 of N classes`, N up to {most}"
                )
            })
        })
        .collect()
}

fn kept(line: &str) -> Option<Kept> {
    let (seed, was) = line.split_once('#').unwrap_or((line, ""));
    let mut words = seed.split_whitespace().skip_while(|word| *word == "seed");
    let seed = words.next()?.parse().ok()?;
    let classes = match (words.next(), words.next(), words.next(), words.next()) {
        (None, ..) => Class::ALL,
        (Some("of"), Some(count), Some("classes"), None) => Class::ALL.get(..count.parse().ok()?)?,
        _ => return None,
    };
    Some(Kept { seed, classes, was: was.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Class, parse};

    #[test]
    fn a_list_tells_seeds_classes_and_what_was() {
        let list = parse("# seeds\n\nseed 7 # it hung\n12 of 3 classes\n").unwrap();
        let told: Vec<_> = list.iter().map(|kept| (kept.seed, kept.classes.len(), kept.was.as_str())).collect();
        assert_eq!(told, [(7, Class::ALL.len(), "it hung"), (12, 3, "")]);
    }

    #[rstest]
    #[case("seed 7\nseed x", "line 2")]
    #[case("seed 7 of 99 classes", "N up to")]
    #[case("seed 7 of 3", "line 1")]
    fn a_line_that_is_none_is_named(#[case] text: &str, #[case] says: &str) {
        let why = parse(text).unwrap_err();
        assert!(why.contains(says), "{why}");
    }
}
