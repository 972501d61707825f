//! Volumes in pairs: roles, what was written, what was received, and what each operation is allowed to do.
//!
//! Rules: spec vrg 10.1, which describes an RBD mirror driver. Each operation first lets everything happen that was due.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::history::Line;
use super::mirror::{Copy, Volume};
use super::site::{Refusal, Relation, Speed, Trouble};
use crate::agents::earlier;
use crate::time::Time;

/// What a copy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Not mirrored.
    Plain,
    /// Mirrored, writable.
    Primary,
    /// Mirrored, receiving.
    Secondary,
}

/// What a primary knows of its replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncInfo {
    /// When the newest snapshot that the peer holds whole was taken.
    pub last: Time,
    /// Whether the link to the peer works.
    pub healthy: bool,
}

/// A promotion by force, and what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forced {
    /// When.
    pub at: Time,
    /// The site that became primary.
    pub site: String,
    /// Writes on the other copy that this one did not hold.
    pub lost: u64,
    /// When the data that it continued from was taken; `None` if nothing was ever synced.
    pub synced: Option<Time>,
}

/// The storage systems of two or more sites.
#[derive(Debug, Default)]
pub struct Storage {
    speed: Speed,
    relations: Vec<Relation>,
    down: BTreeSet<String>,
    troubles: BTreeMap<String, Trouble>,
    link_cut: bool,
    pub(super) volumes: BTreeMap<String, Volume>,
    now: Time,
    /// Nothing is due before; `None` after a change that may have made something due.
    quiet_until: Option<Time>,
}

const FOREVER: Time = Time(u64::MAX);

impl Storage {
    /// Storage of two sites that mirror to each other.
    #[must_use]
    pub fn pair(one: &str, other: &str, speed: Speed) -> Self {
        let relation = Relation { id: String::new(), one: one.to_owned(), other: other.to_owned() };
        Self::related(vec![relation], speed)
    }

    /// Storage of several sites, each of which mirrors to others.
    #[must_use]
    pub fn related(relations: Vec<Relation>, speed: Speed) -> Self {
        Self { speed, relations, ..Self::default() }
    }

    /// Stops or restarts the storage of one site.
    pub fn set_up(&mut self, site: &str, up: bool) {
        self.quiet_until = None;
        if up {
            self.down.remove(site);
        } else {
            self.down.insert(site.to_owned());
            // Nodes lose power together with their storage: nothing is mapped any more.
            for copy in self.volumes.values_mut().filter_map(|volume| volume.copies.get_mut(site)) {
                copy.attached.clear();
            }
        }
    }

    /// Breaks or mends the storage of one site.
    pub fn set_trouble(&mut self, site: &str, trouble: Option<Trouble>) {
        self.quiet_until = None;
        match trouble {
            Some(trouble) => self.troubles.insert(site.to_owned(), trouble),
            None => self.troubles.remove(site),
        };
    }

    /// What is wrong with the storage of one site.
    #[must_use]
    pub fn trouble(&self, site: &str) -> Option<Trouble> {
        self.troubles.get(site).copied()
    }

    /// An operation on the mirroring, as far as the site's storage lets it happen.
    fn operate<T>(
        &mut self,
        site: &str,
        operation: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        match self.troubles.get(site) {
            Some(Trouble::Failing) => Err(Refusal::Internal("an internal error of the storage".into())),
            Some(Trouble::Hanging) => {
                operation(self)?;
                Err(Refusal::Internal("the storage gave no answer in time".into()))
            }
            // Who asks silent storage never gets as far as this.
            Some(Trouble::Degraded | Trouble::Unprepared | Trouble::Silent) | None => operation(self),
        }
    }

    /// Whether data of a site pass to its peer and back, as long as the link works.
    fn sends(&self, site: &str) -> bool {
        self.troubles.get(site) != Some(&Trouble::Degraded)
    }

    /// Cuts or restores the link between the sites.
    pub fn set_link(&mut self, works: bool) {
        self.quiet_until = None;
        self.link_cut = !works;
    }

