//! What may be overtaken by a write of somebody else's is stored once more some time later: everything after a failover, and
//! what a process stores right after its start.
//!
//! The old primary asks the fence right before it writes. Between its question and the arrival of its write this one may
//! have taken the fence and stored its own copy, which that write then replaces. Such a write is bounded by the deadlines of
//! requests: what is stored after them stands. After a relocation nobody is left who could write.
//!
//! A process that died may have had a write on its way to a slow store, too. It arrives within the same bound, after what its
//! successor stored meanwhile.

use ramen_api::ramen::wire::condition;
use ramen_events::{BlobId, Outcome, Time};

use crate::{
    domain::Decision,
    spoke::{
        state::is_restored,
        vrg::{scene::Scene, view::View},
    },
};

/// Far more than a write may take that began before the fence was taken, or before the process began.
pub const PAUSE_SECONDS: u64 = 60;
/// The first version of the deciders whose second round comes at each store a minute after it got the first, also where that
/// store was out meanwhile: its fence was taken no earlier.
const PER_STORE_SINCE: u32 = 9;
/// The first version of the deciders that stores once more what a process stored right after its start.
const STARTS_SINCE: u32 = 11;

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

/// How a store stands to something that is to be stored there.
#[derive(Clone, Copy, Debug)]
pub struct There {
    /// What it has.
    pub has: Has,
    /// What is noted of it once it is stored.
    pub content: BlobId,
    /// When it is to be stored once more, if it was stored too late for the common moment.
    pub repeats_at: Option<Time>,
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

    /// How a store that has `held` stands to something of this digest, which is written there in this slot.
    pub fn there(self, view: &View<'_>, slot: &str, held: Option<BlobId>, digest: BlobId) -> There {
        let round = self.at(view, slot, held, digest);
        There {
            has: held.map_or(Has::Other, |has| round.judge(has, digest)),
            content: round.mark(digest),
            repeats_at: held.and_then(|has| round.repeats_at(has, digest)),
        }
    }

    /// Which one it is at a store that has `held` of this primary, or nothing yet, and that is written in this slot.
    fn at(self, view: &View<'_>, slot: &str, held: Option<BlobId>, digest: BlobId) -> Self {
        let settled = settled_after_start(view);
        match self {
            // What is stored now for the first time may be stored twice for a failover yet, once the restore is told of.
            Self::Only if held != Some(digest) => return self,
            Self::Only => return Self::after_start(view, slot, settled),
            Self::First(due) => return Self::First(settled.map_or(due, |settled| settled.max(due))),
            Self::Second if view.ask.decider < PER_STORE_SINCE => return self,
            Self::Second => {}
        }
        if let Some(settled) = settled.filter(|settled| view.now() < *settled) {
            return Self::First(settled);
        }
        if held.is_none() {
            return Self::First(view.now().plus_seconds(PAUSE_SECONDS));
        }
        // No earlier than its answer came.
        let written = view.ask.flights.last(view.ask.aggregate, slot).map(|attempt| attempt.not_before);
        let due = written.map(|written| written.plus_seconds(PAUSE_SECONDS));
        due.filter(|due| view.now() < *due).map_or(Self::Second, Self::First)
    }

    /// Which one it is where no failover asks for two: they are two for what this process wrote in this slot while a write of
    /// an earlier one may still have been on its way.
    fn after_start(view: &View<'_>, slot: &str, settled: Option<Time>) -> Self {
        let (Some(settled), Some(attempt)) = (settled, view.ask.flights.last(view.ask.aggregate, slot)) else {
            return Self::Only;
        };
        let is_done = attempt.outcome.as_ref().is_some_and(Outcome::is_done);
        match () {
            () if view.now() < settled => Self::First(settled),
            () if is_done && attempt.decided >= settled => Self::Only,
            () => Self::Second,
        }
    }

    /// When what a store has is to be stored there once more; `None` when that is not to be, or was done.
    fn repeats_at(self, has: BlobId, digest: BlobId) -> Option<Time> {
        match self {
            Self::First(due) if has == digest => Some(due),
            _ => None,
        }
    }

    /// When the second one begins; `None` when there is none.
    pub fn second_begins(view: &View<'_>) -> Option<Time> {
        // Without an epoch the old primary is not refused either: it would go on anyway.
        let fenced = view.work.fence.as_ref().is_some_and(|fence| fence.epoch > 0);
        if fenced && view.is_failover() { settled_as_primary(view) } else { None }
    }

    /// The digest of something that is stored now; what was stored in the second round has another one than in the first.
    fn mark(self, digest: BlobId) -> BlobId {
        match self {
            Self::Only | Self::First(_) => digest,
            Self::Second => again(digest),
        }
    }

    /// What a store has that stored `has`, if it should have `digest`.
    fn judge(self, has: BlobId, digest: BlobId) -> Has {
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
    let late = scene.volumes.iter().filter_map(|volume| volume.archive.repeats_at);
    let late = late.chain(scene.copy.iter().filter_map(|copy| copy.repeats_at));
    let due = match Round::of(view) {
        Round::First(due) => Some(due),
        Round::Second | Round::Only => None,
    };
    if let Some(due) = late.chain(due).min() {
        let why =
            if view.is_failover() { "everything once more after the failover" } else { "once more after the start" };
        decision.ask_again(due, format!("store {why}"));
    }
}

/// When writes of a former primary have arrived; `None` before the VRG is restored.
pub fn settled_as_primary(view: &View<'_>) -> Option<Time> {
    let restored = view.vrg.status.as_ref()?.condition(condition::CLUSTER_DATA_READY)?;
    is_restored(view.vrg).then(|| restored.since.plus_seconds(PAUSE_SECONDS))
}

/// When writes of earlier processes have arrived.
pub fn settled_after_start(view: &View<'_>) -> Option<Time> {
    (view.ask.decider >= STARTS_SINCE).then(|| view.ask.started.plus_seconds(PAUSE_SECONDS))
}

fn again(digest: BlobId) -> BlobId {
    let mut text = digest.0.to_vec();
    text.extend_from_slice(b"again");
    BlobId::of(&text)
}
