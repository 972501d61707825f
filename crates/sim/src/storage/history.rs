//! What is on a copy of a volume: how many writes of which line, in order.

use serde::Serialize;

/// A line of writes. A new one starts whenever a copy is promoted by force, because from then on the other copy may
/// have gone its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
pub struct Line(pub u32);

/// The writes on one copy: runs of consecutive writes of a line, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct History {
    runs: Vec<(Line, u64)>,
}

impl History {
    /// Appends `count` writes of a line.
    pub fn append(&mut self, line: Line, count: u64) {
        if count == 0 {
            return;
        }
        match self.runs.last_mut() {
            Some((last, writes)) if *last == line => *writes += count,
            _ => self.runs.push((line, count)),
        }
    }

    /// How many writes of a line are here.
    #[must_use]
    pub fn of_line(&self, line: Line) -> u64 {
        self.runs.iter().filter(|(held, _)| *held == line).map(|(_, writes)| writes).sum()
    }

    /// How many writes are here.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.runs.iter().map(|(_, writes)| writes).sum()
    }

    /// Whether nothing was ever written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether `later` holds all of this, in the same order, and perhaps more after it.
    #[must_use]
    pub fn is_prefix_of(&self, later: &Self) -> bool {
        let Some((last, whole)) = self.runs.split_last() else { return true };
        let Some(run) = later.runs.get(whole.len()) else { return false };
        later.runs.starts_with(whole) && run.0 == last.0 && run.1 >= last.1
    }

    /// Writes here that `other` does not hold, run by run.
    #[must_use]
    pub fn missing_in(&self, other: &Self) -> u64 {
        self.runs.iter().map(|(line, writes)| writes.saturating_sub(other.of_line(*line))).sum()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn history(runs: &[(u32, u64)]) -> History {
        let mut history = History::default();
        for (line, writes) in runs {
            history.append(Line(*line), *writes);
        }
        history
    }

    #[rstest]
    #[case::empty(&[], &[(0, 3)], true)]
    #[case::same(&[(0, 3)], &[(0, 3)], true)]
    #[case::behind(&[(0, 3)], &[(0, 5)], true)]
    #[case::ahead(&[(0, 5)], &[(0, 3)], false)]
    #[case::continued_on_a_new_line(&[(0, 3)], &[(0, 3), (1, 1)], true)]
    #[case::diverged(&[(0, 5)], &[(0, 3), (1, 1)], false)]
    fn one_copy_lags_the_other(#[case] earlier: &[(u32, u64)], #[case] later: &[(u32, u64)], #[case] lags: bool) {
        assert_eq!(history(earlier).is_prefix_of(&history(later)), lags);
    }

    #[test]
    fn writes_that_the_other_copy_lacks_are_counted_by_line() {
        assert_eq!(history(&[(0, 120)]).missing_in(&history(&[(0, 100), (1, 30)])), 20);
    }
}
