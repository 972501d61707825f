//! Gauges of the operator's own state, asked for when Prometheus asks.
//!
//! The state belongs to the pipeline. Whoever scrapes asks it, between two batches of inputs; so gauges cost nothing
//! while nobody looks.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use ramen_projector::Gauge;
use tokio::sync::{mpsc, oneshot};

/// How long the pipeline may take to answer: it may be waiting for a disk. Then the page lacks these gauges.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many scrapes may wait.
const QUEUE: usize = 4;

/// A scrape that waits for gauges.
pub(crate) type Question = oneshot::Sender<Vec<Gauge>>;

/// Asks the pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Asking(mpsc::Sender<Question>);

/// Both ends of the way to the pipeline.
pub(crate) fn channel() -> (Asking, mpsc::Receiver<Question>) {
    let (ask, asked) = mpsc::channel(QUEUE);
    (Asking(ask), asked)
}

impl Asking {
    /// The gauges; none while there is no pipeline, or when it is too busy.
    pub(crate) async fn gauges(&self) -> Vec<Gauge> {
        let (answer, answered) = oneshot::channel();
        if self.0.try_send(answer).is_err() {
            return Vec::new();
        }
        tokio::time::timeout(PATIENCE, answered).await.ok().and_then(Result::ok).unwrap_or_default()
    }
}

/// As Prometheus reads them; `prefix` is that of all metrics.
pub(crate) fn text(prefix: &str, gauges: &[Gauge]) -> String {
    let mut by_name: BTreeMap<&str, Vec<&Gauge>> = BTreeMap::new();
    for gauge in gauges {
        by_name.entry(gauge.name).or_default().push(gauge);
    }
    let mut out = String::new();
    for (name, series) in by_name {
        let help = series.first().map(|gauge| gauge.help).unwrap_or_default();
        // Writing into a string does not fail.
        let _ = writeln!(out, "# HELP {prefix}_{name} {help}.\n# TYPE {prefix}_{name} gauge");
        for gauge in series {
            let labels: Vec<_> =
                gauge.labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            let _ = writeln!(out, "{prefix}_{name}{{{}}} {}", labels.join(","), value(gauge.thousandths));
        }
    }
    out
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn value(thousandths: i64) -> String {
    let (whole, part) = (thousandths / 1000, (thousandths % 1000).unsigned_abs());
    if part == 0 { whole.to_string() } else { format!("{whole}.{part:03}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_a_name_follow_each_other_and_values_are_escaped() {
        let gauge = |name, of: &str, thousandths| Gauge {
            name,
            help: "What it is",
            labels: vec![("of", of.to_owned()), ("at", "x".to_owned())],
            thousandths,
        };
        let gauges = [gauge("b", "1", 1500), gauge("a", "quote \" and \\", 2000), gauge("b", "2", 0)];
        assert_eq!(
            text("ramen", &gauges),
            "# HELP ramen_a What it is.\n# TYPE ramen_a gauge\n\
             ramen_a{of=\"quote \\\" and \\\\\",at=\"x\"} 2\n\
             # HELP ramen_b What it is.\n# TYPE ramen_b gauge\n\
             ramen_b{of=\"1\",at=\"x\"} 1.500\nramen_b{of=\"2\",at=\"x\"} 0\n"
        );
    }

    #[tokio::test]
    async fn without_a_pipeline_there_are_no_gauges() {
        let (asking, asked) = channel();
        drop(asked);
        assert_eq!(asking.gauges().await, []);
    }
}
