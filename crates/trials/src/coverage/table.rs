//! The tables of coverage, narrow enough for a terminal: short counts, and heads on two lines.

use std::fmt::Write as _;

use super::Reached;
use crate::seeds::Class;

/// Columns of a count, with the blank before it.
const COUNT: usize = 5;
/// Columns of names; counts of a longer one stand on the next line.
const NAME: usize = 46;
/// Columns of all: the rest of a longer name is left out.
const ALL: usize = NAME + COUNT * (1 + Class::ALL.len());

/// A row each, under a head; a column a class of faults, without any first.
pub(super) fn rows(head: &str, between: &str, reached: &Reached<(String, String)>) -> String {
    let classes = || std::iter::once(None).chain(Class::ALL.iter().copied().map(Some));
    let words: Vec<String> = classes().map(|class| class.map_or_else(|| "none".to_owned(), Class::word)).collect();
    let mut text = heads(head, &words);
    for ((book, what), counts) in reached {
        let name = cut(&format!("{book}{between}{what}"));
        let _ = if name.chars().count() > NAME {
            write!(text, "{name}\n{:NAME$}", "")
        } else {
            write!(text, "{name:NAME$}")
        };
        for class in classes() {
            let shown = counts.get(&class).map_or_else(|| "·".to_owned(), |count| short(*count));
            let _ = write!(text, "{shown:>COUNT$}");
        }
        text.push('\n');
    }
    text
}

/// The heads of the columns, each right above its counts, every other one a line lower: so each has the room of two.
fn heads(head: &str, words: &[String]) -> String {
    let line = |words: &mut dyn Iterator<Item = &String>| {
        words.fold(String::new(), |line, word| format!("{line}{word:>width$}", width = 2 * COUNT))
    };
    let upper = line(&mut words.iter().step_by(2));
    let lower = line(&mut words.iter().skip(1).step_by(2));
    // The first one has the room of its own column only, and that of the names before it.
    format!("{head:width$}{upper}\n{:NAME$}{lower}\n", "", width = NAME - COUNT)
}

/// A count in four characters: `999`, `1.2k`, `34k`, `5.6M`.
fn short(count: u64) -> String {
    let units = [("", 1), ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000)];
    let (unit, factor) = units.into_iter().rfind(|(_, factor)| count >= *factor).unwrap_or(("", 1));
    match (count / factor, count % factor * 10 / factor) {
        (whole, tenths) if factor > 1 && whole < 10 => format!("{whole}.{tenths}{unit}"),
        (whole, _) => format!("{whole}{unit}"),
    }
}

fn cut(name: &str) -> String {
    if name.chars().count() <= ALL {
        return name.to_owned();
    }
    name.chars().take(ALL - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;

    use super::{rows, short};
    use crate::seeds::Class;

    #[rstest]
    #[case(0, "0")]
    #[case(999, "999")]
    #[case(1000, "1.0k")]
    #[case(1299, "1.2k")]
    #[case(34_567, "34k")]
    #[case(999_999, "999k")]
    #[case(3_000_000, "3.0M")]
    #[case(u64::MAX, "18446744T")]
    fn counts_are_short(#[case] count: u64, #[case] shown: &str) {
        assert_eq!(short(count), shown);
    }

    #[test]
    fn a_table_fits_a_terminal_and_shows_its_holes() {
        let counts = BTreeMap::from([(None, 12), (Some(Class::Modes), 1_234_567)]);
        let gate = ("failover".to_owned(), "the VRG to be gone from every cluster ".repeat(9));
        let table = rows("GATE", " waits for ", &BTreeMap::from([(gate, counts)]));
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() <= 131), "{table}");
        let [upper, lower, name, counts] = lines.as_slice() else {
            unreachable!("two heads, a name, its counts: {table}")
        };
        assert!(upper.starts_with("GATE") && upper.ends_with("modes") && name.ends_with('…'), "{table}");
        assert!(counts.ends_with(" 1.2M") && counts.matches('·').count() == Class::ALL.len() - 1, "{table}");
        assert!(
            Class::ALL.iter().all(|class| format!("{upper} {lower} ").contains(&format!(" {} ", class.word()))),
            "{table}"
        );
    }
}
