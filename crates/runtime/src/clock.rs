//! The wall clock, made to never stand still or go back.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ramen_events::Time;

/// Tells the time. When the machine's clock is set back, time goes on from where it was at its usual pace: timers that
/// wait for a moment must not wait for the machine to reach it a second time.
#[derive(Debug)]
pub(crate) struct WallClock {
    last: Time,
    read: Instant,
}

impl WallClock {
    /// Starts no earlier than `last`, the time of the last record.
    pub(crate) fn after(last: Time) -> Self {
        Self { last, read: Instant::now() }
    }

    /// What time it is.
    pub(crate) fn now(&mut self) -> Time {
        let passed = self.read.elapsed();
        self.read += passed;
        let passed = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        self.last = self.last.plus_ms(passed).max(machine_time());
        self.last
    }

    /// How long it is until `at`.
    pub(crate) fn until(&mut self, at: Time) -> Duration {
        Duration::from_millis(at.ms_since(self.now()))
    }
}

/// What the machine's clock shows.
pub(crate) fn machine_time() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_after_the_machine_was_set_back() {
        let ahead = machine_time().plus_seconds(3600);
        let mut clock = WallClock::after(ahead);
        assert!(clock.now() >= ahead);
        assert!(clock.until(ahead.plus_seconds(5)) <= Duration::from_secs(5));
    }
}
