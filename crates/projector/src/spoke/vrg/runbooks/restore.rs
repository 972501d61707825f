//! Restoring volumes and claims from the stores, once per change of role to primary (spec vrg 4).
//!
//! All stores are asked at once. An unreachable store is not an empty one: what it holds is unknown. Of the sets found,
//! the newest complete one is taken, and what it lacks of its home from the others: each store is written by itself, and one
//! may be further than another. A store that does not answer holds that up for `PATIENCE_SECONDS` only.

use std::cmp::Reverse;

use ramen_events::{
    Time,
    spoke::{Key, Store, StoredClaim, StoredSet, StoredVolume},
};

use super::placing::{self, Placement};
use crate::{
    FEWER_WRITES,
    domain::Wanted,
    spoke::{
        state::is_restored,
        vrg::{stores, view::View},
    },
};

/// Name of the step.
pub const STEP: &str = "RestoringClusterData";

/// How long a set that was found waits for the answers of further stores.
const PATIENCE_SECONDS: u64 = 3;

/// How far the restore is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restore {
    /// Done before, or not due now; with words.
    NotDue(String),
    /// It goes on by itself: what it waits for.
    Waiting(String),
    /// A person has to look: what is wrong.
    Blocked(String),
    /// All that was found is here: how many volumes, and what else is worth saying.
    Done {
        /// Number of volumes.
        volumes: usize,
        /// Which store they came from, which ones could not be asked.
        note: String,
    },
}

impl Restore {
    /// Whether volumes may be worked on.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::NotDue(_) | Self::Done { .. })
    }
}

/// How far the restore is, and what brings it on; `again` is when patience with silent stores ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// How far.
    pub restore: Restore,
    /// What brings it on.
    pub wants: Vec<Wanted>,
    /// When to look again.
    pub again: Option<Time>,
}

impl Outlook {
    fn only(restore: Restore) -> Self {
        Self { restore, wants: Vec::new(), again: None }
    }
}

/// A volume and its claim, as found in a store.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// The volume.
    pub volume: &'a StoredVolume,
    /// The claim.
    pub claim: &'a StoredClaim,
}

/// Looks how far the restore is.
pub fn look(view: &View<'_>) -> Outlook {
    if view.in_final_sync() {
        return Outlook::only(Restore::NotDue("no restore during the final synchronization".to_owned()));
    }
    if is_restored(view.vrg) {
        return Outlook::only(Restore::NotDue("restored when this role began".to_owned()));
    }
    if view.vrg.spec.s3_profiles.is_empty() {
        return Outlook::only(Restore::Blocked("spec.s3Profiles is empty: name at least one S3 profile".to_owned()));
    }
    if view.stores.is_empty() {
        return Outlook::only(Restore::Done { volumes: 0, note: "no store is used".to_owned() });
    }
    Answers::gather(view).outlook(view)
}

/// The first version of the deciders that looks for what the newest set lacks in other ones.
const OTHERS_SINCE: u32 = 10;

/// What is to be restored.
#[derive(Clone)]
struct Found<'a> {
    /// The newest set.
    set: &'a StoredSet,
    /// What is in it, and what was added.
    pairs: Vec<Pair<'a>>,
    /// Where that is.
    stores: Vec<&'a str>,
}

impl<'a> Found<'a> {
    /// Adds what another set of the same home has more. A claim that was dropped while its store was out is still there: the
    /// VRG's copy beside the others is newer than both, and tells that all that belongs to it is there.
    fn complete_from(&mut self, other: &Found<'a>) {
        let copied = |set: &StoredSet| set.copy.as_ref().and_then(|copy| copy.updated);
        let is_same = |one: &Pair<'_>, two: &Pair<'_>| {
            one.claim.key == two.claim.key
                && one.claim.volume == two.claim.volume
                && one.claim.created == two.claim.created
        };
        let same_home = self.pairs.iter().any(|one| other.pairs.iter().any(|two| is_same(one, two)));
        let (ours, theirs) = (copied(self.set), copied(other.set));
        let is_missing = |pair: &&Pair<'_>| {
            let is_later = theirs >= ours || pair.claim.created > ours;
            is_later && !self.pairs.iter().any(|own| own.claim.key == pair.claim.key)
        };
        let missing: Vec<Pair<'a>> = other.pairs.iter().filter(|_| same_home).filter(is_missing).copied().collect();
        if !missing.is_empty() {
            self.pairs.extend(missing);
            self.stores.push(&other.set.profile);
        }
    }
}

/// What the stores answered.
#[derive(Default)]
struct Answers<'a> {
    sets: Vec<&'a StoredSet>,
    failed: Vec<String>,
    pending: Vec<&'a str>,
    wants: Vec<Wanted>,
}

/// Slot of the question to a store.
fn slot(store: &str) -> String {
    format!("fetch/{store}")
}

fn fetch(view: &View<'_>, slot: &str, store: &Store) -> Wanted {
    Wanted { slot: slot.to_owned(), command: view.fetch(view.vrg.generation, store) }
}

