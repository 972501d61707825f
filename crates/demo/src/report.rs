//! What the run found: a table for people, `summary.json` for programs.

use std::{fmt::Write, path::Path};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::metrics;

/// Ramen (commit a78c2e37) playing the same story on two cores with 1, 20 and 50 applications of two claims each; real
/// API servers, OCM's agents with their default intervals, the same storage timings.
const UPSTREAM: &str = include_str!("upstream.tsv");

/// One step of the story.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// The step's name.
    pub name: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// API requests of all operators during the step.
    pub requests: Requests,
    /// The same step upstream, if it has one.
    pub upstream: Option<Upstream>,
}

/// API requests.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Requests {
    /// GET, LIST, WATCH.
    pub reads: u64,
    /// All others.
    pub writes: u64,
    /// Those for Leases, in neither of the above.
    pub leases: u64,
    /// All of them, by verb and resource.
    pub each: metrics::Requests,
}

impl From<metrics::Requests> for Requests {
    fn from(each: metrics::Requests) -> Self {
        Self { reads: each.reads(), writes: each.writes(), leases: each.leases(), each }
    }
}

/// One step as Ramen does it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Upstream {
    /// With how many applications it was measured.
    pub apps: u16,
    /// Seconds.
    pub seconds: f64,
    /// GET, LIST, WATCH.
    pub reads: u64,
    /// All others.
    pub writes: u64,
}

/// A failover or a relocation.
#[derive(Clone, Debug, Serialize)]
pub struct ActionReport {
    /// `failover` or `relocate`.
    pub name: String,
    /// From the request until the last application ran on its target with all its volumes, in seconds.
    pub application_up_seconds: f64,
    /// From the request until the last DRPC was Available with this action, in seconds.
    pub completed_seconds: f64,
    /// Acknowledged writes that are lost, over all applications.
    pub writes_lost: u64,
    /// The oldest lost write's age when the cluster was lost, in seconds: the recovery point reached.
    pub recovery_point_seconds: f64,
    /// What the policy allows, in seconds.
    pub scheduling_interval_seconds: u64,
    /// Until the application was up, upstream.
    pub upstream_seconds: Option<f64>,
}

/// One operator over the whole run.
#[derive(Clone, Debug, Serialize)]
pub struct OperatorReport {
    /// `hub`, `c1`, `c2`.
    pub cluster: String,
    /// How often it was started.
    pub starts: u32,
    /// Its requests to API servers.
    pub requests: Requests,
    /// Records appended to the event log.
    pub records: u64,
    /// Largest resident set, in KiB.
    pub peak_memory_kib: u64,
}

/// The whole run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Applications.
    pub apps: u16,
    /// Claims of each.
    pub pvcs: u16,
    /// `embedded` or `real`.
    pub api_servers: String,
    /// Chaos seed, if any.
    pub chaos: Option<u64>,
    /// Whole story, in seconds.
    pub seconds: f64,
    /// Steps in order.
    pub steps: Vec<StepReport>,
    /// Actions in order.
    pub actions: Vec<ActionReport>,
    /// Operators.
    pub operators: Vec<OperatorReport>,
    /// Writes that applications were told are safe.
    pub writes_acknowledged: u64,
}

/// The step as Ramen does it, measured with the number of applications nearest to `apps`.
pub fn upstream(step: &str, apps: u16) -> Option<Upstream> {
    let (column, measured) = match apps {
        0..=8 => (1, 1),
        9..=35 => (2, 20),
        _ => (3, 50),
    };
    let row = UPSTREAM.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>()).find(|row| row[0] == step)?;
    Some(Upstream {
        apps: measured,
        seconds: row.get(column)?.parse().ok()?,
        reads: row.get(2 + 2 * column)?.parse().ok()?,
        writes: row.get(3 + 2 * column)?.parse().ok()?,
    })
}

impl Report {
    /// Writes `summary.json`.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(file, text + "\n").with_context(|| format!("could not write {}", file.display()))
    }

    /// The closing tables.
    pub fn table(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out).map(|()| out).unwrap_or_default()
    }

    fn write_to(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "{:<12} {:>9} {:>16}   {:>9} {:>16}",
            "STEP", "SECONDS", "API REQUESTS", "RAMEN: S", "API REQUESTS"
        )?;
        let (mut ours, mut theirs) = (0, 0);
        let leases: u64 = self.operators.iter().map(|operator| operator.requests.leases).sum();
        for step in &self.steps {
            let requests = format!("{} + {}", step.requests.reads, step.requests.writes);
            write!(out, "{:<12} {:>9.1} {:>16}", step.name, step.seconds, requests)?;
            if let Some(upstream) = step.upstream {
                let requests = format!("{} + {}", upstream.reads, upstream.writes);
                write!(out, "   {:>9.1} {:>16}", upstream.seconds, requests)?;
                ours += step.requests.reads + step.requests.writes;
                theirs += upstream.reads + upstream.writes;
            }
            writeln!(out)?;
        }
        if theirs > 0 {
            let share = 100.0 * ours as f64 / theirs as f64;
            writeln!(
                out,
                "{:<12} {:>9.1} {ours:>16}   {:>9} {theirs:>16}   ours are {share:.0} % of Ramen's",
                "sum", self.seconds, ""
            )?;
        }
        writeln!(
            out,
            "(reads + writes of all operators, their starts included, leader election left out on both sides: Ramen was\n\
             measured without it, ours made {leases} more requests for it; with the nearest number of applications)\n"
        )?;
        writeln!(
            out,
            "{:<12} {:>13} {:>13} {:>13} {:>20}   {:>10}",
            "ACTION", "APP UP AFTER", "COMPLETED", "WRITES LOST", "RPO (POLICY)", "RAMEN: UP"
        )?;
        for action in &self.actions {
            let rpo = format!("{:.1} s ({} s)", action.recovery_point_seconds, action.scheduling_interval_seconds);
            write!(
                out,
                "{:<12} {:>11.1} s {:>11.1} s {:>13} {rpo:>20}",
                action.name, action.application_up_seconds, action.completed_seconds, action.writes_lost
            )?;
            match action.upstream_seconds {
                Some(seconds) => writeln!(out, "   {seconds:>8.1} s")?,
                None => writeln!(out)?,
            }
        }
        writeln!(out, "{} writes acknowledged to applications in all\n", self.writes_acknowledged)?;
        writeln!(
            out,
            "{:<12} {:>8} {:>14} {:>16} {:>12}",
            "OPERATOR", "STARTS", "EVENTS LOGGED", "API REQUESTS", "PEAK MEMORY"
        )?;
        for operator in &self.operators {
            let requests = format!("{} + {}", operator.requests.reads, operator.requests.writes);
            let memory = format!("{:.0} MiB", operator.peak_memory_kib as f64 / 1024.0);
            writeln!(
                out,
                "{:<12} {:>8} {:>14} {requests:>16} {memory:>12}",
                operator.cluster, operator.starts, operator.records
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstream_figures_are_those_of_the_nearest_measurement() {
        let one = Upstream { apps: 1, seconds: 120.2, reads: 423, writes: 80 };
        let twenty = Upstream { apps: 20, seconds: 31.1, reads: 3655, writes: 1045 };
        assert_eq!(upstream("relocate", 2), Some(one));
        assert_eq!(upstream("failover", 20), Some(twenty));
        assert_eq!(upstream("no such step", 1), None);
    }
}
