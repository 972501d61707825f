//! Spans of time as people write them: `500ms`, `3s`, `5m`, `2h`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error as _};

/// A span of time, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub u64);

impl Span {
    /// The longest: a year. A world needs hours for it, and moments that far away can still be counted.
    pub const LONGEST: Self = Self(365 * 24 * 3_600_000);
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no span of time: write 500ms, 3s, 5m or 2h");
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let factor = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(wrong()),
        };
        let long = || format!("{text:?} is too long: {} (a year) is the most", Self::LONGEST);
        number.checked_mul(factor).map(Self).filter(|span| *span <= Self::LONGEST).ok_or_else(long)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ms if ms % 3_600_000 == 0 && ms > 0 => write!(f, "{}h", ms / 3_600_000),
            ms if ms % 60_000 == 0 && ms > 0 => write!(f, "{}m", ms / 60_000),
            ms if ms % 1000 == 0 => write!(f, "{}s", ms / 1000),
            ms => write!(f, "{ms}ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::milliseconds("500ms", Ok(500))]
    #[case::seconds("3s", Ok(3000))]
    #[case::minutes("5m", Ok(300_000))]
    #[case::hours("2h", Ok(7_200_000))]
    #[case::a_year("8760h", Ok(31_536_000_000))]
    #[case::more_than_a_year("8761h", Err(()))]
    #[case::more_than_can_be_counted("18446744073709551615h", Err(()))]
    #[case::no_unit("7", Err(()))]
    #[case::no_number("m", Err(()))]
    #[case::another_unit("3d", Err(()))]
    fn spans_are_read(#[case] text: &str, #[case] ms: Result<u64, ()>) {
        let read = text.parse::<Span>();
        assert_eq!(read.clone().map(|span| span.0).map_err(drop), ms);
        assert!(read.is_err() || read.map(|span| span.to_string()) == Ok(text.to_owned()));
    }
}
