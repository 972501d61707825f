//! What must hold for what lies in the stores: where, how new, and that no store waits for another.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use ramen_api::{
    path::At as _,
    ramen::s3_keys::{Stored as Kind, VrgKeys, owner_of},
};
use ramen_sim::{
    api_server::object::{self, Object},
    kinds,
    s3::Fault,
    time::Time,
};
use serde_json::Value;

use super::{all, holds, one, placed::homes, profiles, text, violated};
use crate::{
    run::Violation,
    universe::{HUB, Turn, Universe},
};

/// How often stores are looked at for what they lack.
const PERIOD: Duration = Duration::from_secs(10);
/// How long a store that works may lack a copy: pauses after failures, operators that have to start again.
const LATE: Duration = Duration::from_mins(2);

/// What lay in the stores last.
#[derive(Default)]
pub(super) struct Stored {
    /// By store and key.
    copies: BTreeMap<String, BTreeMap<String, Copy>>,
    /// What stores that work lack, by cluster, application and store: since when, and what.
    lacking: BTreeMap<(String, String, String), (Time, String)>,
    next: Option<Time>,
}

/// An object in a store.
struct Copy {
    bytes: Arc<[u8]>,
    /// When it was put.
    at: Time,
    /// Of a VRG: which one, and its generation.
    version: Option<(String, i64)>,
}

impl Stored {
    pub(super) fn look(&mut self, universe: &Universe, turn: &Turn) -> Result<(), Violation> {
        if turn.stored {
            let profiles: Vec<&str> = universe.stores.profiles().collect();
            profiles.into_iter().try_for_each(|profile| self.contents(universe, profile))?;
        }
        let now = universe.now();
        if self.next.is_none_or(|next| next <= now) {
            self.next = Some(now + PERIOD);
            self.lacks(universe)?;
        }
        Ok(())
    }

    /// Whether a copy lies in a store as it did at some moment.
    pub(super) fn is_since(&self, profile: &str, key: &str, then: Time) -> bool {
        self.copies.get(profile).and_then(|copies| copies.get(key)).is_some_and(|copy| copy.at <= then)
    }

    /// Each object lies under the key that readers look for it under (CS4), and no copy of a VRG is replaced by an older one
    /// of the same VRG (CS6).
    fn contents(&mut self, universe: &Universe, profile: &str) -> Result<(), Violation> {
        let copies = self.copies.entry(profile.to_owned()).or_default();
        let news = universe.stores.with(profile, |bucket| {
            copies.retain(|key, _| bucket.get(key).is_some());
            let known = |key: &str, bytes| copies.get(key).is_some_and(|copy| Arc::ptr_eq(&copy.bytes, bytes));
            let news = bucket.objects().filter(|(key, object)| !known(key, &object.bytes));
            news.map(|(key, object)| (key.to_owned(), Arc::clone(&object.bytes))).collect::<Vec<_>>()
        });
        // Two operators of the cluster that the VRG is on may overtake each other. Where it is gone nobody can tell who wrote it.
        let wrote_twice = |uid: &str| {
            let has = |cluster: &&str| {
                all(universe, cluster, &kinds::VRG, None).iter().any(|vrg| text(vrg.value(), "/metadata/uid") == uid)
            };
            universe.managed().find(has).is_none_or(|cluster| universe.has_rival(cluster))
        };
        for (key, bytes) in news.into_iter().flatten() {
            let is_vrg = key.contains(Kind::Vrg.type_name());
            let entry = copies.entry(key);
            if let Entry::Occupied(copy) = &entry
                && copy.get().bytes == bytes
            {
                // Only that it was put again is new.
                entry.and_modify(|copy| (copy.bytes, copy.at) = (bytes, universe.now()));
                continue;
            }
            let Ok(object) = serde_json::from_slice::<Value>(&bytes) else { continue };
            let key = entry.key();
            if !is_key_of(key, &object) && !universe.stores.is_foreign(profile, key) {
                let what = format!("{key} in store {profile} is not where a {} is looked for", object["kind"]);
                return violated("CS4 copies lie under their keys", what);
            }
            let generation = object["metadata"]["generation"].as_i64();
            let version = generation.map(|generation| (text(&object, "/metadata/uid").to_owned(), generation));
            let version = version.filter(|_| is_vrg);
            if let Entry::Occupied(before) = &entry
                && let (Some((uid, newer)), Some((same, older))) = (&before.get().version, &version)
                && uid == same
                && older < newer
                && !wrote_twice(uid)
            {
                let key = before.key();
                let what = format!("{key} in store {profile} was of generation {newer}, and is of {older}");
                return violated("CS6 copies get newer", what);
            }
            entry.insert_entry(Copy { bytes, at: universe.now(), version });
        }
        Ok(())
    }

