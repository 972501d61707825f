//! Figures of an operator: API requests and log records from its metrics page, memory from the kernel.

use std::{fs, net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use serde::Serialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Verbs that only look.
const READS: [&str; 3] = ["get", "list", "watch"];

/// Figures of one operator, or the sum over several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// GET, LIST and WATCH requests to API servers.
    pub reads: u64,
    /// All other requests to API servers.
    pub writes: u64,
    /// Records appended to the event log.
    pub records: u64,
    /// Largest resident set so far, in KiB.
    pub peak_memory_kib: u64,
}

impl Figures {
    /// The figures of one more process of the same operator.
    pub fn plus(self, process: Self, peak_memory_kib: u64) -> Self {
        Self {
            reads: self.reads + process.reads,
            writes: self.writes + process.writes,
            records: self.records + process.records,
            peak_memory_kib: self.peak_memory_kib.max(peak_memory_kib),
        }
    }

    /// What was added since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            reads: self.reads.saturating_sub(earlier.reads),
            writes: self.writes.saturating_sub(earlier.writes),
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
            if READS.iter().any(|verb| series.contains(&format!("verb=\"{verb}\""))) {
                figures.reads += value;
            } else {
                figures.writes += value;
            }
        } else if series.starts_with("ramen_log_records_total{") {
            figures.records += value;
        }
    }
    figures
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

    #[test]
    fn requests_are_told_apart_by_verb() {
        let page = "# HELP ramen_api_requests_total x\n\
                    ramen_api_requests_total{verb=\"list\"} 12\n\
                    ramen_api_requests_total{verb=\"patch\",code=\"200\"} 5\n\
                    ramen_api_requests_total{verb=\"watch\"} 3\n\
                    ramen_log_records_total{payload=\"Moved\"} 70\n\
                    ramen_log_records_total{payload=\"Synced\"} 7\n";
        assert_eq!(parse(page), Figures { reads: 15, writes: 5, records: 77, peak_memory_kib: 0 });
    }
}
