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
//! UPDATE_DOCS=1 cargo test -p ramen-trials --test defects    # writes docs/defects.md anew
//! DEFECT=fence cargo test --release -p ramen-trials --test defects    # those whose name contains this
//! ```
//!
//! One file a subject: [`roles`], [`moves`], [`endings`], [`volumes`], [`restores`], [`copies`], [`reports`]. [`hunt`] runs
//! them, [`plans`] says in which plans, [`defect`] is what they are made of.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod copies;
mod defect;
mod document;
mod endings;
mod hunt;
mod json;
mod moves;
mod plans;
mod reports;
mod restores;
mod roles;
mod volumes;

use std::env;

use defect::Defect;

/// In a debug build only these are run.
const FEW: usize = 3;
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
    ];
    tables.into_iter().flatten().collect()
}

#[test]
fn every_defect_is_caught_by_its_rule() {
    let wanted = env::var("DEFECT").unwrap_or_default();
    let mut defects: Vec<_> = all().into_iter().filter(|defect| defect.name.contains(&wanted)).collect();
    if cfg!(debug_assertions) && wanted.is_empty() {
        let left = defects.len().saturating_sub(FEW);
        defects.truncate(FEW);
        eprintln!("!! ONLY {FEW} DEFECTS ARE TRIED, {left} ARE LEFT OUT: this is a debug build. All of them:");
        eprintln!("!!     cargo test --release -p ramen-trials --test defects -- --nocapture");
    }
    let hunted = hunt::hunt(&defects, SEEDS);
    println!("{}", hunt::table(&hunted));
    let missed: Vec<String> = hunted.iter().filter_map(hunt::Hunted::complaint).collect();
    assert!(missed.is_empty(), "\n{}\n", missed.join("\n"));
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
