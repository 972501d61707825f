//! What decision 6 promises of writes that were on their way when a successor took over: they are undone soon.

use std::{collections::BTreeMap, time::Duration};

use ramen_sim::{s3::Fault, time::Time};

use super::violated;
use crate::{run::Violation, universe::Universe};

const RULE: &str = "VS12 the stores hold the successor's copies";
/// How long a store that works may hold the copy of an earlier primary: a minute until everything is stored once more, and
/// pauses after failures, or operators that have to start again.
const LIMIT: Duration = Duration::from_mins(3);

/// Copies of earlier primaries that came late, by store and key: since when they could be replaced.
#[derive(Default)]
pub(super) struct Overtaken(BTreeMap<(String, String), Time>);

impl Overtaken {
    pub(super) fn look(&mut self, universe: &Universe) -> Result<(), Violation> {
        if let Some(what) = universe.stores.overwritten() {
            return violated(RULE, what);
        }
        let overtaken = universe.stores.overtaken();
        if overtaken.is_empty() && self.0.is_empty() {
            return Ok(());
        }
        let now = universe.now();
        let mut since = BTreeMap::new();
        for (about, copy) in overtaken {
            let (store, _) = &about;
            let works = universe.stores.with(store, |bucket| bucket.fault() == Fault::None).unwrap_or(false);
            let place = universe.places.get(&copy.home);
            if !works || !place.is_some_and(|place| place.up && !place.cut_off_stores.contains(store)) {
                continue;
            }
            let first = self.0.get(&about).copied().unwrap_or(now);
            if now.since(first) > LIMIT {
                let what = copy.what;
                return violated(RULE, format!("{what}, and {} did not store its own again since {first}", copy.home));
            }
            since.insert(about, first);
        }
        self.0 = since;
        Ok(())
    }
}
