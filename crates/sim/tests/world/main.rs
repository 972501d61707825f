//! The world's inhabitants on embedded API servers, in virtual time: what an operator beside them would see.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod applications;
mod manifest_works;
mod replication;
mod runner;
mod stage;
mod stores;
mod views;
mod volumes;
