//! Proof that the simulation can fail: defects that exist only here, and that its rules have to catch.
//!
//! ```text
//!   defect ──> Tamper ──> stories, then seeds, until a rule is broken ──> the right rule? ──> table
//!                                       the same plan, without the defect ──> no rule is broken
//! ```
//!
//! Production code knows nothing of this: a defect changes what operators see and do. All of them:
//!
//! ```console
//! cargo test --release -p ramen-trials --test defects -- --nocapture
//! UPDATE_DOCS=1 cargo test --release -p ramen-trials --test defects    # hunts from the start, writes docs/defects.md
//! DEFECT=fence cargo test --release -p ramen-trials --test defects     # those whose name contains this
//! ```
//!
//! The document says which plan caught a defect last. That plan is tried first, so that a run takes a minute; the others
//! follow if it does not catch it any more.
//!
//! One file a subject: [`roles`], [`moves`], [`endings`], [`volumes`], [`restores`], [`copies`], [`reports`],
//! [`policies`], [`modes`], [`offers`], [`apart`], [`deposed`], [`panics`]. [`hunt`] runs them, [`plans`] says in which plans,
//! [`defect`] is what they are made of.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod apart;
mod copies;
mod defect;
mod deposed;
mod document;
mod endings;
mod hunt;
mod json;
mod modes;
mod moves;
mod offers;
mod panics;
mod plans;
mod policies;
mod reports;
mod restores;
mod roles;
mod volumes;

use std::{collections::BTreeMap, env};

use defect::Defect;

/// Seeds that are tried: without faults, then with.
const SEEDS: u64 = 40;

fn all() -> Vec<&'static Defect> {
    let tables = [
        roles::DEFECTS,
        moves::DEFECTS,
        endings::DEFECTS,
        volumes::DEFECTS,
        restores::DEFECTS,
        copies::DEFECTS,
        reports::DEFECTS,
        policies::DEFECTS,
        modes::DEFECTS,
        offers::DEFECTS,
        apart::DEFECTS,
        deposed::DEFECTS,
        panics::DEFECTS,
    ];
    tables.into_iter().flatten().collect()
}

#[test]
fn every_defect_is_caught_by_its_rule() {
    let wanted = env::var("DEFECT").unwrap_or_default();
    let update = env::var_os("UPDATE_DOCS").is_some();
    let defects: Vec<_> = all().into_iter().filter(|defect| defect.name.contains(&wanted)).collect();
    let known = if update { BTreeMap::new() } else { document::caught_in() };
    let hunted = hunt::hunt(&defects, SEEDS, &known);
    println!("{}", hunt::table(&hunted));
    let missed: Vec<String> = hunted.iter().filter_map(hunt::Hunted::complaint).collect();
    assert!(missed.is_empty(), "\n{}\n", missed.join("\n"));
    if update && wanted.is_empty() {
        document::write(&hunted);
    }
}

#[test]
fn there_are_at_least_twenty_and_no_two_of_a_name() {
    let mut names: Vec<_> = all().into_iter().map(|defect| defect.name).collect();
    assert!(names.len() >= 20, "{}", names.len());
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn the_document_is_current() {
    document::check(&all());
}