    /// Lets everything happen that was due by `now`; says when the next thing is due.
    pub fn advance(&mut self, now: Time) -> Option<Time> {
        self.now = self.now.max(now);
        let (down, troubles, now) = (&self.down, &self.troubles, self.now);
        let link_cut = self.link_cut;
        let sends = |site: &String| troubles.get(site) != Some(&Trouble::Degraded);
        if let Some(quiet) = self.quiet_until.filter(|quiet| *quiet > now) {
            return Some(quiet).filter(|quiet| *quiet < FOREVER);
        }
        let mut next = None;
        for volume in self.volumes.values_mut() {
            let Some(relation) = self.relations.get(volume.relation) else { continue };
            for (site, peer) in [(&relation.one, &relation.other), (&relation.other, &relation.one)] {
                let connected = !link_cut && !down.contains(site) && !down.contains(peer) && sends(site) && sends(peer);
                volume.advance(site, peer, connected, now);
                next = earlier(next, volume.due(site).filter(|due| *due > now));
            }
        }
        self.quiet_until = Some(next.unwrap_or(FOREVER));
        next
    }

    /// Makes a volume for a claim, named `<namespace>/<name>`.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`].
    pub fn provision(&mut self, site: &str, handle: &str, claim: &str, now: Time) -> Result<(), Refusal> {
        self.answering(site, now)?;
        let first = self.relations.iter().position(|relation| relation.peer_of(site).is_some()).unwrap_or_default();
        let made = || Volume { relation: first, ..Volume::default() };
        let volume = self.volumes.entry(handle.to_owned()).or_insert_with(made);
        claim.clone_into(&mut volume.claim);
        volume.copies.entry(site.to_owned()).or_insert_with(|| Copy::new(Role::Plain));
        Ok(())
    }

    /// Deletes a volume: a secondary loses nothing but its local name, any other copy its data.
    ///
    /// # Errors
    /// [`Refusal::FailedPrecondition`] while attached; [`Refusal::Unavailable`].
    pub fn delete(&mut self, site: &str, handle: &str, now: Time) -> Result<(), Refusal> {
        let (connected, peer) = self.way(site, handle);
        let copy = match self.copy(site, handle, now) {
            Err(Refusal::NotFound) => return Ok(()),
            other => other?,
        };
        if !copy.attached.is_empty() {
            return Err(Refusal::FailedPrecondition("volume is still attached".into()));
        }
        let (mirrored, secondary) = (copy.role == Role::Primary, copy.role == Role::Secondary);
        if secondary {
            return Ok(());
        }
        if let Some(volume) = self.volumes.get_mut(handle) {
            volume.copies.remove(site);
            if mirrored && connected {
                volume.drop_replica(&peer);
            }
        }
        Ok(())
    }

    /// Attaches a volume to a node on behalf of `who`.
    ///
    /// # Errors
    /// [`Refusal::FailedPrecondition`] when the copy is not writable.
    pub fn attach(&mut self, site: &str, handle: &str, who: &str, now: Time) -> Result<(), Refusal> {
        let copy = self.copy(site, handle, now)?;
        if copy.role == Role::Secondary {
            return Err(Refusal::FailedPrecondition("volume is secondary and cannot be mapped".into()));
        }
        copy.attached.insert(who.to_owned());
        Ok(())
    }

    /// Detaches whatever `who` had attached.
    pub fn detach(&mut self, site: &str, who: &str) {
        for volume in self.volumes.values_mut() {
            if let Some(copy) = volume.copies.get_mut(site) {
                copy.attached.remove(who);
            }
        }
    }

    /// Writes `count` times; returns when all are acknowledged.
    ///
    /// # Errors
    /// [`Refusal::FailedPrecondition`] when the copy is not writable; [`Refusal::Unavailable`].
    pub fn write(&mut self, site: &str, handle: &str, count: u64, now: Time) -> Result<(), Refusal> {
        let copy = self.copy(site, handle, now)?;
        if copy.role == Role::Secondary {
            return Err(Refusal::FailedPrecondition("volume is secondary and not writable".into()));
        }
        let line = copy.line;
        copy.history.append(line, count);
        if let Some(volume) = self.volumes.get_mut(handle) {
            *volume.acknowledged.entry(line).or_default() += count;
        }
        Ok(())
    }

