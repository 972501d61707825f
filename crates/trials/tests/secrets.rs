//! The stores' credentials are in no log, no store and no object but the Secrets themselves, at no moment. Nothing is exempt:
//! the hub does not pass Secrets on, people put them on the clusters.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use ramen_events::{
    Kind,
    log::{MemoryLog, find_bytes},
};
use ramen_sim::api_server::kinds::TypeName;
use ramen_trials::{
    plan,
    run::{self, Violation, Watcher},
    tamper::Tamper,
    universe::{HUB, Turn, Universe},
};
use rstest::rstest;
use serde_json::Value;

/// The credentials of each store, as stores take them and as Secrets write them, the latter up to the padding.
const CREDENTIALS: [&str; 4] =
    ["simulated-access-key", "simulated-secret-key", "c2ltdWxhdGVkLWFjY2Vzcy1rZXk", "c2ltdWxhdGVkLXNlY3JldC1rZXk"];

fn is_in(text: &str) -> bool {
    CREDENTIALS.iter().any(|credential| text.contains(credential))
}

/// Where credentials were found, by kind of object and cluster, store or log, and how many objects were looked at of what.
#[derive(Default)]
struct Found {
    places: BTreeSet<String>,
    looked_at: BTreeMap<String, usize>,
}

impl Found {
    fn on(&mut self, universe: &Universe, cluster: &str, kinds: &BTreeSet<TypeName>) {
        for kind in kinds {
            let texts: Vec<String> = universe.cluster(cluster).with(|server, _| {
                let objects = server.store().list(kind, None);
                objects.map(|object| object.value().to_string()).collect()
            });
            *self.looked_at.entry(kind.as_str().to_owned()).or_default() += texts.len();
            if texts.iter().any(|text| is_in(text)) {
                self.places.insert(format!("{} on {cluster}", kind.as_str()));
            }
        }
    }

    fn in_stores_and_logs(&mut self, universe: &Universe) {
        for store in universe.stores.profiles() {
            if universe.stores.objects(store).values().any(|object| is_in(&object.to_string())) {
                self.places.insert(format!("store {store}"));
            }
        }
        for (whose, disk) in universe.logs() {
            let log = MemoryLog::open(&disk);
            for credential in CREDENTIALS {
                if find_bytes(&log, credential.as_bytes()).unwrap().is_some() {
                    self.places.insert(format!("log of {whose}"));
                }
            }
        }
    }
}

impl Watcher for Found {
    fn look(&mut self, universe: &Universe, turn: &Turn) -> Result<(), Violation> {
        for (cluster, kinds) in &turn.touched {
            self.on(universe, cluster, kinds);
        }
        Ok(())
    }
}

/// Where credentials are found in the story of the demo up to an act: in any object as it changes, and in all objects, stores
/// and logs as they are then.
fn found(acts: usize, tamper: Option<&Arc<dyn Tamper>>) -> Found {
    let mut plan = plan::canonical(1, 2);
    plan.story.truncate(acts);
    let mut found = Found::default();
    let ended = run::run_with(&plan, &mut [&mut found], tamper);
    assert_eq!(ended.violation, None);
    for cluster in ended.universe.managed().chain([HUB]) {
        let kinds = ended.universe.cluster(cluster).with(|server, _| {
            let kinds = server.registry().all();
            kinds.map(|kind| kind.type_name()).collect()
        });
        found.on(&ended.universe, cluster, &kinds);
    }
    found.in_stores_and_logs(&ended.universe);
    found
}

fn secrets() -> BTreeSet<String> {
    ["hub", "c1", "c2"].map(|cluster| format!("secrets on {cluster}")).into()
}

#[rstest]
#[case::after_the_failover(6)]
#[case::when_all_is_over(usize::MAX)]
fn credentials_stay_in_their_secrets(#[case] acts: usize) {
    let found = found(acts, None);
    assert_eq!(found.places, secrets());
    for kind in ["volumereplicationgroups", "drplacementcontrols", "manifestworks", "managedclusterviews"] {
        assert!(found.looked_at.iter().any(|(name, count)| name.starts_with(kind) && *count > 0), "{kind}");
    }
}

/// Operators that take what is in a Secret for an annotation of each claim.
#[derive(Default)]
struct Careless(Mutex<Value>);

impl Tamper for Careless {
    fn see(&self, _: &str, kind: Kind, object: &mut Value) -> bool {
        let mut secret = self.0.lock().unwrap();
        match kind {
            Kind::Secret => *secret = object["data"]["AWS_SECRET_ACCESS_KEY"].clone(),
            Kind::PersistentVolumeClaim if secret.is_string() => {
                object["metadata"]["annotations"]["note"] = secret.clone()
            }
            _ => {}
        }
        true
    }
}

#[test]
fn credentials_that_are_passed_on_are_found_wherever_they_get() {
    let careless: Arc<dyn Tamper> = Arc::new(Careless::default());
    let found = found(6, Some(&careless)).places;
    let leaks: BTreeSet<String> =
        ["log of c1", "log of c2", "persistentvolumeclaims on c2", "store s3-c1", "store s3-c2"]
            .map(str::to_owned)
            .into();
    assert_eq!(found, &leaks | &secrets());
}
