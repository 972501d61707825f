//! Plays the disaster-recovery story with the real operators.
//!
//! ```text
//!   Stage: hub, c1, c2 (API servers, agents, storage, S3)     Operators: ramen-hub, 2 x ramen-spoke (processes)
//!                     └──────────────── Story: asks, waits, checks the data ────────────────┘
//!                                                   │
//!                                   milestones, captures, summary.json, tables
//! ```

mod auditors;
mod captures;
mod chaos;
mod metrics;
mod milestones;
mod options;
mod processes;
mod progress;
mod report;
mod run;
mod stage;
mod story;

pub use options::Options;
pub use run::run;