    /// A store that works gets what is protected, whatever becomes of the other stores (CL2, VL9).
    fn lacks(&mut self, universe: &Universe) -> Result<(), Violation> {
        let now = universe.now();
        let mut lacking = BTreeMap::new();
        for cluster in universe.managed().filter(|cluster| universe.is_up(cluster)) {
            for vrg in all(universe, cluster, &kinds::VRG, None) {
                let vrg = vrg.value();
                if !is_served(universe, cluster, vrg) {
                    continue;
                }
                for profile in profiles(vrg) {
                    let Some(what) = self.missing(universe, cluster, vrg, profile) else { continue };
                    let about = (cluster.to_owned(), text(vrg, "/metadata/name").to_owned(), profile.to_owned());
                    let (since, _) = self.lacking.get(&about).cloned().unwrap_or((now, String::new()));
                    lacking.insert(about, (since, what));
                }
            }
        }
        self.lacking = lacking;
        match self.lacking.iter().find(|(_, (since, _))| now.since(*since) > LATE) {
            None => Ok(()),
            Some(((cluster, app, profile), (since, what))) => violated(
                "CL2 no store waits for another",
                format!("store {profile} works, and lacks {what} of {app} on {cluster}, since {since}"),
            ),
        }
    }

    /// The first copy that a store lacks that works, and that the operator there reaches.
    fn missing(&self, universe: &Universe, cluster: &str, vrg: &Value, profile: &str) -> Option<String> {
        let works = universe.stores.with(profile, |bucket| bucket.fault() == Fault::None)?;
        let cut_off = universe.places.get(cluster).is_some_and(|place| place.cut_off_stores.contains(profile));
        let by_hand = [cluster, HUB].iter().any(|on| universe.is_changed_by_hand(on, &kinds::SECRET, profile));
        let refused = universe.stores.has_other_keys(profile) || by_hand;
        if !works || cut_off || refused || universe.stores.lost_something(profile) {
            return None;
        }
        let (namespace, name) = (text(vrg, "/metadata/namespace"), text(vrg, "/metadata/name"));
        let keys = VrgKeys::new(namespace, name);
        let has = |key: &str| self.copies.get(profile).is_some_and(|copies| copies.contains_key(key));
        for claim in all(universe, cluster, &kinds::PVC, Some(namespace)) {
            let claim = claim.value();
            let claim_name = text(claim, "/metadata/name");
            let is_settled = text(claim, "/status/phase") == "Bound"
                && !object::is_deleting(claim)
                && claim.at("/spec/resources/requests/storage") == claim.at("/status/capacity/storage");
            // What the other cluster has nothing of yet is of no use to it.
            let replication = one(universe, cluster, &kinds::VOLUME_REPLICATION, namespace, claim_name);
            let is_synchronized =
                replication.is_some_and(|replication| !text(replication.value(), "/status/lastSyncTime").is_empty());
            let volume = keys.pv(text(claim, "/spec/volumeName"));
            if is_settled && is_synchronized && !(has(&keys.pvc(namespace, claim_name)) && has(&volume)) {
                return Some(format!("claim {claim_name} and its volume"));
            }
        }
        None
    }
}

/// Whether an application is at home and well on a cluster, so that its copies belong into the stores.
fn is_served(universe: &Universe, cluster: &str, vrg: &Value) -> bool {
    let name = text(vrg, "/metadata/name");
    text(vrg, "/spec/replicationState") == "primary"
        && text(vrg, "/status/state") == "Primary"
        && holds(vrg, "DataReady")
        && !object::is_deleting(vrg)
        && one(universe, HUB, &kinds::DRPC, "apps", name).is_some_and(|drpc| !object::is_deleting(drpc.value()))
        && homes(universe, name) == [cluster]
        && !is_taken_over(universe, cluster, name)
}

/// Whether another cluster is asked to be primary, too: a failover that took the stores, and is not through, writes there next.
fn is_taken_over(universe: &Universe, cluster: &str, name: &str) -> bool {
    let mut others = universe.managed().filter(|other| *other != cluster);
    let asked = |vrg: Arc<Object>| text(vrg.value(), "/spec/replicationState") == "primary";
    others.any(|other| one(universe, other, &kinds::VRG, name, name).is_some_and(asked))
}

/// Whether a key is the one that belongs to an object (spec spoke-config 5).
fn is_key_of(key: &str, object: &Value) -> bool {
    let Some((namespace, name)) = owner_of(key) else { return false };
    let keys = VrgKeys::new(namespace, name);
    let (of, called) = (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
    let is_vrg = (of, called) == (namespace, name);
    key == keys.fence()
        || (key == keys.vrg() && is_vrg)
        || key == keys.pv(called) && of.is_empty()
        || key == keys.pvc(of, called)
}
