//! The hub operator: which kinds it watches, how objects become facts, how commands become calls.
//!
//! ```text
//!   object ──> observe ──> fact ──> ramen_projector::hub ──> command ──> render ──> calls
//! ```
//!
//! All of this is pure and has no clients in it, so that simulations run the very functions that production runs. The
//! process itself, [`run`], comes with the feature `run`.
//!
//! - [`watches`]: the table of kinds
//! - [`observe`]: one file a subject, from an object or a store's answer to a fact
//! - [`render`]: one file a subject, from a command to calls
//! - `vrg_spec`, `feedback`: what both directions share

mod feedback;
mod fields;
mod operator;
mod vrg_spec;

#[cfg(feature = "run")]
pub mod config;
pub mod observe;
pub mod render;
pub mod watches;

#[cfg(feature = "run")]
pub use config::run;
pub use operator::HubOperator;
