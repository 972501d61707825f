//! The bytes of stored objects: gzip of JSON and a newline (spec spoke-config 4.4).

use std::io::{Read, Write};

use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use serde_json::Value;

/// The longest body that is read.
pub(crate) const MAX_BODY: usize = 16 << 20;
/// The longest JSON text that a body may unpack to.
const MAX_TEXT: usize = 64 << 20;

/// Why a body is no object.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// Nothing is stored under the key.
    #[error("the stored object is empty")]
    Empty,
    /// It is too long to be one of ours.
    #[error("the stored object is longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// Not gzip, or cut off.
    #[error("the stored object is not gzip")]
    Unpack(#[source] std::io::Error),
    /// Not JSON.
    #[error("the stored object is not JSON")]
    Parse(#[source] serde_json::Error),
}

/// The bytes to store.
pub(crate) fn encode(object: &Value) -> std::io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    serde_json::to_writer(&mut packed, object)?;
    packed.write_all(b"\n")?;
    packed.finish()
}

/// The object in stored bytes: the first JSON value; what follows it is ignored, as other readers do.
pub(crate) fn decode(body: &[u8]) -> Result<Value, Error> {
    if body.is_empty() {
        return Err(Error::Empty);
    }
    if body.len() > MAX_BODY {
        return Err(Error::TooLong { limit: MAX_BODY });
    }
    let mut text = Vec::new();
    let limit = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX);
    MultiGzDecoder::new(body).take(limit + 1).read_to_end(&mut text).map_err(Error::Unpack)?;
    if text.len() > MAX_TEXT {
        return Err(Error::TooLong { limit: MAX_TEXT });
    }
    match serde_json::Deserializer::from_slice(&text).into_iter().next() {
        None => Err(Error::Empty),
        Some(value) => value.map_err(Error::Parse),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_comes_back_as_it_was_stored() {
        let object = json!({ "kind": "PersistentVolume", "metadata": { "name": "pv-1", "labels": null } });
        let body = encode(&object).unwrap();
        assert_eq!(decode(&body).unwrap(), object);
        let mut text = String::new();
        MultiGzDecoder::new(body.as_slice()).read_to_string(&mut text).unwrap();
        assert!(text.ends_with("}\n"), "other readers expect a line");
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    }

    #[rstest]
    #[case::empty(b"".to_vec())]
    #[case::not_gzip(b"{}".to_vec())]
    #[case::cut_off(packed(b"{\"a\": 1}")[..12].to_vec())]
    #[case::nothing_in_it(packed(b""))]
    #[case::not_json(packed(b"hello"))]
    #[case::a_bomb(packed(&vec![b' '; MAX_TEXT + 2]))]
    fn foreign_bytes_are_an_error_and_nothing_worse(#[case] body: Vec<u8>) {
        assert!(decode(&body).is_err());
    }
}
