//! The operators in the simulated world, in virtual time, under every fault.
//!
//! ```text
//!   Plan ──> Universe ──> one event after the other ──> Watchers ──> fine, or a violation
//!  (seed)   (operators, agents, API servers, storage, stores)    (invariants, coverage)
//! ```
//!
//! The operators are those of production: their `observe`, fold, decide and `render` functions, driven by the very
//! ledger that the runtime drives. What is simulated is everything around them.

mod calls;
pub mod check;
pub mod coverage;
pub mod crowd;
pub mod exhaustive;
pub mod happening;
pub mod hazards;
pub mod kept;
pub mod plan;
mod process;
pub mod run;
pub mod scenario;
pub mod seeds;
pub mod shrink;
pub mod span;
pub mod stores;
pub mod tamper;
pub mod trial;
pub mod universe;
pub mod until;
