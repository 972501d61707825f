//! What the stories are told with.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up should say so and stop; each story uses a part of this"
)]

pub mod dying;
pub mod gate;
pub mod lab;
// The ledger is tested with the same operator.
#[path = "../../../ledger/tests/support/mirror.rs"]
pub mod mirror;