/// The first version of the deciders that asks stores again that had nothing to restore.
const ASKS_AGAIN_SINCE: u32 = 4;
/// Between two such questions, in seconds.
const AGAIN_SECONDS: u64 = 30;

/// Stores that answered and had nothing are asked again now and then: the other cluster may still be writing, or somebody
/// brought back what was missing.
fn ask_again(view: &View<'_>, wants: &mut Vec<Wanted>, again: &mut Option<Time>) {
    for store in &view.stores {
        let slot = slot(store.name);
        let asked = wants.iter().any(|wanted| wanted.slot == slot);
        let (Ok(reachable), false) = (&store.store, asked) else { continue };
        let due = view.due(&slot, view.since(STEP), AGAIN_SECONDS);
        if view.now() < due {
            *again = Some(again.map_or(due, |other| other.min(due)));
        } else {
            wants.push(fetch(view, &slot, reachable));
        }
    }
}

impl<'a> Answers<'a> {
    fn gather(view: &View<'a>) -> Self {
        let mut answers = Self::default();
        for store in &view.stores {
            let slot = slot(store.name);
            let current = |set: &&StoredSet| set.asked_for == view.vrg.generation;
            if let Some(set) = view.work.answers.get(store.name).filter(current) {
                answers.sets.push(set);
                continue;
            }
            if let Ok(reachable) = store.store {
                answers.wants.push(fetch(view, &slot, reachable));
            }
            match stores::failure(view, store, &slot) {
                Some(problem) => answers.failed.push(problem),
                None => answers.pending.push(store.name),
            }
        }
        answers
    }

    fn outlook(self, view: &View<'_>) -> Outlook {
        let found = self.newest_complete(view);
        let patience = view.since(STEP).plus_seconds(PATIENCE_SECONDS);
        // A first deployment need not find anything: one store that has nothing is enough to go on.
        let enough = found.is_some() || (view.vrg.spec.action.is_empty() && !self.sets.is_empty());
        if !self.pending.is_empty() && (!enough || view.now() < patience) {
            let stores = self.pending.join(", ");
            return Outlook {
                restore: Restore::Waiting(format!("S3 store {stores} to say what it holds")),
                wants: self.wants,
                again: enough.then_some(patience),
            };
        }
        match found {
            Some(found) => {
                let mut outlook = place(view, &found, &self.remarks(view));
                // Those that did not answer are not asked again: the choice is made.
                outlook.again = None;
                outlook
            }
            None => {
                let restore = self.nothing_found(view);
                if restore.is_done() {
                    return Outlook::only(restore);
                }
                let (mut wants, mut again) = (self.wants, None);
                if view.ask.decider >= ASKS_AGAIN_SINCE {
                    ask_again(view, &mut wants, &mut again);
                }
                Outlook { restore, wants, again }
            }
        }
    }

