//! Kills and restarts operators at random moments, placed by a seed.

use std::time::{Duration, Instant};

use anyhow::Result;
use ramen_sim::rng::Rng;

use crate::processes::Operator;

/// What chaos does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Kill { operator: usize, down: Duration },
    Restart { operator: usize },
}

/// Decides which operator dies when, and for how long. The moments follow from the seed alone; what they hit does not,
/// since operators run in real time.
#[derive(Debug)]
pub struct Chaos {
    rng: Rng,
    next: Next,
    at: Instant,
    /// How many operators were killed.
    pub kills: u32,
}

impl Chaos {
    /// Chaos of a seed over `operators` operators, from now on.
    pub fn new(seed: u64, operators: usize) -> Self {
        let mut rng = Rng::for_entity(seed, "chaos");
        let next = Self::kill(&mut rng, operators);
        let at = Instant::now() + rng.between(Duration::from_millis(50), Duration::from_millis(1000));
        Self { rng, next, at, kills: 0 }
    }

    fn kill(rng: &mut Rng, operators: usize) -> Next {
        let operator = usize::try_from(rng.below(operators as u64)).unwrap_or_default();
        Next::Kill { operator, down: rng.between(Duration::from_millis(20), Duration::from_millis(900)) }
    }

    /// Does what is due. Operators of a cluster that is lost (`absent`) are left alone. Returns what was done.
    ///
    /// # Errors
    /// When an operator can't be killed or started.
    pub async fn poll(&mut self, operators: &mut [Operator], absent: Option<&str>) -> Result<Option<String>> {
        if Instant::now() < self.at {
            return Ok(None);
        }
        match self.next {
            Next::Kill { operator, down } => {
                let victim = &mut operators[operator];
                if absent == Some(victim.cluster.as_str()) {
                    self.rest(operators.len());
                    return Ok(None);
                }
                victim.kill().await?;
                self.kills += 1;
                self.next = Next::Restart { operator };
                self.at = Instant::now() + down;
                Ok(Some(format!("killed the operator of {} for {} ms", victim.cluster, down.as_millis())))
            }
            Next::Restart { operator } => {
                let victim = &mut operators[operator];
                if absent != Some(victim.cluster.as_str()) {
                    victim.start()?;
                }
                self.rest(operators.len());
                Ok(None)
            }
        }
    }

    /// The next victim, after a while.
    fn rest(&mut self, operators: usize) {
        self.next = Self::kill(&mut self.rng, operators);
        self.at = Instant::now() + self.rng.between(Duration::from_millis(100), Duration::from_millis(1500));
    }

    /// Whether an operator is down that has to come back.
    pub fn owes(&self) -> Option<usize> {
        match self.next {
            Next::Restart { operator } => Some(operator),
            Next::Kill { .. } => None,
        }
    }
}
