//! The process's metrics: names, helps, labels, all in one place.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use ramen_events::Outcome;

use crate::gauges;

/// What the names of all metrics begin with.
const PREFIX: &str = "ramen";

/// Upper bounds of the time that an append takes until it is durable, in seconds.
const APPEND_SECONDS: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiLabels {
    verb: &'static str,
    resource: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StoreLabels {
    profile: String,
    operation: &'static str,
    result: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CommandLabels {
    command: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PayloadLabels {
    payload: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: String,
}

type Counters<L> = Family<L, Counter<u64, AtomicU64>>;

/// All metrics. Cheap to clone; clones share their values.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    registry: Arc<Mutex<Registry>>,
    api_requests: Counters<ApiLabels>,
    store_requests: Counters<StoreLabels>,
    records: Counters<PayloadLabels>,
    commands: Counters<CommandLabels>,
    dropped: Counters<ReasonLabels>,
    panics: Counter<u64, AtomicU64>,
    watch_errors: Counters<KindLabels>,
    append_seconds: Histogram,
    archive_failures: Counter<u64, AtomicU64>,
    pub(crate) head: Gauge,
    pub(crate) archived: Gauge,
    pub(crate) lost: Gauge,
    pub(crate) in_flight: Gauge,
    pub(crate) queue_depth: Gauge,
    pub(crate) timers: Gauge,
    pub(crate) synced: Gauge,
    pub(crate) leading: Gauge,
}

impl Metrics {
    /// All metrics, at zero.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let metrics = Self {
            registry: Arc::default(),
            api_requests: Family::default(),
            store_requests: Family::default(),
            records: Family::default(),
            commands: Family::default(),
            dropped: Family::default(),
            panics: Counter::default(),
            watch_errors: Family::default(),
            append_seconds: Histogram::new(APPEND_SECONDS),
            archive_failures: Counter::default(),
            head: Gauge::default(),
            archived: Gauge::default(),
            lost: Gauge::default(),
            in_flight: Gauge::default(),
            queue_depth: Gauge::default(),
            timers: Gauge::default(),
            synced: Gauge::default(),
            leading: Gauge::default(),
        };
        let m = metrics.clone();
        registry.register("api_requests", "Requests to the API server, by verb and resource", m.api_requests);
        registry.register("store_requests", "Requests to S3 stores, by their end", m.store_requests);
        registry.register("log_records", "Records appended to the event log, by what they say", m.records);
        registry.register("log_append_seconds", "Time until appended records are durable", m.append_seconds);
        registry.register("log_head", "Number of the last record", m.head);
        registry.register("log_archived", "Number of the last record in the archive; 0 without one", m.archived);
        registry.register("log_archive_failures", "Failed attempts to archive the log", m.archive_failures);
        registry.register("log_lost_records", "Acknowledged records that were gone when the log was opened", m.lost);
        registry.register("commands", "Commands carried out, by their end", m.commands);
        registry.register("commands_in_flight", "Commands that are being carried out", m.in_flight);
        registry.register("sightings_dropped", "Objects seen that made no record, by reason", m.dropped);
        registry.register("panics", "Panics that were caught: each is a defect, please report it", m.panics);
        registry.register("watch_errors", "Failures of watches, by kind", m.watch_errors);
        registry.register("queue_depth", "Inputs that wait for the pipeline", m.queue_depth);
        registry.register("timers", "Aggregates that asked to be asked again", m.timers);
        registry.register("synced", "Whether every watched kind was listed", m.synced);
        registry.register("leading", "Whether this process may act", m.leading);
        *metrics.registry.lock().unwrap_or_else(PoisonError::into_inner) = registry;
        metrics
    }

    /// All values and those of `gauges`, as Prometheus reads them.
    pub(crate) fn render(&self, gauges: &[ramen_projector::Gauge]) -> String {
        let mut out = gauges::text(PREFIX, gauges);
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into a string has no failing case but the formatting of a value, which then is left out.
        let _ = text::encode(&mut out, &registry);
        out
    }

    pub(crate) fn api_request(&self, verb: &'static str, resource: &str) {
        self.api_requests.get_or_create(&ApiLabels { verb, resource: resource.to_owned() }).inc();
    }

    pub(crate) fn store_request(&self, profile: &str, operation: &'static str, result: &str) {
        let labels = StoreLabels { profile: profile.to_owned(), operation, result: result.to_owned() };
        self.store_requests.get_or_create(&labels).inc();
    }

    pub(crate) fn record(&self, payload: &'static str) {
        self.records.get_or_create(&PayloadLabels { payload }).inc();
    }

    pub(crate) fn archive_failed(&self) {
        self.archive_failures.inc();
    }

    pub(crate) fn appended(&self, took: Duration) {
        self.append_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn command(&self, command: &'static str, outcome: &Outcome) {
        self.commands.get_or_create(&CommandLabels { command, outcome: outcome_word(outcome) }).inc();
    }

    pub(crate) fn dropped(&self, reason: &'static str, count: u64) {
        if count > 0 {
            self.dropped.get_or_create(&ReasonLabels { reason }).inc_by(count);
        }
    }

    pub(crate) fn panicked(&self, count: u64) {
        self.panics.inc_by(count);
    }

    pub(crate) fn watch_error(&self, kind: String) {
        self.watch_errors.get_or_create(&KindLabels { kind }).inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// One word for an outcome.
pub(crate) fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Conflict { .. } => "conflict",
        Outcome::Refused { .. } => "refused",
        Outcome::Unreachable { .. } => "unreachable",
        Outcome::Unknown { .. } => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_can_read_what_was_counted() {
        let metrics = Metrics::new();
        metrics.api_request("list", "pods");
        metrics.api_request("list", "pods");
        metrics.command("Apply", &Outcome::Conflict { message: String::new() });
        metrics.panicked(2);
        let text = metrics.render(&[]);
        assert!(text.contains(r#"ramen_api_requests_total{verb="list",resource="pods"} 2"#), "{text}");
        assert!(text.contains(r#"ramen_commands_total{command="Apply",outcome="conflict"} 1"#), "{text}");
        assert!(text.contains("ramen_panics_total 2"), "{text}");
        assert!(text.contains("ramen_leading 0"), "{text}");
    }
}
