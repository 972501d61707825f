//! What checks and reports ask of the storage; nothing in the world can see this.

use std::collections::BTreeMap;

use super::history::{History, Line};
use super::mirror::Volume;
use super::volume::{Forced, Role, Storage};
use crate::time::Time;

impl Storage {
    /// Role and data of the copy on one site.
    #[must_use]
    pub fn peek(&self, site: &str, handle: &str) -> Option<(Role, &History)> {
        let copy = self.volumes.get(handle)?.copies.get(site)?;
        Some((copy.role, &copy.history))
    }

    /// When the newest snapshot of the copy on one site was taken that its peer holds whole, if that is known here.
    #[must_use]
    pub fn synced(&self, site: &str, handle: &str) -> Option<Time> {
        self.volumes.get(handle)?.copies.get(site)?.synced
    }

    /// All volume handles.
    pub fn handles(&self) -> impl Iterator<Item = &str> {
        self.volumes.keys().map(String::as_str)
    }

    /// Volumes made for claims of a namespace: handle and name of the claim.
    pub fn volumes_of(&self, namespace: &str) -> impl Iterator<Item = (&str, &str)> {
        self.volumes.iter().filter_map(move |(handle, volume)| {
            let claim = volume.claim.strip_prefix(namespace)?.strip_prefix('/')?;
            Some((handle.as_str(), claim))
        })
    }

    /// How many writes applications were told are safe.
    #[must_use]
    pub fn acknowledged(&self, handle: &str) -> u64 {
        self.volumes.get(handle).map_or(0, |volume| volume.acknowledged.values().sum())
    }

    /// Acknowledged writes that the copy which serves now (or would serve next) does not hold.
    #[must_use]
    pub fn lost(&self, handle: &str) -> u64 {
        let Some(volume) = self.volumes.get(handle) else { return 0 };
        let Some((_, serving)) = volume.serving() else { return volume.acknowledged.values().sum() };
        let held = |line: &Line| serving.history.of_line(*line);
        volume.acknowledged.iter().map(|(line, count)| count.saturating_sub(held(line))).sum()
    }

    /// The promotions by force of a volume, oldest first.
    #[must_use]
    pub fn forced(&self, handle: &str) -> &[Forced] {
        self.volumes.get(handle).map_or(&[], |volume| volume.forced.as_slice())
    }

    /// Sites on which an application could write to the volume.
    #[must_use]
    pub fn writable_on(&self, handle: &str) -> Vec<&str> {
        let copies = self.volumes.get(handle).into_iter().flat_map(|volume| &volume.copies);
        copies.filter(|(_, copy)| copy.role != Role::Secondary).map(|(site, _)| site.as_str()).collect()
    }

    /// The claim that a volume was made for, as `<namespace>/<name>`.
    #[must_use]
    pub fn claim(&self, handle: &str) -> &str {
        self.volumes.get(handle).map_or("", |volume| volume.claim.as_str())
    }

    /// Sites on which an application has the volume attached and may write to it.
    #[must_use]
    pub fn attached_writers(&self, handle: &str) -> Vec<&str> {
        let copies = self.volumes.get(handle).into_iter().flat_map(|volume| &volume.copies);
        let writers = copies.filter(|(_, copy)| copy.role != Role::Secondary && !copy.attached.is_empty());
        writers.map(|(site, _)| site.as_str()).collect()
    }

    /// Whether the copies of a volume went different ways: one was promoted by force.
    #[must_use]
    pub fn diverged(&self, handle: &str) -> bool {
        let Some(volume) = self.volumes.get(handle) else { return false };
        let mut lines = volume.copies.values().map(|copy| copy.line);
        let first = lines.next();
        lines.any(|line| Some(line) != first)
    }

    /// How many writes of each line applications were told are safe.
    pub fn acknowledged_by_line(&self, handle: &str) -> impl Iterator<Item = (Line, u64)> {
        let volume = self.volumes.get(handle);
        volume.into_iter().flat_map(|volume| volume.acknowledged.iter().map(|(line, count)| (*line, *count)))
    }

    /// How many writes of each line but its own a primary holds: all that is left of the others if it is to be the home, although
    /// another copy was promoted by force since. `None` when the copy there is no primary.
    #[must_use]
    pub fn left_on_primary(&self, site: &str, handle: &str) -> Option<BTreeMap<Line, u64>> {
        let volume = self.volumes.get(handle)?;
        let copy = volume.copies.get(site).filter(|copy| copy.role == Role::Primary)?;
        let others = volume.acknowledged.keys().filter(|line| **line != copy.line);
        Some(others.map(|line| (*line, copy.history.of_line(*line))).collect())
    }

    /// How many writes of a line the copy holds that serves now, or would serve next.
    #[must_use]
    pub fn held_by_serving(&self, handle: &str, line: Line) -> u64 {
        let serving = self.volumes.get(handle).and_then(Volume::serving);
        serving.map_or(0, |(_, copy)| copy.history.of_line(line))
    }

    /// Whether the copy of a site serves, or holds all that the one does which would serve next.
    #[must_use]
    pub fn serves(&self, site: &str, handle: &str) -> bool {
        let Some(volume) = self.volumes.get(handle) else { return false };
        let here = volume.copies.get(site).filter(|copy| copy.role != Role::Secondary);
        here.zip(volume.serving()).is_some_and(|(here, (_, serving))| here.line >= serving.line)
    }
}
