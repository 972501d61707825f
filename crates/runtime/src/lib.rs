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
//! effects. Everything else, the same for all controllers, is here; [`run`] is the way in.
//!
//! - [`ramen_ledger`] is the pipeline without sockets and clocks: inputs to records, decisions and flights.
//! - `pipeline` is the loop around it: durable first, then acted on.
//! - `watch` and `crds` bring inputs, both from a `stream`; `executor` carries out commands through `kube_api` and `s3`.
//! - `archive` takes the log to an S3 store, `head` is what is noted elsewhere of its end.
//! - `loss` tells people of a log that lost records; `lease`, `serve`, `captures`, `metrics`, `gauges`, [`telemetry`], `parts` are what a process in a cluster needs besides.

mod archive;
mod captures;
mod clock;
mod crds;
mod error;
mod executor;
mod gauges;
mod head;
mod kube_api;
mod leadership;
mod lease;
mod loss;
mod metrics;
mod parts;
mod pipeline;
mod run;
mod s3;
mod serve;
mod settings;
mod stream;
mod vault;
mod watch;

pub mod cli;
pub mod telemetry;

pub use error::Error;
pub use run::{Opened, run, run_with_log};
pub use settings::{Archive, Connect, Lease, Limits, Lock, Settings};
