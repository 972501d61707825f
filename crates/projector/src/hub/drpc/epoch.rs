//! The epoch of each cluster's role: it tells stores which of two primaries is the later one (decision 6).
//!
//! It stands on the VRG in the work and on the cluster, and nowhere else, so a hub that lost its memory finds it again. A
//! primary has the epoch that it writes with. A secondary has the one that it will write with once it is promoted: above
//! all that were used so far. So the next home is above a primary that the hub can neither reach nor remember. VRGs that
//! were given none, by Ramen or an earlier version, have 0 as primary and 1 as secondary, and are not rewritten for it.

use std::collections::BTreeMap;

use ramen_api::ramen::wire::annotation;
use ramen_events::hub::{VrgManifest, WorkContent};

use crate::domain::Decision;

use super::{Drpc, action::Action, site::Site, wanted};

/// The first version of the deciders that gives epochs.
pub const SINCE: u32 = 2;
/// The first version that keeps each primary's epoch apart from those of all others.
const APART_SINCE: u32 = 3;

const PRIMARY: u64 = 0;
const SECONDARY: u64 = 1;

/// The annotation for a VRG in a role; `None` where its absence says the same.
pub fn annotation(drpc: &Drpc, site: &Site, state: &str) -> Option<(String, String)> {
    if drpc.decider < SINCE {
        return None;
    }
    let (epoch, given) = match state {
        "primary" => (of_primary(drpc, site), PRIMARY),
        _ => (of_secondary(drpc, site), SECONDARY),
    };
    (epoch != given).then(|| (annotation::STORE_EPOCH.to_owned(), epoch.to_string()))
}

fn of_primary(drpc: &Drpc, site: &Site) -> u64 {
    let rival = others(drpc, site).filter(|other| other.is_wished_primary()).map(|other| held(other) + 1).max();
    if site.is_wished_primary() {
        // A secondary is one step above its primary. One that is further above was primary itself meanwhile.
        let passed = others(drpc, site).map(held).max().filter(|other| *other > held(site) + 1);
        return held(site).max(rival.unwrap_or_default()).max(passed.unwrap_or_default());
    }
    let is_first = drpc.action() == Action::Deploy && site.wished().is_none() && rival.is_none();
    let least = if is_first { PRIMARY } else { SECONDARY };
    let passed = if drpc.decider < APART_SINCE { None } else { others(drpc, site).filter_map(used).max() };
    held(site).max(rival.unwrap_or_default()).max(least).max(passed.unwrap_or_default())
}

/// The least epoch that is above all that were used when a secondary was given its own, less the step that it keeps from
/// the next primary.
fn used(secondary: &Site) -> Option<u64> {
    secondary.is_wished_secondary().then(|| held(secondary).saturating_sub(1))
}

fn of_secondary(drpc: &Drpc, site: &Site) -> u64 {
    let others = || others(drpc, site);
    let primary = others().filter(|other| other.is_wished_primary()).map(held).max();
    if site.is_wished_secondary() && primary.is_none_or(|primary| held(site) > primary) {
        return held(site);
    }
    let highest = others().map(held).chain([held(site)]).max().unwrap_or_default();
    // The next home is promoted with what it holds. Where that is not above this one, both need room: a primary that was
    // called back raised this one up to it.
    let is_top = site.is_wished_primary() && others().map(held).max().is_some_and(|other| other <= held(site));
    if is_top && drpc.decider >= APART_SINCE { highest + 2 } else { highest + 1 }
}

fn others<'a>(drpc: &'a Drpc, site: &'a Site) -> impl Iterator<Item = &'a Site> {
    drpc.sites.iter().filter(|other| other.name != site.name)
}

/// The epoch that a cluster was given: in its work, even one that is being withdrawn, or on the VRG that it shows.
pub fn held(site: &Site) -> u64 {
    let wished = site.work.as_ref().and_then(|work| match &work.fact.content {
        WorkContent::Vrg { manifest, .. } => read(&manifest.annotations),
        _ => None,
    });
    let seen = site.vrg.seen().and_then(|seen| read(&seen.manifest.annotations));
    wished.max(seen).unwrap_or(if site.is_wished_secondary() { SECONDARY } else { PRIMARY })
}

/// The cluster with the highest epoch; of equal ones the first in the policy's order.
pub fn latest<'a>(sites: impl DoubleEndedIterator<Item = &'a Site>) -> Option<&'a Site> {
    sites.rev().max_by_key(|site| held(site))
}

fn read(annotations: &BTreeMap<String, String>) -> Option<u64> {
    annotations.get(annotation::STORE_EPOCH)?.parse().ok()
}

/// Raises the only primary above others that were primary since it was promoted, so that stores take its copies again:
/// another action went there and was called back.
pub fn raise(drpc: &Drpc, decision: &mut Decision) {
    if let Some((site, manifest)) = outranked(drpc) {
        wanted::vrg_work(drpc, site, manifest, decision);
    }
}

/// The only primary, if others were promoted above it, and what it is to be asked for.
fn outranked(drpc: &Drpc) -> Option<(&Site, VrgManifest)> {
    let (site, wished) = only_primary(drpc)?;
    let (name, epoch) = annotation(drpc, site, "primary")?;
    if wished.annotations.get(&name) == Some(&epoch) {
        return None;
    }
    let mut manifest = wished.clone();
    manifest.annotations.insert(name, epoch);
    Some((site, manifest))
}

/// The only primary, if stores take another one for the later one: it was not asked with its new epoch, or has not heard of it.
pub fn unheard(drpc: &Drpc) -> Option<&Site> {
    let (site, wished) = only_primary(drpc)?;
    let seen = site.vrg.seen().map(|seen| read(&seen.manifest.annotations));
    let behind = seen.is_some_and(|seen| seen < read(&wished.annotations)) && !site.answers();
    (behind || outranked(drpc).is_some()).then_some(site)
}

fn only_primary(drpc: &Drpc) -> Option<(&Site, &VrgManifest)> {
    let primaries: Vec<(&Site, &VrgManifest)> = drpc
        .sites
        .iter()
        .filter(|site| site.is_wished_primary())
        .filter_map(|site| Some((site, site.wished()?)))
        .collect();
    if let [only] = primaries.as_slice() { Some(*only) } else { None }
}
