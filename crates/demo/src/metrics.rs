//! Figures of an operator: API requests and log records from its metrics page, memory from the kernel.

use std::{collections::BTreeMap, fs, net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use serde::Serialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Verbs that only look.
const READS: [&str; 3] = ["get", "list", "watch"];

/// Requests to API servers, by verb and resource.
///
/// Those for Leases are counted apart: Ramen was measured without leader election (in its idle minute three leaders
/// would have made ninety writes, and there were 23), so they would compare unlike with like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Requests(BTreeMap<String, u64>);

impl Requests {
    /// GET, LIST and WATCH.
    pub fn reads(&self) -> u64 {
        self.sum(|verb, resource| resource != LEASES && READS.contains(&verb))
    }

    /// All others.
    pub fn writes(&self) -> u64 {
        self.sum(|verb, resource| resource != LEASES && !READS.contains(&verb))
    }

    /// Those for Leases, which are in neither of the others.
    pub fn leases(&self) -> u64 {
        self.sum(|_, resource| resource == LEASES)
    }

    fn sum(&self, which: impl Fn(&str, &str) -> bool) -> u64 {
        let each = self.0.iter().filter(|(what, _)| what.split_once(' ').is_some_and(|(v, r)| which(v, r)));
        each.map(|(_, count)| count).sum()
    }

    fn add(&mut self, what: String, count: u64) {
        *self.0.entry(what).or_default() += count;
    }
}

/// What leader election asks for.
const LEASES: &str = "leases";

/// Figures of one operator, or the sum over several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Requests to API servers.
    pub requests: Requests,
    /// Records appended to the event log.
    pub records: u64,
    /// Largest resident set so far, in KiB.
    pub peak_memory_kib: u64,
}

impl Figures {
    /// The figures of one more process.
    pub fn plus(&self, process: &Self, peak_memory_kib: u64) -> Self {
        let mut requests = self.requests.clone();
        for (what, count) in &process.requests.0 {
            requests.add(what.clone(), *count);
        }
        Self {
            requests,
            records: self.records + process.records,
            peak_memory_kib: self.peak_memory_kib.max(peak_memory_kib),
        }
    }

    /// What was added since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |what: &String| earlier.requests.0.get(what).copied().unwrap_or_default();
        let each = self.requests.0.iter().map(|(what, count)| (what.clone(), count.saturating_sub(before(what))));
        Self {
            requests: Requests(each.filter(|(_, count)| *count > 0).collect()),
            records: self.records.saturating_sub(earlier.records),
            peak_memory_kib: self.peak_memory_kib,
        }
    }
}

/// Reads an operator's metrics page.
///
/// # Errors
/// When it does not answer within a second.
pub async fn scrape(address: SocketAddr) -> Result<Figures> {
    let page = timeout(Duration::from_secs(1), get(address)).await.context("no answer")??;
    Ok(parse(&page))
}

async fn get(address: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: operator\r\nConnection: close\r\n\r\n").await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    Ok(page)
}

fn parse(page: &str) -> Figures {
    let mut figures = Figures::default();
    for line in page.lines() {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let Ok(value) = value.trim().parse::<u64>() else { continue };
        if series.starts_with("ramen_api_requests_total{") {
            let (verb, resource) = (label(series, "verb"), label(series, "resource"));
            figures.requests.add(format!("{verb} {resource}"), value);
        } else if series.starts_with("ramen_log_records_total{") {
            figures.records += value;
        }
    }
    figures
}

/// The value of a label; none of those that are asked for here holds a quote.
fn label<'a>(series: &'a str, name: &str) -> &'a str {
    let value = series.split_once(&format!("{name}=\"")).map(|(_, rest)| rest);
    value.and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

/// Largest resident set of a process, in KiB; 0 when it is gone.
pub fn peak_memory_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP ramen_api_requests_total x\n\
                        ramen_api_requests_total{verb=\"list\",resource=\"pods\"} 12\n\
                        ramen_api_requests_total{verb=\"patch\",resource=\"leases\"} 7\n\
                        ramen_api_requests_total{verb=\"patch\",resource=\"vrgs\"} 5\n\
                        ramen_api_requests_total{verb=\"watch\",resource=\"pods\"} 3\n\
                        ramen_log_records_total{payload=\"Moved\"} 70\n\
                        ramen_log_records_total{payload=\"Synced\"} 7\n";

    #[test]
    fn requests_are_told_apart_by_verb_and_leases_are_apart() {
        let figures = parse(PAGE);
        let requests = &figures.requests;
        assert_eq!((requests.reads(), requests.writes(), requests.leases(), figures.records), (15, 5, 7, 77));
    }

    #[test]
    fn a_step_has_what_was_added_in_it() {
        let (before, both) = (parse(PAGE), parse(PAGE).plus(&parse(PAGE), 0));
        assert_eq!(both.since(&before), before);
        assert_eq!(before.since(&before).requests, Requests::default());
    }
}
