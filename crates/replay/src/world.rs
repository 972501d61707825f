//! A retold story, played in the simulated world, and held against the log that it was read off.
//!
//! ```text
//!   Tale ──> paced (waits for what the log showed) ──> when each thing happens in the world
//!     ├────> as the log has it ──> control: does the world tell the log's story?
//!     └────> as the user wants it ──> what comes of it
//! ```
//!
//! The world has its own pace. So people first do what they did when the world shows what the log showed when they did
//! it; the moments found that way are then those of both plays, which are the same, but for what the user changed.

pub mod agree;
pub mod course;
pub mod pace;
pub mod play;

use ramen_events::Time;

use crate::retell::{Tale, Told};

/// The clock of a log and that of a world, by moments known on both.
#[derive(Clone, Debug, Default)]
pub struct Clocks {
    /// Log's and world's, in order.
    known: Vec<(Time, Time)>,
}

impl Clocks {
    /// Of moments known on both.
    pub fn new(known: Vec<(Time, Time)>) -> Self {
        Self { known }
    }

    /// A time of the log in the world. Quiet times may be shorter there: as far from the nearer of the moments around it.
    pub fn in_world(&self, time: Time) -> Time {
        let before = self.known.iter().rfind(|(log, _)| *log <= time).or(self.known.first());
        let after = self.known.iter().find(|(log, _)| *log > time);
        let from = |(log, world): &(Time, Time)| shifted(time, *log, *world);
        match (before, after) {
            (None, _) => time,
            (Some(before), Some(after)) if from(before) > after.1 => from(after).max(before.1),
            (Some(before), _) => from(before),
        }
    }

    /// A time of the world on the log's clock.
    pub fn in_log(&self, time: Time) -> Time {
        let before = self.known.iter().rfind(|(_, world)| *world <= time).or(self.known.first());
        before.map_or(time, |(log, world)| shifted(time, *world, *log))
    }
}

/// The time as far from `to` as it is from `from`.
fn shifted(time: Time, from: Time, to: Time) -> Time {
    if time >= from { to.plus_ms(time.ms_since(from)) } else { Time(to.0.saturating_sub(from.ms_since(time))) }
}

/// The first moment at which two tales differ.
pub fn parting(one: &Tale, other: &Tale) -> Option<Time> {
    let only = |of: &Tale, not: &Tale| -> Option<Time> {
        let mut left: Vec<&Told> = not.happenings.iter().collect();
        let alone = |told: &&Told| {
            let at = left.iter().position(|other| other.time == told.time && other.what == told.what);
            at.map(|at| left.remove(at)).is_none()
        };
        of.happenings.iter().find(alone).map(|told| told.time)
    };
    [only(one, other), only(other, one)].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_time_is_shorter_in_the_world_and_both_its_ends_keep_their_distance() {
        // Of an hour, ten minutes are left.
        let (begin, end) = (Time(1_000_000), Time(4_600_000));
        let clocks = Clocks::new(vec![(begin, Time(0)), (end, Time(600_000))]);
        let minutes = |time: Time, minutes: u64| time.plus_ms(minutes * 60_000);
        assert_eq!(clocks.in_world(minutes(begin, 3)), Time(180_000));
        assert_eq!(clocks.in_world(minutes(begin, 57)), Time(420_000));
        assert_eq!(clocks.in_world(minutes(end, 2)), Time(720_000));
        assert_eq!(clocks.in_log(Time(180_000)), minutes(begin, 3));
        assert_eq!(clocks.in_log(Time(720_000)), minutes(end, 2));
    }
}
