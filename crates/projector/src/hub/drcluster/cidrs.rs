//! `spec.cidrs` against what the cluster's storage clients use (spec hub 3.4).

use std::net::IpAddr;

use ramen_api::ramen::wire::{condition, reason};

use crate::hub::conditions::Conditions;

use super::{Cluster, Unmet, inventory, unmet};

/// What the comparison says.
pub enum Finding {
    /// Nothing is configured.
    Unused,
    /// Can't be compared yet.
    Undecided,
    /// As configured.
    Equal,
    /// Configured, but nobody uses them.
    Unseen(Vec<String>),
    /// Malformed.
    Malformed(Vec<String>),
    /// In use, but not configured.
    Unconfigured(Vec<String>),
}

/// Compares.
pub fn find(cluster: &Cluster<'_>) -> Finding {
    let wanted = &cluster.fact.cidrs;
    if wanted.is_empty() {
        return Finding::Unused;
    }
    let malformed: Vec<String> = wanted.iter().filter(|text| !is_cidr(text)).cloned().collect();
    if !malformed.is_empty() {
        return Finding::Malformed(malformed);
    }
    let Some(seen) = inventory::config_of(cluster.hub, &cluster.name) else { return Finding::Undecided };
    if !seen.has_access_details && !seen.processed {
        return Finding::Undecided;
    }
    let unconfigured: Vec<String> = seen.cidrs.iter().filter(|cidr| !wanted.contains(cidr)).cloned().collect();
    if !unconfigured.is_empty() {
        return Finding::Unconfigured(unconfigured);
    }
    let unseen: Vec<String> = wanted.iter().filter(|cidr| !seen.cidrs.contains(cidr)).cloned().collect();
    if unseen.is_empty() { Finding::Equal } else { Finding::Unseen(unseen) }
}

/// Whether the cluster can be used with these CIDRs.
pub fn check(cluster: &Cluster<'_>) -> Result<(), Unmet> {
    match find(cluster) {
        // The text is one that clients know.
        Finding::Malformed(_) | Finding::Unconfigured(_) => {
            Err(unmet(reason::VALIDATION_FAILED, "CIDRs validation failed"))
        }
        _ => Ok(()),
    }
}

/// Sets `CIDRsValidated`.
pub fn report(finding: &Finding, conditions: &mut Conditions<'_>) {
    let kind = condition::CIDRS_VALIDATED;
    match finding {
        Finding::Unused => conditions.remove(kind),
        Finding::Undecided => {
            conditions.keep(kind);
        }
        Finding::Equal => conditions.yes(kind, reason::SUCCEEDED, "spec.cidrs are those that storage clients use"),
        Finding::Unseen(which) => {
            let text = format!("spec.cidrs: no storage client uses {}", which.join(", "));
            conditions.yes(kind, reason::UNDETECTED_CIDRS_FOUND, text);
        }
        Finding::Malformed(which) => {
            let text = format!("spec.cidrs: {} is no CIDR; write address/prefix length", which.join(", "));
            conditions.no(kind, reason::INVALID_CIDRS_FORMAT, text);
        }
        Finding::Unconfigured(which) => {
            let text = format!("spec.cidrs: storage clients also use {}; add them", which.join(", "));
            conditions.no(kind, reason::DETECTED_CIDRS_UNCONFIGURED, text);
        }
    }
}

fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    length.parse::<u8>().is_ok_and(|length| length <= longest)
}