    /// Says between which sites a volume is to be mirrored; one that is mirrored stays where it is.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without such a relation of this site.
    pub fn relate(&mut self, site: &str, handle: &str, id: &str) -> Result<(), Refusal> {
        let meant = |relation: &Relation| relation.id.is_empty() || relation.id == id;
        let of_site = |relation: &Relation| meant(relation) && relation.peer_of(site).is_some();
        let relation = self.relations.iter().position(of_site).ok_or(Refusal::NotFound)?;
        let plain = |volume: &&mut Volume| volume.copies.get(site).is_some_and(|copy| copy.role == Role::Plain);
        if let Some(volume) = self.volumes.get_mut(handle).filter(plain) {
            volume.relation = relation;
            self.quiet_until = None;
        }
        Ok(())
    }

    /// Enables mirroring, with a snapshot every `interval`.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::Unavailable`]; [`Refusal::FailedPrecondition`] where mirroring is not set up.
    pub fn enable(&mut self, site: &str, handle: &str, interval: Duration, now: Time) -> Result<(), Refusal> {
        self.operate(site, |storage| storage.enable_unhindered(site, handle, interval, now))
    }

    fn enable_unhindered(&mut self, site: &str, handle: &str, interval: Duration, now: Time) -> Result<(), Refusal> {
        let unprepared = self.troubles.get(site) == Some(&Trouble::Unprepared);
        let copy = self.changing(site, handle, now)?;
        if unprepared && copy.role == Role::Plain {
            return Err(Refusal::FailedPrecondition("mirroring is not set up on this storage".into()));
        }
        copy.interval = interval;
        if copy.role == Role::Plain {
            copy.role = Role::Primary;
            copy.next_sync = Some(now);
            self.advance(now);
        }
        Ok(())
    }

    /// Makes a copy writable.
    ///
    /// # Errors
    /// [`Refusal::FailedPrecondition`] without force unless the peer handed over cleanly;
    /// [`Refusal::InvalidArgument`] when not mirrored.
    pub fn promote(&mut self, site: &str, handle: &str, force: bool, now: Time) -> Result<(), Refusal> {
        self.operate(site, |storage| storage.promote_unhindered(site, handle, force, now))
    }

    fn promote_unhindered(&mut self, site: &str, handle: &str, force: bool, now: Time) -> Result<(), Refusal> {
        let (connected, peer) = self.way(site, handle);
        let copy = self.changing(site, handle, now)?;
        match copy.role {
            Role::Primary => return Ok(()),
            Role::Plain => return Err(Refusal::InvalidArgument("volume is not mirrored".into())),
            Role::Secondary if copy.copying.is_some() => {
                return Err(Refusal::FailedPrecondition("volume is being copied".into()));
            }
            Role::Secondary => {}
        }
        let (taken_over, newest_here) = (copy.peer_demoted, copy.handed_over || copy.last_snapshot.is_some());
        let peer_primary = self.peek(&peer, handle).is_some_and(|(role, _)| role == Role::Primary);
        let clean = taken_over || (newest_here && connected && !peer_primary);
        if !clean && !force {
            return Err(Refusal::FailedPrecondition("volume is busy: its peer is primary or did not hand over".into()));
        }
        // A copy that was handed over and never heard of what its peer did since asks for no force; they part all the same.
        if !clean || peer_primary || self.is_behind(site, &peer, handle) {
            self.new_line(site, &peer, handle, now);
        }
        let Some(volume) = self.volumes.get_mut(handle) else { return Err(Refusal::NotFound) };
        if let Some(copy) = volume.copies.get_mut(site) {
            copy.role = Role::Primary;
            copy.next_sync = Some(now);
            (copy.peer_demoted, copy.handed_over, copy.last_snapshot) = (false, false, None);
        }
        if let Some(other) = volume.copies.get_mut(&peer) {
            other.handed_over = false;
            other.peer_demoted &= !connected;
        }
        self.advance(now);
        Ok(())
    }

