//! Which seeds are to run: a range of any length, or those of a list.

use std::{collections::BTreeSet, ops::Range, str::FromStr};

use ramen_trials::{kept::Kept, seeds::Class};

/// Seeds from one to before another.
#[derive(Clone, Debug)]
pub struct Seeds(Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || format!("{text:?} is no range of seeds: write the first and the one after the last, as in 0..1000");
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse().map_err(|_| wrong());
        let (from, to) = (number(from)?, number(to)?);
        if from < to {
            return Ok(Self(from..to));
        }
        let least = from.saturating_add(1);
        Err(format!("{text:?} has no seeds: the end is not among them and has to be larger, as in {from}..{least}"))
    }
}

/// The trials to run, by number. A range is counted, never written down: it may be longer than memory.
pub enum Chosen<'a> {
    /// These.
    Listed {
        /// Seeds with their classes of faults.
        trials: Vec<(u64, &'a [Class])>,
        /// How many were left out.
        left_out: usize,
    },
    /// A range but for a few seeds.
    Ranged {
        seeds: Range<u64>,
        /// Those of the range that are left out.
        except: BTreeSet<u64>,
        classes: &'a [Class],
    },
}

impl<'a> Chosen<'a> {
    /// One seed.
    pub fn one(seed: u64, classes: &'a [Class]) -> Self {
        Self::Listed { trials: vec![(seed, classes)], left_out: 0 }
    }

    /// The seeds of a list but for these.
    pub fn listed(list: Vec<Kept>, except: &BTreeSet<u64>) -> Self {
        let all = list.len();
        let wanted = list.into_iter().filter(|kept| !except.contains(&kept.seed));
        let trials: Vec<_> = wanted.map(|kept| (kept.seed, kept.classes)).collect();
        Self::Listed { left_out: all - trials.len(), trials }
    }

    /// The seeds of a range but for these.
    pub fn ranged(seeds: &Seeds, mut except: BTreeSet<u64>, classes: &'a [Class]) -> Self {
        let Seeds(seeds) = seeds.clone();
        except.retain(|seed| seeds.contains(seed));
        Self::Ranged { seeds, except, classes }
    }

    /// How many trials there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Listed { trials, .. } => trials.len(),
            Self::Ranged { seeds, except, .. } => {
                usize::try_from(seeds.end - seeds.start).unwrap_or(usize::MAX) - except.len()
            }
        }
    }

    /// How many seeds were left out.
    pub fn left_out(&self) -> usize {
        match self {
            Self::Listed { left_out, .. } => *left_out,
            Self::Ranged { except, .. } => except.len(),
        }
    }

    /// The seed and the classes of the i-th trial, of those that there are.
    pub fn at(&self, index: usize) -> (u64, &'a [Class]) {
        match self {
            Self::Listed { trials, .. } => trials[index],
            Self::Ranged { seeds, except, classes } => {
                // Each seed that is left out before it moves it by one.
                let counted = seeds.start + index as u64;
                let seed = except.iter().fold(counted, |seed, left_out| seed + u64::from(*left_out <= seed));
                (seed, classes)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

    use ramen_trials::kept;
    use rstest::rstest;

    use super::{Chosen, Seeds};

    fn seeds(chosen: &Chosen<'_>) -> Vec<u64> {
        (0..chosen.len()).map(|index| chosen.at(index).0).collect()
    }

    #[rstest]
    #[case::none(&[], &[3, 4, 5, 6, 7])]
    #[case::the_first(&[3], &[4, 5, 6, 7])]
    #[case::neighbours(&[4, 5], &[3, 6, 7])]
    #[case::the_last(&[7], &[3, 4, 5, 6])]
    #[case::others(&[1, 2, 8, 900], &[3, 4, 5, 6, 7])]
    fn a_range_is_counted_past_what_is_left_out(#[case] except: &[u64], #[case] left: &[u64]) {
        let chosen = Chosen::ranged(&"3..8".parse().unwrap(), except.iter().copied().collect(), &[]);
        assert_eq!(seeds(&chosen), left);
        assert_eq!(chosen.left_out(), 5 - left.len(), "only those within the range count");
    }

    #[test]
    fn a_range_may_be_longer_than_memory() {
        let seeds: Seeds = format!("0..{}", u64::MAX).parse().unwrap();
        let chosen = Chosen::ranged(&seeds, [0].into(), &[]);
        assert_eq!(chosen.at(chosen.len() - 1).0, u64::MAX - 1);
    }

    #[test]
    fn only_seeds_of_the_list_are_left_out_of_it() {
        let list = kept::parse("seed 7\nseed 8\n").unwrap();
        let chosen = Chosen::listed(list, &[8, 9].into());
        assert_eq!((seeds(&chosen), chosen.left_out()), (vec![7], 1));
    }
}
