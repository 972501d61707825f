//! Until when this process may act, as its own clocks tell.
//!
//! A process that hangs, or a machine that is stopped for a while, finds out only afterwards that another one leads. So each
//! call asks first, without a request: two clocks say how long ago the Lease was renewed, since one that counts stands still
//! while the machine does, and one that is set may be set back.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use ramen_events::{Outcome, Time};

use crate::clock::machine_time;

/// What the Lease gives to whoever makes calls. Without a Lease it never ends.
#[derive(Clone, Default)]
pub(crate) struct Leadership(Arc<Mutex<Option<Moment>>>);

/// The same moment on both clocks.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    counted: Instant,
    told: Time,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { counted: Instant::now(), told: machine_time() }
    }

    fn plus(self, span: Duration) -> Self {
        let told = self.told.plus_ms(u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        Self { counted: self.counted + span, told }
    }

    fn is_past(self, now: Self) -> bool {
        now.counted >= self.counted || now.told >= self.told
    }
}

impl Leadership {
    /// Lasts for so long from the moment in which the renewal was asked for.
    pub(crate) fn extend(&self, asked: Moment, patience: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked.plus(patience));
    }

    /// # Errors
    /// When another process may lead.
    pub(crate) fn check(&self) -> Result<(), Outcome> {
        self.check_at(Moment::now())
    }

    fn check_at(&self, now: Moment) -> Result<(), Outcome> {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if until.is_none_or(|until| !until.is_past(now)) {
            return Ok(());
        }
        let message =
            "the Lease was not renewed in time, so another process may lead: nothing was asked for".to_owned();
        Err(Outcome::Unreachable { message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn it_ends_by_either_clock_until_it_is_extended() {
        let leadership = Leadership::default();
        let asked = Moment::now();
        let hours_later = asked.plus(Duration::from_hours(5));
        assert_eq!(leadership.check_at(hours_later), Ok(()), "without a Lease it never ends");
        leadership.extend(asked, PATIENCE);
        let soon = asked.plus(PATIENCE / 2);
        let late = asked.plus(PATIENCE);
        assert_eq!(leadership.check_at(soon), Ok(()));
        let hung = Moment { told: soon.told, ..late };
        let stopped = Moment { counted: soon.counted, ..late };
        for now in [late, hung, stopped] {
            let refused = leadership.check_at(now).expect_err("another process may lead");
            assert!(matches!(refused, Outcome::Unreachable { .. }), "it certainly had no effect: {refused:?}");
        }
        leadership.extend(soon, PATIENCE);
        assert_eq!(leadership.check_at(late), Ok(()));
    }
}
