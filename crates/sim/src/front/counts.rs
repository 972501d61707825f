//! Who asked how much of an API server.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What a request was, as far as it is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct What {
    /// `User-Agent` up to its first slash or space.
    pub agent: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `apply`, `delete`, `deletecollection`.
    pub verb: &'static str,
    /// Plural of the resource with its subresource, e.g. `pods/status`; the first segment of other paths.
    pub resource: String,
}

/// Counters of one endpoint; only ever rising.
#[derive(Debug, Default)]
pub struct Counts {
    total: AtomicU64,
    each: Mutex<BTreeMap<What, u64>>,
}

impl Counts {
    /// Counts one request.
    pub(super) fn add(&self, what: What) {
        self.total.fetch_add(1, Ordering::Relaxed);
        *self.each.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }

    /// All requests since the start.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Requests by agent, verb and resource.
    #[must_use]
    pub fn each(&self) -> BTreeMap<What, u64> {
        self.each.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
