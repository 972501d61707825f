//! The logs themselves: whole or not, and what is not in them.

use std::{collections::BTreeSet, fs::File, io::Read};

use anyhow::{Context, Result};
use ramen_events::{Fact, Payload, Seq, Time, hub};
use ring::digest;

use crate::{
    anchors::{Anchors, Standing},
    audit::report::{Action, LogProof, NOT_KNOWN, When},
    merge::Merged,
    open::Log,
};

/// What is proven of each log. When a log is opened, its chain is recomputed from the first record to the last.
///
/// # Errors
/// When a file can't be read.
pub fn logs(merged: &Merged, anchors: Option<&Anchors>) -> Result<Vec<LogProof>> {
    merged.logs.iter().enumerate().map(|(index, log)| one(merged, index, log, anchors)).collect()
}

fn one(merged: &Merged, index: usize, log: &Log, anchors: Option<&Anchors>) -> Result<LogProof> {
    let (base, head) = (log.history.base(), log.history.head());
    let mut entries = merged.entries.iter().filter(|entry| entry.log == index);
    let first = entries.next().map_or(Time(0), |entry| entry.record.stamp.time);
    let mut gaps = Vec::new();
    if base.seq > Seq(0) {
        gaps.push(format!("records 1 to {} are not in this file", base.seq));
    }
    if let Some(wrong) = &log.wrong {
        gaps.push(format!("{wrong}: what came after record {} is {NOT_KNOWN}, nor how much it was", head.seq));
    }
    for entry in merged.entries.iter().filter(|entry| entry.log == index) {
        if let Payload::Lost { records } = &entry.record.payload {
            let (seq, before) = (entry.record.seq, entry.record.seq.0.saturating_sub(1));
            gaps.push(format!("{records} records that were acknowledged are gone, between records {before} and {seq}"));
        }
    }
    let standing = anchors.map(|anchors| anchors.check(&log.owner, log.history.as_ref())).transpose()?;
    if let Some(Standing::Broken(why) | Standing::Unproven(why)) = &standing {
        gaps.push(why.clone());
    }
    Ok(LogProof {
        anchored: match &standing {
            Some(Standing::Holds { seq, .. }) => Some(seq.0),
            _ => None,
        },
        anchors: standing.map(|standing| standing.words(head.seq)),
        name: log.name().to_owned(),
        owner: log.owner.to_string(),
        file: log.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        sha256: if log.path.is_dir() { None } else { Some(sha256(&log.path)?) },
        first: base.seq.next().0,
        last: head.seq.0,
        first_time: When(first),
        last_time: When(head.stamp.time),
        hash_before: base.hash.to_string(),
        hash: head.hash.to_string(),
        chain_verified: true,
        gaps,
    })
}

/// SHA-256 of a file, in hex.
///
/// # Errors
/// When it can't be read.
pub fn sha256(path: &std::path::Path) -> Result<String> {
    let told = || format!("could not read {}", path.display());
    let mut file = File::open(path).with_context(told)?;
    let mut digest = digest::Context::new(&digest::SHA256);
    let mut part = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut part).with_context(told)?;
        if read == 0 {
            return Ok(hex(digest.finish().as_ref()));
        }
        digest.update(part.get(..read).unwrap_or_default());
    }
}

/// Bytes as hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is missing for the report to be complete.
pub fn gaps(merged: &Merged, logs: &[LogProof], actions: &[Action]) -> Vec<String> {
    let of_logs = logs.iter().flat_map(|log| log.gaps.iter().map(move |gap| format!("{}: {gap}", log.name)));
    let names: BTreeSet<&str> = logs.iter().map(|log| log.name.as_str()).collect();
    let policies: BTreeSet<&str> = actions.iter().map(|action| action.policy.as_str()).collect();
    let mut clusters = BTreeSet::new();
    for entry in &merged.entries {
        if let Payload::Observed(Fact::Hub(hub::Fact::Policy(policy))) = &entry.record.payload
            && policies.contains(policy.meta.name.as_str())
        {
            clusters.extend(policy.spec.clusters.iter().map(|cluster| cluster.as_str()));
        }
    }
    let absent = clusters.into_iter().filter(|cluster| !names.contains(cluster));
    let absent = absent.map(|cluster| format!("{cluster}: its log is not here; what its operator did is {NOT_KNOWN}"));
    of_logs.chain(absent).collect()
}
