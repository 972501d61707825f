//! Opens captured logs: verifies, replays and explains them.
//!
//! ```text
//!   *.ramenlog ──> Reader ──> records ──> Verifier (fold, decide again, compare) ──> verdict
//! ```
//!
//! The folds and deciders are those of the operators: a log replays through the very code that wrote it.

mod alter;
mod anchors;
mod anonymise;
mod archive;
mod audit;
mod authors;
mod blobs;
mod causes;
mod changes;
mod cmd;
mod compare;
mod exit;
mod field;
mod filter;
mod fixture;
mod goal;
mod input;
mod judged;
mod kubectl;
mod live;
mod merge;
mod minimise;
mod moment;
mod object;
mod open;
mod page;
mod past;
pub mod plugin;
mod predicate;
pub mod program;
mod remote;
mod rerun;
mod retell;
mod slice;
mod span;
mod spells;
mod state;
mod step;
mod story;
mod table;
mod targets;
mod verify;
mod walks;
mod why;
mod why_lines;
mod why_not;
mod words;
mod world;

pub use cmd::{Arguments, draw, run};
pub use exit::Exit;
pub use open::Usage;
pub use page::{Headline, Mark};
pub use verify::{Divergence, Verifier};
