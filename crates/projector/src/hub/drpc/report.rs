//! Where a decision left a DRPC, for its status.

use ramen_events::Time;

use super::validate::Problem;

/// A step that is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shut {
    /// The progression that it shows.
    pub progression: &'static str,
    /// What is waited for, where, since when, and what a person can do.
    pub sentence: String,
    /// Since when.
    pub since: Time,
}

/// Where a decision left a DRPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is done: something has to be corrected first.
    Invalid(Problem),
    /// Marks are being set, or VRGs taken in.
    Preparing,
    /// Clusters are asked what they have.
    Contacting(Shut),
    /// A person has to decide.
    Paused {
        /// Whether a failover may be asked for.
        failover_allowed: bool,
        /// Why, and what to do.
        why: String,
    },
    /// In a runbook, at this step; `None`: it is complete.
    Running(Option<Shut>),
    /// Being deleted, at this step.
    Deleting(Option<Shut>),
}
