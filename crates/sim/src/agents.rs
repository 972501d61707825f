//! The agents that live beside the operators: OCM's on each managed cluster, and the hub's watch over clusters.
//!
//! An agent is a state machine without clock, sockets or threads: a driver calls [`Agent::run`] when something that it
//! watches changed or when the moment that it named has come. So the same agents run in virtual time, in the demo's
//! threads, on embedded and on real API servers.

pub mod conditions;
pub mod object;
pub mod registration;
pub mod view;
pub mod work;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::api::{Api, Resource};
use crate::storage::Storage;
use crate::time::Time;

/// Whose objects are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The hub's.
    Hub,
    /// Those of the cluster on which the agent runs.
    Own,
}

/// What an agent can reach.
pub struct AgentWorld<'a> {
    /// The hub's API server.
    pub hub: &'a dyn Api,
    /// The API server of the agent's own cluster; the hub's for an agent of the hub.
    pub own: &'a dyn Api,
    /// The storage systems of all sites.
    pub storage: &'a Mutex<Storage>,
}

impl AgentWorld<'_> {
    /// The storage, for a short time.
    pub fn storage(&self) -> MutexGuard<'_, Storage> {
        self.storage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An inhabitant of the world.
pub trait Agent: Send {
    /// Its name, unique within the world: `<cluster>/<agent>`.
    fn name(&self) -> &str;

    /// Whose changes wake it. May grow or shrink after a run.
    fn watches(&self) -> Vec<(Side, Resource)>;

    /// Its machine lost power: processes that it stands for are gone.
    fn power_lost(&mut self) {}

    /// Looks, acts, and says when it wants to be called again even if nothing changes.
    fn run(&mut self, now: Time, world: &AgentWorld<'_>) -> Option<Time>;
}

/// The earlier of two moments, if any.
#[must_use]
pub fn earlier(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
