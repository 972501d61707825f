//! Spans of time as people write them: `500ms`, `3s`, `5m`, `2h`.

use std::{fmt, str::FromStr, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, Visitor},
};

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
        let wrong =
            || format!("{text:?} is no span of time: write one whole number and one unit, as in 500ms, 90s, 5m or 2h");
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

/// Reads milliseconds, written as a number or as a span of time.
///
/// # Errors
/// What is neither.
pub fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let ms = deserializer.deserialize_any(Millis)?;
    u64::try_from(ms).map_err(|_| D::Error::custom(format!("{ms} is no span of time: write 0 or more")))
}

/// The same where it may be negative: `-3m`.
///
/// # Errors
/// What is neither.
pub fn signed_millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let ms = deserializer.deserialize_any(Millis)?;
    i64::try_from(ms).map_err(|_| D::Error::custom(format!("{ms} is too long")))
}

struct Millis;

impl Visitor<'_> for Millis {
    type Value = i128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a span of time, as in 3s, or milliseconds")
    }

    fn visit_u64<E>(self, ms: u64) -> Result<i128, E> {
        Ok(ms.into())
    }

    fn visit_i64<E>(self, ms: i64) -> Result<i128, E> {
        Ok(ms.into())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<i128, E> {
        let (sign, span) = text.strip_prefix('-').map_or((1, text), |span| (-1, span));
        span.parse().map(|Span(ms)| sign * i128::from(ms)).map_err(E::custom)
    }
}

/// A time that something took, for people: `48 h 11 min 1 s`.
pub fn took(time: Duration) -> String {
    let (hours, minutes, seconds) = (time.as_secs() / 3600, time.as_secs() / 60 % 60, time.as_secs() % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {seconds} s"),
        _ => format!("{hours} h {minutes} min {seconds} s"),
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
    #[case::a_number("180000", Ok(180_000))]
    #[case::behind("-180000", Ok(-180_000))]
    #[case::a_span("\"3m\"", Ok(180_000))]
    #[case::a_span_behind("\"-3m\"", Ok(-180_000))]
    #[case::no_unit("\"3\"", Err(()))]
    #[case::none("true", Err(()))]
    fn milliseconds_are_numbers_or_spans(#[case] text: &str, #[case] ms: Result<i64, ()>) {
        let mut json = serde_json::Deserializer::from_str(text);
        assert_eq!(signed_millis(&mut json).map_err(drop), ms);
    }

    #[rstest]
    #[case(59, "59 s")]
    #[case(62, "1 min 2 s")]
    #[case(173_461, "48 h 11 min 1 s")]
    fn times_are_told_in_hours(#[case] seconds: u64, #[case] told: &str) {
        assert_eq!(took(Duration::from_secs(seconds)), told);
    }

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
