//! A site's storage as others meet it: how fast it is, to which it mirrors, why it refuses, what is wrong with it.

use std::time::Duration;

/// How fast the storage works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed {
    /// From a demotion until the peer holds the last snapshot.
    pub last_snapshot: Duration,
    /// A full copy after a resync by force.
    pub full_copy: Duration,
}

impl Default for Speed {
    fn default() -> Self {
        Self { last_snapshot: Duration::from_millis(1500), full_copy: Duration::from_millis(1500) }
    }
}

/// Two sites that mirror to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// By which classes name it: their replication id; empty when all classes mean this one.
    pub id: String,
    /// One site.
    pub one: String,
    /// The other.
    pub other: String,
}

impl Relation {
    pub(super) fn peer_of(&self, site: &str) -> Option<&str> {
        match site {
            site if site == self.one => Some(&self.other),
            site if site == self.other => Some(&self.one),
            _ => None,
        }
    }
}

/// Why a storage system refused; as CSI error codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such volume here, or no peer known.
    #[error("volume not found")]
    NotFound,
    /// Not possible in this state; may be possible later or by force.
    #[error("{0}")]
    FailedPrecondition(String),
    /// Never possible in this state.
    #[error("{0}")]
    InvalidArgument(String),
    /// The site's storage does not answer.
    #[error("storage of site {0} does not answer")]
    Unavailable(String),
    /// Something is wrong inside of it.
    #[error("{0}")]
    Internal(String),
}

/// What is wrong with a site's storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Each change of a role, and each resynchronization, fails without effect.
    Failing,
    /// Each takes effect, but its answer comes too late.
    Hanging,
    /// Nothing is sent to the peer or received from it, though the link works.
    Degraded,
    /// Mirroring is not set up: no volume can begin to be replicated. Those that are go on.
    Unprepared,
    /// Nothing that its controllers ask for is done, nor answered: they hang. What is replicated already goes on.
    Silent,
}
