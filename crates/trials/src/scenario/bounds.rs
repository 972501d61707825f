//! What no scenario can mean: numbers that no world can bear, names that no API server takes.

use std::{fmt::Display, ops::RangeInclusive};

use serde_saphyr::{Location, Spanned};

use super::check::{Wrong, word};
use crate::{
    happening::Happening,
    hazards::{Frequency, Rule},
    span::Span,
    universe::{HUB, Outline},
};

/// How many claims an application may have: each is written to, synchronized and checked.
pub const CLAIMS: RangeInclusive<usize> = 1..=200;

/// How many pairs of clusters: each has API servers, agents and operators of its own.
const PAIRS: RangeInclusive<u8> = 1..=16;

/// Milliseconds between two writes: each is counted.
const WRITE_EVERY: RangeInclusive<u64> = 1..=3_600_000;

/// Milliseconds by which a clock may be wrong: none of them stands before 1970 then.
const SKEW: i64 = 50 * 365 * 24 * 3_600_000;

/// The longest name that a label may be.
const LABEL: usize = 63;

/// Refuses a number that is not among these.
pub(super) fn number<T>(what: &str, number: &T, among: &RangeInclusive<T>, at: Location) -> Result<(), Wrong>
where
    T: PartialOrd + Display,
{
    if among.contains(number) {
        return Ok(());
    }
    Err((at, format!("{what}: {number} is too {}: write {} to {}", too(number, among), among.start(), among.end())))
}

fn too<T: PartialOrd>(number: &T, among: &RangeInclusive<T>) -> &'static str {
    if number < among.start() { "small" } else { "large" }
}

/// Refuses what cannot be the name of a namespace: those of clusters and applications are.
pub(super) fn name(kind: &str, name: &str, at: Location) -> Result<(), Wrong> {
    let may = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !name.is_empty()
        && name.len() <= LABEL
        && name.bytes().all(may)
        && !name.starts_with('-')
        && !name.ends_with('-')
    {
        return Ok(());
    }
    let how = format!("up to {LABEL} lower-case letters, digits and dashes, with a letter or digit at both ends");
    Err((at, format!("{name:?} cannot be the name of {kind}: write {how}")))
}

/// Whether there are as many clusters as can be, with names that tell them apart, and the policies have an interval.
pub(super) fn world(world: &Spanned<Outline>) -> Result<(), Wrong> {
    let (at, world) = (world.referenced, &world.value);
    number("world: pairs", &world.pairs, &PAIRS, at)?;
    number("world: write-every", &world.write_every, &WRITE_EVERY, at)?;
    let mut clusters = world.clusters();
    let needed = world.size();
    let given = clusters.len();
    clusters.sort();
    clusters.dedup();
    if clusters.len() != needed || given != needed {
        let how = if world.shared { "the common one, then one a pair" } else { "two a pair" };
        return Err((at, format!("world: names: {needed} different names are needed, {how}")));
    }
    if clusters.iter().any(|name| name == HUB) {
        return Err((at, format!("world: names: {HUB} is the hub")));
    }
    clusters.iter().try_for_each(|cluster| name("a cluster", cluster, at))?;
    interval(&world.interval).map_err(|what| (at, format!("world: interval: {what}")))?;
    relation(&world.relation).map_err(|what| (at, format!("world: relation: {what}")))
}

/// The value of a label, once a number has been added to it.
fn relation(relation: &str) -> Result<(), String> {
    let may = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    // Two digits are the most that policies are counted with.
    let short = relation.len() + 2 <= LABEL;
    if short && relation.bytes().all(may) && relation.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    let how = format!("up to {} letters, digits, dashes, underscores and dots, a letter or digit first", LABEL - 2);
    Err(format!("{relation:?} with a number after it cannot be the value of a label: write {how}"))
}

fn interval(interval: &str) -> Result<(), String> {
    let none = || format!("{interval:?} is none: write a number and m, h or d, as in 5m");
    let (count, hours) = [("m", 1.0 / 60.0), ("h", 1.0), ("d", 24.0)]
        .iter()
        .find_map(|(unit, hours)| Some((interval.strip_suffix(unit)?, hours)))
        .ok_or_else(none)?;
    match count.parse::<u32>().map_err(|_| none())? {
        0 => Err(none()),
        count if f64::from(count) * hours > 365.0 * 24.0 => Err(format!("{interval:?} is too long: 365d is the most")),
        _ => Ok(()),
    }
}

/// Whether a mishap can happen: at a point that is its own, at some time, now and then.
pub(super) fn mishap(rule: &Spanned<Rule>) -> Result<(), Wrong> {
    let (at, Rule { point, mishap, frequency, from, until, .. }) = (rule.referenced, &rule.value);
    let can = mishap.point();
    if !can.contains(point) {
        let can: Vec<String> = can.iter().map(word).collect();
        return Err((at, format!("{} cannot happen at {}, only at {}", word(mishap), word(point), can.join(", "))));
    }
    if from > until {
        return Err((at, format!("from {from} is after until {until}: nothing can happen between them, swap them")));
    }
    match frequency {
        Frequency::PerMille(share) => number("frequency: per-mille", share, &(1..=1000), at),
        Frequency::Nth(_) => Ok(()),
    }
}

/// Whether what happens has names and numbers that can be.
pub(super) fn happening(what: &Spanned<Happening>) -> Result<(), Wrong> {
    let at = what.referenced;
    match &what.value {
        Happening::Deploy { app, claims, .. } => {
            name("an application", app, at)?;
            number("claims", claims, &CLAIMS, at)
        }
        Happening::Rival { lasts, .. } => number("lasts", lasts, &(0..=Span::LONGEST.0), at),
        Happening::Skew { ms, .. } => number("ms", ms, &(-SKEW..=SKEW), at),
        _ => Ok(()),
    }
}