    /// Makes a copy read-only and sends its last snapshot to the peer.
    ///
    /// # Errors
    /// [`Refusal::FailedPrecondition`] while attached; [`Refusal::InvalidArgument`] when not mirrored.
    pub fn demote(&mut self, site: &str, handle: &str, now: Time) -> Result<(), Refusal> {
        self.operate(site, |storage| storage.demote_unhindered(site, handle, now))
    }

    fn demote_unhindered(&mut self, site: &str, handle: &str, now: Time) -> Result<(), Refusal> {
        let due = now + self.speed.last_snapshot;
        let copy = self.changing(site, handle, now)?;
        match copy.role {
            Role::Secondary => return Ok(()),
            Role::Plain => return Err(Refusal::InvalidArgument("volume is not mirrored".into())),
            Role::Primary => {}
        }
        if !copy.attached.is_empty() {
            return Err(Refusal::FailedPrecondition("volume cannot be demoted: it is still in use".into()));
        }
        copy.role = Role::Secondary;
        copy.next_sync = None;
        copy.last_snapshot = Some(due);
        copy.handed_over = false;
        Ok(())
    }

    /// Brings a secondary up to its peer; `true` when both copies are secondary, equal and idle.
    ///
    /// # Errors
    /// [`Refusal::InvalidArgument`] on a primary; [`Refusal::FailedPrecondition`] when the copies went different ways
    /// and `force`, which drops the data here, is not given.
    pub fn resync(&mut self, site: &str, handle: &str, force: bool, now: Time) -> Result<bool, Refusal> {
        self.operate(site, |storage| storage.resync_unhindered(site, handle, force, now))
    }

    fn resync_unhindered(&mut self, site: &str, handle: &str, force: bool, now: Time) -> Result<bool, Refusal> {
        let ((connected, peer), done) = (self.way(site, handle), now + self.speed.full_copy);
        let copy = self.changing(site, handle, now)?;
        if copy.role != Role::Secondary {
            return Err(Refusal::InvalidArgument("only a secondary can be resynchronized".into()));
        }
        let line = copy.line;
        let Some(volume) = self.volumes.get_mut(handle) else { return Err(Refusal::NotFound) };
        if volume.idle(site, &peer) && connected {
            return Ok(true);
        }
        let diverged = volume.copies.get(&peer).is_some_and(|other| other.role == Role::Primary && other.line != line);
        if diverged && connected {
            if !force {
                return Err(Refusal::FailedPrecondition(
                    "no local sync information: the copies went different ways".into(),
                ));
            }
            if let Some(copy) = volume.copies.get_mut(site).filter(|copy| copy.copying.is_none()) {
                copy.copying = Some(done);
                copy.last_snapshot = None;
            }
        }
        Ok(false)
    }

    /// Whether a secondary receives from a primary of the same line, with nothing to copy first.
    #[must_use]
    pub fn receiving(&self, site: &str, handle: &str) -> bool {
        let (connected, peer) = self.way(site, handle);
        let flows = connected && self.sends(site) && self.sends(&peer);
        flows && self.volumes.get(handle).is_some_and(|volume| volume.receiving(site, &peer))
    }

    /// Whether a site's storage reaches that to which it mirrors a volume.
    #[must_use]
    pub fn reaches_peer(&self, site: &str, handle: &str) -> bool {
        self.way(site, handle).0
    }

    /// What a primary knows of its replication.
    ///
    /// # Errors
    /// [`Refusal::InvalidArgument`] on a secondary; [`Refusal::NotFound`] without a peer;
    /// [`Refusal::FailedPrecondition`] before the first sync.
    pub fn info(&mut self, site: &str, handle: &str, now: Time) -> Result<SyncInfo, Refusal> {
        self.advance(now);
        let healthy = self.way(site, handle).0 && self.sends(site);
        let copy = self.copy(site, handle, now)?;
        if copy.role != Role::Primary {
            return Err(Refusal::InvalidArgument("only a primary knows its sync state".into()));
        }
        let last = copy.synced.ok_or_else(|| Refusal::FailedPrecondition("not synchronized yet".into()))?;
        Ok(SyncInfo { last, healthy })
    }

