//! Records as bytes.
//!
//! The first byte tells the form; what follows is that form's own affair. A form never changes once it was released:
//! Module `v1` holds the only one so far. A new form gets a module of its own beside it, and `From<v2::Envelope> for Record`
//! is where old contents are turned into today's. Within a form, the enums of facts, commands and payloads only ever
//! grow at their end.

mod v1;

use crate::Record;

/// The form that is written.
pub const FORM: u8 = 1;

/// The longest stored record. Also bounds what decoding may allocate, whatever the bytes say.
pub const MAX_RECORD: usize = 16 << 20;

/// Why bytes are not a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing is there.
    #[error("the stored record is empty")]
    Empty,
    /// Written by a later version of this program.
    #[error("the stored record has form {found}, this version reads forms up to {FORM}")]
    TooNew {
        /// The form found.
        found: u8,
    },
    /// The bytes do not follow the form.
    #[error("the stored record does not decode")]
    Decode {
        /// What the decoder stumbled over.
        #[source]
        err: bincode::error::DecodeError,
    },
    /// The record ends before its bytes do.
    #[error("the stored record has {surplus} bytes too many")]
    Surplus {
        /// How many.
        surplus: usize,
    },
    /// More bytes than a record may have.
    #[error("the record needs {bytes} bytes, {MAX_RECORD} are allowed; large objects belong into blobs")]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
}

/// The stored bytes of a record, in today's form.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn encode(record: &Record) -> Result<Vec<u8>, Error> {
    let bytes = v1::encode(record);
    if bytes.len() > MAX_RECORD { Err(Error::TooLarge { bytes: bytes.len() }) } else { Ok(bytes) }
}

/// The record with these stored bytes, in whichever form they are.
///
/// # Errors
/// When they are in no form that this version knows. Arbitrary bytes never panic and never allocate more than
/// [`MAX_RECORD`] bytes.
pub fn decode(bytes: &[u8]) -> Result<Record, Error> {
    match bytes {
        [] => Err(Error::Empty),
        [1, rest @ ..] => v1::decode(rest).map(Record::from),
        [found, ..] => Err(Error::TooNew { found: *found }),
    }
}
