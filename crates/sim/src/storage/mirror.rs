//! One volume's copies, and what passes between them as time goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::history::{History, Line};
use super::volume::{Forced, Role};
use crate::agents::earlier;
use crate::time::Time;

#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub role: Role,
    pub line: Line,
    pub history: History,
    pub attached: BTreeSet<String>,
    pub interval: Duration,
    pub next_sync: Option<Time>,
    /// When the data of this copy, if secondary, was taken on the peer; when a primary last synced.
    pub synced: Option<Time>,
    /// Demoted here; the last snapshot leaves for the peer at this moment.
    pub last_snapshot: Option<Time>,
    /// The peer holds the last snapshot that was taken at the demotion here.
    pub handed_over: bool,
    /// The peer was demoted cleanly and its last snapshot is here.
    pub peer_demoted: bool,
    /// The data here was dropped; a full copy from the peer is complete at this moment.
    pub copying: Option<Time>,
}

impl Copy {
    pub fn new(role: Role) -> Self {
        Self {
            role,
            line: Line::default(),
            history: History::default(),
            attached: BTreeSet::new(),
            interval: Duration::from_mins(1),
            next_sync: None,
            synced: None,
            last_snapshot: None,
            handed_over: false,
            peer_demoted: false,
            copying: None,
        }
    }

    fn receive(&mut self, from: &Self, taken: Time) {
        self.line = from.line;
        self.history = from.history.clone();
        self.synced = Some(taken);
    }
}

#[derive(Debug, Default)]
pub(super) struct Volume {
    /// Namespace and name of the claim that it was made for.
    pub claim: String,
    /// Between which sites it is mirrored, or would be: an index.
    pub relation: usize,
    pub copies: BTreeMap<String, Copy>,
    pub acknowledged: BTreeMap<Line, u64>,
    pub lines: u32,
    pub forced: Vec<Forced>,
}

impl Volume {
    /// The copy that serves now, or would serve next, and its site.
    pub fn serving(&self) -> Option<(&String, &Copy)> {
        self.copies.iter().max_by_key(|(_, copy)| (copy.line, copy.role != Role::Secondary, copy.history.len()))
    }

    /// Lets happen what is due on one side.
    pub fn advance(&mut self, site: &str, peer: &str, connected: bool, now: Time) {
        let Some(mut copy) = self.copies.remove(site) else { return };
        if connected && copy.last_snapshot.is_some_and(|due| due <= now) {
            self.hand_over(&mut copy, peer, now);
        }
        let source = self.copies.get_mut(peer).filter(|source| source.role == Role::Primary);
        if let Some(source) = source.filter(|_| connected && copy.copying.is_some_and(|due| due <= now)) {
            copy.receive(source, now);
            copy.copying = None;
            // The copy was made from a snapshot, which the peer now holds whole: the source is synced up to it.
            source.synced = Some(now);
        }
        while let Some(due) = copy.next_sync.filter(|due| *due <= now) {
            if connected && self.sync(&copy, peer, due) {
                copy.synced = Some(due);
            }
            copy.next_sync = Some(due + copy.interval.max(Duration::from_millis(1)));
        }
        self.copies.insert(site.to_owned(), copy);
    }

    /// When something is due on one side next.
    pub fn due(&self, site: &str) -> Option<Time> {
        let copy = self.copies.get(site)?;
        earlier(copy.next_sync, earlier(copy.last_snapshot, copy.copying))
    }

    /// The copy on the peer; a replica of this line comes into being if there is none.
    fn replica(&mut self, peer: &str, line: Line) -> &mut Copy {
        self.copies.entry(peer.to_owned()).or_insert_with(|| Copy { line, ..Copy::new(Role::Secondary) })
    }

    /// Sends a snapshot of a primary to its peer, which comes into being with the first one.
    fn sync(&mut self, primary: &Copy, peer: &str, taken: Time) -> bool {
        let replica = self.replica(peer, primary.line);
        // A copy that handed over follows the one that took over without a full copy: it is where that one started.
        let follows = replica.line == primary.line && replica.copying.is_none();
        if replica.role != Role::Secondary || !follows {
            return false;
        }
        replica.receive(primary, taken);
        (replica.last_snapshot, replica.handed_over, replica.peer_demoted) = (None, false, false);
        true
    }

    /// Sends the last snapshot of a demoted copy.
    fn hand_over(&mut self, demoted: &mut Copy, peer: &str, now: Time) {
        let replica = self.replica(peer, demoted.line);
        let follows = replica.line == demoted.line && replica.history.is_prefix_of(&demoted.history);
        if replica.role == Role::Secondary && follows {
            replica.receive(demoted, now);
            (replica.peer_demoted, replica.copying, replica.last_snapshot) = (true, None, None);
            (demoted.handed_over, demoted.last_snapshot) = (true, None);
        }
    }

    /// Whether both copies are secondary, equal and at rest.
    pub fn idle(&self, site: &str, peer: &str) -> bool {
        let (Some(copy), Some(other)) = (self.copies.get(site), self.copies.get(peer)) else { return false };
        let secondary = copy.role == Role::Secondary && other.role == Role::Secondary;
        secondary && ((copy.handed_over && other.peer_demoted) || (copy.peer_demoted && other.handed_over))
    }

    /// Whether a copy is secondary and follows a primary of its line.
    pub fn receiving(&self, site: &str, peer: &str) -> bool {
        let (Some(copy), Some(other)) = (self.copies.get(site), self.copies.get(peer)) else { return false };
        let follows = copy.line == other.line && copy.copying.is_none();
        copy.role == Role::Secondary && other.role == Role::Primary && follows
    }

    /// Removes the replica of a volume that is mirrored no more.
    pub fn drop_replica(&mut self, peer: &str) {
        if self.copies.get(peer).is_some_and(|copy| copy.role == Role::Secondary) {
            self.copies.remove(peer);
        }
    }
}
