//! Opens captured logs: verifies, replays and explains them.
//!
//! ```text
//!   *.ramenlog ──> Reader ──> records ──> Verifier (fold, decide again, compare) ──> verdict
//! ```
//!
//! The folds and deciders are those of the operators: a log replays through the very code that wrote it.

mod cmd;
mod exit;
mod verify;

pub use cmd::{Arguments, run};
pub use exit::Exit;
pub use verify::{Divergence, Verifier};
