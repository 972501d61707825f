//! Form 1: bincode 2 (little endian, variable-length integers) of the envelope's fields, in this order. Never edited.

use bincode::{
    Decode, Encode,
    config::{Configuration, Limit, LittleEndian, Varint},
};

use super::{Error, MAX_RECORD};
use crate::{Aggregate, Cause, Origin, Payload, Record, Seq, Stamp};

const CONFIG: Configuration<LittleEndian, Varint, Limit<MAX_RECORD>> =
    bincode::config::standard().with_limit::<MAX_RECORD>();

/// A record, as form 1 lays it out.
#[derive(Decode)]
pub(super) struct Envelope {
    seq: Seq,
    stamp: Stamp,
    origin: Origin,
    aggregate: Option<Aggregate>,
    cause: Cause,
    payload: Payload,
}

/// The same, borrowed.
#[derive(Encode)]
struct EnvelopeRef<'a> {
    seq: Seq,
    stamp: Stamp,
    origin: &'a Origin,
    aggregate: &'a Option<Aggregate>,
    cause: &'a Cause,
    payload: &'a Payload,
}

impl From<Envelope> for Record {
    fn from(stored: Envelope) -> Self {
        let Envelope { seq, stamp, origin, aggregate, cause, payload } = stored;
        Self { seq, stamp, origin, aggregate, cause, payload }
    }
}

pub(super) fn encode(record: &Record) -> Vec<u8> {
    let Record { seq, stamp, origin, aggregate, cause, payload } = record;
    let envelope = EnvelopeRef { seq: *seq, stamp: *stamp, origin, aggregate, cause, payload };
    let mut bytes = Vec::with_capacity(256);
    bytes.push(1);
    #[expect(clippy::expect_used, reason = "encoding derived types into memory has no failing case")]
    bincode::encode_into_std_write(envelope, &mut bytes, CONFIG).expect("a record encodes");
    bytes
}

pub(super) fn decode(bytes: &[u8]) -> Result<Envelope, Error> {
    let (envelope, used) = bincode::decode_from_slice(bytes, CONFIG).map_err(|err| Error::Decode { err })?;
    if used < bytes.len() { Err(Error::Surplus { surplus: bytes.len() - used }) } else { Ok(envelope) }
}
