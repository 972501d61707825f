//! Stepping through logs in a terminal.
//!
//! ```text
//!   keys ──> Model (where it stands, what stops it) ──> draw ──> buffer
//!              └── Course (the state after any record, from check points)
//! ```
//!
//! All but `terminal` is pure: a model takes keys, and is drawn into a buffer. What it shows is what `show`, `state` and
//! `why` print.

mod course;
mod draw;
mod keys;
mod model;
mod stops;
mod terminal;
#[cfg(test)]
mod tests;

pub use keys::help;
pub use model::{Model, Subject};
pub use terminal::{check, run};