    /// Ends mirroring: a primary keeps its data and the replica goes; a secondary needs nothing, if it is safe.
    ///
    /// # Errors
    /// [`Refusal::InvalidArgument`] on a secondary that is neither receiving nor idle: its data may be the only copy.
    pub fn disable(&mut self, site: &str, handle: &str, now: Time) -> Result<(), Refusal> {
        self.operate(site, |storage| storage.disable_unhindered(site, handle, now))
    }

    fn disable_unhindered(&mut self, site: &str, handle: &str, now: Time) -> Result<(), Refusal> {
        let (connected, peer) = self.way(site, handle);
        let role = match self.changing(site, handle, now) {
            Err(Refusal::NotFound) => return Ok(()),
            other => other?.role,
        };
        let Some(volume) = self.volumes.get_mut(handle) else { return Ok(()) };
        match role {
            Role::Plain => Ok(()),
            Role::Primary => {
                if let Some(copy) = volume.copies.get_mut(site) {
                    copy.role = Role::Plain;
                    copy.next_sync = None;
                }
                if connected {
                    volume.drop_replica(&peer);
                }
                Ok(())
            }
            Role::Secondary if connected && (volume.receiving(site, &peer) || volume.idle(site, &peer)) => Ok(()),
            Role::Secondary => Err(Refusal::InvalidArgument("secondary neither receives nor has handed over".into())),
        }
    }

    /// Whether the copy on the peer went its own way since the one here was last written.
    fn is_behind(&self, site: &str, peer: &str, handle: &str) -> bool {
        let line = |on: &str| self.volumes.get(handle)?.copies.get(on).map(|copy| copy.line);
        line(peer) > line(site)
    }

    fn new_line(&mut self, site: &str, peer: &str, handle: &str, now: Time) {
        let Some(volume) = self.volumes.get_mut(handle) else { return };
        volume.lines += 1;
        let line = Line(volume.lines);
        let other = volume.copies.get(peer).map(|other| other.history.clone()).unwrap_or_default();
        let Some(copy) = volume.copies.get_mut(site) else { return };
        copy.line = line;
        let lost = other.missing_in(&copy.history);
        let synced = copy.synced.take();
        volume.forced.push(Forced { at: now, site: site.to_owned(), lost, synced });
    }

    /// Whether a site reaches the other to which a volume is mirrored, and which that is.
    fn way(&self, site: &str, handle: &str) -> (bool, String) {
        let relation = self.volumes.get(handle).and_then(|volume| self.relations.get(volume.relation));
        let Some(peer) = relation.and_then(|relation| relation.peer_of(site)) else { return (false, String::new()) };
        let connected = !self.link_cut && !self.down.contains(peer) && !self.down.contains(site);
        (connected, peer.to_owned())
    }

    fn answering(&mut self, site: &str, now: Time) -> Result<(), Refusal> {
        self.advance(now);
        if self.down.contains(site) { Err(Refusal::Unavailable(site.to_owned())) } else { Ok(()) }
    }

    /// A copy whose role is about to change.
    fn changing(&mut self, site: &str, handle: &str, now: Time) -> Result<&mut Copy, Refusal> {
        self.answering(site, now)?;
        self.quiet_until = None;
        self.volumes.get_mut(handle).and_then(|volume| volume.copies.get_mut(site)).ok_or(Refusal::NotFound)
    }

    fn copy(&mut self, site: &str, handle: &str, now: Time) -> Result<&mut Copy, Refusal> {
        self.answering(site, now)?;
        self.volumes.get_mut(handle).and_then(|volume| volume.copies.get_mut(site)).ok_or(Refusal::NotFound)
    }
}
