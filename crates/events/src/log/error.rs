//! What can go wrong with a log, and what a person can do about it.

use std::{io, path::PathBuf};

use crate::{BlobId, Epoch, Seq, Stamp, stored};

/// How a record is damaged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// It is not there, though later ones are.
    #[error("it is missing")]
    Missing,
    /// Its bytes and the hash before it do not give its hash.
    #[error("its hash does not fit")]
    Hash,
    /// Its bytes are no record.
    #[error("it cannot be decoded")]
    Undecodable(#[source] stored::Error),
    /// It bears another number.
    #[error("it says that it is record {found}")]
    Misplaced {
        /// The number it bears.
        found: Seq,
    },
    /// It is intact, but not the record that was made durable under this number.
    #[error("it is not the record that was acknowledged under this number")]
    Replaced,
}

/// Why a log could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory of the log cannot be used.
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
    /// Another process has the log open.
    #[error("the log in {dir} is open in another process{holder}", dir = dir.display(), holder = holder.map(|pid| format!(" ({pid})")).unwrap_or_default())]
    Locked {
        /// Where the log is.
        dir: PathBuf,
        /// Id of that process, when it is known.
        holder: Option<u32>,
    },
    /// There is no log.
    #[error("there is no log in {dir}", dir = dir.display())]
    NoLog {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// It is somebody else's log.
    #[error("the log in {dir} belongs to {found}, not to {wanted}", dir = dir.display())]
    OtherOwner {
        /// Where the log is.
        dir: PathBuf,
        /// Whose it is.
        found: String,
        /// Who asked for it.
        wanted: String,
    },
    /// Written by a later version.
    #[error("the log has format {found}, this version knows formats up to {known}")]
    TooNew {
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// A record is whole, and says something that only a later version knows.
    #[error("record {seq} says something that this version does not know")]
    Newer {
        /// Which one.
        seq: Seq,
    },
    /// The store below the log failed.
    #[error("cannot {doing}")]
    Store {
        /// What was attempted.
        doing: &'static str,
        /// The cause.
        #[source]
        err: sled::Error,
    },
    /// The store below the log cannot make sense of its files.
    #[error("the store in {dir} is unreadable: {reason}", dir = dir.display())]
    Unreadable {
        /// Where the log is.
        dir: PathBuf,
        /// What the store says.
        reason: String,
    },
    /// A record inside the log is damaged.
    #[error("record {seq} of the log is damaged")]
    Damaged {
        /// Which one.
        seq: Seq,
        /// How.
        #[source]
        damage: Damage,
    },
    /// Records that had been acknowledged as durable are gone from the log's end.
    #[error("the log lacks {records} records that it had acknowledged, after record {after}")]
    Lost {
        /// How many.
        records: u64,
        /// The last record that is there.
        after: Seq,
    },
    /// A blob does not have the bytes that its name promises.
    #[error("blob {id} is damaged")]
    DamagedBlob {
        /// Which one.
        id: BlobId,
    },
    /// Records could not be made durable.
    #[error("could not make the log durable up to record {seq}")]
    Sync {
        /// The last record concerned.
        seq: Seq,
        /// The cause.
        #[source]
        err: io::Error,
    },
    /// An earlier sync failed.
    #[error("the log takes no more records since a write failed: {reason}")]
    Poisoned {
        /// What happened then.
        reason: String,
    },
    /// The log was opened for reading, or is being closed.
    #[error("the log is not open for writing")]
    ReadOnly,
    /// Another process has opened the log since.
    #[error("the log was opened again with epoch {by}: this one, with epoch {own}, is over")]
    Fenced {
        /// The epoch of this opening.
        own: Epoch,
        /// The epoch of the later one.
        by: Epoch,
    },
    /// A writer's number is not the one that comes next.
    #[error("record {given} was to be appended, but {next} is next")]
    NotNext {
        /// The number given.
        given: Seq,
        /// The number that is next.
        next: Seq,
    },
    /// A record is stamped before the one it follows.
    #[error("record {seq} is stamped {given}, before its predecessor's {last}")]
    StampWentBack {
        /// Which one.
        seq: Seq,
        /// Its stamp.
        given: Stamp,
        /// The stamp before it.
        last: Stamp,
    },
    /// A record is larger than any may be.
    #[error("record {seq} cannot be stored")]
    TooLarge {
        /// Which one.
        seq: Seq,
        /// How large it is.
        #[source]
        err: stored::Error,
    },
    /// A blob is larger than any may be.
    #[error("a blob has {bytes} bytes, {max} are allowed", max = super::MAX_BLOB)]
    BlobTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A state is larger than any may be.
    #[error("a snapshot of {bytes} bytes is too large")]
    SnapshotTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The log does not hold this record.
    #[error("the log does not hold record {seq}")]
    NoSuchRecord {
        /// Which one.
        seq: Seq,
    },
}

impl Error {
    /// Bytes of record `seq` do not decode: damage, or a form of the future.
    pub(crate) fn undecodable(seq: Seq, err: stored::Error) -> Self {
        match err {
            stored::Error::TooNew { found } => Self::TooNew { found: u32::from(found), known: u32::from(stored::FORM) },
            // Enums grow at their end.
            stored::Error::Decode { err: bincode::error::DecodeError::UnexpectedVariant { .. } } => Self::Newer { seq },
            err => Self::Damaged { seq, damage: Damage::Undecodable(err) },
        }
    }

    /// What a person can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::File { .. } => "check that the volume is mounted, has space left, and is writable by this user",
            Self::Locked { .. } => "stop the other process, or give this one a directory of its own",
            Self::NoLog { .. } => "check the path; it has to be the data directory of an operator",
            Self::OtherOwner { .. } => "give each operator a directory of its own",
            Self::TooNew { .. } | Self::Newer { .. } => "use the version that wrote it, or a later one",
            Self::Store { .. } | Self::Sync { .. } | Self::Poisoned { .. } => {
                "free or replace the volume, then restart; nothing that was not durable has been acted on"
            }
            Self::Unreadable { .. } => {
                "keep a copy of the directory, then restore the log from its archive or start with an empty directory: \
                 the state is read again from the clusters"
            }
            Self::Lost { .. } => {
                "keep a copy of the directory as evidence and find out why the volume lost what it had promised to keep; \
                 then start without --refuse-damaged-log: the state is read again from the clusters"
            }
            Self::Damaged { .. } | Self::DamagedBlob { .. } => {
                "keep a copy of the directory as evidence, then restore the log from its archive or start with an \
                 empty directory: the state is read again from the clusters"
            }
            Self::ReadOnly => "open the log for writing",
            Self::Fenced { .. } => "stop this process: another one has taken over",
            Self::NotNext { .. } | Self::StampWentBack { .. } => {
                "read the log's head again and number the records after it; please report this"
            }
            Self::TooLarge { .. } | Self::BlobTooLarge { .. } | Self::SnapshotTooLarge { .. } => {
                "please report which object is this large"
            }
            Self::NoSuchRecord { .. } => "ask for a record between the log's first and last",
        }
    }
}
