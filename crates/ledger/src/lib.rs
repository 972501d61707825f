//! The pipeline without its sockets and clocks: the part that the runtime and the simulation share, so that what is
//! simulated is what runs.
//!
//! ```text
//!   Input ──> fresh? ──> observe ──> news? ──> Record ──> World::apply ──> World::decide ──> Outbox
//! ```
//!
//! [`Ledger::take`] takes [`Input`]s in; [`Ledger::flush`] hands out an [`Outbox`]: records that the caller makes
//! durable, and only then flights that the caller carries out. The caller tells the time.

mod freshness;
mod input;
mod ledger;
mod listings;
mod timers;

pub use self::input::{Answered, Flight, Input, Look, Looked, Sight};
pub use self::ledger::{Dropped, Ledger, Outbox, SHORTEST_WAIT_MS};
pub use self::timers::{Timers, Wish};
