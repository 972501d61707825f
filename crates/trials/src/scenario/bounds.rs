//! What no scenario can mean: numbers that no world can bear, names that no API server takes.

use std::{fmt::Display, ops::RangeInclusive};

use serde_saphyr::{Location, Spanned};

use super::{check::word, place::Wrong};
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
    let (least, most) = (among.start(), among.end());
    let what = format!("{what}: {number} is too {}: write {least} to {most}", too(number, among));
    Err(Wrong::value(at, number.to_string(), what))
}

fn too<T: PartialOrd>(number: &T, among: &RangeInclusive<T>) -> &'static str {
    if number < among.start() { "small" } else { "large" }
}

/// Refuses what cannot be the name of a namespace: those of clusters and applications are.
pub(super) fn name(kind: &str, named: &str, at: Location) -> Result<(), Wrong> {
    let may = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !named.is_empty()
        && named.len() <= LABEL
        && named.bytes().all(may)
        && !named.starts_with('-')
        && !named.ends_with('-')
    {
        return Ok(());
    }
    let how = format!("up to {LABEL} lower-case letters, digits and dashes, with a letter or digit at both ends");
    Err(Wrong::value(at, named, format!("{named:?} cannot be the name of {kind}: write {how}")))
}

/// Whether there are as many clusters as can be, with names that tell them apart, and the policies have an interval.
pub(super) fn world(world: &Spanned<Outline>) -> Result<(), Wrong> {
    let (at, world) = (world.referenced, &world.value);
    number("world: pairs", &world.pairs, &PAIRS, at)?;
    number("world: write-every", &world.write_every, &WRITE_EVERY, at)?;
    let mut clusters = world.clusters();
    let (given, needed) = (clusters.len(), world.size());
    if given != needed {
        let how = if world.shared { "the common one, then one a pair" } else { "two a pair" };
        let given = if given == 1 { "1 name is given".to_owned() } else { format!("{given} names are given") };
        return Err(Wrong::at(at, format!("world: names: {given}, and {needed} are needed: {how}")));
    }
    clusters.sort();
    if let Some([twice, _]) = clusters.windows(2).find(|two| two.first() == two.last()) {
        return Err(Wrong::value(
            at,
            twice,
            format!("world: names: {twice} stands twice: give one of them another name"),
        ));
    }
    if clusters.iter().any(|name| name == HUB) {
        return Err(Wrong::value(at, HUB, format!("world: names: {HUB} is the hub: name clusters otherwise")));
    }
    clusters.iter().try_for_each(|cluster| name("a cluster", cluster, at))?;
    interval(&world.interval).map_err(|what| Wrong::value(at, &world.interval, format!("world: interval: {what}")))?;
    relation(&world.relation).map_err(|what| Wrong::value(at, &world.relation, format!("world: relation: {what}")))
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
    let none =
        || format!("{interval:?} is no interval of a policy: write whole minutes, hours or days, 1m or more, as in 5m");
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
        return Err(Wrong::at(
            at,
            format!("{} cannot happen at {}, only at {}", word(mishap), word(point), can.join(", ")),
        ));
    }
    if from > until {
        return Err(Wrong::at(
            at,
            format!("from {from} is after until {until}: nothing can happen between them, swap them"),
        ));
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
