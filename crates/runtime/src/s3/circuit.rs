//! A store that cannot be reached is left alone for a moment, so that many commands do not each wait for it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use ramen_events::Outcome;

/// What is known of the reachability of each store, by profile.
#[derive(Debug)]
pub(crate) struct Circuit {
    rest: Duration,
    failed: Mutex<BTreeMap<String, Failed>>,
}

#[derive(Debug)]
struct Failed {
    outcome: Outcome,
    /// Until when nobody asks. Whoever comes first afterwards asks for all: it is moved on then.
    until: Instant,
}

impl Circuit {
    /// Leaves unreachable stores alone for `rest`.
    pub(crate) fn new(rest: Duration) -> Self {
        Self { rest, failed: Mutex::default() }
    }

    /// Whether a call may be made; else how the last one ended. The words are the same for all, since they go into
    /// conditions.
    pub(crate) fn pass(&self, profile: &str) -> Result<(), Outcome> {
        let mut failed = self.lock();
        let Some(failed) = failed.get_mut(profile) else { return Ok(()) };
        if Instant::now() < failed.until {
            return Err(failed.outcome.clone());
        }
        failed.until = Instant::now() + self.rest;
        Ok(())
    }

    /// A call ended. Any answer counts as reachable, a refusal too.
    pub(crate) fn ended(&self, profile: &str, unreachable: Option<&Outcome>) {
        let mut failed = self.lock();
        match unreachable {
            Some(outcome) => {
                let entry = Failed { outcome: outcome.clone(), until: Instant::now() + self.rest };
                failed.insert(profile.to_owned(), entry);
            }
            None => {
                failed.remove(profile);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Failed>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead() -> Outcome {
        Outcome::Unreachable { message: "ConnectionFailed: no route".to_owned() }
    }

    #[test]
    fn an_unreachable_store_is_not_asked_again_at_once() {
        let circuit = Circuit::new(Duration::from_secs(3600));
        circuit.ended("s3-c1", Some(&dead()));
        assert_eq!(circuit.pass("s3-c1"), Err(dead()));
        assert_eq!(circuit.pass("s3-c2"), Ok(()), "each store for itself");
        circuit.ended("s3-c1", None);
        assert_eq!(circuit.pass("s3-c1"), Ok(()));
    }

    #[test]
    fn after_the_rest_one_asks_for_all() {
        let circuit = Circuit::new(Duration::from_secs(3600));
        circuit.failed.lock().unwrap().insert("s3".to_owned(), Failed { outcome: dead(), until: Instant::now() });
        assert_eq!(circuit.pass("s3"), Ok(()));
        assert_eq!(circuit.pass("s3"), Err(dead()));
    }
}
