//! Domain events and commands, and the durable log that holds them.
//!
//! ```text
//!   facts, outcomes, timers          decisions
//!            │                           │
//!            v                           v
//!   Record { seq, stamp, origin, aggregate, cause, payload }
//!            │  encode (bincode), chain (BLAKE3)
//!            v
//!   EventLog (sled, or in memory) ──> snapshots, blobs, capture files
//! ```
//!
//! Everything that an operator learns and everything that it decides is a [`Record`]. A record is durable before
//! anything is done because of it. This crate knows no Kubernetes types and does no network I/O; the log's stores are
//! the only files it touches.

mod aggregate;
mod chain;
mod command;
mod condition;
mod event;
mod ids;
mod json;
mod outcome;
mod record;
mod stamp;

pub mod anchor;
pub mod capture;
pub mod disk;
pub mod hub;
pub mod log;
pub mod spoke;
pub mod stored;

pub use aggregate::{Aggregate, Controller};
pub use chain::ChainHash;
pub use command::Command;
pub use condition::{Condition, ConditionStatus};
pub use event::{Fact, Payload, Position, Wait};
pub use ids::{ActionId, BlobId, ClusterName, CommandId, Epoch, Kind, ObjectId, Operator, Seq};
pub use json::Json;
pub use outcome::Outcome;
pub use record::{Cause, Origin, Record};
pub use stamp::{Clock, Stamp, Time};
