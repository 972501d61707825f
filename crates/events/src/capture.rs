//! Capture files, `*.ramenlog`: part of a log, or all of it, in one file that needs nothing else.
//!
//! ```text
//!   magic, version │ header │ snapshot? │ blobs │ records, with milestones among them │ trailer │ digest
//!                  └──────────────────────────────── frames ────────────────────────────────┘
//! ```
//!
//! Each frame ends with a check of everything in the file up to there, so any flipped bit is found where it is, and
//! nothing behind it is believed. Records are the stored bytes themselves: their chain is recomputed when the file is
//! read, and its end stands in the trailer. A capture is a [`crate::log::History`], as the log is.
//!
//! A milestone is the state after the record before it, so that a state in the middle of a long capture need not be folded
//! from its start. There is no index of them: to be believed, a file is read through to its digest, and frames are hopped
//! over on the way. See docs/decisions/0016.

mod at;
mod error;
mod frame;
mod milestone;
mod read;
mod write;

pub mod segment;

use bincode::{Decode, Encode};

use crate::{
    ChainHash, Seq, Stamp,
    log::{Owner, SnapshotName},
};

pub use error::{Error, Place};
pub use milestone::Fold;
pub use read::Reader;
pub use write::{write, write_along, write_along_file, write_file, write_slice};

/// What a capture file starts with; its version follows.
const MAGIC: [u8; 8] = *b"RAMENLOG";

/// The newest version of the file format that is read. It is written where there may be milestones; what cannot have any
/// stays as it was, for older readers, and so that segments of an archive are the same whoever writes them.
pub const VERSION: u32 = 2;

/// The version without milestones.
const PLAIN: u32 = 1;

/// What a capture holds.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Header {
    /// Whose log it was; `None` when it had no record.
    pub owner: Option<Owner>,
    /// The first record.
    pub first: Seq,
    /// The last record; one less than `first` when there is none.
    pub last: Seq,
    /// The hash of the record before the first.
    pub before: ChainHash,
    /// The stamp of the record before the first.
    pub before_stamp: Stamp,
    /// Versions of the deciders that wrote the records, in order of appearance.
    pub deciders: Vec<u32>,
    /// The snapshot, if there is one: the state from which the records go on.
    pub snapshot: Option<SnapshotName>,
    /// How many blobs there are.
    pub blobs: u64,
    /// Version of the program that wrote the capture.
    pub written_by: String,
}

impl Header {
    /// How many records there are.
    pub fn records(&self) -> u64 {
        (self.last.0 + 1).saturating_sub(self.first.0)
    }
}

/// What stands at the end, to be compared with what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
struct Trailer {
    records: u64,
    blobs: u64,
    head: ChainHash,
}
