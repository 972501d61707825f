//! The seam between the pure core and the shell.
//!
//! ```text
//!   object ──> Operator::observe ──> fact          command ──> Operator::render ──> effects
//!                                                  answers ──> Operator::observe_answers ──> facts
//! ```
//!
//! A binary brings an [`Operator`]: which kinds to watch, how objects become facts, how commands become [`Effect`]s.
//! All of it is pure, so the simulation runs the very same functions as the runtime does, minus the sockets.

pub mod fields;

mod effect;
pub mod fence;
mod operator;
pub mod requests;
mod requirement;
mod unused;

pub use effect::{Answer, Effect, StoreAnswer, StoreOperation, StoreProfile, Target, refusal};
pub use operator::{Blobs, Observation, Once, Operator, RenderError, Watch};
pub use requirement::Requirement;
pub use unused::{Unused, User, claims, has_ended};
