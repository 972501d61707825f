//! The operator of a managed cluster: which kinds it watches, how objects become facts, how commands become calls.
//!
//! ```text
//!   object ──> observe ──> fact ──> ramen_projector::spoke ──> command ──> render ──> calls
//! ```
//!
//! All of this is pure and has no clients in it, so that simulations run the very functions that production runs. The
//! process itself, [`run`], comes with the feature `run`.
//!
//! - [`watches`]: the table of kinds
//! - [`observe`]: one file a subject, from an object or a store's answer to a fact
//! - [`render`]: one file a subject, from a command to calls

mod fields;
mod quantity;

#[cfg(feature = "run")]
pub mod config;
pub mod observe;
mod operator;
pub mod render;
pub mod watches;

#[cfg(feature = "run")]
pub use config::run;
pub use operator::SpokeOperator;
