//! A moment of a log, as people write it.

use std::{fmt, str::FromStr};

use ramen_events::{Seq, Time};

/// A moment: after a record, or at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Right after this record; of which log, when there are several.
    Record(Option<String>, Seq),
    /// After everything that happened up to this time.
    Time(Time),
    /// At this time of the day on which the log ends.
    Clock {
        /// Milliseconds since midnight (UTC).
        ms: u64,
    },
}

/// Milliseconds in a day.
const DAY: u64 = 86_400_000;

impl Moment {
    /// What to type.
    pub const HELP: &'static str = "a record (120, or hub#120), a time (2026-01-31T12:00:05.250Z), or a time of day";

    /// The time meant, for a log that ends at `end`; `None` for a record.
    pub fn time(&self, end: Time) -> Option<Time> {
        match self {
            Self::Record(..) => None,
            Self::Time(time) => Some(*time),
            Self::Clock { ms } => Some(Time(end.0 - end.0 % DAY + ms)),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let record =
            |name: Option<&str>, seq: &str| seq.parse().ok().map(|seq| Self::Record(name.map(str::to_owned), Seq(seq)));
        let found = match text.rsplit_once('#') {
            Some((name, seq)) => record(Some(name), seq),
            None => record(None, text),
        };
        found
            .or_else(|| Time::parse(text).map(Self::Time))
            .or_else(|| clock(text).map(|ms| Self::Clock { ms }))
            .ok_or_else(|| format!("it is none of: {}", Self::HELP))
    }
}

/// `12:00`, `12:00:05` or `12:00:05.250`, as milliseconds since midnight.
fn clock(text: &str) -> Option<u64> {
    let text = text.trim_end_matches('Z');
    let (text, ms) = text.split_once('.').unwrap_or((text, "0"));
    let ms: u64 = format!("{ms:0<3}").get(..3)?.parse().ok()?;
    let mut parts = text.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let valid = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    valid.then_some(((hour * 60 + minute) * 60 + second) * 1000 + ms)
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(None, seq) => write!(f, "record {seq}"),
            Self::Record(Some(name), seq) => write!(f, "record {name}#{seq}"),
            Self::Time(time) => time.fmt(f),
            Self::Clock { ms } => write!(f, "{}", clock_text(Time(*ms))),
        }
    }
}

/// The time of day, with milliseconds: `12:00:05.250`.
pub fn clock_text(time: Time) -> String {
    let ms = time.0 % DAY;
    let (seconds, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}.{ms:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The day: `2026-01-31`.
pub fn day_text(time: Time) -> String {
    time.rfc3339().split('T').next().unwrap_or_default().to_owned()
}

/// A span as people say it: `250 ms`, `1.9 s`, `2 min 5 s`, `3 h 20 min`.
pub fn span_text(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..100_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        100_000..7_200_000 => format!("{} min {} s", ms / 60_000, ms / 1000 % 60),
        _ => format!("{} h {} min", ms / 3_600_000, ms / 60_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Moment>();
        assert_eq!(read("120"), Ok(Moment::Record(None, Seq(120))));
        assert_eq!(read("hub#7"), Ok(Moment::Record(Some("hub".into()), Seq(7))));
        assert_eq!(read("2023-11-14T22:13:20.5Z"), Ok(Moment::Time(Time(1_700_000_000_500))));
        assert_eq!(read("12:00:05.25"), Ok(Moment::Clock { ms: 43_205_250 }));
        assert!(read("noon").is_err() && read("25:00").is_err());
        assert_eq!(clock_text(Time(1_700_000_000_500)), "22:13:20.500");
    }

    #[test]
    fn spans_are_short_words() {
        let spans = [3, 1_950, 125_000, 7_260_000].map(span_text);
        assert_eq!(spans, ["3 ms", "1.9 s", "2 min 5 s", "2 h 1 min"]);
    }
}
