//! Time as the log knows it: hybrid logical clock stamps.

use std::fmt;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since the Unix epoch (UTC).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub u64);

impl Time {
    /// The moment `ms` milliseconds later.
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The moment `seconds` later.
    pub fn plus_seconds(self, seconds: u64) -> Self {
        self.plus_ms(seconds.saturating_mul(1000))
    }

    /// Milliseconds from `earlier` to this moment; 0 when `earlier` is later.
    pub fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 with whole seconds, as Kubernetes writes times: `2026-01-31T12:00:00Z`.
    pub fn rfc3339(self) -> String {
        let seconds = i64::try_from(self.0 / 1000).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(seconds).map_or_else(|_| String::from("9999-12-31T23:59:59Z"), |t| t.to_string())
    }

    /// Reads an RFC 3339 time; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let time: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(time.as_millisecond()).ok().map(Self)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// A hybrid logical clock stamp: wall time, and a count that orders what happened in the same millisecond or before
/// a clock went backwards. Stamps of different clusters have one consistent order once messages carry them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Stamp {
    /// The wall time, never earlier than that of any stamp seen before.
    pub time: Time,
    /// Orders stamps of the same time.
    pub count: u32,
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.time.0 % 1000;
        let text = self.time.rfc3339();
        write!(f, "{}.{ms:03}Z", text.trim_end_matches('Z'))?;
        if self.count > 0 {
            write!(f, "+{}", self.count)?;
        }
        Ok(())
    }
}

/// Gives out stamps that only ever grow. It holds no clock: the wall time is told to it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    last: Stamp,
}

impl Clock {
    /// Goes on after `last`, the highest stamp known.
    pub fn after(last: Stamp) -> Self {
        Self { last }
    }

    /// The stamp for something that happens when the wall clock shows `wall`.
    pub fn tick(&mut self, wall: Time) -> Stamp {
        self.last = if wall > self.last.time {
            Stamp { time: wall, count: 0 }
        } else {
            Stamp { time: self.last.time, count: self.last.count.saturating_add(1) }
        };
        self.last
    }

    /// Learns a stamp that another cluster gave out, so that what follows here sorts after it.
    pub fn learn(&mut self, seen: Stamp) {
        self.last = self.last.max(seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_grow_while_the_wall_clock_stands_or_goes_back() {
        let mut clock = Clock::default();
        let first = clock.tick(Time(1000));
        let same = clock.tick(Time(1000));
        let back = clock.tick(Time(10));
        clock.learn(Stamp { time: Time(5000), count: 7 });
        let learned = clock.tick(Time(2000));
        assert!(first < same && same < back && back < learned);
        assert_eq!(learned, Stamp { time: Time(5000), count: 8 });
    }

    #[test]
    fn times_are_written_as_kubernetes_writes_them() {
        assert_eq!(Time(1_700_000_000_123).rfc3339(), "2023-11-14T22:13:20Z");
        assert_eq!(Time::parse("2023-11-14T22:13:20Z"), Some(Time(1_700_000_000_000)));
        assert_eq!(Stamp { time: Time(1_700_000_000_123), count: 2 }.to_string(), "2023-11-14T22:13:20.123Z+2");
    }
}
