//! The shell around the pure core: the only place with sockets, clocks and tasks.
//!
//! ```text
//!   watch ──> observe ──> append ──> project ──> decide ──> append ──> execute
//!  (kube)     (pure)      (log)      (pure)      (pure)     (log)    (kube, S3)
//!                           ^                                            │
//!                           └───────────── outcome, timer ───────────────┘
//! ```
//!
//! A binary brings an [`ramen_ports::Operator`]: which kinds to watch, how objects become facts, how commands become
//! effects. Everything else, the same for all controllers, is here.
