//! What must hold when a cluster says that it restored an application: judged by what lies in the stores.

use std::collections::{BTreeMap, BTreeSet};

use ramen_api::{
    path::At as _,
    ramen::{
        s3_keys::{Stored as Kind, VrgKeys},
        wire::annotation,
    },
};
use ramen_sim::{
    api_server::{kinds::TypeName, object},
    kinds,
    time::Time,
};
use serde_json::Value;

use super::{all, conditions, handle_of, holds, one, profiles, stored::Stored, text, type_name, violated};
use crate::{run::Violation, universe::Universe};

/// Since when VRGs are asked to be primary.
#[derive(Default)]
pub(super) struct Restored {
    /// By cluster and application; with whether the restore was looked at.
    primaries: BTreeMap<(String, String), (Time, bool)>,
}

/// What a store holds of an application.
struct Set {
    /// Who wrote it.
    epoch: u64,
    /// When the VRG's copy beside it was made.
    copied: String,
    /// Which volume each claim is on.
    claims: BTreeMap<String, String>,
}

impl Set {
    /// Whether a claim of another set belongs to what is to be restored, as far as this one tells: it has the same, or was not yet
    /// told of it. A claim that was dropped while the other store was out is missing here, and the VRG was stored here since.
    fn agrees(&self, other: &Set, claim: &str, handle: &str) -> bool {
        self.claims.get(claim).map_or(self.copied <= other.copied, |own| own == handle)
    }
}

impl Restored {
    /// Looks at what changed on a managed cluster.
    pub(super) fn look(
        &mut self,
        universe: &Universe,
        cluster: &str,
        touched: &BTreeSet<TypeName>,
        stored: &Stored,
    ) -> Result<(), Violation> {
        if !touched.contains(&type_name(&kinds::VRG)) {
            return Ok(());
        }
        let mut now = BTreeMap::new();
        for vrg in all(universe, cluster, &kinds::VRG, None) {
            let vrg = vrg.value();
            let place = (cluster.to_owned(), text(vrg, "/metadata/name").to_owned());
            if text(vrg, "/spec/replicationState") != "primary" || object::is_deleting(vrg) {
                continue;
            }
            let (since, mut is_done) = self.primaries.get(&place).copied().unwrap_or((universe.now(), false));
            if !is_done && holds(vrg, "ClusterDataReady") {
                is_done = true;
                // A first deployment takes nothing from stores that an earlier one of its name left there.
                if !text(vrg, "/spec/action").is_empty() {
                    newest(universe, cluster, vrg, since, stored)?;
                }
            }
            now.insert(place, (since, is_done));
        }
        self.primaries.retain(|(on, _), _| on != cluster);
        self.primaries.extend(now);
        Ok(())
    }
}

/// What is restored is the newest set of those stores of which nobody says that they did not answer (VS10, CS8), and what other
/// stores hold more of the same home.
fn newest(universe: &Universe, cluster: &str, vrg: &Value, since: Time, stored: &Stored) -> Result<(), Violation> {
    let told = conditions(vrg).find(|told| told["type"] == "ClusterDataReady");
    let told = told.map(|told| text(told, "/message")).unwrap_or_default();
    // The first store that is named is the one that it came from.
    let reported =
        told.split_once("from S3 store ").map_or(told, |(_, from)| from.split_once(';').map_or("", |(_, r)| r));
    let answered = profiles(vrg).filter(|profile| !reported.contains(profile));
    let keys = VrgKeys::new(text(vrg, "/metadata/namespace"), text(vrg, "/metadata/name"));
    let mut sets: Vec<Set> = answered.filter_map(|profile| set_of(universe, profile, &keys, since, stored)).collect();
    let Some(highest) = sets.iter().map(|set| set.epoch).max() else { return Ok(()) };
    sets.retain(|set| set.epoch == highest);
    let namespace = text(vrg, "/metadata/namespace");
    let wanted: BTreeSet<String> = {
        let applications = universe.applications();
        let of_app = applications.iter().filter(|app| app.namespace() == namespace);
        of_app.flat_map(|app| app.claims.iter().cloned()).collect()
    };
    let of_sets = sets.iter().flat_map(|set| set.claims.iter().map(move |(claim, handle)| (set, claim, handle)));
    for (set, claim, handle) in of_sets.filter(|(_, claim, _)| wanted.contains(*claim)) {
        let all_agree = sets.iter().all(|other| other.agrees(set, claim, handle));
        let there = one(universe, cluster, &kinds::PVC, namespace, claim);
        let is_here = there.is_some_and(|there| handle_of(universe, cluster, there.value()).as_ref() == Some(handle));
        if all_agree && !is_here {
            return violated(
                "VS10 the newest copies are restored",
                format!(
                    "VRG {namespace} on {cluster} says that all is restored ({told}), without claim {claim} on {handle}, \
                     of epoch {highest}"
                ),
            );
        }
    }
    Ok(())
}

/// The claims that a store has held since before, with the handles of their volumes, and their epoch; `None` where there
/// are none, or halves.
fn set_of(universe: &Universe, profile: &str, keys: &VrgKeys, since: Time, stored: &Stored) -> Option<Set> {
    let mut objects = universe.stores.objects(profile);
    objects.retain(|key, _| key.starts_with(keys.prefix()));
    let fence = objects.get(&keys.fence()).and_then(|fence| fence["epoch"].as_u64());
    let copy = objects.get(&keys.vrg());
    let copied = copy.map(|copy| text(copy, "/status/lastUpdateTime").to_owned()).unwrap_or_default();
    let copy = copy.and_then(|copy| copy.at("/metadata/annotations"));
    let copy = copy.and_then(|all| all.get(annotation::STORE_EPOCH)?.as_str()?.parse().ok());
    let mut claims = BTreeMap::new();
    for (key, claim) in objects.iter().filter(|(key, _)| key.starts_with(&keys.prefix_of(Kind::Pvc))) {
        let volume = keys.pv(text(claim, "/spec/volumeName"));
        let handle = text(objects.get(&volume)?, "/spec/csi/volumeHandle").to_owned();
        if stored.is_since(profile, key, since) && stored.is_since(profile, &volume, since) {
            claims.insert(text(claim, "/metadata/name").to_owned(), handle);
        }
    }
    let epoch = fence.unwrap_or_default().max(copy.unwrap_or_default());
    (!claims.is_empty()).then_some(Set { epoch, copied, claims })
}
