//! Everything is stored once more some time after a failover.
//!
//! The old primary asks the fence right before it writes. Between its question and the arrival of its write this one may
//! have taken the fence and stored its own copy, which that write then replaces. Such a write is bounded by the deadlines of
//! requests: what is stored after them stands. After a relocation nobody is left who could write.

use ramen_api::ramen::wire::condition;
use ramen_events::{BlobId, Time};

use crate::{
    domain::Decision,
    spoke::{
        state::is_restored,
        vrg::{scene::Scene, view::View},
    },
};

/// Far more than a write may take that began before the fence was taken.
const PAUSE_SECONDS: u64 = 60;

/// Which time it is that copies are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// The first, and there is no second one.
    Only,
    /// The first; at that moment the second one begins.
    First(Time),
    /// The second.
    Second,
}

/// What a store has, compared with what it should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Has {
    /// That.
    This,
    /// That, stored in the first round, and the second one is due.
    ThisAtFirst,
    /// Something else, or nothing.
    Other,
}

impl Round {
    /// Which one it is for a primary.
    pub fn of(view: &View<'_>) -> Self {
        match Self::second_begins(view) {
            None => Self::Only,
            Some(due) if view.now() < due => Self::First(due),
            Some(_) => Self::Second,
        }
    }

    /// When the second one begins; `None` when there is none.
    pub fn second_begins(view: &View<'_>) -> Option<Time> {
        // Without an epoch the old primary is not refused either: it would go on anyway.
        let fenced = view.work.fence.as_ref().is_some_and(|fence| fence.epoch > 0);
        if !fenced || !view.is_failover() || !is_restored(view.vrg) {
            return None;
        }
        let restored = view.vrg.status.as_ref()?.condition(condition::CLUSTER_DATA_READY)?;
        Some(restored.since.plus_seconds(PAUSE_SECONDS))
    }

    /// The digest of something that is stored now; what was stored in the second round has another one than in the first.
    pub fn mark(self, digest: BlobId) -> BlobId {
        match self {
            Self::Only | Self::First(_) => digest,
            Self::Second => again(digest),
        }
    }

    /// What a store has that stored `has`, if it should have `digest`.
    pub fn judge(self, has: BlobId, digest: BlobId) -> Has {
        match self {
            // An edit of the spec begins a first round anew: what was stored in an earlier second one stands.
            _ if has == again(digest) => Has::This,
            _ if has != digest => Has::Other,
            Self::Second => Has::ThisAtFirst,
            Self::Only | Self::First(_) => Has::This,
        }
    }
}

/// Stores everything once more when that is due. It is no step of the runbook: nobody waits for it.
pub fn repeat(view: &View<'_>, scene: &Scene, decision: &mut Decision) {
    let volumes = scene.volumes.iter().flat_map(|volume| &volume.archive.repeats);
    let copy = scene.copy.iter().flat_map(|copy| &copy.repeats);
    decision.commands.extend(volumes.chain(copy).cloned());
    if let Round::First(due) = Round::of(view) {
        decision.ask_again(due, "store everything once more after the failover");
    }
}

fn again(digest: BlobId) -> BlobId {
    let mut text = digest.0.to_vec();
    text.extend_from_slice(b"again");
    BlobId::of(&text)
}
