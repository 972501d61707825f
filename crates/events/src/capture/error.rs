//! What can be wrong with a capture file.

use std::{fmt, io, path::PathBuf};

use crate::{Seq, log, stored};

/// A place in a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Its header.
    Header,
    /// The snapshot.
    Snapshot,
    /// A blob, counted from 1.
    Blob(u64),
    /// A record.
    Record(Seq),
    /// The state after a record.
    Milestone(Seq),
    /// The trailer, or what comes after it.
    Trailer,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("its header"),
            Self::Snapshot => f.write_str("its snapshot"),
            Self::Blob(number) => write!(f, "blob {number}"),
            Self::Record(seq) => write!(f, "record {seq}"),
            Self::Milestone(seq) => write!(f, "the state after record {seq}"),
            Self::Trailer => f.write_str("its end"),
        }
    }
}

/// Why a capture could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be used.
    #[error("cannot {doing} {path}", path = path.display())]
    File {
        /// What was attempted.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// The cause.
        #[source]
        err: io::Error,
    },
    /// The capture cannot be written to its destination.
    #[error("cannot write the capture")]
    Write(#[source] io::Error),
    /// The log to capture cannot be read.
    #[error("cannot read the log to capture")]
    Log(#[source] log::Error),
    /// The file is something else.
    #[error("not a capture file")]
    NotACapture,
    /// Written by a later version.
    #[error("the capture has format {found}, this version reads formats up to {known}")]
    TooNew {
        /// Its format.
        found: u32,
        /// The newest that is read here.
        known: u32,
    },
    /// It ends too early.
    #[error("the capture is cut off in {place}")]
    Truncated {
        /// Where it ends.
        place: Place,
    },
    /// It is not what was written.
    #[error("the capture is damaged in {place}")]
    Damaged {
        /// Where.
        place: Place,
    },
    /// The file is no segment of an archive.
    #[error("{path} is no whole segment of an archive", path = path.display())]
    NotASegment {
        /// Which file.
        path: PathBuf,
        /// Why it could not be unpacked.
        #[source]
        err: io::Error,
    },
    /// A segment of an archive is missing.
    #[error("a segment is missing: there is none with the records between {after} and {before}")]
    Gap {
        /// The last record before.
        after: Seq,
        /// The first record after.
        before: Seq,
    },
    /// There is nothing to put together.
    #[error("there are no segments with records")]
    NoSegments,
    /// A record was written by a later version.
    #[error("record {seq} cannot be understood")]
    Record {
        /// Which one.
        seq: Seq,
        /// Why.
        #[source]
        err: stored::Error,
    },
}

impl Error {
    /// What a person can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::File { .. } | Self::Write(_) => "check the path, its permissions, and the space left",
            Self::Log(err) => err.remedy(),
            Self::NotACapture => "give a file that `capture` wrote, or the data directory of a stopped operator",
            Self::TooNew { .. } | Self::Record { .. } => "use the version that wrote it, or a later one",
            Self::Truncated { .. } | Self::NotASegment { .. } => "copy the file again; it did not arrive whole",
            Self::Gap { .. } => {
                "copy the missing segment out of the archive, too; without it, give the later ones only"
            }
            Self::NoSegments => "copy the objects below segments/ of one log out of the archive",
            Self::Damaged { .. } => {
                "copy the file again; if its source says the same, it was changed after it was written and is no \
                 evidence"
            }
        }
    }
}
