//! Stories of the operator on simulated clusters, in virtual time: its own observe, decide and render functions on embedded
//! API servers, with simulated storage, applications and stores. The hub's part is played by the tests.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod bad_input;
mod deletion;
mod discovery;
mod fencing;
mod moves;
mod protection;
mod shell;
mod stage;
mod wild;
