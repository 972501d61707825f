//! The shell around the pure core: the only place with sockets, clocks and tasks.
//!
//! ```text
//!   watch ──> observe ──> append ──> project ──> decide ──> append ──> execute
//!  (kube)     (pure)      (log)      (pure)      (pure)     (log)    (kube, S3)
//!                           ^                                            │
//!                           └───────────── outcome, timer ───────────────┘
//! ```
//!
//! A binary brings an [`Operator`]: which kinds to watch, how objects become facts, how commands become [`Effect`]s.
//! Everything else, the same for all controllers, is here.

pub mod effect;
pub mod operator;

pub use effect::{Answer, Effect, StoreAnswer, StoreOperation, StoreProfile, Target};
pub use operator::{Blobs, Observation, Operator, RenderError, Watch};