    /// The newest of the complete sets. The highest epoch wrote the latest one; where none was given, claims tell: they are
    /// made anew with each move of the application, so the set with the youngest claim is of the latest home. Among
    /// those of one home the VRG's copy tells.
    fn newest_complete(&self, view: &View<'_>) -> Option<Found<'a>> {
        let sets = self.sets.iter().filter(|set| !is_foreign(view, set));
        let complete = sets.filter_map(|set| Some(Found { pairs: pairs(set).ok()?, stores: vec![&set.profile], set }));
        let complete: Vec<Found<'a>> = complete.filter(|found| !found.pairs.is_empty()).collect();
        let epoch = |set: &StoredSet| view.work.epochs.get(&set.profile).copied();
        let newest =
            complete.iter().enumerate().max_by_key(|(n, found)| (epoch(found.set), age(found.set), Reverse(*n)));
        let mut newest = newest.map(|(_, found)| found.clone())?;
        if view.ask.decider >= OTHERS_SINCE {
            let of_epoch = |other: &&Found<'_>| epoch(other.set) == epoch(newest.set);
            for other in complete.iter().filter(of_epoch) {
                newest.complete_from(other);
            }
        }
        Some(newest)
    }

    /// No store has a complete set: whether that is fine.
    fn nothing_found(&self, view: &View<'_>) -> Restore {
        let remarks = self.remarks(view);
        let incomplete =
            self.sets.iter().filter(|set| !is_foreign(view, set)).find_map(|set| Some((set, pairs(set).err()?)));
        if view.vrg.spec.action.is_empty() {
            // A first deployment: there need not be anything. But nobody may have been asked.
            if self.sets.is_empty() {
                return Restore::Blocked(format!("no S3 store could be asked what to restore: {remarks}"));
            }
            return Restore::Done { volumes: 0, note: remarks };
        }
        if let Some((set, why)) = incomplete {
            return Restore::Blocked(format!("what S3 store {} holds is not complete: {why}", set.profile));
        }
        if !self.failed.is_empty() {
            let asked: Vec<&str> = self.sets.iter().map(|set| set.profile.as_str()).collect();
            let empty =
                if asked.is_empty() { String::new() } else { format!("nothing is in S3 store {}; ", asked.join(", ")) };
            return Restore::Blocked(format!("{empty}can't tell what to restore without {remarks}"));
        }
        if self.sets.iter().any(|set| set.copy.is_some()) || !view.volumes.is_empty() {
            return Restore::Done { volumes: 0, note: remarks };
        }
        Restore::Blocked(format!(
            "no S3 store holds anything under {}/: look whether the buckets are the ones that the other cluster uses",
            view.vrg.key
        ))
    }

    fn remarks(&self, view: &View<'_>) -> String {
        let foreign = self.sets.iter().filter(|set| is_foreign(view, set)).map(|set| {
            format!("S3 store {} holds copies of another DRPC of this name, which were left alone", set.profile)
        });
        let leftover = self.sets.iter().filter(|set| view.vrg.spec.action.is_empty() && !is_foreign(view, set));
        let leftover = leftover.filter_map(|set| {
            Some(format!(
                "S3 store {} holds an incomplete set, which was left alone: {}",
                set.profile,
                pairs(set).err()?
            ))
        });
        let silent = self.pending.iter().map(|name| format!("S3 store {name} has not answered"));
        foreign.chain(leftover).chain(self.failed.iter().cloned()).chain(silent).collect::<Vec<_>>().join("; ")
    }
}

/// Whether a set belongs to another DRPC of the same name. Only a first deployment cares (spec vrg V10): after a hub
/// recovery the same application has a new DRPC.
fn is_foreign(view: &View<'_>, set: &StoredSet) -> bool {
    let ours = &view.vrg.drpc_uid;
    view.vrg.spec.action.is_empty()
        && !ours.is_empty()
        && set.copy.as_ref().is_some_and(|copy| !copy.drpc_uid.is_empty() && copy.drpc_uid != *ours)
}

/// When the latest home of the application made the claims, and when the VRG was stored.
fn age(set: &StoredSet) -> (Option<Time>, Option<Time>) {
    let claims = set.claims.iter().filter_map(|claim| claim.created).max();
    (claims, set.copy.as_ref().and_then(|copy| copy.updated))
}

/// Volumes with their claims; the error says what is missing. Volumes that an earlier claim of a present name left behind
/// do not count.
pub fn pairs(set: &StoredSet) -> Result<Vec<Pair<'_>>, String> {
    if let Some((key, why)) = set.unreadable.first() {
        return Err(format!("{key} can't be read: {why}"));
    }
    let mut pairs = Vec::with_capacity(set.claims.len());
    for claim in &set.claims {
        let volume = set.volumes.iter().find(|volume| volume.name == claim.volume);
        let volume = volume.ok_or_else(|| format!("volume {:?} of claim {} is missing", claim.volume, claim.key))?;
        if volume.claim.as_ref() != Some(&claim.key) {
            let other = volume.claim.as_ref().map(Key::to_string).unwrap_or_default();
            return Err(format!("volume {} belongs to claim {other:?}, not to {}", volume.name, claim.key));
        }
        pairs.push(Pair { volume, claim });
    }
    for volume in &set.volumes {
        let claim = volume.claim.as_ref().ok_or_else(|| format!("volume {} names no claim", volume.name))?;
        if !set.claims.iter().any(|stored| stored.key == *claim) {
            return Err(format!("claim {claim} of volume {} is missing", volume.name));
        }
    }
    Ok(pairs)
}

/// Whether all stores of the VRG hold this very copy.
fn is_archived(view: &View<'_>, pair: &Pair<'_>) -> bool {
    let holds = |set: &StoredSet| {
        set.asked_for == view.vrg.generation
            && set.volumes.iter().any(|volume| volume.name == pair.volume.name && volume.blob == pair.volume.blob)
            && set.claims.iter().any(|claim| claim.key == pair.claim.key && claim.blob == pair.claim.blob)
    };
    view.ask.decider >= FEWER_WRITES
        && view.stores.iter().all(|store| view.work.answers.get(store.name).is_some_and(holds))
}

/// Brings the pairs here.
fn place(view: &View<'_>, found: &Found<'_>, remarks: &str) -> Outlook {
    let mut wants = Vec::new();
    let (mut waits, mut problems) = (Vec::new(), Vec::new());
    for pair in &found.pairs {
        match placing::place(view, pair) {
            Placement::Here => {}
            Placement::Wants(want, what) => {
                let want = if is_archived(view, pair) { placing::as_archived(*want) } else { *want };
                match view.failure_text(&want.slot) {
                    Some(failure) => problems.push(format!("{what}: {failure}")),
                    None => waits.push(what),
                }
                wants.push(want);
            }
            Placement::Waits(what) => waits.push(what),
            Placement::Conflict(problem) => problems.push(problem),
        }
    }
    let restore = if !problems.is_empty() {
        Restore::Blocked(problems.join("; "))
    } else if !waits.is_empty() {
        Restore::Waiting(waits.join(", "))
    } else {
        let separator = if remarks.is_empty() { "" } else { "; " };
        let stores = found.stores.join(" and ");
        Restore::Done { volumes: found.pairs.len(), note: format!("from S3 store {stores}{separator}{remarks}") }
    };
    Outlook { restore, wants, again: None }
}
